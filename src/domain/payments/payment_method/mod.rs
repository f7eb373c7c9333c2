//! A payment method: a card or a bank account, without its number.
//!
//! Test cards are known by the names and numbers of a table ([`TestCard`]). Used as an id, `pm_card_visa` makes a fresh
//! payment method each time ([`PaymentMethodParam`]).

mod bank_declines;
mod billing;
mod card;
mod choice;
mod data;
mod decide;
mod decline;
mod endpoints;
mod instrument;
mod kind;
mod params;
mod shown;
mod test_card;
mod test_cards;

pub use billing::{BillingDetails, BillingDetailsParams, BillingDetailsShown, no_billing_details};
pub use card::{Card, Last4, UnlistedNumber};
pub(crate) use card::{fingerprint_of, fingerprint_text};
pub(crate) use choice::{Choice, Purpose};
pub(crate) use data::NewMethod;
pub use data::{PaymentMethodData, PaymentRadarOptionsParams, RadarOptionsParams, SkippedRules};
pub use decide::Saving;
pub(crate) use decide::{
    attach, attached_already, create, detach, draw, fresh, put_used, rule_refuses_saving, save, update,
};
pub use decline::{Decline, declines};
pub use endpoints::{
    AttachPaymentMethod, ENDPOINTS, ListCustomerPaymentMethods, ListPaymentMethods, UpdateCardParams,
    UpdatePaymentMethod,
};
pub use instrument::Instrument;
pub use kind::{ListedType, PaymentMethodType, PaymentMethodTypeParam, TypeRules};
pub use params::{PaymentMethodParam, TestMethod};
pub(crate) use shown::NO_METADATA;
pub use shown::{
    CardChecksShown, CardNetworksShown, CardShown, PaymentMethodShown, RegulatedStatus, ThreeDSecureUsageShown,
};
pub use test_card::{
    Aftermath, Behaviour, CardBrand, CardRisk, DisputedAs, Funding, IssuerChecks, RefundBehaviour, RemoteBehaviour,
    TestCard,
};

use crate::customers::source::SourceData;
use crate::payments::bank_account::Ownership;
use crate::payments::card::{SealedNumber, Wallet};
use tollgate_resource::{Id, Metadata, Names, Record};

/// A stored payment method.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct PaymentMethod {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// What money is taken from.
    #[record(2)]
    pub instrument: Instrument,
    /// What became of the check of the card's security code; `None` if none was given.
    #[record(3)]
    pub cvc_check: Option<CheckResult>,
    /// The customer it is saved to; then it can be used again.
    #[record(4)]
    pub customer: Option<Id>,
    /// Whether a payment without a customer, or a detachment, has used it up.
    #[record(5)]
    pub used_up: bool,
    /// What was said besides the card; most payment methods of test names have nothing.
    #[record(6)]
    pub details: Option<Box<Details>>,
    /// Whether its holder proved who they are when it was saved for payments without them.
    #[record(20)]
    pub prepared: bool,
    /// What only a source of the older API has.
    #[record(21)]
    pub source: Option<Box<SourceData>>,
    /// Mandates under which it pays, oldest first; those of debits stand with the bank account.
    #[record(22)]
    pub mandates: Vec<Id>,
}

/// What was said about a payment method besides the card.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct Details {
    /// Who is billed.
    #[record(1)]
    pub billing: BillingDetails,
    /// The merchant's pairs.
    #[record(2)]
    pub metadata: Metadata,
    /// Whether it may be shown again in a checkout.
    #[record(3)]
    pub allow_redisplay: AllowRedisplay,
    /// The network the cardholder prefers, of those of the card.
    #[record(4)]
    pub preferred_network: Option<CardBrand>,
    /// What became of the check of the first address line; `None` if none was given.
    #[record(5)]
    pub address_line1_check: Option<CheckResult>,
    /// What became of the check of the postal code; `None` if none was given.
    #[record(6)]
    pub address_postal_code_check: Option<CheckResult>,
    /// The session of the fraud checks it came from.
    #[record(7)]
    pub radar_session: Option<Box<str>>,
    /// The card number under lock, if the card came by its number.
    #[record(8)]
    pub sealed: Option<Box<SealedNumber>>,
    /// The wallet the card came out of, if it did.
    #[record(12)]
    pub wallet: Option<Wallet>,
}

/// What a charge remembers of its payment method besides the card, as the issuer saw it.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct SeenMethod {
    /// What became of the check of the security code; `None` if none was given.
    #[record(1)]
    pub cvc_check: Option<CheckResult>,
    /// What was said besides the card. The merchant's pairs stay with the payment method.
    #[record(2)]
    pub details: Details,
    /// The customer's permission that the charge led to.
    #[record(3)]
    pub mandate: Option<Id>,
}

/// Whether a payment method may be shown again in a checkout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Names, Record)]
pub enum AllowRedisplay {
    /// Always.
    #[record(2)]
    Always,
    /// Only where it was saved.
    #[record(3)]
    Limited,
    /// Nothing was said.
    #[default]
    #[record(1)]
    Unspecified,
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
        PaymentMethod {
            id,
            instrument: Card::of_test_card(card, now_ms).into(),
            cvc_check: Some(CheckResult::Unchecked),
            customer: None,
            used_up: false,
            details: None,
            prepared: false,
            source: None,
            mandates: Vec::new(),
        }
    }

    /// What the issuer of the card says to a payment. The card of a wrong security code pays if no code was given.
    pub fn behaviour(&self, card: &Card) -> Behaviour {
        match card.facts().behaviour {
            Behaviour::Decline(decline) if *decline == declines::INCORRECT_CVC && self.cvc_check.is_none() => {
                Behaviour::Succeed
            }
            behaviour => behaviour,
        }
    }

    /// The holder of the bank account has shown that it is theirs, or never will.
    pub(crate) fn own(&mut self, ownership: Ownership) {
        if let Some(bank) = self.instrument.bank_mut() {
            bank.ownership = ownership;
        }
    }

    /// The issuer has seen it (attached, set up or paid with): what was given is checked now.
    pub fn see(&mut self) {
        let Some(card) = self.instrument.test_card() else {
            return;
        };
        let checks = &card.checks;
        self.cvc_check = self.cvc_check.map(|_| checks.cvc);
        if let Some(details) = &mut self.details {
            details.address_line1_check = details.address_line1_check.map(|_| checks.address_line1);
            details.address_postal_code_check = details.address_postal_code_check.map(|_| checks.postal_code);
        }
    }

    /// What a charge remembers of it; nothing for a card whose security code is right and that says nothing else.
    pub fn seen(&self) -> Option<SeenMethod> {
        let plain = match &self.instrument {
            Instrument::Card(card) => card.facts().checks.cvc == CheckResult::Pass && self.cvc_check.is_some(),
            Instrument::Bank(_) | Instrument::Redirect(_) => true,
        };
        if plain && self.details.is_none() {
            return None;
        }
        let mut seen = self.clone();
        seen.see();
        let mut details = seen.details.map(|details| *details).unwrap_or_default();
        details.metadata = Metadata::default();
        details.sealed = None;
        Some(SeenMethod {
            cvc_check: seen.cvc_check,
            details,
            mandate: None,
        })
    }

    /// Who is billed, if anything is known.
    pub fn billing(&self) -> Option<&BillingDetails> {
        self.details.as_deref().map(|details| &details.billing)
    }
}

impl Details {
    /// Replaces who is billed; a new address is unchecked.
    pub(crate) fn bill(&mut self, billing: BillingDetails) {
        let unchecked = |given: &Option<Box<str>>| given.as_ref().map(|_| CheckResult::Unchecked);
        if billing.address != self.billing.address {
            self.address_line1_check = unchecked(&billing.address.line1);
            self.address_postal_code_check = unchecked(&billing.address.postal_code);
        }
        self.billing = billing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Network;
    use crate::kinds;
    use crate::secrets::Secrets;
    use crate::time::day_of;

    /// 2026-11-16T12:00:00Z.
    const NOW_MS: u64 = 1_794_830_400_000;

    fn method(name: &str) -> PaymentMethod {
        let card = TestCard::by_name(name).expect("a name of the table");
        PaymentMethod::of_test_card(Id::new(&kinds::PAYMENT_METHOD, NOW_MS, 1, 7), card, NOW_MS)
    }

    fn card(method: &PaymentMethod) -> Card {
        *method.instrument.card().expect("it is a card")
    }

    #[test]
    fn a_fresh_card_expires_next_year_and_is_unchecked() {
        let visa = method("visa");
        assert_eq!((card(&visa).exp_month, card(&visa).exp_year), (11, 2027));
        assert_eq!(
            (visa.cvc_check, visa.customer, visa.used_up),
            (Some(CheckResult::Unchecked), None, false)
        );
        assert_eq!(PaymentMethod::from_bytes(&visa.to_bytes()), Ok(visa));
    }

    #[test]
    fn a_fingerprint_is_the_same_for_a_number_in_one_account_only() {
        let secrets = Secrets::new([7; 32]);
        let fingerprint = |name, tag| card(&method(name)).fingerprint(&secrets, tag);
        assert_eq!(fingerprint("visa", 1), fingerprint("us", 1));
        assert_ne!(fingerprint("visa", 1), fingerprint("visa", 2));
        assert_ne!(fingerprint("visa", 1), fingerprint("visa_debit", 1));
        let text = fingerprint("visa", 1);
        assert!(text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(text, card(&method("visa")).fingerprint(&Secrets::new([8; 32]), 1));
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
        let network = |name, configured| card(&method(name)).network(configured);
        assert_eq!(network("visa", Network::Instant), Network::Instant);
        assert_eq!(network("visa_chargeDeclined", Network::Remote), Network::Remote);
        assert_eq!(network("tollgate_remoteSilent", Network::Instant), Network::Remote);
    }

    #[test]
    fn the_issuer_checks_what_was_given() {
        let mut zip = method("avsZipFail");
        let mut details = Details::default();
        details.bill(BillingDetails {
            address: crate::address::Address {
                postal_code: Some("94103".into()),
                ..Default::default()
            },
            ..Default::default()
        });
        zip.details = Some(Box::new(details));
        zip.see();
        let details = zip.details.as_deref().expect("given above");
        assert_eq!(zip.cvc_check, Some(CheckResult::Pass));
        assert_eq!(details.address_line1_check, None);
        assert_eq!(details.address_postal_code_check, Some(CheckResult::Fail));
        let mut without_code = method("chargeDeclinedIncorrectCvc");
        assert!(matches!(
            without_code.behaviour(&card(&without_code)),
            Behaviour::Decline(_)
        ));
        without_code.cvc_check = None;
        without_code.see();
        assert_eq!(
            (without_code.behaviour(&card(&without_code)), without_code.cvc_check),
            (Behaviour::Succeed, None)
        );
    }
}
