//! Pieces of JSON text.

/// Levels of indentation that are copied at once.
const INDENT_MAX: usize = 32;

/// A comma, a line end, and the deepest indentation.
static SEPARATOR: [u8; 2 + 2 * INDENT_MAX] = {
    let mut text = [b' '; 2 + 2 * INDENT_MAX];
    text[0] = b',';
    text[1] = b'\n';
    text
};

/// Starts a line at `depth`, after a comma unless it is the first of its container.
#[inline]
pub(super) fn line(out: &mut Vec<u8>, first: bool, depth: usize) {
    let from = usize::from(first);
    out.extend_from_slice(&SEPARATOR[from..2 + 2 * depth.min(INDENT_MAX)]);
    for _ in INDENT_MAX..depth {
        out.extend_from_slice(b"  ");
    }
}

/// Writes `"name": `; names need no escaping.
#[inline]
pub(super) fn key(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\": ");
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
    fn indentation_has_no_end() {
        let mut out = Vec::new();
        line(&mut out, false, 40);
        assert_eq!(out, [b",\n".to_vec(), vec![b' '; 80]].concat());
    }
}
