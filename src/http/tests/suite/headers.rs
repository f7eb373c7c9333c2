//! The headers of answers, as recorded from the real API.

use crate::edge::{Answer, Edge, PAYMENT};

/// The headers that tell what became of a request, in one line.
fn told(answer: &Answer) -> String {
    let own = answer.header("request-id").expect("every answer has a request id");
    let header = |name: &str| match answer.header(name) {
        Some(value) if value == own => "own".to_owned(),
        Some(value) if value.starts_with("req_") => "other".to_owned(),
        Some(value) if is_uuid(value) => "made-up".to_owned(),
        Some(value) => value.to_owned(),
        None => "-".to_owned(),
    };
    format!(
        "{} retry {} key {} original {} replayed {}",
        answer.status,
        header("stripe-should-retry"),
        header("idempotency-key"),
        header("original-request"),
        header("idempotent-replayed")
    )
}

/// Whether it is written as a random UUID is: version 4, variant 1.
fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lens: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let digits = parts
        .iter()
        .all(|part| part.bytes().all(|digit| digit.is_ascii_hexdigit()));
    lens == [8, 4, 4, 4, 12] && digits && parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b'])
}

#[test]
fn what_became_of_a_request_is_told_in_headers() {
    let edge = Edge::start();
    let decline = "amount=1000&currency=usd&payment_method=pm_card_chargeDeclined&confirm=true";
    let table: &[(&str, &str, Option<&str>, &str, &str)] = &[
        (
            "POST",
            "/v1/payment_intents",
            None,
            PAYMENT,
            "200 retry false key made-up original own replayed -",
        ),
        (
            "POST",
            "/v1/payment_intents",
            None,
            "amount=x",
            "400 retry - key made-up original own replayed -",
        ),
        (
            "POST",
            "/v1/payment_intents",
            Some("a"),
            PAYMENT,
            "200 retry false key a original own replayed -",
        ),
        (
            "POST",
            "/v1/payment_intents",
            Some("a"),
            PAYMENT,
            "200 retry false key a original other replayed true",
        ),
        (
            "POST",
            "/v1/payment_intents",
            Some("b"),
            decline,
            "402 retry false key b original own replayed -",
        ),
        (
            "POST",
            "/v1/payment_intents",
            Some("b"),
            decline,
            "402 retry false key b original other replayed true",
        ),
        (
            "POST",
            "/v1/payment_intents",
            Some("c"),
            "amount=x",
            "400 retry - key c original own replayed -",
        ),
        (
            "POST",
            "/v1/refunds",
            Some("d"),
            "charge=ch_nobody",
            "404 retry - key d original own replayed -",
        ),
        (
            "POST",
            "/v1/customers",
            Some("a"),
            "",
            "400 retry - key a original own replayed -",
        ),
        (
            "GET",
            "/v1/balance",
            Some("a"),
            "",
            "200 retry - key - original - replayed -",
        ),
        (
            "DELETE",
            "/v1/customers/cus_nobody",
            Some("a"),
            "",
            "404 retry - key a original - replayed -",
        ),
        (
            "GET",
            "/v1/charges/ch_nobody",
            None,
            "",
            "404 retry - key - original - replayed -",
        ),
        (
            "POST",
            "/v1/nope",
            Some("e"),
            "",
            "404 retry - key - original - replayed -",
        ),
    ];
    for (method, path, key, body, expected) in table {
        let headers = key.map(|key| ("idempotency-key", key));
        let answer = edge.keyed(method, path, headers.as_slice(), body);
        assert_eq!(told(&answer), *expected, "{method} {path} {body}: {answer:?}");
    }
}

#[test]
fn a_replay_has_the_same_bytes_and_names_its_original() {
    let edge = Edge::start();
    for body in [
        PAYMENT,
        "amount=1000&currency=usd&payment_method=pm_card_chargeDeclined&confirm=true",
    ] {
        let key = [("idempotency-key", body)];
        let first = edge.keyed("POST", "/v1/payment_intents", &key, body);
        let again = edge.keyed("POST", "/v1/payment_intents", &key, body);
        assert_eq!((first.status, &first.text), (again.status, &again.text));
        assert_eq!(again.header("original-request"), first.header("request-id"));
        assert_ne!(again.header("request-id"), first.header("request-id"));
    }
}

#[test]
fn every_answer_of_the_api_is_uncached_json_for_any_origin() {
    let edge = Edge::start();
    for (method, path) in [
        ("GET", "/v1/balance"),
        ("GET", "/v1/nope"),
        ("BREW", "/v1/balance"),
        ("GET", "/v1/charges?x=1"),
    ] {
        let answer = edge.keyed(method, path, &[], "");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-cache, no-store"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert!(
            answer
                .header("access-control-expose-headers")
                .is_some_and(|names| names.contains("Request-Id"))
        );
        assert_eq!(answer.header("stripe-version"), Some("2026-10-28.endive"));
        answer.json();
    }
}

#[test]
fn the_version_is_the_request_s_or_the_account_s_and_an_unknown_one_is_echoed() {
    let edge = Edge::start();
    for (asked, status, told) in [
        (None, 200, "2026-10-28.endive"),
        (Some("2020-08-27"), 200, "2020-08-27"),
        (Some("2026-05-27.dahlia"), 200, "2026-05-27.dahlia"),
        (Some("1999-01-01"), 400, "1999-01-01"),
        (Some("latest"), 400, "latest"),
    ] {
        let headers = asked.map(|version| ("stripe-version", version));
        let answer = edge.keyed("GET", "/v1/balance", headers.as_slice(), "");
        assert_eq!(
            (answer.status, answer.header("stripe-version")),
            (status, Some(told)),
            "{answer:?}"
        );
        if status == 400 {
            assert_eq!(answer.message(), format!("Invalid Stripe API version: {told}"));
            assert_eq!(answer.json()["error"]["code"], serde_json::Value::Null);
        }
    }
}

#[test]
fn a_browser_may_ask_what_it_may_send() {
    let edge = Edge::start();
    let answer = edge.send(
        "OPTIONS",
        "/v1/payment_intents",
        &[("origin", "https://shop.example")],
        "",
    );
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert!(
        answer
            .header("access-control-allow-headers")
            .is_some_and(|names| names.contains("Idempotency-Key"))
    );
    assert!(
        answer
            .header("access-control-allow-methods")
            .is_some_and(|names| names.contains("POST"))
    );
}

#[test]
fn head_answers_as_get_does_without_a_body() {
    let edge = Edge::start();
    let (get, head) = (
        edge.keyed("GET", "/v1/balance", &[], ""),
        edge.keyed("HEAD", "/v1/balance", &[], ""),
    );
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), get.header("content-length"));
}

#[test]
fn a_key_in_use_may_be_tried_again() {
    let edge = Edge::start();
    assert_eq!(
        edge.keyed("GET", "/v1/balance", &[], "").status,
        200,
        "opens the sandbox"
    );
    // The network says nothing, so the first answer comes at the attempt's deadline; the second waits less.
    let form = "amount=1000&currency=usd&payment_method=pm_card_tollgate_remote&confirm=true";
    let pay = || edge.keyed("POST", "/v1/payment_intents", &[("idempotency-key", "slow")], form);
    std::thread::scope(|scope| {
        let answers = [scope.spawn(pay), scope.spawn(pay)].map(|asked| asked.join().expect("an answer"));
        let [told, first] = match answers {
            [first, told] if first.status == 200 => [told, first],
            answers => answers,
        };
        assert_eq!(
            (first.status, first.json()["status"].as_str()),
            (200, Some("processing")),
            "{first:?}"
        );
        assert_eq!(
            (told.status, told.json()["error"]["code"].as_str()),
            (409, Some("idempotency_key_in_use"))
        );
        assert_eq!(told.header("stripe-should-retry"), Some("true"));
    });
    let replay = pay();
    assert_eq!(replay.header("idempotent-replayed"), Some("true"), "{replay:?}");
}
