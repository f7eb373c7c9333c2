//! What the main flows look like on the wire, at the newest version and at 2020-08-27.

use crate::shop::Shop;
use serde_json::Value;
use tollgate_resource::Version;

const OLD: Version = Version(20200827);
const CHARGE_NOW: &str = "amount=2000&currency=usd&payment_method=pm_card_visa&confirm=true";
/// Cards never lead to another page; an intent that says so needs no `return_url`.
const NO_REDIRECTS: &str = "&automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never";

fn json(body: &str) -> Value {
    serde_json::from_str(body).expect("a body is JSON")
}

fn paid(shop: &mut Shop, version: Version) -> Value {
    let redirects = if version == OLD { "" } else { NO_REDIRECTS };
    let (status, body) = shop.send_at(
        version,
        "POST",
        "/v1/payment_intents",
        &format!("{CHARGE_NOW}{redirects}"),
    );
    assert_eq!(status, 200, "{body}");
    json(&body)
}

#[test]
fn a_body_is_printed_as_scripts_expect() {
    let mut shop = Shop::open();
    let (_, body) = shop.send("POST", "/v1/payment_intents", &format!("{CHARGE_NOW}{NO_REDIRECTS}"));
    let mut lines = body.lines();
    assert_eq!(lines.next(), Some("{"));
    assert!(lines.next().is_some_and(|line| line.starts_with("  \"id\": \"pi_")));
    assert_eq!(lines.next(), Some("  \"object\": \"payment_intent\","));
    assert!(body.contains("\n  \"amount\": 2000,\n"));
    assert!(body.ends_with("\n}"), "success bodies end without a newline");
    let members: Vec<_> = json(&body).as_object().expect("an object").keys().cloned().collect();
    assert!(members[2..].is_sorted(), "{members:?}");
}

#[test]
fn the_newest_version_names_the_charge_and_expands_it() {
    let mut shop = Shop::open();
    let intent = paid(&mut shop, Version::NEWEST);
    assert_eq!(intent["status"], "succeeded");
    assert_eq!(intent.get("charges"), None);
    let charge = intent["latest_charge"].as_str().expect("an id").to_owned();
    let path = format!("/v1/payment_intents/{}", intent["id"].as_str().expect("an id"));

    let expand = "expand[]=latest_charge.balance_transaction&expand[]=latest_charge.refunds&expand[]=payment_method";
    let (status, body) = shop.send("GET", &path, expand);
    assert_eq!(status, 200, "{body}");
    let expanded = json(&body);
    let shown = &expanded["latest_charge"];
    assert_eq!((&shown["id"], &shown["object"]), (&charge.into(), &"charge".into()));
    assert_eq!(shown["balance_transaction"]["object"], "balance_transaction");
    assert_eq!(shown["refunds"]["data"], Value::Array(vec![]));
    assert_eq!(expanded["payment_method"]["object"], "payment_method");

    let plain = json(&shop.send("GET", &path, "expand[]=latest_charge").1);
    assert_eq!(plain["latest_charge"].get("refunds"), None, "only by expand");
}

#[test]
fn an_old_version_carries_charges_with_their_refunds() {
    let mut shop = Shop::open();
    let intent = paid(&mut shop, OLD);
    assert_eq!(intent["capture_method"], "automatic");
    assert_eq!(intent["automatic_payment_methods"], Value::Null);
    let charges = &intent["charges"];
    assert_eq!(charges["object"], "list");
    assert_eq!(
        (&charges["has_more"], &charges["total_count"]),
        (&false.into(), &1.into())
    );
    let url = format!("/v1/charges?payment_intent={}", intent["id"].as_str().expect("an id"));
    assert_eq!(charges["url"], url.as_str());
    let charge = &charges["data"][0];
    assert_eq!(charge["object"], "charge");
    assert_eq!(charge["refunds"]["total_count"], 0);

    let id = intent["id"].as_str().expect("an id");
    let (status, body) = shop.send_at(OLD, "POST", "/v1/refunds", &format!("payment_intent={id}&amount=500"));
    assert_eq!(status, 200, "{body}");
    let intent = json(&shop.send_at(OLD, "GET", &format!("/v1/payment_intents/{id}"), "").1);
    let refund = &intent["charges"]["data"][0]["refunds"]["data"][0];
    assert_eq!((&refund["object"], &refund["amount"]), (&"refund".into(), &500.into()));

    let newest = json(&shop.send("GET", &format!("/v1/payment_intents/{id}"), "").1);
    assert_eq!(newest.get("charges"), None, "the same intent, told to a newer client");
}

#[test]
fn included_refunds_say_how_many_they_are_and_where_to_read_them() {
    let mut shop = Shop::open();
    let intent = paid(&mut shop, Version(20260826));
    let charge = intent["latest_charge"].as_str().expect("an id");
    let path = format!("/v1/charges/{charge}");
    let (status, body) = shop.send("POST", &format!("{path}/refunds"), "amount=500");
    assert_eq!(status, 200, "{body}");
    let refunds = json(&shop.send("GET", &path, "expand[]=refunds").1)["refunds"].clone();
    assert_eq!(
        (&refunds["total_count"], &refunds["has_more"], &refunds["url"]),
        (&1.into(), &false.into(), &format!("{path}/refunds").into())
    );
}

#[test]
fn a_decline_embeds_the_intent_in_the_error() {
    let mut shop = Shop::open();
    let form = format!("{CHARGE_NOW}{NO_REDIRECTS}").replace("pm_card_visa", "pm_card_visa_chargeDeclined");
    let (status, body) = shop.send("POST", "/v1/payment_intents", &form);
    assert_eq!(status, 402, "{body}");
    assert!(body.ends_with("}\n"), "error bodies end with a newline");
    let error = json(&body)["error"].clone();
    assert_eq!(
        (&error["type"], &error["code"]),
        (&"card_error".into(), &"card_declined".into())
    );
    assert_eq!(error["doc_url"], "https://stripe.com/docs/error-codes/card-declined");
    assert_eq!(error["message"], "Your card was declined.");
    assert_eq!(error["payment_intent"]["object"], "payment_intent");
    assert_eq!(
        error["payment_intent"]["last_payment_error"]["decline_code"],
        "generic_decline"
    );
    assert!(error["charge"].as_str().is_some_and(|charge| charge.starts_with("ch_")));
    let members: Vec<_> = error.as_object().expect("an object").keys().cloned().collect();
    assert!(members.is_sorted(), "{members:?}");
}

#[test]
fn events_show_the_object_and_what_changed() {
    let mut shop = Shop::open();
    paid(&mut shop, Version::NEWEST);
    let (_, customer) = shop.send("POST", "/v1/customers", "name=A&metadata[a]=1&metadata[b]=2");
    let path = format!("/v1/customers/{}", json(&customer)["id"].as_str().expect("an id"));
    let (status, body) = shop.send("POST", &path, "name=B&metadata[a]=&metadata[c]=3");
    assert_eq!(status, 200, "{body}");

    let list = json(&shop.send("GET", "/v1/events", "limit=100").1);
    assert_eq!((&list["object"], &list["url"]), (&"list".into(), &"/v1/events".into()));
    let events = list["data"].as_array().expect("an array");
    let types: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().expect("a type"))
        .collect();
    assert_eq!(types[0], "customer.updated");
    assert!(
        types.contains(&"payment_intent.succeeded") && types.contains(&"charge.succeeded"),
        "{types:?}"
    );
    let updated = &events[0]["data"];
    assert_eq!(updated["object"]["name"], "B");
    assert_eq!(
        updated["previous_attributes"],
        serde_json::json!({"metadata": {"a": "1", "c": null}, "name": "A"})
    );
    let created = events
        .iter()
        .find(|event| event["type"] == "payment_intent.created")
        .expect("an event");
    assert_eq!(created["data"]["object"]["latest_charge"], Value::Null);
}

#[test]
fn lists_expand_below_data() {
    let mut shop = Shop::open();
    paid(&mut shop, Version::NEWEST);
    let (status, body) = shop.send(
        "GET",
        "/v1/charges",
        "expand[]=data.payment_intent&expand[]=data.balance_transaction",
    );
    assert_eq!(status, 200, "{body}");
    let charge = json(&body)["data"][0].clone();
    assert_eq!(charge["payment_intent"]["object"], "payment_intent");
    assert_eq!(charge["balance_transaction"]["object"], "balance_transaction");
    let (status, body) = shop.send("GET", "/v1/charges", "expand[]=payment_intent");
    assert_eq!(status, 400);
    assert!(
        body.contains("You may want to try expanding 'data.payment_intent' instead."),
        "{body}"
    );
}

#[test]
fn references_that_lead_nowhere_may_be_expanded() {
    let mut shop = Shop::open();
    paid(&mut shop, Version::NEWEST);
    let answered = shop.send(
        "GET",
        "/v1/charges",
        "expand[]=data.transfer&expand[]=data.transfer_data.destination",
    );
    let plain = shop.send("GET", "/v1/charges", "");
    assert_eq!(answered, plain);
    let (status, body) = shop.send("GET", "/v1/payment_intents", "expand[]=data.customer.subscriptions");
    assert_eq!(status, 200, "{body}");
    let (status, body) = shop.send("GET", "/v1/payment_intents", "expand[]=data.transfer");
    assert_eq!(status, 400, "{body}");
}

#[test]
fn a_client_secret_must_be_that_of_the_object_it_is_given_for() {
    let mut shop = Shop::open();
    let paid = paid(&mut shop, Version::NEWEST);
    let path = format!("/v1/payment_intents/{}", paid["id"].as_str().expect("an id"));
    let secret = paid["client_secret"].as_str().expect("a secret").to_owned();
    let (status, body) = shop.send("GET", &path, &format!("client_secret={secret}"));
    assert_eq!(status, 200, "{body}");
    let (status, body) = shop.send("GET", &path, &format!("client_secret={secret}x"));
    assert_eq!(
        (status, &json(&body)["error"]["param"]),
        (400, &Value::from("client_secret"))
    );
}
