//! What is kept of a card.

use super::{Behaviour, TestCard};
use crate::inputs::Network;
use crate::payments::card::CardNumber;
use crate::secrets::{Purpose, Secrets};
use crate::time::{date_of, day_of};
use siphasher::sip128::Hasher128;
use std::fmt;
use std::hash::Hasher;
use tollgate_resource::{Record, ShownValue, Value, ValueKind};

/// Characters of a card's fingerprint.
const FINGERPRINT_LEN: usize = 16;
/// How many fingerprints there are: 62 to the power of their length, which is less than 2 to the 96.
const FINGERPRINTS: u128 = 62u128.pow(FINGERPRINT_LEN as u32);

/// A card, as payment methods and charges keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub struct Card {
    /// Number of the test card in the table, or of the row that stands for other numbers of the brand.
    #[record(1)]
    pub test_card: u16,
    /// Month of expiry, 1 to 12.
    #[record(2)]
    pub exp_month: u8,
    /// Year of expiry, four digits.
    #[record(3)]
    pub exp_year: u16,
    /// What is known of a card number outside the table.
    #[record(4)]
    pub unlisted: Option<UnlistedNumber>,
}

/// What is known of a number outside the table of test cards or test accounts; the number itself stands nowhere in the open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub struct UnlistedNumber {
    /// The last four digits, as ASCII.
    #[record(1)]
    last4: [u8; 4],
    /// The fingerprint as a number, little end first.
    #[record(2)]
    fingerprint: [u8; 12],
}

/// The last four digits of a card or bank account.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Last4([u8; 4]);

impl Last4 {
    /// Those of the numbers that wallets give in place of a card's own.
    pub const OF_WALLETS: Last4 = Last4(*b"0000");
}

impl Card {
    /// A test card as it is handed out at `now_ms`: it expires in this month of the next year.
    pub fn of_test_card(card: &TestCard, now_ms: u64) -> Card {
        let today = date_of(day_of(now_ms));
        let exp_year = u16::try_from(today.year + 1).expect("a year of the calendar");
        Card {
            test_card: card.number,
            exp_month: today.month,
            exp_year,
            unlisted: None,
        }
    }

    /// What the table says about it.
    ///
    /// # Panics
    /// When no test card has the number: records are only written with numbers of the table, and rows stay in it.
    pub fn facts(&self) -> &'static TestCard {
        TestCard::by_number(self.test_card).expect("a test card's number stays in the table for ever")
    }

    /// The last four digits.
    pub fn last4(&self) -> Last4 {
        match &self.unlisted {
            Some(number) => Last4(number.last4),
            None => Last4::of(self.facts().digits),
        }
    }

    /// The card's fingerprint within an account: the same number gives the same text, and says nothing about it.
    pub fn fingerprint(&self, secrets: &Secrets, account_tag: u32) -> String {
        fingerprint_text(match &self.unlisted {
            Some(number) => number.fingerprint(),
            None => fingerprint_of(self.facts().digits, secrets, account_tag),
        })
    }

    /// The network that takes it: the card's own choice, else the configured one.
    pub fn network(&self, configured: Network) -> Network {
        match self.facts().behaviour {
            Behaviour::Remote(_) => Network::Remote,
            Behaviour::Succeed | Behaviour::Decline(_) => configured,
        }
    }
}

impl UnlistedNumber {
    /// What is kept of `number` within an account.
    pub(crate) fn of(number: &CardNumber, secrets: &Secrets, account_tag: u32) -> UnlistedNumber {
        UnlistedNumber::of_print(
            Last4(number.last4()),
            fingerprint_of(number.expose(), secrets, account_tag),
        )
    }

    /// What is kept of a number whose fingerprint is known.
    pub(crate) fn of_print(last4: Last4, print: u128) -> UnlistedNumber {
        UnlistedNumber {
            last4: last4.0,
            fingerprint: print.to_le_bytes()[..12].try_into().expect("twelve of sixteen bytes"),
        }
    }

    /// The last four digits.
    pub(crate) fn last4(&self) -> Last4 {
        Last4(self.last4)
    }

    /// The fingerprint as a number.
    pub(crate) fn fingerprint(&self) -> u128 {
        let mut bytes = [0; 16];
        bytes[..12].copy_from_slice(&self.fingerprint);
        u128::from_le_bytes(bytes)
    }
}

/// The fingerprint of a card's or bank account's number within an account, as a number below [`FINGERPRINTS`].
pub(crate) fn fingerprint_of(digits: &str, secrets: &Secrets, account_tag: u32) -> u128 {
    let mut hasher = secrets.hasher(Purpose::CardFingerprint);
    hasher.write(&account_tag.to_le_bytes());
    hasher.write(digits.as_bytes());
    hasher.finish128().as_u128() % FINGERPRINTS
}

/// A fingerprint as text.
pub(crate) fn fingerprint_text(mut value: u128) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut out = String::with_capacity(FINGERPRINT_LEN);
    for _ in 0..FINGERPRINT_LEN {
        out.push(char::from(DIGITS[(value % 62) as usize]));
        value /= 62;
    }
    out
}

impl Last4 {
    /// Of a number of at least four ASCII letters and digits.
    pub(crate) fn of(digits: &str) -> Last4 {
        let digits = digits.as_bytes();
        Last4(digits[digits.len() - 4..].try_into().expect("four digits"))
    }

    /// As text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are ASCII")
    }
}

impl fmt::Display for Last4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl ShownValue for Last4 {
    const KIND: ValueKind = ValueKind::Str;
    fn shown(&self) -> Value<'_> {
        Value::Str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_outside_the_table_keeps_last_digits_and_fingerprint() {
        let secrets = Secrets::new([7; 32]);
        let visa = TestCard::by_name("visa").expect("a name of the table");
        let listed = Card::of_test_card(visa, 1_794_830_400_000);
        let unlisted = |digits: &str| Card {
            test_card: TestCard::unlisted(visa.brand, true).number,
            unlisted: Some(UnlistedNumber::of(&CardNumber::read(digits), &secrets, 9)),
            ..listed
        };
        let other = unlisted("4111111111111111");
        assert_eq!(other.last4().text(), "1111");
        assert_ne!(other.fingerprint(&secrets, 9), listed.fingerprint(&secrets, 9));
        // A number that a later release puts into the table keeps its fingerprint.
        assert_eq!(
            unlisted(visa.digits).fingerprint(&secrets, 9),
            listed.fingerprint(&secrets, 9)
        );
        assert_eq!(Card::from_bytes(&other.to_bytes()), Ok(other));
    }
}
