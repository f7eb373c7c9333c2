//! Signatures of deliveries: `Stripe-Signature` as official SDKs verify it, and on request the headers of the Standard
//! Webhooks convention. While a secret is being rolled there is one signature for each secret that is still valid.

use crate::secret::{ActiveSecret, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// Secrets of one endpoint that may be valid at the same time.
pub const SECRETS_MAX: usize = 5;
/// What every secret begins with.
pub const SECRET_PREFIX: &str = "whsec_";

/// What signs the deliveries of one endpoint: a key schedule for each of its secrets, computed once.
#[derive(Clone, Default)]
pub struct Signer {
    keys: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    /// Key is the whole text, as the SDKs take it.
    stripe: Hmac<Sha256>,
    /// Key is what the text stands for behind its prefix, as the libraries of the Standard Webhooks take it.
    standard: Hmac<Sha256>,
    /// Unix seconds from which on the secret is not used any more; `None` for the current one.
    until: Option<i64>,
}

impl Signer {
    /// Signs with `secrets`, the current one first, each until its time. Those beyond [`SECRETS_MAX`] are left out.
    pub fn new(secrets: &[ActiveSecret]) -> Self {
        let keys = secrets.iter().take(SECRETS_MAX);
        Self {
            keys: keys.map(|active| Key::new(&active.secret, active.until_s)).collect(),
        }
    }

    /// Appends the value of `Stripe-Signature` at `now` (unix seconds): `t=…`, and `v1=…` for each secret that is valid.
    pub fn stripe(&self, now: i64, body: &[u8], text: &mut String) {
        let mut stamp = itoa::Buffer::new();
        let stamp = stamp.format(now);
        text.push_str("t=");
        text.push_str(stamp);
        for key in self.valid(now) {
            let mut mac = key.stripe.clone();
            mac.update(stamp.as_bytes());
            mac.update(b".");
            mac.update(body);
            text.push_str(",v1=");
            push_hex(text, &mac.finalize().into_bytes());
        }
    }

    /// Appends the value of `webhook-signature` for message `id` at `now` (unix seconds), which are the values of `webhook-id` and
    /// `webhook-timestamp`: `v1,…` for each secret that is valid, parted by spaces.
    pub fn standard(&self, id: &str, now: i64, body: &[u8], text: &mut String) {
        let mut before = "v1,";
        let mut stamp = itoa::Buffer::new();
        let stamp = stamp.format(now);
        for key in self.valid(now) {
            let mut mac = key.standard.clone();
            for part in [id.as_bytes(), b".", stamp.as_bytes(), b".", body] {
                mac.update(part);
            }
            text.push_str(std::mem::replace(&mut before, " v1,"));
            STANDARD.encode_string(mac.finalize().into_bytes(), text);
        }
    }

    fn valid(&self, now: i64) -> impl Iterator<Item = &Key> {
        self.keys
            .iter()
            .filter(move |key| key.until.is_none_or(|until| now < until))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({} keys)", self.keys.len())
    }
}

impl Key {
    fn new(secret: &Secret, until: Option<i64>) -> Self {
        let text = secret.reveal();
        let rest = text.strip_prefix(SECRET_PREFIX).unwrap_or(text);
        // A secret that is no base64 is its own key: those libraries refuse it anyway, and Stripe's never look.
        let raw = Zeroizing::new(STANDARD.decode(rest).unwrap_or_else(|_| rest.as_bytes().to_vec()));
        Self {
            stripe: mac(text.as_bytes()),
            standard: mac(&raw),
            until,
        }
    }
}

/// A secret that follows from another, for who has no place to keep one: the same each time, and nobody without the other
/// can tell it.
pub fn derived(from: &str, what_for: &str) -> Secret {
    let mut mac = mac(from.as_bytes());
    mac.update(what_for.as_bytes());
    let mut text = SECRET_PREFIX.to_owned();
    push_hex(&mut text, &mac.finalize().into_bytes());
    Secret::new(text)
}

fn mac(key: &[u8]) -> Hmac<Sha256> {
    <Hmac<Sha256>>::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_test_webhook","object":"event"}"#;

    fn active(text: &str, until_s: Option<i64>) -> ActiveSecret {
        ActiveSecret {
            secret: Secret::new(text.to_owned()),
            until_s,
        }
    }

    fn signer(text: &str) -> Signer {
        Signer::new(&[active(text, None)])
    }

    fn stripe(signer: &Signer, now: i64) -> String {
        let mut text = String::new();
        signer.stripe(now, BODY, &mut text);
        text
    }

    fn standard(signer: &Signer, id: &str, now: i64, body: &[u8]) -> String {
        let mut text = String::new();
        signer.standard(id, now, body, &mut text);
        text
    }

    /// Computed with `openssl dgst -sha256 -hmac`, not with the code under test.
    #[test]
    fn signature_is_that_of_another_implementation() {
        let signer = signer("whsec_test_secret");
        assert_eq!(
            stripe(&signer, 1_700_000_000),
            "t=1700000000,v1=d95c6b7477fbd7e9f90b1b0ef5f9c7ac25abca5382460e0d988c2b2a5b71b990"
        );
    }

    /// The example of the convention's own text.
    #[test]
    fn standard_signature_is_that_of_the_conventions_example() {
        let signer = signer("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed = standard(
            &signer,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_valid_secret_signs_until_its_time() {
        let both = Signer::new(&[active("whsec_new", None), active("whsec_old", Some(100))]);
        let before = stripe(&both, 99);
        let old = stripe(&signer("whsec_old"), 99);
        let (_, of_old) = old.split_once(',').expect("two parts");
        assert_eq!(before.matches("v1=").count(), 2);
        assert!(before.ends_with(of_old), "the old one comes last");
        assert_eq!(stripe(&both, 100).matches("v1=").count(), 1);
        assert_eq!(standard(&both, "msg", 99, BODY).matches("v1,").count(), 2);
        assert_eq!(standard(&both, "msg", 99, BODY).matches(" v1,").count(), 1);
        assert_eq!(standard(&both, "msg", 100, BODY).matches("v1,").count(), 1);
    }

    #[test]
    fn no_more_than_the_most_secrets_sign() {
        let secrets: Vec<_> = (0..SECRETS_MAX + 2)
            .map(|n| active(&format!("whsec_{n}"), None))
            .collect();
        let signed = stripe(&Signer::new(&secrets), 1);
        assert_eq!(signed.matches("v1=").count(), SECRETS_MAX);
    }

    #[test]
    fn a_derived_secret_is_the_same_each_time() {
        let one = derived("sk_test_1", "listen");
        assert_eq!(one.reveal(), derived("sk_test_1", "listen").reveal());
        assert_ne!(one.reveal(), derived("sk_test_2", "listen").reveal());
        assert_ne!(one.reveal(), derived("sk_test_1", "else").reveal());
        assert!(one.reveal().starts_with(SECRET_PREFIX) && one.reveal().len() == 70);
    }

    #[test]
    fn nothing_prints_a_secret() {
        let one = active("whsec_abcdef", None);
        let signer = Signer::new(std::slice::from_ref(&one));
        let printed = format!("{one:?} {signer:?}");
        assert!(!printed.contains("abcdef"), "{printed}");
    }
}
