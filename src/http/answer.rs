//! Answers: status, headers and body, as clients of this API know them.

use crate::rate_limit::Left;
use actix_http::body::BoxBody;
use actix_http::{ConnectionType, Response};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use tollgate_domain::kinds::REQUEST;
use tollgate_resource::Id;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// The API version that is asked for, and answered at.
pub(crate) const STRIPE_VERSION: HeaderName = HeaderName::from_static("stripe-version");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("stripe-should-retry");
const LIMIT_REASON: HeaderName = HeaderName::from_static("stripe-rate-limited-reason");
/// Requests an account may make at once, those it has left, and seconds until it has all of them again.
const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
/// The key under which a change is made once.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const ORIGINAL_REQUEST: HeaderName = HeaderName::from_static("original-request");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Seconds after which whoever found no shard should ask again.
const RETRY_AFTER_S: u64 = 1;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, PUT, PATCH, POST, DELETE");
const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, DELETE, OPTIONS");
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Idempotency-Key, Stripe-Account, Stripe-Context, Stripe-Version, \
     X-Stripe-Client-User-Agent",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Request-Id, Stripe-Manage-Version, \
     Stripe-Should-Retry, X-Stripe-External-Auth-Required, \
     X-Stripe-Privileged-Session-Required",
);
const MAX_AGE: HeaderValue = HeaderValue::from_static("300");
const ANY: HeaderValue = HeaderValue::from_static("*");
const TRUE: HeaderValue = HeaderValue::from_static("true");
const FALSE: HeaderValue = HeaderValue::from_static("false");
/// A form's page runs no script and loads nothing. (Where the form may lead is left open: an address to return to.)
const FORM_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'");
/// A page that is only read sends nothing either, and stands in no frame.
const NOTICE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// A file of somebody else's runs no script and loads nothing.
const FILE_POLICY: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-cache, no-store");

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
    fn header(self) -> HeaderValue {
        match self {
            Content::Json => HeaderValue::from_static("application/json"),
            Content::Html | Content::Form | Content::Notice => HeaderValue::from_static("text/html; charset=utf-8"),
            Content::File(media_type) => HeaderValue::from_static(media_type),
            Content::Text => HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
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

/// An answer before it becomes HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Status code.
    pub(crate) status: u16,
    /// Kind of the body.
    pub(crate) content: Content,
    /// The body.
    pub(crate) body: Bytes,
    /// `stripe-should-retry`, where it is to be sent.
    pub(crate) should_retry: Option<bool>,
    /// Why, and for how many seconds, the client should stay away.
    pub(crate) limited: Option<(LimitReason, u64)>,
    /// For a replay, the request that was executed.
    pub(crate) replayed: Option<Id>,
    /// Where the client is sent.
    pub(crate) location: Option<String>,
    /// Whether the connection ends with this answer.
    pub(crate) closes: bool,
    /// Whether the methods that exist are named (405, OPTIONS).
    pub(crate) names_methods: bool,
}

impl Answer {
    /// An answer with nothing special about it.
    pub(crate) fn new(status: u16, content: Content, body: impl Into<Bytes>) -> Answer {
        Answer {
            status,
            content,
            body: body.into(),
            should_retry: None,
            limited: None,
            replayed: None,
            location: None,
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
    pub(crate) version: HeaderValue,
    /// The idempotency key, when it is a POST or DELETE with one.
    pub(crate) key: Option<HeaderValue>,
    /// Whether the key remembers the request: then it is told which was the first.
    pub(crate) remembers: bool,
    /// What the account has left of its rate limit, where it is told.
    pub(crate) left: Option<Left>,
}

impl Answer {
    /// Makes the HTTP answer of an API request.
    pub(crate) fn into_response(self, echo: Echo) -> Response<BoxBody> {
        let request = id_header(echo.request);
        let original = self.replayed.map(id_header);
        let mut response = self.bare();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, NO_STORE);
        cross_origin(headers);
        headers.insert(STRIPE_VERSION, echo.version);
        if let Some(left) = echo.left {
            headers.insert(LIMIT, HeaderValue::from(left.limit));
            headers.insert(REMAINING, HeaderValue::from(left.remaining));
            headers.insert(RESET, HeaderValue::from(left.full_in_s));
        }
        if let Some(key) = echo.key {
            headers.insert(IDEMPOTENCY_KEY, key);
            if original.is_some() {
                headers.insert(REPLAYED, TRUE);
            }
            if echo.remembers {
                headers.insert(ORIGINAL_REQUEST, original.unwrap_or_else(|| request.clone()));
            }
        }
        headers.insert(REQUEST_ID, request);
        response
    }

    /// Makes an HTTP answer that belongs to no API request (health, pages).
    pub(crate) fn into_page(self) -> Response<BoxBody> {
        let mut response = self.bare();
        response.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
        response
    }

    fn bare(self) -> Response<BoxBody> {
        let status = StatusCode::from_u16(self.status).expect("statuses are written by us");
        let mut response = Response::with_body(status, BoxBody::new(self.body));
        if self.closes {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        let headers = response.headers_mut();
        if status != StatusCode::NO_CONTENT {
            headers.insert(header::CONTENT_TYPE, self.content.header());
        }
        if self.content == Content::Form {
            headers.insert(header::CONTENT_SECURITY_POLICY, FORM_POLICY);
            headers.insert(header::REFERRER_POLICY, NO_REFERRER);
        }
        if self.content == Content::Notice {
            headers.insert(header::CONTENT_SECURITY_POLICY, NOTICE_POLICY);
            headers.insert(header::REFERRER_POLICY, NO_REFERRER);
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
        }
        if let Content::File(_) = self.content {
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
            headers.insert(header::CONTENT_SECURITY_POLICY, FILE_POLICY);
        }
        if let Some(location) = self.location {
            let location = HeaderValue::try_from(location).expect("addresses are written in ASCII");
            headers.insert(header::LOCATION, location);
        }
        if let Some(retry) = self.should_retry {
            headers.insert(SHOULD_RETRY, if retry { TRUE } else { FALSE });
        }
        if let Some((reason, seconds)) = self.limited {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            let reason = match reason {
                LimitReason::Rate => "global-rate",
                LimitReason::EndpointRate => "endpoint-rate",
                LimitReason::Concurrency => "global-concurrency",
            };
            headers.insert(LIMIT_REASON, HeaderValue::from_static(reason));
        } else if status == StatusCode::SERVICE_UNAVAILABLE && self.should_retry == Some(true) {
            // A shard that is built again, or moves to another node, is back in a moment.
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        if self.names_methods {
            headers.insert(header::ALLOW, ALLOWED_METHODS);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
        }
        response
    }
}

/// A whole HTTP answer as bytes, for requests that never reach the dispatch.
pub(crate) fn raw(status: &str, content: Content, body: &[u8]) -> Vec<u8> {
    let content = content.header();
    let mut out = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\ncache-control: no-cache, \
         no-store\r\naccess-control-allow-origin: *\r\n\r\n",
        content.to_str().expect("written by us"),
        body.len()
    )
    .into_bytes();
    out.extend_from_slice(body);
    out
}

/// The page of a proxy that refuses a request line before the API sees it: the one error of this API that is no JSON.
pub(crate) const LONG_LINE_PAGE: &str = "<html>\r\n<head><title>414 Request-URI Too Large</title></head>\r\n<body>\r\n\
    <center><h1>414 Request-URI Too Large</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

fn cross_origin(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
}

fn id_header(id: Id) -> HeaderValue {
    let mut text = Vec::with_capacity(32);
    id.write(&REQUEST, &mut text);
    HeaderValue::from_maybe_shared(Bytes::from(text)).expect("an id is ASCII letters and digits")
}
