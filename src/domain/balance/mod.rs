//! What a merchant has, and each movement that made it so.

pub mod balance_transaction;
mod params;
mod shown;

pub use params::ENDPOINTS;
pub use shown::BalanceShown;

use crate::account::Account;
use crate::books::MerchantBalance;
use crate::object::ShowContext;
use crate::time::day_of;
use tollgate_resource::Shown;

/// The balance of an account at one moment. Not stored: computed from the books and the date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// One per currency that ever moved and still stands in the books, and the account's default currency.
    pub currencies: Vec<MerchantBalance>,
}

impl Balance {
    /// The balance of `account` at `now_ms`.
    pub fn of(account: &Account, now_ms: u64) -> Balance {
        let today = day_of(now_ms);
        let mut currencies = account.books.merchant_balances(today);
        let default = account.profile.default_currency;
        if currencies.iter().all(|balance| balance.currency != default) {
            currencies.push(account.books.merchant_balance(default, today));
        }
        currencies.sort_by_key(|balance| (balance.currency != default, balance.currency));
        Balance { currencies }
    }

    /// Builds what is shown and passes it on.
    pub fn with_shown<R>(&self, context: &ShowContext<'_>, with: impl FnOnce(&dyn Shown) -> R) -> R {
        with(&BalanceShown::of(self, context))
    }
}

#[cfg(test)]
mod tests;
