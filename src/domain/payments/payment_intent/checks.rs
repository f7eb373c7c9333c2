//! What a request may ask of a payment intent: rules that go beyond the type of one parameter.

use super::{AllowRedirects, CaptureMethod, PaymentIntent, Status};
use crate::decision::{Case, Stop};
use crate::kinds;
use crate::kinds::{ConfirmationTokenId, MandateId};
use crate::payments::confirmation_token::{self, ConfirmationToken};
use crate::payments::mandate::{Acceptance, MandateDataParams};
use crate::payments::payment_method::{Choice, PaymentMethod, PaymentMethodParam, PaymentMethodType, Purpose};
use crate::payments::payment_method_configuration::listed;
use crate::reject::{Reject, codes};
use crate::time::seconds_of;
use tollgate_resource::{Id, Kind, Names, Update, Version};

/// First version whose refusal to cancel lists the statuses that came with it; integrations of before compare the words.
const LONGER_CANCEL_LIST_SINCE: Version = Version(20260325);
/// First version that uses the account's configuration of payment methods unless told otherwise.
const AUTOMATIC_METHODS_SINCE: Version = Version(20230816);

/// The mandate that a request names, and what pays under it: the mandate's own payment method, which the request need not
/// name and cannot replace.
pub(super) fn mandate_named(
    case: &Case<'_>,
    named: Option<MandateId>,
    param: Option<PaymentMethodParam>,
) -> Result<(Option<Id>, Option<PaymentMethodParam>), Stop> {
    let Some(MandateId(id)) = named else {
        return Ok((None, param));
    };
    let mandate = case
        .mandate(id)?
        .ok_or_else(|| Reject::no_such_param(&kinds::MANDATE, id, "mandate"))?;
    let own = PaymentMethodParam::Stored(mandate.payment_method);
    if param.is_some_and(|param| param != own) {
        let message = "The mandate was given for another payment method. Leave `payment_method` out, or name the payment \
                       method of the mandate.";
        return Err(Reject::invalid(None, message).with_param("mandate").into());
    }
    Ok((Some(id), Some(own)))
}

/// The confirmation token that a request names, if it names one and it can be used.
pub(super) fn token_named<'a>(
    case: &Case<'a>,
    named: Option<ConfirmationTokenId>,
) -> Result<Option<&'a ConfirmationToken>, Stop> {
    named
        .map(|named| confirmation_token::of_param(case, named.0))
        .transpose()
}

/// Refuses parameters that only mean something with `confirm=true`, as the creation of `intent` words it.
pub(crate) fn only_with_confirm(intent: &Kind, given: &[(bool, &'static str)]) -> Result<(), Stop> {
    let Some((_, param)) = given.iter().find(|(given, _)| *given) else {
        return Ok(());
    };
    let (noun, code) = if std::ptr::eq(intent, &kinds::SETUP_INTENT) {
        ("SetupIntent", codes::SETUP_INTENT_INVALID_PARAMETER)
    } else {
        ("PaymentIntent", codes::PAYMENT_INTENT_INVALID_PARAMETER)
    };
    let message =
        format!("The parameter `{param}` cannot be passed when creating a {noun} unless `confirm` is set to true.");
    Err(Reject::invalid(Some(code), message).with_param(*param).into())
}

/// The types of payment methods that a request lists; those that are not offered are refused. What is paid by card alone
/// is what holds without a list, and gives none.
pub(crate) fn check_types(types: &[Box<str>]) -> Result<Vec<PaymentMethodType>, Stop> {
    let mut listed: Vec<PaymentMethodType> = Vec::new();
    for word in types {
        let Some(known) = PaymentMethodType::from_name(word) else {
            let message = PaymentMethodType::not_offered(word);
            return Err(Reject::invalid(None, message).with_param("payment_method_types").into());
        };
        if !listed.contains(&known) {
            listed.push(known);
        }
    }
    if listed == PaymentMethodType::DEFAULT {
        listed.clear();
    }
    Ok(listed)
}

/// Refuses to pay with a type of payment method that is not among those of the intent.
pub(super) fn check_allowed(intent: &PaymentIntent, method: &PaymentMethod) -> Result<(), Stop> {
    let kind = method.instrument.kind();
    if intent.allows(kind) {
        return Ok(());
    }
    let message = format!(
        "The PaymentMethod provided ({}) is not allowed for this PaymentIntent. Please attach a PaymentMethod of one of \
         the following types to confirm this PaymentIntent: {}.",
        kind.name(),
        listed(&intent.accepted())
    );
    let code = Some(codes::PAYMENT_INTENT_INCOMPATIBLE_PAYMENT_METHOD);
    Err(Reject::invalid(code, message).with_param("payment_method").into())
}

/// The customer's agreement to a mandate, in the request or else in what its confirmation token holds; one on a page that does
/// not say which browser is refused.
pub(crate) fn agreement(
    case: &Case<'_>,
    data: &Update<MandateDataParams>,
    token: Option<&ConfirmationToken>,
) -> Result<Option<Acceptance>, Stop> {
    match data {
        Update::Set(data) => data.acceptance(seconds_of(case.inputs.now_ms)).map(Some),
        Update::Keep => Ok(token.and_then(|token| token.agreement.as_deref().cloned())),
        Update::Clear => Ok(None),
    }
}

/// Refuses a client secret that is not the intent's.
pub(super) fn check_client_secret(case: &Case<'_>, id: Id, given: Option<&str>) -> Result<(), Stop> {
    let Some(given) = given else { return Ok(()) };
    if given == case.inputs.secrets.client_secret(&kinds::PAYMENT_INTENT, id) {
        return Ok(());
    }
    let message = "The client_secret provided does not match the client_secret associated with the PaymentIntent.";
    Err(Reject::invalid(None, message).with_param("client_secret").into())
}

/// How it can be paid, or set up: by the account's configuration, or by the types the request lists.
pub(crate) fn automatic_methods(
    case: &Case<'_>,
    asked: Option<(bool, Option<AllowRedirects>)>,
    types: &[Box<str>],
) -> Result<Option<AllowRedirects>, Stop> {
    match asked {
        Some((true, _)) if !types.is_empty() => Err(Reject::invalid(
            None,
            "You may only specify one of these parameters: automatic_payment_methods, payment_method_types.",
        )
        .into()),
        Some((true, redirects)) => Ok(Some(redirects.unwrap_or_default())),
        Some((false, _)) => Ok(None),
        None if types.is_empty() && case.version() >= AUTOMATIC_METHODS_SINCE => Ok(Some(AllowRedirects::Always)),
        None => Ok(None),
    }
}

/// Refuses text that is no email address: something, an `@`, something, and no blanks.
pub(crate) fn check_email(email: &str, param: &'static str) -> Result<(), Stop> {
    let parts = email.split_once('@');
    let fits = parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if fits && !email.contains(char::is_whitespace) {
        return Ok(());
    }
    Err(
        Reject::invalid(Some(codes::EMAIL_INVALID), format!("Invalid email address: {email}"))
            .with_param(param)
            .into(),
    )
}

/// Refuses text that is no address of a page or an app: a scheme, `://` and something.
pub(crate) fn check_url(url: &str, param: &'static str) -> Result<(), Stop> {
    let fits = url.split_once("://").is_some_and(|(scheme, rest)| {
        let known = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(known)
            && !rest.is_empty()
            // Browsers run these instead of going there.
            && !["javascript", "data", "vbscript", "blob", "file", "about"].contains(&&*scheme.to_ascii_lowercase())
    });
    if fits && !url.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Ok(());
    }
    Err(Reject::invalid(Some(codes::URL_INVALID), "Not a valid URL")
        .with_param(param)
        .into())
}

/// Refuses text that banks do not print on statements.
pub(crate) fn check_descriptor(text: Option<&str>, param: &'static str) -> Result<(), Stop> {
    let Some(text) = text else { return Ok(()) };
    if text.contains(['<', '>', '\'', '"', '\\', '*']) || !text.is_ascii() {
        let message = "The statement descriptor may only contain Latin letters, digits and signs other than \
                       `<`, `>`, `'`, `\"`, `\\` and `*`.";
        return Err(Reject::invalid(None, message).with_param(param).into());
    }
    if !text.contains(|letter: char| letter.is_ascii_alphabetic()) {
        let message = "The statement descriptor must contain at least one letter.";
        return Err(Reject::invalid(None, message).with_param(param).into());
    }
    Ok(())
}

/// The intent a path names.
pub(super) fn intent_of_path<'a>(case: &Case<'a>, id: Id) -> Result<&'a PaymentIntent, Stop> {
    match case.payment_intent(id)? {
        Some(intent) => Ok(intent),
        None => Err(Reject::no_such(&kinds::PAYMENT_INTENT, id, "intent").into()),
    }
}

/// Makes the command wait while a request of this intent waits for its network.
pub(crate) fn not_while_calling(intent: &PaymentIntent) -> Result<(), Stop> {
    match intent.open_attempt() {
        Some(attempt) if attempt.is_calling() => Err(Stop::Busy(intent.id)),
        _ => Ok(()),
    }
}

/// The refusal to confirm an intent in its state; `None` if it may be confirmed.
pub(super) fn refuse_confirm(intent: &PaymentIntent) -> Option<Reject> {
    let message = match &intent.status {
        Status::RequiresPaymentMethod | Status::RequiresConfirmation { .. } | Status::RequiresAction { .. } => {
            return None;
        }
        Status::Succeeded { .. } => {
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
                .to_owned()
        }
        status => format!(
            "You cannot confirm this PaymentIntent because it has a status of {}. Only a PaymentIntent with one of the \
             following statuses may be confirmed: requires_confirmation, requires_action, requires_payment_method.",
            status.name().name()
        ),
    };
    Some(Reject::payment_intent_state(intent.id, message))
}

/// The refusal to confirm without anything to pay with.
pub(super) fn missing_method(customer: Option<Id>) -> String {
    let advice = match customer {
        None => {
            "You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it \
                 again directly with a payment method or ConfirmationToken."
                .to_owned()
        }
        Some(customer) => format!(
            "To confirm the PaymentIntent with {}, specify a payment method attached to this customer along with the \
             customer ID.",
            customer.text(&kinds::CUSTOMER)
        ),
    };
    format!("You cannot confirm this PaymentIntent because it's missing a payment method. {advice}")
}

/// What an intent is confirmed with whose creation names nothing to pay with: the default source of its customer, as
/// integrations that came from charges expect.
pub(super) fn default_method<'a>(case: &Case<'a>, customer: Option<Id>) -> Result<Option<Choice<'a>>, Stop> {
    let Some(id) = customer else { return Ok(None) };
    let source = case.customer(id)?.and_then(|customer| customer.more().default_source);
    source
        .map(|source| {
            Purpose::Payment
                .stored_method(case, source, customer)
                .map(Choice::Stored)
        })
        .transpose()
}

/// Refuses the older `save_payment_method=true` where there is nobody or nothing to save.
pub(super) fn check_saved(saved: Option<bool>, customer: Option<Id>, has_method: bool) -> Result<(), Stop> {
    let message = match (saved, customer) {
        (Some(true), None) => "A valid `customer` must be provided when `save_payment_method=true`.",
        (Some(true), Some(_)) if !has_method => {
            "A payment method must be provided or already attached to the PaymentIntent when `save_payment_method=true`."
        }
        _ => return Ok(()),
    };
    Err(Reject::invalid(None, message).with_param("save_payment_method").into())
}

/// The refusal to capture an intent in its state; `None` if it may be captured.
pub(super) fn refuse_capture(intent: &PaymentIntent) -> Option<Reject> {
    let message = match &intent.status {
        Status::RequiresCapture { capture: None, .. } => return None,
        Status::RequiresCapture { capture: Some(_), .. } => {
            "This PaymentIntent could not be captured because the outcome of an earlier capture is not known yet. It is \
             being found out; retrieve the PaymentIntent to see it."
                .to_owned()
        }
        Status::Succeeded { .. } if intent.capture_method == CaptureMethod::Manual => {
            "The remaining amount on this PaymentIntent could not be captured because the remainder of the authorized \
             amount has been released."
                .to_owned()
        }
        status => format!(
            "This PaymentIntent could not be captured because it has a status of {}. Only a PaymentIntent with one of the \
             following statuses may be captured: requires_capture.",
            status.name().name()
        ),
    };
    Some(Reject::payment_intent_state(intent.id, message))
}

/// The refusal to cancel an intent in its state; `None` if it may be cancelled.
pub(super) fn refuse_cancel(intent: &PaymentIntent, version: Version) -> Option<Reject> {
    let message = match &intent.status {
        Status::RequiresPaymentMethod
        | Status::RequiresConfirmation { .. }
        | Status::RequiresAction { .. }
        | Status::Debiting { .. } => return None,
        Status::RequiresCapture {
            capture: None,
            received: 0,
            ..
        } => return None,
        Status::RequiresCapture { capture: None, .. } => {
            "You cannot cancel this PaymentIntent because part of it was captured. To release the rest, capture it with \
             `amount_to_capture=0` and `final_capture=true`."
                .to_owned()
        }
        Status::RequiresCapture { capture: Some(_), .. } => {
            "You cannot cancel this PaymentIntent because the outcome of its capture is not known yet. It is being found \
             out; retrieve the PaymentIntent to see it."
                .to_owned()
        }
        status => {
            let name = status.name().name();
            let (before, between, after) = if version >= LONGER_CANCEL_LIST_SINCE {
                ("requires_reauthorization, ", "requires_action, expired", ", processing")
            } else {
                ("", "requires_action", ", processing")
            };
            let after = if matches!(status, Status::Processing { .. }) { "" } else { after };
            format!(
                "You cannot cancel this PaymentIntent because it has a status of {name}. Only a PaymentIntent with one of \
                 the following statuses may be canceled: requires_payment_method, requires_capture, \
                 {before}requires_confirmation, {between}{after}."
            )
        }
    };
    Some(Reject::payment_intent_state(intent.id, message))
}
