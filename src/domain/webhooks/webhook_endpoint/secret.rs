//! What deliveries are signed with. A secret is kept under lock; it is opened to be shown once, and to sign.

use crate::account::AccountKey;
use crate::decision::Case;
use crate::sealing::{SEALED_TAG_LEN, Wrapping};
use crate::secrets::Purpose;
use std::fmt;
use tollgate_resource::Record;
use tollgate_resource::id::write_digits;
use zeroize::{Zeroize, Zeroizing};

/// What a secret begins with, as it is shown and as receivers use it.
pub const SECRET_START: &str = "whsec_";
/// Characters of a secret behind that.
pub const SECRET_LEN: usize = 32;
/// The last bytes of the token of every sealed secret, by which those who serve find what a rotation has wrapped anew among
/// the card numbers.
pub const SEALED_SECRET_TAG: [u8; 4] = *b"whs1";

/// Digits that are taken from a hash at once, and what so many count to.
const GROUP_LEN: usize = 10;
const GROUP: u128 = 62u128.pow(GROUP_LEN as u32);

/// A secret. It cannot be printed, and is zeroed when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret([u8; SECRET_LEN]);

/// A sealed secret: encrypted under a key of its own, which is encrypted under a master key.
#[derive(Clone, PartialEq, Eq, Record)]
pub struct SealedSecret {
    /// Names it for ever, through copies and rotations.
    #[record(1)]
    pub token: [u8; 16],
    /// The account it belongs to; it opens for no other.
    #[record(2)]
    pub account: AccountKey,
    /// Number of the master key that wraps the data key.
    #[record(3)]
    pub master_key: u32,
    /// The data key, wrapped.
    #[record(4)]
    pub data_key: [u8; 32 + SEALED_TAG_LEN],
    /// The secret, sealed under the data key.
    #[record(5)]
    pub secret: [u8; SECRET_LEN + SEALED_TAG_LEN],
}

/// A secret of an endpoint.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct EndpointSecret {
    /// The secret under lock; `None` only where there is no vault.
    #[record(1)]
    pub sealed: Option<Box<SealedSecret>>,
    /// From when on nothing is signed with it, milliseconds since the Unix epoch; `None` for the newest.
    #[record(2)]
    pub expires_ms: Option<u64>,
}

impl EndpointSecret {
    /// A new secret, drawn from the entropy of the decision.
    pub(in crate::webhooks) fn draw(case: &Case<'_>) -> EndpointSecret {
        let (account, inputs) = (case.world.account, case.inputs);
        let unique = [inputs.entropy[0], inputs.entropy[1], account.seq, inputs.now_ms];
        let mut chars = [0; SECRET_LEN];
        // Twenty digits from each hash: the remainders of 128 bits by 62^10 are as good as even.
        for (block, chars) in chars.chunks_mut(2 * GROUP_LEN).enumerate() {
            let mut bytes = Zeroizing::new([0; 41]);
            for (at, word) in unique.iter().enumerate() {
                bytes[8 * at..8 * at + 8].copy_from_slice(&word.to_le_bytes());
            }
            bytes[32..40].copy_from_slice(&account.profile.key.0.to_le_bytes());
            bytes[40] = block as u8;
            let mut rest = inputs.secrets.hash(Purpose::WebhookSecret, &bytes[..]);
            for digits in chars.chunks_mut(GROUP_LEN) {
                write_digits((rest % GROUP) as u64, digits);
                rest /= GROUP;
            }
        }
        let secret = WebhookSecret(chars);
        chars.zeroize();
        let sealed = inputs.secrets.seal_secret(&secret, account.profile.key, unique);
        EndpointSecret {
            sealed: sealed.map(Box::new),
            expires_ms: None,
        }
    }

    /// Whether deliveries are signed with it at `now_ms`.
    pub fn is_valid(&self, now_ms: u64) -> bool {
        self.expires_ms.is_none_or(|end| now_ms < end)
    }
}

impl WebhookSecret {
    /// The secret of these characters, which a vault has opened; `None` when there are not just so many.
    pub fn of(chars: &[u8]) -> Option<WebhookSecret> {
        let known = chars.iter().all(u8::is_ascii_alphanumeric);
        chars.try_into().ok().filter(|_| known).map(WebhookSecret)
    }

    /// The characters behind [`SECRET_START`], for a vault. Whoever asks must neither keep nor print them.
    pub fn expose(&self) -> &[u8; SECRET_LEN] {
        &self.0
    }

    /// The whole text, as it is shown once and as the bytes of which receivers key their check. Zeroed when dropped.
    pub fn text(&self) -> Zeroizing<String> {
        let chars = std::str::from_utf8(&self.0).expect("digits are ASCII");
        Zeroizing::new(format!("{SECRET_START}{chars}"))
    }
}

impl SealedSecret {
    /// How its data key is wrapped.
    pub fn wrapping(&self) -> Wrapping {
        Wrapping {
            token: self.token,
            account: self.account,
            master_key: self.master_key,
            data_key: self.data_key,
        }
    }
}

impl Drop for WebhookSecret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}
impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedSecret(master key {})", self.master_key)
    }
}
