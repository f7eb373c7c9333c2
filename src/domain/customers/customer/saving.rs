//! Saving payment methods to a customer.

use super::Customer;
use crate::decision::{Case, Stop};
use crate::draft::Draft;
use crate::kinds;
use crate::object::Object;
use crate::payments::payment_method::{self, PaymentMethodParam};
use crate::reject::Reject;
use tollgate_resource::Id;

/// Saves the payment method that a parameter names to a customer of the same draft; answers with its id. A fresh one is
/// born here.
pub(crate) fn save_method(
    case: &Case<'_>,
    draft: &mut Draft,
    customer: &mut Customer,
    param: PaymentMethodParam,
) -> Result<Id, Stop> {
    let method = match param {
        PaymentMethodParam::Stored(id) => {
            let missing = || Reject::no_such_param(&kinds::PAYMENT_METHOD, id, "payment_method");
            let stored = case.payment_method(id)?.ok_or_else(missing)?;
            if stored.customer.is_some() {
                return Err(payment_method::attached_already());
            }
            stored.clone()
        }
        PaymentMethodParam::Fresh(card) => payment_method::fresh(case, draft, card, "payment_method")?,
    };
    let method = payment_method::save(case, draft, method, customer)?;
    let id = method.id;
    draft.put(Object::of_method(method));
    Ok(id)
}
