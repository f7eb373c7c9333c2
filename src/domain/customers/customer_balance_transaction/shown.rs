//! What a movement of a customer's balance shows.

use super::{CustomerBalanceTransaction, CustomerBalanceTransactionType};
use crate::kinds;
use crate::money::Currency;
use crate::object::ShowContext;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Metadata, Ref, Shown};

/// A movement of the credit or debt that a customer has towards its next invoices.
#[derive(Shown)]
#[shown(object = "customer_balance_transaction")]
pub struct CustomerBalanceTransactionShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// By how much, in minor units: negative for more credit, positive for more debt.
    pub amount: i64,
    /// The checkout session that moved it.
    pub checkout_session: Option<&'a str>,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// The credit note that moved it.
    pub credit_note: Option<&'a str>,
    /// The currency.
    pub currency: Currency,
    /// Whose balance it moves.
    #[shown(expand)]
    pub customer: Ref,
    /// The account that stands for the customer.
    pub customer_account: Option<&'a str>,
    /// Free text for the merchant.
    pub description: Option<&'a str>,
    /// The customer's balance after it.
    pub ending_balance: i64,
    /// The invoice that moved it.
    pub invoice: Option<&'a str>,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// The merchant's pairs.
    pub metadata: &'a Metadata,
    /// What moved it.
    #[shown(name = "type")]
    pub kind: CustomerBalanceTransactionType,
}

impl<'a> CustomerBalanceTransactionShown<'a> {
    /// What `transaction` shows.
    pub fn of(transaction: &'a CustomerBalanceTransaction, context: &ShowContext<'_>) -> Self {
        CustomerBalanceTransactionShown {
            id: Ident {
                kind: &kinds::CUSTOMER_BALANCE_TRANSACTION,
                id: transaction.id,
            },
            amount: transaction.amount,
            checkout_session: None,
            created: Seconds(transaction.id.created()),
            credit_note: None,
            currency: transaction.currency,
            customer: Ref {
                kind: &kinds::CUSTOMER,
                id: transaction.customer,
            },
            customer_account: None,
            description: transaction.description.as_deref(),
            ending_balance: transaction.ending_balance,
            invoice: None,
            livemode: context.livemode,
            metadata: &transaction.metadata,
            kind: transaction.kind,
        }
    }
}
