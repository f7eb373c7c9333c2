//! What setup intents, their attempts and mandates look like on the wire.

use crate::shop::Shop;
use serde_json::{Value, json};

fn body(text: &str) -> Value {
    serde_json::from_str(text).expect("a body is JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

#[test]
fn a_new_setup_intent_shows_every_member() {
    let mut shop = Shop::open();
    let (status, shown) = shop.send("POST", "/v1/setup_intents", "");
    let mut shown = body(&shown);
    assert_eq!(status, 200, "{shown}");
    let id = text(&shown["id"]).to_owned();
    assert!(id.starts_with("seti_"));
    assert!(text(&shown["client_secret"]).starts_with(&format!("{id}_secret_")));
    assert!(text(&shown["payment_method_configuration_details"]["id"]).starts_with("pmc_"));
    for member in ["id", "client_secret", "created"] {
        shown[member] = Value::Null;
    }
    shown["payment_method_configuration_details"]["id"] = Value::Null;
    let expected = json!({
        "id": null,
        "object": "setup_intent",
        "allowed_payment_method_types": null,
        "application": null,
        "automatic_payment_methods": { "allow_redirects": "always", "enabled": true },
        "cancellation_reason": null,
        "client_secret": null,
        "created": null,
        "customer": null,
        "customer_account": null,
        "description": null,
        "excluded_payment_method_types": null,
        "flow_directions": null,
        "last_setup_error": null,
        "latest_attempt": null,
        "livemode": false,
        "managed_payments": { "enabled": false },
        "mandate": null,
        "metadata": {},
        "next_action": null,
        "on_behalf_of": null,
        "payment_method": null,
        "payment_method_configuration_details": { "id": null, "parent": null },
        "payment_method_options": {
            "card": { "mandate_options": null, "network": null, "request_three_d_secure": "automatic" }
        },
        "payment_method_types": ["card"],
        "single_use_mandate": null,
        "status": "requires_payment_method",
        "usage": "off_session"
    });
    assert_eq!(shown, expected);
}

#[test]
fn what_was_asked_of_a_setup_intent_is_shown() {
    let mut shop = Shop::open();
    let options = "payment_method_options[card]";
    let mandate = format!("{options}[mandate_options]");
    let form = format!(
        "flow_directions[]=inbound&attach_to_self=false&excluded_payment_method_types[]=sepa_debit&usage=on_session\
         &{options}[request_three_d_secure]=any&{options}[network]=visa&{mandate}[amount]=900\
         &{mandate}[amount_type]=maximum&{mandate}[currency]=inr&{mandate}[interval]=sporadic&{mandate}[reference]=a1\
         &{mandate}[start_date]=1800000000&{mandate}[supported_types][]=india"
    );
    let (status, shown) = shop.send("POST", "/v1/setup_intents", &form);
    let shown = body(&shown);
    assert_eq!(status, 200, "{shown}");
    assert_eq!(shown["flow_directions"], json!(["inbound"]));
    assert_eq!(shown["attach_to_self"], json!(false));
    assert_eq!(shown["excluded_payment_method_types"], json!(["sepa_debit"]));
    assert_eq!(shown["usage"], "on_session");
    let expected = json!({
        "mandate_options": {
            "amount": 900,
            "amount_type": "maximum",
            "currency": "inr",
            "description": null,
            "end_date": null,
            "interval": "sporadic",
            "interval_count": null,
            "reference": "a1",
            "start_date": 1_800_000_000,
            "supported_types": ["india"]
        },
        "network": "visa",
        "request_three_d_secure": "any"
    });
    assert_eq!(shown["payment_method_options"]["card"], expected);
}

#[test]
fn an_attempt_and_a_mandate_are_shown_in_place() {
    let mut shop = Shop::open();
    let acceptance = "mandate_data[customer_acceptance]";
    let form = format!(
        "payment_method=pm_card_visa&confirm=true&{acceptance}[type]=offline&{acceptance}[offline]=\
         &payment_method_options[card][request_three_d_secure]=any&expand[]=latest_attempt&expand[]=mandate"
    );
    let (status, shown) = shop.send("POST", "/v1/setup_intents", &form);
    let shown = body(&shown);
    assert_eq!(status, 200, "{shown}");
    let attempt = &shown["latest_attempt"];
    let members: Vec<&String> = attempt.as_object().expect("expanded").keys().collect();
    let expected = [
        "id",
        "object",
        "application",
        "created",
        "customer",
        "customer_account",
        "flow_directions",
        "livemode",
        "on_behalf_of",
        "payment_method",
        "payment_method_details",
        "setup_error",
        "setup_intent",
        "status",
        "usage",
    ];
    assert_eq!(members, expected);
    assert_eq!(attempt["setup_intent"], shown["id"]);
    let details = &attempt["payment_method_details"];
    assert_eq!(
        (&details["type"], &details["card"]["last4"]),
        (&json!("card"), &json!("4242"))
    );
    assert_eq!(details["card"]["checks"]["cvc_check"], "pass");
    assert_eq!(details["card"]["three_d_secure"]["result"], "attempt_acknowledged");
    let mut mandate = shown["mandate"].clone();
    mandate["id"] = Value::Null;
    mandate["customer_acceptance"]["accepted_at"] = Value::Null;
    let expected = json!({
        "id": null,
        "object": "mandate",
        "customer_acceptance": { "accepted_at": null, "offline": {}, "type": "offline" },
        "livemode": false,
        "multi_use": {},
        "payment_method": shown["payment_method"],
        "payment_method_details": { "card": {}, "type": "card" },
        "status": "active",
        "type": "multi_use"
    });
    assert_eq!(mandate, expected);
}

#[test]
fn a_declined_setup_is_told_with_the_setup_inside() {
    let mut shop = Shop::open();
    let (status, shown) = shop.send(
        "POST",
        "/v1/setup_intents",
        "payment_method=pm_card_visa_chargeDeclined&confirm=true",
    );
    let error = &body(&shown)["error"];
    assert_eq!((status, &error["code"]), (402, &json!("card_declined")), "{shown}");
    assert_eq!(error.get("charge"), None);
    assert_eq!(error.get("payment_intent"), None);
    let setup = &error["setup_intent"];
    assert_eq!(
        (&setup["object"], &setup["status"]),
        (&json!("setup_intent"), &json!("requires_payment_method"))
    );
    let last = &setup["last_setup_error"];
    assert_eq!((&last["code"], &last["type"]), (&error["code"], &json!("card_error")));
    assert_eq!(last["payment_method"]["id"], error["payment_method"]["id"]);
}
