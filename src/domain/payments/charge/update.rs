//! Changing what is said about a charge.

use super::{Charge, Concerns, UpdateCharge};
use crate::address::Shipping;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::events::EventType;
use crate::kinds;
use crate::metadata;
use crate::object::Object;
use crate::payments::payment_intent::{check_email, put_charge};
use crate::reject::Reject;
use std::sync::Arc;
use tollgate_resource::{Id, Update};

/// Changes a charge. A change that changes nothing makes no event.
pub(crate) fn update(case: &Case<'_>, id: Id, asked: &UpdateCharge) -> Result<Decision, Stop> {
    let before = super::charge_of_path(case, id, "id")?;
    super::not_while_calling(before)?;
    let mut after = before.clone();
    if let Some(customer) = asked.customer {
        set_customer(case, &mut after, customer.0)?;
    }
    asked.description.clone().apply_to(&mut after.description);
    if let Some(details) = &asked.fraud_details {
        match &details.user_report {
            Update::Keep => {}
            Update::Clear => after.concerns_mut().user_report = None,
            Update::Set(report) => after.concerns_mut().user_report = Some(*report),
        }
        if after.concerns.as_deref() == Some(&Concerns::default()) {
            after.concerns = None;
        }
    }
    metadata::merge(&mut after.metadata, &asked.metadata)?;
    if let Update::Set(email) = &asked.receipt_email {
        check_email(email, "receipt_email")?;
    }
    asked.receipt_email.clone().apply_to(&mut after.receipt_email);
    match asked.shipping.clone() {
        Update::Keep => {}
        Update::Clear => after.shipping = None,
        Update::Set(shipping) => after.shipping = Some(Box::new(Shipping::from(shipping))),
    }
    if let Some(group) = &asked.transfer_group {
        if let Some(intent) = before.payment_intent {
            return Err(of_intent(intent, "transfer_group").into());
        }
        set_transfer_group(&mut after, group)?;
    }
    let mut draft = case.draft();
    if after != *before {
        draft.update_event(EventType::ChargeUpdated, id, Object::Charge(Arc::new(before.clone())));
        put_charge(case, &mut draft, after);
    }
    Ok(draft.decide(Reply::Object(&kinds::CHARGE, id)))
}

/// Names who paid, of a charge that has no customer yet.
fn set_customer(case: &Case<'_>, charge: &mut Charge, customer: Id) -> Result<(), Stop> {
    case.check_customer(customer)?;
    if charge.customer.is_some_and(|known| known != customer) {
        let message = "This charge has a customer already, and that cannot be changed.";
        return Err(Reject::invalid(None, message).with_param("customer").begun().into());
    }
    charge.customer = Some(customer);
    Ok(())
}

/// The refusal to change on a charge what its intent says.
fn of_intent(intent: Id, param: &str) -> Reject {
    let message = format!(
        "This Charge was created by a PaymentIntent ({}). You must update the `{param}` on the PaymentIntent instead of \
         updating the Charge directly. See https://stripe.com/docs/api#update_payment_intent",
        intent.text(&kinds::PAYMENT_INTENT)
    );
    Reject::invalid(None, message).begun()
}

/// Groups a charge that is in no group yet.
fn set_transfer_group(charge: &mut Charge, group: &str) -> Result<(), Stop> {
    if charge.transfer_group.as_deref().is_some_and(|known| known != group) {
        let message = "This charge has a `transfer_group` already, and that cannot be changed.";
        return Err(Reject::invalid(None, message)
            .with_param("transfer_group")
            .begun()
            .into());
    }
    charge.transfer_group = Some(group.into());
    Ok(())
}
