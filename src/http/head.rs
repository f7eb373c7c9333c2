//! The head of a request as handlers see it, whoever has read it: method, address, and the headers that this room knows.

use crate::buffers::Buffer;
use actix_http::{HttpMessage, Request};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName};

/// A header that means something here; others are not even kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Authorization,
    ContentEncoding,
    ContentLength,
    ContentType,
    IdempotencyKey,
    Origin,
    StripeAccount,
    StripeContext,
    StripeVersion,
    UserAgent,
    /// What another node says about a request that it sends.
    TollgateNode,
}

/// The known headers there are.
pub(crate) const KNOWN: usize = 11;

/// From where to where something lies in the buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: u32,
    pub(crate) to: u32,
}

/// Where things lie in the buffer that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) method: Method,
    /// Length of path and query together, with what is between them.
    pub(crate) target_len: usize,
    pub(crate) path: Span,
    pub(crate) query: Span,
    /// The first of each known header, by its number.
    pub(crate) headers: [Option<Span>; KNOWN],
    /// The body, where it was read along with the head.
    pub(crate) body: Span,
}

/// The head of a request, and its body if that came along. It holds keys, so it cannot be printed.
pub(crate) struct Head {
    buffer: Buffer,
    /// In a box: the futures of every request inside would have room for it, in several places. The box's memory is that of
    /// the request before.
    layout: Box<Layout>,
}

impl Known {
    /// All of them, by their numbers.
    const ALL: [(Known, HeaderName); KNOWN] = [
        (Known::Authorization, header::AUTHORIZATION),
        (Known::ContentEncoding, header::CONTENT_ENCODING),
        (Known::ContentLength, header::CONTENT_LENGTH),
        (Known::ContentType, header::CONTENT_TYPE),
        (Known::IdempotencyKey, HeaderName::from_static("idempotency-key")),
        (Known::Origin, header::ORIGIN),
        (Known::StripeAccount, HeaderName::from_static("stripe-account")),
        (Known::StripeContext, HeaderName::from_static("stripe-context")),
        (Known::StripeVersion, HeaderName::from_static("stripe-version")),
        (Known::UserAgent, header::USER_AGENT),
        (Known::TollgateNode, HeaderName::from_static("tollgate-node")),
    ];

    /// All of them.
    pub(crate) fn every() -> impl Iterator<Item = (Known, HeaderName)> {
        Known::ALL.into_iter()
    }
}

impl Span {
    /// From `from` to `to`.
    pub(crate) fn new(from: usize, to: usize) -> Span {
        let at = |at| u32::try_from(at).expect("a head is bounded");
        Span {
            from: at(from),
            to: at(to),
        }
    }

    fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.from as usize..self.to as usize]
    }
}

impl Head {
    /// The head of a request that was read into a buffer; the address must be ASCII.
    pub(crate) fn new(buffer: Buffer, layout: Box<Layout>) -> Head {
        Head { buffer, layout }
    }

    /// A copy of what the HTTP layer has read.
    pub(crate) fn copied(http: &Request) -> Head {
        let mut bytes = Vec::new();
        let mut keep = |part: &[u8]| {
            let from = bytes.len();
            bytes.extend_from_slice(part);
            Span::new(from, bytes.len())
        };
        let path = keep(http.path().as_bytes());
        let query = keep(http.uri().query().unwrap_or("").as_bytes());
        let headers = Known::ALL.map(|(_, name)| Some(keep(http.headers().get(name)?.as_bytes())));
        let target = http.uri().path_and_query();
        Head {
            layout: Box::new(Layout {
                method: http.method().clone(),
                target_len: target.map_or(0, |target| target.as_str().len()),
                path,
                query,
                headers,
                body: Span::default(),
            }),
            buffer: Buffer::of(bytes),
        }
    }

    /// The method.
    pub(crate) fn method(&self) -> &Method {
        &self.layout.method
    }

    /// The path, as it was sent.
    pub(crate) fn path(&self) -> &str {
        self.address(self.layout.path)
    }

    /// The query without its mark; empty where there is none.
    pub(crate) fn query(&self) -> &str {
        self.address(self.layout.query)
    }

    /// Bytes of path and query together.
    pub(crate) fn target_len(&self) -> usize {
        self.layout.target_len
    }

    /// The first header of that name.
    pub(crate) fn get(&self, name: Known) -> Option<&[u8]> {
        self.layout.headers[name as usize].map(|span| span.of(self.buffer.filled()))
    }

    /// The first header of that name, if it is text that can be read.
    pub(crate) fn text(&self, name: Known) -> Option<&str> {
        self.get(name).and_then(readable)
    }

    /// The content type without its parameters; empty where there is none.
    pub(crate) fn content_type(&self) -> &str {
        let text = self.text(Known::ContentType).unwrap_or("");
        text.split(';').next().unwrap_or("").trim()
    }

    /// The body, where it came along with the head.
    pub(crate) fn body(&self) -> &[u8] {
        self.layout.body.of(self.buffer.filled())
    }

    fn address(&self, span: Span) -> &str {
        std::str::from_utf8(span.of(self.buffer.filled())).expect("looked at before the head was made")
    }
}

/// The text of a header: visible ASCII, spaces and tabs.
pub(crate) fn readable(value: &[u8]) -> Option<&str> {
    let readable = value.iter().fold(true, |readable, byte| {
        readable & ((0x20..0x7f).contains(byte) || *byte == b'\t')
    });
    readable.then(|| std::str::from_utf8(value).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_http::header::HeaderValue;

    #[test]
    fn known_headers_stand_at_their_numbers() {
        for (at, (known, _)) in Known::ALL.iter().enumerate() {
            assert_eq!(*known as usize, at);
        }
    }

    #[test]
    fn what_the_http_layer_read_is_copied() {
        let mut http = Request::with_payload(actix_http::Payload::None);
        let head = http.head_mut();
        head.method = Method::POST;
        head.uri = "http://elsewhere/v1/refunds?a=b".parse().expect("an address");
        let mut insert = |name: &'static str, value: &'static [u8]| {
            let value = HeaderValue::from_bytes(value).expect("a value");
            head.headers.append(HeaderName::from_static(name), value);
        };
        insert("content-type", b"text/plain; charset=utf-8");
        insert("stripe-version", b"\xff");
        insert("idempotency-key", b"first");
        insert("idempotency-key", b"second");
        let copy = Head::copied(&http);
        assert_eq!(
            (copy.method(), copy.path(), copy.query()),
            (&Method::POST, "/v1/refunds", "a=b")
        );
        assert_eq!(copy.target_len(), "/v1/refunds?a=b".len());
        assert_eq!(copy.content_type(), "text/plain");
        assert_eq!(copy.get(Known::IdempotencyKey), Some(&b"first"[..]));
        assert_eq!(
            (copy.get(Known::StripeVersion), copy.text(Known::StripeVersion)),
            (Some(&b"\xff"[..]), None)
        );
        assert_eq!(copy.get(Known::Origin), None);
        assert!(copy.body().is_empty());
    }
}
