//! A payment method: a card, without its number.
//!
//! Cards are test cards, known by the names of a table ([`TestCard`]). Used as an id, `pm_card_visa` makes a fresh
//! payment method each time ([`PaymentMethodParam`]).

mod decline;
mod params;
mod shown;
mod test_card;
mod test_cards;

pub use decline::{Decline, declines};
pub use params::PaymentMethodParam;
pub use shown::{
    BillingDetailsShown, CardChecksShown, CardNetworksShown, CardShown, PaymentMethodShown, ThreeDSecureUsageShown,
    no_billing_details,
};
pub use test_card::{
    Aftermath, Behaviour, CardBrand, CardRisk, DisputedAs, Funding, IssuerChecks, RemoteBehaviour, TestCard,
};

use crate::inputs::Network;
use crate::secrets::{Purpose, Secrets};
use crate::time::{date_of, day_of};
use siphasher::sip128::Hasher128;
use std::hash::Hasher;
use tollgate_resource::{Id, Names, Record};

/// Characters of a card's fingerprint.
const FINGERPRINT_LEN: usize = 16;

/// A stored payment method.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct PaymentMethod {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// The card.
    #[record(2)]
    pub card: Card,
    /// What became of the check of the card's security code.
    #[record(3)]
    pub cvc_check: CheckResult,
    /// The customer it is saved to; then it can be used again.
    #[record(4)]
    pub customer: Option<Id>,
    /// Whether a payment without a customer has used it up.
    #[record(5)]
    pub used_up: bool,
    /// Whether its holder proved who they are when it was saved for payments without them.
    #[record(20)]
    pub prepared: bool,
}

/// A card, as payment methods and charges keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub struct Card {
    /// Number of the test card in the table; real card numbers will stand sealed in a field of their own.
    #[record(1)]
    pub test_card: u16,
    /// Month of expiry, 1 to 12.
    #[record(2)]
    pub exp_month: u8,
    /// Year of expiry, four digits.
    #[record(3)]
    pub exp_year: u16,
}

/// What became of a check by the issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum CheckResult {
    /// Not checked yet.
    #[record(1)]
    Unchecked,
    /// What was given is right.
    #[record(2)]
    Pass,
    /// What was given is wrong.
    #[record(3)]
    Fail,
    /// The issuer did not check.
    #[record(4)]
    Unavailable,
}

impl PaymentMethod {
    /// A fresh payment method of a test card.
    pub fn of_test_card(id: Id, card: &TestCard, now_ms: u64) -> PaymentMethod {
        let card = Card::of_test_card(card, now_ms);
        PaymentMethod {
            id,
            card,
            cvc_check: CheckResult::Unchecked,
            customer: None,
            used_up: false,
            prepared: false,
        }
    }
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
        }
    }

    /// What the table says about it.
    ///
    /// # Panics
    /// When no test card has the number: records are only written with numbers of the table, and rows stay in it.
    pub fn facts(&self) -> &'static TestCard {
        TestCard::by_number(self.test_card).expect("a test card's number stays in the table for ever")
    }

    /// The card's fingerprint within an account: the same number gives the same text, and says nothing about it.
    pub fn fingerprint(&self, secrets: &Secrets, account_tag: u32) -> String {
        const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut hasher = secrets.hasher(Purpose::CardFingerprint);
        hasher.write(&account_tag.to_le_bytes());
        hasher.write(self.facts().digits.as_bytes());
        let mut value = hasher.finish128().as_u128();
        let mut out = String::with_capacity(FINGERPRINT_LEN);
        for _ in 0..FINGERPRINT_LEN {
            out.push(char::from(DIGITS[(value % 62) as usize]));
            value /= 62;
        }
        out
    }

    /// The network that takes it: the card's own choice, else the configured one.
    pub fn network(&self, configured: Network) -> Network {
        match self.facts().behaviour {
            Behaviour::Remote(_) => Network::Remote,
            Behaviour::Succeed | Behaviour::Decline(_) => configured,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds;

    /// 2026-11-16T12:00:00Z.
    const NOW_MS: u64 = 1_794_830_400_000;

    fn method(name: &str) -> PaymentMethod {
        let card = TestCard::by_name(name).expect("a name of the table");
        PaymentMethod::of_test_card(Id::new(&kinds::PAYMENT_METHOD, NOW_MS, 1, 7), card, NOW_MS)
    }

    #[test]
    fn a_fresh_card_expires_next_year_and_is_unchecked() {
        let visa = method("visa");
        assert_eq!((visa.card.exp_month, visa.card.exp_year), (11, 2027));
        assert_eq!(
            (visa.cvc_check, visa.customer, visa.used_up),
            (CheckResult::Unchecked, None, false)
        );
        assert_eq!(PaymentMethod::from_bytes(&visa.to_bytes()), Ok(visa));
    }

    #[test]
    fn a_fingerprint_is_the_same_for_a_number_in_one_account_only() {
        let secrets = Secrets::new([7; 32]);
        let fingerprint = |name, tag| method(name).card.fingerprint(&secrets, tag);
        assert_eq!(fingerprint("visa", 1), fingerprint("us", 1));
        assert_ne!(fingerprint("visa", 1), fingerprint("visa", 2));
        assert_ne!(fingerprint("visa", 1), fingerprint("visa_debit", 1));
        let text = fingerprint("visa", 1);
        assert!(text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(text, method("visa").card.fingerprint(&Secrets::new([8; 32]), 1));
    }

    #[test]
    fn money_of_bypass_pending_cards_is_available_today() {
        let waits = |name| {
            TestCard::by_name(name)
                .expect("a name of the table")
                .available_day(NOW_MS)
                - day_of(NOW_MS)
        };
        assert_eq!(
            (
                waits("visa"),
                waits("bypassPending"),
                waits("bypassPendingInternational")
            ),
            (2, 0, 0)
        );
    }

    #[test]
    fn cards_of_our_own_are_remote_whatever_is_configured() {
        let network = |name, configured| method(name).card.network(configured);
        assert_eq!(network("visa", Network::Instant), Network::Instant);
        assert_eq!(network("visa_chargeDeclined", Network::Remote), Network::Remote);
        assert_eq!(network("tollgate_remoteSilent", Network::Instant), Network::Remote);
    }
}
