//! A form as pairs of text: split and unescaped once, into one buffer that the next request uses again.

use std::ops::Range;
use tollgate_resource::operation::Refused;
use zeroize::Zeroize;

/// Most pairs of one form. The largest declared operation has some 60 parameters, and 50 metadata keys.
pub const PAIRS_MAX: usize = 1_000;
/// Longest parameter name, brackets included, in bytes.
pub const KEY_LEN_MAX: usize = 512;

/// Decoded pairs, in order of appearance.
#[derive(Debug, Default)]
pub struct Pairs {
    text: String,
    spans: Vec<Span>,
}

/// Where a pair stands in the text.
#[derive(Clone, Copy, Debug)]
struct Span {
    key: (u32, u32),
    value: (u32, u32),
}

/// Writes a name or a value as [`Pairs`] reads it: all but letters, digits, brackets and a few signs escaped.
pub fn escape(text: &[u8], form: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text {
        if byte.is_ascii_alphanumeric() || b"-._~[]".contains(&byte) {
            form.push(byte);
        } else {
            form.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

impl Pairs {
    /// Reads `application/x-www-form-urlencoded` bytes, or a query string. Replaces what was read before.
    ///
    /// # Errors
    /// `Refused::Malformed` for a bad percent escape, NUL, bytes that are no UTF-8, a pair without a name, and for
    /// forms over a limit.
    pub fn read(&mut self, form: &[u8]) -> Result<(), Refused> {
        self.clear();
        let mut buffer = std::mem::take(&mut self.text).into_bytes();
        let split = unescape_pairs(form, &mut buffer, &mut self.spans);
        if split.is_ok() && buffer.contains(&0) {
            return Err(malformed(
                "The request's parameters contain a NUL character, which no parameter accepts.",
            ));
        }
        split?;
        self.text = String::from_utf8(buffer).map_err(|_| not_utf8())?;
        // Pairs lie side by side: half a character at the end of one and half at the start of the next is no text.
        let whole = |&(from, to): &(u32, u32)| {
            self.text.is_char_boundary(from as usize) && self.text.is_char_boundary(to as usize)
        };
        if !self.spans.iter().all(|span| whole(&span.key) && whole(&span.value)) {
            return Err(not_utf8());
        }
        Ok(())
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The name of pair `at`, e.g. `card[exp_month]`.
    pub fn key(&self, at: usize) -> &str {
        let (from, to) = self.spans[at].key;
        &self.text[from as usize..to as usize]
    }

    /// The value of pair `at`.
    pub fn value(&self, at: usize) -> &str {
        let (from, to) = self.spans[at].value;
        &self.text[from as usize..to as usize]
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        (0..self.len()).map(|at| (self.key(at), self.value(at)))
    }

    /// Adds a pair at the end.
    pub fn push(&mut self, key: &str, value: &str) {
        let mut put = |text: &str| {
            let from = self.text.len();
            self.text.push_str(text);
            span(from..self.text.len())
        };
        let (key, value) = (put(key), put(value));
        self.spans.push(Span { key, value });
    }

    /// Removes every pair whose name `drop` picks.
    pub fn remove(&mut self, mut drop: impl FnMut(&str) -> bool) {
        let text = &self.text;
        self.spans
            .retain(|span| !drop(&text[span.key.0 as usize..span.key.1 as usize]));
    }

    /// The pair's name as a place in the text, for [`Pairs::at`].
    pub(super) fn key_start(&self, at: usize) -> u32 {
        self.spans[at].key.0
    }

    /// The text at a place.
    pub(super) fn at(&self, place: (u32, u32)) -> &str {
        &self.text[place.0 as usize..place.1 as usize]
    }

    /// Forgets everything, and the buffers too when they grew beyond `keep` bytes.
    pub(super) fn shrink(&mut self, keep: usize) {
        self.clear();
        if self.text.capacity() > keep {
            *self = Pairs::default();
        }
    }

    /// Forgets everything, and leaves nothing of it in memory.
    pub(super) fn overwrite(&mut self) {
        self.text.zeroize();
        self.spans.clear();
    }

    fn clear(&mut self) {
        self.text.clear();
        self.spans.clear();
    }
}

/// Bytes that are not copied as they are: `%`, `+`, and the separators.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    special[b'%' as usize] = true;
    special[b'+' as usize] = true;
    special[b'&' as usize] = true;
    special[b'=' as usize] = true;
    special
};

/// Values of hexadecimal digits.
const HEX: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        values[b"0123456789abcdef"[digit] as usize] = digit as u8;
        values[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};
const NO_DIGIT: u8 = 255;

fn unescape_pairs(form: &[u8], out: &mut Vec<u8>, spans: &mut Vec<Span>) -> Result<(), Refused> {
    out.reserve(form.len());
    let mut at = 0;
    while at < form.len() {
        if form[at] == b'&' {
            at += 1;
            continue;
        }
        let key_from = out.len();
        at = unescape(form, at, true, out)?;
        let key = key_from..out.len();
        let value_from = out.len();
        if form.get(at) == Some(&b'=') {
            at = unescape(form, at + 1, false, out)?;
        }
        if key.is_empty() {
            return Err(malformed("The request contains a parameter without a name."));
        }
        if key.len() > KEY_LEN_MAX {
            return Err(Refused::Malformed(format!(
                "A parameter's name is longer than {KEY_LEN_MAX} bytes."
            )));
        }
        if spans.len() == PAIRS_MAX {
            return Err(Refused::Malformed(format!(
                "The request has more than {PAIRS_MAX} parameters."
            )));
        }
        spans.push(Span {
            key: span(key),
            value: span(value_from..out.len()),
        });
    }
    Ok(())
}

/// Copies from `at` to the end of the name or value, and says where that is.
fn unescape(form: &[u8], mut at: usize, in_key: bool, out: &mut Vec<u8>) -> Result<usize, Refused> {
    loop {
        let run = at;
        while at < form.len() && !SPECIAL[form[at] as usize] {
            at += 1;
        }
        out.extend_from_slice(&form[run..at]);
        match form.get(at) {
            None | Some(b'&') => return Ok(at),
            Some(b'=') if in_key => return Ok(at),
            Some(b'%') => {
                let digit = |at: usize| form.get(at).map_or(NO_DIGIT, |digit| HEX[*digit as usize]);
                let (high, low) = (digit(at + 1), digit(at + 2));
                if high == NO_DIGIT || low == NO_DIGIT {
                    return Err(malformed(
                        "The request's parameters contain a '%' that two hexadecimal digits do not follow.",
                    ));
                }
                out.push(high << 4 | low);
                at += 3;
            }
            Some(b'+') => {
                out.push(b' ');
                at += 1;
            }
            Some(other) => {
                out.push(*other);
                at += 1;
            }
        }
    }
}

fn span(range: Range<usize>) -> (u32, u32) {
    let place = |at: usize| u32::try_from(at).expect("a form is shorter than 4 GiB");
    (place(range.start), place(range.end))
}

fn malformed(message: &str) -> Refused {
    Refused::Malformed(message.into())
}

fn not_utf8() -> Refused {
    malformed("The request's parameters are not valid UTF-8.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(form: &[u8]) -> Result<Vec<(String, String)>, String> {
        let mut pairs = Pairs::default();
        match pairs.read(form) {
            Ok(()) => Ok(pairs.iter().map(|(key, value)| (key.into(), value.into())).collect()),
            Err(Refused::Malformed(message)) => Err(message),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn pairs_are_split_and_unescaped() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("", &[]),
            ("&&", &[]),
            ("a=1&b=2", &[("a", "1"), ("b", "2")]),
            ("a=1&&b=2&", &[("a", "1"), ("b", "2")]),
            ("a", &[("a", "")]),
            ("a=b=c", &[("a", "b=c")]),
            ("a=x+y%20z%2B", &[("a", "x y z+")]),
            ("a%5Bb%5d=%C3%A9", &[("a[b]", "é")]),
            ("a=é", &[("a", "é")]),
        ];
        for (form, expected) in cases {
            let expected: Vec<_> = expected
                .iter()
                .map(|(key, value)| (key.to_string(), value.to_string()))
                .collect();
            assert_eq!(read(form.as_bytes()), Ok(expected), "{form}");
        }
    }

    #[test]
    fn malformed_forms_are_refused_with_the_reason() {
        let long = format!("{}=1", "k".repeat(KEY_LEN_MAX + 1));
        let many = "a=1&".repeat(PAIRS_MAX + 1);
        let cases: &[(&[u8], &str)] = &[
            (b"a=%", "two hexadecimal digits"),
            (b"a=%2", "two hexadecimal digits"),
            (b"a=%zz", "two hexadecimal digits"),
            (b"a=%00", "NUL"),
            (b"a=\0", "NUL"),
            (b"a=%ff", "UTF-8"),
            (b"\xc3=\xa9", "UTF-8"),
            (b"a=%c3&%a9=1", "UTF-8"),
            (b"=1", "without a name"),
            (long.as_bytes(), "longer than 512"),
            (many.as_bytes(), "more than 1000"),
        ];
        for (form, reason) in cases {
            let message = read(form).expect_err("refused");
            assert!(message.contains(reason), "{message}");
        }
    }

    fn encode(pairs: &[(String, String)], spaces_as_plus: bool) -> String {
        let escape = |text: &str| -> String {
            text.bytes()
                .map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'[' | b']' => {
                        (byte as char).to_string()
                    }
                    b' ' if spaces_as_plus => "+".into(),
                    _ => format!("%{byte:02X}"),
                })
                .collect()
        };
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(key, value)| format!("{}={}", escape(key), escape(value)))
            .collect();
        pairs.join("&")
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(
            pairs in prop::collection::vec(("[^\\x00]{1,20}", "[^\\x00]{0,40}"), 0..20),
            plus in any::<bool>(),
        ) {
            prop_assert_eq!(read(encode(&pairs, plus).as_bytes()), Ok(pairs));
        }

        #[test]
        fn no_bytes_panic(form in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&form);
        }
    }
}
