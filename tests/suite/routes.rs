//! Every declared route: accounts are apart, wrong ids and methods are refused, and each answers JSON.

use crate::server::{Answer, KEY, Server, tollgate};
use serde_json::Value;
use std::collections::BTreeMap;

const STRANGER: &str = "sk_test_stranger0123456789abcdefghi";

/// An operation of the document that the binary prints.
struct Operation {
    method: String,
    path: String,
    /// What it requires, as a form.
    required: String,
}

fn operations() -> Vec<Operation> {
    let printed = tollgate(&["openapi"]);
    assert!(printed.status.success());
    let document: Value = serde_json::from_slice(&printed.stdout).expect("JSON");
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            found.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                required: required(operation),
            });
        }
    }
    assert!(found.len() >= 50, "only {} operations", found.len());
    found
}

/// A plausible value for each parameter that must be given.
fn required(operation: &Value) -> String {
    let mut pairs = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        if parameter["in"] == "query" && parameter["required"] == true {
            pairs.push(pair(&parameter["name"], &parameter["schema"]));
        }
    }
    let bodies = operation.pointer("/requestBody/content").and_then(Value::as_object);
    for schema in bodies
        .into_iter()
        .flat_map(|bodies| bodies.values())
        .map(|body| &body["schema"])
    {
        for name in schema["required"].as_array().into_iter().flatten() {
            pairs.push(pair(name, &schema["properties"][name.as_str().expect("a name")]));
        }
    }
    pairs.join("&")
}

fn pair(name: &Value, schema: &Value) -> String {
    let name = name.as_str().expect("a name");
    let value = match (name, &schema["type"], &schema["enum"][0]) {
        ("currency", ..) => "usd",
        ("query", ..) => "created%3E1",
        (_, _, Value::String(word)) => word,
        (_, kind, _) if kind == "integer" => "100",
        _ => "x",
    };
    format!("{name}={value}")
}

/// Objects that no request of this suite can make, so that their routes are walked with ids that only look right.
const NOT_MADE: &[&str] = &["bank_account", "file", "file_link", "webhook_recovery"];

/// One of everything that belongs to the server's usual account: ids by what they are ids of.
fn furnish(server: &Server) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    let mut keep = |answer: Answer| -> String {
        harvest(&answer.json(), &mut ids);
        answer.json()["id"].as_str().unwrap_or_default().to_owned()
    };
    let card = "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2040&card[cvc]=123";
    let redirects = "automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never";
    let pay = |method: &str| {
        let form = format!("amount=1000&currency=usd&confirm=true&{redirects}&payment_method={method}");
        server.post("/v1/payment_intents", &form)
    };
    keep(server.get("/v1/account"));
    let customer = keep(server.post("/v1/customers", "name=Jenny"));
    review_what_looks_risky(server);
    keep(server.post("/v1/tokens", card));
    keep(server.post("/v1/sources", "type=card&token=tok_visa"));
    keep(server.post("/v1/test_helpers/confirmation_tokens", "payment_method=pm_card_visa"));
    keep(server.post(&format!("/v1/customers/{customer}/sources"), "source=tok_visa"));
    keep(server.post(
        &format!("/v1/customers/{customer}/tax_ids"),
        "type=eu_vat&value=DE123456789",
    ));
    keep(server.post(
        &format!("/v1/customers/{customer}/balance_transactions"),
        "amount=-500&currency=usd",
    ));
    keep(server.send(
        KEY,
        "POST",
        "/v1/ephemeral_keys",
        &format!("customer={customer}"),
        &[("stripe-version", "2020-08-27")],
    ));
    keep(server.post("/v1/payment_method_domains", "domain_name=shop.example.com"));
    keep(server.post("/v1/apple_pay/domains", "domain_name=pay.example.com"));
    // Of events that never happen.
    keep(server.post(
        "/v1/webhook_endpoints",
        "url=https://93.184.216.34/hooks&enabled_events[]=topup.failed",
    ));
    let method = keep(server.post("/v1/payment_methods", &format!("type=card&{card}")));
    keep(server.post(
        &format!("/v1/payment_methods/{method}/attach"),
        &format!("customer={customer}"),
    ));
    let usage = "usage=off_session&mandate_data[customer_acceptance][type]=offline";
    keep(server.post(
        "/v1/setup_intents",
        &format!("customer={customer}&payment_method={method}&confirm=true&{usage}&{redirects}"),
    ));
    keep(pay("pm_card_createDispute"));
    keep(pay("pm_card_createIssuerFraudRecord"));
    keep(pay("pm_card_riskLevelElevated"));
    let intent = keep(pay("pm_card_visa"));
    keep(server.post("/v1/refunds", &format!("payment_intent={intent}&amount=100")));
    for Operation { method, path, required } in operations() {
        if method == "GET" && !path.contains('{') {
            keep(server.send(KEY, &method, &format!("{path}?limit=100&{required}"), "", &[]));
        }
    }
    ids
}

/// Lets the only account have payments of elevated risk reviewed.
fn review_what_looks_risky(server: &Server) {
    let admin = format!("http://{}", server.admin);
    let listed = tollgate(&["account", "list", "--json", "--admin", &admin]);
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let start = text.find("acct_").expect("the account is listed");
    let id: String = text[start..].chars().take_while(|letter| *letter != '"').collect();
    let rule = "radar.review_elevated_risk=true";
    let changed = tollgate(&[
        "account", "update", &id, "--set", rule, "--mode", "test", "--admin", &admin,
    ]);
    assert!(changed.status.success(), "{}", String::from_utf8_lossy(&changed.stderr));
}

/// Every id in an answer, by the name of its object.
fn harvest(answer: &Value, ids: &mut BTreeMap<String, String>) {
    match answer {
        Value::Object(members) => {
            if let (Some(Value::String(id)), Some(Value::String(object))) = (members.get("id"), members.get("object")) {
                ids.insert(object.clone(), id.clone());
            }
            // References, such as a mandate's, are named after what they lead to.
            for (name, member) in members {
                match member {
                    Value::String(id) if id.starts_with(&format!("{name}_")) && !ids.contains_key(name) => {
                        ids.insert(name.clone(), id.clone());
                    }
                    other => harvest(other, ids),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| harvest(item, ids)),
        _ => {}
    }
}

/// What the variable segment behind `collection` is an id of; `above` is the collection before.
fn object_of(collection: &str, above: Option<&str>) -> String {
    match (collection, above) {
        ("history", _) => "balance_transaction",
        ("balance_transactions", Some("customers")) => "customer_balance_transaction",
        ("cards" | "sources", Some("customers")) => "card",
        ("early_fraud_warnings", _) => "radar.early_fraud_warning",
        ("links", _) => "file_link",
        ("domains", _) => "apple_pay_domain",
        ("event_destinations", _) => "webhook_endpoint",
        ("recoveries", _) => "webhook_recovery",
        (collection, _) => collection.strip_suffix('s').unwrap_or(collection),
    }
    .to_owned()
}

#[test]
fn no_route_shows_or_changes_a_foreign_object() {
    let server = Server::start();
    let ids = furnish(&server);
    let mut walked = 0;
    let mut unknown = Vec::new();
    let theirs = server.send(STRANGER, "POST", "/v1/customers", "", &[]).id();
    let intent = format!("amount=100&currency=usd&customer={theirs}");
    let intent = server
        .send(STRANGER, "POST", "/v1/payment_intents", &intent, &[])
        .json();
    let their_default = intent["payment_method_configuration_details"]["id"].clone();
    for Operation { method, path, required } in operations() {
        if !path.contains('{') {
            if method == "GET" {
                let answer = server.send(STRANGER, &method, &format!("{path}?{required}"), "", &[]);
                let body = answer.json();
                match answer.status {
                    200 if body["data"].is_array() => {
                        // Besides what they made, their account has a default configuration from the beginning.
                        let own = |one: &Value| {
                            one.to_string().contains(&theirs)
                                || one["is_default"] == true && one["id"] == their_default
                                || one["related_object"]["id"] == intent["id"]
                        };
                        let foreign: Vec<&Value> = body["data"]
                            .as_array()
                            .into_iter()
                            .flatten()
                            .filter(|one| !own(one))
                            .collect();
                        assert!(foreign.is_empty(), "{path} lists foreign objects: {foreign:?}");
                    }
                    // A list that needs an object of the account's own to begin with.
                    400 => assert_eq!(body["error"]["code"], "resource_missing", "{path}: {answer:?}"),
                    200 => {}
                    _ => panic!("{path}: {answer:?}"),
                }
            }
            continue;
        }
        let parts: Vec<&str> = path.split('/').collect();
        let mut known = true;
        let filled = parts.iter().enumerate().map(|(at, part)| {
            if !part.starts_with('{') {
                return (*part).to_owned();
            }
            let object = object_of(parts[at - 1], at.checked_sub(3).map(|above| parts[above]));
            known &= ids.contains_key(&object) || NOT_MADE.contains(&&*object);
            ids.get(&object).cloned().unwrap_or_else(|| format!("{object}_nobody"))
        });
        let concrete = filled.collect::<Vec<_>>().join("/");
        if !known {
            unknown.push(path.clone());
            continue;
        }
        let form = match method.as_str() {
            // Something of their own, so that only the object of the path is foreign.
            "POST" if path.ends_with("/attach") => format!("customer={theirs}"),
            "POST" => required,
            _ => String::new(),
        };
        let foreign = server.send(STRANGER, &method, &concrete, &form, &[]);
        let error = &foreign.json()["error"];
        // An account is refused like one that a platform may not act for, whether it exists or not.
        let (status, code, words) = match path.as_str() {
            "/v1/accounts/{account}" => (403, "account_invalid", "The provided key '"),
            path if path.starts_with("/v2/") => (404, "not_found", "No such "),
            _ => (404, "resource_missing", "No such "),
        };
        assert_eq!(
            (foreign.status, error["code"].as_str()),
            (status, Some(code)),
            "{method} {concrete}: {foreign:?}"
        );
        let message = error["message"].as_str().expect("a message");
        assert!(message.starts_with(words), "{foreign:?}");
        walked += 1;
    }
    assert!(
        unknown.is_empty(),
        "the test makes nothing that these routes could show: {unknown:?}; it has {ids:?}"
    );
    assert!(walked >= 40, "only {walked} routes with an id");
    // The owner sees what the stranger did not, unchanged.
    let (charge, customer) = (&ids["charge"], &ids["customer"]);
    assert_eq!(server.get(&format!("/v1/charges/{charge}")).status, 200);
    assert_eq!(server.get(&format!("/v1/customers/{customer}")).json()["name"], "Jenny");
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
    for Operation { method, path, .. } in operations() {
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
