//! Deleting a customer: what was saved to it is detached in the same record.

use super::Customer;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::events::EventType;
use crate::kinds;
use crate::object::Object;
use std::sync::Arc;
use tollgate_resource::Id;

/// Deletes a customer. Its payment methods are detached and cannot be used again; its payments stay as they are.
pub(crate) fn delete(case: &Case<'_>, id: Id) -> Result<Decision, Stop> {
    let before = case.customer_of_path(id)?;
    let mut draft = case.draft();
    for method in &before.more().methods {
        let method = case.payment_method(*method)?.expect("a saved payment method exists");
        let mut detached = method.clone();
        detached.customer = None;
        detached.used_up = true;
        draft.put(Object::PaymentMethod(Arc::new(detached)));
    }
    draft.put(Object::Customer(Arc::new(Customer {
        deleted: true,
        ..before.clone()
    })));
    draft.deleted_event(EventType::CustomerDeleted, id);
    Ok(draft.decide(Reply::Object(&kinds::CUSTOMER, id)))
}
