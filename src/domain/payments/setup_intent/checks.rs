//! What a request may ask of a setup intent: rules that go beyond the type of one parameter.

use super::{SetupIntent, Status};
use crate::decision::{Case, Stop};
use crate::kinds;
use crate::payments::payment_method::PaymentMethod;
use crate::payments::payment_method_configuration::listed;
use crate::reject::{Reject, codes};
use tollgate_resource::{Id, Names};

/// Refuses to set up a type of payment method that is not among those of the intent.
pub(super) fn check_allowed(intent: &SetupIntent, method: &PaymentMethod) -> Result<(), Stop> {
    let kind = method.instrument.kind();
    if intent.allows(kind) {
        return Ok(());
    }
    let message = format!(
        "The PaymentMethod provided ({}) is not allowed for this SetupIntent. Please attach a PaymentMethod of one of the \
         following types to confirm this SetupIntent: {}.",
        kind.name(),
        listed(&intent.accepted())
    );
    Err(Reject::invalid(None, message).with_param("payment_method").into())
}

/// Refuses to save a payment method to the merchant's own account: cards cannot be, and they are all there is.
pub(super) fn check_attach_to_self(asked: Option<bool>) -> Result<(), Stop> {
    if asked != Some(true) {
        return Ok(());
    }
    let message = "You cannot attach a payment method of type `card` to your own account. Leave `attach_to_self` out, or \
                   set it to `false`.";
    Err(Reject::invalid(None, message).with_param("attach_to_self").into())
}

/// Refuses a client secret that is not the intent's.
pub(super) fn check_client_secret(case: &Case<'_>, id: Id, given: Option<&str>) -> Result<(), Stop> {
    let Some(given) = given else { return Ok(()) };
    if case.inputs.secrets.client_secret(&kinds::SETUP_INTENT, id) == given {
        return Ok(());
    }
    let message = "The client_secret provided does not match the client_secret associated with this SetupIntent.";
    Err(Reject::invalid(Some(codes::SETUP_INTENT_INVALID_PARAMETER), message)
        .with_param("client_secret")
        .into())
}

/// The intent a path names.
pub(super) fn intent_of_path<'a>(case: &Case<'a>, id: Id) -> Result<&'a SetupIntent, Stop> {
    case.setup_intent(id)?
        .ok_or_else(|| Reject::no_such(&kinds::SETUP_INTENT, id, "intent").into())
}

/// Whoever wants to change an intent whose network is being asked waits for its word.
pub(super) fn not_while_calling(intent: &SetupIntent) -> Result<(), Stop> {
    match intent.open_attempt() {
        Some(attempt) if attempt.is_calling() => Err(Stop::Busy(intent.id)),
        _ => Ok(()),
    }
}

/// The refusal to confirm without anything to set up.
pub(super) const MISSING_METHOD: &str = "You cannot confirm this SetupIntent because it's missing a payment method. You \
    can either update the SetupIntent with a payment method and then confirm it again, or confirm it again directly with \
    a payment method or ConfirmationToken.";

/// The refusal to change what is set up, or for whom, in the intent's state; `None` if that may be changed.
pub(super) fn refuse_update(intent: &SetupIntent) -> Option<Reject> {
    let message = match &intent.status {
        Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::RequiresAction { .. } => return None,
        Status::Processing { .. } => {
            "You cannot update this SetupIntent because it has a status of processing. What became of it is being found out."
        }
        Status::Succeeded => "You cannot update this SetupIntent because it has already succeeded.",
        Status::Canceled { .. } => "You cannot update this SetupIntent because it has already been canceled.",
    };
    Some(Reject::setup_intent_state(intent.id, message))
}

/// The refusal to confirm an intent in its state; `None` if it may be confirmed.
pub(super) fn refuse_confirm(intent: &SetupIntent) -> Option<Reject> {
    let message = match &intent.status {
        Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::RequiresAction { .. } => return None,
        Status::Succeeded => "You cannot confirm this SetupIntent because it has already succeeded.",
        Status::Canceled { .. } => "You cannot confirm this SetupIntent because it has been canceled.",
        Status::Processing { .. } => {
            "You cannot confirm this SetupIntent because it has a status of processing. What became of it is being found out."
        }
    };
    Some(Reject::setup_intent_state(intent.id, message))
}

/// The refusal to cancel an intent in its state; `None` if it may be cancelled.
pub(super) fn refuse_cancel(intent: &SetupIntent) -> Option<Reject> {
    let message = match &intent.status {
        Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::RequiresAction { .. } => return None,
        Status::Canceled { .. } => "You cannot cancel this SetupIntent because it is already canceled.",
        Status::Succeeded => {
            "You cannot cancel this SetupIntent because it has a status of succeeded. Only a SetupIntent with one of the \
             following statuses may be canceled: `requires_payment_method`, `requires_confirmation`, or `requires_action`."
        }
        Status::Processing { .. } => {
            "You cannot cancel this SetupIntent because it has a status of processing. Only a SetupIntent with one of the \
             following statuses may be canceled: `requires_payment_method`, `requires_confirmation`, or `requires_action`."
        }
    };
    Some(Reject::setup_intent_state(intent.id, message))
}
