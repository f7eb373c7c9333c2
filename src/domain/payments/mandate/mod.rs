//! A mandate: a customer's permission to take money with a payment method, once or again and again.
//!
//! A setup intent makes one when the customer's agreement came with its confirmation. [`grant`] is how anything else does.
//! It ends with its payment method: when that is detached, deleted, or its customer is.

mod acceptance;
mod params;
mod shown;

pub use acceptance::{Acceptance, AcceptanceType, CustomerAcceptanceParams, MandateDataParams, OnlineParams};
pub use params::ENDPOINTS;
pub use shown::{MandateReferenceShown, MandateShown};

use crate::decision::{Case, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::money::Money;
use crate::object::Object;
use crate::payments::bank_account::{BankAccount, BankScheme};
use crate::payments::payment_method::PaymentMethod;
use std::sync::Arc;
use tollgate_resource::{Id, Names, Record};

/// Most mandates of a payment method that have not ended; with one more the oldest ends.
pub const MANDATES_MAX: usize = 16;

/// A mandate.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Mandate {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// What money may be taken with.
    #[record(2)]
    pub payment_method: Id,
    /// How the customer agreed.
    #[record(3)]
    pub acceptance: Acceptance,
    /// How often money may be taken.
    #[record(4)]
    pub scope: MandateScope,
    /// What it says of a bank account, if money is taken from one.
    #[record(5)]
    pub bank: Option<Box<BankMandate>>,
    /// Whether it has ended, where no bank account is debited.
    #[record(6)]
    pub ended: bool,
}

/// What a mandate says of a bank account.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct BankMandate {
    /// How it is debited.
    #[record(1)]
    pub scheme: BankScheme,
    /// Whether the permission was withdrawn.
    #[record(2)]
    pub revoked: bool,
}

/// How often money may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub enum MandateScope {
    /// Again and again.
    #[record(1)]
    MultiUse,
    /// Once.
    #[record(2)]
    SingleUse {
        /// How much.
        #[record(1)]
        money: Money,
    },
}

/// Whether money may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum MandateStatus {
    /// It may.
    Active,
    /// Not any more.
    Inactive,
    /// Not yet.
    Pending,
}

/// Makes a mandate and puts it into the draft. The payment method remembers it.
pub(crate) fn grant(
    case: &Case<'_>,
    draft: &mut Draft,
    method: &mut PaymentMethod,
    acceptance: Acceptance,
    scope: MandateScope,
) -> Result<Id, Stop> {
    let id = draft.born(&kinds::MANDATE);
    let payment_method = method.id;
    if method.mandates.len() >= MANDATES_MAX {
        revoke(case, draft, method.mandates.remove(0))?;
    }
    method.mandates.push(id);
    draft.put(Object::Mandate(Arc::new(Mandate {
        id,
        payment_method,
        acceptance,
        scope,
        bank: None,
        ended: false,
    })));
    Ok(id)
}

/// The same for the debits of a bank account.
pub(crate) fn grant_debit(
    draft: &mut Draft,
    payment_method: Id,
    bank: &BankAccount,
    acceptance: Acceptance,
    scope: MandateScope,
) -> Id {
    let id = draft.born(&kinds::MANDATE);
    draft.put(Object::Mandate(Arc::new(Mandate {
        id,
        payment_method,
        acceptance,
        scope,
        bank: Some(Box::new(BankMandate {
            scheme: bank.scheme,
            revoked: false,
        })),
        ended: false,
    })));
    id
}

/// Whether money may be taken under a mandate.
pub(crate) fn is_active(case: &Case<'_>, id: Id) -> Result<bool, Stop> {
    Ok(case
        .mandate(id)?
        .is_some_and(|mandate| mandate.status() == MandateStatus::Active))
}

/// Withdraws a mandate; one that was withdrawn before stays as it is.
pub(crate) fn revoke(case: &Case<'_>, draft: &mut Draft, id: Id) -> Result<(), Stop> {
    let Some(before) = case
        .mandate(id)?
        .filter(|mandate| mandate.status() == MandateStatus::Active)
    else {
        return Ok(());
    };
    let mut after = before.clone();
    match &mut after.bank {
        Some(bank) => bank.revoked = true,
        None => after.ended = true,
    }
    let previous = Object::Mandate(Arc::new(before.clone()));
    draft.update_event(EventType::MandateUpdated, id, previous);
    draft.put(Object::Mandate(Arc::new(after)));
    Ok(())
}

/// Withdraws the mandates of a payment method that is taken from its customer.
pub(crate) fn end_with(case: &Case<'_>, draft: &mut Draft, method: &mut PaymentMethod) -> Result<(), Stop> {
    for id in std::mem::take(&mut method.mandates) {
        revoke(case, draft, id)?;
    }
    let debits = method.instrument.bank_mut().and_then(|bank| bank.mandate.take());
    debits.map_or(Ok(()), |id| revoke(case, draft, id))
}

impl Mandate {
    /// Whether money may be taken.
    pub fn status(&self) -> MandateStatus {
        match &self.bank {
            Some(bank) if bank.revoked => MandateStatus::Inactive,
            None if self.ended => MandateStatus::Inactive,
            _ => MandateStatus::Active,
        }
    }
}
