//! API keys, without their texts.

use crate::access::Permission;
use crate::account::AccountKey;
use tollgate_resource::{Names, Record};

/// Keyed hash of an API key's text (HMAC-SHA-256).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Record)]
pub struct ApiKeyHash {
    #[record(1)]
    high: u128,
    #[record(2)]
    low: u128,
}

impl ApiKeyHash {
    /// From the 32 bytes of the hash.
    pub fn from_bytes(bytes: [u8; 32]) -> ApiKeyHash {
        let half = |at: usize| u128::from_be_bytes(bytes[at..at + 16].try_into().expect("half of 32 bytes"));
        ApiKeyHash {
            high: half(0),
            low: half(16),
        }
    }
}

impl ApiKeyHash {
    /// Its first half.
    pub(crate) fn high(self) -> u128 {
        self.high
    }
}

impl std::fmt::Debug for ApiKeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Enough to tell keys apart in a failing test, too little to look one up.
        write!(f, "ApiKeyHash({:08x}…)", (self.high >> 96) as u32)
    }
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum ApiKeyKind {
    /// Everything: `sk_…`.
    #[record(1)]
    Secret,
    /// What a browser may do: `pk_…`.
    #[record(2)]
    Publishable,
    /// What its permissions say: `rk_…`.
    #[record(3)]
    Restricted,
}

impl ApiKeyKind {
    /// How such a key begins, in a mode.
    pub fn prefix(self, livemode: bool) -> &'static str {
        match (self, livemode) {
            (ApiKeyKind::Secret, false) => "sk_test_",
            (ApiKeyKind::Secret, true) => "sk_live_",
            (ApiKeyKind::Publishable, false) => "pk_test_",
            (ApiKeyKind::Publishable, true) => "pk_live_",
            (ApiKeyKind::Restricted, false) => "rk_test_",
            (ApiKeyKind::Restricted, true) => "rk_live_",
        }
    }
}

/// A key, without its text.
#[derive(Clone, Debug, PartialEq, Eq, Record)]
pub struct ApiKey {
    /// Hash of its text.
    #[record(1)]
    pub hash: ApiKeyHash,
    /// The account it opens, in its mode.
    #[record(2)]
    pub account: AccountKey,
    /// What it may do.
    #[record(3)]
    pub kind: ApiKeyKind,
    /// When it was made, milliseconds since the Unix epoch.
    #[record(4)]
    pub created_ms: u64,
    /// The last four characters of its text, for people who look for it in a list.
    #[record(5)]
    pub last4: Box<str>,
    /// When it was revoked, milliseconds since the Unix epoch.
    #[record(6)]
    pub revoked_ms: Option<u64>,
    /// What it may do, if it is a restricted one; empty for the others.
    #[record(7)]
    pub permissions: Vec<Permission>,
    /// From when on it opens nothing, milliseconds since the Unix epoch.
    #[record(8)]
    pub expires_ms: Option<u64>,
    /// When it was used last as far as was written, milliseconds since the Unix epoch; 0 for never.
    #[record(9)]
    pub used_ms: u64,
}

impl ApiKey {
    /// Whether it opens its account at `now_ms`.
    pub fn is_open(&self, now_ms: u64) -> bool {
        self.revoked_ms.is_none() && self.expires_ms.is_none_or(|at_ms| now_ms < at_ms)
    }
}

/// When a key was used last, to the minute.
#[derive(Clone, Debug, PartialEq, Eq, Record)]
pub struct KeyUse {
    /// The key.
    #[record(1)]
    pub hash: ApiKeyHash,
    /// When, milliseconds since the Unix epoch.
    #[record(2)]
    pub at_ms: u64,
}
