//! What each kind of key may do: publishable keys with client secrets, restricted keys, rolled ones; and settings of the
//! account that opens with them.

use crate::edge::{Answer, Edge, KEY, PAYMENT};
use serde_json::{Value, json};

const PUBLISHABLE: &str = "pk_test_edge0123456789abcdefghijklmn";
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

pub(crate) fn with(edge: &Edge, key: &str, method: &str, path: &str, form: &str) -> Answer {
    edge.send(method, path, &[("authorization", &format!("Bearer {key}"))], form)
}

fn operate(edge: &Edge, path: &str, body: &Value) -> Value {
    let answer = edge.operate("POST", path, JSON, &body.to_string());
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

/// The account of [`KEY`].
pub(crate) fn account(edge: &Edge) -> String {
    assert_eq!(edge.keyed("GET", "/v1/balance", &[], "").status, 200);
    let accounts = edge.operate("GET", "/admin/accounts", &[], "").json();
    accounts["accounts"][0]["account"]
        .as_str()
        .expect("an account")
        .to_owned()
}

fn names(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn a_browser_retrieves_and_confirms_with_the_client_secret_and_sees_little() {
    let edge = Edge::start();
    let made = edge
        .keyed(
            "POST",
            "/v1/payment_intents",
            &[],
            "amount=1000&currency=usd&metadata[order]=7",
        )
        .json();
    let (id, secret) = (
        made["id"].as_str().expect("an id"),
        made["client_secret"].as_str().expect("a secret"),
    );
    let path = format!("/v1/payment_intents/{id}");

    let seen = with(&edge, PUBLISHABLE, "GET", &format!("{path}?client_secret={secret}"), "");
    assert_eq!(
        (seen.status, seen.json()["status"].as_str()),
        (200, Some("requires_payment_method"))
    );
    assert_eq!(names(&seen.json())[..2], ["id", "object"]);
    for hidden in [
        "customer",
        "metadata",
        "latest_charge",
        "transfer_data",
        "application_fee_amount",
    ] {
        assert!(seen.json().get(hidden).is_none(), "{hidden} is shown: {seen:?}");
    }
    for (query, param, says) in [
        ("", "client_secret", "Missing required param: client_secret."),
        (
            "?client_secret=pi_1_secret_2",
            "client_secret",
            "The client_secret provided does not match the client_secret associated with the PaymentIntent.",
        ),
    ] {
        let refused = with(&edge, PUBLISHABLE, "GET", &format!("{path}{query}"), "");
        assert_eq!(
            (refused.status, refused.message()),
            (400, says.to_owned()),
            "{refused:?}"
        );
        assert_eq!(refused.json()["error"]["param"], param);
    }

    // A page's library sends its key in the form, and more that is no parameter.
    let confirmed = edge.send(
        "POST",
        &format!("{path}/confirm"),
        &[],
        &format!("key={PUBLISHABLE}&client_secret={secret}&payment_method=pm_card_visa&guid=NA&time_on_page=12"),
    );
    assert_eq!(
        (confirmed.status, confirmed.json()["status"].as_str()),
        (200, Some("succeeded")),
        "{confirmed:?}"
    );
    assert!(confirmed.json().get("latest_charge").is_none(), "{confirmed:?}");
    assert!(!confirmed.text.contains("order"), "{confirmed:?}");
    assert_eq!(edge.keyed("GET", &path, &[], "").json()["metadata"]["order"], "7");
}

#[test]
fn a_mandate_that_is_agreed_to_in_an_app_names_the_app() {
    let edge = Edge::start();
    let made = edge
        .keyed("POST", "/v1/setup_intents", &[], "payment_method_types[]=card")
        .json();
    let (id, secret) = (
        made["id"].as_str().expect("an id"),
        made["client_secret"].as_str().expect("a secret"),
    );
    let confirmed = edge.send(
        "POST",
        &format!("/v1/setup_intents/{id}/confirm"),
        &[("user-agent", "An app/1")],
        &format!(
            "key={PUBLISHABLE}&client_secret={secret}&payment_method=pm_card_visa&client_context[mode]=setup&\
             mandate_data[customer_acceptance][type]=online&\
             mandate_data[customer_acceptance][online][infer_from_client]=true"
        ),
    );
    assert_eq!(confirmed.json()["status"], "succeeded", "{confirmed:?}");
    let seen = edge.keyed("GET", &format!("/v1/setup_intents/{id}?expand[]=mandate"), &[], "");
    let online = &seen.json()["mandate"]["customer_acceptance"]["online"];
    assert_eq!(online["user_agent"], "An app/1", "{seen:?}");
    // Whoever connects may be a proxy: that is not the payer's address.
    assert!(online["ip_address"].is_null(), "{seen:?}");
}

#[test]
fn the_secret_of_another_account_opens_nothing_here() {
    let edge = Edge::start();
    let made = edge
        .keyed("POST", "/v1/payment_intents", &[], "amount=1000&currency=usd")
        .json();
    let path = format!(
        "/v1/payment_intents/{}?client_secret={}",
        made["id"].as_str().expect("an id"),
        made["client_secret"].as_str().expect("a secret")
    );
    let stranger = with(&edge, "pk_test_stranger0123456789abcdef", "GET", &path, "");
    assert_eq!(
        (stranger.status, stranger.json()["error"]["code"].as_str()),
        (404, Some("resource_missing")),
        "{stranger:?}"
    );
}

#[test]
fn a_browser_may_call_nothing_else() {
    let edge = Edge::start();
    let says = "This API call cannot be made with a publishable API key. Please use a secret API key.";
    for (method, path) in [
        ("GET", "/v1/balance"),
        ("POST", "/v1/payment_intents"),
        ("GET", "/v1/payment_intents"),
        ("POST", "/v1/payment_intents/pi_1/capture"),
        ("GET", "/v1/customers/cus_1"),
        ("POST", "/v1/refunds"),
    ] {
        let refused = with(&edge, PUBLISHABLE, method, path, "");
        assert_eq!(refused.status, 401, "{path}: {refused:?}");
        assert!(refused.message().starts_with(says), "{refused:?}");
        assert_eq!(refused.json()["error"]["code"], "secret_key_required");
    }
    // A secret key is not taken from a form, nor any key where a browser may do nothing.
    for (path, key) in [
        ("/v1/payment_intents/pi_1/confirm", KEY),
        ("/v1/payment_intents", PUBLISHABLE),
    ] {
        let refused = edge.send("POST", path, &[], &format!("key={key}"));
        assert!(
            refused.message().starts_with("You did not provide an API key."),
            "{refused:?}"
        );
    }
    let made = edge
        .keyed("POST", "/v1/payment_intents", &[], "amount=1000&currency=usd")
        .json();
    let form = format!(
        "client_secret={}&off_session=true&payment_method=pm_card_visa",
        made["client_secret"].as_str().expect("a secret")
    );
    let path = format!("/v1/payment_intents/{}/confirm", made["id"].as_str().expect("an id"));
    let refused = with(&edge, PUBLISHABLE, "POST", &path, &form);
    assert_eq!(
        (refused.status, refused.message()),
        (400, "Received unknown parameter: off_session".to_owned())
    );
}

#[test]
fn what_is_confirmed_by_the_server_is_not_confirmed_by_a_browser() {
    let edge = Edge::start();
    let form = "amount=1000&currency=usd&confirmation_method=manual";
    let made = edge.keyed("POST", "/v1/payment_intents", &[], form).json();
    let id = made["id"].as_str().expect("an id");
    let path = format!("/v1/payment_intents/{id}/confirm");
    let form = format!(
        "client_secret={}&payment_method=pm_card_visa",
        made["client_secret"].as_str().expect("a secret")
    );
    let refused = with(&edge, PUBLISHABLE, "POST", &path, &form);
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.message(),
        format!(
            "This PaymentIntent {id} cannot be confirmed using your publishable key because its `confirmation_method` is \
             set to `manual`. Please use your secret key instead, or create a PaymentIntent with `confirmation_method` set \
             to `automatic`."
        )
    );
    let confirmed = edge.keyed("POST", &path, &[], "payment_method=pm_card_visa").json();
    assert_eq!(confirmed["status"], "succeeded");
}

#[test]
fn a_restricted_key_may_do_what_it_was_given_and_is_told_what_it_lacks() {
    let edge = Edge::start();
    let account = account(&edge);
    let made = operate(
        &edge,
        &format!("/admin/accounts/{account}/keys"),
        &json!({ "allow": ["payment_intents:write", "charges:read"] }),
    );
    let key = made["secret"].as_str().expect("a key");
    assert!(key.starts_with("rk_test_"), "{key}");
    let paid = with(&edge, key, "POST", "/v1/payment_intents", PAYMENT);
    assert_eq!(paid.status, 200, "{paid:?}");
    assert_eq!(
        with(&edge, key, "GET", "/v1/payment_intents", "").status,
        200,
        "writing implies reading"
    );
    assert_eq!(with(&edge, key, "GET", "/v1/charges", "").status, 200);
    for (method, path, lacks) in [
        ("POST", "/v1/refunds", "rak_refund_write"),
        ("GET", "/v1/customers/cus_1", "rak_customer_read"),
        ("GET", "/v1/balance", "rak_balance_read"),
    ] {
        let refused = with(&edge, key, method, path, "");
        assert_eq!(refused.status, 403, "{refused:?}");
        let says = format!(
            "does not have the required permissions for this endpoint on account '{account}'. Having the '{lacks}' \
             permission would allow this request to continue."
        );
        assert!(refused.message().ends_with(&says), "{refused:?}");
        assert!(!refused.text.contains(key), "the key is shown");
    }
    // What a key may not read, it may not have shown in place either.
    let id = paid.json()["id"].as_str().expect("an id").to_owned();
    let expanded = |field: &str| {
        with(
            &edge,
            key,
            "GET",
            &format!("/v1/payment_intents/{id}?expand[]={field}"),
            "",
        )
    };
    assert_eq!(expanded("latest_charge").status, 200);
    let refused = expanded("latest_charge.balance_transaction");
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(
        refused.message().contains("'rak_balance_transaction_read'"),
        "{refused:?}"
    );
    let wrong = edge.operate(
        "POST",
        &format!("/admin/accounts/{account}/keys"),
        JSON,
        &json!({ "allow": ["charges:all"] }).to_string(),
    );
    assert!(
        wrong.status == 400 && wrong.text.contains("payment_intents"),
        "{wrong:?}"
    );
}

#[test]
fn a_rolled_key_is_replaced_and_a_revoked_one_says_so() {
    let edge = Edge::start();
    account(&edge);
    let rolled = operate(&edge, "/admin/keys/roll", &json!({ "key": KEY, "overlap_s": 3_600 }));
    let new = rolled["secret"].as_str().expect("a key");
    assert_eq!(
        edge.keyed("GET", "/v1/balance", &[], "").status,
        200,
        "the old one works still"
    );
    assert_eq!(with(&edge, new, "GET", "/v1/balance", "").status, 200);
    let keys = edge.operate("GET", "/admin/keys", &[], "").json();
    let listed = keys["keys"].as_array().expect("keys");
    assert_eq!(listed.iter().filter(|key| key["expires"].is_u64()).count(), 1, "{keys}");
    assert_eq!(
        listed.iter().filter(|key| key["last_used"].is_u64()).count(),
        2,
        "{keys}"
    );
    // A second roll without overlap ends it at once.
    operate(&edge, "/admin/keys/roll", &json!({ "key": KEY, "overlap_s": 0 }));
    let expired = edge.keyed("GET", "/v1/balance", &[], "");
    assert_eq!(
        (expired.status, expired.json()["error"]["code"].as_str()),
        (401, Some("api_key_expired"))
    );
    assert!(
        expired.message().starts_with("Expired API Key provided: sk_test_"),
        "{expired:?}"
    );
}

#[test]
fn settings_of_an_account_change_while_it_is_served() {
    let edge = Edge::start();
    let account = account(&edge);
    let path = format!("/admin/accounts/{account}");
    let shown = edge.operate("GET", &path, &[], "").json();
    assert_eq!(shown["accounts"][0]["settings"]["default_currency"], "usd");
    let changed = operate(
        &edge,
        &path,
        &json!({ "set": { "default_currency": "eur", "radar.review_elevated_risk": true, "api_version": "2020-08-27" } }),
    );
    assert_eq!(changed["accounts"][0]["settings"]["radar.review_elevated_risk"], true);
    let balance = edge.keyed("GET", "/v1/balance", &[], "");
    assert_eq!(balance.header("stripe-version"), Some("2020-08-27"));
    assert_eq!(
        balance.json()["available"][0]["currency"],
        "eur",
        "the shard has the new profile"
    );
    for (body, says) in [
        (json!({ "set": { "colour": "red" } }), "there is no setting colour"),
        (
            json!({ "set": { "country": "Germany" } }),
            "country cannot be 'Germany'",
        ),
        (json!({}), "give what is to change"),
    ] {
        let refused = edge.operate("POST", &path, JSON, &body.to_string());
        assert!(refused.status == 400 && refused.text.contains(says), "{refused:?}");
    }
    assert_eq!(edge.operate("GET", "/admin/accounts/acct_1", &[], "").status, 404);
}

#[test]
fn both_headers_that_name_an_account_must_name_the_keys_own() {
    let edge = Edge::start();
    let own = account(&edge);
    for header in ["stripe-account", "stripe-context"] {
        assert_eq!(
            edge.keyed("GET", "/v1/balance", &[(header, &own)], "").status,
            200,
            "{header}"
        );
        let foreign = edge.keyed("GET", "/v1/balance", &[(header, "acct_1234")], "");
        assert_eq!(
            (foreign.status, foreign.json()["error"]["code"].as_str()),
            (403, Some("account_invalid")),
            "{header}"
        );
        assert_eq!(
            foreign.message(),
            "The provided key 'sk_test_************************klmn' does not have access to account 'acct_1234' (or that \
             account does not exist). Application access may have been revoked."
        );
    }
}

#[test]
fn an_account_may_refuse_card_numbers_but_not_from_a_browser() {
    let edge = Edge::start();
    let account = account(&edge);
    let card = "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034&card[cvc]=123";
    let make = |key: &str, form: &str| with(&edge, key, "POST", "/v1/payment_methods", form);
    assert_eq!(make(KEY, card).status, 200);
    operate(
        &edge,
        &format!("/admin/accounts/{account}"),
        &json!({ "set": { "raw_cards": "refused" } }),
    );
    let refused = make(KEY, card);
    assert_eq!(refused.status, 402, "{refused:?}");
    assert_eq!(refused.json()["error"]["type"], "invalid_request_error");
    assert!(
        refused
            .message()
            .starts_with("Sending credit card numbers directly to the Stripe API is generally unsafe."),
        "{refused:?}"
    );
    assert!(!refused.text.contains("4242"));
    assert_eq!(make(PUBLISHABLE, card).status, 200);
    assert_eq!(make(KEY, "type=card&card[token]=tok_visa").status, 200);
    assert_eq!(edge.keyed("POST", "/v1/payment_intents", &[], PAYMENT).status, 200);
}
