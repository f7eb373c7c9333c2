//! What is refused, as a table: a request to the real operations, and status, code, param and message of the answer.

use crate::shop::Shop;
use serde_json::Value;
use tollgate_domain::kinds::REQUEST;
use tollgate_domain::{Reject, SHAPE_REVISION};
use tollgate_resource::{Expand, Id, Version};

/// `PAY` stands for a complete form; a message that ends in `…` is told by its start.
fn check(version: Version, cases: &str) {
    let mut shop = Shop::open();
    for case in cases.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (request, expected) = case.split_once(" => ").expect("request => answer");
        let (method, rest) = request.split_once(' ').expect("method path form");
        let (path, form) = rest.split_once(' ').unwrap_or((rest, ""));
        let (status, body) = shop.send_at(
            version,
            method,
            path,
            &form.replace("PAY", "amount=2000&currency=usd&confirm=true"),
        );
        let error = serde_json::from_str::<Value>(&body).expect("a body is JSON")["error"].clone();
        let text = |name: &str| error[name].as_str().unwrap_or("-").to_owned();
        let answer = format!("{status} {} {} {}", text("code"), text("param"), text("message"));
        match expected.strip_suffix('…') {
            Some(start) => assert!(answer.starts_with(start), "{request}\n{answer}"),
            None => assert_eq!(answer, expected, "{request}"),
        }
        assert_eq!(text("type"), "invalid_request_error", "{request}");
        let documented = error["code"].is_string() && text("code") != "property_expansion_max_depth";
        assert_eq!(error["doc_url"].is_string(), documented, "{request}");
    }
}

#[test]
fn wrong_requests_are_told_what_is_wrong() {
    check(
        Version::NEWEST,
        "
        POST /v1/payment_intents => 400 parameter_missing amount Missing required param: amount.
        POST /v1/payment_intents amount=2000 => 400 parameter_missing currency Missing required param: currency.
        POST /v1/payment_intents amount=abc&currency=usd => 400 parameter_invalid_integer amount Invalid integer: abc
        POST /v1/payment_intents amount=0&currency=usd => 400 parameter_invalid_integer amount The amount must be greater than or equal to the minimum charge amount…
        POST /v1/payment_intents amount=49&currency=usd => 400 amount_too_small amount Amount must be at least $0.50 usd
        POST /v1/payment_intents amount=100000000&currency=usd => 400 amount_too_large amount Amount must be no more than $999,999.99
        POST /v1/payment_intents amount=2000&currency=zzz => 400 - currency Invalid currency: zzz. Stripe currently supports these currencies: usd, aed, afn…
        POST /v1/payment_intents PAY&capture_method=later => 400 - capture_method Invalid capture_method: must be one of automatic, automatic_async, or manual
        POST /v1/payment_intents PAY&customer=cus_nope => 400 resource_missing customer No such customer: 'cus_nope'
        POST /v1/payment_intents PAY&payment_method=pm_nope => 400 resource_missing payment_method No such PaymentMethod: 'pm_nope'
        POST /v1/payment_intents PAY&description= => 400 parameter_invalid_empty description You passed an empty string for 'description'…
        POST /v1/payment_intents PAY&shipping[name]=A => 400 parameter_missing shipping[address] Missing required param: shipping[address].
        POST /v1/payment_intents PAY&sum=5&tip=1 => 400 parameter_unknown sum Received unknown parameters: sum, tip
        POST /v1/payment_intents PAY&expand[]=nope => 400 - - This property cannot be expanded because it doesn't exist: nope.
        POST /v1/payment_intents PAY&expand[]=amount => 400 - - This property cannot be expanded (amount).
        POST /v1/payment_intents PAY&expand[]=latest_charge.balance_transaction.source.customer.x => 400 property_expansion_max_depth - You cannot expand more than 4 levels of a property. Property: latest_charge.balance_transaction.source.customer.x
        POST /v1/payment_intents PAY&automatic_payment_methods[enabled]=yes => 400 - automatic_payment_methods[enabled] Invalid boolean: yes
        GET /v1/payment_intents/pi_nope => 404 resource_missing intent No such payment_intent: 'pi_nope'
        GET /v1/charges/ch_nope => 404 resource_missing id No such charge: 'ch_nope'
        GET /v1/webhook_endpoints/we_nope => 404 resource_missing webhook_endpoint No such webhook endpoint: 'we_nope'
        GET /v1/webhook_endpoints/we_nope/attempts => 404 resource_missing webhook_endpoint No such webhook endpoint: 'we_nope'
        GET /v1/webhook_endpoints/ed_nope/attempts => 404 resource_missing webhook_endpoint No such event destination: 'ed_nope'
        GET /v2/core/event_destinations/ed_nope => 404 resource_missing id No such event destination: 'ed_nope'
        POST /v2/core/event_destinations/we_nope/ping => 404 resource_missing id No such event destination: 'we_nope'
        GET /v1/balance_transactions/txn_nope => 404 resource_missing id No such balance transaction: 'txn_nope'
        GET /v1/charges limit=x => 400 parameter_invalid_integer limit Invalid integer: x
        GET /v1/charges starting_after=ch_nope&ending_before=ch_nope => 400 resource_missing ending_before No such charge: 'ch_nope'
        GET /v1/charges expand[]=total_count => 400 - - This property cannot be included (total_count)
        GET /v1/charges created[since]=1 => 400 parameter_unknown created[since] Received unknown parameter: created[since]
        GET /v1/charges/ => 404 - - Unrecognized request URL (GET: /v1/charges/). If you are trying to list objects, remove the trailing slash…
        PUT /v1/charges => 404 - - Unrecognized request URL (PUT: /v1/charges).…
        ",
    );
}

#[test]
fn an_old_client_reads_the_words_it_knows() {
    check(
        Version(20200827),
        "
        POST /v1/payment_intents amount=0&currency=usd => 400 parameter_invalid_integer amount This value must be greater than or equal to 1.
        ",
    );
}

#[test]
fn a_refusal_that_was_stored_before_is_replayed_without_the_address_of_its_request() {
    let shop = Shop::open();
    let mut rendering = shop.rendering(Version::NEWEST, Expand::NONE);
    let request = Id::new(&REQUEST, 1_794_830_401_000, 3, 7);
    let mut url_at = |revision| {
        rendering.show.revision = revision;
        let mut body = Vec::new();
        rendering.reject(&Reject::invalid(None, "No."), Some(request), &mut body);
        let answer: Value = serde_json::from_slice(&body).expect("a body is JSON");
        answer["error"].get("request_log_url").cloned()
    };
    let url = format!("https://tollgate.test/logs/{}?t=1794830401", request.text(&REQUEST));
    assert_eq!(url_at(4), None);
    assert_eq!(url_at(SHAPE_REVISION), Some(Value::String(url)));
}
