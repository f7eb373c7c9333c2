//! Receipts of charges: pages for whoever has their address.

use crate::edge::{Answer, Edge};
use serde_json::Value;

/// A charge that was made with this form.
fn charge(edge: &Edge, form: &str) -> Value {
    let made = edge.keyed("POST", "/v1/charges", &[], form);
    assert_eq!(made.status, 200, "{made:?}");
    made.json()
}

/// The path of a charge's receipt.
fn path_of(charge: &Value) -> String {
    let url = charge["receipt_url"].as_str().expect("an address");
    url.strip_prefix("https://tollgate.test")
        .expect("on this server")
        .to_owned()
}

fn visit(edge: &Edge, charge: &Value) -> Answer {
    edge.send("GET", &path_of(charge), &[], "")
}

const PAID: &str = "amount=123450&currency=usd&source=tok_visa&description=%3Cb%3ETom+%26+Jerry%3C%2Fb%3E";

#[test]
fn a_receipt_says_what_was_paid_and_needs_no_key() {
    let edge = Edge::start();
    let made = charge(&edge, PAID);
    let page = visit(&edge, &made);
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    let policy = page.header("content-security-policy").expect("a policy");
    for part in ["default-src 'none'", "form-action 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("cache-control"), Some("no-cache, no-store"));
    let id = made["id"].as_str().expect("an id");
    for part in [
        "$1,234.50 USD",
        "Visa ending in 4242",
        "&lt;b&gt;Tom &amp; Jerry&lt;/b&gt;",
        "Test mode",
        id,
    ] {
        assert!(page.text.contains(part), "no {part} in {}", page.text);
    }
    for part in ["<script", "<b>", "4242424242424242", "Refund"] {
        assert!(!page.text.contains(part), "{part} in {}", page.text);
    }
}

#[test]
fn refunds_are_on_it_but_for_those_that_came_back() {
    let edge = Edge::start();
    let made = charge(&edge, "amount=700&currency=jpy&source=tok_visa");
    for amount in [200, 100] {
        let form = format!("charge={}&amount={amount}", made["id"].as_str().expect("an id"));
        assert_eq!(edge.keyed("POST", "/v1/refunds", &[], &form).status, 200);
    }
    let page = visit(&edge, &made).text;
    assert_eq!(page.matches("Refund of ").count(), 2, "{page}");
    for part in ["¥700 JPY", "¥200 JPY", "¥100 JPY", "Refunded in all</th><td>¥300 JPY"] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    let after = edge.keyed(
        "GET",
        &format!("/v1/charges/{}", made["id"].as_str().expect("an id")),
        &[],
        "",
    );
    assert_eq!(after.json()["receipt_url"], made["receipt_url"]);
}

#[test]
fn a_hold_was_not_paid_yet() {
    let edge = Edge::start();
    let held = charge(&edge, "amount=5000&currency=sek&source=tok_mastercard&capture=false");
    let page = visit(&edge, &held).text;
    assert!(page.contains("Authorized</th><td>50.00 SEK"), "{page}");
    assert!(!page.contains("Amount paid"), "{page}");
    let id = held["id"].as_str().expect("an id");
    let captured = edge.keyed("POST", &format!("/v1/charges/{id}/capture"), &[], "amount=3000");
    assert_eq!(captured.json()["receipt_url"], held["receipt_url"]);
    let page = visit(&edge, &held).text;
    assert!(page.contains("Amount paid</th><td>30.00 SEK"), "{page}");
}

#[test]
fn a_released_hold_was_never_paid() {
    let edge = Edge::start();
    let form =
        "amount=900&currency=usd&payment_method=pm_card_visa&confirm=true&capture_method=manual&expand[]=latest_charge";
    let held = edge.keyed("POST", "/v1/payment_intents", &[], form).json();
    let cancel = format!("/v1/payment_intents/{}/cancel", held["id"].as_str().expect("an id"));
    assert_eq!(edge.keyed("POST", &cancel, &[], "").status, 200);
    let page = visit(&edge, &held["latest_charge"]).text;
    assert!(page.contains("Authorized and not charged</th><td>$9.00 USD"), "{page}");
    assert!(!page.contains("Refund") && !page.contains("Amount paid"), "{page}");
}

#[test]
fn what_was_not_paid_has_no_receipt() {
    let edge = Edge::start();
    let declined = edge.keyed(
        "POST",
        "/v1/charges",
        &[],
        "amount=900&currency=usd&source=tok_chargeDeclined",
    );
    assert_eq!(declined.status, 402);
    let page = edge.keyed("GET", "/v1/charges", &[], "").json();
    let failed = &page["data"][0];
    assert_eq!(failed["status"], "failed");
    assert!(failed["receipt_url"].is_null() && failed["receipt_number"].is_null());
}

#[test]
fn other_addresses_lead_nowhere() {
    let edge = Edge::start();
    let (one, other) = (charge(&edge, PAID), charge(&edge, PAID));
    let (one, other) = (path_of(&one), path_of(&other));
    assert_ne!(one, other);
    let (head, _) = one.rsplit_once('.').expect("it has parts");
    let (_, seal) = other.rsplit_once('.').expect("it has parts");
    for wrong in [
        format!("{head}.{seal}"),
        head.to_owned(),
        "/receipts/".to_owned(),
        format!("{one}.x"),
    ] {
        let answer = edge.send("GET", &wrong, &[], "");
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (404, Some("text/html; charset=utf-8")),
            "{wrong}"
        );
    }
    assert_eq!(edge.send("POST", &one, &[], "").status, 404);
    assert_eq!(edge.send("HEAD", &one, &[], "").status, 200);
}
