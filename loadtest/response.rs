//! Reads HTTP/1.1 responses out of a buffer: status, framing (length, chunks, until close), bounded everywhere.

/// Longest response head taken, in bytes.
pub(crate) const HEAD_LEN_MAX: usize = 16 * 1024;
/// Longest body taken, in bytes; a page of 100 payment intents is about 300 kB.
pub(crate) const BODY_LEN_MAX: usize = 8 * 1024 * 1024;
/// Longest line that states a chunk's size, in bytes.
const CHUNK_LINE_LEN_MAX: usize = 256;

/// What the head of a response says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Bytes of the head, the empty line included.
    pub(crate) len: usize,
    /// The status code.
    pub(crate) status: u16,
    /// How the body ends.
    pub(crate) framing: Framing,
    /// Whether the connection may carry another request.
    pub(crate) keep_alive: bool,
    /// Seconds the server asks to wait before another try.
    pub(crate) retry_after_s: Option<u32>,
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// After that many bytes.
    Length(usize),
    /// After an empty chunk.
    Chunked,
    /// When the server closes.
    UntilClose,
}

/// Bytes that are no HTTP/1.1 response, or exceed a limit; says what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Reads the head at the start of `bytes`; `None` while it is incomplete.
pub(crate) fn head(bytes: &[u8]) -> Result<Option<Head>, Malformed> {
    let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
        if bytes.len() > HEAD_LEN_MAX {
            return Err(Malformed("response head too long"));
        }
        return Ok(None);
    };
    if end > HEAD_LEN_MAX {
        return Err(Malformed("response head too long"));
    }
    let mut lines = Lines { rest: &bytes[..end] };
    let (status, http_1_0) = status_line(lines.next().unwrap_or_default())?;
    let mut length = None;
    let mut chunked = false;
    let mut keep_alive = !http_1_0;
    let mut retry_after_s = None;
    for line in lines {
        let colon = memchr::memchr(b':', line).ok_or(Malformed("header without a colon"))?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        // The name's length first: it rules out nearly every other header at once.
        match name.len() {
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                let said = number(value, 10).ok_or(Malformed("content-length is no number"))?;
                if length.is_some_and(|known| known != said) {
                    return Err(Malformed("two different content-lengths"));
                }
                if said > BODY_LEN_MAX {
                    return Err(Malformed("response body too long"));
                }
                length = Some(said);
            }
            11 if name.eq_ignore_ascii_case(b"retry-after") => {
                retry_after_s = number(value, 10).and_then(|seconds| seconds.try_into().ok());
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => chunked = value.eq_ignore_ascii_case(b"chunked"),
            10 if name.eq_ignore_ascii_case(b"connection") => {
                keep_alive =
                    (keep_alive && !value.eq_ignore_ascii_case(b"close")) || value.eq_ignore_ascii_case(b"keep-alive");
            }
            _ => {}
        }
    }
    let framing = match (chunked, length) {
        _ if status == 204 || status == 304 || status < 200 => Framing::Length(0),
        (true, _) => Framing::Chunked,
        (false, Some(length)) => Framing::Length(length),
        (false, None) => Framing::UntilClose,
    };
    keep_alive &= framing != Framing::UntilClose;
    Ok(Some(Head {
        len: end + 4,
        status,
        framing,
        keep_alive,
        retry_after_s,
    }))
}

/// Decodes a chunked body in place: raw chunks behind the head become one run of bytes that starts there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunks {
    raw: usize,
    decoded: usize,
    trailers: bool,
}

impl Chunks {
    /// A body whose first chunk starts at `at`.
    pub(crate) fn new(at: usize) -> Self {
        Chunks {
            raw: at,
            decoded: at,
            trailers: false,
        }
    }

    /// Decodes what has arrived in `bytes`. `Some((end of the decoded body, end of the raw one))` when complete.
    pub(crate) fn advance(&mut self, bytes: &mut [u8]) -> Result<Option<(usize, usize)>, Malformed> {
        loop {
            let Some(line_len) = memchr::memmem::find(&bytes[self.raw..], b"\r\n") else {
                if bytes.len() - self.raw > CHUNK_LINE_LEN_MAX {
                    return Err(Malformed("chunk line too long"));
                }
                return Ok(None);
            };
            let line = &bytes[self.raw..self.raw + line_len];
            let after = self.raw + line_len + 2;
            if self.trailers {
                self.raw = after;
                if line_len == 0 {
                    return Ok(Some((self.decoded, after)));
                }
                continue;
            }
            let digits = line.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
            let size = number(digits, 16).ok_or(Malformed("chunk size is no number"))?;
            if size > BODY_LEN_MAX {
                return Err(Malformed("response body too long"));
            }
            if size == 0 {
                self.trailers = true;
                self.raw = after;
                continue;
            }
            if bytes.len() < after + size + 2 {
                return Ok(None);
            }
            if &bytes[after + size..after + size + 2] != b"\r\n" {
                return Err(Malformed("chunk without an end"));
            }
            bytes.copy_within(after..after + size, self.decoded);
            self.decoded += size;
            self.raw = after + size + 2;
        }
    }
}

/// Lines of a head, split at CRLF.
struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\r', self.rest).unwrap_or(self.rest.len());
        let line = &self.rest[..end];
        self.rest = self.rest.get(end + 2..).unwrap_or_default();
        Some(line)
    }
}

fn status_line(line: &[u8]) -> Result<(u16, bool), Malformed> {
    let http_1_0 = match line.get(..9) {
        Some(b"HTTP/1.1 ") => false,
        Some(b"HTTP/1.0 ") => true,
        _ => return Err(Malformed("not an HTTP/1.1 status line")),
    };
    let digits = line.get(9..12).ok_or(Malformed("status is no number"))?;
    let status = number(digits, 10)
        .filter(|status| (100..600).contains(status))
        .ok_or(Malformed("status is no number"))?;
    Ok((status as u16, http_1_0))
}

fn number(digits: &[u8], radix: u32) -> Option<usize> {
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    let mut value = 0usize;
    for &byte in digits {
        value = value * radix as usize + (byte as char).to_digit(radix)? as usize;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_complete() {
        let text = b"HTTP/1.1 402 Payment Required\r\nContent-Type: application/json\r\ncontent-length: 17\r\n\r\n{";
        for cut in 0..text.len() - 1 {
            assert_eq!(head(&text[..cut]), Ok(None), "cut at {cut}");
        }
        let read = head(text).unwrap().unwrap();
        assert_eq!(
            read,
            Head {
                len: text.len() - 1,
                status: 402,
                framing: Framing::Length(17),
                keep_alive: true,
                retry_after_s: None
            }
        );
    }

    #[test]
    fn framing_and_keep_alive_follow_the_headers() {
        let cases: [(&str, Framing, bool); 6] = [
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked", Framing::Chunked, true),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close",
                Framing::Length(0),
                false,
            ),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5", Framing::Length(5), false),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive",
                Framing::Length(5),
                true,
            ),
            ("HTTP/1.1 200 OK", Framing::UntilClose, false),
            ("HTTP/1.1 204 No Content", Framing::Length(0), true),
        ];
        for (text, framing, keep_alive) in cases {
            let read = head(format!("{text}\r\n\r\n").as_bytes()).unwrap().unwrap();
            assert_eq!((read.framing, read.keep_alive), (framing, keep_alive), "{text}");
        }
    }

    #[test]
    fn what_is_no_response_is_refused() {
        let too_long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(HEAD_LEN_MAX));
        let cases = [
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 2x0 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            &too_long,
        ];
        for case in cases {
            assert!(head(case.as_bytes()).is_err(), "{}", &case[..case.len().min(60)]);
        }
    }

    #[test]
    fn chunks_decode_however_they_arrive() {
        let raw = b"4\r\nWiki\r\n6;x=y\r\npedia \r\nB\r\nin chunks.\n\r\n0\r\nTrailer: 1\r\n\r\n";
        for step in 1..raw.len() {
            let mut bytes = Vec::new();
            let mut chunks = Chunks::new(0);
            let mut done = None;
            for part in raw.chunks(step) {
                bytes.extend_from_slice(part);
                done = chunks.advance(&mut bytes).unwrap();
            }
            let (decoded, end) = done.unwrap_or_else(|| panic!("incomplete in steps of {step}"));
            assert_eq!((&bytes[..decoded], end), (&b"Wikipedia in chunks.\n"[..], raw.len()));
        }
    }

    #[test]
    fn a_bad_chunk_is_refused() {
        for raw in [&b"x\r\n"[..], b"2\r\nabc\r\n", b"fffffffffffffff\r\n"] {
            assert!(Chunks::new(0).advance(&mut raw.to_vec()).is_err());
        }
    }
}
