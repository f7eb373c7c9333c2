//! Keys of the data directory's keyed hashes. Nothing here can be printed.

use crate::account::AccountKey;
use crate::payments::card::{CardNumber, SealedNumber};
use crate::sealing::Sealing;
use crate::webhooks::webhook_endpoint::{SealedSecret, WebhookSecret};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use std::sync::Arc;
use tollgate_resource::id::{ID_DIGITS, write_digits};
use tollgate_resource::{Id, Kind};

/// The keys, derived from one 32-byte secret that is drawn when the data is created.
#[derive(Clone)]
pub struct Secrets {
    /// A hasher under the key of each purpose, in the order of [`PURPOSES`], with nothing hashed yet.
    hashers: [SipHasher24; PURPOSES.len()],
    /// What seals card numbers and secrets. None where none is kept: in tests, and where data is only read.
    vault: Option<Arc<dyn Sealing>>,
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
    /// Address of the page on which a card's holder proves who they are.
    ActionToken = 7,
    /// Proof that an ephemeral key is ours.
    EphemeralKey = 8,
    /// Address of a file link.
    FileLink = 9,
    /// Address of a charge's receipt.
    Receipt = 10,
    /// What nodes of the same data say to each other to be let in.
    Node = 11,
    /// Characters of the secret of a webhook endpoint.
    WebhookSecret = 12,
}

/// Every purpose, in the order of their numbers, which start at 1.
const PURPOSES: [Purpose; 12] = [
    Purpose::ClientSecret,
    Purpose::CardFingerprint,
    Purpose::RequestFingerprint,
    Purpose::IdempotencyKey,
    Purpose::Check,
    Purpose::ApiKey,
    Purpose::ActionToken,
    Purpose::EphemeralKey,
    Purpose::FileLink,
    Purpose::Receipt,
    Purpose::Node,
    Purpose::WebhookSecret,
];

impl Secrets {
    /// The keys that follow from `seed`.
    pub fn new(seed: [u8; 32]) -> Self {
        let half = |at: usize| -> [u8; 16] { seed[at..at + 16].try_into().expect("half of 32 bytes") };
        let hashers = PURPOSES.map(|purpose| {
            let mut derive = SipHasher24::new_with_key(&half(0));
            derive.write(&half(16));
            derive.write_u8(purpose as u8);
            SipHasher24::new_with_key(&derive.finish128().as_bytes())
        });
        Secrets { hashers, vault: None }
    }

    /// The same keys, with a vault for card numbers and secrets.
    pub fn with_vault(mut self, vault: Arc<dyn Sealing>) -> Self {
        self.vault = Some(vault);
        self
    }

    /// Seals a card number for an account, if there is a vault. `unique` is different for each call.
    pub(crate) fn seal(&self, number: &CardNumber, account: AccountKey, unique: [u64; 4]) -> Option<SealedNumber> {
        let vault = self.vault.as_deref()?;
        Some(vault.seal_number(number.expose(), account, unique))
    }

    /// Seals the secret of a webhook endpoint for an account, if there is a vault. `unique` is different for each call.
    pub(crate) fn seal_secret(
        &self,
        secret: &WebhookSecret,
        account: AccountKey,
        unique: [u64; 4],
    ) -> Option<SealedSecret> {
        let vault = self.vault.as_deref()?;
        Some(vault.seal_secret(secret, account, unique))
    }

    /// Opens the secret of a webhook endpoint: to show it once, or to sign with it. May read a file or a table, the first
    /// time after a rotation of master keys.
    ///
    /// # Errors
    /// It does not open; says why, and nothing of the secret.
    pub fn open_webhook_secret(&self, sealed: &SealedSecret) -> Result<WebhookSecret, Box<str>> {
        match self.vault.as_deref() {
            Some(vault) => vault.open_secret(sealed),
            None => Err("there is no vault here".into()),
        }
    }

    /// A hasher under the key of `purpose`: SipHash-2-4-128, a keyed pseudo-random function.
    pub fn hasher(&self, purpose: Purpose) -> SipHasher24 {
        self.hashers[purpose as usize - 1]
    }

    /// 128-bit keyed hash of `bytes` for `purpose`.
    pub fn hash(&self, purpose: Purpose, bytes: &[u8]) -> u128 {
        let mut hasher = self.hasher(purpose);
        hasher.write(bytes);
        hasher.finish128().as_u128()
    }

    /// The client secret of an object: its id, `_secret_` and 25 base-62 digits of a keyed hash of the id.
    pub fn client_secret(&self, kind: &Kind, id: Id) -> String {
        // Ten digits of each of two groups of the first hash, five of a second hash; the least significant of each first.
        const GROUP: u128 = 62u128.pow(10);
        let bits = id.bits().to_le_bytes();
        let first = self.hash(Purpose::ClientSecret, &bits);
        let rest = first / GROUP;
        let mut more = [0; 17];
        more[..16].copy_from_slice(&bits);
        more[16] = 20;
        let second = self.hash(Purpose::ClientSecret, &more);
        let mut digits = [0; SECRET_DIGITS];
        let groups = [
            first.wrapping_sub(rest.wrapping_mul(GROUP)),
            rest % GROUP,
            second % GROUP,
        ];
        for (group, digits) in groups.into_iter().zip(digits.chunks_mut(10)) {
            write_digits(group as u64, digits);
            digits.reverse();
        }
        let mut out = Vec::with_capacity(kind.prefix.len() + 1 + ID_DIGITS + SECRET_MARK.len() + SECRET_DIGITS);
        id.write(kind, &mut out);
        out.extend_from_slice(SECRET_MARK);
        out.extend_from_slice(&digits);
        String::from_utf8(out).expect("prefix and digits are ASCII")
    }
}

/// What stands between the id and the digits of a client secret.
const SECRET_MARK: &[u8] = b"_secret_";
/// Digits of a client secret behind the mark.
const SECRET_DIGITS: usize = 25;

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_stand_at_their_numbers() {
        assert!(
            PURPOSES
                .iter()
                .enumerate()
                .all(|(at, purpose)| *purpose as usize == at + 1)
        );
    }

    #[test]
    fn a_client_secret_is_what_it_was_in_the_first_release() {
        let secret = Secrets::new([7; 32]).client_secret(&crate::kinds::PAYMENT_INTENT, Id::from_bits(u128::MAX / 3));
        assert_eq!(secret, "pi_2b1LP5S1pDvFNviGIN5EXN_secret_Zf9HLBHIGXkA0ttItGwggup9e");
    }
}
