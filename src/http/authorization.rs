//! The `Authorization` header: an API key as a bearer token or as the user name of Basic authentication.

use crate::head::readable;
use std::borrow::Cow;
use std::fmt;

/// An API key as a client sent it. It cannot be printed whole.
pub(crate) struct Token<'a>(Cow<'a, str>);

/// What the header holds.
pub(crate) enum Authorization<'a> {
    /// There is no header, or it names no key.
    Missing,
    /// Something that is no key of any kind: another scheme, no text.
    Malformed,
    /// A key, which may be wrong.
    Key(Token<'a>),
}

/// Longest key that is looked up; ours are shorter than 64 bytes.
const TOKEN_BYTES_MAX: usize = 255;

impl<'a> Authorization<'a> {
    /// Reads the header.
    pub(crate) fn read(header: Option<&'a [u8]>) -> Authorization<'a> {
        let Some(header) = header else {
            return Authorization::Missing;
        };
        // As nearly every client writes it; whatever else there may be is looked at piece by piece.
        if let Some(key) = plain_bearer(header) {
            return Authorization::Key(Token(Cow::Borrowed(key)));
        }
        let Some(text) = readable(header) else {
            return Authorization::Malformed;
        };
        let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let rest = rest.trim();
        let token = if scheme.eq_ignore_ascii_case("bearer") {
            Cow::Borrowed(rest)
        } else if scheme.eq_ignore_ascii_case("basic") {
            match basic_user(rest) {
                Some(user) => Cow::Owned(user),
                None => return Authorization::Malformed,
            }
        } else {
            return Authorization::Malformed;
        };
        match token.len() {
            0 => Authorization::Missing,
            1..=TOKEN_BYTES_MAX => Authorization::Key(Token(token)),
            _ => Authorization::Malformed,
        }
    }
}

impl<'a> Token<'a> {
    /// A key that stood elsewhere than in the header.
    pub(crate) fn of(text: &'a str) -> Token<'a> {
        Token(Cow::Borrowed(text))
    }
}

impl Token<'_> {
    /// The key itself, for looking it up.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// The key of `Bearer KEY`, where the key is one word of ordinary length.
fn plain_bearer(header: &[u8]) -> Option<&str> {
    let key = header.strip_prefix(b"Bearer ")?;
    let word = key.iter().fold(true, |word, byte| word & (0x21..0x7f).contains(byte));
    let ordinary = word && (1..=TOKEN_BYTES_MAX).contains(&key.len());
    ordinary.then(|| std::str::from_utf8(key).ok()).flatten()
}

/// The user name of `base64(user:password)`; the password must be empty or absent, as clients of this API leave it.
fn basic_user(encoded: &str) -> Option<String> {
    let bytes = base64(encoded)?;
    let text = String::from_utf8(bytes).ok()?;
    let user = text.split_once(':').map_or(text.as_str(), |(user, _)| user);
    Some(user.trim().to_owned())
}

/// Decodes standard base64, with or without padding.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    // Longer than any key: the caller would refuse it anyway.
    if digits.len() > 2 * TOKEN_BYTES_MAX || digits.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut bits, mut held) = (0u32, 0u32);
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expected: &str) {
        let found = match Authorization::read(Some(header.as_bytes())) {
            Authorization::Missing => "missing".to_owned(),
            Authorization::Malformed => "malformed".to_owned(),
            Authorization::Key(token) => token.secret().to_owned(),
        };
        assert_eq!(found, expected, "{header}");
    }

    #[test]
    fn bearer_and_basic_name_the_key_and_others_do_not() {
        check("Bearer sk_test_abc", "sk_test_abc");
        check("bearer   sk_test_abc ", "sk_test_abc");
        check("Basic c2tfdGVzdF9hYmM6", "sk_test_abc");
        check("Basic c2tfdGVzdF9hYmM=", "sk_test_abc");
        check("Basic c2tfdGVzdF9hYmM6cGFzcw==", "sk_test_abc");
        check("Bearer", "missing");
        check("Bearer ", "missing");
        check("Basic Og==", "missing");
        check("Basic !!!", "malformed");
        check("Digest username=x", "malformed");
        check(&format!("Bearer {}", "k".repeat(256)), "malformed");
    }

    #[test]
    fn a_token_does_not_print() {
        assert_eq!(format!("{:?}", Token("sk_live_secret".into())), "Token(..)");
    }
}
