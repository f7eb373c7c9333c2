//! Making and changing customers.

use super::{CreateCustomer, Customer, TaxExempt, UpdateCustomer};
use crate::address::{Address, Shipping};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::events::EventType;
use crate::kinds;
use crate::metadata;
use crate::object::Object;
use std::sync::Arc;
use tollgate_resource::{Id, Metadata, Update};

/// Makes a customer.
pub(crate) fn create(case: &Case<'_>, asked: &CreateCustomer) -> Result<Decision, Stop> {
    let mut draft = case.draft();
    let mut pairs = Metadata::default();
    metadata::merge(&mut pairs, &asked.metadata)?;
    let customer = Customer {
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
    };
    let id = customer.id;
    draft.put(Object::Customer(Arc::new(customer)));
    draft.event(EventType::CustomerCreated, id);
    Ok(draft.decide(Reply::Object(&kinds::CUSTOMER, id)))
}

/// Changes a customer. A change that changes nothing makes no event.
pub(crate) fn update(case: &Case<'_>, id: Id, asked: &UpdateCustomer) -> Result<Decision, Stop> {
    let before = case.customer_of_path(id)?;
    let mut after = Customer::clone(before);
    asked.name.clone().apply_to(&mut after.name);
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
    let mut draft = case.draft();
    if after != *before {
        let previous = Object::Customer(Arc::new(before.clone()));
        draft.put(Object::Customer(Arc::new(after)));
        draft.update_event(EventType::CustomerUpdated, id, previous);
    }
    Ok(draft.decide(Reply::Object(&kinds::CUSTOMER, id)))
}

fn changed<From: Clone, To>(update: &Update<From>, into: fn(From) -> To) -> Update<To> {
    match update {
        Update::Keep => Update::Keep,
        Update::Clear => Update::Clear,
        Update::Set(value) => Update::Set(into(value.clone())),
    }
}
