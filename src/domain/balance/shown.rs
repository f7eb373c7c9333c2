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
    /// Money that was set aside for refunds and disputes to come. Nothing can be, so it is zero of every currency.
    pub refund_and_dispute_prefunding: PrefundingShown,
}

/// Money that was set aside for refunds and disputes to come.
#[derive(Shown)]
pub struct PrefundingShown {
    /// What can be used, per currency.
    pub available: Vec<PrefundedAmountShown>,
    /// What can be used later, per currency.
    pub pending: Vec<PrefundedAmountShown>,
}

/// An amount that was set aside.
#[derive(Shown)]
pub struct PrefundedAmountShown {
    /// Amount, in minor units.
    pub amount: i64,
    /// Its currency.
    pub currency: Currency,
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
        let nothing = |currency| PrefundedAmountShown { amount: 0, currency };
        let currencies = balance.currencies.iter();
        BalanceShown {
            available: currencies.clone().map(|it| amount(it.available, it.currency)).collect(),
            livemode: context.livemode,
            pending: currencies.clone().map(|it| amount(it.pending, it.currency)).collect(),
            refund_and_dispute_prefunding: PrefundingShown {
                available: currencies.clone().map(|it| nothing(it.currency)).collect(),
                pending: currencies.map(|it| nothing(it.currency)).collect(),
            },
        }
    }
}
