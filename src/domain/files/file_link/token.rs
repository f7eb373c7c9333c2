//! The secret end of a file link's address: whoever has it may read the file, so it cannot be guessed.

use crate::kinds;
use crate::secrets::{Purpose, Secrets};
use siphasher::sip128::Hasher128;
use std::hash::Hasher;
use tollgate_resource::Id;

/// Path of the links; a token follows.
pub const LINKS_PATH: &str = "/links/";

/// Names one link: the address's token in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkToken {
    /// The account the link belongs to.
    pub account: Id,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// The link.
    pub link: Id,
}

impl LinkToken {
    /// The token: account, mode and link, and a keyed hash of them.
    pub fn text(&self, secrets: &Secrets) -> String {
        let (account, link) = (self.account.text(&kinds::ACCOUNT), self.link.text(&kinds::FILE_LINK));
        let mode = if self.livemode { "live" } else { "test" };
        format!("{account}.{mode}.{link}.{:032x}", self.seal(secrets))
    }

    /// Reads a token that these secrets made; nothing for any other text.
    pub fn parse(text: &str, secrets: &Secrets) -> Option<LinkToken> {
        let mut parts = text.split('.');
        let (account, mode) = (parts.next()?, parts.next()?);
        let (link, seal) = (parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let token = LinkToken {
            account: kinds::ACCOUNT.parse(account)?,
            livemode: match mode {
                "live" => true,
                "test" => false,
                _ => return None,
            },
            link: kinds::FILE_LINK.parse(link)?,
        };
        // Whole words are compared, so the time taken tells nothing of where they differ.
        let given = u128::from_str_radix(seal, 16).ok()?;
        (given ^ token.seal(secrets) == 0).then_some(token)
    }

    fn seal(&self, secrets: &Secrets) -> u128 {
        let mut hasher = secrets.hasher(Purpose::FileLink);
        hasher.write(&self.account.bits().to_le_bytes());
        hasher.write_u8(u8::from(self.livemode));
        hasher.write(&self.link.bits().to_le_bytes());
        hasher.finish128().as_u128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_token_of_ours_is_read() {
        let secrets = Secrets::new([7; 32]);
        let token = LinkToken {
            account: Id::new(&kinds::ACCOUNT, 1_794_830_400_000, 1, 7),
            livemode: false,
            link: Id::new(&kinds::FILE_LINK, 1_794_830_400_000, 3, 7),
        };
        let text = token.text(&secrets);
        assert_eq!(LinkToken::parse(&text, &secrets), Some(token));
        assert_eq!(LinkToken::parse(&text, &Secrets::new([8; 32])), None);
        let live = text.replace(".test.", ".live.");
        for forged in [live.as_str(), &text[..text.len() - 1], ""] {
            assert_eq!(LinkToken::parse(forged, &secrets), None, "{forged}");
        }
    }
}
