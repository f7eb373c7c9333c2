//! The address of the test page of one action: whoever has it may end the action, so it cannot be guessed.

use crate::kinds;
use crate::object::ShowContext;
use crate::secrets::{Purpose, Secrets};
use siphasher::sip128::Hasher128;
use std::hash::Hasher;
use tollgate_resource::{Id, Kind};

/// Path of the test page; a token follows.
pub const PAGE_PATH: &str = "/test/3ds/";

/// Hexadecimal digits of the nonce in a token.
const NONCE_DIGITS: usize = 16;

/// Names one action: the page's token in parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActionToken {
    /// The account the intent belongs to.
    pub account: Id,
    /// The kind of the intent.
    pub kind: &'static Kind,
    /// The parked intent.
    pub object: Id,
    /// The action's own number.
    pub nonce: u64,
}

impl ActionToken {
    /// The token: account, intent and number, and a keyed hash of them.
    pub fn text(&self, secrets: &Secrets) -> String {
        let (account, object) = (self.account.text(&kinds::ACCOUNT), self.object.text(self.kind));
        format!(
            "{account}.{object}.{:0width$x}.{:032x}",
            self.nonce,
            self.seal(secrets),
            width = NONCE_DIGITS
        )
    }

    /// Reads a token that these secrets made; nothing for any other text.
    pub fn parse(text: &str, secrets: &Secrets) -> Option<ActionToken> {
        let mut parts = text.split('.');
        let (account, object) = (parts.next()?, parts.next()?);
        let (nonce, seal) = (parts.next()?, parts.next()?);
        if parts.next().is_some() || nonce.len() != NONCE_DIGITS {
            return None;
        }
        let (kind, object) = kinds::ALL
            .iter()
            .find_map(|kind| kind.parse(object).map(|id| (*kind, id)))?;
        let token = ActionToken {
            account: kinds::ACCOUNT.parse(account)?,
            kind,
            object,
            nonce: u64::from_str_radix(nonce, 16).ok()?,
        };
        // Whole words are compared, so the time taken tells nothing of where they differ.
        let given = u128::from_str_radix(seal, 16).ok()?;
        (given ^ token.seal(secrets) == 0).then_some(token)
    }

    /// The page's address.
    pub fn url(&self, context: &ShowContext<'_>) -> String {
        format!("{}{PAGE_PATH}{}", context.public_url, self.text(context.secrets))
    }

    fn seal(&self, secrets: &Secrets) -> u128 {
        let mut hasher = secrets.hasher(Purpose::ActionToken);
        hasher.write(&self.account.bits().to_le_bytes());
        hasher.write(&self.object.bits().to_le_bytes());
        hasher.write(&self.nonce.to_le_bytes());
        hasher.finish128().as_u128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_token_of_ours_is_read() {
        let secrets = Secrets::new([7; 32]);
        let token = ActionToken {
            account: Id::new(&kinds::ACCOUNT, 1_794_830_400_000, 1, 7),
            kind: &kinds::PAYMENT_INTENT,
            object: Id::new(&kinds::PAYMENT_INTENT, 1_794_830_400_000, 3, 7),
            nonce: 42,
        };
        let text = token.text(&secrets);
        assert_eq!(ActionToken::parse(&text, &secrets), Some(token));
        assert_eq!(ActionToken::parse(&text, &Secrets::new([8; 32])), None);
        let other = ActionToken { nonce: 43, ..token }.text(&secrets);
        let (head, _) = text.rsplit_once('.').expect("it has parts");
        let (_, seal) = other.rsplit_once('.').expect("it has parts");
        for forged in [
            format!("{head}.{seal}"),
            format!("{text}.x"),
            head.to_owned(),
            String::new(),
        ] {
            assert_eq!(ActionToken::parse(&forged, &secrets), None, "{forged}");
        }
    }
}
