//! API keys as text: how they look, how new ones are made, how they are hashed. The text is never kept.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use tollgate_domain::Secrets;
use tollgate_domain::directory::{ApiKeyHash, ApiKeyKind, SandboxKeys};
use tollgate_domain::secrets::Purpose;
use tollgate_resource::Record;

/// Longest text that is looked at as a key.
pub(crate) const TOKEN_LEN_MAX: usize = 255;
/// Random characters of a new key; clients check for at least 24.
const NEW_KEY_CHARS: usize = 32;
const CHARS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Hashes the text of API keys.
#[derive(Clone)]
pub(crate) struct KeyHasher {
    mac: Hmac<Sha256>,
    /// A fast keyed hash, by which a thread remembers what it has authenticated.
    short: SipHasher24,
}

impl KeyHasher {
    pub(crate) fn new(secrets: &Secrets) -> Self {
        let mut key = [0; 32];
        key[..16].copy_from_slice(&secrets.hash(Purpose::ApiKey, b"first half").to_le_bytes());
        key[16..].copy_from_slice(&secrets.hash(Purpose::ApiKey, b"second half").to_le_bytes());
        let mac = Hmac::new_from_slice(&key).expect("HMAC takes a key of any length");
        KeyHasher {
            mac,
            short: secrets.hasher(Purpose::ApiKey),
        }
    }

    /// HMAC-SHA-256 of a key's text: what is kept.
    pub(crate) fn hash(&self, token: &str) -> ApiKeyHash {
        let mut mac = self.mac.clone();
        mac.update(token.as_bytes());
        ApiKeyHash::from_bytes(mac.finalize().into_bytes().into())
    }

    /// 128 keyed bits of a key's text: for memory only.
    pub(crate) fn short(&self, token: &str) -> u128 {
        let mut hasher = self.short;
        hasher.write(token.as_bytes());
        hasher.finish128().as_u128()
    }

    /// The hashes of a sandbox's two keys, if `token` is one of them: `sk_test_X` or `pk_test_X`.
    pub(crate) fn sandbox(&self, token: &str) -> Option<Sandbox> {
        // A restricted key must say what it may do, so it cannot open a sandbox by its text alone.
        let kinds = [ApiKeyKind::Secret, ApiKeyKind::Publishable];
        let name = kinds.iter().find_map(|kind| token.strip_prefix(kind.prefix(false)))?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || token.len() > TOKEN_LEN_MAX || !name.bytes().all(plain) {
            return None;
        }
        let hash = |kind: ApiKeyKind| self.hash(&format!("{}{name}", kind.prefix(false)));
        Some(Sandbox {
            keys: SandboxKeys {
                secret: hash(ApiKeyKind::Secret),
                publishable: hash(ApiKeyKind::Publishable),
            },
            asked: self.hash(token),
            last4: last4(name),
        })
    }
}

/// A sandbox that a key opens.
#[derive(Debug, Record)]
pub(crate) struct Sandbox {
    #[record(1)]
    pub(crate) keys: SandboxKeys,
    /// The hash of the key that was used.
    #[record(2)]
    pub(crate) asked: ApiKeyHash,
    #[record(3)]
    pub(crate) last4: String,
}

/// Makes the text of a new key from the operating system's randomness.
pub(crate) fn new_key(kind: ApiKeyKind, livemode: bool) -> String {
    let mut text = kind.prefix(livemode).to_owned();
    let end = text.len() + NEW_KEY_CHARS;
    while text.len() < end {
        let mut bytes = [0u8; 64];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        // Of 64 values 62 are used, so that every character is equally likely.
        let chars = bytes.iter().filter_map(|byte| CHARS.get(usize::from(byte & 63)));
        text.extend(chars.take(end - text.len()).map(|byte| char::from(*byte)));
    }
    text
}

/// A random number for the id of a new account.
pub(crate) fn random_word() -> u64 {
    getrandom::u64().expect("the operating system gives random bytes")
}

/// The last four characters, for people who look for a key in a list.
pub(crate) fn last4(token: &str) -> String {
    let start = token.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
    token[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher() -> KeyHasher {
        KeyHasher::new(&Secrets::new([7; 32]))
    }

    #[test]
    fn new_keys_look_as_clients_expect() {
        let (one, two) = (new_key(ApiKeyKind::Secret, false), new_key(ApiKeyKind::Secret, false));
        assert!(one.starts_with("sk_test_") && one.len() == 8 + NEW_KEY_CHARS);
        assert!(one[8..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(one, two);
    }

    #[test]
    fn both_keys_of_a_sandbox_name_the_same_one() {
        let hasher = hasher();
        let secret = hasher.sandbox("sk_test_shop_1").expect("a sandbox key");
        let publishable = hasher.sandbox("pk_test_shop_1").expect("a sandbox key");
        assert_eq!(secret.keys, publishable.keys);
        assert_eq!(
            (secret.asked, publishable.asked),
            (secret.keys.secret, secret.keys.publishable)
        );
        assert_eq!(secret.last4, "op_1");
    }

    #[test]
    fn live_keys_and_odd_text_open_no_sandbox() {
        let hasher = hasher();
        let long = format!("sk_test_{}", "a".repeat(TOKEN_LEN_MAX));
        for token in [
            "sk_live_x",
            "sk_test_",
            "sk_test_a-b",
            "sk_test_ä",
            "rk_test_x",
            "",
            &long,
        ] {
            assert!(hasher.sandbox(token).is_none(), "{token}");
        }
    }

    #[test]
    fn hashes_depend_on_the_secret_of_the_data() {
        let other = KeyHasher::new(&Secrets::new([8; 32]));
        assert_ne!(hasher().hash("sk_test_x"), other.hash("sk_test_x"));
    }
}
