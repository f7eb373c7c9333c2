//! What is known about a test card.

use super::CheckResult;
use super::decline::{Decline, declines};
use super::test_cards::{TABLES, UNLISTED};
use crate::country::Country;
use crate::payments::authentication::AuthenticationRule;
use crate::time::{available_day, day_of};
use tollgate_resource::{Names, Record};

/// A test card: public constants that stand for a card and what its issuer says.
#[derive(Debug, PartialEq, Eq)]
pub struct TestCard {
    /// Stable number in records; never reused.
    pub number: u16,
    /// Names behind `pm_card_` and `tok_`, the usual one first. Some cards have a number only.
    pub names: &'static [&'static str],
    /// The card number. It is published and opens nothing; it never leaves except as last four digits and fingerprint.
    /// Empty for the rows that stand for numbers outside the table.
    pub digits: &'static str,
    /// The brand.
    pub brand: CardBrand,
    /// A second network the card can be routed over.
    pub co_brand: Option<CardBrand>,
    /// How it is funded.
    pub funding: Funding,
    /// Where it was issued.
    pub country: Country,
    /// What the issuer says to a payment.
    pub behaviour: Behaviour,
    /// Whether the net of a payment is available at once instead of after two business days.
    pub available_at_once: bool,
    /// When the holder must prove who they are (3D Secure).
    pub authentication: AuthenticationRule,
    /// Whether the card can be saved to a customer although its payments are declined.
    pub attaches: bool,
    /// What the issuer does once a payment has been captured.
    pub aftermath: Aftermath,
    /// How risky its payments look.
    pub risk: CardRisk,
    /// What the issuer's checks find, each where what it checks was given.
    pub checks: IssuerChecks,
    /// What becomes of refunds.
    pub refund: RefundBehaviour,
}

/// What the issuer of a test card does once a payment has been captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aftermath {
    /// Nothing: every card but a few.
    Quiet,
    /// The cardholder disputes the payment.
    Disputes(DisputedAs),
    /// The issuer reports the payment as fraud, without a dispute.
    ReportsFraud,
}

/// How the payment of a test card is disputed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputedAs {
    /// As fraud.
    Fraud,
    /// Because nothing arrived.
    ProductNotReceived,
    /// The bank only asks, for now.
    Inquiry,
    /// As fraud, twice.
    FraudTwice,
    /// As fraud that earlier payments of the cardholder may disprove (Visa compelling evidence 3.0).
    FraudWithHistory,
    /// As a breach of the network's rules.
    Compliance,
    /// As a bank debit that its payer did not agree to. Nothing can be said against it.
    Unauthorized,
}

/// How risky the payments of a test card look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardRisk {
    /// As any.
    Normal,
    /// More than usual: reviewed if the account asks for it.
    Elevated,
    /// Very: blocked unless the account says otherwise.
    Highest,
    /// Very, and blocked whatever the account says.
    Blocked,
}

/// What an issuer's checks find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssuerChecks {
    /// Of the security code.
    pub cvc: CheckResult,
    /// Of the first line of the address.
    pub address_line1: CheckResult,
    /// Of the postal code.
    pub postal_code: CheckResult,
}

impl IssuerChecks {
    /// Everything that is given is right.
    pub const PASS: IssuerChecks = IssuerChecks {
        cvc: CheckResult::Pass,
        address_line1: CheckResult::Pass,
        postal_code: CheckResult::Pass,
    };
}

/// What becomes of a refund of a test card's payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundBehaviour {
    /// It succeeds at once.
    Succeed,
    /// It is pending first and succeeds later.
    PendingFirst,
    /// It succeeds and fails later.
    FailLater,
}

/// What the issuer of a test card says to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Yes.
    Succeed,
    /// No, for this reason.
    Decline(&'static Decline),
    /// The simulated remote network takes it, whatever network is configured, and behaves like this.
    Remote(RemoteBehaviour),
}

/// How the simulated remote network behaves with a card of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum RemoteBehaviour {
    /// Approves.
    Approve,
    /// Declines, generically.
    Decline,
    /// Never answers and does nothing; an inquiry finds nothing.
    Silent,
    /// Approves, and the answer is lost; an inquiry finds the approval.
    LostAnswer,
    /// Approves, after the deadline.
    Late,
    /// Approves, slowly, but within the deadline.
    Slow,
}

/// Card brands, also as networks. `unionpay` is one word in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum CardBrand {
    /// American Express.
    #[record(1)]
    Amex,
    /// Cartes Bancaires.
    #[record(2)]
    CartesBancaires,
    /// Diners Club.
    #[record(3)]
    Diners,
    /// Discover.
    #[record(4)]
    Discover,
    /// Eftpos Australia.
    #[record(5)]
    EftposAu,
    /// JCB.
    #[record(6)]
    Jcb,
    /// Mastercard.
    #[record(7)]
    Mastercard,
    /// UnionPay.
    #[record(8)]
    Unionpay,
    /// None that the API has a word for.
    #[record(10)]
    Unknown,
    /// Visa.
    #[record(9)]
    Visa,
}

/// How a card is funded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum Funding {
    /// Paid later.
    Credit,
    /// Paid from an account.
    Debit,
    /// Paid in advance.
    Prepaid,
    /// Not known.
    Unknown,
}

impl CardBrand {
    /// The longer word of `display_brand`.
    pub fn display_name(self) -> &'static str {
        match self {
            CardBrand::Amex => "american_express",
            CardBrand::Diners => "diners_club",
            CardBrand::EftposAu => "eftpos_australia",
            CardBrand::Unionpay => "union_pay",
            CardBrand::CartesBancaires
            | CardBrand::Discover
            | CardBrand::Jcb
            | CardBrand::Mastercard
            | CardBrand::Unknown
            | CardBrand::Visa => self.name(),
        }
    }
}

impl CardBrand {
    /// The name in the words of older integrations.
    pub fn older_name(self) -> &'static str {
        match self {
            CardBrand::Amex => "American Express",
            CardBrand::CartesBancaires => "Cartes Bancaires",
            CardBrand::Diners => "Diners Club",
            CardBrand::Discover => "Discover",
            CardBrand::EftposAu => "Eftpos Australia",
            CardBrand::Jcb => "JCB",
            CardBrand::Mastercard => "MasterCard",
            CardBrand::Unionpay => "UnionPay",
            CardBrand::Unknown => "Unknown",
            CardBrand::Visa => "Visa",
        }
    }
}

impl TestCard {
    /// The row with that number, also of those for numbers outside the table.
    pub fn by_number(number: u16) -> Option<&'static TestCard> {
        let within = |table: &&'static [TestCard]| table.last().is_some_and(|last| number <= last.number);
        let table = TABLES.into_iter().chain([UNLISTED]).find(within)?;
        let at = table.binary_search_by_key(&number, |card| card.number).ok()?;
        Some(&table[at])
    }

    /// The card with that name behind `pm_card_` or `tok_`.
    pub fn by_name(name: &str) -> Option<&'static TestCard> {
        TestCard::all().find(|card| card.names.contains(&name))
    }

    /// The card with that card number.
    pub fn by_digits(digits: &str) -> Option<&'static TestCard> {
        TestCard::all().find(|card| card.digits == digits)
    }

    /// The row that stands for the card numbers of `brand` outside the table: in live mode they pay, in test mode they are
    /// declined when they are used.
    pub fn unlisted(brand: CardBrand, livemode: bool) -> &'static TestCard {
        let pays = |card: &TestCard| card.behaviour == Behaviour::Succeed;
        let row = UNLISTED
            .iter()
            .find(|card| card.brand == brand && pays(card) == livemode);
        row.expect("every brand that numbers have has a row")
    }

    /// Every test card, by number.
    pub fn all() -> impl Iterator<Item = &'static TestCard> {
        TABLES.into_iter().flatten()
    }

    /// Whether the card supports 3D Secure.
    pub fn three_d_secure(&self) -> bool {
        self.authentication != AuthenticationRule::Unsupported
    }

    /// The name it usually goes by; cards that have a number only have none.
    pub fn name(&self) -> Option<&'static str> {
        self.names.first().copied()
    }

    /// What its issuer says when it is asked whether the card is good, if not yes. `cvc` says whether the security code was
    /// given. Cards that want their holder to act and are declined afterwards are declined by payments only.
    pub fn declines_verification(&self, cvc: bool) -> Option<&'static Decline> {
        match self.behaviour {
            Behaviour::Decline(_) if matches!(self.authentication, AuthenticationRule::Required(..)) => None,
            Behaviour::Remote(RemoteBehaviour::Decline) => Some(&declines::GENERIC),
            Behaviour::Decline(_) | Behaviour::Succeed | Behaviour::Remote(_) => self
                .declines_attach()
                .filter(|decline| cvc || **decline != declines::INCORRECT_CVC),
        }
    }

    /// Why it cannot be saved to a customer.
    pub fn declines_attach(&self) -> Option<&'static Decline> {
        match self.behaviour {
            Behaviour::Decline(decline) if !self.attaches => Some(decline),
            _ => None,
        }
    }

    /// The day from which the net of a payment captured at `now_ms` is available.
    pub fn available_day(&self, now_ms: u64) -> i32 {
        if self.available_at_once {
            day_of(now_ms)
        } else {
            available_day(now_ms)
        }
    }

    /// The networks it can be routed over.
    pub fn networks(&self) -> impl Iterator<Item = CardBrand> {
        self.co_brand.into_iter().chain([self.brand])
    }
}
