//! Invariant 13: no card number, CVC or key in any log, file, metric or error.

use crate::server::{KEY, Server};
use std::path::Path;

const UNKNOWN: &str = "sk_live_neverissued0123456789abcdef";
/// The number behind `pm_card_visa`, which the server knows.
const NUMBER: &str = "4242424242424242";

#[test]
fn no_secret_is_found_in_logs_files_metrics_or_errors() {
    let mut server = Server::with(&[], &[("TOLLGATE_LOG__LEVEL", "trace")]);
    let key = [("idempotency-key", "a-key")];
    let form = "amount=1000&currency=usd&payment_method=pm_card_visa&confirm=true";
    let card = "payment_method_data[type]=card&payment_method_data[card][number]=4000000000000002&payment_method_data[card][cvc]=737";
    let mut said = Vec::new();
    said.push(server.send(KEY, "POST", "/v1/payment_intents", form, &key).text);
    said.push(server.send(KEY, "POST", "/v1/payment_intents", form, &key).text);
    said.push(server.send(UNKNOWN, "POST", "/v1/payment_intents", form, &key).text);
    said.push(
        server
            .send("pk_test_publishable0123456789abcdef", "GET", "/v1/balance", "", &[])
            .text,
    );
    said.push(
        server
            .post(
                "/v1/payment_intents",
                "amount=1000&currency=usd&payment_method=pm_card_chargeDeclined&confirm=true",
            )
            .text,
    );
    // Raw card data is no parameter yet: the refusal names the parameter, not what it held.
    said.push(
        server
            .post("/v1/payment_intents", &format!("amount=1000&currency=usd&{card}"))
            .text,
    );
    said.push(
        server
            .get(&format!("/v1/charges?key={KEY}&starting_after={NUMBER}"))
            .text,
    );
    let basic = server.send(
        "",
        "GET",
        "/v1/balance",
        "",
        &[(
            "authorization",
            "Basic c2tfdGVzdF9zdWl0ZTAxMjM0NTY3ODlhYmNkZWZnaGlqa2w6",
        )],
    );
    assert_eq!(basic.status, 200, "{basic:?}");
    let metrics = ureq::get(format!("http://{}/metrics", server.admin))
        .call()
        .expect("metrics");
    let metrics = metrics.into_body().read_to_string().expect("text");
    assert!(metrics.contains("tollgate_"), "{metrics}");
    assert_eq!(server.stop(), Some(0));

    let secrets = [
        KEY,
        UNKNOWN,
        "pk_test_publishable0123456789abcdef",
        NUMBER,
        "4000000000000002",
        "sk_test_suite",
    ];
    let mut files = vec![("metrics".to_owned(), metrics.into_bytes())];
    for (at, text) in said.into_iter().enumerate() {
        // What a client sends in a query or as a wrong value may come back to that client alone, never a key.
        let text = if at == 6 { text.replace(NUMBER, "") } else { text };
        files.push((format!("answer {at}"), text.into_bytes()));
    }
    read_all(server.data().parent().expect("the test's directory"), &mut files);
    assert!(
        files
            .iter()
            .any(|(name, bytes)| name.ends_with("/log") && bytes.len() > 200),
        "the log is empty"
    );
    assert!(
        files.iter().any(|(name, _)| name.ends_with(".segment")),
        "the journal was not read"
    );
    for (name, bytes) in &files {
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{name} holds {}…", &secret[..7]);
        }
    }
}

fn read_all(folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_all(&path, files);
        } else {
            let bytes = std::fs::read(&path).expect("a file");
            // Preallocated zeros say nothing and make the search long.
            let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
            files.push((path.display().to_string(), bytes[..used].to_vec()));
        }
    }
}
