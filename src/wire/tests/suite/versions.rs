//! Every answer at every version: what changed shows wherever an object stands.

use crate::shop::{NOW_MS, Shop};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use tollgate_domain::api;
use tollgate_domain::versions::BEHAVIOURS;
use tollgate_resource::{Method, Version};
use tollgate_wire::versions::{self, AnswerChange, CHANGES, Change, KNOWN, Presence};

const NO_REDIRECTS: &str = "automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never";

fn json(body: &str) -> Value {
    serde_json::from_str(body).expect("a body is JSON")
}

fn sent(shop: &mut Shop, version: Version, path: &str, form: &str) -> Value {
    let (status, body) = shop.send_at(version, "POST", path, form);
    assert_eq!(status, 200, "{path} with {form} at {version:?}: {body}");
    json(&body)
}

fn id(object: &Value) -> &str {
    object["id"].as_str().expect("an object has an id")
}

/// A shop that has one of everything that older versions show otherwise.
fn stocked() -> Shop {
    let mut shop = Shop::open();
    let newest = versions::DEFAULT;
    let tax_id = "tax_id_data[0][type]=eu_vat&tax_id_data[0][value]=DE123456789";
    let customer = sent(
        &mut shop,
        newest,
        "/v1/customers",
        &format!("name=A&balance=-500&source=tok_visa&{tax_id}"),
    );
    let customer = id(&customer).to_owned();
    let form = format!("amount=2000&currency=usd&customer={customer}");
    let charge = sent(&mut shop, newest, "/v1/charges", &form);
    sent(
        &mut shop,
        newest,
        "/v1/refunds",
        &format!("charge={}&amount=500", id(&charge)),
    );
    sent(
        &mut shop,
        newest,
        "/v1/charges",
        "amount=2000&currency=usd&source=tok_createDispute",
    );
    sent(
        &mut shop,
        newest,
        "/v1/tokens",
        "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034",
    );
    let file = format!("file={}%3A20%3Apdf%3Aa.pdf&purpose=dispute_evidence", "0".repeat(64));
    sent(&mut shop, newest, "/v1/files", &file);
    let intent = "amount=2000&currency=usd&payment_method=pm_card_threeDSecureRequired&confirm=true";
    sent(
        &mut shop,
        newest,
        "/v1/payment_intents",
        &format!("{intent}&{NO_REDIRECTS}"),
    );
    let held = "amount=2000&currency=usd&payment_method=pm_card_visa&confirm=true&capture_method=manual";
    let held = sent(
        &mut shop,
        newest,
        "/v1/payment_intents",
        &format!("{held}&{NO_REDIRECTS}"),
    );
    sent(
        &mut shop,
        newest,
        &format!("/v1/payment_intents/{}/capture", id(&held)),
        "amount_to_capture=1500",
    );
    sent(&mut shop, newest, "/v1/setup_intents", &format!("customer={customer}"));
    sent(
        &mut shop,
        newest,
        &format!("/v1/customers/{customer}"),
        "balance=-700&metadata[a]=1",
    );
    shop
}

/// The names that an example has on one side only.
fn only_in<'a>(one: &'a Map<String, Value>, other: &'a Map<String, Value>) -> impl Iterator<Item = &'a String> {
    one.keys().filter(|name| !other.contains_key(*name))
}

/// Which members an object of this name has at a version, and which it has not, as far as the changes say.
fn expected(object: &str, version: Version) -> BTreeMap<String, bool> {
    let mut members = BTreeMap::new();
    let example = |change: &AnswerChange| [json(change.example.0), json(change.example.1)];
    let of_object = |change: &&AnswerChange| change.object == object;
    // From the newest down: what a newer change brought, an older one may take away again.
    for change in CHANGES.iter().rev() {
        let applies = version < change.since;
        for window in change.windows.iter().filter(|window| window.object == object) {
            let presence = if applies { window.before } else { window.after };
            if presence != Presence::Expanded {
                members.insert(window.field.to_owned(), presence == Presence::Shown);
            }
        }
        for [newer, older] in change.answers.iter().filter(of_object).map(example) {
            let (Value::Object(newer), Value::Object(older)) = (newer, older) else {
                panic!("an example is an object")
            };
            let (came, went) = (only_in(&older, &newer), only_in(&newer, &older));
            if applies {
                members.extend(went.map(|name| (name.clone(), false)));
                members.extend(came.map(|name| (name.clone(), true)));
            } else {
                came.for_each(|name| {
                    members.entry(name.clone()).or_insert(false);
                });
            }
        }
    }
    members
}

/// What older versions call otherwise.
fn name_then(object: &str) -> &str {
    match object {
        "file_upload" => "file",
        object => object,
    }
}

/// Holds every object of an answer against what the changes say. `previous` is what changed of an object, so that it has
/// some of its members only.
fn held(answer: &Value, version: Version, asked: &str, checked: &mut BTreeMap<String, usize>) {
    match answer {
        Value::Array(items) => items.iter().for_each(|item| held(item, version, asked, checked)),
        Value::Object(members) => {
            if let Some(object) = members.get("object").and_then(Value::as_str)
                && !members.contains_key("deleted")
            {
                for (name, shown) in expected(name_then(object), version) {
                    // A list is counted by its page; what a token stands for and a type may be there for other reasons.
                    let always = ["type", "default_currency"];
                    assert!(
                        members.contains_key(&name) == shown || always.contains(&name.as_str()),
                        "{asked} at {version:?}: {name} of a {object} is {}shown: {answer}",
                        if shown { "not " } else { "" },
                    );
                }
                *checked.entry(name_then(object).to_owned()).or_default() += 1;
            }
            members
                .values()
                .for_each(|member| held(member, version, asked, checked));
        }
        _ => {}
    }
}

/// Every version from which on something changed, and the one before each.
fn boundaries() -> Vec<Version> {
    let since = |version: Version| CHANGES.iter().any(|change| change.since == version);
    let mut found: Vec<Version> = Vec::new();
    for pair in KNOWN.windows(2) {
        if since(pair[1].0) {
            found.extend([pair[0].0, pair[1].0]);
        }
    }
    found.dedup();
    found
}

#[test]
fn every_answer_shows_every_object_at_its_version() {
    let mut shop = stocked();
    let ids: Vec<(&str, String)> = shop
        .objects
        .0
        .iter()
        .map(|object| (object.kind().object, object.id().text(object.kind())))
        .collect();
    let of = |object: &str| ids.iter().find(|(known, _)| *known == object).map(|(_, id)| id.clone());
    let charge = of("charge").expect("a charge");
    let mut asked: Vec<(String, String)> = Vec::new();
    for endpoint in api::ENDPOINTS.iter().filter(|endpoint| endpoint.method == Method::Get) {
        let mut before = "";
        let mut path = Some(String::new());
        for part in endpoint.path.split('/').skip(1) {
            let segment = match part.starts_with('{') {
                true => of(before.trim_end_matches('s')),
                false => Some(part.to_owned()),
            };
            path = path.zip(segment).map(|(path, segment)| format!("{path}/{segment}"));
            before = part;
        }
        let query = match endpoint.path.ends_with("/search") {
            true => "query=created>1",
            false => "",
        };
        asked.extend(path.map(|path| (path, query.to_owned())));
    }
    for (path, query) in [
        (
            "/v1/payment_intents",
            "expand[]=data.latest_charge.balance_transaction&expand[]=data.payment_method",
        ),
        (
            "/v1/refunds",
            "expand[]=data.charge.customer.default_source&expand[]=data.balance_transaction",
        ),
        (
            "/v1/disputes",
            "expand[]=data.charge.source.customer&expand[]=data.payment_intent",
        ),
        ("/v1/balance_transactions", "expand[]=data.source"),
        ("/v1/events", "limit=100"),
    ] {
        asked.push((path.into(), query.into()));
    }
    asked.push((
        format!("/v1/charges/{charge}"),
        "expand[]=customer.sources&expand[]=refunds".into(),
    ));

    let mut checked = BTreeMap::new();
    for version in boundaries() {
        let mut profile = (*shop.account.profile).clone();
        profile.api_version = version;
        shop.account.profile = Arc::new(profile);
        let mut answered = 0;
        for (path, query) in &asked {
            let (status, body) = shop.send_at(version, "GET", path, query);
            if status == 200 && body.starts_with('{') {
                answered += 1;
                held(&json(&body), version, &format!("{path}?{query}"), &mut checked);
            }
        }
        assert!(answered > 40, "only {answered} of {} were answered", asked.len());
    }
    let seen: Vec<&str> = checked.keys().map(String::as_str).collect();
    for change in CHANGES.iter().flat_map(|change| change.answers) {
        let known = name_then(change.object);
        // A review of a canceled payment is told otherwise by value alone.
        assert!(
            seen.contains(&known) || known == "review",
            "no answer shows a {known}: {seen:?}"
        );
    }
}

#[test]
fn refusals_show_what_they_embed_at_the_version_asked_for() {
    let mut shop = Shop::open();
    let declined = "amount=2000&currency=usd&payment_method=pm_card_visa_chargeDeclined&confirm=true";
    let mut checked = BTreeMap::new();
    for version in boundaries() {
        let redirects = if version < Version(20230816) { "" } else { NO_REDIRECTS };
        let (status, body) = shop.send_at(
            version,
            "POST",
            "/v1/payment_intents",
            &format!("{declined}&{redirects}"),
        );
        assert_eq!(status, 402, "{body}");
        assert!(body.ends_with("}\n"), "error bodies end with a newline");
        let error = json(&body)["error"].clone();
        assert_eq!(error["payment_intent"]["object"], "payment_intent");
        held(&error, version, declined, &mut checked);
        let status = if version < Version(20190211) {
            "requires_source"
        } else {
            "requires_payment_method"
        };
        assert_eq!(error["payment_intent"]["status"], status, "at {version:?}");
    }
}

#[test]
fn events_are_written_at_the_version_of_their_account_when_they_happened() {
    let mut shop = Shop::open();
    let at = |shop: &mut Shop, version: u32, ms: u64| {
        let mut profile = (*shop.account.profile).clone();
        profile.set_api_version(Version(version), ms);
        shop.account.profile = Arc::new(profile);
    };
    // Everything that happens in a shop happens at once; the account changes its version afterwards.
    let mut profile = (*shop.account.profile).clone();
    profile.api_version = Version(20190909);
    shop.account.profile = Arc::new(profile);
    let customer = sent(
        &mut shop,
        versions::DEFAULT,
        "/v1/customers",
        "name=A&balance=-500&metadata[a]=1",
    );
    let path = format!("/v1/customers/{}", id(&customer));
    sent(
        &mut shop,
        versions::DEFAULT,
        &path,
        "balance=-700&metadata[a]=2&metadata[b]=3",
    );

    let updated = |shop: &mut Shop, version: Version| {
        let list = json(&shop.send_at(version, "GET", "/v1/events", "type=customer.updated").1);
        let event = list["data"][0].clone();
        let (_, alone) = shop.send_at(version, "GET", &format!("/v1/events/{}", id(&event)), "");
        assert_eq!(json(&alone), event, "the same alone and in a list");
        event
    };
    for version in [versions::DEFAULT, Version(20190909), Version(20140131)] {
        let event = updated(&mut shop, version);
        assert_eq!(event["api_version"], "2019-09-09", "whoever asks, and however");
        assert_eq!(event["data"]["object"]["account_balance"], -700);
        assert_eq!(event["data"]["object"].get("balance"), None);
        let previous = serde_json::json!({"account_balance": -500, "metadata": {"a": "1", "b": null}});
        assert_eq!(event["data"]["previous_attributes"], previous);
    }
    at(&mut shop, 20261028, NOW_MS + 1);
    assert_eq!(
        updated(&mut shop, versions::DEFAULT)["api_version"],
        "2019-09-09",
        "an event stays what it was"
    );
    at(&mut shop, 20200827, NOW_MS + 2);
    assert_eq!(updated(&mut shop, versions::DEFAULT)["api_version"], "2019-09-09");
}

#[test]
fn before_2015_an_event_shows_the_whole_of_a_hash_that_changed() {
    let mut shop = Shop::open();
    let mut profile = (*shop.account.profile).clone();
    profile.api_version = Version(20150111);
    shop.account.profile = Arc::new(profile);
    let customer = sent(
        &mut shop,
        versions::DEFAULT,
        "/v1/customers",
        "metadata[a]=1&metadata[b]=2",
    );
    sent(
        &mut shop,
        versions::DEFAULT,
        &format!("/v1/customers/{}", id(&customer)),
        "metadata[a]=3",
    );
    let list = json(&shop.send("GET", "/v1/events", "type=customer.updated").1);
    let previous = &list["data"][0]["data"]["previous_attributes"];
    assert_eq!(*previous, serde_json::json!({"metadata": {"a": "1", "b": "2"}}));
}

#[test]
fn what_older_integrations_send_is_understood() {
    let mut shop = Shop::open();
    let charge = sent(
        &mut shop,
        Version(20141208),
        "/v1/charges",
        "amount=500&currency=usd&card=tok_visa&statement_description=SHOES",
    );
    assert_eq!(
        (&charge["status"], &charge["statement_description"]),
        (&"paid".into(), &"SHOES".into())
    );
    assert_eq!(charge["card"]["brand"], "Visa");
    assert_eq!(charge["card"], charge["source"]);

    let customer = sent(
        &mut shop,
        Version(20140131),
        "/v1/customers",
        "card=tok_visa&business_vat_id=DE123456789",
    );
    assert_eq!(customer["business_vat_id"], "DE123456789");
    assert_eq!(customer["cards"]["data"][0]["type"], "Visa");
    assert_eq!(customer["cards"]["count"], 1);
    assert_eq!(customer["default_card"], customer["default_source"]);
    let now = json(
        &shop
            .send("GET", &format!("/v1/customers/{}", id(&customer)), "expand[]=tax_ids")
            .1,
    );
    assert_eq!(now["tax_ids"]["data"][0]["value"], "DE123456789");
    let between = json(
        &shop
            .send_at(
                Version(20190516),
                "GET",
                &format!("/v1/customers/{}", id(&customer)),
                "",
            )
            .1,
    );
    assert_eq!(
        between["tax_info"],
        serde_json::json!({"tax_id": "DE123456789", "type": "vat"})
    );

    let path = format!("/v1/customers/{}", id(&customer));
    let changed = sent(&mut shop, Version(20180727), &path, "business_vat_id=FR12345678901");
    assert_eq!(changed["business_vat_id"], "FR12345678901");
    let same = sent(
        &mut shop,
        Version(20190516),
        &path,
        "tax_info[tax_id]=FR12345678901&tax_info[type]=vat",
    );
    assert_eq!(same["tax_info"]["tax_id"], "FR12345678901");
    let gone = sent(&mut shop, Version(20190516), &path, "tax_info=");
    assert!(gone["tax_info"].is_null(), "{gone}");
    let (status, text) = shop.send("POST", &path, "tax_info[tax_id]=FR12345678901");
    assert_eq!(status, 400, "{text:?}");

    let disputed = sent(
        &mut shop,
        versions::DEFAULT,
        "/v1/charges",
        "amount=500&currency=usd&source=tok_createDispute",
    );
    let disputes = json(&shop.send("GET", "/v1/disputes", "").1);
    let path = format!("/v1/disputes/{}", id(&disputes["data"][0]));
    assert_eq!(disputes["data"][0]["charge"], disputed["id"]);
    let dispute = sent(&mut shop, Version(20141120), &path, "evidence=losing_evidence");
    assert_eq!(dispute["evidence"], "losing_evidence");
    assert!(dispute["evidence_due_by"].is_i64());
}

#[test]
fn before_2017_a_charge_shows_its_dispute() {
    let mut shop = Shop::open();
    sent(
        &mut shop,
        versions::DEFAULT,
        "/v1/charges",
        "amount=500&currency=usd&source=tok_createDispute",
    );
    let mut dispute = |version| {
        let charges = json(&shop.send_at(Version(version), "GET", "/v1/charges", "").1);
        charges["data"][0]["dispute"].clone()
    };
    let shown = dispute(20170127);
    assert_eq!(shown["object"], "dispute");
    assert_eq!(dispute(20170214), shown["id"], "its id since");
}

#[test]
fn what_the_domain_decides_follows_the_version() {
    let mut shop = Shop::open();
    for (version, status) in [(20180521, 200), (20180727, 400)] {
        let (answered, body) = shop.send_at(Version(version), "POST", "/v1/customers", "email=nobody");
        assert_eq!(answered, status, "{body}");
    }
    let zero = "amount=0&currency=usd&payment_method_types[]=card";
    for (version, words) in [(20220801, "greater than or equal to 1."), (20221115, "Setup Intent")] {
        let (_, body) = shop.send_at(Version(version), "POST", "/v1/payment_intents", zero);
        assert!(body.contains(words), "{body}");
    }

    let endive = Version(20260930);
    let intent = sent(&mut shop, endive, "/v1/payment_intents", "amount=500&currency=usd");
    let setup = sent(&mut shop, endive, "/v1/setup_intents", "");
    let (intent, setup) = (id(&intent).to_owned(), id(&setup).to_owned());
    let asked = [
        ("/v1/payment_intents".to_owned(), "amount=500&currency=usd&"),
        (format!("/v1/payment_intents/{intent}"), ""),
        (format!("/v1/payment_intents/{intent}/confirm"), ""),
        ("/v1/setup_intents".to_owned(), ""),
        (format!("/v1/setup_intents/{setup}"), ""),
    ];
    let refused = |shop: &mut Shop, version, path: &str, form: &str| {
        let (_, body) = shop.send_at(version, "POST", path, &format!("{form}payment_method_types[]=card"));
        json(&body)["error"]["code"] == "payment_method_types_no_longer_supported"
    };
    for (path, form) in &asked {
        assert!(
            !refused(&mut shop, endive, path, form),
            "{path}: taken unless the account says otherwise"
        );
    }
    let mut profile = (*shop.account.profile).clone();
    profile.settings.get_or_insert_default().refuses_retired = true;
    shop.account.profile = Arc::new(profile);
    for (path, form) in &asked {
        assert!(refused(&mut shop, endive, path, form), "{path}");
        assert!(
            !refused(&mut shop, Version(20260826), path, form),
            "{path}: dahlia takes it"
        );
    }
    // With each behaviour that is added, a case is added here.
    assert_eq!(BEHAVIOURS.len(), 3);
}

/// A change says what it is about, and stands in the order of its version.
#[test]
fn changes_stand_in_order() {
    let since: Vec<Version> = CHANGES.iter().map(|change: &&Change| change.since).collect();
    assert!(since.is_sorted());
}
