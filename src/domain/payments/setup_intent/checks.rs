//! What a request may ask of a setup intent: rules that go beyond the type of one parameter.

use super::{SetupIntent, Status};
use crate::decision::{Case, Stop};
use crate::draft::Draft;
use crate::kinds;
use crate::payments::confirmation_token::{ChosenMethod, ConfirmationToken};
use crate::payments::payment_method::{NewCard, PaymentMethod, PaymentMethodData, PaymentMethodParam, TestCard};
use crate::reject::{Reject, codes};
use tollgate_resource::{Id, Names};

/// What is set up.
pub(super) enum Method<'a> {
    /// A stored payment method.
    Stored(&'a PaymentMethod),
    /// One that is made with this command, of a test card.
    Fresh(&'static TestCard),
    /// One that is made with this command, of what the request says.
    New(Box<NewCard>),
}

impl Method<'_> {
    /// The payment method itself; a fresh one is born here.
    pub(super) fn stored(self, draft: &mut Draft) -> PaymentMethod {
        match self {
            Method::Stored(method) => method.clone(),
            Method::Fresh(card) => {
                PaymentMethod::of_test_card(draft.born(&kinds::PAYMENT_METHOD), card, draft.now_ms())
            }
            Method::New(card) => card.born(draft),
        }
    }
}

/// What a request wants to set up, if it says that and may have it for `customer`.
pub(super) fn method_asked<'a>(
    case: &Case<'a>,
    named: Option<PaymentMethodParam>,
    data: Option<&PaymentMethodData>,
    token: Option<&ConfirmationToken>,
    customer: Option<Id>,
) -> Result<Option<Method<'a>>, Stop> {
    match (named, data, token.map(ConfirmationToken::chosen)) {
        (None, None, None) => Ok(None),
        (Some(named), None, None) => method_of_param(case, named, customer).map(Some),
        (None, Some(data), None) => {
            let card = data.check("payment_method_data", case)?;
            Ok(Some(Method::New(Box::new(card))))
        }
        (None, None, Some(ChosenMethod::New(card))) => Ok(Some(Method::New(card))),
        (None, None, Some(ChosenMethod::Stored(id))) => {
            stored_method(case, id, customer).map(|it| Some(Method::Stored(it)))
        }
        _ => {
            let message = "You may only specify one of these parameters: confirmation_token, payment_method, \
                           payment_method_data.";
            Err(Reject::invalid(None, message).into())
        }
    }
}

/// The payment method a parameter names, if it may be set up for `customer`.
fn method_of_param<'a>(case: &Case<'a>, param: PaymentMethodParam, customer: Option<Id>) -> Result<Method<'a>, Stop> {
    match param {
        PaymentMethodParam::Stored(id) => stored_method(case, id, customer).map(Method::Stored),
        PaymentMethodParam::Fresh(card) if case.world.account.profile.livemode => {
            let message = format!("No such PaymentMethod: 'pm_card_{}'", card.name().unwrap_or_default());
            Err(Reject::invalid(Some(codes::RESOURCE_MISSING), message)
                .with_param("payment_method")
                .into())
        }
        PaymentMethodParam::Fresh(card) => Ok(Method::Fresh(card)),
    }
}

/// A stored payment method, if it may be set up for `customer`.
pub(super) fn stored_method<'a>(case: &Case<'a>, id: Id, customer: Option<Id>) -> Result<&'a PaymentMethod, Stop> {
    let method = case
        .payment_method(id)?
        .ok_or_else(|| Reject::no_such_param(&kinds::PAYMENT_METHOD, id, "payment_method"))?;
    let method_text = id.text(kinds::of_method(id));
    match (method.customer, customer) {
        (None, _) if method.used_up => Err(Reject::payment_method_used_up().into()),
        (None, _) => Ok(method),
        (Some(owner), Some(customer)) if owner == customer => Ok(method),
        (Some(_), Some(customer)) => {
            let customer = customer.text(&kinds::CUSTOMER);
            let message = format!(
                "The PaymentMethod {method_text} does not belong to the Customer you supplied {customer}. Please use \
                 this PaymentMethod with the Customer that it belongs to instead."
            );
            Err(Reject::invalid(None, message).with_param("payment_method").into())
        }
        (Some(owner), None) => {
            let owner = owner.text(&kinds::CUSTOMER);
            let message = format!(
                "The `payment_method` parameter supplied {method_text} belongs to the Customer {owner}. Please include \
                 the Customer in the `customer` parameter on the SetupIntent."
            );
            Err(Reject::invalid(Some(codes::PARAMETER_MISSING), message)
                .with_param("payment_method")
                .into())
        }
    }
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

/// The refusal to confirm without anything to set up.
pub(super) const MISSING_METHOD: &str = "You cannot confirm this SetupIntent because it's missing a payment method. You \
    can either update the SetupIntent with a payment method and then confirm it again, or confirm it again directly with \
    a payment method or ConfirmationToken.";

/// The refusal to change what is set up, or for whom, in the intent's state; `None` if that may be changed.
pub(super) fn refuse_update(intent: &SetupIntent) -> Option<Reject> {
    let message = match &intent.status {
        Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::RequiresAction { .. } => return None,
        Status::Succeeded => "You cannot update this SetupIntent because it has already succeeded.",
        Status::Canceled { .. } => "You cannot update this SetupIntent because it has already been canceled.",
    };
    Some(Reject::setup_intent_state(intent.id, message))
}

/// The refusal to confirm an intent in its state; `None` if it may be confirmed.
pub(super) fn refuse_confirm(intent: &SetupIntent) -> Option<Reject> {
    let message = match &intent.status {
        Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::RequiresAction { .. } => return None,
        Status::Succeeded => "You cannot confirm this SetupIntent because it has already succeeded.".to_owned(),
        status @ Status::Canceled { .. } => format!(
            "You cannot confirm this SetupIntent because it has a status of {}. Only a SetupIntent with one of the \
             following statuses may be confirmed: requires_confirmation, requires_action, requires_payment_method.",
            status.name().name()
        ),
    };
    Some(Reject::setup_intent_state(intent.id, message))
}

/// The refusal to cancel an intent in its state; `None` if it may be cancelled.
pub(super) fn refuse_cancel(intent: &SetupIntent) -> Option<Reject> {
    let message = match &intent.status {
        Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::RequiresAction { .. } => return None,
        // Twice `it`: the words clients know.
        Status::Canceled { .. } => "You cannot cancel this SetupIntent because it it already canceled.".to_owned(),
        status @ Status::Succeeded => format!(
            "You cannot cancel this SetupIntent because it has a status of {}. Only a SetupIntent with one of the \
             following statuses may be canceled: requires_payment_method, requires_confirmation, requires_action.",
            status.name().name()
        ),
    };
    Some(Reject::setup_intent_state(intent.id, message))
}
