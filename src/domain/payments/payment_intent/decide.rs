//! Making and giving up payment intents, and what calls of networks have in common.

use super::checks;
use super::confirm::{Terms, saved_for, try_to_pay};
use super::debit;
use super::outcome::{put_charge, put_intent};
use super::{
    CancelPaymentIntent, CancellationReason, CaptureMethod, CreatePaymentIntent, Particulars, PaymentIntent, Status,
};
use crate::acquirer::{Ask, CardMoney};
use crate::address::Shipping;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::metadata;
use crate::money::{Money, check_charge_amount};
use crate::object::Object;
use crate::payments::attempt::{self, Attempt};
use crate::payments::charge::{Charge, ChargeState};
use crate::payments::mandate::Acceptance;
use crate::payments::payment_method::{Instrument, Purpose};
use crate::payments::payment_method_configuration::{check_excluded, check_rivals};
use crate::payments::token::{SecurityCode, check_confirms};
use crate::reject::{Reject, codes};
use crate::versions;
use tollgate_breaks::broken;
use tollgate_resource::{Id, Metadata, Update, Version};

/// First version whose default capture method is `automatic_async`.
const AUTOMATIC_ASYNC_SINCE: Version = Version(20240410);

/// Makes an intent, and confirms it if asked.
pub(crate) fn create(case: &Case<'_>, asked: &CreatePaymentIntent) -> Result<Decision, Stop> {
    let confirm = asked.confirm.unwrap_or(false);
    let currency = asked.currency.expect("the form makes sure of required parameters");
    let money = Money::new(asked.amount, currency);
    check_charge_amount(money).map_err(|problem| Reject::amount(problem, money, case.version(), "amount"))?;
    let automatic = asked
        .automatic_payment_methods
        .as_ref()
        .map(|asked| (asked.enabled, asked.allow_redirects));
    check_rivals(
        !asked.allowed_payment_method_types.is_empty(),
        &[
            (asked.automatic_payment_methods.is_some(), "automatic_payment_methods"),
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
    versions::check_payment_method_types(case, &asked.payment_method_types)?;
    let automatic_payment_methods = checks::automatic_methods(case, automatic, &asked.payment_method_types)?;
    let customer = asked.customer.map(|customer| customer.0);
    if let Some(customer) = customer {
        case.check_customer(customer)?;
    }
    let cvc_token = asked
        .payment_method_options
        .as_ref()
        .and_then(|options| options.cvc_token());
    if !confirm {
        checks::only_with_confirm(
            &kinds::PAYMENT_INTENT,
            &[
                (asked.confirmation_token.is_some(), "confirmation_token"),
                (asked.error_on_requires_action == Some(true), "error_on_requires_action"),
                (asked.mandate.is_some(), "mandate"),
                (!matches!(asked.mandate_data, Update::Keep), "mandate_data"),
                (asked.off_session.is_some(), "off_session"),
                (asked.return_url.is_some(), "return_url"),
            ],
        )?;
        check_confirms(cvc_token)?;
    }
    let code = SecurityCode::named(case, cvc_token)?;
    let mut pairs = Metadata::default();
    metadata::merge(&mut pairs, &asked.metadata)?;
    let data = asked.payment_method_data.as_deref();
    let token = checks::token_named(case, asked.confirmation_token)?;
    let agreement = checks::agreement(case, &asked.mandate_data, token)?;
    let (mandate, param) = checks::mandate_named(case, asked.mandate, asked.payment_method)?;
    let mut method = Purpose::Payment.choice(case, param, data, token, customer)?;
    if confirm && method.is_none() {
        method = checks::default_method(case, customer)?;
    }
    checks::check_saved(asked.save_payment_method, customer, method.is_some())?;
    let types = checks::check_types(&asked.payment_method_types)?;
    if let Some(email) = &asked.receipt_email {
        checks::check_email(email, "receipt_email")?;
    }
    if let Some(url) = &asked.return_url {
        checks::check_url(url, "return_url")?;
    }
    checks::check_descriptor(asked.statement_descriptor.as_deref(), "statement_descriptor")?;
    checks::check_descriptor(
        asked.statement_descriptor_suffix.as_deref(),
        "statement_descriptor_suffix",
    )?;
    if confirm && method.is_none() {
        let code = Some(codes::PAYMENT_INTENT_UNEXPECTED_STATE);
        return Err(Reject::invalid(code, checks::missing_method(customer)).begun().into());
    }

    let default_capture = if case.version() >= AUTOMATIC_ASYNC_SINCE {
        CaptureMethod::AutomaticAsync
    } else {
        CaptureMethod::Automatic
    };
    let mut draft = case.draft();
    let mut intent = PaymentIntent {
        id: draft.born(&kinds::PAYMENT_INTENT),
        amount: asked.amount,
        currency,
        status: Status::RequiresPaymentMethod,
        customer,
        payment_method: None,
        charges: Vec::new(),
        charge_count: 0,
        last_error: None,
        attempts: 0,
        capture_method: asked.capture_method.unwrap_or(default_capture),
        confirmation_method: asked.confirmation_method.unwrap_or_default(),
        automatic_payment_methods,
        description: asked.description.clone(),
        metadata: pairs,
        receipt_email: asked.receipt_email.clone(),
        setup_future_usage: asked.setup_future_usage.or(saved_for(asked.save_payment_method)),
        shipping: asked
            .shipping
            .clone()
            .map(|shipping| Box::new(Shipping::from(shipping))),
        statement_descriptor: asked.statement_descriptor.clone(),
        statement_descriptor_suffix: asked.statement_descriptor_suffix.clone(),
        transfer_group: asked.transfer_group.clone(),
        particulars: particulars(case, asked, agreement)?,
    };
    if asked.amount_details.is_some() {
        intent.check_amount_details(intent.amount)?;
    }
    intent.list_types(&asked.payment_method_types, types);
    intent.allow_types(&asked.allowed_payment_method_types)?;
    intent.note_radar_options(asked.radar_options.as_deref());
    intent.configure(case, asked.payment_method_configuration.as_deref())?;
    check_excluded(&asked.excluded_payment_method_types, intent.types())?;
    intent.check_types()?;
    if mandate.is_some() {
        intent.with_particulars(|particulars| particulars.mandate = mandate);
    }
    if let Some(token) = token {
        token.describe(&mut intent);
        token.spend(&mut draft, intent.id);
    }
    draft.created_event(EventType::PaymentIntentCreated, intent.id);
    let Some(mut method) = method.map(|method| method.stored(&mut draft)) else {
        let id = intent.id;
        put_intent(case, &mut draft, intent);
        return Ok(draft.decide(Reply::Object(&kinds::PAYMENT_INTENT, id)));
    };
    checks::check_allowed(&intent, &method)?;
    intent.payment_method = Some(method.id);
    if let Some(code) = code {
        code.give(&mut draft, &mut method);
    }
    if confirm {
        let terms = Terms {
            off_session: asked.off_session.is_some_and(|off_session| off_session.0),
            error_on_requires_action: asked.error_on_requires_action.unwrap_or(false),
            return_url: asked
                .return_url
                .as_deref()
                .or(token.and_then(|token| token.return_url.as_deref())),
            use_stripe_sdk: asked.use_stripe_sdk.unwrap_or(false),
            proof: None,
        };
        return try_to_pay(case, draft, intent, method, &terms);
    }
    intent.status = Status::RequiresConfirmation { proof: None };
    let id = intent.id;
    if method.id.seq() > case.world.account.seq {
        draft.put(Object::of_method(method));
    }
    put_intent(case, &mut draft, intent);
    Ok(draft.decide(Reply::Object(&kinds::PAYMENT_INTENT, id)))
}

/// What only few requests say.
fn particulars(
    case: &Case<'_>,
    asked: &CreatePaymentIntent,
    agreement: Option<Acceptance>,
) -> Result<Option<Box<Particulars>>, Stop> {
    let says_nothing = asked.amount_details.is_none()
        && asked.payment_details.is_none()
        && asked.payment_method_options.is_none()
        && asked.excluded_payment_method_types.is_empty()
        && agreement.is_none();
    if says_nothing {
        return Ok(None);
    }
    let mut particulars = Particulars {
        excluded_types: asked.excluded_payment_method_types.clone(),
        agreement,
        ..Particulars::default()
    };
    if let Some(options) = &asked.payment_method_options {
        options.apply_to(&mut particulars);
    }
    if let Some(details) = &asked.payment_details {
        details.apply_to(&mut particulars.payment_details);
    }
    if let Some(details) = &asked.amount_details {
        details.apply_to(&mut particulars.amount_details, case.inputs.now_ms)?;
    }
    Ok(Some(Box::new(particulars)).filter(|particulars| **particulars != Particulars::default()))
}

/// Gives an intent up; a hold is released.
pub(crate) fn cancel(case: &Case<'_>, id: Id, asked: &CancelPaymentIntent) -> Result<Decision, Stop> {
    let intent = checks::intent_of_path(case, id)?;
    checks::not_while_calling(intent)?;
    if let Some(reject) = checks::refuse_cancel(intent, case.version()) {
        return Err(reject.into());
    }
    let mut draft = case.draft();
    let reason = asked.cancellation_reason.map(|reason| reason.0);
    draft.event(EventType::PaymentIntentCanceled, id);
    give_up(case, &mut draft, intent, reason, ChargeState::Released)?;
    Ok(draft.decide(Reply::Object(&kinds::PAYMENT_INTENT, id)))
}

/// Ends an intent that is not paid. A held charge goes to `ended`, and its remote authorisation is reversed.
pub(super) fn give_up(
    case: &Case<'_>,
    draft: &mut Draft,
    before: &PaymentIntent,
    reason: Option<CancellationReason>,
    ended: ChargeState,
) -> Result<(), Stop> {
    let mut intent = before.clone();
    let mut release = None;
    if matches!(before.status, Status::Debiting { .. }) && !broken!(KeepWithdrawnDebit) {
        debit::withdraw(case, draft, before)?;
    }
    if matches!(before.status, Status::RequiresCapture { .. }) {
        let mut charge = held_charge(case, before)?.clone();
        if let Some(authorised) = charge.authorised_by {
            release = Some(Box::new(Attempt::release(draft, intent.id, authorised, charge.amount)));
        }
        charge.state = ended;
        let happened = if ended == ChargeState::Expired {
            EventType::ChargeExpired
        } else {
            EventType::ChargeRefunded
        };
        draft.event(happened, charge.id);
        put_charge(case, draft, charge);
    }
    intent.status = Status::Canceled {
        at_ms: draft.now_ms(),
        reason,
        release,
    };
    put_intent(case, draft, intent);
    Ok(())
}

/// The charge of a hold.
pub(super) fn held_charge<'a>(case: &Case<'a>, intent: &PaymentIntent) -> Result<&'a Charge, Stop> {
    let id = intent.latest_charge().expect("a hold has a charge");
    Ok(case.charge(id)?.expect("the charge of a hold exists"))
}

/// Records a new attempt and the call that is made once it is durable.
pub(super) fn begin(case: &Case<'_>, draft: &mut Draft, intent: &mut PaymentIntent, amount: i64, ask: Ask) -> Attempt {
    intent.attempts += 1;
    Attempt::begin(case, draft, (intent.id, intent.attempts), amount, ask)
}

/// Money on a card, as remote networks are asked for it.
///
/// # Panics
/// When it is no card: nothing else goes over a remote network.
pub(super) fn card_money(intent: &PaymentIntent, instrument: &Instrument, amount: i64) -> CardMoney {
    attempt::card_money(instrument, amount, intent.currency)
}
