//! Keys of the data directory's keyed hashes. Nothing here can be printed.

use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use tollgate_resource::{Id, Kind};

/// The keys, derived from one 32-byte secret that is drawn when the data is created.
#[derive(Clone)]
pub struct Secrets {
    seed: [u8; 32],
}

/// What a keyed hash is for; each purpose has a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `client_secret` of an object.
    ClientSecret = 1,
    /// Fingerprint of a card within an account.
    CardFingerprint = 2,
    /// Fingerprint of a request's parameters.
    RequestFingerprint = 3,
    /// Hash of an idempotency key.
    IdempotencyKey = 4,
    /// Check of the secret itself, stored so that a wrong secret is noticed.
    Check = 5,
    /// Key of the HMAC under which API keys are kept.
    ApiKey = 6,
}

impl Secrets {
    /// The keys that follow from `seed`.
    pub fn new(seed: [u8; 32]) -> Self {
        Secrets { seed }
    }

    /// A hasher under the key of `purpose`: SipHash-2-4-128, a keyed pseudo-random function.
    pub fn hasher(&self, purpose: Purpose) -> SipHasher24 {
        let half = |at: usize| -> [u8; 16] { self.seed[at..at + 16].try_into().expect("half of 32 bytes") };
        let mut derive = SipHasher24::new_with_key(&half(0));
        derive.write(&half(16));
        derive.write_u8(purpose as u8);
        SipHasher24::new_with_key(&derive.finish128().as_bytes())
    }

    /// 128-bit keyed hash of `bytes` for `purpose`.
    pub fn hash(&self, purpose: Purpose, bytes: &[u8]) -> u128 {
        let mut hasher = self.hasher(purpose);
        hasher.write(bytes);
        hasher.finish128().as_u128()
    }

    /// The client secret of an object: its id, `_secret_` and 25 base-62 digits of a keyed hash of the id.
    pub fn client_secret(&self, kind: &Kind, id: Id) -> String {
        const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let bits = id.bits().to_le_bytes();
        let mut value = self.hash(Purpose::ClientSecret, &bits);
        let mut out = id.text(kind);
        out.reserve(33);
        out.push_str("_secret_");
        for at in 0..25u8 {
            if at == 20 {
                value = self.hash(Purpose::ClientSecret, &[&bits[..], &[at]].concat());
            }
            out.push(DIGITS[(value % 62) as usize] as char);
            value /= 62;
        }
        out
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}
