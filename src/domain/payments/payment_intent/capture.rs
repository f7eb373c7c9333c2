//! Capturing what is held.

use super::checks::{check_descriptor, intent_of_path, not_while_calling, refuse_capture};
use super::confirm::change_payment_details;
use super::decide::{begin, card_money, held_charge};
use super::outcome::{self, Part, put_intent};
use super::{CapturePaymentIntent, PaymentIntent, Status};
use crate::acquirer::Ask;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::kinds;
use crate::metadata;
use crate::money::Money;
use crate::payments::dispute;
use crate::reject::{Reject, codes};
use tollgate_breaks::broken;
use tollgate_resource::{Id, Update};

/// Captures a hold, wholly or in part; the rest is released.
pub(crate) fn capture(case: &Case<'_>, id: Id, asked: &CapturePaymentIntent) -> Result<Decision, Stop> {
    capture_for(case, id, asked, None)
}

/// Captures the hold of `charge` by way of its intent; the charge answers.
pub(crate) fn capture_of_charge(
    case: &Case<'_>,
    (id, charge): (Id, Id),
    asked: &CapturePaymentIntent,
) -> Result<Decision, Stop> {
    let mut decision = capture_for(case, id, asked, Some(charge))?;
    if let Reply::Object(..) = decision.reply {
        decision.reply = Reply::Object(&kinds::CHARGE, charge);
    }
    Ok(decision)
}

fn capture_for(
    case: &Case<'_>,
    id: Id,
    asked: &CapturePaymentIntent,
    answered_by: Option<Id>,
) -> Result<Decision, Stop> {
    let before = intent_of_path(case, id)?;
    not_while_calling(before)?;
    let last = asked.final_capture != Some(false);
    // Nothing more is taken of a hold that was captured in parts: the rest is released.
    let finishes = last && asked.amount_to_capture == Some(0) && captured_in_parts(before);
    match asked.amount_to_capture {
        Some(0) if !finishes => {
            let message = "This value must be greater than or equal to 1.";
            return Err(Reject::invalid(Some(codes::PARAMETER_INVALID_INTEGER), message)
                .with_param("amount")
                .with_payment_intent(id)
                .into());
        }
        Some(amount) if amount < 0 => {
            return Err(Reject::invalid(None, "Invalid non-negative integer")
                .with_param("amount_to_capture")
                .with_payment_intent(id)
                .into());
        }
        _ => {}
    }
    let mut intent = before.clone();
    if asked.amount_details.is_some() || !matches!(asked.payment_details, Update::Keep) {
        intent.with_particulars(|particulars| {
            change_payment_details(&asked.payment_details, particulars);
            match &asked.amount_details {
                Some(details) => details.apply_to(&mut particulars.amount_details, case.inputs.now_ms),
                None => Ok(()),
            }
        })?;
    }
    metadata::merge(&mut intent.metadata, &asked.metadata)?;
    check_descriptor(asked.statement_descriptor.as_deref(), "statement_descriptor")?;
    check_descriptor(
        asked.statement_descriptor_suffix.as_deref(),
        "statement_descriptor_suffix",
    )?;
    if let Some(reject) = refuse_capture(before) {
        return Err(reject.into());
    }
    let charge = held_charge(case, before)?;
    dispute::load_payer(case, &charge.instrument, charge.customer)?;
    if !last && !charge.multicapture {
        let message = "Capturing a PaymentIntent more than once is not available for this payment. Leave `final_capture` \
                       out, or set it to `true`: what is not captured is released. To capture in parts, ask for it when the \
                       PaymentIntent is confirmed, with `payment_method_options[card][request_multicapture]=if_available`.";
        let reject = Reject::invalid(None, message).with_param("final_capture");
        return Err(reject.with_payment_intent(id).begun().into());
    }
    let amount = asked.amount_to_capture.unwrap_or(before.amount_capturable());
    if amount > before.amount_capturable() && !broken!(CaptureTooMuch) {
        let reject = Reject::invalid(Some(codes::AMOUNT_TOO_LARGE), MORE_THAN_HELD);
        return Err(reject.with_payment_intent(id).begun().into());
    }
    if amount % before.currency.step() != 0 {
        let money = Money::new(amount, before.currency);
        let problem = crate::money::AmountProblem::Step;
        return Err(Reject::amount(problem, money, case.version(), "amount_to_capture").into());
    }
    if asked.amount_details.is_some() {
        intent.check_amount_details(amount)?;
    }
    if asked.statement_descriptor.is_some() {
        intent.statement_descriptor = asked.statement_descriptor.clone();
    }
    if asked.statement_descriptor_suffix.is_some() {
        intent.statement_descriptor_suffix = asked.statement_descriptor_suffix.clone();
    }
    let mut draft = case.draft();
    if finishes {
        outcome::finished(case, &mut draft, intent, charge.clone());
        return Ok(draft.decide(Reply::Object(&kinds::PAYMENT_INTENT, id)));
    }
    if let Some(authorised) = charge.authorised_by {
        let ask = Ask::Capture {
            of: authorised,
            money: card_money(&intent, &charge.instrument, amount),
        };
        let mut attempt = begin(case, &mut draft, &mut intent, amount, ask);
        attempt.answered_by = answered_by;
        let Status::RequiresCapture {
            capture_before_ms,
            received,
            ..
        } = intent.status
        else {
            unreachable!("it is a hold")
        };
        let id = attempt.id(intent.id);
        intent.status = Status::RequiresCapture {
            capture_before_ms,
            capture: Some(Box::new(attempt)),
            received,
        };
        put_intent(case, &mut draft, intent);
        return Ok(draft.decide(Reply::Await(id)));
    }
    let part = Part {
        amount,
        last,
        attempt: None,
    };
    outcome::captured(case, &mut draft, intent, charge.clone(), part);
    Ok(draft.decide(Reply::Object(&kinds::PAYMENT_INTENT, id)))
}

/// The refusal to capture more than is held.
const MORE_THAN_HELD: &str = "The payment could not be captured because the requested capture amount is greater than the \
    amount you can capture for this charge. Contact us via https://support.stripe.com/contact/ for help.";

/// Whether something was captured of a hold that stands.
fn captured_in_parts(intent: &PaymentIntent) -> bool {
    matches!(intent.status, Status::RequiresCapture { capture: None, received, .. } if received > 0)
}
