//! An answer, read as its bytes come: its status, when to come back, and the beginning of its body as text that can be shown.
//!
//! Read here and not by an HTTP library, because a library's client wants a task of its own for each connection, a buffer for
//! each, and four hand-overs between that task and the one that waits: a third of what a delivery costs outside the system's
//! calls, for answers that are one small read. What is hard to read is read by libraries: heads and the sizes of chunks.

use bytes::Bytes;
use std::mem::MaybeUninit;
use std::time::{Duration, SystemTime};

/// Bytes of an answer's head at most. With it, as many of what stands between and behind the chunks of a body are read.
const HEAD_MAX: usize = 16 * 1_024;
/// Headers of an answer at most.
const HEADERS_MAX: usize = 100;
/// Bytes of a body that are read at most; a connection with more to come is closed.
pub const BODY_READ_MAX: usize = 64 * 1_024;
/// Bytes of a body that are kept at most.
pub const EXCERPT_MAX: usize = 2 * 1_024;
/// What `Retry-After` can ask for at most.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// An answer, read to its end or to the bound.
#[derive(Debug, PartialEq, Eq)]
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

/// Why bytes are no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wrong {
    NotHttp,
    HeadTooLarge,
}

/// An answer of which not everything has come.
#[derive(Default)]
pub(super) struct Reading {
    /// Bytes of a head that is not whole.
    partial: Vec<u8>,
    /// Bytes of heads, and of what else is no body.
    overhead: usize,
    head: Option<Head>,
    kept: Vec<u8>,
    read: usize,
}

struct Head {
    status: u16,
    retry_after: Option<Duration>,
    lasting: bool,
    kept_idle: Option<Duration>,
    rest: Rest,
}

/// What of a body is still to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rest {
    Bytes(u64),
    Chunks(Chunk),
    /// Everything until the connection ends.
    UntilEnd,
}

/// Where between chunks, or in one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Chunk {
    /// In the line of a chunk's size.
    Size(SizeLine),
    Data(u64),
    /// Behind the data, in the end of its line.
    DataEnd,
    /// Behind the last chunk; whether a line has begun.
    Trailer(bool),
    /// In the end of the line that ends everything.
    End,
}

/// The line of a chunk's size, as far as it has come: all that is kept of it is what it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct SizeLine {
    size: u64,
    digits: u8,
    /// Whether the digits are over.
    extension: bool,
    /// Whether the line's end has begun.
    ending: bool,
}

impl Reading {
    /// Takes what has come. The answer, when that is all of it, or all that is wanted.
    pub(super) fn take(&mut self, mut bytes: &[u8], now: impl Fn() -> SystemTime) -> Result<Option<Received>, Wrong> {
        while self.head.is_none() {
            let first = self.overhead == 0 && self.partial.is_empty();
            // Only the end of a line may be the end of a head; what is no HTTP at all shows in the first bytes.
            let may_end = first || bytes.contains(&b'\n');
            let before = self.partial.len();
            let from = if before == 0 {
                bytes
            } else {
                self.partial.extend_from_slice(bytes);
                &self.partial
            };
            let parsed = if may_end { parse(from, &now)? } else { None };
            let Some((head, len)) = parsed else {
                if self.overhead + from.len() > HEAD_MAX {
                    return Err(Wrong::HeadTooLarge);
                }
                if before == 0 {
                    self.partial.extend_from_slice(bytes);
                }
                return Ok(None);
            };
            bytes = &bytes[len - before..];
            self.partial = Vec::new();
            self.overhead += len;
            match head.status {
                _ if self.overhead > HEAD_MAX => return Err(Wrong::HeadTooLarge),
                200.. => self.head = Some(head),
                // It says something before the answer: that comes next.
                100 | 102..=199 => {}
                _ => return Err(Wrong::NotHttp),
            }
        }
        self.take_body(bytes)
    }

    /// The connection has ended. The answer, when that was its end.
    pub(super) fn end(self) -> Option<Received> {
        match &self.head {
            Some(Head {
                rest: Rest::UntilEnd, ..
            }) => Some(self.done(false)),
            _ => None,
        }
    }

    /// Whether the head is whole.
    pub(super) fn in_body(&self) -> bool {
        self.head.is_some()
    }

    fn take_body(&mut self, mut bytes: &[u8]) -> Result<Option<Received>, Wrong> {
        loop {
            let Some(head) = &mut self.head else { return Ok(None) };
            let data = match &mut head.rest {
                Rest::Bytes(0) => return Ok(Some(std::mem::take(self).done(bytes.is_empty()))),
                Rest::UntilEnd => bytes.len(),
                Rest::Bytes(left) | Rest::Chunks(Chunk::Data(left)) => {
                    let len = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= len as u64;
                    len
                }
                Rest::Chunks(_) => 0,
            };
            let (data, after) = bytes.split_at(data);
            bytes = after;
            let room = EXCERPT_MAX.saturating_sub(self.kept.len()).min(data.len());
            self.kept.extend_from_slice(&data[..room]);
            self.read = self.read.saturating_add(data.len());
            if self.read > BODY_READ_MAX {
                return Ok(Some(std::mem::take(self).done(false)));
            }
            if let Rest::Chunks(chunk) = head.rest {
                // What is no data is read byte by byte: there is little of it.
                let Some((byte, after)) = bytes.split_first() else {
                    return Ok(None);
                };
                bytes = after;
                self.overhead += 1;
                if self.overhead > HEAD_MAX {
                    return Ok(Some(std::mem::take(self).done(false)));
                }
                match chunk.next(*byte)? {
                    Some(next) => head.rest = Rest::Chunks(next),
                    None => head.rest = Rest::Bytes(0),
                }
            } else if bytes.is_empty() && head.rest != Rest::Bytes(0) {
                return Ok(None);
            }
        }
    }

    /// `whole`: nothing came behind it, and nothing of it is still to come.
    fn done(self, whole: bool) -> Received {
        let head = self.head.expect("an answer has a head");
        Received {
            status: head.status,
            retry_after: head.retry_after,
            excerpt: printable(&self.kept),
            lasting: whole && head.lasting,
            kept_idle: head.kept_idle,
        }
    }
}

impl Chunk {
    /// Where it is after a byte; `None` at the end of the body.
    fn next(self, byte: u8) -> Result<Option<Chunk>, Wrong> {
        let next = match (self, byte) {
            (Chunk::Size(line), byte) => line.next(byte)?,
            (Chunk::Data(0), b'\r') => Chunk::DataEnd,
            (Chunk::DataEnd, b'\n') => Chunk::Size(SizeLine::default()),
            (Chunk::Trailer(false), b'\r') => Chunk::End,
            (Chunk::Trailer(true), b'\n') => Chunk::Trailer(false),
            (Chunk::Trailer(begun), byte) if begun || byte != b'\n' => Chunk::Trailer(true),
            (Chunk::End, b'\n') => return Ok(None),
            _ => return Err(Wrong::NotHttp),
        };
        Ok(Some(next))
    }
}

impl SizeLine {
    fn next(self, byte: u8) -> Result<Chunk, Wrong> {
        let digit = char::from(byte).to_digit(16);
        let line = match (byte, digit) {
            (b'\n', _) if self.ending && self.size == 0 => return Ok(Chunk::Trailer(false)),
            (b'\n', _) if self.ending => return Ok(Chunk::Data(self.size)),
            _ if self.ending || self.digits == 0 && digit.is_none() => return Err(Wrong::NotHttp),
            (b'\r', _) => SizeLine { ending: true, ..self },
            (b'\n', _) => return Err(Wrong::NotHttp),
            _ if self.extension => self,
            (_, Some(digit)) if self.digits < 15 => SizeLine {
                size: self.size << 4 | u64::from(digit),
                digits: self.digits + 1,
                ..self
            },
            (b';' | b' ' | b'\t', _) => SizeLine {
                extension: true,
                ..self
            },
            _ => return Err(Wrong::NotHttp),
        };
        Ok(Chunk::Size(line))
    }
}

/// Reads a head and its length; `None` when it is not whole.
fn parse(bytes: &[u8], now: impl Fn() -> SystemTime) -> Result<Option<(Head, usize)>, Wrong> {
    let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    let len = match config.parse_response_with_uninit_headers(&mut response, bytes, &mut headers) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Wrong::HeadTooLarge),
        Err(_) => return Err(Wrong::NotHttp),
    };
    let (Some(status), Some(version)) = (response.code, response.version) else {
        return Err(Wrong::NotHttp);
    };
    let mut said = Said::default();
    for header in response.headers.iter() {
        said.hear(header.name, header.value, &now)?;
    }
    let rest = match (status, said.chunked, said.length) {
        (100..=199 | 204 | 304, ..) => Rest::Bytes(0),
        // Of an older version no chunks are known: whoever stands between might read another body.
        (_, Some(_), _) if version == 0 => return Err(Wrong::NotHttp),
        (_, Some(true), _) => Rest::Chunks(Chunk::Size(SizeLine::default())),
        (_, None, Some(length)) => Rest::Bytes(length),
        (_, Some(false), _) | (_, None, None) => Rest::UntilEnd,
    };
    let persists = if version == 1 { !said.close } else { said.keep_alive };
    let doubtful = said.chunked.is_some() && said.length.is_some();
    let head = Head {
        status,
        retry_after: said.retry_after,
        lasting: persists && !doubtful,
        kept_idle: said.kept_idle,
        rest,
    };
    Ok(Some((head, len)))
}

/// What the headers of an answer say.
#[derive(Default)]
struct Said {
    length: Option<u64>,
    /// Whether chunks are the last of its transfer codings, if it has any.
    chunked: Option<bool>,
    close: bool,
    keep_alive: bool,
    kept_idle: Option<Duration>,
    retry_after: Option<Duration>,
}

impl Said {
    fn hear(&mut self, name: &str, value: &[u8], now: impl Fn() -> SystemTime) -> Result<(), Wrong> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        // By length first: most names are told apart by it.
        match name.len() {
            10 if is("connection") => {
                for word in words(value) {
                    self.close |= word.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= word.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            10 if is("keep-alive") => self.kept_idle = self.kept_idle.or(kept_idle(value)),
            11 if is("retry-after") => self.retry_after = self.retry_after.or(retry_after(value, now())),
            14 if is("content-length") => {
                // Several are one, as long as they say the same.
                for word in words(value) {
                    let length = length(word).ok_or(Wrong::NotHttp)?;
                    if self.length.replace(length).is_some_and(|before| before != length) {
                        return Err(Wrong::NotHttp);
                    }
                }
            }
            17 if is("transfer-encoding") => {
                let last = words(value).last().unwrap_or_default();
                self.chunked = Some(last.eq_ignore_ascii_case(b"chunked"));
            }
            _ => {}
        }
        Ok(())
    }
}

/// The parts of a list.
fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// A length in digits only.
fn length(word: &[u8]) -> Option<u64> {
    let digits = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(word).ok().filter(|_| digits)?.parse().ok()
}

/// `Keep-Alive: timeout=5, max=100`.
fn kept_idle(value: &[u8]) -> Option<Duration> {
    let seconds = words(value).find_map(|part| part.strip_prefix(b"timeout="))?;
    length(seconds.trim_ascii()).map(Duration::from_secs)
}

/// `Retry-After` as seconds or as a date; a date that is over is at once.
fn retry_after(value: &[u8], now: SystemTime) -> Option<Duration> {
    let value = std::str::from_utf8(value).ok()?.trim();
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
#[path = "answer_tests.rs"]
mod tests;
