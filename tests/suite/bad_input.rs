//! Hostile and broken input: a clear JSON error or a closed connection, never a 5xx, nothing half done.

use crate::server::{KEY, Server, tollgate};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

fn status_of(bytes: &[u8]) -> Option<u16> {
    std::str::from_utf8(bytes.get(..12)?)
        .ok()?
        .strip_prefix("HTTP/1.1 ")?
        .parse()
        .ok()
}

/// The JSON error in an answer, if it has a body. Only the first JSON counts: a damaged request may be two.
fn error_of(bytes: &[u8]) -> Option<Value> {
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let start = at + bytes[at..].iter().position(|byte| *byte == b'{')?;
    let first = serde_json::Deserializer::from_slice(&bytes[start..])
        .into_iter::<Value>()
        .next()?;
    first.ok().map(|value| value["error"].clone())
}

fn head(rest: &str) -> String {
    format!(
        "POST /v1/payment_intents HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\nconnection: close\r\n{rest}"
    )
}

fn form(body: &[u8]) -> Vec<u8> {
    let mut bytes = head(&format!(
        "content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        body.len()
    ))
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

#[test]
fn each_broken_form_is_a_clear_json_error() {
    let server = Server::start();
    let deep = format!("metadata{}=1&amount=100&currency=usd", "[a]".repeat(2000));
    let many = (0..5000).map(|at| format!("metadata[k{at}]=v&")).collect::<String>() + "amount=100&currency=usd";
    let big = vec![b'a'; (1 << 20) + 1];
    let cases: &[(&str, Vec<u8>, &[u16])] = &[
        ("bad escape", form(b"amount=%zz&currency=usd"), &[400]),
        ("cut escape", form(b"amount=100&currency=us%6"), &[400]),
        ("not UTF-8", form(b"amount=100&currency=usd&description=%ff%fe"), &[400]),
        (
            "raw bytes",
            form(b"amount=100&currency=usd&description=\xff\xfe"),
            &[400],
        ),
        ("NUL", form(b"amount=100&currency=usd&description=a%00b"), &[400]),
        ("deep nesting", form(deep.as_bytes()), &[400]),
        ("many pairs", form(many.as_bytes()), &[400]),
        ("too large", form(&big), &[413]),
        (
            "claims to be huge",
            head("content-type: application/x-www-form-urlencoded\r\ncontent-length: 99999999999\r\n\r\n").into_bytes(),
            &[413],
        ),
        (
            "JSON body",
            head("content-type: application/json\r\ncontent-length: 2\r\n\r\n{}").into_bytes(),
            &[400, 415],
        ),
        (
            "absurd amount",
            form(b"amount=99999999999999999999999&currency=usd"),
            &[400],
        ),
        ("negative amount", form(b"amount=-5&currency=usd"), &[400]),
        ("fraction", form(b"amount=10.5&currency=usd"), &[400]),
        (
            "unclosed bracket",
            form(b"amount=100&currency=usd&metadata[a=1"),
            &[400],
        ),
        ("hash for a scalar", form(b"amount[a]=100&currency=usd"), &[400]),
        ("scalar for a hash", form(b"amount=100&currency=usd&metadata=x"), &[400]),
        ("no pairs at all", form(b"&&&==&&="), &[400]),
        (
            "long key header",
            head(&format!(
                "idempotency-key: {}\r\ncontent-length: 0\r\n\r\n",
                "k".repeat(256)
            ))
            .into_bytes(),
            &[400],
        ),
        (
            "unknown version",
            head("stripe-version: 1999-01-01\r\ncontent-length: 0\r\n\r\n").into_bytes(),
            &[400],
        ),
    ];
    for (name, bytes, statuses) in cases {
        let answer = server.raw(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let status = status_of(&answer).unwrap_or_else(|| panic!("{name}: {}", String::from_utf8_lossy(&answer)));
        assert!(
            statuses.contains(&status),
            "{name}: {}",
            String::from_utf8_lossy(&answer)
        );
        let error = error_of(&answer)
            .unwrap_or_else(|| panic!("{name}: no JSON error in {}", String::from_utf8_lossy(&answer)));
        assert!(
            error["message"].as_str().is_some_and(|message| message.len() > 10),
            "{name}: {error}"
        );
    }
    let long = format!(
        "GET /v1/charges?starting_after={} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "a".repeat(17 << 10)
    );
    assert_eq!(status_of(&server.raw(long.as_bytes()).expect("an answer")), Some(414));
    assert_eq!(
        server.get("/v1/payment_intents").json()["data"],
        Value::Array(Vec::new()),
        "something was half done"
    );
    server.verify();
}

#[test]
fn the_last_of_two_scalars_wins_and_metadata_keeps_its_order() {
    let server = Server::start();
    let answer = server.post(
        "/v1/payment_intents",
        "amount=100&amount=200&currency=usd&metadata[b]=1&metadata[a]=2",
    );
    assert_eq!(answer.json()["amount"], 200);
    assert!(
        answer.text.find("\"b\": \"1\"") < answer.text.find("\"a\": \"2\""),
        "{answer:?}"
    );
}

#[test]
fn half_a_body_is_given_up_and_does_nothing() {
    let server = Server::with(&[], &[("TOLLGATE_API__BODY_TIMEOUT_MS", "500")]);
    let mut stream = TcpStream::connect(&server.api).expect("a connection");
    stream
        .set_read_timeout(Some(crate::server::PATIENCE))
        .expect("a timeout");
    let half = head("content-type: application/x-www-form-urlencoded\r\ncontent-length: 66\r\n\r\n")
        + "amount=100&currency=usd";
    stream.write_all(half.as_bytes()).expect("written");
    let mut answer = Vec::new();
    let closed = stream.read_to_end(&mut answer);
    let waits = matches!(&closed, Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
    assert!(!waits, "the server waits for ever");
    assert!(
        answer.is_empty() || status_of(&answer) == Some(408),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    assert_eq!(
        server.get("/v1/payment_intents").json()["data"],
        Value::Array(Vec::new())
    );
}

#[test]
fn clients_that_say_nothing_do_not_stop_others() {
    let server = Server::start();
    let idle: Vec<TcpStream> = (0..200)
        .map(|_| TcpStream::connect(&server.api).expect("a connection"))
        .collect();
    for stream in &idle {
        let mut stream = stream;
        stream.write_all(b"POST /v1/payment_intents HT").expect("written");
    }
    server.pay(1000);
    drop(idle);
}

/// A small deterministic generator: the suite's seed reproduces a run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

const WORDS: &[&str] = &[
    "100",
    "-1",
    "0",
    "99999999",
    "100000000",
    "usd",
    "USD",
    "jpy",
    "xxx",
    "true",
    "false",
    "maybe",
    "",
    "%00",
    "%ff",
    "%",
    "+",
    "pm_card_visa",
    "pm_card_chargeDeclined",
    "pm_nobody",
    "cus_x",
    "manual",
    "automatic",
    "9223372036854775807",
    "9223372036854775808",
    "1e9",
    "💳",
    "a%5B0%5D",
    "..%2f",
    "pi_zzzzzzzzzzzzzzzzzzzzzz",
    "requested_by_customer",
    "never",
    "null",
    "{}",
    "[]",
    "latest_charge",
    "data.customer",
    "a.b.c.d.e.f",
    "total_count",
];
const NAMES: &[&str] = &[
    "amount",
    "currency",
    "payment_method",
    "confirm",
    "metadata[a]",
    "metadata",
    "metadata[]",
    "expand[]",
    "expand[0]",
    "expand",
    "customer",
    "limit",
    "starting_after",
    "ending_before",
    "created[gt]",
    "created",
    "capture_method",
    "amount_to_capture",
    "charge",
    "payment_intent",
    "reason",
    "name",
    "address[line1]",
    "shipping[address][city]",
    "types[]",
    "type",
    "automatic_payment_methods[enabled]",
    "x[y][z]",
    "[",
    "]",
    "a]b[",
    "amount[",
    "__proto__",
    "payment_method_types[0]",
    "payment_method_types[9999999999]",
];

#[test]
fn no_request_of_the_grammar_gets_a_5xx() {
    let server = Server::start();
    let document: Value = serde_json::from_slice(&tollgate(&["openapi"]).stdout).expect("JSON");
    let paths: Vec<String> = document["paths"].as_object().expect("paths").keys().cloned().collect();
    let intent = server.pay(5000);
    let ids = [
        intent["id"].as_str().expect("an id").to_owned(),
        intent["latest_charge"].as_str().expect("an id").to_owned(),
        "cus_x".to_owned(),
    ];
    let seed = std::env::var("TOLLGATE_SEED")
        .ok()
        .map_or(0x5eed_0001, |text| text.parse().expect("a number"));
    let mut dice = Dice(seed);
    for round in 0..1500 {
        let mut path = paths[dice.roll(paths.len())].clone();
        if let (Some(open), Some(close)) = (path.find('{'), path.find('}')) {
            path.replace_range(open..=close, &ids[dice.roll(ids.len())]);
        }
        let pairs: Vec<String> = (0..dice.roll(7))
            .map(|_| format!("{}={}", dice.pick(NAMES), dice.pick(WORDS)))
            .collect();
        let pairs = pairs.join("&");
        let method = dice.pick(&[
            "GET", "POST", "POST", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW",
        ]);
        let mut bytes = if method == "POST" {
            format!("POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{pairs}", pairs.len())
        } else {
            let query = pairs.replace(' ', "%20").replace("💳", "%F0%9F%92%B3");
            format!("{method} {path}?{query} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\nconnection: close\r\n\r\n")
        }
        .into_bytes();
        // One in eight is damaged: a byte changed, cut off or repeated.
        if dice.roll(8) == 0 {
            let at = dice.roll(bytes.len());
            match dice.roll(3) {
                0 => bytes[at] = dice.roll(256) as u8,
                1 => bytes.truncate(at),
                _ => bytes.insert(at, bytes[at]),
            }
            bytes.extend_from_slice(b"\r\n\r\n");
        }
        let mut stream = TcpStream::connect(&server.api).expect("a connection");
        stream
            .set_read_timeout(Some(crate::server::PATIENCE))
            .expect("a timeout");
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let shown = || {
            format!(
                "seed {seed:#x} round {round}:\n{}\n--\n{}",
                String::from_utf8_lossy(&bytes),
                String::from_utf8_lossy(&answer)
            )
        };
        match status_of(&answer) {
            None => assert!(answer.is_empty(), "{}", shown()),
            Some(status) => {
                assert!(status < 500, "{}", shown());
                let empty = answer.ends_with(b"\r\n\r\n");
                assert!(
                    status < 400 || empty || error_of(&answer).is_some_and(|error| error["message"].is_string()),
                    "{}",
                    shown()
                );
            }
        }
    }
    assert_eq!(server.get("/v1/balance").status, 200, "the server still serves");
    server.verify();
}
