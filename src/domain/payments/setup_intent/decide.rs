//! What requests do to setup intents.

use super::checks;
use super::outcome::{self, Confirmation, abandon, put_intent};
use super::{CancelSetupIntent, ConfirmSetupIntent, CreateSetupIntent, Extras, SetupIntent, Status, UpdateSetupIntent};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::events::EventType;
use crate::kinds::{self, ConfirmationTokenId};
use crate::metadata;
use crate::money::Money;
use crate::object::Object;
use crate::payments::authentication::CompletedAction;
use crate::payments::confirmation_token::{self, ConfirmationToken};
use crate::payments::mandate::MandateDataParams;
use crate::payments::payment_intent::{FutureUsage, checks as payment_checks};
use crate::payments::payment_method::{Choice, Purpose};
use crate::payments::payment_method_configuration::{check_excluded, check_rivals};
use crate::reject::{Reject, codes};
use crate::versions;
use tollgate_resource::{Id, Metadata, Update};

/// Makes an intent, and confirms it if asked.
pub(crate) fn create(case: &Case<'_>, asked: &CreateSetupIntent) -> Result<Decision, Stop> {
    let confirm = asked.confirm.unwrap_or(false);
    checks::check_attach_to_self(asked.attach_to_self)?;
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
    let automatic = payment_checks::automatic_methods(case, automatic, &asked.payment_method_types)?;
    let customer = asked.customer.map(|customer| customer.0);
    if let Some(customer) = customer {
        case.check_customer(customer)?;
    }
    if !confirm {
        payment_checks::only_with_confirm(
            &kinds::SETUP_INTENT,
            &[
                (asked.confirmation_token.is_some(), "confirmation_token"),
                (!matches!(asked.mandate_data, Update::Keep), "mandate_data"),
                (asked.return_url.is_some(), "return_url"),
            ],
        )?;
    }
    let token = token_named(case, asked.confirmation_token)?;
    let token_url = token.and_then(|token| token.return_url.as_deref());
    let return_url = asked.return_url.as_deref().or(token_url);
    let confirmation = confirmation(case, &asked.mandate_data, token, return_url, asked.use_stripe_sdk)?;
    let mut pairs = Metadata::default();
    metadata::merge(&mut pairs, &asked.metadata)?;
    let data = asked.payment_method_data.as_deref();
    let method = Purpose::Setup.choice(case, asked.payment_method, data, token, customer)?;
    let mut card_options = None;
    if let Some(options) = &asked.payment_method_options {
        options.apply_to(&mut card_options)?;
    }
    let types = payment_checks::check_types(&asked.payment_method_types)?;
    if confirm && method.is_none() {
        let code = Some(codes::SETUP_INTENT_UNEXPECTED_STATE);
        return Err(Reject::invalid(code, checks::MISSING_METHOD).begun().into());
    }

    let extras = extras_of(asked);
    let mut draft = case.draft();
    let mut intent = SetupIntent {
        id: draft.born(&kinds::SETUP_INTENT),
        status: Status::RequiresPaymentMethod,
        customer,
        payment_method: None,
        latest_attempt: None,
        attempts: 0,
        last_error: None,
        mandate: None,
        single_use_mandate: None,
        usage: asked.usage.unwrap_or(FutureUsage::OffSession),
        automatic_payment_methods: automatic,
        description: asked.description.clone(),
        metadata: pairs,
        card_options,
        extras: (extras != Extras::default()).then(|| Box::new(extras)),
        joined: false,
    };
    intent.list_types(&asked.payment_method_types, types);
    intent.allow_types(&asked.allowed_payment_method_types)?;
    intent.configure(case, asked.payment_method_configuration.as_deref())?;
    check_excluded(&asked.excluded_payment_method_types, intent.types())?;
    intent.check_types()?;
    let id = intent.id;
    draft.created_event(EventType::SetupIntentCreated, id);
    if let Some(token) = token {
        token.spend(&mut draft, id);
    }
    if let Some(method) = method {
        let method = method.stored(&mut draft);
        checks::check_allowed(&intent, &method)?;
        if confirm {
            return outcome::attempt(case, draft, intent, method, confirmation);
        }
        intent.payment_method = Some(method.id);
        intent.status = Status::RequiresConfirmation;
        if method.id.seq() > case.world.account.seq {
            draft.put(Object::of_method(method));
        }
    }
    put_intent(case, &mut draft, intent);
    Ok(draft.decide(Reply::Object(&kinds::SETUP_INTENT, id)))
}

/// Changes an intent. There is no event of that.
pub(crate) fn update(case: &Case<'_>, id: Id, asked: &UpdateSetupIntent) -> Result<Decision, Stop> {
    let before = checks::intent_of_path(case, id)?;
    checks::not_while_calling(before)?;
    checks::check_attach_to_self(asked.attach_to_self)?;
    let mut intent = before.clone();
    match &asked.customer {
        Update::Keep => {}
        Update::Clear => intent.customer = None,
        Update::Set(customer) => {
            case.check_customer(customer.0)?;
            intent.customer = Some(customer.0);
        }
    }
    asked.description.clone().apply_to(&mut intent.description);
    versions::check_payment_method_types(case, &asked.payment_method_types)?;
    let allows = asked.allowed_payment_method_types.as_deref();
    check_rivals(
        allows.is_some_and(|allowed| !allowed.is_empty()),
        &[
            (!asked.payment_method_types.is_empty(), "payment_method_types"),
            (
                asked.excluded_payment_method_types.is_some(),
                "excluded_payment_method_types",
            ),
            (
                asked.payment_method_configuration.is_some(),
                "payment_method_configuration",
            ),
        ],
    )?;
    if let Some(types) = &asked.excluded_payment_method_types {
        check_excluded(types, intent.types())?;
        intent.extras_mut().excluded_types = words(types);
    }
    if let Some(directions) = &asked.flow_directions {
        intent.extras_mut().flow_directions = directions.clone();
    }
    if asked.attach_to_self.is_some() {
        intent.extras_mut().attach_to_self = asked.attach_to_self;
    }
    metadata::merge(&mut intent.metadata, &asked.metadata)?;
    let named = asked.payment_method.clone().into_option();
    let method = Purpose::Setup
        .choice(case, named, asked.payment_method_data.as_deref(), None, intent.customer)
        .map_err(|stop| stop.about_owner_of_method(&kinds::SETUP_INTENT, id))?;
    if let Some(options) = &asked.payment_method_options {
        options.apply_to(&mut intent.card_options)?;
        if let Some(verification) = options.verification() {
            intent.extras_mut().verification = Some(verification);
        }
    }
    let types = payment_checks::check_types(&asked.payment_method_types)?;
    intent.list_types(&asked.payment_method_types, types);
    match allows {
        Some([]) => intent.allow_all(case)?,
        Some(allowed) => intent.allow_types(allowed)?,
        None => {}
    }
    if let Some(named) = &asked.payment_method_configuration {
        intent.configure(case, Some(named))?;
    }
    intent.check_types()?;
    let about_method = asked.payment_method != Update::Keep
        || asked.payment_method_data.is_some()
        || asked.customer != Update::Keep
        || asked.payment_method_options.is_some()
        || asked.excluded_payment_method_types.is_some()
        || allows.is_some()
        || asked.flow_directions.is_some()
        || !asked.payment_method_types.is_empty();
    if about_method && let Some(reject) = checks::refuse_update(before) {
        return Err(reject.into());
    }
    // Another customer, and still what the one before was going to save.
    if let (None, Update::Keep, Some(kept)) = (&method, &asked.payment_method, before.payment_method)
        && intent.customer != before.customer
    {
        Purpose::Setup.stored_method(case, kept, intent.customer)?;
    }

    let mut draft = case.draft();
    if let Some(method) = method {
        abandon(case, &mut draft, before)?;
        let method = method.stored(&mut draft);
        checks::check_allowed(&intent, &method)?;
        intent.payment_method = Some(method.id);
        intent.status = Status::RequiresConfirmation;
        if method.id.seq() > case.world.account.seq {
            draft.put(Object::of_method(method));
        }
    } else if asked.payment_method == Update::Clear {
        abandon(case, &mut draft, before)?;
        intent.payment_method = None;
        intent.status = Status::RequiresPaymentMethod;
    }
    if intent != *before {
        put_intent(case, &mut draft, intent);
    }
    Ok(draft.decide(Reply::Object(&kinds::SETUP_INTENT, id)))
}

/// Confirms an intent: the payment method is tried.
pub(crate) fn confirm(case: &Case<'_>, id: Id, asked: &ConfirmSetupIntent) -> Result<Decision, Stop> {
    let before = checks::intent_of_path(case, id)?;
    checks::not_while_calling(before)?;
    checks::check_client_secret(case, id, asked.client_secret.as_deref())?;
    let token = token_named(case, asked.confirmation_token)?;
    let token_url = token.and_then(|token| token.return_url.as_deref());
    let return_url = asked.return_url.as_deref().or(token_url);
    let confirmation = confirmation(case, &asked.mandate_data, token, return_url, asked.use_stripe_sdk)?;
    let data = asked.payment_method_data.as_deref();
    let method = Purpose::Setup
        .choice(case, asked.payment_method, data, token, before.customer)
        .map_err(|stop| stop.about_owner_of_method(&kinds::SETUP_INTENT, id))?;
    let mut intent = before.clone();
    if let Some(options) = &asked.payment_method_options {
        options.apply_to(&mut intent.card_options)?;
        if let Some(verification) = options.verification() {
            intent.extras_mut().verification = Some(verification);
        }
    }
    intent.allow_types(&asked.allowed_payment_method_types)?;
    if let Some(reject) = checks::refuse_confirm(before) {
        return Err(reject.into());
    }
    let method = match (method, before.payment_method) {
        (Some(method), _) => method,
        (None, Some(kept)) => Choice::Stored(
            Purpose::Setup
                .stored_method(case, kept, before.customer)
                .map_err(|stop| stop.about_owner_of_method(&kinds::SETUP_INTENT, id))?,
        ),
        (None, None) => return Err(Reject::setup_intent_state(id, checks::MISSING_METHOD).into()),
    };
    let mut draft = case.draft();
    if let Some(token) = token {
        token.spend(&mut draft, intent.id);
    }
    let method = method.stored(&mut draft);
    checks::check_allowed(&intent, &method)?;
    outcome::attempt(case, draft, intent, method, confirmation)
}

/// The cardholder has acted on an intent's page.
pub(crate) fn complete(case: &Case<'_>, done: CompletedAction) -> Result<Decision, Stop> {
    let before = checks::intent_of_path(case, done.object)?;
    checks::not_while_calling(before)?;
    if before.open_action().is_some_and(|action| action.nonce == done.nonce) {
        return outcome::acted(case, before, done.authenticated);
    }
    let message = "This authentication is over: it was completed before, or the setup went on without it.";
    Err(Reject::setup_intent_state(done.object, message).into())
}

/// Gives an intent up.
pub(crate) fn cancel(case: &Case<'_>, id: Id, asked: &CancelSetupIntent) -> Result<Decision, Stop> {
    let before = checks::intent_of_path(case, id)?;
    checks::not_while_calling(before)?;
    if let Some(reject) = checks::refuse_cancel(before) {
        return Err(reject.into());
    }
    let mut draft = case.draft();
    abandon(case, &mut draft, before)?;
    let mut intent = before.clone();
    intent.status = Status::Canceled {
        reason: asked.cancellation_reason.map(|reason| reason.0),
    };
    draft.event(EventType::SetupIntentCanceled, id);
    put_intent(case, &mut draft, intent);
    Ok(draft.decide(Reply::Object(&kinds::SETUP_INTENT, id)))
}

/// The confirmation token that a request names, if it names one and it can be used.
fn token_named<'a>(case: &Case<'a>, named: Option<ConfirmationTokenId>) -> Result<Option<&'a ConfirmationToken>, Stop> {
    named
        .map(|named| confirmation_token::of_param(case, named.0))
        .transpose()
}

/// What a confirmation says besides what is set up.
fn confirmation(
    case: &Case<'_>,
    mandate_data: &Update<MandateDataParams>,
    token: Option<&ConfirmationToken>,
    return_url: Option<&str>,
    use_stripe_sdk: Option<bool>,
) -> Result<Confirmation, Stop> {
    let acceptance = payment_checks::agreement(case, mandate_data, token)?;
    if let Some(url) = return_url {
        payment_checks::check_url(url, "return_url")?;
    }
    Ok(Confirmation {
        return_url: return_url.map(Into::into),
        use_stripe_sdk: use_stripe_sdk.unwrap_or(false),
        acceptance,
    })
}

fn extras_of(asked: &CreateSetupIntent) -> Extras {
    Extras {
        flow_directions: asked.flow_directions.clone(),
        single_use: asked.single_use.as_ref().map(|asked| {
            let currency = asked.currency.expect("the form makes sure of required parameters");
            Money::new(asked.amount, currency)
        }),
        excluded_types: words(&asked.excluded_payment_method_types),
        attach_to_self: asked.attach_to_self,
        types: Vec::new(),
        configuration: None,
        verification: asked
            .payment_method_options
            .as_ref()
            .and_then(|options| options.verification()),
        allowed_types: Vec::new(),
    }
}

fn words(types: &[Box<str>]) -> Vec<String> {
    types.iter().map(|word| word.to_string()).collect()
}
