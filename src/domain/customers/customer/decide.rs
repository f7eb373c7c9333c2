//! Making and changing customers.

use super::invoicing::InvoiceSettingsParams;
use super::{CreateCustomer, Customer, CustomerMore, TaxExempt, UpdateCustomer, save_method};
use crate::address::{Address, Shipping, changed};
use crate::customers::customer_balance_transaction::{CustomerBalanceTransactionType, move_balance};
use crate::customers::source;
use crate::customers::tax_id;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::metadata;
use crate::object::Object;
use crate::payments::payment_intent::check_email;
use crate::payments::payment_method::Saving;
use crate::reject::Reject;
use crate::versions;
use std::sync::Arc;
use tollgate_resource::{Id, Metadata, Update};

/// Makes a customer, with the payment method it is to have.
pub(crate) fn create(case: &Case<'_>, asked: &CreateCustomer) -> Result<Decision, Stop> {
    let mut draft = case.draft();
    let mut pairs = Metadata::default();
    check_address(case, &asked.email)?;
    metadata::merge(&mut pairs, &asked.metadata)?;
    let mut customer = Customer {
        id: draft.born(&kinds::CUSTOMER),
        name: asked.name.clone().into_option(),
        email: asked.email.clone().into_option(),
        phone: asked.phone.clone().into_option(),
        description: asked.description.clone().into_option(),
        address: asked.address.clone().into_option().map(Address::from),
        shipping: asked.shipping.clone().into_option().map(Shipping::from),
        metadata: pairs,
        preferred_locales: asked
            .preferred_locales
            .iter()
            .map(|locale| locale.to_string())
            .collect(),
        invoice_prefix: asked.invoice_prefix.clone().map(|prefix| prefix.0),
        tax_exempt: asked.tax_exempt.clone().into_option().unwrap_or(TaxExempt::None),
        business_name: asked.business_name.clone().into_option(),
        individual_name: asked.individual_name.clone().into_option(),
        deleted: false,
        more: None,
    };
    let id = customer.id;
    draft.event(EventType::CustomerCreated, id);
    if let Some(tax) = &asked.tax {
        changed(&tax.ip_address, |ip| ip.0).apply_to(&mut customer.more_mut().tax_ip_address);
    }
    customer.more_mut().next_invoice_sequence = sequence(asked.next_invoice_sequence);
    let saved = match asked.payment_method {
        Some(param) => Some((param, save_method(case, &mut draft, &mut customer, param)?)),
        None => None,
    };
    let source = asked.source.as_ref().map(|source| (source, "source"));
    if let Some(named) = source.or(asked.card.as_ref().map(|card| (card, "card"))) {
        let id = source::add(
            case,
            &mut draft,
            &mut customer,
            named,
            (None, Saving::of(asked.validate)),
        )?;
        customer.more_mut().default_source = Some(id);
    }
    if let Some(settings) = &asked.invoice_settings {
        let mut settings = settings.clone();
        // A fresh card has no id before; named twice, it means the same one.
        if let (Update::Set(default), Some((param, id))) = (&mut settings.default_payment_method, saved)
            && *default == param
        {
            settings.default_payment_method = Update::Keep;
            customer.more_mut().invoicing.default_payment_method = Some(id);
        }
        change_invoicing(case, &mut customer, &settings)?;
    }
    if let Some(balance) = asked.balance {
        let kind = CustomerBalanceTransactionType::Initial;
        move_balance(case, &mut draft, &mut customer, balance, kind)?;
    }
    for given in &asked.tax_id_data {
        tax_id::add(case, &mut draft, &mut customer, given)?;
    }
    customer.normalise();
    draft.put(Object::Customer(Arc::new(customer)));
    Ok(draft.decide(Reply::Object(&kinds::CUSTOMER, id)))
}

/// Refuses text that is no email address, where the version of the request does.
fn check_address(case: &Case<'_>, email: &Update<Box<str>>) -> Result<(), Stop> {
    match email {
        Update::Set(email) if case.version() >= versions::CUSTOMER_EMAILS_CHECKED => check_email(email, "email"),
        _ => Ok(()),
    }
}

/// Changes a customer. A change that changes nothing makes no event.
pub(crate) fn update(case: &Case<'_>, id: Id, asked: &UpdateCustomer) -> Result<Decision, Stop> {
    let before = case.customer_of_path(id)?;
    let mut after = Customer::clone(before);
    asked.name.clone().apply_to(&mut after.name);
    check_address(case, &asked.email)?;
    asked.email.clone().apply_to(&mut after.email);
    asked.phone.clone().apply_to(&mut after.phone);
    asked.description.clone().apply_to(&mut after.description);
    asked.business_name.clone().apply_to(&mut after.business_name);
    asked.individual_name.clone().apply_to(&mut after.individual_name);
    changed(&asked.address, Address::from).apply_to(&mut after.address);
    changed(&asked.shipping, Shipping::from).apply_to(&mut after.shipping);
    metadata::merge(&mut after.metadata, &asked.metadata)?;
    if let Some(locales) = &asked.preferred_locales {
        after.preferred_locales = locales.iter().map(|locale| locale.to_string()).collect();
    }
    if let Some(prefix) = &asked.invoice_prefix {
        after.invoice_prefix = Some(prefix.0.clone());
    }
    match &asked.tax_exempt {
        Update::Keep => {}
        Update::Clear => after.tax_exempt = TaxExempt::None,
        Update::Set(exempt) => after.tax_exempt = *exempt,
    }
    if let Some(tax) = &asked.tax {
        changed(&tax.ip_address, |ip| ip.0).apply_to(&mut after.more_mut().tax_ip_address);
    }
    if asked.next_invoice_sequence.is_some() {
        after.more_mut().next_invoice_sequence = sequence(asked.next_invoice_sequence);
    }
    if let Some(settings) = &asked.invoice_settings {
        change_invoicing(case, &mut after, settings)?;
    }
    let mut draft = case.draft();
    change_source(case, &mut draft, &mut after, asked)?;
    if let Some(balance) = asked.balance {
        let kind = CustomerBalanceTransactionType::Adjustment;
        move_balance(case, &mut draft, &mut after, balance, kind)?;
    }
    match &asked.tax_info {
        Update::Keep => {}
        Update::Clear => tax_id::replace(case, &mut draft, &mut after, None)?,
        Update::Set(info) => tax_id::replace(case, &mut draft, &mut after, Some(&info.tax_id))?,
    }
    after.normalise();
    put_changed(&mut draft, before, after);
    Ok(draft.decide(Reply::Object(&kinds::CUSTOMER, id)))
}

/// Puts a customer at its new version, with the event of the change if there is one.
pub(crate) fn put_changed(draft: &mut Draft, before: &Customer, after: Customer) {
    if after != *before {
        let id = after.id;
        let previous = Object::Customer(Arc::new(before.clone()));
        draft.put(Object::Customer(Arc::new(after)));
        draft.update_event(EventType::CustomerUpdated, id, previous);
    }
}

/// A new card or source takes the place of the one that was charged by default; a saved one is named for that.
fn change_source(
    case: &Case<'_>,
    draft: &mut Draft,
    customer: &mut Customer,
    asked: &UpdateCustomer,
) -> Result<(), Stop> {
    let named = asked.source.as_ref().map(|source| (source, "source"));
    if let Some(named) = named.or(asked.card.as_ref().map(|card| (card, "card"))) {
        let id = source::add(case, draft, customer, named, (None, Saving::of(asked.validate)))?;
        if let Some(replaced) = customer.more().default_source
            && let Some(method) = case.payment_method(replaced)?
        {
            source::take(case, draft, method)?;
            customer.release_method(replaced);
        }
        customer.more_mut().default_source = Some(id);
    }
    let default = asked.default_source.map(|default| (default, "default_source"));
    if let Some((default, param)) = default.or(asked.default_card.map(|card| (card, "default_card"))) {
        if !customer.more().sources.contains(&default.id) {
            return Err(Reject::no_such_param(&kinds::SOURCE, default.id, param).into());
        }
        customer.more_mut().default_source = Some(default.id);
    }
    Ok(())
}

fn change_invoicing(case: &Case<'_>, customer: &mut Customer, asked: &InvoiceSettingsParams) -> Result<(), Stop> {
    let mut settings = customer.more().invoicing.clone();
    let CustomerMore { methods, sources, .. } = customer.more();
    settings.change(case, asked, &|id| methods.contains(&id) || sources.contains(&id))?;
    customer.more_mut().invoicing = settings;
    Ok(())
}

/// A stored sequence: 0 stands for the first.
fn sequence(asked: Option<i64>) -> u32 {
    match asked {
        None | Some(1) => 0,
        Some(asked) => u32::try_from(asked).expect("the parameter is bounded"),
    }
}
