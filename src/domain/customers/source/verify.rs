//! Verifying a customer's bank account: the holder tells the amounts of two deposits of a few cents.

use super::VerifyCustomerSource;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::events::EventType;
use crate::kinds;
use crate::object::Object;
use crate::payments::bank_account::{BankAccount, DEPOSIT_TRIES_MAX, Ownership};
use crate::reject::{Reject, codes};
use tollgate_resource::Id;

/// The amounts of the deposits of the test banks, the smaller one first.
const TEST_AMOUNTS: [i64; 2] = [32, 45];

const MISMATCH: &str = "The amounts provided do not match the amounts that were sent to the bank account.";
const SPENT: &str = "This bank account cannot be verified any more, because its verification has failed.";

/// Holds the amounts that the holder told against those that were sent. Wrong ones count; after the last try, and where the
/// deposits did not arrive, the account can never be verified.
pub(crate) fn verify(case: &Case<'_>, customer: Id, id: Id, asked: &VerifyCustomerSource) -> Result<Decision, Stop> {
    case.customer_of(customer)?;
    let before = super::saved::of_customer(case, customer, id)?;
    let Some(bank) = before.instrument.bank() else {
        let message = "Only bank accounts are verified. This is a card.";
        return Err(Reject::invalid(None, message).with_param("id").into());
    };
    match bank.ownership {
        Ownership::Unverified => {}
        Ownership::Verified => {
            return Err(Reject::invalid(None, "This bank account has already been verified.")
                .begun()
                .into());
        }
        Ownership::Failed => return Err(failed(SPENT).into()),
    }
    let mut amounts = asked.amounts.clone();
    amounts.sort_unstable();
    if amounts.len() != TEST_AMOUNTS.len() {
        let message = "You must provide exactly two amounts.";
        return Err(Reject::invalid(None, message).with_param("amounts").into());
    }
    let arrived = bank.facts().takes_deposits;
    let mut after = before.clone();
    let bank: &mut BankAccount = after.instrument.bank_mut().expect("it is a bank account");
    let is_right = arrived && amounts == TEST_AMOUNTS;
    if is_right {
        bank.ownership = Ownership::Verified;
    } else {
        let older = bank
            .older
            .as_mut()
            .expect("bank accounts of customers have what the older API says");
        older.tries += 1;
        if !arrived || older.tries >= DEPOSIT_TRIES_MAX {
            bank.ownership = Ownership::Failed;
        }
    }
    let is_decided = bank.ownership != Ownership::Unverified;
    let mut draft = case.draft();
    draft.put(Object::of_method(after));
    if is_decided {
        draft.update_event(EventType::CustomerSourceUpdated, id, Object::of_method(before.clone()));
    }
    Ok(draft.decide(if is_right {
        Reply::Object(&kinds::CARD, id)
    } else {
        Reply::Reject(Box::new(failed(MISMATCH)))
    }))
}

fn failed(message: &str) -> Reject {
    let mut reject = Reject::invalid(Some(codes::BANK_ACCOUNT_VERIFICATION_FAILED), message);
    reject.status = 402;
    reject.begun()
}
