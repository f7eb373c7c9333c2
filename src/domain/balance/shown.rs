//! What a balance shows.

use super::Balance;
use crate::money::Currency;
use crate::object::ShowContext;
use tollgate_resource::Shown;

/// The money of the account: available, and pending until its day comes.
#[derive(Shown)]
#[shown(object = "balance")]
pub struct BalanceShown {
    /// Money that can be paid out, per currency.
    pub available: Vec<BalanceAmountShown>,
    /// Whether the account is in live mode.
    pub livemode: bool,
    /// Money that becomes available on a later day, per currency.
    pub pending: Vec<BalanceAmountShown>,
}

/// An amount of one currency in a balance.
#[derive(Shown)]
pub struct BalanceAmountShown {
    /// Amount, in minor units; may be negative.
    pub amount: i64,
    /// Its currency.
    pub currency: Currency,
    /// The amount by what it came from.
    pub source_types: BalanceSourcesShown,
}

/// An amount by what it came from.
#[derive(Shown)]
pub struct BalanceSourcesShown {
    /// From card payments, in minor units.
    pub card: i64,
}

impl BalanceShown {
    /// What `balance` shows.
    pub fn of(balance: &Balance, context: &ShowContext<'_>) -> BalanceShown {
        let amount = |amount, currency| BalanceAmountShown {
            amount,
            currency,
            // Everything comes from cards until other payment methods do.
            source_types: BalanceSourcesShown { card: amount },
        };
        let currencies = balance.currencies.iter();
        BalanceShown {
            available: currencies.clone().map(|it| amount(it.available, it.currency)).collect(),
            livemode: context.livemode,
            pending: currencies.map(|it| amount(it.pending, it.currency)).collect(),
        }
    }
}
