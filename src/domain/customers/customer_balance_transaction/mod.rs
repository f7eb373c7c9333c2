//! A movement of the credit or debt that a customer has towards its next invoices. It is no money of the merchant's: there
//! is no ledger entry, but the customer's balance always is the sum of these.

mod decide;
mod params;
mod shown;

pub(crate) use decide::{create, move_balance, update};
pub use params::{
    CreateCustomerBalanceTransaction, ENDPOINTS, ListCustomerBalanceTransactions, UpdateCustomerBalanceTransaction,
};
pub use shown::CustomerBalanceTransactionShown;

use crate::money::Currency;
use tollgate_resource::{Id, Metadata, Names, Record};

/// Largest amount and balance, either way, in minor units: twelve digits.
pub const CUSTOMER_BALANCE_MAX: i64 = 999_999_999_999;

/// A movement of a customer's balance.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct CustomerBalanceTransaction {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// Whose balance it moves.
    #[record(2)]
    pub customer: Id,
    /// By how much, in minor units: negative for more credit, positive for more debt.
    #[record(3)]
    pub amount: i64,
    /// The currency.
    #[record(4)]
    pub currency: Currency,
    /// The customer's balance after it.
    #[record(5)]
    pub ending_balance: i64,
    /// What moved it.
    #[record(6)]
    pub kind: CustomerBalanceTransactionType,
    /// Free text for the merchant.
    #[record(7)]
    pub description: Option<Box<str>>,
    /// The merchant's pairs.
    #[record(8)]
    pub metadata: Metadata,
}

/// What moved a customer's balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum CustomerBalanceTransactionType {
    /// The merchant did.
    #[record(1)]
    Adjustment,
    /// The balance the customer was made with.
    #[record(2)]
    Initial,
}
