//! An account outgrows one machine: everything is carried from a data directory to a live cluster, and back.

use super::Keyspace;
use super::checks::all_signed_by;
use super::receiver::Receiver;
use super::server::{Answer, KEY, Server, tollgate};
use super::uploads::upload;
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// What receipts and files are reached by, the same before and after.
const ADDRESS: (&str, &str) = ("TOLLGATE_API__PUBLIC_URL", "https://pay.example.com");

/// Objects of every sort that money and cards leave behind; the paths they are read at.
fn lived_in(server: &Server) -> Vec<String> {
    let made = |path: &str, form: &str| -> Value {
        let answer = server.post(path, form);
        assert_eq!(answer.status, 200, "{path} {form}: {answer:?}");
        answer.json()
    };
    let id = |value: &Value| value["id"].as_str().expect("an id").to_owned();
    let mut paths = Vec::new();
    let paid = server.pay(5_000);
    paths.push(format!("/v1/payment_intents/{}", id(&paid)));
    let refund = made("/v1/refunds", &format!("payment_intent={}&amount=1200", id(&paid)));
    let refund = format!("/v1/refunds/{}", id(&refund));
    // The network tells its reference a moment later; nothing else is to change by itself.
    let started = Instant::now();
    while !server.get(&refund).text.contains("\"reference_status\": \"available\"") {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the refund has no reference"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    paths.push(refund);
    let form = "amount=3000&currency=eur&payment_method=pm_card_createDispute&confirm=true&\
                automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never";
    let disputed = made("/v1/payment_intents", form);
    paths.push(format!("/v1/payment_intents/{}", id(&disputed)));
    let customer = made("/v1/customers", "email=ada@example.com&name=Ada");
    paths.push(format!("/v1/customers/{}", id(&customer)));
    let card = "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034&card[cvc]=123";
    let card = made("/v1/payment_methods", card);
    made(
        &format!("/v1/payment_methods/{}/attach", id(&card)),
        &format!("customer={}", id(&customer)),
    );
    paths.push(format!("/v1/payment_methods/{}", id(&card)));
    paths.push(format!("/v1/files/{}/contents", upload(server)));
    for list in [
        "charges",
        "disputes",
        "refunds",
        "events",
        "balance_transactions",
        "files",
        "customers",
    ] {
        paths.push(format!("/v1/{list}?limit=100"));
    }
    paths.push("/v1/balance".to_owned());
    paths
}

fn seen(server: &Server, paths: &[String]) -> Vec<(String, u16, String)> {
    let read = |path: &String| {
        let answer = server.get(path);
        (path.clone(), answer.status, answer.text)
    };
    paths.iter().map(read).collect()
}

fn once(server: &Server) -> Answer {
    let form = "amount=1000&currency=usd&payment_method=pm_card_visa&confirm=true";
    server.send(KEY, "POST", "/v1/payment_intents", form, &[("Idempotency-Key", "once")])
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let said = tollgate(arguments);
    let text = [said.stdout, said.stderr].concat();
    (said.status.code(), String::from_utf8_lossy(&text).into_owned())
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// An endpoint that is in the middle of rolling its secret: its path, and its secrets, the newest first.
fn endpoint(server: &Server, receiver: &Receiver) -> (String, [String; 2]) {
    let form = format!(
        "url={}&enabled_events[]=payment_intent.succeeded",
        receiver.url("/hooks")
    );
    let made = server.post("/v1/webhook_endpoints", &form);
    let path = format!("/v1/webhook_endpoints/{}", made.id());
    let rolled = server.post(&format!("{path}/roll_secret"), "");
    let secret = |answer: &Answer| answer.json()["secret"].as_str().expect("a secret").to_owned();
    (path, [secret(&rolled), secret(&made)])
}

/// Has the endpoint's newest delivery checked: what is signed is signed with the same secrets, wherever it is served.
fn signs(receiver: &Receiver, count: usize, secrets: &[String; 2]) {
    let came = receiver.until("/hooks", "it is delivered", |came| came.len() == count);
    all_signed_by(&came, &[&secrets[0], &secrets[1]]);
}

#[test]
fn everything_is_carried_to_the_cluster_and_back() {
    let mut server = Server::with(&[], &[ADDRESS]);
    let paths = lived_in(&server);
    let first = once(&server);
    let before = seen(&server, &paths);
    assert!(before.iter().all(|(_, status, _)| *status == 200), "{before:?}");
    let receiver = Receiver::start();
    let (endpoint, secrets) = endpoint(&server, &receiver);
    let dir = tempfile::tempdir().expect("a directory");
    let (file, config) = (dir.path().join("export"), dir.path().join("config.toml"));
    std::fs::write(&config, "").expect("written");
    let data = server.data();
    let (code, told) = run(&["export", "--data", text(&data), text(&file)]);
    assert_eq!(code, Some(3), "a server has it: {told}");
    assert_eq!(server.stop(), Some(0));
    let (code, exported) = run(&["export", "--data", text(&data), text(&file)]);
    assert_eq!(code, Some(0), "{exported}");

    let keyspace = Keyspace::new();
    let import = ["import", text(&file), "--config", text(&config)];
    let (code, imported) = keyspace.tollgate(&import);
    assert_eq!(code, Some(0), "{imported}");
    assert_eq!(
        imported.split_once(": ").expect("sums").1,
        exported.split_once("exported ").expect("sums").1
    );
    let report = keyspace.verify();
    assert_eq!(report["files"]["unreferenced"], 0, "{report}");
    let (code, told) = keyspace.tollgate(&import);
    assert!(
        code == Some(2) && told.contains("served before"),
        "it holds them already: {told}"
    );
    let (code, told) = keyspace.tollgate(&["vault", "check", "--config", text(&config)]);
    assert!(
        code == Some(0) && told.starts_with("5 sealed card numbers and secrets"),
        "{told}"
    );

    let settings: Vec<(&str, &str)> = keyspace.settings().into_iter().chain([ADDRESS]).collect();
    let mut served = Server::with(&[], &settings);
    // Ids, client secrets, balances and lists are what they were.
    for (now, before) in seen(&served, &paths).iter().zip(&before) {
        assert_eq!(now, before);
    }
    let again = once(&served);
    assert_eq!(
        (&again.text, again.header("idempotent-replayed")),
        (&first.text, Some("true"))
    );
    // It lives on: the saved card pays.
    let card = before
        .iter()
        .find(|(path, ..)| path.contains("/payment_methods/"))
        .expect("a card");
    let card: Value = serde_json::from_str(&card.2).expect("JSON");
    let form = format!(
        "amount=700&currency=usd&customer={}&payment_method={}&confirm=true&off_session=true",
        card["customer"].as_str().expect("an id"),
        card["id"].as_str().expect("an id")
    );
    let paid = served.post("/v1/payment_intents", &form);
    assert_eq!(paid.json()["status"], "succeeded", "{paid:?}");
    assert_eq!(served.get(&endpoint).status, 200);
    signs(&receiver, 1, &secrets);
    assert_eq!(served.stop(), Some(0));
    keyspace.verify();

    let (back, home) = (dir.path().join("back"), dir.path().join("home"));
    let (code, exported) = keyspace.tollgate(&["export", "--config", text(&config), text(&back)]);
    assert_eq!(code, Some(0), "{exported}");
    let (code, imported) = run(&["import", text(&back), "--data", text(&home)]);
    assert_eq!(code, Some(0), "{imported}");
    let (code, told) = run(&["verify", "--data", text(&home)]);
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = run(&["import", text(&back), "--data", text(&home)]);
    assert_eq!(code, Some(2), "it holds them already: {told}");
    let (code, told) = run(&["vault", "check", "--data", text(&home)]);
    assert_eq!(code, Some(0), "{told}");
    let home = Server::on(&[ADDRESS], |data| {
        let (code, told) = run(&["import", text(&back), "--data", text(data)]);
        assert_eq!(code, Some(0), "{told}");
    });
    assert_eq!(home.pay(2_000)["status"], "succeeded");
    signs(&receiver, 2, &secrets);
    home.verify();
}
