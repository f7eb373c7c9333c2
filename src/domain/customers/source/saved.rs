//! Saving cards, bank accounts and sources to customers, changing them there, and taking them away.

use super::decide::{changed, own};
use super::{CreateCustomerSource, NamedSource, UpdateCustomerSource};
use crate::customers::customer::{Customer, put_changed};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::metadata;
use crate::object::Object;
use crate::payments::bank_account::BankAccount;
use crate::payments::card::check_expiry;
use crate::payments::mandate;
use crate::payments::payment_method::{Details, NewMethod, PaymentMethod, Saving};
use crate::reject::{Reject, codes};
use tollgate_resource::{Id, MetadataUpdate, Update};

/// Saves a card or source to a customer. The first one is what the customer is charged by unless another is named.
pub(crate) fn save(case: &Case<'_>, customer: Id, asked: &CreateCustomerSource) -> Result<Decision, Stop> {
    let before = case.customer_of(customer)?;
    let (named, param) = match (&asked.source, &asked.card, &asked.bank_account) {
        (Some(source), _, _) => (source, "source"),
        (None, Some(card), _) => (card, "card"),
        (None, None, Some(bank)) => (bank, "bank_account"),
        (None, None, None) => {
            let reject = Reject::invalid(Some(codes::PARAMETER_MISSING), "Missing required param: source.");
            return Err(reject.with_param("source").into());
        }
    };
    let mut draft = case.draft();
    let mut after = before.clone();
    let more = (Some(&asked.metadata), Saving::of(asked.validate));
    let id = add(case, &mut draft, &mut after, (named, param), more)?;
    if after.more().default_source.is_none() {
        after.more_mut().default_source = Some(id);
        put_changed(&mut draft, before, after);
    } else {
        draft.put(Object::Customer(std::sync::Arc::new(after)));
    }
    Ok(draft.decide(Reply::Object(kinds::of_method(id), id)))
}

/// Saves a card or source to a customer of the same draft; answers with its id.
pub(crate) fn add(
    case: &Case<'_>,
    draft: &mut Draft,
    customer: &mut Customer,
    (named, param): (&NamedSource, &str),
    (pairs, saving): (Option<&MetadataUpdate>, Saving),
) -> Result<Id, Stop> {
    let mut saved = match named {
        NamedSource::Token(token) => NewMethod::of_any_token(*token, param, case)?.born_as(&kinds::CARD, draft),
        NamedSource::Details(given) => {
            let new = match given.bank_account() {
                Some(bank) => NewMethod::of_bank(bank.check(param, case)?),
                None => NewMethod::of_flat(&given.card(), param, case)?,
            };
            let mut saved = new.born_as(&kinds::CARD, draft);
            if saved.instrument.bank().is_some() && !given.metadata.pairs.is_empty() {
                metadata::merge(&mut saved.details.get_or_insert_default().metadata, &given.metadata)?;
            }
            saved
        }
        NamedSource::Source(id) => {
            let source = case.payment_method(*id)?;
            let source = source.ok_or_else(|| Reject::no_such_param(&kinds::SOURCE, *id, param))?;
            if source.customer.is_some() {
                let message = "The source you provided has already been attached to a customer.";
                return Err(Reject::invalid(None, message).with_param(param).begun().into());
            }
            source.clone()
        }
        NamedSource::Unknown(text) => {
            let reject = Reject::invalid(Some(codes::RESOURCE_MISSING), format!("No such token: '{text}'"));
            return Err(reject.with_param(param).into());
        }
    };
    if let Some(pairs) = pairs.filter(|pairs| pairs.clear || !pairs.pairs.is_empty()) {
        metadata::merge(&mut saved.details.get_or_insert_default().metadata, pairs)?;
    }
    if let Some(bank) = saved.instrument.bank() {
        check_new(case, customer, bank, param)?;
    }
    let saved = saving.save(case, draft, saved, customer)?;
    let id = saved.id;
    draft.put(Object::of_method(saved));
    Ok(id)
}

/// Refuses a bank account that the customer has already.
fn check_new(case: &Case<'_>, customer: &Customer, bank: &BankAccount, param: &str) -> Result<(), Stop> {
    let fingerprint = |bank: &BankAccount| bank.fingerprint(case.inputs.secrets, case.world.account.tag());
    let wanted = fingerprint(bank);
    for id in customer.more().sources.iter().filter(|id| id.is_other(&kinds::CARD)) {
        let kept = case.payment_method(*id)?;
        if kept.and_then(|kept| kept.instrument.bank()).map(fingerprint).as_ref() == Some(&wanted) {
            let message =
                "A bank account with that routing number and account number already exists for this customer.";
            let reject = Reject::invalid(Some(codes::BANK_ACCOUNT_EXISTS), message);
            return Err(reject.with_param(param).begun().into());
        }
    }
    Ok(())
}

/// Changes a card, bank account or source of a customer.
pub(crate) fn change(case: &Case<'_>, customer: Id, id: Id, asked: &UpdateCustomerSource) -> Result<Decision, Stop> {
    case.customer_of(customer)?;
    let before = of_customer(case, customer, id)?;
    let mut after = before.clone();
    if asked.exp_month.is_some() || asked.exp_year.is_some() {
        let Some(card) = after.instrument.card_mut() else {
            let message = "Only cards expire. This is a bank account.";
            return Err(Reject::invalid(None, message).with_param("exp_month").into());
        };
        let month = asked.exp_month.unwrap_or(i64::from(card.exp_month));
        let year = asked.exp_year.unwrap_or(i64::from(card.exp_year));
        (card.exp_month, card.exp_year) = check_expiry(month, year, case.inputs.now_ms)?;
    }
    if !matches!(asked.account_holder_name, Update::Keep) || asked.account_holder_type.is_some() {
        let Some(bank) = after.instrument.bank_mut() else {
            let message = "Only bank accounts have holders of their own. This is a card.";
            return Err(Reject::invalid(None, message).with_param("account_holder_name").into());
        };
        bank.holder = asked.account_holder_type.or(bank.holder);
        if let Some(older) = &mut bank.older {
            asked.account_holder_name.clone().apply_to(&mut older.holder_name);
        }
    }
    let details: &mut Details = after.details.get_or_insert_default();
    let mut billing = details.billing.clone();
    asked.name.clone().apply_to(&mut billing.name);
    let address = &mut billing.address;
    asked.address_city.clone().apply_to(&mut address.city);
    asked.address_country.clone().apply_to(&mut address.country);
    asked.address_line1.clone().apply_to(&mut address.line1);
    asked.address_line2.clone().apply_to(&mut address.line2);
    asked.address_state.clone().apply_to(&mut address.state);
    asked.address_zip.clone().apply_to(&mut address.postal_code);
    details.bill(billing);
    if let Some(owner) = &asked.owner {
        own(details, owner);
    }
    metadata::merge(&mut details.metadata, &asked.metadata)?;
    changed(case, before, after)
}

/// Takes a card or source from its customer, who is then charged by the next newest unless another is named.
pub(crate) fn remove(case: &Case<'_>, customer: Id, id: Id) -> Result<Decision, Stop> {
    let before = case.customer_of(customer)?;
    let method = of_customer(case, customer, id)?;
    let mut draft = case.draft();
    take(case, &mut draft, method)?;
    let mut after = before.clone();
    after.release_method(id);
    if after.more().default_source == before.more().default_source && after.more().invoicing == before.more().invoicing
    {
        draft.put(Object::Customer(std::sync::Arc::new(after)));
    } else {
        put_changed(&mut draft, before, after);
    }
    Ok(draft.decide(Reply::Object(kinds::of_method(id), id)))
}

/// Takes a card or source away: a card is deleted, a source consumed.
pub(crate) fn take(case: &Case<'_>, draft: &mut Draft, method: &PaymentMethod) -> Result<(), Stop> {
    let id = method.id;
    let mut taken = PaymentMethod {
        used_up: true,
        ..method.clone()
    };
    if id.is(&kinds::CARD) {
        draft.deleted_event(EventType::CustomerSourceDeleted, id);
    } else {
        taken.customer = None;
        draft.event(EventType::CustomerSourceDeleted, id);
    }
    mandate::end_with(case, draft, &mut taken)?;
    draft.put(Object::of_method(taken));
    Ok(())
}

pub(super) fn of_customer<'a>(case: &Case<'a>, customer: Id, id: Id) -> Result<&'a PaymentMethod, Stop> {
    match case.payment_method(id)? {
        Some(method) if method.customer == Some(customer) => Ok(method),
        _ => Err(Reject::no_such(&kinds::SOURCE, id, "id").into()),
    }
}
