//! Answers: status, headers and body, as clients of this API know them.

use crate::rate_limit::Left;
use actix_http::body::BoxBody;
use actix_http::{ConnectionType, Response};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use bytes::Bytes;
use std::borrow::Cow;
use tollgate_domain::kinds::REQUEST;
use tollgate_resource::Id;
use tollgate_resource::id::ID_DIGITS;

/// What every answer of the API says besides itself.
const OF_THE_API: &[u8] = b"cache-control: no-cache, no-store\r\n\
    access-control-allow-credentials: true\r\n\
    access-control-allow-methods: GET, HEAD, PUT, PATCH, POST, DELETE\r\n\
    access-control-allow-origin: *\r\n\
    access-control-expose-headers: RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Request-Id, \
    Stripe-Manage-Version, Stripe-Should-Retry, X-Stripe-External-Auth-Required, \
    X-Stripe-Privileged-Session-Required\r\n\
    access-control-max-age: 300\r\n";
/// What other answers say (health, pages).
const OF_A_PAGE: &[u8] = b"cache-control: no-cache, no-store\r\n";
const METHODS: &[u8] = b"allow: GET, HEAD, POST, DELETE, OPTIONS\r\n\
    access-control-allow-headers: Authorization, Content-Type, Idempotency-Key, Stripe-Account, Stripe-Context, \
    Stripe-Version, X-Stripe-Client-User-Agent\r\n";
/// A form's page runs no script and loads nothing. (Where the form may lead is left open: an address to return to.)
const OF_A_FORM: &[u8] = b"content-security-policy: default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'\r\n\
    referrer-policy: no-referrer\r\n";
/// A page that is only read sends nothing either, and stands in no frame.
const OF_A_NOTICE: &[u8] = b"content-security-policy: default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'\r\n\
    referrer-policy: no-referrer\r\nx-content-type-options: nosniff\r\n";
/// A file of somebody else's runs no script and loads nothing.
const OF_A_FILE: &[u8] = b"x-content-type-options: nosniff\r\ncontent-security-policy: sandbox; default-src 'none'\r\n";

/// Seconds after which whoever found no shard should ask again.
const RETRY_AFTER_S: u64 = 1;

/// Room for the head of an answer of ordinary length.
const HEAD_BYTES: usize = 1 << 10;

/// What kind of body an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// JSON.
    Json,
    /// A page for people.
    Html,
    /// A page with a form. It loads nothing, and no other page is told its address.
    Form,
    /// A page that is only read, as a form's page otherwise; it is shown in no frame of another page.
    Notice,
    /// Text.
    Text,
    /// A file that somebody uploaded, of this media type. It runs nothing, whatever it says it is.
    File(&'static str),
}

impl Content {
    fn media_type(self) -> &'static str {
        match self {
            Content::Json => "application/json",
            Content::Html | Content::Form | Content::Notice => "text/html; charset=utf-8",
            Content::File(media_type) => media_type,
            Content::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// Why a request was refused for its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitReason {
    /// The node, or the account, gets too many requests a second.
    Rate,
    /// The account makes too many of this kind.
    EndpointRate,
    /// Too many requests are under way.
    Concurrency,
}

/// The bytes of a body: made for this answer, or shared by many.
#[derive(Debug)]
pub(crate) enum Contents {
    Made(Vec<u8>),
    Shared(Bytes),
}

impl Contents {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Contents::Made(bytes) => bytes,
            Contents::Shared(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for Contents {
    fn from(bytes: Vec<u8>) -> Contents {
        Contents::Made(bytes)
    }
}

impl From<String> for Contents {
    fn from(text: String) -> Contents {
        Contents::Made(text.into_bytes())
    }
}

impl From<&'static str> for Contents {
    fn from(text: &'static str) -> Contents {
        Contents::Shared(Bytes::from_static(text.as_bytes()))
    }
}

impl From<Bytes> for Contents {
    fn from(bytes: Bytes) -> Contents {
        Contents::Shared(bytes)
    }
}

/// An answer before it becomes HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Status code.
    pub(crate) status: u16,
    /// Kind of the body.
    pub(crate) content: Content,
    /// The body.
    pub(crate) body: Contents,
    /// `stripe-should-retry`, where it is to be sent.
    pub(crate) should_retry: Option<bool>,
    /// Why, and for how many seconds, the client should stay away.
    pub(crate) limited: Option<(LimitReason, u64)>,
    /// For a replay, the request that was executed.
    pub(crate) replayed: Option<Id>,
    /// Where the client is sent.
    pub(crate) location: Option<String>,
    /// The headers of another node's answer, each in a line, in place of all others.
    pub(crate) relayed: Option<Box<[u8]>>,
    /// Whether the connection ends with this answer.
    pub(crate) closes: bool,
    /// Whether the methods that exist are named (405, OPTIONS).
    pub(crate) names_methods: bool,
}

impl Answer {
    /// An answer with nothing special about it.
    pub(crate) fn new(status: u16, content: Content, body: impl Into<Contents>) -> Answer {
        Answer {
            status,
            content,
            body: body.into(),
            should_retry: None,
            limited: None,
            replayed: None,
            location: None,
            relayed: None,
            closes: false,
            names_methods: false,
        }
    }
}

/// What an answer repeats of its request.
pub(crate) struct Echo {
    /// The request's id.
    pub(crate) request: Id,
    /// The API version it is answered at, or the unknown one it asked for.
    pub(crate) version: Cow<'static, [u8]>,
    /// The idempotency key, when it is a POST or DELETE with one.
    pub(crate) key: Option<Box<[u8]>>,
    /// Whether a key remembers such a request: then it is told which was the first, and made up where none was sent.
    pub(crate) remembers: bool,
    /// What the account has left of its rate limit, where it is told.
    pub(crate) left: Option<Left>,
}

impl Answer {
    /// Writes the whole answer as HTTP/1.1; `closes` says that the connection ends with it. `echo` is that of a request of
    /// the API.
    pub(crate) fn write(&self, echo: Option<&Echo>, closes: bool, date: &[u8], out: &mut Vec<u8>) {
        let status = self.status_code();
        let body = self.body.bytes();
        out.reserve(HEAD_BYTES + body.len());
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(status.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(status.canonical_reason().unwrap_or("").as_bytes());
        out.extend_from_slice(b"\r\n");
        if self.has_content() {
            out.extend_from_slice(b"content-length: ");
            number(body.len() as u64, out);
            out.extend_from_slice(b"\r\n");
        }
        if closes {
            out.extend_from_slice(b"connection: close\r\n");
        }
        self.headers(echo, out);
        own_line("date", date, out);
        out.extend_from_slice(b"\r\n");
        if self.has_content() {
            out.extend_from_slice(body);
        }
    }

    /// Makes the answer that the HTTP layer writes: what [`Self::write`] says, but for length, connection and date, which
    /// are that layer's.
    pub(crate) fn into_response(self, echo: Option<&Echo>) -> Response<BoxBody> {
        let mut text = Vec::with_capacity(HEAD_BYTES);
        self.headers(echo, &mut text);
        let body = match self.body {
            Contents::Made(bytes) => BoxBody::new(bytes),
            Contents::Shared(bytes) => BoxBody::new(bytes),
        };
        let status = StatusCode::from_u16(self.status).expect("statuses are written by us");
        let mut response = Response::with_body(status, body);
        if self.closes {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        let headers = response.headers_mut();
        for header in text.split(|byte| *byte == b'\n').filter(|header| !header.is_empty()) {
            let header = header.strip_suffix(b"\r").expect("written by us");
            let colon = header.iter().position(|byte| *byte == b':').expect("written by us");
            let name = HeaderName::from_bytes(&header[..colon]).expect("written by us");
            let value = HeaderValue::from_bytes(&header[colon + 2..]).expect("looked at before it was written");
            headers.insert(name, value);
        }
        response
    }

    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).expect("statuses are written by us")
    }

    /// Whether there may be a body, even if it is empty.
    fn has_content(&self) -> bool {
        self.status != StatusCode::NO_CONTENT.as_u16()
    }

    /// Writes the headers but for length, connection and date, each in a line.
    fn headers(&self, echo: Option<&Echo>, out: &mut Vec<u8>) {
        if let Some(relayed) = &self.relayed {
            out.extend_from_slice(relayed);
            return;
        }
        if self.has_content() {
            own_line("content-type", self.content.media_type().as_bytes(), out);
        }
        match self.content {
            Content::Form => out.extend_from_slice(OF_A_FORM),
            Content::Notice => out.extend_from_slice(OF_A_NOTICE),
            Content::File(_) => out.extend_from_slice(OF_A_FILE),
            Content::Json | Content::Html | Content::Text => {}
        }
        if let Some(location) = &self.location {
            line("location", location.as_bytes(), out);
        }
        if let Some(retry) = self.should_retry {
            own_line("stripe-should-retry", if retry { b"true" } else { b"false" }, out);
        }
        if let Some((reason, seconds)) = self.limited {
            number_line("retry-after", seconds, out);
            let reason = match reason {
                LimitReason::Rate => "global-rate",
                LimitReason::EndpointRate => "endpoint-rate",
                LimitReason::Concurrency => "global-concurrency",
            };
            own_line("stripe-rate-limited-reason", reason.as_bytes(), out);
        } else if self.status == StatusCode::SERVICE_UNAVAILABLE.as_u16() && self.should_retry == Some(true) {
            // A shard that is built again, or moves to another node, is back in a moment.
            number_line("retry-after", RETRY_AFTER_S, out);
        }
        if self.names_methods {
            out.extend_from_slice(METHODS);
        }
        match echo {
            None => out.extend_from_slice(OF_A_PAGE),
            Some(echo) => self.echoes(echo, out),
        }
    }

    /// Writes what an answer of the API repeats of its request.
    fn echoes(&self, echo: &Echo, out: &mut Vec<u8>) {
        // Nearly every change says it twice.
        let request = echo.request.digits();
        out.extend_from_slice(OF_THE_API);
        match &echo.version {
            Cow::Borrowed(ours) => own_line("stripe-version", ours, out),
            Cow::Owned(asked) => line("stripe-version", asked, out),
        }
        // Requests an account may make at once, those it has left, and seconds until it has all of them again.
        if let Some(left) = &echo.left {
            number_line("ratelimit-limit", left.limit, out);
            number_line("ratelimit-remaining", left.remaining, out);
            number_line("ratelimit-reset", left.full_in_s, out);
        }
        match &echo.key {
            Some(key) => {
                line("idempotency-key", key, out);
                if self.replayed.is_some() {
                    own_line("idempotent-replayed", b"true", out);
                }
                if echo.remembers {
                    let first = self.replayed.map_or(request, Id::digits);
                    request_line("original-request", &first, out);
                }
            }
            // As recorded: whoever sends no key is told one, which says nothing more than the request's id.
            None if echo.remembers && self.status != StatusCode::UNAUTHORIZED.as_u16() => {
                made_up_key_line(echo.request, out);
                request_line("original-request", &request, out);
            }
            None => {}
        }
        request_line("request-id", &request, out);
    }
}

/// Writes one header. Nothing that a client sent, or that is stored, may become two.
fn line(name: &str, value: &[u8], out: &mut Vec<u8>) {
    let one_line = value.iter().fold(true, |one_line, byte| {
        one_line & ((*byte >= 0x20 && *byte != 0x7f) || *byte == b'\t')
    });
    assert!(one_line, "the value of {name} is no header's");
    own_line(name, value, out);
}

/// Writes one header whose value is in our own words.
fn own_line(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn number_line(name: &str, value: impl Into<u64>, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    number(value.into(), out);
    out.extend_from_slice(b"\r\n");
}

/// Writes one header whose value is the id of a request, of which these are the digits.
fn request_line(name: &str, digits: &[u8; ID_DIGITS], out: &mut Vec<u8>) {
    for part in [name, ": ", REQUEST.prefix, "_"] {
        out.extend_from_slice(part.as_bytes());
    }
    out.extend_from_slice(digits);
    out.extend_from_slice(b"\r\n");
}

/// Writes the key of a request that was sent without one, as a random UUID is written.
fn made_up_key_line(request: Id, out: &mut Vec<u8>) {
    const VERSION: u128 = 0xf << 76;
    const VARIANT: u128 = 3 << 62;
    let bits = request.bits() & !(VERSION | VARIANT) | 4 << 76 | 2 << 62;
    out.extend_from_slice(b"idempotency-key: ");
    for at in (0..32).rev() {
        let digit = (bits >> (4 * at)) & 0xf;
        out.push(b"0123456789abcdef"[digit as usize]);
        // A hyphen behind the 8th, 12th, 16th and 20th digit.
        if matches!(at, 24 | 20 | 16 | 12) {
            out.push(b'-');
        }
    }
    out.extend_from_slice(b"\r\n");
}

fn number(value: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), value);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// A whole HTTP answer as bytes, for requests that never reach the dispatch.
pub(crate) fn raw(status: &str, content: Content, body: &[u8]) -> Vec<u8> {
    let content = content.media_type();
    let mut out = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\ncache-control: no-cache, \
         no-store\r\naccess-control-allow-origin: *\r\n\r\n",
        content,
        body.len()
    )
    .into_bytes();
    out.extend_from_slice(body);
    out
}

/// The page of a proxy that refuses a request line before the API sees it: the one error of this API that is no JSON.
pub(crate) const LONG_LINE_PAGE: &str = "<html>\r\n<head><title>414 Request-URI Too Large</title></head>\r\n<body>\r\n\
    <center><h1>414 Request-URI Too Large</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
