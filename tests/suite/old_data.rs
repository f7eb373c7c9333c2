//! Data of an older release opens in this one: same objects, same answers to the same keys, clean books.
//!
//! Each folder of `tests/fixtures` is the data directory of one release and `answers.json`, what that release answered.
//! `TOLLGATE_FIXTURE=write cargo test -p tollgate --test suite old_data` writes the folder of the present format anew;
//! do that once for a release, never to make this test pass.

use crate::server::{Answer, KEY, Server};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
/// The folder of the release that is being built.
const PRESENT: &str = "release_0_1";
/// Small segments keep the fixture small; keys that never expire let it be asked for ever.
const SETTINGS: &[(&str, &str)] = &[
    ("TOLLGATE_STORE__SEGMENT_MB", "1"),
    ("TOLLGATE_STORE__SHARDS", "2"),
    ("TOLLGATE_STORE__IDEMPOTENCY_HOURS", "876000"),
];

/// What is asked of a release when its fixture is written: (key, version, path, form).
const SCRIPT: &[(&str, &str, &str, &str)] = &[
    (
        "pay",
        "",
        "/v1/payment_intents",
        "amount=2500&currency=usd&payment_method=pm_card_visa&confirm=true&metadata[order]=1&description=a book",
    ),
    (
        "pay-old",
        "2020-08-27",
        "/v1/payment_intents",
        "amount=1200&currency=eur&payment_method=pm_card_mastercard&confirm=true&expand[]=latest_charge",
    ),
    (
        "customer",
        "",
        "/v1/customers",
        "name=Jenny&email=jenny@example.com&address[city]=Berlin&metadata[a]=1",
    ),
    (
        "decline",
        "",
        "/v1/payment_intents",
        "amount=900&currency=usd&payment_method=pm_card_visa_chargeDeclinedInsufficientFunds&confirm=true",
    ),
    (
        "yen",
        "",
        "/v1/payment_intents",
        "amount=700&currency=jpy&payment_method=pm_card_jp&confirm=true",
    ),
    (
        "hold",
        "",
        "/v1/payment_intents",
        "amount=5000&currency=usd&payment_method=pm_card_visa&confirm=true&capture_method=manual",
    ),
    (
        "capture",
        "",
        "/v1/payment_intents/{hold}/capture",
        "amount_to_capture=3000",
    ),
    (
        "refund",
        "",
        "/v1/refunds",
        "payment_intent={pay}&amount=500&reason=requested_by_customer",
    ),
    (
        "released",
        "",
        "/v1/payment_intents",
        "amount=800&currency=usd&payment_method=pm_card_visa&confirm=true&capture_method=manual",
    ),
    (
        "cancel",
        "",
        "/v1/payment_intents/{released}/cancel",
        "cancellation_reason=duplicate",
    ),
    ("rename", "", "/v1/customers/{customer}", "name=Rosen&metadata[a]="),
    (
        "remote",
        "",
        "/v1/payment_intents",
        "amount=1100&currency=usd&payment_method=pm_card_tollgate_remote&confirm=true",
    ),
    ("refused", "", "/v1/payment_intents/{cancel}/capture", ""),
];

/// Lists and objects whose bodies must stay what they were. Balance transactions and the balance are left out: they
/// change with the date, and `verify` recomputes them.
const READS: &[&str] = &["payment_intents", "charges", "refunds", "customers", "events"];

fn ask(server: &Server, key: &str, version: &str, path: &str, form: &str) -> Answer {
    let mut headers = vec![("idempotency-key", key)];
    if !version.is_empty() {
        headers.push(("stripe-version", version));
    }
    server.send(KEY, "POST", path, form, &headers)
}

/// Replaces `{step}` by the id that the step answered with.
fn filled(text: &str, answers: &[Value]) -> String {
    answers
        .iter()
        .fold(text.to_owned(), |text, answer| match answer["id"].as_str() {
            Some(id) => text.replace(&format!("{{{}}}", answer["key"].as_str().expect("a key")), id),
            None => text,
        })
}

fn write_fixture(folder: &Path) {
    let mut server = Server::with(&[], SETTINGS);
    let mut answers: Vec<Value> = Vec::new();
    for (key, version, path, form) in SCRIPT {
        let (path, form) = (filled(path, &answers), filled(form, &answers));
        let answer = ask(&server, key, version, &path, &form);
        let id = answer.json()["id"].clone();
        answers.push(json!({ "key": key, "version": version, "path": path, "form": form, "status": answer.status, "id": id, "body": answer.text }));
    }
    let reads: Vec<Value> = READS.iter().map(|what| json!({ "path": format!("/v1/{what}?limit=100"), "body": server.get(&format!("/v1/{what}?limit=100")).text })).collect();
    assert_eq!(server.stop(), Some(0));
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder.join("data")).expect("a folder");
    copy(&server.data(), &folder.join("data"));
    let _ = std::fs::remove_file(folder.join("data/lock"));
    let answers = serde_json::to_string_pretty(&json!({ "requests": answers, "reads": reads })).expect("JSON");
    std::fs::write(folder.join("answers.json"), answers + "\n").expect("a file");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("a copy");
        }
    }
}

fn fixtures() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(FIXTURES)
        .expect("the fixtures")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    found.sort();
    found
}

/// Asserts that everything shown then is shown now. A newer release may show more, except in replays.
fn still_shows(now: &Value, then: &Value, place: &str) {
    match (now, then) {
        (Value::Object(now), Value::Object(then)) => {
            for (name, value) in then {
                still_shows(
                    now.get(name).unwrap_or_else(|| panic!("{place}.{name} is gone")),
                    value,
                    &format!("{place}.{name}"),
                );
            }
        }
        (Value::Array(now), Value::Array(then)) => {
            assert_eq!(now.len(), then.len(), "{place}");
            for (at, (now, then)) in now.iter().zip(then).enumerate() {
                still_shows(now, then, &format!("{place}[{at}]"));
            }
        }
        // Receipts came later; what was paid before has one too.
        (Value::String(url), Value::Null) if place.ends_with(".receipt_url") => {
            assert!(url.contains("/receipts/"), "{place}: {url}");
        }
        _ => assert_eq!(now, then, "{place}"),
    }
}

#[test]
fn old_data_opens_and_answers_as_it_did() {
    if std::env::var("TOLLGATE_FIXTURE").is_ok_and(|word| word == "write") {
        write_fixture(&Path::new(FIXTURES).join(PRESENT));
    }
    assert!(
        fixtures().contains(&Path::new(FIXTURES).join(PRESENT)),
        "the present release has no fixture"
    );
    for fixture in fixtures() {
        let name = fixture.display();
        let server = Server::on(SETTINGS, |data| {
            copy(&fixture.join("data"), data);
            // A checkout does not keep the mode of a file, and a secret that others can read is refused.
            let secret = data.join("secret");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&secret, mode).unwrap_or_else(|error| panic!("{}: {error}", secret.display()));
        });
        let known: Value =
            serde_json::from_str(&std::fs::read_to_string(fixture.join("answers.json")).expect("answers.json"))
                .expect("JSON");
        for read in known["reads"].as_array().expect("reads") {
            let path = read["path"].as_str().expect("a path");
            let then: Value = serde_json::from_str(read["body"].as_str().expect("a body")).expect("JSON");
            still_shows(&server.get(path).json(), &then, &format!("{name}: {path}"));
        }
        for request in known["requests"].as_array().expect("requests") {
            let text = |field: &str| request[field].as_str().unwrap_or_default().to_owned();
            let answer = ask(&server, &text("key"), &text("version"), &text("path"), &text("form"));
            assert_eq!(
                (u64::from(answer.status), answer.text.as_str()),
                (request["status"].as_u64().expect("a status"), text("body").as_str()),
                "{name}: {}",
                text("key")
            );
            assert_eq!(
                answer.header("idempotent-replayed"),
                Some("true"),
                "{name}: {}",
                text("key")
            );
        }
        // It goes on from there: a new payment in old data.
        server.pay(1000);
        server.verify();
    }
}
