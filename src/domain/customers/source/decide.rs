//! Making and changing sources.

use super::{CreateSource, SourceData, SourceOwnerParams, UpdateSource};
use crate::address::Address;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::events::EventType;
use crate::kinds;
use crate::metadata;
use crate::object::Object;
use crate::payments::payment_method::{Details, NewMethod, PaymentMethod};
use crate::reject::{Reject, codes};
use tollgate_resource::{Id, Metadata};

/// Makes a source of a card's details or a token. It can be charged at once.
pub(crate) fn create(case: &Case<'_>, asked: &CreateSource) -> Result<Decision, Stop> {
    let new = match (&asked.token, &asked.card) {
        (Some(token), _) => NewMethod::of_token(*token, "token", case)?,
        (None, Some(card)) => NewMethod::of_flat(card, "card", case)?,
        (None, None) => {
            let reject = Reject::invalid(Some(codes::PARAMETER_MISSING), "Missing required param: card.");
            return Err(reject.with_param("card").into());
        }
    };
    let mut pairs = Metadata::default();
    metadata::merge(&mut pairs, &asked.metadata)?;
    let mut draft = case.draft();
    let mut source = new.born_as(&kinds::SOURCE, &mut draft);
    let details = source.details.get_or_insert_default();
    details.metadata = pairs;
    if let Some(owner) = &asked.owner {
        own(details, owner);
    }
    if **details == Details::default() {
        source.details = None;
    }
    source.source = Some(Box::new(SourceData {
        usage: asked.usage.unwrap_or_default(),
        amount: asked.amount,
        currency: asked.currency,
        statement_descriptor: asked.statement_descriptor.clone(),
    }));
    let id = source.id;
    draft.event(EventType::SourceChargeable, id);
    draft.put(Object::of_method(source));
    Ok(draft.decide(Reply::Object(&kinds::SOURCE, id)))
}

/// Changes a source. There is an event of that only where a customer has it.
pub(crate) fn update(case: &Case<'_>, id: Id, asked: &UpdateSource) -> Result<Decision, Stop> {
    let before = case
        .payment_method(id)?
        .ok_or_else(|| Reject::no_such(&kinds::SOURCE, id, "source"))?;
    let mut after = before.clone();
    let details = after.details.get_or_insert_default();
    metadata::merge(&mut details.metadata, &asked.metadata)?;
    if let Some(owner) = &asked.owner {
        own(details, owner);
    }
    if let (Some(amount), Some(data)) = (asked.amount, &mut after.source) {
        data.amount = Some(amount);
    }
    changed(case, before, after)
}

/// The decision that a card or source of the older API is now so.
pub(super) fn changed(case: &Case<'_>, before: &PaymentMethod, mut after: PaymentMethod) -> Result<Decision, Stop> {
    if after.details.as_deref() == Some(&Details::default()) {
        after.details = None;
    }
    let id = before.id;
    let mut draft = case.draft();
    if after != *before {
        if before.customer.is_some() {
            draft.update_event(EventType::CustomerSourceUpdated, id, Object::of_method(before.clone()));
        }
        draft.put(Object::of_method(after));
    }
    Ok(draft.decide(Reply::Object(kinds::of_method(id), id)))
}

/// Writes down who owns it; a new address is unchecked.
pub(super) fn own(details: &mut Details, owner: &SourceOwnerParams) {
    let mut billing = details.billing.clone();
    if let Some(address) = &owner.address {
        billing.address = Address::from(address.clone());
    }
    owner.email.clone().apply_to(&mut billing.email);
    owner.name.clone().apply_to(&mut billing.name);
    owner.phone.clone().apply_to(&mut billing.phone);
    details.bill(billing);
}
