//! Capturing holds, and what becomes of those that are not captured in time.

use super::remote::{self, ask_to_capture, captured, not_while_calling};
use super::{CaptureCharge, Charge, ChargeState};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::events::EventType;
use crate::kinds;
use crate::money::{AmountProblem, Money};
use crate::object::Object;
use crate::payments::dispute;
use crate::payments::payment_intent::{
    self, CapturePaymentIntent, check_descriptor, check_email, put_charge, statement_text,
};
use crate::payments::refund::{self, RefundReason};
use crate::reject::{Reject, codes};
use std::sync::Arc;
use tollgate_breaks::broken;
use tollgate_resource::{Id, Metadata};

/// Captures a hold, wholly or in part; what is not captured is released. The hold of an intent is captured with its
/// intent.
pub(crate) fn capture(case: &Case<'_>, id: Id, asked: &CaptureCharge) -> Result<Decision, Stop> {
    let before = super::charge_of_path(case, id, "charge")?;
    not_while_calling(before)?;
    if let Some(email) = &asked.receipt_email {
        check_email(email, "receipt_email")?;
    }
    check_descriptor(asked.statement_descriptor.as_deref(), "statement_descriptor")?;
    check_descriptor(
        asked.statement_descriptor_suffix.as_deref(),
        "statement_descriptor_suffix",
    )?;
    if let Some(reject) = refuse_capture(before) {
        return Err(reject.into());
    }
    let amount = amount_of(case, asked, before)?;
    dispute::load_payer(case, &before.instrument, before.customer)?;
    if let Some(intent) = before.payment_intent {
        return capture_intent(case, before, intent, asked, amount);
    }
    let mut charge = before.clone();
    if asked.receipt_email.is_some() {
        charge.receipt_email = asked.receipt_email.clone();
    }
    if asked.statement_descriptor.is_some() {
        charge.statement_descriptor = asked.statement_descriptor.clone();
    }
    if asked.statement_descriptor_suffix.is_some() {
        charge.statement_descriptor_suffix = asked.statement_descriptor_suffix.clone();
    }
    if asked.transfer_group.is_some() {
        charge.transfer_group = asked.transfer_group.clone();
    }
    charge.calculated_statement_descriptor = statement_text(
        case,
        charge.statement_descriptor.as_deref(),
        charge.statement_descriptor_suffix.as_deref(),
    );
    if let Some(authorised) = charge.authorised_by {
        return Ok(ask_to_capture(case, charge, authorised, amount));
    }
    let mut draft = case.draft();
    captured(case, &mut draft, charge, amount);
    Ok(draft.decide(Reply::Object(&kinds::CHARGE, id)))
}

/// The time of a hold is over: if it was not captured, it is released. That leaves a refund of the whole hold that moved
/// no money.
pub(super) fn expire(case: &Case<'_>, before: &Charge) -> Result<Decision, Stop> {
    let id = before.id;
    let ends = before.capture_before_ms.filter(|_| before.payment_intent.is_none());
    let expired = before.state == ChargeState::Held && ends.is_some_and(|ends| case.inputs.now_ms >= ends);
    if !expired {
        return Ok(case.nothing());
    }
    let mut draft = case.draft();
    let mut charge = before.clone();
    let reason = Some(RefundReason::ExpiredUncapturedCharge);
    let refund = refund::released(
        &mut draft,
        &mut charge,
        reason,
        Metadata::default(),
        ChargeState::Expired,
    );
    remote::release(&mut draft, &mut charge);
    draft.event(EventType::ChargeExpired, id);
    draft.event(EventType::RefundCreated, refund.id);
    draft.put(Object::Refund(Arc::new(refund)));
    put_charge(case, &mut draft, charge);
    Ok(draft.settle(None))
}

/// Captures by way of the intent that the hold belongs to; the charge answers.
fn capture_intent(
    case: &Case<'_>,
    charge: &Charge,
    intent: Id,
    asked: &CaptureCharge,
    amount: i64,
) -> Result<Decision, Stop> {
    let text = intent.text(&kinds::PAYMENT_INTENT);
    if asked.receipt_email.is_some() || asked.transfer_group.is_some() {
        let param = if asked.receipt_email.is_some() {
            "receipt_email"
        } else {
            "transfer_group"
        };
        let message = format!("This charge was made by the PaymentIntent {text}. Change `{param}` of that instead.");
        return Err(Reject::invalid(None, message).with_param(param).into());
    }
    let asked = CapturePaymentIntent {
        amount_to_capture: Some(amount),
        statement_descriptor: asked.statement_descriptor.clone(),
        statement_descriptor_suffix: asked.statement_descriptor_suffix.clone(),
        ..CapturePaymentIntent::default()
    };
    payment_intent::capture_of_charge(case, (intent, charge.id), &asked)
}

/// How much is captured: what is asked for, or all of the hold.
fn amount_of(case: &Case<'_>, asked: &CaptureCharge, charge: &Charge) -> Result<i64, Stop> {
    let left = charge.amount - charge.amount_captured();
    let Some(amount) = asked.amount else {
        return Ok(left);
    };
    let money = Money::new(amount, charge.currency);
    if amount <= 0 {
        let reject = Reject::invalid(Some(codes::PARAMETER_INVALID_INTEGER), "Invalid positive integer");
        return Err(reject.with_param("amount").into());
    }
    if amount > left && !broken!(CaptureChargeTooMuch) {
        let held = Money::new(left, charge.currency);
        let message = format!(
            "The capture amount ({money}) is greater than the amount that this charge holds ({held}). Capture at most \
             that."
        );
        return Err(Reject::invalid(Some(codes::AMOUNT_TOO_LARGE), message)
            .with_param("amount")
            .begun()
            .into());
    }
    // What an intent holds may be captured down to one unit; a charge on its own is never less than a charge may be.
    let minimum = charge.currency.minimum_charge();
    if amount < minimum && charge.payment_intent.is_none() {
        let message = format!("Amount must be at least {}", charge.currency.format_with_code(minimum));
        return Err(Reject::invalid(Some(codes::AMOUNT_TOO_SMALL), message).begun().into());
    }
    if amount % charge.currency.step() != 0 {
        return Err(Reject::amount(AmountProblem::Step, money, case.version(), "amount").into());
    }
    Ok(amount)
}

/// The refusal to capture a charge in its state; `None` if it may be captured.
fn refuse_capture(charge: &Charge) -> Option<Reject> {
    let text = charge.id.text(&kinds::CHARGE);
    let (code, message) = match charge.state {
        ChargeState::Held if charge.open_attempt().is_some() => (
            None,
            format!(
                "Charge {text} cannot be captured because the outcome of an earlier capture is not known yet. It is being \
                 found out; retrieve the charge to see it."
            ),
        ),
        ChargeState::Pending { .. } => (
            None,
            format!(
                "Charge {text} cannot be captured because it is pending. What became of it is being found out; retrieve the \
                 charge to see it."
            ),
        ),
        ChargeState::Held | ChargeState::PartlyCaptured { .. } => return None,
        ChargeState::Captured { .. } => (
            Some(codes::CHARGE_ALREADY_CAPTURED),
            format!("Charge {text} has already been captured."),
        ),
        ChargeState::Released => return Some(Reject::charge_already_refunded(charge.id)),
        ChargeState::Expired => (
            Some(codes::CHARGE_EXPIRED_FOR_CAPTURE),
            format!("Charge {text} cannot be captured: its authorization has expired."),
        ),
        ChargeState::Debiting => (
            None,
            format!("Charge {text} waits for a bank, so there is nothing to capture."),
        ),
        ChargeState::Failed { .. } => (
            None,
            format!("Charge {text} has failed, so there is nothing to capture."),
        ),
    };
    Some(Reject::invalid(code, message).begun())
}
