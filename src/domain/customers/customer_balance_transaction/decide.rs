//! Moving the balance of a customer.

use super::{
    CUSTOMER_BALANCE_MAX, CreateCustomerBalanceTransaction, CustomerBalanceTransaction, CustomerBalanceTransactionType,
    UpdateCustomerBalanceTransaction,
};
use crate::customers::customer::{Customer, put_changed};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::kinds;
use crate::metadata;
use crate::money::Currency;
use crate::object::Object;
use crate::reject::{Reject, codes};
use std::sync::Arc;
use tollgate_resource::{Id, Metadata};

/// Moves the balance of a customer.
pub(crate) fn create(
    case: &Case<'_>,
    customer: Id,
    asked: &CreateCustomerBalanceTransaction,
) -> Result<Decision, Stop> {
    let before = case.customer_of(customer)?;
    let mut pairs = Metadata::default();
    metadata::merge(&mut pairs, &asked.metadata)?;
    let mut draft = case.draft();
    let mut after = before.clone();
    let currency = asked.currency.expect("the form makes sure of required parameters");
    let kind = CustomerBalanceTransactionType::Adjustment;
    let mut transaction = moved(&mut draft, &mut after, asked.amount, currency, kind, "amount")?;
    transaction.description = asked.description.clone();
    transaction.metadata = pairs;
    let id = transaction.id;
    draft.put(Object::CustomerBalanceTransaction(Arc::new(transaction)));
    put_changed(&mut draft, before, after);
    Ok(draft.decide(Reply::Object(&kinds::CUSTOMER_BALANCE_TRANSACTION, id)))
}

/// Changes what is said about a movement; the movement itself stays.
pub(crate) fn update(
    case: &Case<'_>,
    customer: Id,
    id: Id,
    asked: &UpdateCustomerBalanceTransaction,
) -> Result<Decision, Stop> {
    case.customer_of(customer)?;
    let before = match case.find(&kinds::CUSTOMER_BALANCE_TRANSACTION, id)? {
        Some(Object::CustomerBalanceTransaction(transaction)) if transaction.customer == customer => transaction,
        _ => return Err(Reject::no_such(&kinds::CUSTOMER_BALANCE_TRANSACTION, id, "transaction").into()),
    };
    let mut after = CustomerBalanceTransaction::clone(before);
    metadata::merge(&mut after.metadata, &asked.metadata)?;
    asked.description.clone().apply_to(&mut after.description);
    let mut draft = case.draft();
    if after != **before {
        draft.put(Object::CustomerBalanceTransaction(Arc::new(after)));
    }
    Ok(draft.decide(Reply::Object(&kinds::CUSTOMER_BALANCE_TRANSACTION, id)))
}

/// Moves the balance of a customer who is made or changed to `balance`, in the currency it has or the account's.
pub(crate) fn move_balance(
    case: &Case<'_>,
    draft: &mut Draft,
    customer: &mut Customer,
    balance: i64,
    kind: CustomerBalanceTransactionType,
) -> Result<(), Stop> {
    let more = customer.more();
    let amount = balance - more.balance;
    if amount == 0 {
        return Ok(());
    }
    let currency = more.currency.unwrap_or(case.world.account.profile.default_currency);
    let transaction = moved(draft, customer, amount, currency, kind, "balance")?;
    draft.put(Object::CustomerBalanceTransaction(Arc::new(transaction)));
    Ok(())
}

/// The movement, and the customer after it.
fn moved(
    draft: &mut Draft,
    customer: &mut Customer,
    amount: i64,
    currency: Currency,
    kind: CustomerBalanceTransactionType,
    param: &str,
) -> Result<CustomerBalanceTransaction, Stop> {
    let more = customer.more_mut();
    if let Some(known) = more.currency.filter(|known| *known != currency) {
        let message = format!(
            "You cannot combine currencies on a single customer. This customer has a balance with currency {}.",
            known.code()
        );
        return Err(Reject::invalid(None, message).with_param("currency").into());
    }
    let ending = more.balance.checked_add(amount);
    let ending = ending.filter(|ending| (-CUSTOMER_BALANCE_MAX..=CUSTOMER_BALANCE_MAX).contains(ending));
    let Some(ending_balance) = ending else {
        let message = "This amount would take the customer's balance beyond what a balance can be.";
        let reject = Reject::invalid(Some(codes::AMOUNT_TOO_LARGE), message);
        return Err(reject.with_param(param).into());
    };
    more.balance = ending_balance;
    more.currency = Some(currency);
    Ok(CustomerBalanceTransaction {
        id: draft.born(&kinds::CUSTOMER_BALANCE_TRANSACTION),
        customer: customer.id,
        amount,
        currency,
        ending_balance,
        kind,
        description: None,
        metadata: Metadata::default(),
    })
}
