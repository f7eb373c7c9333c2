//! The address of a charge's receipt: whoever has it may read the receipt, so it cannot be guessed.

use super::{Charge, ChargeStatus};
use crate::account::AccountKey;
use crate::kinds;
use crate::object::ShowContext;
use crate::payments::card::SeenCard;
use crate::payments::payment_method::{Instrument, Last4};
use crate::secrets::{Purpose, Secrets};
use siphasher::sip128::Hasher128;
use std::hash::Hasher;
use tollgate_resource::Id;
use tollgate_resource::id::ID_DIGITS;

/// Path of the receipts; a token follows.
pub const RECEIPTS_PATH: &str = "/receipts/";

/// The shape revision that added the address. Before, null was shown, and replays still say so.
const SINCE_REVISION: u16 = 3;
/// Hexadecimal digits of the account in a token.
const ACCOUNT_DIGITS: usize = 16;
/// Hexadecimal digits of the seal.
const SEAL_DIGITS: usize = 32;
/// Letters of a token: the parts, the prefix of the charge's id with its underscore, and two points.
const TOKEN_LENGTH: usize = ACCOUNT_DIGITS + 3 + ID_DIGITS + SEAL_DIGITS + 2;

/// Names one receipt: the address's token in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptToken {
    /// The account the charge belongs to, in its mode.
    pub account: AccountKey,
    /// The charge.
    pub charge: Id,
}

impl ReceiptToken {
    /// The receipt of `charge`, if the answer shows one.
    pub(super) fn of(charge: &Charge, context: &ShowContext<'_>) -> Option<ReceiptToken> {
        let shows = context.revision >= SINCE_REVISION && charge.status() == ChargeStatus::Succeeded;
        shows.then_some(ReceiptToken {
            account: context.account,
            charge: charge.id,
        })
    }

    /// The receipt's address.
    pub(super) fn url(&self, context: &ShowContext<'_>) -> String {
        let room = context.public_url.len() + RECEIPTS_PATH.len() + TOKEN_LENGTH;
        let mut out = Vec::with_capacity(room);
        out.extend_from_slice(context.public_url.as_bytes());
        out.extend_from_slice(RECEIPTS_PATH.as_bytes());
        self.write(context.secrets, &mut out);
        debug_assert_eq!(out.len(), room, "there was room for all of it");
        String::from_utf8(out).expect("an address of text and digits")
    }

    /// The token: account, charge, and a keyed hash of them.
    pub fn text(&self, secrets: &Secrets) -> String {
        let mut out = Vec::with_capacity(TOKEN_LENGTH);
        self.write(secrets, &mut out);
        String::from_utf8(out).expect("digits and letters")
    }

    /// Reads a token that these secrets made; nothing for any other text.
    pub fn parse(text: &str, secrets: &Secrets) -> Option<ReceiptToken> {
        let mut parts = text.split('.');
        let (account, charge, seal) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || account.len() != ACCOUNT_DIGITS || seal.len() != SEAL_DIGITS {
            return None;
        }
        let token = ReceiptToken {
            account: AccountKey(u64::from_str_radix(account, 16).ok()?),
            charge: kinds::CHARGE.parse(charge)?,
        };
        // Whole words are compared, so the time taken tells nothing of where they differ.
        let given = u128::from_str_radix(seal, 16).ok()?;
        (given ^ token.seal(secrets) == 0).then_some(token)
    }

    fn write(&self, secrets: &Secrets, out: &mut Vec<u8>) {
        write_hexadecimal(u128::from(self.account.0), ACCOUNT_DIGITS, out);
        out.push(b'.');
        self.charge.write(&kinds::CHARGE, out);
        out.push(b'.');
        write_hexadecimal(self.seal(secrets), SEAL_DIGITS, out);
    }

    fn seal(&self, secrets: &Secrets) -> u128 {
        let mut hasher = secrets.hasher(Purpose::Receipt);
        hasher.write(&self.account.0.to_le_bytes());
        hasher.write(&self.charge.bits().to_le_bytes());
        hasher.finish128().as_u128()
    }
}

impl Charge {
    /// The last digits of what was paid with, as the charge shows them; nothing of what has no number.
    pub fn paid_with_last4(&self) -> Option<Last4> {
        match &self.instrument {
            Instrument::Card(card) => {
                let details = self.seen.as_deref().map(|seen| &seen.details);
                Some(SeenCard::of(card, details).last4)
            }
            Instrument::Bank(bank) => Some(bank.last4()),
            Instrument::Redirect(_) => None,
        }
    }
}

fn write_hexadecimal(value: u128, digits: usize, out: &mut Vec<u8>) {
    out.extend(
        (0..digits)
            .rev()
            .map(|at| b"0123456789abcdef"[(value >> (4 * at)) as usize & 15]),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_token_of_ours_is_read() {
        let secrets = Secrets::new([7; 32]);
        let account = AccountKey(0x0123_4567_89ab_cdef);
        for charge in [Id::new, Id::new_other].map(|id| id(&kinds::CHARGE, 1_794_830_400_000, 3, 7)) {
            let token = ReceiptToken { account, charge };
            let text = token.text(&secrets);
            assert_eq!(text.len(), TOKEN_LENGTH);
            assert!(text.starts_with("0123456789abcdef."), "{text}");
            assert_eq!(ReceiptToken::parse(&text, &secrets), Some(token));
            assert_eq!(ReceiptToken::parse(&text, &Secrets::new([8; 32])), None);
            let (head, seal) = text.rsplit_once('.').expect("it has parts");
            for forged in [
                text.replace("cdef.", "cdee."),
                format!("{head}.{}{}", &seal[1..], &seal[..1]),
                format!("{text}.x"),
                head.to_owned(),
                String::new(),
            ] {
                assert_eq!(ReceiptToken::parse(&forged, &secrets), None, "{forged}");
            }
        }
    }
}
