//! The page on which the holder of a test card proves who they are.

use crate::edge::{Answer, Edge};

const PARKED: &str = "amount=1000&currency=usd&payment_method=pm_card_threeDSecure2Required&confirm=true";

/// The path of the page that a parked intent leads to.
fn path_of(answer: &Answer) -> String {
    let shown = answer.json();
    let action = &shown["next_action"];
    let url = action["redirect_to_url"]["url"].as_str();
    let url = url
        .or(action["use_stripe_sdk"]["stripe_js"].as_str())
        .expect("an address");
    url.strip_prefix("https://tollgate.test")
        .expect("on this server")
        .to_owned()
}

fn status(edge: &Edge, intent: &str) -> String {
    let answer = edge.keyed("GET", &format!("/v1/payment_intents/{intent}"), &[], "");
    answer.json()["status"].as_str().expect("a status").to_owned()
}

#[test]
fn a_browser_completes_the_action_and_returns() {
    let edge = Edge::start();
    let body = format!("{PARKED}&return_url=https%3A%2F%2Fshop.example%2Fback%3Forder%3D7");
    let parked = edge.keyed("POST", "/v1/payment_intents", &[], &body);
    let shown = parked.json();
    assert_eq!(shown["status"], "requires_action");
    assert_eq!(shown["next_action"]["type"], "redirect_to_url");
    assert_eq!(
        shown["next_action"]["redirect_to_url"]["return_url"],
        "https://shop.example/back?order=7"
    );
    assert!(shown["next_action"].get("use_stripe_sdk").is_none());
    assert!(shown["latest_charge"].is_null() && shown["payment_method"].is_string());

    let path = path_of(&parked);
    let page = edge.send("GET", &path, &[], "");
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert!(
        page.text.contains(&format!("<form method=\"post\" action=\"{path}\">")),
        "{}",
        page.text
    );

    let answer = edge.send("POST", &path, &[], "outcome=complete");
    let intent = shown["id"].as_str().expect("an id");
    let secret = shown["client_secret"].as_str().expect("a secret");
    let expected = format!(
        "https://shop.example/back?order=7&payment_intent={intent}&payment_intent_client_secret={secret}\
         &redirect_status=succeeded"
    );
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some(expected.as_str()))
    );
    assert_eq!(status(&edge, intent), "succeeded");
    assert_eq!(edge.send("POST", &path, &[], "outcome=complete").status, 410, "once");
    assert_eq!(edge.send("GET", &path, &[], "").status, 410);
}

#[test]
fn the_holder_fails_or_the_bank_refuses() {
    let edge = Edge::start();
    for (card, outcome) in [
        ("threeDSecure2Required", "fail"),
        ("threeDSecureRequiredChargeDeclined", "complete"),
    ] {
        let body = format!(
            "amount=1000&currency=usd&payment_method=pm_card_{card}&confirm=true&return_url=https%3A%2F%2Fshop.example"
        );
        let parked = edge.keyed("POST", "/v1/payment_intents", &[], &body);
        let answer = edge.send("POST", &path_of(&parked), &[], &format!("outcome={outcome}"));
        let location = answer.header("location").expect("somewhere to go");
        assert!(location.ends_with("&redirect_status=failed"), "{location}");
        let intent = parked.json()["id"].as_str().expect("an id").to_owned();
        assert_eq!(status(&edge, &intent), "requires_payment_method");
        let shown = edge
            .keyed("GET", &format!("/v1/payment_intents/{intent}"), &[], "")
            .json();
        let code = if outcome == "fail" {
            "payment_intent_authentication_failure"
        } else {
            "card_declined"
        };
        assert_eq!(shown["last_payment_error"]["code"], code);
        assert_eq!(shown["payment_method"], serde_json::Value::Null);
    }
}

#[test]
fn an_sdk_gets_the_same_page_without_an_address_to_return_to() {
    let edge = Edge::start();
    let parked = edge.keyed("POST", "/v1/payment_intents", &[], PARKED);
    let shown = parked.json();
    assert_eq!(shown["next_action"]["type"], "use_stripe_sdk");
    let path = path_of(&parked);
    assert_eq!(edge.send("POST", &path, &[], "outcome=perhaps").status, 400);
    let answer = edge.send("POST", &path, &[], "outcome=complete");
    assert_eq!((answer.status, answer.header("location")), (200, None));
    assert_eq!(status(&edge, shown["id"].as_str().expect("an id")), "succeeded");
}

#[test]
fn no_other_address_leads_to_an_action() {
    let edge = Edge::start();
    let path = path_of(&edge.keyed("POST", "/v1/payment_intents", &[], PARKED));
    let mut other = path.clone();
    let last = other.pop().expect("a digit");
    other.push(if last == '0' { '1' } else { '0' });
    for path in [other.as_str(), "/test/3ds/", "/test/3ds/x.y.z", &format!("{path}/more")] {
        let answer = edge.send("POST", path, &[], "outcome=complete");
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (404, Some("application/json")),
            "{path}"
        );
    }
}
