//! Pieces of JSON text.

use tollgate_resource::shown::{FieldShape, LEAD_BYTES, LEAD_COPIED, LEAD_INDENT};

/// No value.
pub(super) const NULL: &[u8] = b"null";

/// A comma and a new line with the indentation of the deepest usual container.
const LINE: [u8; 32] = *b",\n                              ";

/// Starts a line at `depth` after one byte: a comma, or the bracket that opens the container.
#[inline]
pub(super) fn line(out: &mut Vec<u8>, before: u8, depth: usize) {
    let start = out.len();
    let end = start + 2 + 2 * depth;
    // A copy whose length the compiler knows, cut to size, costs less than a fill of the right length.
    out.extend_from_slice(&LINE);
    out.resize(end, b' ');
    out[start] = before;
}

/// Ends a container that opened at `depth`.
#[inline]
pub(super) fn close(out: &mut Vec<u8>, bracket: u8, depth: usize) {
    let end = out.len() + 1 + 2 * depth;
    out.extend_from_slice(LINE.last_chunk::<31>().expect("all but the comma"));
    out.resize(end, b' ');
    out.push(bracket);
}

/// Starts a line at `depth` and writes `"name": `; names need no escaping.
#[inline]
pub(super) fn member(out: &mut Vec<u8>, before: u8, depth: usize, name: &str) {
    line(out, before, depth);
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\": ");
}

/// The lines of a hash's members, which all stand at one depth and mostly lie ready up to the indentation.
#[derive(Clone, Copy)]
pub(super) struct Lines {
    depth: usize,
    /// The bytes in front of the name's quote: what comes before the line, the new line and the indentation.
    indent: usize,
    /// Where the line begins in a [`FieldShape::lead`]; at its end where it stands too deep.
    from: usize,
}

impl Lines {
    #[inline]
    pub(super) fn at(depth: usize) -> Lines {
        let indent = 2 + 2 * depth;
        Lines {
            depth,
            indent,
            from: LEAD_INDENT.checked_sub(indent).unwrap_or(LEAD_BYTES),
        }
    }

    /// As [`member`], of a field.
    #[inline]
    pub(super) fn field(self, out: &mut Vec<u8>, before: u8, field: &FieldShape) {
        if !self.ready(out, before, field, 0) {
            member(out, before, self.depth, field.name);
        }
    }

    /// The same, and that it is null.
    #[inline]
    pub(super) fn null(self, out: &mut Vec<u8>, before: u8, field: &FieldShape) {
        if !self.ready(out, before, field, NULL.len()) {
            member(out, before, self.depth, field.name);
            out.extend_from_slice(NULL);
        }
    }

    /// Copies the line, with so many bytes behind the space; says whether it lay ready.
    #[inline]
    fn ready(self, out: &mut Vec<u8>, before: u8, field: &FieldShape, behind: usize) -> bool {
        // The name has two quotes, a colon and a space.
        let len = self.indent + field.name.len() + 4 + behind;
        let ready = field.lead.get(self.from..).and_then(<[u8]>::first_chunk::<LEAD_COPIED>);
        match ready {
            Some(ready) if len <= LEAD_COPIED => {
                let start = out.len();
                out.extend_from_slice(ready);
                out[start..start + 2].copy_from_slice(&[before, b'\n']);
                out.truncate(start + len);
                true
            }
            _ => false,
        }
    }
}

/// Writes text in quotes.
#[inline]
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if is_plain(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
    } else {
        escaped(out, text);
    }
    out.push(b'"');
}

/// Whether nothing in it needs an escape, which is the usual case. Eight bytes are looked at together, at the end some of
/// them once more.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<8>() else {
        return !text.iter().any(|byte| needs_escape(*byte));
    };
    let (words, _) = text.as_chunks::<8>();
    let mut found = escapes(u64::from_le_bytes(*last));
    for word in words {
        found |= escapes(u64::from_le_bytes(*word));
    }
    found == 0
}

/// Not zero if one of eight bytes needs an escape.
#[inline]
fn escapes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    // The top bit of each byte that is less than `limit` (at most 128): it borrows, and had no top bit of its own. The byte
    // above one that borrows may be found too, which does not matter: there is one then.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | is(b'"') | is(b'\\')) & (ONES << 7)
}

/// Writes an integer.
#[inline]
pub(super) fn int(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes a boolean.
#[inline]
pub(super) fn bool(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

#[inline]
fn needs_escape(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

fn escaped(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if !needs_escape(byte) {
            continue;
        }
        out.extend_from_slice(&bytes[from..at]);
        from = at + 1;
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            _ => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
    out.extend_from_slice(&bytes[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tollgate_domain::events::EventDataShown;
    use tollgate_resource::Shown;
    use tollgate_resource::shown::HasShape;

    proptest! {
        #[test]
        fn any_text_reads_back(text in any::<String>()) {
            let mut out = Vec::new();
            string(&mut out, &text);
            let read: String = serde_json::from_slice(&out).expect("it is JSON");
            prop_assert_eq!(read, text);
        }
    }

    #[test]
    fn one_byte_that_needs_an_escape_is_found_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for len in 1..=40 {
                for at in 0..len {
                    let mut text = vec![0xff; len];
                    text[at] = byte;
                    assert_eq!(is_plain(&text), !needs_escape(byte), "{byte} at {at} of {len}");
                }
            }
        }
    }

    #[test]
    fn control_characters_quotes_and_backslashes_are_escaped() {
        let mut out = Vec::new();
        string(&mut out, "a\"b\\c\n\u{1}\u{7f}é\u{2028}");
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\"a\\\"b\\\\c\\n\\u0001\u{7f}é\u{2028}\""
        );
    }

    #[test]
    fn a_line_that_lies_ready_is_the_line_put_together() {
        /// Names of all lengths.
        #[derive(Shown)]
        struct Names {
            /// Shortest.
            a: bool,
            /// Copied where it does not stand deep.
            payment_method_configuration_details: bool,
            /// Longer than what is copied.
            a_name_that_is_longer_than_any_member_of_any_object: bool,
        }
        let made_by_hand = EventDataShown::SHAPE.fields;
        for field in Names::SHAPE.fields.iter().chain(made_by_hand) {
            for depth in 0..=LEAD_INDENT {
                let mut together = b"x".to_vec();
                member(&mut together, b'{', depth, field.name);
                let (mut ready, mut null) = (b"x".to_vec(), b"x".to_vec());
                Lines::at(depth).field(&mut ready, b'{', field);
                Lines::at(depth).null(&mut null, b'{', field);
                let together = String::from_utf8(together).unwrap();
                assert_eq!(String::from_utf8(ready).unwrap(), together);
                assert_eq!(String::from_utf8(null).unwrap(), together + "null");
            }
        }
    }

    #[test]
    fn lines_start_with_their_indentation() {
        let mut out = Vec::new();
        member(&mut out, b'{', 1, "a");
        int(&mut out, 1);
        member(&mut out, b',', 1, "b");
        line(&mut out, b'[', 2);
        bool(&mut out, true);
        close(&mut out, b']', 1);
        close(&mut out, b'}', 0);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\n  \"a\": 1,\n  \"b\": [\n    true\n  ]\n}"
        );
    }
}
