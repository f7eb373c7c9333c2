//! Every declared route: accounts are apart, wrong ids and methods are refused, and each answers JSON.

use crate::server::{Server, tollgate};
use serde_json::Value;

const STRANGER: &str = "sk_test_stranger0123456789abcdefghi";

/// (method, path) of every operation, from the document the binary prints.
fn operations() -> Vec<(String, String)> {
    let printed = tollgate(&["openapi"]);
    assert!(printed.status.success());
    let document: Value = serde_json::from_slice(&printed.stdout).expect("JSON");
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods
            .as_object()
            .expect("methods")
            .keys()
            .filter(|key| *key != "parameters")
        {
            found.push((method.to_uppercase(), path.clone()));
        }
    }
    assert!(found.len() >= 19, "{found:?}");
    found
}

#[test]
fn no_route_shows_or_changes_a_foreign_object() {
    let server = Server::start();
    let intent = server.pay(1000);
    let charge = intent["latest_charge"].as_str().expect("a charge").to_owned();
    let refund = server.post("/v1/refunds", &format!("charge={charge}&amount=100")).id();
    let customer = server.post("/v1/customers", "name=Jenny").id();
    let transaction = server.get("/v1/balance_transactions").json()["data"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let event = server.get("/v1/events").json()["data"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let intent = intent["id"].as_str().expect("an id").to_owned();
    let ids = [
        ("payment_intents", &intent),
        ("charges", &charge),
        ("refunds", &refund),
        ("customers", &customer),
        ("balance_transactions", &transaction),
        ("balance", &transaction),
        ("events", &event),
    ];
    let mut walked = 0;
    for (method, path) in operations() {
        let Some(open) = path.find('{') else {
            if method != "GET" {
                continue;
            }
            let answer = server.send(STRANGER, &method, &path, "", &[]);
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            if answer.json()["object"] == "list" {
                assert_eq!(
                    answer.json()["data"],
                    Value::Array(Vec::new()),
                    "{path} lists foreign objects"
                );
            }
            continue;
        };
        let resource = path[..open].trim_matches('/').split('/').nth(1).expect("a resource");
        let (_, id) = ids
            .iter()
            .find(|(name, _)| *name == resource)
            .unwrap_or_else(|| panic!("the test knows no id for {path}"));
        let concrete = format!("{}{id}{}", &path[..open], &path[path.find('}').expect("a brace") + 1..]);
        let before = (method == "GET").then(|| server.get(&concrete));
        assert!(before.is_none_or(|own| own.status == 200), "{method} {concrete}");
        let foreign = server.send(STRANGER, &method, &concrete, "", &[]);
        assert_eq!(
            (foreign.status, foreign.json()["error"]["code"].as_str()),
            (404, Some("resource_missing")),
            "{method} {concrete}: {foreign:?}"
        );
        assert!(
            foreign.json()["error"]["message"]
                .as_str()
                .expect("a message")
                .starts_with("No such "),
            "{foreign:?}"
        );
        walked += 1;
    }
    assert!(walked >= 11, "only {walked} routes with an id");
    let refund = server.send(STRANGER, "POST", "/v1/refunds", &format!("charge={charge}"), &[]);
    assert_eq!(refund.status, 404, "{refund:?}");
    let pay = server.send(
        STRANGER,
        "POST",
        "/v1/payment_intents",
        &format!("amount=100&currency=usd&customer={customer}"),
        &[],
    );
    assert_eq!(
        (pay.status, pay.json()["error"]["param"].as_str()),
        (400, Some("customer")),
        "{pay:?}"
    );
    server.verify();
}

#[test]
fn unknown_routes_methods_and_ids_are_json_errors() {
    let server = Server::start();
    for (method, path, status, said) in [
        ("GET", "/v1/nope", 404, "Unrecognized request URL (GET: /v1/nope)"),
        ("GET", "/v1/payment_intents/", 404, "Unrecognized request URL"),
        ("DELETE", "/v1/payment_intents", 404, "Unrecognized request URL"),
        ("PUT", "/v1/customers", 404, "Unrecognized request URL"),
        (
            "GET",
            "/v1/payment_intents/pi_nobody",
            404,
            "No such payment_intent: 'pi_nobody'",
        ),
        ("GET", "/v1/charges/%F0%9F%92%B3", 404, "No such charge: "),
        ("GET", "/", 404, "Unrecognized request URL"),
    ] {
        let answer = server.send(crate::server::KEY, method, path, "", &[]);
        let message = answer.json()["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(
            answer.status == status && message.starts_with(said),
            "{method} {path}: {answer:?}"
        );
    }
}

#[test]
fn a_key_is_needed_everywhere() {
    let server = Server::start();
    for (method, path) in operations() {
        let answer = server.send("", &method, &path.replace(['{', '}'], ""), "", &[]);
        assert_eq!(answer.status, 401, "{method} {path}");
        assert!(
            answer.json()["error"]["message"]
                .as_str()
                .expect("a message")
                .starts_with("You did not provide an API key.")
        );
        let wrong = server.send(
            "sk_live_wrong0123456789abcdefghijk",
            &method,
            &path.replace(['{', '}'], ""),
            "",
            &[],
        );
        assert_eq!(wrong.status, 401);
        assert!(!wrong.text.contains("wrong0123456789abcdefghijk"), "the key is printed");
    }
}
