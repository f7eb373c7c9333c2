//! What a balance transaction shows.

use super::{BalanceTransaction, BalanceTransactionName};
use crate::kinds;
use crate::money::Currency;
use crate::object::ShowContext;
use crate::time::seconds_of;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Names, Ref, Shown};

/// One movement of the account's balance.
#[derive(Shown)]
#[shown(object = "balance_transaction")]
pub struct BalanceTransactionShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// Gross amount, in minor units; negative for money that leaves.
    pub amount: i64,
    /// When the net amount becomes available.
    pub available_on: Seconds,
    /// Which balance it moves.
    pub balance_type: BalanceType,
    /// When it was made.
    pub created: Seconds,
    /// Currency of the amounts.
    pub currency: Currency,
    /// What it is for, if its source says so.
    pub description: Option<&'a str>,
    /// Rate by which the amount was converted; null because a charge settles in its own currency.
    pub exchange_rate: Option<i64>,
    /// Fees paid for it, in minor units.
    pub fee: i64,
    /// The fees one by one.
    pub fee_details: Vec<FeeDetailShown>,
    /// Net amount, in minor units: amount less fee.
    pub net: i64,
    /// Category in reports.
    pub reporting_category: &'a str,
    /// What moved the balance.
    #[shown(expand)]
    pub source: Option<Ref>,
    /// Whether the net amount is available yet.
    pub status: BalanceTransactionStatus,
    /// Type of movement.
    #[shown(name = "type")]
    pub kind: BalanceTransactionName,
}

/// One fee of a balance transaction.
#[derive(Shown)]
pub struct FeeDetailShown {
    /// Amount of the fee, in minor units.
    pub amount: i64,
    /// The Connect application that earned it; null because the fee is the processor's.
    pub application: Option<&'static str>,
    /// Its currency.
    pub currency: Currency,
    /// What it is for.
    pub description: &'static str,
    /// Type of fee.
    #[shown(name = "type")]
    pub kind: FeeType,
}

/// Which balance is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum BalanceType {
    /// The balance of payments.
    Payments,
}

/// Type of a fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum FeeType {
    /// The processor's fee.
    StripeFee,
}

/// Whether a movement counts as available.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum BalanceTransactionStatus {
    /// Its day has come.
    Available,
    /// Its day is yet to come.
    Pending,
}

impl<'a> BalanceTransactionShown<'a> {
    /// What `transaction` shows at the context's clock.
    pub fn of(transaction: &'a BalanceTransaction, context: &ShowContext<'a>) -> Self {
        let BalanceTransaction {
            id,
            kind,
            source,
            amount,
            fee,
            currency,
            available_on,
            description,
        } = transaction;
        let fee_detail = FeeDetailShown {
            amount: *fee,
            application: None,
            currency: *currency,
            description: kind.fee_description(),
            kind: FeeType::StripeFee,
        };
        BalanceTransactionShown {
            id: Ident {
                kind: &kinds::BALANCE_TRANSACTION,
                id: *id,
            },
            amount: *amount,
            available_on: Seconds(*available_on),
            balance_type: BalanceType::Payments,
            created: Seconds(id.created()),
            currency: *currency,
            description: description.as_deref(),
            exchange_rate: None,
            fee: *fee,
            fee_details: if *fee == 0 { Vec::new() } else { vec![fee_detail] },
            net: transaction.net(),
            reporting_category: kind.reporting_category(),
            source: Some(Ref {
                kind: kind.source_kind(),
                id: *source,
            }),
            status: if seconds_of(context.clock_ms) < *available_on {
                BalanceTransactionStatus::Pending
            } else {
                BalanceTransactionStatus::Available
            },
            kind: kind.public(),
        }
    }
}
