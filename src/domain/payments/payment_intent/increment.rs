//! Raising what is held; and what only other payment methods than cards can do.

use super::checks::{check_descriptor, intent_of_path, not_while_calling};
use super::decide::held_charge;
use super::outcome::put_charge;
use super::{ApplyCustomerBalance, Availability, IncrementAuthorization, PaymentIntent, Status};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::events::EventType;
use crate::inputs::Network;
use crate::kinds;
use crate::metadata;
use crate::money::{Money, check_charge_amount};
use crate::payments::payment_method::PaymentMethodType;
use crate::reject::{Reject, codes};
use tollgate_resource::{Id, Names};

/// How often the held amount of one intent may be raised.
const INCREMENTS_MAX: u32 = 10;

impl PaymentIntent {
    /// Whether the amount `network` holds for it may be raised: if that was asked for. A remote network takes no such
    /// call.
    pub(super) fn may_increment(&self, network: Network) -> bool {
        let asked = self
            .card_options()
            .and_then(|card| card.request_incremental_authorization);
        self.holds(PaymentMethodType::Card) && network == Network::Instant && asked == Some(Availability::IfAvailable)
    }

    /// Whether what `network` holds for it may be captured in parts: if that was asked for. A remote network captures
    /// once.
    pub(super) fn may_capture_in_parts(&self, network: Network) -> bool {
        let asked = self.card_options().and_then(|card| card.request_multicapture);
        self.holds(PaymentMethodType::Card) && network == Network::Instant && asked == Some(Availability::IfAvailable)
    }
}

/// Raises the held amount.
pub(crate) fn increment(case: &Case<'_>, id: Id, asked: &IncrementAuthorization) -> Result<Decision, Stop> {
    let before = intent_of_path(case, id)?;
    not_while_calling(before)?;
    let money = Money::new(asked.amount, before.currency);
    check_charge_amount(money).map_err(|problem| Reject::amount(problem, money, case.version(), "amount"))?;
    let mut intent = before.clone();
    metadata::merge(&mut intent.metadata, &asked.metadata)?;
    check_descriptor(asked.statement_descriptor.as_deref(), "statement_descriptor")?;
    if !matches!(before.status, Status::RequiresCapture { capture: None, .. }) {
        let message = format!(
            "This PaymentIntent's authorization could not be incremented because it has a status of {}. Only a \
             PaymentIntent with a status of requires_capture may be incremented.",
            before.status.name().name()
        );
        return Err(Reject::payment_intent_state(id, message).into());
    }
    let held = held_charge(case, before)?;
    let refused = |message: String| Stop::from(Reject::payment_intent_state(id, message));
    if !held.increments {
        return Err(refused(
            "This PaymentIntent's authorization cannot be incremented. Ask for it when the PaymentIntent is confirmed, \
             with `payment_method_options[card][request_incremental_authorization]=if_available`."
                .to_owned(),
        ));
    }
    if asked.amount <= before.amount {
        let message = format!(
            "The amount ({money}) must be greater than the amount that is authorized now ({}).",
            before.money()
        );
        let reject = Reject::invalid(None, message).with_param("amount");
        return Err(reject.with_payment_intent(id).begun().into());
    }
    let made = before
        .particulars
        .as_ref()
        .map_or(0, |particulars| particulars.increments);
    if made >= INCREMENTS_MAX {
        return Err(refused(format!(
            "An authorization can be incremented up to {INCREMENTS_MAX} times."
        )));
    }
    intent.with_particulars(|particulars| {
        particulars.increments = made + 1;
        if let Some(details) = &asked.payment_details {
            details.apply_to(&mut particulars.payment_details);
        }
        match &asked.amount_details {
            Some(details) => details.apply_to(&mut particulars.amount_details, case.inputs.now_ms),
            None => Ok(()),
        }
    })?;
    if asked.description.is_some() {
        intent.description = asked.description.clone();
    }
    if asked.statement_descriptor.is_some() {
        intent.statement_descriptor = asked.statement_descriptor.clone();
    }
    intent.amount = asked.amount;
    intent.check_amount_details(asked.amount)?;
    let mut charge = held.clone();
    charge.amount = asked.amount;
    charge.description = intent.description.clone();
    charge.metadata = intent.metadata.clone();
    let mut draft = case.draft();
    draft.event(EventType::PaymentIntentAmountCapturableUpdated, id);
    put_charge(case, &mut draft, charge);
    super::outcome::put_intent(case, &mut draft, intent);
    Ok(draft.decide(Reply::Object(&kinds::PAYMENT_INTENT, id)))
}

/// Pays from a customer's cash balance. Bank transfers fill it, which are not offered: nothing can be applied.
pub(crate) fn apply_customer_balance(case: &Case<'_>, id: Id, asked: &ApplyCustomerBalance) -> Result<Decision, Stop> {
    let intent = intent_of_path(case, id)?;
    not_while_calling(intent)?;
    if asked.amount.is_some_and(|amount| amount < 0) {
        let code = Some(codes::PARAMETER_INVALID_INTEGER);
        return Err(Reject::invalid(code, "Invalid non-negative integer")
            .with_param("amount")
            .into());
    }
    if asked.currency.is_some_and(|currency| currency != intent.currency) {
        let message = format!(
            "The currency must be that of the PaymentIntent ({}).",
            intent.currency.code()
        );
        return Err(Reject::invalid(None, message).with_param("currency").into());
    }
    let message = "This PaymentIntent cannot be paid from a customer's cash balance: that takes the payment method type \
                   `customer_balance`, which this PaymentIntent does not accept. It accepts: card.";
    Err(Reject::payment_intent_state(id, message).into())
}
