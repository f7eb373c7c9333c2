//! Confirmation tokens that a page makes with its publishable key.

use crate::edge::Edge;
use crate::keys::with;
use serde_json::{Value, json};

const PUBLISHABLE: &str = "pk_test_edge0123456789abcdefghijklmn";

#[test]
fn a_page_makes_a_confirmation_token_and_confirms_with_it() {
    const CARD: &str = "payment_method_data[type]=card&payment_method_data[card][number]=4242424242424242&\
        payment_method_data[card][exp_month]=12&payment_method_data[card][exp_year]=2040&\
        payment_method_data[card][cvc]=123&payment_method_data[billing_details][name]=Jenny";
    let edge = Edge::start();
    // As a page's library sends it: its key in the form, and more that is no parameter.
    let made = edge.send(
        "POST",
        "/v1/confirmation_tokens",
        &[("user-agent", "A browser/1")],
        &format!(
            "key={PUBLISHABLE}&{CARD}&return_url=https%3A%2F%2Fshop.example%2Fback&setup_future_usage=off_session&\
             mandate_data[customer_acceptance][type]=online&\
             mandate_data[customer_acceptance][online][infer_from_client]=true&client_context[mode]=setup&guid=NA&\
             set_as_default_payment_method=false&use_stripe_sdk=true"
        ),
    );
    assert_eq!(made.status, 200, "{made:?}");
    let token = made.json();
    let preview = &token["payment_method_preview"];
    assert_eq!(
        (&preview["card"]["last4"], &preview["billing_details"]["name"]),
        (&json!("4242"), &json!("Jenny"))
    );
    assert!(preview["card"].get("fingerprint").is_none(), "{made:?}");
    assert_eq!(token["return_url"], "https://shop.example/back");
    assert_eq!(
        token["mandate_data"],
        json!({"customer_acceptance": {"online": {"ip_address": null, "user_agent": "A browser/1"}, "type": "online"}})
    );
    let intent = edge
        .keyed("POST", "/v1/setup_intents", &[], "payment_method_types[]=card")
        .json();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let confirm = |token: &str| {
        let form = format!(
            "client_secret={}&confirmation_token={token}",
            text(&intent["client_secret"])
        );
        with(
            &edge,
            PUBLISHABLE,
            "POST",
            &format!("/v1/setup_intents/{}/confirm", text(&intent["id"])),
            &form,
        )
    };
    let confirmed = confirm(&text(&token["id"]));
    assert_eq!(confirmed.json()["status"], "succeeded", "{confirmed:?}");
    let path = format!("/v1/setup_intents/{}?expand[]=mandate", text(&intent["id"]));
    let mandate = edge.keyed("GET", &path, &[], "").json()["mandate"].clone();
    assert_eq!(
        mandate["customer_acceptance"]["online"]["user_agent"], "A browser/1",
        "{mandate}"
    );
    // What is stored is not shown to a page by way of a token, and the test helper is for servers.
    for (path, form) in [
        ("/v1/confirmation_tokens", "payment_method=pm_card_visa"),
        ("/v1/test_helpers/confirmation_tokens", "payment_method=pm_card_visa"),
    ] {
        let refused = with(&edge, PUBLISHABLE, "POST", path, form);
        assert!(matches!(refused.status, 400 | 401), "{refused:?}");
    }
    assert_eq!(edge.keyed("POST", "/v1/confirmation_tokens", &[], CARD).status, 200);
}
