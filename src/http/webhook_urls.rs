//! Whether webhooks may be sent to the address that a request names. Names are resolved here, at the edge, because the domain
//! cannot wait; what is found goes to the domain with the command.

use std::future::Future;
use std::pin::Pin;
use tollgate_domain::webhooks::webhook_endpoint::Vetted;
use tollgate_domain::{Call, Command};
use tollgate_resource::{Endpoint, Method};

/// What a look at an address comes to: nothing, or why webhooks may not be sent there, in a sentence for its owner.
pub type Looked<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Looks at addresses that webhooks are to be sent to.
pub trait VetUrls: Send + Sync {
    /// Looks whether `url` may be sent to in that mode. Ends within a few seconds, whatever resolvers do.
    fn vet<'a>(&'a self, url: &'a str, livemode: bool) -> Looked<'a>;
}

/// Whether an operation may name an address.
pub(crate) fn names_url(endpoint: &Endpoint<Call>) -> bool {
    endpoint.method == Method::Post && OPERATIONS.iter().any(|start| endpoint.path.starts_with(start))
}

/// The address that a call names, for [`VetUrls`].
pub(crate) fn named_url(call: &Call) -> Option<&str> {
    match call {
        Call::Write(Command::CreateWebhookEndpoint(asked, _)) => Some(&asked.url),
        Call::Write(Command::UpdateWebhookEndpoint(_, asked, _)) => asked.url.as_deref(),
        Call::Write(Command::CreateEventDestination(asked, _)) => asked.url(),
        Call::Write(Command::UpdateEventDestination(_, asked, _)) => asked.url(),
        _ => None,
    }
}

/// Tells a call what was found of the address that it names.
pub(crate) fn tell(call: &mut Call, found: Vetted) {
    if let Call::Write(
        Command::CreateWebhookEndpoint(_, vetted)
        | Command::UpdateWebhookEndpoint(_, _, vetted)
        | Command::CreateEventDestination(_, vetted)
        | Command::UpdateEventDestination(_, _, vetted),
    ) = call
    {
        *vetted = found;
    }
}

/// How the paths of operations begin that may name an address.
const OPERATIONS: [&str; 2] = ["/v1/webhook_endpoints", "/v2/core/event_destinations"];
