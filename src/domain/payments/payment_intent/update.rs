//! Changing an intent without confirming it.

use super::checks;
use super::confirm::{change_amount_details, change_payment_details, saved_for};
use super::outcome::put_intent;
use super::{PaymentIntent, Status, UpdatePaymentIntent};
use crate::address::Shipping;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::kinds;
use crate::metadata;
use crate::money::check_charge_amount;
use crate::object::Object;
use crate::payments::payment_method::Purpose;
use crate::payments::payment_method_configuration::{check_excluded, check_rivals};
use crate::payments::token::check_confirms;
use crate::reject::Reject;
use crate::versions;
use tollgate_resource::{Id, Names, Update};

/// Changes an intent. What decides the payment may only change while it is not being paid; the rest at any time.
pub(crate) fn update(case: &Case<'_>, id: Id, asked: &UpdatePaymentIntent) -> Result<Decision, Stop> {
    let before = checks::intent_of_path(case, id)?;
    checks::not_while_calling(before)?;
    versions::check_payment_method_types(case, &asked.payment_method_types)?;
    let allows = asked.allowed_payment_method_types.as_deref();
    check_rivals(
        allows.is_some_and(|allowed| !allowed.is_empty()),
        &[
            (!asked.payment_method_types.is_empty(), "payment_method_types"),
            (
                !asked.excluded_payment_method_types.is_empty(),
                "excluded_payment_method_types",
            ),
            (
                asked.payment_method_configuration.is_some(),
                "payment_method_configuration",
            ),
        ],
    )?;
    let types = checks::check_types(&asked.payment_method_types)?;
    if let Update::Set(email) = &asked.receipt_email {
        checks::check_email(email, "receipt_email")?;
    }
    checks::check_descriptor(text_of(&asked.statement_descriptor), "statement_descriptor")?;
    checks::check_descriptor(
        text_of(&asked.statement_descriptor_suffix),
        "statement_descriptor_suffix",
    )?;
    check_confirms(
        asked
            .payment_method_options
            .as_ref()
            .and_then(|options| options.cvc_token()),
    )?;
    let mut intent = before.clone();
    metadata::merge(&mut intent.metadata, &asked.metadata)?;
    if let Some((param, what)) = late(asked).filter(|_| !is_open(before)) {
        return Err(refuse_late(before, param, what).into());
    }
    describe(&mut intent, asked);
    // Why the last try failed is forgotten with the first change after it.
    intent.last_error = None;
    settle_terms(case, &mut intent, asked)?;
    intent.list_types(&asked.payment_method_types, types);
    match allows {
        Some([]) => intent.allow_all(case)?,
        Some(allowed) => intent.allow_types(allowed)?,
        None => {}
    }
    if let Some(named) = &asked.payment_method_configuration {
        intent.configure(case, Some(named))?;
    }
    check_excluded(&asked.excluded_payment_method_types, intent.types())?;
    if let Some(customer) = asked.customer {
        case.check_customer(customer.0)?;
        intent.customer = Some(customer.0);
    }
    intent.amount = asked.amount.unwrap_or(before.amount);
    intent.currency = asked.currency.unwrap_or(before.currency);
    let pays_otherwise = (intent.amount, intent.currency) != (before.amount, before.currency);
    if pays_otherwise {
        let money = intent.money();
        check_charge_amount(money).map_err(|problem| Reject::amount(problem, money, case.version(), "amount"))?;
    }
    if pays_otherwise || !matches!(asked.amount_details, Update::Keep) {
        intent.check_amount_details(intent.amount)?;
    }
    let data = asked.payment_method_data.as_deref();
    let method = Purpose::Payment.choice(case, asked.payment_method, data, None, intent.customer)?;
    if let (None, Some(kept), Some(_)) = (&method, intent.payment_method, asked.customer) {
        // Another customer must be allowed what is there to pay with.
        Purpose::Payment.stored_method(case, kept, intent.customer)?;
    }
    intent.check_types()?;
    let mut draft = case.draft();
    if let Some(method) = method {
        let method = method.stored(&mut draft);
        checks::check_allowed(&intent, &method)?;
        intent.payment_method = Some(method.id);
        if method.id.seq() > case.world.account.seq {
            draft.put(Object::of_method(method));
        }
        intent.status = Status::RequiresConfirmation { proof: None };
    } else if pays_otherwise && proved(before) {
        // What the payer proved, or was asked to prove, was for another payment.
        intent.status = Status::RequiresConfirmation { proof: None };
    }
    put_intent(case, &mut draft, intent);
    Ok(draft.decide(Reply::Object(&kinds::PAYMENT_INTENT, id)))
}

/// Whether everything may still change.
fn is_open(intent: &PaymentIntent) -> bool {
    matches!(
        intent.status,
        Status::RequiresPaymentMethod | Status::RequiresConfirmation { .. } | Status::RequiresAction { .. }
    )
}

/// Whether the payer was asked for something.
fn proved(intent: &PaymentIntent) -> bool {
    matches!(
        intent.status,
        Status::RequiresAction { .. } | Status::RequiresConfirmation { proof: Some(_) }
    )
}

/// The first parameter that is given and decides the payment, with its words.
fn late(asked: &UpdatePaymentIntent) -> Option<(&'static str, &'static str)> {
    let kept = |update: &Update<Box<str>>| matches!(update, Update::Keep);
    [
        (
            asked.allowed_payment_method_types.is_some(),
            "allowed_payment_method_types",
            "allowed_payment_method_types",
        ),
        (asked.amount.is_some(), "amount", "amount"),
        (
            !matches!(asked.amount_details, Update::Keep),
            "amount_details",
            "amount_details",
        ),
        (asked.capture_method.is_some(), "capture_method", "capture_method"),
        (asked.currency.is_some(), "currency", "currency"),
        (asked.customer.is_some(), "customer", "customer"),
        (
            !asked.excluded_payment_method_types.is_empty(),
            "excluded_payment_method_types",
            "excluded_payment_method_types",
        ),
        (asked.payment_method.is_some(), "payment_method", "payment_method"),
        (
            asked.payment_method_data.is_some(),
            "payment_method_data",
            "payment_method",
        ),
        (
            asked.payment_method_options.is_some(),
            "payment_method_options",
            "payment_method_options",
        ),
        (
            !asked.payment_method_types.is_empty(),
            "payment_method_types",
            "payment_method_types",
        ),
        (
            asked.payment_method_configuration.is_some(),
            "payment_method_configuration",
            "payment_method_configuration",
        ),
        (
            asked.save_payment_method.is_some(),
            "save_payment_method",
            "setup_future_usage",
        ),
        (
            !matches!(asked.setup_future_usage, Update::Keep),
            "setup_future_usage",
            "setup_future_usage",
        ),
        (
            !kept(&asked.statement_descriptor),
            "statement_descriptor",
            "statement_descriptor",
        ),
        (
            !kept(&asked.statement_descriptor_suffix),
            "statement_descriptor_suffix",
            "statement_descriptor_suffix",
        ),
    ]
    .into_iter()
    .find_map(|(given, param, what)| given.then_some((param, what)))
}

fn refuse_late(intent: &PaymentIntent, param: &'static str, what: &str) -> Reject {
    let message = format!(
        "This PaymentIntent's {what} could not be updated because it has a status of {}. You may only update the {what} \
         of a PaymentIntent with one of the following statuses: requires_payment_method, requires_confirmation, \
         requires_action.",
        intent.status.name().name()
    );
    Reject::payment_intent_state(intent.id, message).with_param(param)
}

/// What may change at any time.
fn describe(intent: &mut PaymentIntent, asked: &UpdatePaymentIntent) {
    asked.description.clone().apply_to(&mut intent.description);
    asked.receipt_email.clone().apply_to(&mut intent.receipt_email);
    asked.transfer_group.clone().apply_to(&mut intent.transfer_group);
    match asked.shipping.clone() {
        Update::Keep => {}
        Update::Clear => intent.shipping = None,
        Update::Set(shipping) => intent.shipping = Some(Box::new(Shipping::from(shipping))),
    }
    if !matches!(asked.payment_details, Update::Keep) {
        intent.with_particulars(|particulars| change_payment_details(&asked.payment_details, particulars));
    }
}

/// How it is to be paid.
fn settle_terms(case: &Case<'_>, intent: &mut PaymentIntent, asked: &UpdatePaymentIntent) -> Result<(), Stop> {
    intent.capture_method = asked.capture_method.unwrap_or(intent.capture_method);
    intent.setup_future_usage = intent.setup_future_usage.or(saved_for(asked.save_payment_method));
    asked
        .setup_future_usage
        .clone()
        .apply_to(&mut intent.setup_future_usage);
    asked
        .statement_descriptor
        .clone()
        .apply_to(&mut intent.statement_descriptor);
    asked
        .statement_descriptor_suffix
        .clone()
        .apply_to(&mut intent.statement_descriptor_suffix);
    intent.with_particulars(|particulars| {
        if let Some(options) = &asked.payment_method_options {
            options.apply_to(particulars);
        }
        if !asked.excluded_payment_method_types.is_empty() {
            particulars.excluded_types = asked.excluded_payment_method_types.clone();
        }
        change_amount_details(&asked.amount_details, particulars, case.inputs.now_ms)
    })
}

fn text_of(update: &Update<Box<str>>) -> Option<&str> {
    match update {
        Update::Set(text) => Some(text),
        Update::Keep | Update::Clear => None,
    }
}
