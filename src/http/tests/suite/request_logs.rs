//! Where an error says its request can be looked up.

use crate::edge::{Answer, Edge, KEY, PAYMENT, Setup};
use tollgate_http::Rate;

const PUBLISHABLE: &str = "pk_test_edge0123456789abcdefghijklmn";

/// The path of the page that an error names, if it names one.
fn log_of(answer: &Answer) -> Option<String> {
    let error = &answer.json()["error"];
    let url = error.get("request_log_url")?.as_str().expect("an address");
    let path = url.strip_prefix("https://tollgate.test").expect("on this server");
    Some(path.to_owned())
}

fn own_id(answer: &Answer) -> &str {
    answer.header("request-id").expect("every answer has a request id")
}

#[test]
fn an_error_names_its_request_once_it_is_known_who_asks() {
    let edge = Edge::start();
    let with = |key: &str, method: &str, path: &str, form: &str| {
        let authorization = format!("Bearer {key}");
        edge.send(method, path, &[("authorization", &authorization)], form)
    };
    let missing = "/v1/charges/ch_nope";
    for (told, answer) in [
        (true, with(KEY, "GET", missing, "")),
        (true, with(KEY, "POST", "/v1/payment_intents", "amount=x")),
        (
            true,
            with(
                KEY,
                "POST",
                "/v1/payment_intents",
                "amount=1000&currency=usd&payment_method=pm_card_chargeDeclined&confirm=true",
            ),
        ),
        (true, with(PUBLISHABLE, "GET", "/v1/balance", "")),
        (true, with(PUBLISHABLE, "POST", "/v1/tokens", "card[number]=1")),
        (false, edge.send("GET", missing, &[], "")),
        (false, with("sk_nobody", "GET", missing, "")),
        (false, with(KEY, "GET", "/v1/nope", "")),
    ] {
        assert!(answer.status >= 400, "{answer:?}");
        match log_of(&answer) {
            Some(path) => assert!(
                told && path.starts_with(&format!("/logs/{}?t=", own_id(&answer))),
                "{answer:?}"
            ),
            None => assert!(!told, "{answer:?}"),
        }
        // What is kept of a failed payment is not of this request alone.
        assert!(answer.text.matches("request_log_url").count() <= 1, "{answer:?}");
    }
}

#[test]
fn a_request_over_the_rate_is_named_too() {
    let once = Rate {
        per_second: 1,
        burst: 1,
    };
    let edge = Edge::with(Setup {
        rate: once.into(),
        ..Setup::default()
    });
    let answers: Vec<Answer> = (0..20).map(|_| edge.keyed("GET", "/v1/balance", &[], "")).collect();
    let limited = answers
        .iter()
        .find(|answer| answer.status == 429)
        .expect("one is over the rate");
    assert!(log_of(limited).is_some(), "{limited:?}");
}

#[test]
fn a_replay_names_the_first_request() {
    let edge = Edge::start();
    let decline = PAYMENT.replace("pm_card_visa", "pm_card_chargeDeclined");
    let pay = || edge.keyed("POST", "/v1/payment_intents", &[("idempotency-key", "once")], &decline);
    let (first, replay) = (pay(), pay());
    assert_eq!(
        (first.status, replay.header("idempotent-replayed")),
        (402, Some("true")),
        "{replay:?}"
    );
    assert_eq!(first.text, replay.text);
    assert!(
        log_of(&replay).expect("an address").contains(own_id(&first)),
        "{replay:?}"
    );
}

#[test]
fn the_page_needs_no_key_and_what_is_no_id_has_none() {
    let edge = Edge::start();
    let refused = edge.keyed("GET", "/v1/charges/ch_nope", &[], "");
    let path = log_of(&refused).expect("an address");
    let page = edge.send("GET", &path, &[], "");
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    assert!(
        page.text.contains(own_id(&refused)) && page.text.contains("tollgate_http=debug"),
        "{page:?}"
    );
    assert!(
        !page.text.contains("ch_nope") && !page.text.contains("<script"),
        "{page:?}"
    );
    for path in [
        "/logs/",
        "/logs/req_1",
        "/logs/%3Cb%3E",
        &format!("/logs/{}x", own_id(&refused)),
    ] {
        let none = edge.send("GET", path, &[], "");
        assert_eq!(
            (none.status, none.header("content-type")),
            (404, Some("text/html; charset=utf-8")),
            "{path}"
        );
        assert!(
            none.text.contains("No request here") && !none.text.contains("<b>"),
            "{none:?}"
        );
    }
    assert_eq!(edge.send("POST", &path, &[], "").status, 404);
}
