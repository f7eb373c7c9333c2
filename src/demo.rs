//! `tollgate demo`: a server, one payment through its public HTTP API, and what became of it, for somebody who sees this
//! for the first time. It uses nothing but HTTP, so everything shown can be repeated with the commands it prints.

use crate::config::Config;
use crate::config_layers::Flag;
use crate::exit::Failure;
use crate::node::Node;
use crate::output::print;
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The key the demo pays with; `--dev` opens a sandbox account for it.
const KEY: &str = "sk_test_demo0123456789abcdefghijkl";

/// The form of the payment.
const FORM: [(&str, &str); 4] = [
    ("amount", "2000"),
    ("currency", "usd"),
    ("payment_method", "pm_card_visa"),
    ("confirm", "true"),
];

/// Longest wait for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Starts a server on `data` (or a temporary directory), shows a payment, and serves on unless `exit`.
pub(crate) fn run(data: Option<PathBuf>, exit: bool) -> Result<(), Failure> {
    let temporary = match data {
        Some(_) => None,
        None => Some(
            tempfile::Builder::new()
                .prefix("tollgate-demo-")
                .tempdir()
                .map_err(|error| {
                    Failure::environment(format!("cannot make a temporary directory: {error}; use --data DIR"))
                })?,
        ),
    };
    let data = data.unwrap_or_else(|| temporary.as_ref().expect("made above").path().join("data"));
    let config = config(&data)?;
    crate::logs::start(&config.log)?;
    actix_rt::System::new().block_on(async {
        let mut node = Node::start(&config, true, None).await?;
        let (api, admin) = (node.api_url(), node.admin_url());
        let place = data.display().to_string();
        // The client blocks, as a merchant's program would; the server must not wait for it.
        let shown = tokio::task::spawn_blocking(move || show(&api, &admin, &place));
        let shown = shown.await.unwrap_or_else(|error| Err(Failure::environment(error)));
        if shown.is_ok() && !exit {
            print("\nStill serving; Ctrl-C stops.\n")?;
            node.stop_asked.wait().await;
        }
        node.stop().await;
        shown
    })
}

/// Settings of the demo: the built-in ones and the environment's, on the default ports where they are free.
fn config(data: &Path) -> Result<Config, Failure> {
    let mut flags: Vec<Flag> = vec![("store.data", data.display().to_string())];
    let defaults = Config::load(None, &flags)?;
    for (name, address) in [
        ("api.listen", defaults.api.listen),
        ("admin.listen", defaults.admin_listen),
    ] {
        if std::net::TcpListener::bind(address).is_err() {
            flags.push((name, format!("{}:0", address.ip())));
        }
    }
    Ok(Config::load(None, &flags)?)
}

/// One payment and everything it caused.
fn show(api: &str, admin: &str, data: &str) -> Result<(), Failure> {
    let merchant = Merchant::new(api);
    let unique = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let idempotency_key = format!("demo-{unique}");

    let form: String = FORM.iter().map(|(name, value)| format!(" -d {name}={value}")).collect();
    print(&format!(
        "Tollgate serves at {api}, its data is in {data}\n\n\
         1. A merchant asks for a payment\n   \
         curl {api}/v1/payment_intents -u {KEY}: -H 'Idempotency-Key: {idempotency_key}'{form}\n\n"
    ))?;
    let paid = merchant.pay(&idempotency_key)?;
    let intent = &paid.json;
    print(&format!(
        "2. The answer: {} after {} us, when the payment was on disk (request {})\n{}\n",
        paid.status,
        paid.took.as_micros(),
        paid.header("request-id"),
        fields(
            intent,
            &[
                "id",
                "object",
                "status",
                "amount",
                "amount_received",
                "currency",
                "latest_charge"
            ]
        )
    ))?;
    if intent["status"] != "succeeded" {
        return Err(Failure::not_so(format!("the payment did not succeed: {}", paid.text)));
    }

    let charge = merchant
        .get(&format!("/v1/charges/{}", text(intent, "latest_charge")))?
        .json;
    let mut transactions = merchant.get("/v1/balance_transactions?limit=1")?.json;
    let transaction = transactions["data"][0].take();
    let balance = merchant.get("/v1/balance")?.json;
    print(&format!(
        "3. The money: one balanced ledger entry, which merchants see as a balance_transaction of the charge {}\n{}   \
         balance: {} pending, {} available\n\n",
        text(&charge, "id"),
        fields(
            &transaction,
            &[
                "id", "object", "type", "amount", "fee", "net", "currency", "status", "source"
            ]
        ),
        amounts(&balance["pending"]),
        amounts(&balance["available"]),
    ))?;

    let events = merchant.get("/v1/events?limit=3")?.json;
    let mut names: Vec<&str> = events["data"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|event| event["type"].as_str())
        .collect();
    names.reverse();
    print(&format!("4. What others are told: the events {}\n\n", names.join(", ")))?;

    let again = merchant.pay(&idempotency_key)?;
    let same = if again.text == paid.text {
        "the same bytes"
    } else {
        "another answer"
    };
    print(&format!(
        "5. The same request with the same key: {same}, nothing charged (idempotent-replayed: {}, original-request: {})\n",
        again.header("idempotent-replayed"),
        again.header("original-request"),
    ))?;
    if again.text != paid.text {
        return Err(Failure::not_so(format!("the replay differs: {}", again.text)));
    }
    print(&next_commands(api, admin, data, text(intent, "id")))
}

fn next_commands(api: &str, admin: &str, data: &str, intent: &str) -> String {
    format!(
        "\nTry next\n   \
         curl {api}/v1/payment_intents/{intent} -u {KEY}:\n   \
         curl {api}/v1/refunds -u {KEY}: -d payment_intent={intent} -d amount=500\n   \
         curl {api}/v1/payment_intents -u {KEY}: -d amount=2000 -d currency=usd -d confirm=true \
         -d payment_method=pm_card_visa_chargeDeclined\n   \
         curl {admin}/metrics\n   \
         {api}/docs is the reference; after a stop, `tollgate verify --data {data}` recomputes every cent\n\n\
         The official Python SDK (pip install stripe), only the base URL is changed\n   \
         import stripe\n   \
         client = stripe.StripeClient(\"{KEY}\", base_addresses={{\"api\": \"{api}\"}})\n   \
         intent = client.v1.payment_intents.create({{\n       \
         \"amount\": 2000, \"currency\": \"usd\",\n       \
         \"payment_method\": \"pm_card_visa\", \"confirm\": True,\n   \
         }})\n   \
         print(intent.id, intent.status)\n"
    )
}

/// A client of the public API.
struct Merchant<'a> {
    api: &'a str,
    agent: ureq::Agent,
}

/// An answer as a merchant's program gets it.
struct Answer {
    status: u16,
    took: Duration,
    headers: ureq::http::HeaderMap,
    text: String,
    json: Value,
}

impl<'a> Merchant<'a> {
    fn new(api: &'a str) -> Merchant<'a> {
        let config = ureq::Agent::config_builder()
            // Errors are answers here: their bodies say what is wrong.
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_TIMEOUT))
            .build();
        Merchant {
            api,
            agent: config.into(),
        }
    }

    fn pay(&self, idempotency_key: &str) -> Result<Answer, Failure> {
        let began = Instant::now();
        let request = self
            .agent
            .post(format!("{}/v1/payment_intents", self.api))
            .header("Authorization", format!("Bearer {KEY}"))
            .header("Idempotency-Key", idempotency_key);
        Answer::read(began, request.send_form(FORM))
    }

    fn get(&self, path: &str) -> Result<Answer, Failure> {
        let began = Instant::now();
        let request = self
            .agent
            .get(format!("{}{path}", self.api))
            .header("Authorization", format!("Bearer {KEY}"));
        Answer::read(began, request.call())
    }
}

impl Answer {
    fn read(began: Instant, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, Failure> {
        let failed = |error: ureq::Error| Failure::environment(format!("the demo's server did not answer: {error}"));
        let mut answer = answer.map_err(failed)?;
        let text = answer.body_mut().read_to_string().map_err(failed)?;
        let took = began.elapsed();
        let json = serde_json::from_str(&text)
            .map_err(|error| Failure::environment(format!("the answer is no JSON ({error}): {text}")))?;
        Ok(Answer {
            status: answer.status().as_u16(),
            took,
            headers: answer.headers().clone(),
            text,
            json,
        })
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("none")
    }
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or("none")
}

fn fields(object: &Value, names: &[&str]) -> String {
    let mut out = String::new();
    for name in names {
        let _ = writeln!(out, "   \"{name}\": {}", object[*name]);
    }
    out
}

fn amounts(of: &Value) -> String {
    let parts: Vec<String> = of
        .as_array()
        .into_iter()
        .flatten()
        .map(|part| format!("{} {}", part["amount"], part["currency"].as_str().unwrap_or("?")))
        .collect();
    if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join(", ")
    }
}
