//! Which addresses webhooks may be sent to, asked when an endpoint is registered: by the same policy that every connection is
//! held to later.

use std::sync::Arc;
use tollgate_domain::webhooks::webhook_endpoint::EndpointUrl;
use tollgate_http::{Looked, VetUrls};
use tollgate_webhooks::egress::{Failure, Gate, Mode, Refusal};

/// What deliveries have to come by, at registration. The resolver is theirs too, so names that never answer are waited for by
/// no more threads than it has.
pub(crate) struct Registration(pub(crate) Arc<Gate>);

impl VetUrls for Registration {
    fn vet<'a>(&'a self, text: &'a str, livemode: bool) -> Looked<'a> {
        Box::pin(async move {
            // What is wrong with its text is the domain's to say.
            let Ok(url) = EndpointUrl::parse(text) else {
                return Ok(());
            };
            let mode = if livemode { Mode::Live } else { Mode::Test };
            match self.0.register(text, mode).await {
                Ok(()) => Ok(()),
                Err(Failure::Refused(refusal)) => Err(told(refusal)),
                Err(_) => Err(format!("The host {} cannot be resolved.", url.host)),
            }
        })
    }
}

/// A refusal in a sentence for the endpoint's owner.
fn told(refusal: Refusal) -> String {
    match refusal {
        Refusal::Address(_) | Refusal::Peer => "URL must be publicly accessible.".to_owned(),
        other => {
            let mut text = format!("{other}.");
            if let Some(first) = text.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_webhooks::egress::{Policy, SystemResolver};

    fn vetted(policy: Policy, url: &str, livemode: bool) -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let gate = Gate::new(policy, Arc::new(SystemResolver::new()));
            Registration(Arc::new(gate)).vet(url, livemode).await
        })
    }

    #[test]
    fn what_no_connection_may_be_made_to_is_not_registered() {
        let inside = "URL must be publicly accessible.";
        let own = Policy {
            allowed: vec!["10.1.0.0/16".parse().expect("a network")],
            ..Policy::default()
        };
        let here = Policy {
            loopback: true,
            ..Policy::default()
        };
        for (policy, url, livemode, expected) in [
            (Policy::default(), "http://127.0.0.1:4000/hooks", false, Err(inside)),
            (Policy::default(), "http://localhost:4000/hooks", false, Err(inside)),
            (Policy::default(), "https://[::ffff:10.1.2.3]/", true, Err(inside)),
            (Policy::default(), "https://1.1.1.1/hooks", true, Ok(())),
            (
                Policy::default(),
                "https://1.1.1.1:25/",
                true,
                Err("Deliveries to port 25 are not allowed."),
            ),
            (here.clone(), "http://127.0.0.1:4000/hooks", false, Ok(())),
            (here, "http://10.1.2.3/", false, Err(inside)),
            (own.clone(), "https://10.1.2.3/", true, Ok(())),
            (own.clone(), "https://10.2.2.3/", true, Err(inside)),
            (own, "https://169.254.169.254/", true, Err(inside)),
        ] {
            let expected = expected.map_err(str::to_owned);
            assert_eq!(vetted(policy, url, livemode), expected, "{url}");
        }
    }
}
