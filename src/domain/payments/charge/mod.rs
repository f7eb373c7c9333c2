//! A charge: one attempt to move money. It is born decided (a remote network's word is waited for in the intent), and
//! after that is captured, refunded, released or expires. Older integrations make one by itself, without an intent.

mod capture;
mod create;
mod debit;
mod params;
mod receipt;
mod remote;
mod shown;
mod shown_bank;
mod shown_card;
mod shown_redirect;
mod source;
mod state;
mod update;

pub(crate) use capture::capture;
use capture::expire;
pub(crate) use create::create;
pub use params::{CaptureCharge, CreateCharge, ENDPOINTS, ListCharges, UpdateCharge};
pub use receipt::{RECEIPTS_PATH, ReceiptToken};
pub(crate) use remote::{not_while_calling, release, resolve, timer_due};
pub use shown::ChargeShown;
pub use source::ChargeSource;
pub use state::{ChargeState, ChargeStatus};
pub(crate) use update::update;

use crate::acquirer::AttemptId;
use crate::address::Shipping;
use crate::customers::source::SourceData;
use crate::decision::{Case, Stop};
use crate::inputs::Network;
use crate::kinds;
use crate::money::{Currency, Money};
use crate::payments::attempt::Attempt;
use crate::payments::authentication::{Claims, ThreeDSecureResult};
use crate::payments::card::HeldMethod;
use crate::payments::payment_method::{CheckResult, Details, Instrument, PaymentMethod, SeenMethod};
use crate::radar::Risk;
use crate::reject::Reject;
use tollgate_breaks::broken;
use tollgate_resource::{Id, Metadata, Names, Record};

/// Refunds a charge remembers by id; older ones are found by the list of refunds.
pub const REFUNDS_KEPT: usize = 10;

/// A charge at one version.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Charge {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// What was asked for, in minor units.
    #[record(2)]
    pub amount: i64,
    /// The currency of all its amounts.
    #[record(3)]
    pub currency: Currency,
    /// The intent it was made for; `None` for a charge that was made by itself, as older integrations do.
    #[record(4)]
    pub payment_intent: Option<Id>,
    /// What was paid with.
    #[record(5)]
    pub payment_method: Id,
    /// What money was taken from, as it was then.
    #[record(6)]
    pub instrument: Instrument,
    /// Who pays.
    #[record(7)]
    pub customer: Option<Id>,
    /// Where it stands.
    #[record(8)]
    pub state: ChargeState,
    /// The network that took it.
    #[record(9)]
    pub network: Network,
    /// The attempt at a remote network that authorised it.
    #[record(10)]
    pub authorised_by: Option<AttemptId>,
    /// The attempt at a remote network that captured it; refunds name it.
    #[record(11)]
    pub captured_by: Option<AttemptId>,
    /// When a hold could be captured until, milliseconds since the Unix epoch; only with manual capture.
    #[record(12)]
    pub capture_before_ms: Option<u64>,
    /// What was given back by refunds, in minor units.
    #[record(13)]
    pub refunded: i64,
    /// Its newest refunds, newest first, at most [`REFUNDS_KEPT`].
    #[record(14)]
    pub refunds: Vec<Id>,
    /// How many refunds there are.
    #[record(15)]
    pub refund_count: u32,
    /// Free text for the merchant.
    #[record(16)]
    pub description: Option<Box<str>>,
    /// The merchant's pairs.
    #[record(17)]
    pub metadata: Metadata,
    /// Where the receipt goes.
    #[record(18)]
    pub receipt_email: Option<Box<str>>,
    /// Where goods are sent.
    #[record(19)]
    pub shipping: Option<Box<Shipping>>,
    /// What the cardholder reads, as the intent asked.
    #[record(20)]
    pub statement_descriptor: Option<Box<str>>,
    /// What the cardholder reads behind the account's prefix, as the intent asked.
    #[record(21)]
    pub statement_descriptor_suffix: Option<Box<str>>,
    /// What the cardholder reads in the end.
    #[record(22)]
    pub calculated_statement_descriptor: Option<Box<str>>,
    /// Groups payments and transfers.
    #[record(23)]
    pub transfer_group: Option<Box<str>>,
    /// What only a source has, of a charge that was made with one.
    #[record(24)]
    pub source: Option<Box<SourceData>>,
    /// What was said about the card, where that is more than a security code that is right.
    #[record(40)]
    pub seen: Option<Box<SeenMethod>>,
    /// How 3D Secure ended before the bank was asked, if it was tried.
    #[record(45)]
    pub three_d_secure: Option<ThreeDSecureResult>,
    /// Whether the held amount may be raised.
    #[record(46)]
    pub increments: bool,
    /// Whether the hold may be captured in parts.
    #[record(47)]
    pub multicapture: bool,
    /// What gives cause for concern about it; nothing for nearly every charge.
    #[record(50)]
    pub concerns: Option<Box<Concerns>>,
    /// Its own attempts at a remote network. The attempts of a charge that belongs to an intent are the intent's.
    #[record(51)]
    pub remote: Option<Box<OwnAttempts>>,
    /// What the merchant said of how it came about; nothing for nearly every charge.
    #[record(60)]
    pub claims: Option<Box<Claims>>,
    /// Whether it was made since the bank's code and the network's number are shown of every try, and refunds are listed
    /// below the charge. One of before shows what it always did: an answer that is given again must be the same.
    #[record(61)]
    pub revised: bool,
}

/// The attempts at a remote network of a charge that was made by itself.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct OwnAttempts {
    /// Number of the newest one, from 1.
    #[record(1)]
    pub made: u32,
    /// The one whose outcome is not known yet: of a pending charge its authorisation, of a hold its capture, of a hold
    /// that is over its reversal.
    #[record(2)]
    pub open: Option<Attempt>,
}

/// What a charge was paid with, as older integrations see it.
#[derive(Clone, Debug)]
pub enum PaidWith {
    /// A card.
    Card(HeldMethod),
    /// A bank account.
    Bank(Box<PaymentMethod>),
    /// A source.
    Source(Box<PaymentMethod>),
}

/// What gives cause for concern about a charge.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct Concerns {
    /// Its newest dispute.
    #[record(1)]
    pub dispute: Option<Id>,
    /// Whether a dispute has taken its money at some time. Then nothing is refunded, because it would be paid twice, unless
    /// the dispute was won and gave all of it back.
    #[record(2)]
    pub charged_back: bool,
    /// How risky it looked, if not like any other.
    #[record(3)]
    pub risk: Option<Risk>,
    /// Its review by a person.
    #[record(4)]
    pub review: Option<Id>,
    /// The issuer's report of fraud.
    #[record(5)]
    pub warning: Option<Id>,
    /// What the merchant says of it.
    #[record(6)]
    pub user_report: Option<UserReport>,
}

/// What a merchant says of a charge's honesty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum UserReport {
    /// It is fraud.
    #[record(1)]
    Fraudulent,
    /// It is no fraud.
    #[record(2)]
    Safe,
}

/// The charge a path names.
pub(crate) fn charge_of_path<'a>(case: &Case<'a>, id: Id, param: &str) -> Result<&'a Charge, Stop> {
    case.charge(id)?
        .ok_or_else(|| Reject::no_such(&kinds::CHARGE, id, param).into())
}

impl Charge {
    /// Whether the merchant had the account's rules of risk not asked.
    pub fn skips_rules(&self) -> bool {
        self.claims.as_ref().is_some_and(|claims| claims.skips_rules)
    }

    /// Remembers the mandate that it led to.
    pub(crate) fn made_under(&mut self, mandate: Id, method: &PaymentMethod) {
        let seen = self.seen.get_or_insert_with(|| {
            Box::new(SeenMethod {
                cvc_check: method.cvc_check,
                details: Details::default(),
                mandate: None,
            })
        });
        seen.mandate = Some(mandate);
    }

    /// What it was paid with, as far as the charge itself keeps it.
    pub(crate) fn method(&self) -> PaymentMethod {
        PaymentMethod {
            id: self.payment_method,
            instrument: self.instrument.clone(),
            cvc_check: match self.seen.as_deref() {
                None => Some(CheckResult::Pass),
                Some(seen) => seen.cvc_check,
            },
            customer: self.customer,
            used_up: self.customer.is_none(),
            details: self.seen.as_deref().map(|seen| Box::new(seen.details.clone())),
            prepared: false,
            source: self.source.clone(),
            mandates: Vec::new(),
        }
    }

    /// The public state of the attempt.
    pub fn status(&self) -> ChargeStatus {
        match self.state {
            ChargeState::Failed { .. } => ChargeStatus::Failed,
            ChargeState::Pending { .. } | ChargeState::Debiting => ChargeStatus::Pending,
            _ => ChargeStatus::Succeeded,
        }
    }

    /// What was captured, in minor units.
    pub fn amount_captured(&self) -> i64 {
        match self.state {
            ChargeState::Captured { amount, .. } | ChargeState::PartlyCaptured { amount, .. } => amount,
            _ => 0,
        }
    }

    /// What was given back, in minor units: by refunds, or all of a hold that was released by a cancellation.
    pub fn amount_refunded(&self) -> i64 {
        if matches!(self.state, ChargeState::Released | ChargeState::Expired) {
            self.amount
        } else {
            self.refunded
        }
    }

    /// Whether everything was given back.
    pub fn is_refunded(&self) -> bool {
        match self.state {
            ChargeState::Captured { amount, .. } => self.refunded == amount,
            ChargeState::Released | ChargeState::Expired => true,
            _ => false,
        }
    }

    /// Its own attempt at a remote network whose outcome is not known yet.
    pub fn open_attempt(&self) -> Option<&Attempt> {
        self.remote.as_deref().and_then(|remote| remote.open.as_ref())
    }

    /// Its newest dispute.
    pub fn dispute(&self) -> Option<Id> {
        self.concerns.as_deref().and_then(|concerns| concerns.dispute)
    }

    /// Its review by a person.
    pub fn review(&self) -> Option<Id> {
        self.concerns.as_deref().and_then(|concerns| concerns.review)
    }

    /// Whether a dispute has taken its money at some time.
    pub fn is_charged_back(&self) -> bool {
        self.concerns.as_deref().is_some_and(|concerns| concerns.charged_back)
    }

    /// Whether a rule blocked it, so that no network heard of it.
    pub fn is_blocked(&self) -> bool {
        let risk = self.concerns.as_deref().and_then(|concerns| concerns.risk);
        matches!(risk, Some(Risk::Blocked { .. }))
    }

    /// What can still be given back.
    pub fn refundable(&self) -> Money {
        Money::new(self.amount_captured() - self.refunded, self.currency)
    }

    /// The movement of the merchant's balance.
    pub fn balance_transaction(&self) -> Option<Id> {
        match self.state {
            ChargeState::Captured {
                balance_transaction, ..
            }
            | ChargeState::PartlyCaptured {
                balance_transaction, ..
            } => Some(balance_transaction),
            _ => None,
        }
    }

    /// What it was paid with as older integrations see it, of a charge that was made with a card or a source.
    pub fn source(&self) -> Option<PaidWith> {
        let cvc_check = match self.seen.as_deref() {
            None => Some(CheckResult::Pass),
            Some(seen) => seen.cvc_check,
        };
        let details = self.seen.as_deref().map(|seen| Box::new(seen.details.clone()));
        if self.payment_intent.is_none() && self.payment_method.is(&kinds::CARD) {
            if self.instrument.bank().is_some() {
                return Some(PaidWith::Bank(Box::new(self.method())));
            }
            return Some(PaidWith::Card(HeldMethod {
                instrument: self.instrument.clone(),
                cvc_check,
                details,
            }));
        }
        self.source.as_ref()?;
        Some(PaidWith::Source(Box::new(self.method())))
    }

    /// What gives cause for concern about it, to be changed.
    pub(crate) fn concerns_mut(&mut self) -> &mut Concerns {
        self.concerns.get_or_insert_default()
    }

    /// Remembers a refund of `amount` as the latest.
    ///
    /// # Panics
    /// When more would be refunded than was captured: decisions refuse that before they get here.
    pub(crate) fn add_refund(&mut self, refund: Id, amount: i64) {
        self.refunded = self
            .refunded
            .checked_add(if broken!(ForgetRefund) { 0 } else { amount })
            .expect("refunds are bounded by the capture");
        assert!(
            amount > 0 && self.refunded <= self.amount_captured(),
            "refunds never exceed the capture"
        );
        self.remember_refund(refund);
    }

    /// Remembers a refund that moved no money as the latest.
    pub(crate) fn remember_refund(&mut self, refund: Id) {
        self.refunds.insert(0, refund);
        self.refunds.truncate(REFUNDS_KEPT);
        self.refund_count += 1;
    }

    /// A refund of `amount` came back, so that it can be given back once more.
    ///
    /// # Panics
    /// When less was given back: a refund comes back once.
    pub(crate) fn take_refund_back(&mut self, amount: i64) {
        self.refunded -= if broken!(KeepFailedRefund) { 0 } else { amount };
        assert!(
            amount > 0 && self.refunded >= 0,
            "a refund that comes back was given back before"
        );
    }
}
