//! The text of an ephemeral key: account, id, and a keyed hash of both, so that it needs no list to be known.

use super::EphemeralKey;
use crate::kinds;
use crate::secrets::{Purpose, Secrets};
use tollgate_resource::Id;
use tollgate_resource::id::ID_DIGITS;

/// How the text begins, before the mode.
pub const SECRET_START: &str = "ek_";

/// What the text of a key says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The account it belongs to.
    pub account: Id,
    /// Its mode.
    pub livemode: bool,
    /// The key.
    pub key: Id,
}

impl Bearer {
    /// Reads a key's text; `None` when nobody with these secrets wrote it.
    pub fn read(text: &str, secrets: &Secrets) -> Option<Bearer> {
        let rest = text.strip_prefix(SECRET_START)?;
        let (livemode, rest) = match rest.strip_prefix("test_") {
            Some(rest) => (false, rest),
            None => (true, rest.strip_prefix("live_")?),
        };
        let account = kinds::ACCOUNT.parse(&format!("acct_{}", rest.get(..ID_DIGITS)?))?;
        let key = kinds::EPHEMERAL_KEY.parse(&format!("ephkey_{}", rest.get(ID_DIGITS..2 * ID_DIGITS)?))?;
        let bearer = Bearer { account, livemode, key };
        (bearer.text(secrets) == text).then_some(bearer)
    }

    /// The key's text.
    pub fn text(&self, secrets: &Secrets) -> String {
        let mode = if self.livemode { "live" } else { "test" };
        let digits = |text: String| text.rsplit('_').next().unwrap_or_default().to_owned();
        let account = digits(self.account.text(&kinds::ACCOUNT));
        let key = digits(self.key.text(&kinds::EPHEMERAL_KEY));
        let mut bytes = [0; 33];
        bytes[..16].copy_from_slice(&self.account.bits().to_le_bytes());
        bytes[16..32].copy_from_slice(&self.key.bits().to_le_bytes());
        bytes[32] = u8::from(self.livemode);
        let proof = secrets.hash(Purpose::EphemeralKey, &bytes);
        format!("{SECRET_START}{mode}_{account}{key}{proof:032x}")
    }
}

impl EphemeralKey {
    /// Its text, in its mode.
    pub(super) fn text(&self, livemode: bool, secrets: &Secrets) -> String {
        let bearer = Bearer {
            account: self.account,
            livemode,
            key: self.id,
        };
        bearer.text(secrets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_its_key_and_no_other_text_does() {
        let secrets = Secrets::new([7; 32]);
        let bearer = Bearer {
            account: Id::new(&kinds::ACCOUNT, 1_795_176_000_000, 1, 5),
            livemode: false,
            key: Id::new(&kinds::EPHEMERAL_KEY, 1_795_176_000_000, 9, 5),
        };
        let text = bearer.text(&secrets);
        assert!(text.starts_with("ek_test_") && text.len() == 84, "{text}");
        assert_eq!(Bearer::read(&text, &secrets), Some(bearer));
        let last = if text.ends_with('0') { "1" } else { "0" };
        for wrong in [
            &text.replace("test", "live"),
            &format!("{}{last}", &text[..text.len() - 1]),
            &text[..60],
            &format!("{text}0"),
            "ek_test_ä",
            "ek_",
            "",
        ] {
            assert_eq!(Bearer::read(wrong, &secrets), None, "{wrong}");
        }
        assert_eq!(Bearer::read(&text, &Secrets::new([8; 32])), None);
    }
}
