//! Multipart forms, which only uploads use: their text becomes an ordinary form, their file is told by its digest. The
//! whole body is in memory by then, so this is a walk over it that copies nothing but text.

use crate::head::{Head, Known};
use crate::refused::Refused;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tollgate_domain::Reject;
use tollgate_domain::files::file::Upload;
use tollgate_resource::{Endpoint, ParamKind};
use tollgate_wire::forms::escape;

/// Most parts of a form.
const PARTS_MAX: usize = 128;
/// Longest head of a part, bytes.
const HEAD_BYTES_MAX: usize = 4 << 10;
/// Longest text of a part, bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// What a form takes besides its file, bytes.
pub(crate) const OVERHEAD_BYTES_MAX: u64 = 256 << 10;

/// A multipart form that was read.
#[derive(Debug)]
pub(crate) struct Received {
    /// Everything but the file's bytes, as an ordinary form.
    pub(crate) form: Vec<u8>,
    /// The file's bytes and their SHA-256.
    pub(crate) file: Option<(Bytes, [u8; 32])>,
}

/// The name of the parameter that takes a file, for operations that take one.
pub(crate) fn file_param<C>(endpoint: &Endpoint<C>) -> Option<&'static str> {
    let takes = |kind: &ParamKind| matches!(kind, ParamKind::File);
    let field = endpoint.params.fields.iter().find(|field| takes(&field.kind))?;
    Some(field.name)
}

/// Reads the body of an upload; `param` is the part that holds the file.
pub(crate) fn read(http: &Head, body: &Bytes, param: &str) -> Result<Received, Refused> {
    let header = http.text(Known::ContentType);
    let multipart = http.content_type().eq_ignore_ascii_case("multipart/form-data");
    let boundary = header.filter(|_| multipart).and_then(boundary);
    let Some(boundary) = boundary else {
        return Err(malformed("Send the file as a part of a multipart/form-data request."));
    };
    parse(body, &boundary, param).map_err(malformed)
}

fn malformed(message: &str) -> Refused {
    Reject::invalid(None, format!("Invalid request: {message}")).into()
}

/// The text between parts, of a content type.
fn boundary(content_type: &str) -> Option<String> {
    let mut params = content_type.split(';').skip(1).map(str::trim);
    let text = params.find_map(|param| {
        let (name, value) = param.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then(|| value.trim().trim_matches('"'))
    })?;
    (1..=70).contains(&text.len()).then(|| text.to_owned())
}

fn parse(body: &Bytes, boundary: &str, param: &str) -> Result<Received, &'static str> {
    const BROKEN: &str = "the multipart body is malformed.";
    let opening = format!("--{boundary}");
    let between = format!("\r\n--{boundary}");
    let mut received = Received {
        form: Vec::new(),
        file: None,
    };
    // A preamble is allowed and means nothing.
    let mut at = find(body, opening.as_bytes()).ok_or(BROKEN)? + opening.len();
    for _ in 0..PARTS_MAX {
        let rest = &body[at..];
        if rest.starts_with(b"--") {
            return Ok(received);
        }
        let line = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if !rest[line..].starts_with(b"\r\n") {
            return Err(BROKEN);
        }
        let head_at = at + line + 2;
        let head_room = &body[head_at..body.len().min(head_at + HEAD_BYTES_MAX)];
        let head_len = find(head_room, b"\r\n\r\n").ok_or(BROKEN)?;
        let head = std::str::from_utf8(&head_room[..head_len]).map_err(|_| BROKEN)?;
        let content_at = head_at + head_len + 4;
        let content_len = find(&body[content_at..], between.as_bytes()).ok_or(BROKEN)?;
        let content = body.slice(content_at..content_at + content_len);
        let (name, filename) = disposition(head).ok_or(BROKEN)?;
        let told;
        let text: &[u8] = if name == param {
            if received.file.is_some() {
                return Err("only one file can be uploaded at a time.");
            }
            let digest: [u8; 32] = Sha256::digest(&content).into();
            told = Upload::of(&content, digest, filename.as_deref()).text();
            received.file = Some((content, digest));
            told.as_bytes()
        } else if content.len() > TEXT_BYTES_MAX {
            return Err("a part other than the file is too long.");
        } else {
            &content
        };
        if !received.form.is_empty() {
            received.form.push(b'&');
        }
        escape(name.as_bytes(), &mut received.form);
        received.form.push(b'=');
        escape(text, &mut received.form);
        at = content_at + content_len + between.len();
    }
    Err("the multipart body has too many parts.")
}

/// The name of a part, and of its file, from the part's head.
fn disposition(head: &str) -> Option<(String, Option<String>)> {
    let line = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim()
            .eq_ignore_ascii_case("content-disposition")
            .then_some(value.trim())
    })?;
    let mut rest = line.strip_prefix("form-data")?;
    let (mut name, mut filename) = (None, None);
    while let Some((_, next)) = rest.split_once(';') {
        let (key, value) = next.split_once('=')?;
        let key = key.trim();
        let (value, after) = match value.trim_start().strip_prefix('"') {
            Some(quoted) => quoted_text(quoted)?,
            None => {
                let end = value.find(';').unwrap_or(value.len());
                (value[..end].trim().to_owned(), &value[end..])
            }
        };
        match key {
            "name" => name = Some(value),
            "filename" => filename = Some(value),
            _ => {}
        }
        rest = after;
    }
    // Browsers of old send a whole path.
    let filename = filename.map(|name| name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned());
    Some((name?, filename.filter(|name| !name.is_empty())))
}

/// Text up to its closing quote, and what follows. A backslash before a quote stands for the quote.
fn quoted_text(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((out, &text[at + 1..])),
            '\\' if text[at + 1..].starts_with(['"', '\\']) => out.push(letters.next()?.1),
            other => out.push(other),
        }
    }
    None
}

/// Where `wanted` first stands in `bytes`.
fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut at = 0;
    while let Some(step) = bytes[at..].iter().position(|byte| *byte == first) {
        at += step;
        if bytes[at..].starts_with(wanted) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "--x\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\ndispute_evidence\r\n--x\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".pdf\"\r\nContent-Type: application/pdf\r\n\r\n\
        %PDF-1.4\r\n--y\r\n\r\n--x\r\nContent-Disposition: form-data; name=\"expand[0]\"\r\n\r\nlinks\r\n--x--\r\n";

    fn read(body: &str) -> Result<Received, &'static str> {
        parse(&Bytes::copy_from_slice(body.as_bytes()), "x", "file")
    }

    #[test]
    fn text_becomes_a_form_and_the_file_is_told_by_its_digest() {
        let received = read(BODY).expect("a form");
        let (bytes, digest) = received.file.expect("a file");
        assert_eq!(bytes, Bytes::from_static(b"%PDF-1.4\r\n--y\r\n"));
        let form = String::from_utf8(received.form).expect("ASCII");
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            form,
            format!("purpose=dispute_evidence&file={hex}%3A15%3Apdf%3Aa%20%22b%22.pdf&expand[0]=links")
        );
    }

    #[test]
    fn a_form_that_breaks_off_is_refused() {
        for end in 0..BODY.len() - "--\r\n".len() {
            assert!(read(&BODY[..end]).is_err(), "{end}");
        }
        assert!(read("").is_err());
        let two = BODY.replace("name=\"purpose\"", "name=\"file\"");
        assert_eq!(read(&two).err(), Some("only one file can be uploaded at a time."));
    }

    #[test]
    fn boundaries_are_read_as_clients_write_them() {
        let read = |text| boundary(text);
        assert_eq!(read("multipart/form-data; boundary=abc"), Some("abc".into()));
        assert_eq!(
            read("multipart/form-data; charset=utf-8; Boundary=\"a b\""),
            Some("a b".into())
        );
        assert_eq!(read("multipart/form-data"), None);
        assert_eq!(read("multipart/form-data; boundary="), None);
    }

    #[test]
    fn names_of_parts_are_read_quoted_or_bare() {
        let read = |head| disposition(head);
        assert_eq!(
            read("Content-Disposition: form-data; name=file; filename=\"C:\\temp\\x.png\""),
            Some(("file".into(), Some("x.png".into())))
        );
        assert_eq!(
            read("content-disposition: form-data; filename=\"\"; name=\"a\""),
            Some(("a".into(), None))
        );
        assert_eq!(read("Content-Type: text/plain"), None);
        assert_eq!(read("Content-Disposition: form-data; name=\"a"), None);
    }
}
