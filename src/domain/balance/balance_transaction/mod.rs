//! A balance transaction: one movement of the merchant's balance. Made once, never changed; whether it is pending or
//! available follows from the date it is looked at.

mod params;
mod shown;

pub use params::{ENDPOINTS, ListBalanceTransactions};
pub use shown::{BalanceTransactionShown, BalanceTransactionStatus};

use crate::events::EventType;
use crate::kinds;
use crate::money::Currency;
use crate::time::{day_of, day_start_s, seconds_of};
use tollgate_resource::{Id, Kind, Names, Record};

/// One movement of the merchant's balance.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct BalanceTransaction {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// What moved.
    #[record(2)]
    pub kind: BalanceTransactionType,
    /// The charge, refund or dispute that moved it; its kind follows from `kind`.
    #[record(3)]
    pub source: Id,
    /// Minor units before our fee; negative for money that leaves.
    #[record(4)]
    pub amount: i64,
    /// Our fee, in minor units; net = amount − fee.
    #[record(5)]
    pub fee: i64,
    /// Currency of amount and fee: the one the charge was made in (there is no exchange yet).
    #[record(6)]
    pub currency: Currency,
    /// From when it counts as available, in seconds since the Unix epoch.
    #[record(7)]
    pub available_on: i64,
    /// The source's description, in the words of the balance.
    #[record(8)]
    pub description: Option<Box<str>>,
}

/// What moved a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum BalanceTransactionType {
    /// A card charge was captured.
    #[record(1)]
    Charge,
    /// A charge was refunded.
    #[record(2)]
    Refund,
    /// A refund came back.
    #[record(3)]
    RefundFailure,
    /// A dispute took its amount and fee.
    #[record(4)]
    Dispute,
    /// A dispute was won and gave its amount back.
    #[record(5)]
    DisputeReversal,
    /// A payment that is not of a card arrived.
    #[record(6)]
    Payment,
    /// A payment that is not of a card was refunded.
    #[record(7)]
    PaymentRefund,
}

/// The public names of what moves a balance: coarser than the categories in reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum BalanceTransactionName {
    /// A card charge was captured.
    Charge,
    /// A charge was refunded.
    Refund,
    /// A refund came back.
    RefundFailure,
    /// Anything a network or we corrected: disputes and what they give back.
    Adjustment,
    /// A payment that is not of a card arrived.
    Payment,
    /// A payment that is not of a card was refunded.
    PaymentRefund,
}

impl BalanceTransactionName {
    /// Types of events of which every record that bears such a transaction has one: so the index finds transactions of
    /// a type, and neither the record nor the index grows by it.
    pub fn born_with(self) -> &'static [EventType] {
        match self {
            BalanceTransactionName::Charge | BalanceTransactionName::Payment => {
                &[EventType::ChargeSucceeded, EventType::ChargeCaptured]
            }
            BalanceTransactionName::Refund | BalanceTransactionName::PaymentRefund => &[EventType::RefundCreated],
            BalanceTransactionName::RefundFailure => &[EventType::RefundFailed],
            BalanceTransactionName::Adjustment => {
                &[EventType::DisputeFundsWithdrawn, EventType::DisputeFundsReinstated]
            }
        }
    }
}

impl BalanceTransactionType {
    /// The kind of the source.
    pub fn source_kind(self) -> &'static Kind {
        match self {
            BalanceTransactionType::Charge | BalanceTransactionType::Payment => &kinds::CHARGE,
            BalanceTransactionType::Refund
            | BalanceTransactionType::PaymentRefund
            | BalanceTransactionType::RefundFailure => &kinds::REFUND,
            BalanceTransactionType::Dispute | BalanceTransactionType::DisputeReversal => &kinds::DISPUTE,
        }
    }

    /// The category in reports.
    pub fn reporting_category(self) -> &'static str {
        match self {
            BalanceTransactionType::Payment => BalanceTransactionType::Charge.name(),
            BalanceTransactionType::PaymentRefund => BalanceTransactionType::Refund.name(),
            other => other.name(),
        }
    }

    /// The public type.
    pub fn public(self) -> BalanceTransactionName {
        match self {
            BalanceTransactionType::Charge => BalanceTransactionName::Charge,
            BalanceTransactionType::Refund => BalanceTransactionName::Refund,
            BalanceTransactionType::RefundFailure => BalanceTransactionName::RefundFailure,
            BalanceTransactionType::Payment => BalanceTransactionName::Payment,
            BalanceTransactionType::PaymentRefund => BalanceTransactionName::PaymentRefund,
            BalanceTransactionType::Dispute | BalanceTransactionType::DisputeReversal => {
                BalanceTransactionName::Adjustment
            }
        }
    }

    /// What its fee is for.
    pub fn fee_description(self) -> &'static str {
        match self {
            BalanceTransactionType::Dispute => "Dispute fee",
            _ => "Stripe processing fees",
        }
    }
}

impl BalanceTransaction {
    /// What it adds to the merchant's balance, in minor units.
    pub fn net(&self) -> i64 {
        self.amount
            .checked_sub(self.fee)
            .expect("amounts of a charge are far below 64 bits")
    }

    /// The ledger's day bucket it moved.
    pub fn available_day(&self) -> i32 {
        i32::try_from(self.available_on.div_euclid(crate::time::DAY_S)).expect("a moment within the calendar")
    }
}

/// When a movement made at `now_ms` in bucket `day` is available: at the bucket's midnight, or now if that has passed.
pub fn available_on(day: i32, now_ms: u64) -> i64 {
    if day <= day_of(now_ms) {
        seconds_of(now_ms)
    } else {
        day_start_s(day)
    }
}

/// The description of a refund's balance transaction: `REFUND FOR CHARGE`, and the charge's description in brackets.
pub fn refund_description(charge_description: Option<&str>) -> Box<str> {
    described("REFUND FOR CHARGE", charge_description)
}

/// The description of the balance transaction of a refund that came back.
pub fn refund_failure_description(charge_description: Option<&str>) -> Box<str> {
    described("REFUND FAILURE", charge_description)
}

fn described(words: &str, charge_description: Option<&str>) -> Box<str> {
    match charge_description {
        Some(description) => format!("{words} ({description})").into(),
        None => words.into(),
    }
}
