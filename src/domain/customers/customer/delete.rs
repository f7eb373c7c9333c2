//! Deleting a customer: what was saved to it is detached in the same record.

use super::Customer;
use crate::customers::source;
use crate::customers::tax_id::TaxId;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::events::EventType;
use crate::kinds;
use crate::object::Object;
use crate::payments::mandate;
use crate::payments::payment_method::PaymentMethod;
use std::sync::Arc;
use tollgate_resource::Id;

/// Deletes a customer. Its payment methods are detached and cannot be used again; its payments stay as they are.
pub(crate) fn delete(case: &Case<'_>, id: Id) -> Result<Decision, Stop> {
    let before = case.customer_of_path(id)?;
    let mut draft = case.draft();
    for id in &before.more().methods {
        let method = case.payment_method(*id)?.expect("a saved payment method exists");
        let mut detached = PaymentMethod {
            customer: None,
            used_up: true,
            ..method.clone()
        };
        mandate::end_with(case, &mut draft, &mut detached)?;
        draft.put(Object::of_method(detached));
        let previous = Object::of_method(method.clone());
        draft.update_event(EventType::PaymentMethodDetached, *id, previous);
    }
    for id in &before.more().sources {
        let saved = case.payment_method(*id)?.expect("a saved card or source exists");
        source::take(case, &mut draft, saved)?;
    }
    for id in &before.more().tax_ids {
        let Some(Object::TaxId(tax_id)) = case.find(&kinds::TAX_ID, *id)? else {
            unreachable!("a customer's tax id exists");
        };
        draft.put(Object::TaxId(Arc::new(TaxId {
            deleted: true,
            ..TaxId::clone(tax_id)
        })));
    }
    draft.put(Object::Customer(Arc::new(Customer {
        deleted: true,
        ..before.clone()
    })));
    draft.deleted_event(EventType::CustomerDeleted, id);
    Ok(draft.decide(Reply::Object(&kinds::CUSTOMER, id)))
}
