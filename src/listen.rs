//! `tollgate listen`: an account's events, forwarded to a program on the developer's machine as signed deliveries, without
//! an endpoint being registered. Polls `/v1/events` from now on; each event is sent once, in order, and what came of it is
//! printed. Nothing is tried again: the developer sees that it failed.

mod feed;

use crate::exit::Failure;
use crate::output::print;
use clap::Args;
use feed::{Feed, Found, NoAnswer};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tollgate_domain::webhooks::event_names;
use tollgate_webhooks::egress::{Egress, Gate, Mode, Policy, Settings, SystemResolver, Tls};
use tollgate_webhooks::ports::{Answer, Cause, Delivery, Transport as _};
use tollgate_webhooks::{
    ActiveSecret, EndpointKey, EndpointView, Ordering, Patterns, Schedule, Secret, Status, signing,
};

/// Pause between two looks at a server that has nothing new.
const POLL_PAUSE: Duration = Duration::from_millis(250);
/// Pause before a server that did not answer is asked again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Time for the receiver to answer.
const FORWARD_TIMEOUT_MS: u32 = 30_000;
/// What the printed secret is derived for.
const DERIVED_FOR: &str = "tollgate listen";

/// What `tollgate listen` can be asked.
#[derive(Args)]
pub(crate) struct ListenFlags {
    /// Where each event is sent, as a POST: a URL, or localhost's port and path as in 4242/webhook. Without it events are
    /// only printed.
    #[arg(long, value_name = "URL")]
    forward_to: Option<String>,
    /// Only these events, separated by commas: payment_intent.succeeded, payment_intent.* or *.
    #[arg(long, value_name = "TYPES", value_delimiter = ',', default_value = "*")]
    events: Vec<String>,
    /// Secret key of the account: the one the program under development uses.
    #[arg(long, value_name = "KEY", env = "STRIPE_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// The server.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:12111")]
    url: String,
    /// Print the secret that deliveries are signed with, and nothing else. It is the same each time for one API key.
    #[arg(long)]
    print_secret: bool,
    /// Forward to https without checking the certificate.
    #[arg(long)]
    skip_verify: bool,
}

/// Listens until the process is ended.
pub(crate) fn run(flags: &ListenFlags) -> Result<(), Failure> {
    let Some(key) = flags.api_key.as_deref().filter(|key| !key.is_empty()) else {
        return Err(Failure::wrong_use(
            "no API key: give --api-key, or set STRIPE_API_KEY, to the secret key that your program uses",
        ));
    };
    let secret = signing::derived(key, DERIVED_FOR);
    if flags.print_secret {
        return print(&format!("{}\n", secret.reveal()));
    }
    let wanted = flags.events.iter().map(|event| event.trim());
    let wanted = Patterns::new(wanted).map_err(|error| Failure::wrong_use(format!("--events: {error}")))?;
    if let Some(unknown) = flags.events.iter().find(|event| !event_names::is_known(event.trim())) {
        return Err(Failure::wrong_use(format!(
            "--events: there is no event type {unknown:?}, and no group of them; nothing would ever be forwarded for it"
        )));
    }
    let forward = match &flags.forward_to {
        Some(to) => Some(Forward::new(to, flags.skip_verify, &secret)?),
        None => None,
    };
    let mut feed = Feed::new(&flags.url, key)?;
    let version = feed.begin().map_err(|why| said(&flags.url, &why))?;
    let to = forward
        .as_ref()
        .map_or("nowhere: there is no --forward-to", |forward| &forward.shown);
    print(&format!(
        "Ready. Events of API version {version} from {} go to {to}\nYour webhook signing secret is {} (Ctrl-C stops)\n",
        flags.url.trim_end_matches('/'),
        secret.reveal()
    ))?;
    let mut answers = true;
    loop {
        match feed.next() {
            Ok(Found::Events(events)) => {
                if !answers {
                    print("The server answers again\n")?;
                    answers = true;
                }
                if events.is_empty() {
                    std::thread::sleep(POLL_PAUSE);
                }
                for event in &events {
                    if wanted.want(event["type"].as_str().unwrap_or_default()) {
                        print(&line(event, forward.as_ref()))?;
                    }
                }
            }
            Ok(Found::OtherData) => print("The server has other data than before; listening from now on\n")?,
            Err(why @ NoAnswer::Refused { .. }) => return Err(said(&flags.url, &why)),
            Err(NoAnswer::Absent(why)) => {
                if answers {
                    print(&format!("The server does not answer ({why}); trying again\n"))?;
                    answers = false;
                }
                std::thread::sleep(RETRY_PAUSE);
            }
        }
    }
}

fn said(url: &str, why: &NoAnswer) -> Failure {
    match why {
        NoAnswer::Refused { status, message } => {
            Failure::not_so(format!("{url} refused to list events with status {status}: {message}"))
        }
        NoAnswer::Absent(why) => Failure::environment(format!(
            "{url} does not answer: {why}; is the server running, and is this the address of its API?"
        )),
    }
}

/// One line about an event, and about its delivery.
fn line(event: &Value, forward: Option<&Forward>) -> String {
    let word = |name: &str| event[name].as_str().unwrap_or("?").to_owned();
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
        % 86_400;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let told = forward.map_or_else(String::new, |forward| format!(" {}", forward.send(event)));
    format!(
        "{hour:02}:{minute:02}:{second:02}Z --> {} [{}]{told}\n",
        word("type"),
        word("id")
    )
}

/// Where events go.
struct Forward {
    runtime: tokio::runtime::Runtime,
    egress: Egress,
    endpoint: Arc<EndpointView>,
    shown: String,
}

impl Forward {
    fn new(to: &str, skip_verify: bool, secret: &Secret) -> Result<Self, Failure> {
        let url = url_of(to);
        let everywhere = ["0.0.0.0/0", "::/0"].map(|network| network.parse().expect("a network"));
        // The developer chose the address, and may mean any.
        let policy = Policy {
            loopback: true,
            allowed: everywhere.to_vec(),
            ports: vec![1..=u16::MAX],
        };
        let gate = Gate::new(policy, Arc::new(SystemResolver::new()));
        gate.target(&url, Mode::Test)
            .map_err(|refusal| Failure::wrong_use(format!("--forward-to {to:?}: {refusal}")))?;
        let tls = if skip_verify { Tls::unverified() } else { Tls::new(None) };
        let egress = Egress::new(Settings {
            gate: Arc::new(gate),
            tls: tls.map_err(Failure::environment)?,
            proxy: None,
            connections_max: 8,
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self {
            runtime: runtime.map_err(|error| Failure::environment(format!("no runtime can be made: {error}")))?,
            egress,
            endpoint: Arc::new(endpoint(&url, secret)),
            shown: url,
        })
    }

    /// Sends an event and says what came of it.
    fn send(&self, event: &Value) -> String {
        let body = serde_json::to_vec(event).expect("what was JSON can be written as JSON");
        let delivery = Delivery {
            endpoint: Arc::clone(&self.endpoint),
            event_id: event["id"].as_str().unwrap_or_default().into(),
            event_seq: 0,
            nth: 0,
            body: body.into(),
            attempt: 1,
            cause: Cause::Schedule,
        };
        let outcome = self.runtime.block_on(async { self.egress.send(delivery).await });
        match outcome.answer {
            Answer::Taken { status } | Answer::Refused { status, .. } => {
                format!("<-- [{status}] POST {} {} ms", self.shown, outcome.took_ms)
            }
            Answer::Failed { why, .. } => format!("<-- [failed] POST {} {why}", self.shown),
        }
    }
}

/// `4242/webhook`, `:4242`, `localhost:4242/webhook` or a whole URL.
fn url_of(to: &str) -> String {
    if to.contains("://") {
        return to.to_owned();
    }
    let authority = to.split('/').next().unwrap_or_default();
    let port = authority.strip_prefix(':').unwrap_or(authority);
    if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("http://localhost:{}", to.trim_start_matches(':'));
    }
    format!("http://{to}")
}

fn endpoint(url: &str, secret: &Secret) -> EndpointView {
    EndpointView {
        key: EndpointKey { account: 0, seq: 0 },
        id: "listen".into(),
        revision: 0,
        livemode: false,
        url: url.into(),
        filter: Patterns::all(),
        api_version: "".into(),
        status: Status::Enabled,
        secrets: vec![ActiveSecret {
            secret: secret.clone(),
            until_s: None,
        }],
        ordering: Ordering::default(),
        timeout_ms: FORWARD_TIMEOUT_MS,
        rate_per_s: None,
        schedule: Schedule::default(),
        standard_headers: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_named_as_short_as_one_likes() {
        for (to, url) in [
            ("4242", "http://localhost:4242"),
            (":4242/hook", "http://localhost:4242/hook"),
            ("4242/a/b?c", "http://localhost:4242/a/b?c"),
            ("localhost:3000/webhook", "http://localhost:3000/webhook"),
            ("127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("https://app.test/hook", "https://app.test/hook"),
        ] {
            assert_eq!(url_of(to), url);
        }
    }
}
