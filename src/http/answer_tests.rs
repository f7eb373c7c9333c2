//! What an answer says, and that it says the same through the HTTP layer.

use super::*;
use crate::rate_limit::Left;
use tollgate_resource::id::SEQ_MAX;

const DATE: &[u8] = b"Sat, 21 Nov 2026 21:55:16 GMT";

fn id(sequence: u64) -> Id {
    Id::new(&REQUEST, 1_800_000_000_000, sequence & SEQ_MAX, 7)
}

fn echo() -> Echo {
    Echo {
        request: id(1),
        version: Cow::Borrowed(b"2025-01-01.a"),
        key: None,
        remembers: false,
        left: None,
    }
}

fn written(answer: &Answer, echo: Option<&Echo>, closes: bool) -> String {
    let mut out = Vec::new();
    answer.write(echo, closes, DATE, &mut out);
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn an_answer_of_the_api_is_written_to_the_letter() {
    let answer = Answer {
        should_retry: Some(false),
        ..Answer::new(200, Content::Json, b"{}".to_vec())
    };
    let echo = Echo {
        key: Some(Box::from(&b"a: b"[..])),
        remembers: true,
        ..echo()
    };
    let own = id(1).text(&REQUEST).to_string();
    assert_eq!(
        written(&answer, Some(&echo), false),
        format!(
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\nstripe-should-retry: false\r\n\
             cache-control: no-cache, no-store\r\naccess-control-allow-credentials: true\r\n\
             access-control-allow-methods: GET, HEAD, PUT, PATCH, POST, DELETE\r\naccess-control-allow-origin: *\r\n\
             access-control-expose-headers: RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Request-Id, \
             Stripe-Manage-Version, Stripe-Should-Retry, X-Stripe-External-Auth-Required, \
             X-Stripe-Privileged-Session-Required\r\naccess-control-max-age: 300\r\nstripe-version: 2025-01-01.a\r\n\
             idempotency-key: a: b\r\noriginal-request: {own}\r\nrequest-id: {own}\r\n\
             date: Sat, 21 Nov 2026 21:55:16 GMT\r\n\r\n{{}}"
        )
    );
}

#[test]
fn the_http_layer_gets_the_same_headers() {
    let left = Left {
        limit: 1,
        remaining: 2,
        full_in_s: 3,
    };
    let replayed = || Answer {
        replayed: Some(id(2)),
        ..Answer::new(200, Content::Json, "{}")
    };
    let keyed = |remembers| Echo {
        key: Some(Box::from(&b"k"[..])),
        remembers,
        left: Some(left),
        ..echo()
    };
    let cases: Vec<(Answer, Option<Echo>)> = vec![
        (Answer::new(200, Content::Json, "{}"), Some(echo())),
        (replayed(), Some(keyed(true))),
        (replayed(), Some(keyed(false))),
        (Answer::new(200, Content::Html, "a"), None),
        (Answer::new(200, Content::Notice, "a"), Some(echo())),
        (Answer::new(200, Content::Text, String::new()), None),
        (Answer::new(200, Content::File("image/png"), vec![0xff]), Some(echo())),
        (
            Answer {
                location: Some("https://a.test/?b=c".into()),
                ..Answer::new(303, Content::Form, "a")
            },
            Some(echo()),
        ),
        (
            Answer {
                names_methods: true,
                ..Answer::new(204, Content::Json, "")
            },
            Some(echo()),
        ),
        (
            Answer {
                limited: Some((LimitReason::EndpointRate, 60)),
                should_retry: Some(true),
                closes: true,
                ..Answer::new(429, Content::Json, "{}")
            },
            Some(echo()),
        ),
    ];
    for (answer, echo) in cases {
        let closes = answer.closes;
        let mut out = Vec::new();
        answer.write(echo.as_ref(), closes, DATE, &mut out);
        let at = out.windows(4).position(|end| end == b"\r\n\r\n").expect("an end");
        let head = String::from_utf8(out[..at].to_vec()).expect("ASCII");
        let mut ours: Vec<String> = head.split("\r\n").skip(1).map(str::to_owned).collect();
        // These are the layer's own.
        let own = ["content-length", "connection", "date"];
        let before = ours.len();
        ours.retain(|line| !own.iter().any(|name| line.starts_with(&format!("{name}: "))));
        assert_eq!(
            before - ours.len(),
            1 + usize::from(answer.has_content()) + usize::from(closes),
            "{head}"
        );
        let (status, body) = (answer.status, out[at + 4..].to_vec());
        let response = answer.into_response(echo.as_ref());
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.head().connection_type() == ConnectionType::Close, closes);
        let mut theirs: Vec<String> = Vec::new();
        for (name, value) in response.headers() {
            theirs.push(format!("{name}: {}", value.to_str().expect("ASCII")));
        }
        let sent = response.into_body();
        let sent = actix_http::body::MessageBody::try_into_bytes(sent).expect("a body in one piece");
        assert_eq!(sent, body);
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs);
    }
}

#[test]
fn numbers_are_written_whole() {
    for value in [0, 9, 10, 4_096, u64::MAX] {
        let mut out = Vec::new();
        number(value, &mut out);
        assert_eq!(out, value.to_string().as_bytes());
    }
}

#[test]
#[should_panic(expected = "the value of location is no header's")]
fn what_would_become_two_headers_is_not_written() {
    let answer = Answer {
        location: Some("https://a.test/\r\nset-cookie: a".into()),
        ..Answer::new(303, Content::Form, "a")
    };
    written(&answer, None, false);
}
