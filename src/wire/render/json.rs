//! Pieces of JSON text.

use tollgate_resource::shown::{FieldShape, LEAD_COPIED, LEAD_INDENT};

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
    let start = out.len();
    out.resize(start + 2 + 2 * depth, b' ');
    out[start] = b'\n';
    out[start + 1 + 2 * depth] = bracket;
}

/// Starts a line at `depth` and writes `"name": `; names need no escaping.
#[inline]
pub(super) fn member(out: &mut Vec<u8>, before: u8, depth: usize, name: &str) {
    line(out, before, depth);
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\": ");
}

/// As [`member`], of a field whose line lies ready up to the indentation.
#[inline]
pub(super) fn field(out: &mut Vec<u8>, before: u8, depth: usize, field: &FieldShape) {
    // The line's first two bytes, the indentation, and the name with its two quotes, colon and space.
    let len = 2 + 2 * depth + field.name.len() + 4;
    let from = LEAD_INDENT.checked_sub(2 + 2 * depth);
    let ready = from.and_then(|from| field.lead.as_bytes().get(from..)?.first_chunk::<LEAD_COPIED>());
    match ready {
        Some(ready) if len <= LEAD_COPIED => {
            let start = out.len();
            out.extend_from_slice(ready);
            out.truncate(start + len);
            out[start..start + 2].copy_from_slice(&[before, b'\n']);
        }
        _ => member(out, before, depth, field.name),
    }
}

/// Writes text in quotes.
#[inline]
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    // One pass without branches tells the usual case, in which everything is copied at once.
    let plain = text.bytes().fold(true, |plain, byte| plain & !needs_escape(byte));
    if plain {
        out.extend_from_slice(text.as_bytes());
    } else {
        escaped(out, text);
    }
    out.push(b'"');
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
                let (mut ready, mut together) = (b"x".to_vec(), b"x".to_vec());
                super::field(&mut ready, b'{', depth, field);
                member(&mut together, b'{', depth, field.name);
                assert_eq!(String::from_utf8(ready), String::from_utf8(together));
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
