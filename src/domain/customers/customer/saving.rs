//! Saving payment methods to a customer.

use super::Customer;
use crate::decision::{Case, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::object::Object;
use crate::payments::payment_method::{Behaviour, PaymentMethod, PaymentMethodParam};
use crate::reject::{Reject, codes};
use std::sync::Arc;
use tollgate_resource::Id;

/// Saves the payment method that a parameter names to a customer of the same draft; answers with its id. A fresh one is
/// born here.
pub(crate) fn save_method(
    case: &Case<'_>,
    draft: &mut Draft,
    customer: &mut Customer,
    param: PaymentMethodParam,
) -> Result<Id, Stop> {
    let mut method = match param {
        PaymentMethodParam::Stored(id) => {
            let missing = || Reject::no_such_param(&kinds::PAYMENT_METHOD, id, "payment_method");
            let stored = case.payment_method(id)?.ok_or_else(missing)?;
            if stored.used_up {
                return Err(Reject::payment_method_used_up().into());
            }
            match stored.customer {
                None => stored.clone(),
                Some(owner) if owner == customer.id => return Ok(id),
                Some(_) => {
                    let message = "The payment method you provided has already been attached to a customer.";
                    return Err(Reject::invalid(None, message).begun().into());
                }
            }
        }
        PaymentMethodParam::Fresh(card) if case.world.account.profile.livemode => {
            let message = format!("No such PaymentMethod: 'pm_card_{}'", card.names[0]);
            let reject = Reject::invalid(Some(codes::RESOURCE_MISSING), message);
            return Err(reject.with_param("payment_method").into());
        }
        PaymentMethodParam::Fresh(card) => {
            PaymentMethod::of_test_card(draft.born(&kinds::PAYMENT_METHOD), card, draft.now_ms())
        }
    };
    if let (Behaviour::Decline(decline), false) = (method.behaviour(), method.card.facts().attaches) {
        // The issuer is asked when a card is saved, and what it says names no parameter.
        return Err(Reject::declined(decline).with_param("").into());
    }
    customer.hold_method(method.id)?;
    method.customer = Some(customer.id);
    method.see();
    let id = method.id;
    draft.event(EventType::PaymentMethodAttached, id);
    draft.put(Object::PaymentMethod(Arc::new(method)));
    Ok(id)
}
