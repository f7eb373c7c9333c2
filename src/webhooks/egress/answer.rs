//! What is kept of an answer: its status, when to come back, and the beginning of its body as text that can be shown.

use super::failure::Failure;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderMap, RETRY_AFTER};
use hyper::{Response, Version};
use std::time::{Duration, SystemTime};

/// Bytes of a body that are read at most; a connection with more to come is closed.
pub const BODY_READ_MAX: usize = 64 * 1_024;
/// Bytes of a body that are kept at most.
pub const EXCERPT_MAX: usize = 2 * 1_024;
/// What `Retry-After` can ask for at most.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// An answer, read to its end or to the bound.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) status: u16,
    /// From now.
    pub(super) retry_after: Option<Duration>,
    pub(super) excerpt: Bytes,
    /// Whether the connection can be used again, as far as the answer says.
    pub(super) lasting: bool,
    /// How long the receiver says that it keeps an idle connection.
    pub(super) kept_idle: Option<Duration>,
}

/// Reads an answer whose head has come.
pub(super) async fn receive(response: Response<Incoming>, now: SystemTime) -> Result<Received, Failure> {
    let (head, mut body) = response.into_parts();
    let mut kept = Vec::new();
    let mut read = 0_usize;
    let mut whole = true;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::of_exchange(&error, 0))?;
        let Some(data) = frame.data_ref() else { continue };
        let room = EXCERPT_MAX.saturating_sub(kept.len()).min(data.len());
        kept.extend_from_slice(&data[..room]);
        read = read.saturating_add(data.len());
        if read > BODY_READ_MAX {
            whole = false;
            break;
        }
    }
    Ok(Received {
        status: head.status.as_u16(),
        retry_after: retry_after(&head.headers, now),
        excerpt: printable(&kept),
        lasting: whole && lasts(head.version, &head.headers),
        kept_idle: kept_idle(&head.headers),
    })
}

fn lasts(version: Version, headers: &HeaderMap) -> bool {
    let says = |word: &str| {
        let values = headers
            .get_all(CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok());
        values
            .flat_map(|value| value.split(','))
            .any(|said| said.trim().eq_ignore_ascii_case(word))
    };
    if version == Version::HTTP_11 {
        !says("close")
    } else {
        says("keep-alive")
    }
}

/// `Keep-Alive: timeout=5, max=100`.
fn kept_idle(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get("keep-alive")?.to_str().ok()?;
    let seconds = value.split(',').find_map(|part| part.trim().strip_prefix("timeout="))?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

/// `Retry-After` as seconds or as a date; a date that is over is at once.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value)
            .ok()?
            .duration_since(now)
            .unwrap_or_default(),
    };
    Some(pause.min(RETRY_AFTER_MAX))
}

/// The bytes as text that shows in a terminal and a page what it is: no control characters but the ends of lines, nothing
/// that turns the direction of writing, nothing that is no text.
fn printable(bytes: &[u8]) -> Bytes {
    let mut text = String::with_capacity(bytes.len());
    for c in String::from_utf8_lossy(bytes).chars() {
        let shown = match c {
            '\n' | '\t' => c,
            '\r' => continue,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => char::REPLACEMENT_CHARACTER,
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        };
        if text.len() + shown.len_utf8() > EXCERPT_MAX {
            break;
        }
        text.push(shown);
    }
    Bytes::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).expect("a value"));
        headers
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        // 1994-11-06 08:49:37.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (value, seconds) in [
            ("120", Some(120)),
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("99999999999", Some(604_800)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:40:37 GMT", Some(0)),
            ("soon", None),
            ("-5", None),
            ("1.5", None),
        ] {
            let read = retry_after(&headers("retry-after", value), now);
            assert_eq!(read, seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn an_excerpt_shows_only_what_can_be_shown() {
        for (bytes, shown) in [
            (&b"all good\r\n\tyes"[..], "all good\n\tyes"),
            (b"\x1b[31mred\0", "\u{fffd}[31mred\u{fffd}"),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
            ("a\u{202e}b".as_bytes(), "a\u{fffd}b"),
        ] {
            assert_eq!(printable(bytes), shown);
        }
        let long = printable(&[0xff; EXCERPT_MAX]);
        assert!(long.len() <= EXCERPT_MAX && long.len() > EXCERPT_MAX - 3);
    }

    #[test]
    fn connections_last_as_version_and_header_say() {
        let none = HeaderMap::new();
        for (version, headers, lasting) in [
            (Version::HTTP_11, &none, true),
            (Version::HTTP_11, &headers("connection", "Close"), false),
            (Version::HTTP_11, &headers("connection", "x, close"), false),
            (Version::HTTP_10, &none, false),
            (Version::HTTP_10, &headers("connection", "Keep-Alive"), true),
        ] {
            assert_eq!(lasts(version, headers), lasting, "{version:?} {headers:?}");
        }
        assert_eq!(
            kept_idle(&headers("keep-alive", "max=3, timeout=5")),
            Some(Duration::from_secs(5))
        );
        assert_eq!(kept_idle(&headers("keep-alive", "max=3")), None);
    }
}
