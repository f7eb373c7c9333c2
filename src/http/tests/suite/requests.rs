//! Requests that are wrong before they are calls: methods, paths, content types, idempotency keys, broken HTTP.

use crate::edge::{Answer, Edge, KEY, PAYMENT};
use std::io::{Read, Write};

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[test]
fn methods_and_paths_that_do_not_exist_are_json_errors() {
    let edge = Edge::start();
    let table: &[(&str, &str, u16, &str)] = &[
        ("GET", "/v1/nope", 404, "Unrecognized request URL (GET: /v1/nope)."),
        ("GET", "/", 404, "Unrecognized request URL (GET: /)."),
        (
            "GET",
            "/v1/charges/",
            404,
            "Unrecognized request URL (GET: /v1/charges/).",
        ),
        (
            "DELETE",
            "/v1/payment_intents",
            404,
            "Unrecognized request URL (DELETE: /v1/payment_intents).",
        ),
        (
            "PUT",
            "/v1/customers",
            404,
            "Unrecognized request URL (PUT: /v1/customers).",
        ),
        (
            "PATCH",
            "/v1/customers",
            404,
            "Unrecognized request URL (PATCH: /v1/customers).",
        ),
        ("BREW", "/v1/customers", 405, "Invalid request method: BREW."),
        ("TRACE", "/v1/customers", 405, "Invalid request method: TRACE."),
        ("CONNECT", "/v1/customers", 405, "Invalid request method: CONNECT."),
        ("get", "/v1/customers", 405, "Invalid request method: get."),
        ("GET", "/v1/charges/%zz", 404, "Unrecognized request URL"),
        ("GET", "/v1/charges/%ff", 404, "Unrecognized request URL"),
        ("GET", "/v1/charges/..%2f..", 404, "No such charge: '../..'"),
        ("GET", "http://elsewhere/v1/balance", 200, ""),
    ];
    for (method, path, status, says) in table {
        let answer = edge.keyed(method, path, &[], "");
        assert_eq!(answer.status, *status, "{method} {path}: {answer:?}");
        if *status != 200 {
            assert!(answer.message().starts_with(says), "{method} {path}: {answer:?}");
        }
    }
}

#[test]
fn a_body_that_is_no_form_is_refused_with_what_to_send() {
    let edge = Edge::start();
    let post = |headers: &[(&str, &str)], body: &str| edge.keyed("POST", "/v1/payment_intents", headers, body);
    let json = post(&[JSON], "{\"amount\": 1000}");
    assert_eq!(json.status, 415);
    assert!(json.message().contains("application/x-www-form-urlencoded"), "{json:?}");
    assert_eq!(
        post(&[("content-type", "multipart/form-data; boundary=x")], "--x--").status,
        415
    );
    assert_eq!(post(&[FORM, ("content-encoding", "gzip")], PAYMENT).status, 415);
    assert_eq!(
        post(
            &[("content-type", "application/x-www-form-urlencoded; charset=utf-8")],
            PAYMENT
        )
        .status,
        200
    );
    assert_eq!(
        post(&[("content-type", "Application/X-WWW-Form-Urlencoded")], PAYMENT).status,
        200
    );
    assert_eq!(post(&[], PAYMENT).status, 200);
    assert_eq!(
        edge.keyed("POST", "/v1/customers", &[JSON], "").status,
        200,
        "an empty body is no JSON"
    );
    let query = edge.keyed("POST", "/v1/payment_intents?amount=1000", &[FORM], "currency=usd");
    assert_eq!((query.status, query.json()["amount"].as_i64()), (200, Some(1000)));
}

#[test]
fn idempotency_keys_are_bounded_and_only_for_posts() {
    let edge = Edge::start();
    let (longest, longer) = ("k".repeat(255), "k".repeat(256));
    let table: &[(&str, u16, &str)] = &[
        ("", 400, "Idempotency Key must be a non-empty string."),
        (" ", 400, "Idempotency Key must be a non-empty string."),
        (&longest, 200, ""),
        (&longer, 400, "Idempotency Key must be at most 255 characters long"),
        ("schlüssel", 200, ""),
    ];
    for (key, status, says) in table {
        let answer = edge.keyed("POST", "/v1/customers", &[("idempotency-key", key)], "name=Jenny");
        assert_eq!(answer.status, *status, "{key}: {answer:?}");
        if *status != 200 {
            assert!(answer.message().starts_with(says), "{key}: {answer:?}");
        }
    }
    assert_eq!(
        edge.keyed("GET", "/v1/customers", &[("idempotency-key", "")], "")
            .status,
        200
    );
}

#[test]
fn a_key_belongs_to_its_parameters_and_its_endpoint() {
    let edge = Edge::start();
    let post = |path: &str, body: &str| edge.keyed("POST", path, &[("idempotency-key", "one")], body);
    assert_eq!(post("/v1/customers", "name=Jenny&email=j@example.com").status, 200);
    let other = post("/v1/customers", "name=John");
    assert_eq!(
        (other.status, other.json()["error"]["type"].as_str()),
        (400, Some("idempotency_error"))
    );
    assert!(
        other
            .message()
            .starts_with("Keys for idempotent requests can only be used with the same parameters")
    );
    let elsewhere = post("/v1/payment_intents", PAYMENT);
    assert!(
        elsewhere
            .message()
            .contains("same endpoint they were first used for ('/v1/customers')"),
        "{elsewhere:?}"
    );
}

#[test]
fn pages_need_no_key() {
    let edge = Edge::start();
    assert_eq!(edge.send("GET", "/healthz", &[], "").status, 200);
    assert_eq!(edge.send("GET", "/readyz", &[], "").status, 200);
    assert_eq!(edge.send("HEAD", "/healthz", &[], "").status, 200);
    let document = edge.send("GET", "/openapi.json", &[], "");
    assert!(document.json()["paths"]["/v1/payment_intents"]["post"].is_object());
    let reference = edge.send("GET", "/docs", &[], "");
    assert!(
        reference
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"))
    );
    assert!(reference.text.contains("/v1/payment_intents"));
}

#[test]
fn broken_http_is_never_a_5xx_or_silence() {
    let edge = Edge::start();
    let good = format!(
        "POST /v1/customers HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: 10\r\n\r\nname=Jenny"
    );
    let bytes = good.as_bytes();
    let mut cases: Vec<Vec<u8>> = Vec::new();
    for at in (0..bytes.len()).step_by(3) {
        cases.push(bytes[..at].to_vec());
        let mut changed = bytes.to_vec();
        changed[at] = 0xff;
        cases.push(changed);
        let mut doubled = bytes.to_vec();
        doubled.insert(at, b'\r');
        cases.push(doubled);
        let mut cut = bytes.to_vec();
        cut.remove(at);
        cases.push(cut);
    }
    for case in cases {
        let mut stream = edge.connect();
        let _ = stream.write_all(&case);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        if answer.is_empty() {
            continue;
        }
        let answer = Answer::parse(&answer);
        assert!(answer.status < 500, "{:?}: {answer:?}", String::from_utf8_lossy(&case));
    }
    assert_eq!(edge.keyed("GET", "/v1/balance", &[], "").status, 200);
}
