//! Making, looking up and deleting tax ids.

use super::{CreateTaxId, TAX_IDS_MAX, TaxId, TaxIdData, TaxIdType, VERIFICATION_MS, Verification};
use crate::customers::customer::Customer;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::object::Object;
use crate::reject::{Reject, codes};
use std::sync::Arc;
use tollgate_resource::Id;

/// Numbers of test mode, by what a register will say of them.
const TO_BE_VERIFIED: &str = "000000000";
const NOT_TO_BE_FOUND: &str = "111111111";
const TO_STAY_PENDING: &str = "222222222";

/// Makes a tax id: of the customer in the path, of one the parameters name, or of the account itself.
pub(crate) fn create(case: &Case<'_>, customer: Option<Id>, asked: &CreateTaxId) -> Result<Decision, Stop> {
    let given = TaxIdData {
        kind: asked.kind,
        value: asked.value.clone(),
    };
    let mut draft = case.draft();
    let owner = match (customer, asked.customer()?) {
        (Some(id), _) => Some(case.customer_of(id)?),
        (None, Some(id)) => Some(
            case.customer(id)?
                .ok_or_else(|| Reject::no_such_param(&kinds::CUSTOMER, id, "owner[customer]"))?,
        ),
        (None, None) => None,
    };
    let id = match owner {
        Some(customer) => {
            let mut customer = customer.clone();
            let id = add(case, &mut draft, &mut customer, &given)?;
            draft.put(Object::Customer(Arc::new(customer)));
            id
        }
        None => {
            let tax_id = fresh(case, &mut draft, None, &given)?;
            let id = tax_id.id;
            draft.put(Object::TaxId(Arc::new(tax_id)));
            id
        }
    };
    Ok(draft.decide(Reply::Object(&kinds::TAX_ID, id)))
}

/// Gives a tax id to a customer of the same draft.
pub(crate) fn add(case: &Case<'_>, draft: &mut Draft, customer: &mut Customer, given: &TaxIdData) -> Result<Id, Stop> {
    if customer.more().tax_ids.len() >= TAX_IDS_MAX {
        let message = format!("A customer can have up to {TAX_IDS_MAX} tax IDs, and this one has that many.");
        return Err(Reject::invalid(None, message).into());
    }
    let tax_id = fresh(case, draft, Some(customer.id), given)?;
    let id = tax_id.id;
    customer.more_mut().tax_ids.insert(0, id);
    draft.event(EventType::CustomerTaxIdCreated, id);
    draft.put(Object::TaxId(Arc::new(tax_id)));
    Ok(id)
}

/// Gives a customer of the same draft another VAT id in place of the oldest tax id, which is the one that versions of before
/// there were several show; or takes that away.
pub(crate) fn replace(
    case: &Case<'_>,
    draft: &mut Draft,
    customer: &mut Customer,
    vat: Option<&str>,
) -> Result<(), Stop> {
    let oldest = customer.more().tax_ids.last().copied();
    if let Some(id) = oldest {
        let Some(Object::TaxId(before)) = case.find(&kinds::TAX_ID, id)? else {
            unreachable!("a customer's tax id exists");
        };
        if vat == Some(&*before.value) {
            return Ok(());
        }
        draft.put(Object::TaxId(Arc::new(TaxId {
            deleted: true,
            ..TaxId::clone(before)
        })));
        draft.deleted_event(EventType::CustomerTaxIdDeleted, id);
        customer.more_mut().tax_ids.pop();
    }
    if let Some(value) = vat {
        let given = TaxIdData {
            kind: TaxIdType::from_name("eu_vat"),
            value: value.into(),
        };
        add(case, draft, customer, &given)?;
        // It is the one they go on showing.
        customer.more_mut().tax_ids.rotate_left(1);
    }
    Ok(())
}

/// Deletes a tax id of the customer in the path, or of whomever.
pub(crate) fn delete(case: &Case<'_>, customer: Option<Id>, id: Id) -> Result<Decision, Stop> {
    if let Some(customer) = customer {
        case.customer_of(customer)?;
    }
    let before = match case.find(&kinds::TAX_ID, id)? {
        Some(Object::TaxId(tax_id)) if !tax_id.deleted && (customer.is_none() || tax_id.customer == customer) => tax_id,
        _ => return Err(Reject::no_such(&kinds::TAX_ID, id, "id").into()),
    };
    let mut draft = case.draft();
    draft.put(Object::TaxId(Arc::new(TaxId {
        deleted: true,
        ..TaxId::clone(before)
    })));
    if let Some(owner) = before.customer {
        draft.deleted_event(EventType::CustomerTaxIdDeleted, id);
        if let Some(customer) = case.customer(owner)? {
            let mut customer = customer.clone();
            customer.more_mut().tax_ids.retain(|held| *held != id);
            customer.normalise();
            draft.put(Object::Customer(Arc::new(customer)));
        }
    }
    Ok(draft.decide(Reply::Object(&kinds::TAX_ID, id)))
}

/// The register answers.
pub(crate) fn timer_due(case: &Case<'_>, id: Id) -> Result<Decision, Stop> {
    let before = match case.find(&kinds::TAX_ID, id)? {
        Some(Object::TaxId(tax_id)) if !tax_id.deleted && tax_id.verification == Verification::Pending => tax_id,
        _ => return Ok(case.nothing()),
    };
    let mut after = TaxId::clone(before);
    after.verification = match &*before.value {
        TO_BE_VERIFIED => Verification::Verified,
        NOT_TO_BE_FOUND => Verification::Unverified,
        _ => Verification::Unavailable,
    };
    let mut draft = case.draft();
    draft.put(Object::TaxId(Arc::new(after)));
    if before.customer.is_some() {
        draft.update_event(EventType::CustomerTaxIdUpdated, id, Object::TaxId(Arc::clone(before)));
    }
    Ok(draft.decide(Reply::Nobody))
}

fn fresh(case: &Case<'_>, draft: &mut Draft, customer: Option<Id>, given: &TaxIdData) -> Result<TaxId, Stop> {
    let kind = given.kind.expect("the form makes sure of required parameters");
    let test_number = [TO_BE_VERIFIED, NOT_TO_BE_FOUND, TO_STAY_PENDING].contains(&&*given.value);
    let livemode = case.world.account.profile.livemode;
    if !kind.takes(&given.value) && (!test_number || livemode) {
        let reject = Reject::invalid(
            Some(codes::TAX_ID_INVALID),
            format!("Invalid value for {}.", kind.name()),
        );
        return Err(reject.with_param("value").into());
    }
    let id = draft.born(&kinds::TAX_ID);
    let verification = if kind.is_verifiable() {
        Verification::Pending
    } else {
        Verification::Unavailable
    };
    if verification == Verification::Pending && (&*given.value != TO_STAY_PENDING || livemode) {
        draft.timer(draft.now_ms() + VERIFICATION_MS, id);
    }
    Ok(TaxId {
        id,
        customer,
        kind,
        value: given.value.clone(),
        verification,
        deleted: false,
    })
}
