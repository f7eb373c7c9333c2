//! Confirming: what an intent is paid with is tried.

use super::action::park;
use super::checks;
use super::debit;
use super::decide::{begin, card_money};
use super::outcome::{self, DecidedBy, put_intent};
use super::redirect;
use super::{
    AmountDetailsParams, ConfirmPaymentIntent, ConfirmationMethod, FutureUsage, Particulars, PaymentDetailsParams,
    PaymentIntent, Status,
};
use crate::acquirer::Ask;
use crate::address::Shipping;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::inputs::Network;
use crate::kinds;
use crate::object::Object;
use crate::payments::authentication::{AuthenticationAsk, AuthenticationNeed, ThreeDSecureResult};
use crate::payments::confirmation_token::ConfirmationToken;
use crate::payments::dispute;
use crate::payments::payment_method::{Behaviour, Choice, Decline, Instrument, PaymentMethod, Purpose, declines};
use crate::payments::payment_method_configuration::{check_excluded, check_rivals};
use crate::payments::token::SecurityCode;
use crate::radar::{self, Judgement};
use crate::reject::{Reject, codes};
use crate::versions;
use tollgate_breaks::broken;
use tollgate_resource::{Id, Update};

/// How a payment is tried, as far as the intent does not keep it.
pub(super) struct Terms<'a> {
    /// Whether the payer is away.
    pub(super) off_session: bool,
    /// Whether the payment fails rather than wait for the payer.
    pub(super) error_on_requires_action: bool,
    /// Where the payer goes after an action.
    pub(super) return_url: Option<&'a str>,
    /// Whether an SDK in the browser carries actions out.
    pub(super) use_stripe_sdk: bool,
    /// What the payer has proved already.
    pub(super) proof: Option<ThreeDSecureResult>,
}

/// Confirms an intent: what it is paid with is tried.
pub(crate) fn confirm(case: &Case<'_>, id: Id, asked: &ConfirmPaymentIntent) -> Result<Decision, Stop> {
    let before = checks::intent_of_path(case, id)?;
    checks::not_while_calling(before)?;
    checks::check_client_secret(case, id, asked.client_secret.as_deref())?;
    versions::check_payment_method_types(case, &asked.payment_method_types)?;
    check_rivals(
        !asked.allowed_payment_method_types.is_empty(),
        &[
            (!asked.payment_method_types.is_empty(), "payment_method_types"),
            (
                !asked.excluded_payment_method_types.is_empty(),
                "excluded_payment_method_types",
            ),
        ],
    )?;
    let data = asked.payment_method_data.as_deref();
    let token = checks::token_named(case, asked.confirmation_token)?;
    let agreement = checks::agreement(case, &asked.mandate_data, token)?;
    let (mandate, param) = checks::mandate_named(case, asked.mandate, asked.payment_method)?;
    let method = Purpose::Payment
        .choice(case, param, data, token, before.customer)
        .map_err(|stop| stop.about_owner_of_method(&kinds::PAYMENT_INTENT, id))?;
    let types = checks::check_types(&asked.payment_method_types)?;
    let cvc_token = asked
        .payment_method_options
        .as_ref()
        .and_then(|options| options.cvc_token());
    let code = SecurityCode::named(case, cvc_token)?;
    let mut intent = before.clone();
    if let Some(token) = token {
        token.describe(&mut intent);
    }
    describe(case, &mut intent, asked)?;
    intent.note_radar_options(asked.radar_options.as_deref());
    if mandate.is_some() || intent.mandate().is_some() {
        intent.with_particulars(|particulars| particulars.mandate = mandate);
    }
    // What was agreed to before belonged to a try that is over.
    intent.take_agreement();
    if agreement.is_some() {
        intent.with_particulars(|particulars| particulars.agreement = agreement);
    }
    asked.receipt_email.clone().apply_to(&mut intent.receipt_email);
    if let Some(email) = &intent.receipt_email {
        checks::check_email(email, "receipt_email")?;
    }
    if let Some(url) = &asked.return_url {
        checks::check_url(url, "return_url")?;
    }
    if let Some(reject) = checks::refuse_confirm(before).filter(|_| !broken!(ConfirmAgain)) {
        return Err(reject.into());
    }
    if let Some(amount) = asked.amount_to_confirm.filter(|amount| *amount != before.amount) {
        let message = format!(
            "The amount to confirm ({amount}) does not match the amount of the PaymentIntent ({}).",
            before.amount
        );
        let reject = Reject::invalid(None, message).with_param("amount_to_confirm");
        return Err(reject.with_payment_intent(id).begun().into());
    }
    let proof = match before.status {
        Status::RequiresConfirmation { proof } if method.is_none() => proof,
        _ => None,
    };
    let method = match (method, before.payment_method) {
        (Some(method), _) => method,
        (None, Some(kept)) => Choice::Stored(
            Purpose::Payment
                .stored_method(case, kept, before.customer)
                .map_err(|stop| stop.about_owner_of_method(&kinds::PAYMENT_INTENT, id))?,
        ),
        (None, None) => return Err(Reject::payment_intent_state(id, checks::missing_method(before.customer)).into()),
    };
    checks::check_saved(asked.save_payment_method, before.customer, true)?;
    if let Some(capture_method) = asked.capture_method {
        intent.capture_method = capture_method;
    }
    intent.list_types(&asked.payment_method_types, types);
    intent.allow_types(&asked.allowed_payment_method_types)?;
    check_excluded(&asked.excluded_payment_method_types, intent.types())?;
    intent.setup_future_usage = intent.setup_future_usage.or(saved_for(asked.save_payment_method));
    asked
        .setup_future_usage
        .clone()
        .apply_to(&mut intent.setup_future_usage);
    match asked.shipping.clone() {
        Update::Keep => {}
        Update::Clear => intent.shipping = None,
        Update::Set(shipping) => intent.shipping = Some(Box::new(Shipping::from(shipping))),
    }
    let mut draft = case.draft();
    if let Some(token) = token {
        token.spend(&mut draft, id);
    }
    let mut method = method.stored(&mut draft);
    intent.check_types()?;
    checks::check_allowed(&intent, &method)?;
    if let Some(code) = code {
        code.give(&mut draft, &mut method);
    }
    intent.payment_method = Some(method.id);
    let terms = Terms {
        off_session: asked.off_session.is_some_and(|off_session| off_session.0),
        error_on_requires_action: asked.error_on_requires_action.unwrap_or(false),
        return_url: asked
            .return_url
            .as_deref()
            .or(token.and_then(|token| token.return_url.as_deref())),
        use_stripe_sdk: asked.use_stripe_sdk.unwrap_or(false),
        proof,
    };
    try_to_pay(case, draft, intent, method, &terms)
}

/// Confirms an intent from a page in the payer's browser, unless its merchant keeps that to the server.
pub(crate) fn confirm_in_browser(case: &Case<'_>, id: Id, asked: &ConfirmPaymentIntent) -> Result<Decision, Stop> {
    let before = checks::intent_of_path(case, id)?;
    if before.confirmation_method == ConfirmationMethod::Manual {
        let message = format!(
            "This PaymentIntent {} cannot be confirmed using your publishable key because its `confirmation_method` is set \
             to `manual`. Please use your secret key instead, or create a PaymentIntent with `confirmation_method` set to \
             `automatic`.",
            id.text(&kinds::PAYMENT_INTENT)
        );
        return Err(Reject::invalid(Some(codes::PAYMENT_INTENT_INVALID_PARAMETER), message).into());
    }
    confirm(case, id, asked)
}

/// How a payment method is saved by the parameter of older integrations.
pub(super) fn saved_for(save_payment_method: Option<bool>) -> Option<FutureUsage> {
    (save_payment_method == Some(true)).then_some(FutureUsage::OnSession)
}

/// Takes over what a confirmation says besides how it is paid.
fn describe(case: &Case<'_>, intent: &mut PaymentIntent, asked: &ConfirmPaymentIntent) -> Result<(), Stop> {
    let says_nothing = matches!(asked.amount_details, Update::Keep)
        && matches!(asked.payment_details, Update::Keep)
        && asked.payment_method_options.is_none()
        && asked.excluded_payment_method_types.is_empty();
    if says_nothing {
        return Ok(());
    }
    intent.with_particulars(|particulars| {
        if let Some(options) = &asked.payment_method_options {
            options.apply_to(particulars);
        }
        if !asked.excluded_payment_method_types.is_empty() {
            particulars.excluded_types = asked.excluded_payment_method_types.clone();
        }
        change_payment_details(&asked.payment_details, particulars);
        change_amount_details(&asked.amount_details, particulars, case.inputs.now_ms)
    })?;
    intent.check_amount_details(intent.amount)
}

/// Takes over the references a request gives or clears.
pub(super) fn change_payment_details(asked: &Update<PaymentDetailsParams>, particulars: &mut Particulars) {
    match asked {
        Update::Keep => {}
        Update::Clear => particulars.payment_details = None,
        Update::Set(details) => details.apply_to(&mut particulars.payment_details),
    }
}

/// Takes over what a request says the amount is made of.
pub(super) fn change_amount_details(
    asked: &Update<AmountDetailsParams>,
    particulars: &mut Particulars,
    now_ms: u64,
) -> Result<(), Stop> {
    match asked {
        Update::Keep => Ok(()),
        Update::Clear => {
            particulars.amount_details = None;
            Ok(())
        }
        Update::Set(details) => details.apply_to(&mut particulars.amount_details, now_ms),
    }
}

/// Tries to pay `intent` with `method`: unless the card wants its holder to act first, the network is asked.
pub(super) fn try_to_pay(
    case: &Case<'_>,
    mut draft: Draft,
    intent: PaymentIntent,
    method: PaymentMethod,
    terms: &Terms<'_>,
) -> Result<Decision, Stop> {
    let kind = method.instrument.kind();
    intent.check_return_url(case, kind, terms.return_url, terms.off_session)?;
    let card = match &method.instrument {
        Instrument::Card(card) => card,
        Instrument::Bank(_) => return debit::start(case, draft, intent, method, terms),
        Instrument::Redirect(_) => return redirect::start(case, draft, intent, method, terms),
    };
    let need = match terms.proof {
        Some(proof) => AuthenticationNeed::Nothing(Some(proof)),
        None => {
            let rule = card.facts().authentication;
            let asked = AuthenticationAsk {
                off_session: terms.off_session,
                request: intent.three_d_secure_request(),
                prepared: method.prepared,
            };
            intent
                .claims()
                .map_or_else(|| rule.ask(asked), |claims| claims.ask(rule, asked))
        }
    };
    match need {
        AuthenticationNeed::Nothing(three_d_secure) => attempt(case, draft, intent, method, three_d_secure),
        AuthenticationNeed::Challenge if terms.error_on_requires_action => Ok(refuse(
            case,
            draft,
            intent,
            method,
            &declines::AUTHENTICATION_NOT_HANDLED,
        )),
        AuthenticationNeed::Challenge => Ok(park(case, draft, intent, method, terms, None)),
        AuthenticationNeed::Declined(decline) => {
            let by = DecidedBy {
                network: Network::Instant,
                attempt: None,
                three_d_secure: None,
                blocked: None,
            };
            let reject = outcome::declined(case, &mut draft, intent, method, decline, by);
            Ok(draft.decide(Reply::Reject(Box::new(reject))))
        }
        AuthenticationNeed::Refused(decline) => Ok(refuse(case, draft, intent, method, decline)),
    }
}

/// Asks the network to pay: decided here on the instant network, begun on a remote one.
pub(super) fn attempt(
    case: &Case<'_>,
    mut draft: Draft,
    mut intent: PaymentIntent,
    mut method: PaymentMethod,
    three_d_secure: Option<ThreeDSecureResult>,
) -> Result<Decision, Stop> {
    let id = intent.id;
    if method.instrument.redirect().is_some() {
        return redirect::agreed(case, draft, intent, method);
    }
    if radar::concerns(&method)
        && !intent.claims().is_some_and(|claims| claims.skips_rules)
        && let Judgement::Blocked { decline, risk } = radar::judge(case, &method)
    {
        let by = DecidedBy {
            network: Network::Instant,
            attempt: None,
            three_d_secure,
            blocked: Some(risk),
        };
        let reject = outcome::declined(case, &mut draft, intent, method, decline, by);
        return Ok(draft.decide(Reply::Reject(Box::new(reject))));
    }
    let network = method.instrument.network(case.inputs.network);
    if network == Network::Remote {
        let money = card_money(&intent, &method.instrument, intent.amount);
        let held = intent.holds(method.instrument.kind());
        let ask = if held {
            Ask::Authorise(money)
        } else {
            Ask::Purchase(money)
        };
        let amount = intent.amount;
        let mut attempt = begin(case, &mut draft, &mut intent, amount, ask);
        attempt.three_d_secure = three_d_secure;
        let attempt_id = attempt.id(id);
        intent.status = Status::Processing {
            attempt: Box::new(attempt),
        };
        // Taken while the attempt is open, so that no other payment uses it meanwhile; a decline gives it back.
        method.used_up = method.customer.is_none();
        draft.put(Object::of_method(method));
        put_intent(case, &mut draft, intent);
        return Ok(draft.decide(Reply::Await(attempt_id)));
    }
    let by = DecidedBy {
        network,
        attempt: None,
        three_d_secure,
        blocked: None,
    };
    let Instrument::Card(card) = &method.instrument else {
        unreachable!("only cards are asked of their networks")
    };
    match method.behaviour(card) {
        Behaviour::Succeed => {
            dispute::load_payer(case, &method.instrument, intent.customer)?;
            outcome::approved(case, &mut draft, intent, method, by)?;
            Ok(draft.decide(Reply::Object(&kinds::PAYMENT_INTENT, id)))
        }
        Behaviour::Decline(decline) => {
            let reject = outcome::declined(case, &mut draft, intent, method, decline, by);
            Ok(draft.decide(Reply::Reject(Box::new(reject))))
        }
        Behaviour::Remote(_) => unreachable!("cards of the remote network choose it"),
    }
}

/// The payment fails before the bank is asked.
pub(super) fn refuse(
    case: &Case<'_>,
    mut draft: Draft,
    intent: PaymentIntent,
    method: PaymentMethod,
    decline: &'static Decline,
) -> Decision {
    let reject = Reject::declined(decline)
        .with_payment_intent(intent.id)
        .with_payment_method(method.id);
    outcome::refused_unasked(case, &mut draft, intent, method, Some(decline));
    draft.decide(Reply::Reject(Box::new(reject)))
}

impl ConfirmationToken {
    /// Takes over what the payer said besides what is paid with, where the intent does not say it.
    pub(super) fn describe(&self, intent: &mut PaymentIntent) {
        intent.setup_future_usage = self.setup_future_usage.or(intent.setup_future_usage);
        if self.shipping.is_some() {
            intent.shipping = self.shipping.clone();
        }
    }
}
