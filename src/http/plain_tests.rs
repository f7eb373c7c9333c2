//! What is taken for plain and what is not, and that what is taken is read as the HTTP layer reads it.

use super::*;
use crate::buffers::Buffer;
use crate::head::Head;
use actix_codec::Decoder;
use actix_http::h1::{Codec, Message};
use actix_http::{ConnectionType, HttpMessage, ServiceConfig};
use bytes::BytesMut;

const LINE_MAX: usize = 16 << 10;

fn looked(text: &str) -> Look {
    look(text.as_bytes(), LINE_MAX)
}

/// A request as a handler gets it.
fn head(bytes: &[u8]) -> (Head, Plain) {
    let Look::Whole(plain) = look(bytes, LINE_MAX) else {
        panic!("not plain: {}", String::from_utf8_lossy(bytes));
    };
    (Head::new(Buffer::of(bytes.to_vec()), plain.layout.clone()), plain)
}

#[test]
fn a_plain_request_is_read() {
    let text = "POST /v1/refunds?a=b?c HTTP/1.1\r\nHost: x\r\nAUTHORIZATION:  Bearer k \r\nstripe-version:\r\n\
        Content-Type: text/plain ; a=b\r\nidempotency-key: one\r\nIdempotency-Key: two\r\nConnection: Keep-Alive\r\n\
        content-length: 004\r\n\r\na=b&GET / HTTP/1.1";
    let (head, plain) = head(text.as_bytes());
    assert_eq!(
        (head.method(), head.path(), head.query()),
        (&Method::POST, "/v1/refunds", "a=b?c")
    );
    assert_eq!(head.target_len(), "/v1/refunds?a=b?c".len());
    assert_eq!(head.text(Known::Authorization), Some("Bearer k"));
    assert_eq!(head.text(Known::StripeVersion), Some(""));
    assert_eq!(head.content_type(), "text/plain");
    assert_eq!(head.text(Known::IdempotencyKey), Some("one"));
    assert_eq!(head.get(Known::StripeAccount), None);
    assert_eq!(head.body(), b"a=b&");
    assert_eq!(&text[plain.len..], "GET / HTTP/1.1");
    assert!(!plain.closes);
}

/// Heads as common clients write them: a change that takes them for anything else would cost each of their requests a third.
#[test]
fn what_common_clients_send_is_plain() {
    let form = "content-type: application/x-www-form-urlencoded";
    let heads = [
        // The Python SDK.
        format!(
            "Host: 127.0.0.1:12111\r\nUser-Agent: Stripe/v1 PythonBindings/16.1.0\r\nAccept-Encoding: gzip, deflate\r\n\
             Accept: */*\r\nConnection: keep-alive\r\nX-Stripe-Client-User-Agent: {{\"httplib\": \"requests\"}}\r\n\
             Authorization: Bearer k\r\nIdempotency-Key: a\r\n{form}\r\nStripe-Version: 2026-10-28.endive\r\n\
             Content-Length: 11"
        ),
        // The Node SDK.
        format!(
            "Accept: application/json\r\n{form}\r\nUser-Agent: Stripe/v1 NodeBindings/23.1.0\r\n\
             X-Stripe-Client-User-Agent: {{\"platform\":\"linux%20x64\"}}\r\nIdempotency-Key: stripe-node-retry-a\r\n\
             Content-Length: 11\r\nAuthorization: Bearer k\r\nHost: 127.0.0.1:12111\r\nConnection: keep-alive"
        ),
        // The Java SDK.
        format!(
            "Accept: application/json\r\nAccept-Charset: UTF-8\r\nAuthorization: Bearer k\r\n{form};charset=UTF-8\r\n\
             Cache-Control: no-cache\r\nPragma: no-cache\r\nHost: 127.0.0.1:12111\r\nConnection: keep-alive\r\n\
             Content-Length: 11"
        ),
        // curl.
        format!(
            "Host: 127.0.0.1:12111\r\nAuthorization: Basic azo=\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\
             Content-Length: 11\r\n{form}"
        ),
    ];
    for text in heads {
        let text = format!("POST /v1/payment_intents HTTP/1.1\r\n{text}\r\n\r\namount=1000");
        let (head, plain) = head(text.as_bytes());
        assert_eq!((head.body(), plain.closes), (&b"amount=1000"[..], false), "{text}");
        assert_eq!(head.content_type(), "application/x-www-form-urlencoded");
        assert!(head.get(Known::Authorization).is_some());
    }
}

#[test]
fn what_is_not_plain_is_left_to_the_http_layer() {
    let others: &[&str] = &[
        // Another HTTP, or none.
        "GET / HTTP/1.0\r\nhost: x\r\n\r\n",
        "GET / HTTP/2.0\r\nhost: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "nonsense\r\n\r\n",
        "GET  / HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET / HTTP/1.1 \r\nhost: x\r\n\r\n",
        // Another method.
        "HEAD / HTTP/1.1\r\nhost: x\r\n\r\n",
        "OPTIONS / HTTP/1.1\r\nhost: x\r\n\r\n",
        "get / HTTP/1.1\r\nhost: x\r\n\r\n",
        "CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n",
        // Another kind of address.
        "GET http://x/ HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET * HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /a#b HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /\u{e9} HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /\"a\" HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /a{b} HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /a\\b HTTP/1.1\r\nhost: x\r\n\r\n",
        // Not one host.
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\nhost: x\r\n\r\n",
        // A length that is none, or stands there twice, even if both say the same.
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: +1\r\n\r\na",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\na",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0x1\r\n\r\na",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1,1\r\n\r\na",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1 1\r\n\r\na",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length:\r\n\r\na",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 18446744073709551617\r\n\r\na",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\nContent-Length: 2\r\n\r\nab",
        // A body of another form.
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: identity\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\na",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding:\tchunked\r\n\r\na",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 16385\r\n\r\na",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 16384\r\n\r\na",
        // More about the connection than that it stays or closes.
        "POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\na",
        "GET / HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade, http2-settings\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\nconnection: close, keep-alive\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nconnection: keep-alive\r\n\r\n",
        // Headers that are none.
        "GET / HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\n folded: x\r\nhost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nhost : x\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\na: b\rc\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\na: b\0\r\n\r\n",
        "GET / HTTP/1.1\rhost: x\r\r",
    ];
    for text in others {
        assert_eq!(looked(text), Look::Other, "{text:?}");
    }
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(HEADERS_MAX));
    assert_eq!(looked(&many), Look::Other);
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(100));
    assert_eq!(look(long.as_bytes(), 100), Look::Other);
    assert!(matches!(look(long.as_bytes(), 101), Look::Whole(_)));
}

#[test]
fn lines_end_with_both_or_the_request_is_refused() {
    for text in [
        "GET / HTTP/1.1\nhost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\n\n",
        "\nGET / HTTP/1.1\r\nhost: x\r\n\r\n",
        "HEAD / HTTP/1.1\r\nhost: x\n\n",
        "POST / HTTP/1.1\r\nhost: x\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        assert_eq!(looked(text), Look::BareLineFeed, "{text:?}");
    }
    assert!(matches!(
        looked("\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n\n"),
        Look::Whole(_)
    ));
}

#[test]
fn whatever_is_cut_off_is_part_of_one() {
    let text = "POST /v1/refunds HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\na=b";
    let head_len = text.len() - 3;
    for end in 0..text.len() {
        let expected = if end < head_len {
            Look::PartOfHead
        } else {
            Look::PartOfBody
        };
        assert_eq!(looked(&text[..end]), expected, "{end}");
    }
    let fits = |body: usize| {
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {body:05}\r\n\r\n");
        (head.len() + body, looked(&head))
    };
    let head_len = fits(0).0;
    assert_eq!(
        fits(REQUEST_BYTES_MAX - head_len),
        (REQUEST_BYTES_MAX, Look::PartOfBody)
    );
    assert_eq!(fits(REQUEST_BYTES_MAX - head_len + 1).1, Look::Other);
}

#[test]
fn closing_is_asked_for() {
    for (value, closes) in [
        ("close", true),
        ("CLOSE", true),
        (" close\t", true),
        ("keep-alive", false),
    ] {
        let text = format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: {value}\r\n\r\n");
        assert_eq!(head(text.as_bytes()).1.closes, closes, "{value:?}");
    }
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % bound as u64) as usize
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

/// A request put together from parts that matter, then broken in some places.
fn request(chance: &mut Chance) -> Vec<u8> {
    let methods = ["GET", "GET", "POST", "POST", "DELETE", "HEAD", "BREW", "get"];
    let targets = [
        "/",
        "/v1/a?b=c",
        "/v1/a%20b?x[0]=%zz",
        "//a?",
        "/a?b?c",
        "http://y/a",
        "*",
        "/a b",
        "/a#b",
        "/\u{7f}",
    ];
    let versions = ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0"];
    let headers = [
        "host: x",
        "Host: y",
        "authorization: Bearer k",
        "Authorization:Basic eDo=",
        "content-type: a/b; c=d",
        "content-length: 3",
        "content-length: 3",
        "Content-Length: 0",
        "content-length: 10",
        "content-length: 3x",
        "transfer-encoding: chunked",
        "transfer-encoding: identity",
        "connection: close",
        "connection: keep-alive",
        "connection: upgrade",
        "Connection: close, x",
        "expect: 100-continue",
        "upgrade: websocket",
        "upgrade: h2c",
        "idempotency-key: \u{e9}",
        "idempotency-key: a",
        "idempotency-key:",
        "stripe-account: acct_1",
        "stripe-context: b",
        "stripe-version: 2025",
        "origin: z",
        "content-encoding: gzip",
        "x: y",
        "te: trailers",
        " folded",
        "x : y",
    ];
    let ends = ["\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r"];
    let mut text = format!(
        "{} {} {}\r\nhost: x\r\n",
        chance.of(&methods),
        chance.of(&targets),
        chance.of(&versions)
    );
    for _ in 0..chance.below(6) {
        let harmless = [
            "Authorization: Bearer k",
            "x-y: z",
            "stripe-version: a",
            "content-type: b",
            "idempotency-key: c",
        ];
        text += if chance.below(2) == 0 {
            *chance.of(&harmless)
        } else {
            *chance.of(&headers)
        };
        text += if chance.below(8) == 0 {
            *chance.of(&ends)
        } else {
            "\r\n"
        };
    }
    text += "\r\n";
    text += &"a=b&GET / HTTP/1.1\r\n"[..chance.below(19)];
    let mut bytes = text.into_bytes();
    for _ in 0..chance.below(4).saturating_sub(1) {
        let at = chance.below(bytes.len());
        match chance.below(4) {
            0 => bytes[at] = *chance.of(b"\r\n\0 \t:,;\xff/?"),
            1 => bytes.insert(at, *chance.of(b"\r\n\0 \t:,;\xff/?")),
            2 => drop(bytes.remove(at)),
            _ => bytes.truncate(at.max(1)),
        }
    }
    bytes
}

#[test]
fn what_is_taken_is_read_as_the_http_layer_reads_it() {
    // The layer's settings want a runtime for their clock.
    actix_web::rt::System::new().block_on(async { compare(&ServiceConfig::default()) });
}

fn compare(config: &ServiceConfig) {
    let mut chance = Chance(7);
    let (mut whole, mut parts) = (0, 0);
    for _ in 0..100_000 {
        let bytes = request(&mut chance);
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let mut layer = Codec::new(config.clone());
        let mut rest = BytesMut::from(&bytes[..]);
        let read = layer.decode(&mut rest);
        match look(&bytes, LINE_MAX) {
            Look::Whole(plain) => {
                whole += 1;
                let Ok(Some(Message::Item(http))) = read else {
                    panic!("the layer reads no request: {shown:?}");
                };
                let ours = Head::new(Buffer::of(bytes.clone()), plain.layout.clone());
                let theirs = Head::copied(&http);
                assert_eq!(ours.method(), theirs.method(), "{shown:?}");
                assert_eq!(
                    (ours.path(), ours.query()),
                    (theirs.path(), theirs.query()),
                    "{shown:?}"
                );
                assert_eq!(ours.target_len(), theirs.target_len(), "{shown:?}");
                for (known, _) in Known::every() {
                    assert_eq!(ours.get(known), theirs.get(known), "{known:?} of {shown:?}");
                }
                assert_eq!(ours.content_type(), http.content_type(), "{shown:?}");
                let closes = http.head().connection_type() == ConnectionType::Close;
                assert_eq!(plain.closes, closes, "{shown:?}");
                assert!(
                    !http.head().expect() && !http.chunked().expect("a body of some kind"),
                    "{shown:?}"
                );
                let mut body = Vec::new();
                if !ours.body().is_empty() {
                    while let Some(Message::Chunk(Some(piece))) = layer.decode(&mut rest).expect("a body") {
                        body.extend_from_slice(&piece);
                    }
                }
                assert_eq!(ours.body(), body, "{shown:?}");
                assert_eq!(bytes.len() - plain.len, rest.len(), "{shown:?}");
            }
            Look::PartOfHead => assert!(matches!(read, Ok(None)), "{shown:?}"),
            Look::PartOfBody => {
                parts += 1;
                assert!(matches!(read, Ok(Some(Message::Item(_)))), "{shown:?}");
            }
            Look::Other | Look::BareLineFeed => {}
        }
    }
    assert!(
        whole > 5_000 && parts > 100,
        "{whole} were compared whole, {parts} in part"
    );
}
