//! Requests as nearly every client writes them, read without the HTTP layer: HTTP/1.1, a method of the API, a head and a
//! body of known length that fit a buffer together, nothing about the connection but whether it stays.
//!
//! Whatever else is HTTP (chunks, expectations, upgrades, older versions, large bodies, unusual addresses), or is none, is
//! not read here but by the HTTP layer, with the same bytes. So this needs no way to refuse, and must only never take a
//! request for another than the HTTP layer would.

use crate::buffers::REQUEST_BYTES_MAX;
use crate::head::{KNOWN, Known, Layout, Span};
use actix_web::http::Method;
use std::mem::MaybeUninit;

/// Most headers of a request, as many as the HTTP layer takes.
const HEADERS_MAX: usize = 96;

/// What lies at the beginning of a connection's bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// A whole request.
    Whole(Plain),
    /// The beginning of a head.
    PartOfHead,
    /// A head, and not all of its body.
    PartOfBody,
    /// Something for the HTTP layer.
    Other,
    /// A head with ends of lines that others may not take for ends. It is refused, because what stands before this server
    /// could have read another request.
    BareLineFeed,
}

/// A whole request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plain {
    /// Where its parts lie.
    pub(crate) layout: Box<Layout>,
    /// Its bytes; what comes behind is of the next one.
    pub(crate) len: usize,
    /// Whether the client wants the connection closed after it.
    pub(crate) closes: bool,
}

/// Looks at what a connection sent since its last request. `line_bytes_max` bounds path and query.
pub(crate) fn look(bytes: &[u8], line_bytes_max: usize) -> Look {
    let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut []);
    let head_len = match request.parse_with_uninit_headers(bytes, &mut headers) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return Look::PartOfHead,
        Err(_) => return Look::Other,
    };
    if has_bare_line_feed(&bytes[..head_len]) {
        return Look::BareLineFeed;
    }
    let (Some(method), Some(target), Some(1)) = (request.method, request.path, request.version) else {
        return Look::Other;
    };
    let method = match method {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "DELETE" => Method::DELETE,
        _ => return Look::Other,
    };
    let Some((path, query)) = address(bytes, target, line_bytes_max) else {
        return Look::Other;
    };
    let Some(told) = Told::of(bytes, request.headers) else {
        return Look::Other;
    };
    let len = head_len + told.body_len;
    if len > REQUEST_BYTES_MAX {
        return Look::Other;
    }
    if len > bytes.len() {
        return Look::PartOfBody;
    }
    Look::Whole(Plain {
        layout: Box::new(Layout {
            method,
            target_len: target.len(),
            path,
            query,
            headers: told.known,
            body: Span::new(head_len, len),
        }),
        len,
        closes: told.closes,
    })
}

/// What the headers say.
struct Told {
    known: [Option<Span>; KNOWN],
    body_len: usize,
    closes: bool,
}

impl Told {
    /// Reads the headers; none where one of them is the HTTP layer's to judge.
    fn of(bytes: &[u8], headers: &[httparse::Header<'_>]) -> Option<Told> {
        let mut told = Told {
            known: [None; KNOWN],
            body_len: 0,
            closes: false,
        };
        let (mut hosts, mut lengths, mut connections) = (0, 0, 0);
        for header in headers {
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            // By length first: most names are told apart by it, and looked at once.
            let known = match header.name.len() {
                4 if is("host") => {
                    hosts += 1;
                    None
                }
                6 if is("expect") => return None,
                6 if is("origin") => Some(Known::Origin),
                7 if is("upgrade") => return None,
                10 if is("connection") => {
                    connections += 1;
                    told.closes = closes(header.value)?;
                    None
                }
                10 if is("user-agent") => Some(Known::UserAgent),
                12 if is("content-type") => Some(Known::ContentType),
                13 if is("authorization") => Some(Known::Authorization),
                13 if is("tollgate-node") => Some(Known::TollgateNode),
                14 if is("content-length") => {
                    lengths += 1;
                    told.body_len = length(header.value)?;
                    Some(Known::ContentLength)
                }
                14 if is("stripe-version") => Some(Known::StripeVersion),
                14 if is("stripe-account") => Some(Known::StripeAccount),
                14 if is("stripe-context") => Some(Known::StripeContext),
                15 if is("idempotency-key") => Some(Known::IdempotencyKey),
                16 if is("content-encoding") => Some(Known::ContentEncoding),
                17 if is("transfer-encoding") => return None,
                _ => None,
            };
            if let Some(known) = known {
                // The first counts where one is sent twice.
                told.known[known as usize].get_or_insert_with(|| span_of(bytes, header.value));
            }
        }
        (hosts == 1 && lengths <= 1 && connections <= 1).then_some(told)
    }
}

/// Whether the connection closes; none where the header says anything but that it does or does not.
fn closes(connection: &[u8]) -> Option<bool> {
    if connection.eq_ignore_ascii_case(b"keep-alive") {
        Some(false)
    } else if connection.eq_ignore_ascii_case(b"close") {
        Some(true)
    } else {
        None
    }
}

/// A length that may fit a buffer: a few digits and nothing else.
fn length(value: &[u8]) -> Option<usize> {
    if !(1..=5).contains(&value.len()) {
        return None;
    }
    value.iter().try_fold(0, |length, byte| {
        byte.is_ascii_digit().then(|| length * 10 + usize::from(byte - b'0'))
    })
}

/// Path and query of an address that begins with a slash and is made of ordinary letters.
fn address(bytes: &[u8], target: &str, max: usize) -> Option<(Span, Span)> {
    let ordinary = target.len() <= max
        && target.starts_with('/')
        && target.bytes().fold(true, |all, byte| all & ORDINARY[usize::from(byte)]);
    if !ordinary {
        return None;
    }
    let whole = span_of(bytes, target.as_bytes());
    let mark = target
        .bytes()
        .position(|byte| byte == b'?')
        .map(|at| whole.from + at as u32);
    Some(match mark {
        Some(mark) => (
            Span { to: mark, ..whole },
            Span {
                from: mark + 1,
                ..whole
            },
        ),
        None => (
            whole,
            Span {
                from: whole.to,
                ..whole
            },
        ),
    })
}

/// Letters of addresses that every reader of addresses takes as they are.
const ORDINARY: [bool; 256] = {
    let mut ordinary = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        ordinary[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"-._~!$&'()*+,;=:@%/?[]";
    let mut at = 0;
    while at < others.len() {
        ordinary[others[at] as usize] = true;
        at += 1;
    }
    ordinary
};

/// Where a part of `bytes` lies in them. Nothing may lie anywhere.
fn span_of(bytes: &[u8], part: &[u8]) -> Span {
    if part.is_empty() {
        return Span::default();
    }
    let from = part.as_ptr().addr() - bytes.as_ptr().addr();
    Span::new(from, from + part.len())
}

/// Whether a line ends without a carriage return.
fn has_bare_line_feed(head: &[u8]) -> bool {
    let pairs = head.iter().zip(&head[1..]);
    head[0] == b'\n'
        || pairs.fold(false, |bare, (before, byte)| {
            bare | (*byte == b'\n' && *before != b'\r')
        })
}

#[cfg(test)]
#[path = "plain_tests.rs"]
mod tests;
