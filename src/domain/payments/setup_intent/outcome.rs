//! One try to set a payment method up, and what follows from how it ends: attempts, mandates, the customer's payment
//! method, events.

use super::debit;
use super::remote;
use super::shown::UNAUTHENTICATED;
use super::{SetupError, SetupFailure, SetupIntent, Status};
use crate::customers::customer::Customer;
use crate::decision::{Case, Decision, Lookup, Reply, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::inputs::Network;
use crate::kinds;
use crate::object::Object;
use crate::payments::authentication::{Action, AuthenticationAsk, AuthenticationNeed, ThreeDSecureResult};
use crate::payments::bank_account::Deposits;
use crate::payments::mandate::{self, Acceptance, MandateScope};
use crate::payments::payment_intent::FutureUsage;
use crate::payments::payment_method::{Decline, Instrument, PaymentMethod, put_used, rule_refuses_saving};
use crate::payments::setup_attempt::{AttemptState, SetupAttempt};
use crate::reject::{Reject, codes};
use crate::time::seconds_of;
use std::sync::Arc;
use tollgate_resource::Id;

/// What a confirmation says besides what is set up.
pub(super) struct Confirmation {
    /// Where the cardholder returns to after an action.
    pub(super) return_url: Option<Box<str>>,
    /// Whether an SDK in the browser carries actions out.
    pub(super) use_stripe_sdk: bool,
    /// The customer's agreement to a mandate.
    pub(super) acceptance: Option<Acceptance>,
}

/// Tries to set `method` up: decided here or by a remote network, or parked until the cardholder has proved who they are.
pub(super) fn attempt(
    case: &Case<'_>,
    mut draft: Draft,
    mut intent: SetupIntent,
    method: PaymentMethod,
    confirmation: Confirmation,
) -> Result<Decision, Stop> {
    intent.check_return_url(case, method.instrument.kind(), confirmation.return_url.as_deref())?;
    abandon(case, &mut draft, &intent)?;
    intent.attempts += 1;
    intent.payment_method = Some(method.id);
    let id = draft.born(&kinds::SETUP_ATTEMPT);
    intent.latest_attempt = Some(id);
    let extras = intent.extras.as_deref();
    let attempt = SetupAttempt {
        id,
        setup_intent: intent.id,
        payment_method: Arc::new(method.clone()),
        customer: intent.customer,
        usage: intent.usage,
        state: AttemptState::RequiresAction,
        three_d_secure: None,
        flow_directions: extras.map(|extras| extras.flow_directions.clone()).unwrap_or_default(),
        attach_to_self: extras.and_then(|extras| extras.attach_to_self),
        imported: intent
            .card_options
            .as_ref()
            .and_then(|options| options.imported.clone()),
    };
    let request = intent
        .card_options
        .as_ref()
        .and_then(|options| options.request_three_d_secure)
        .unwrap_or_default();
    if let Instrument::Redirect(redirect) = &method.instrument {
        let id = intent.id;
        if redirect.kind.rules().redirects {
            park(case, &mut draft, intent, attempt, method, confirmation, None);
        } else {
            succeeded(case, &mut draft, intent, attempt, method, confirmation.acceptance)?;
        }
        return Ok(draft.decide(Reply::Object(&kinds::SETUP_INTENT, id)));
    }
    let Instrument::Card(card) = &method.instrument else {
        return debit::set_up(case, draft, intent, attempt, method, confirmation);
    };
    let need = match &attempt.imported {
        Some(imported) => AuthenticationNeed::Nothing(Some(imported.result())),
        None => card.facts().authentication.ask(AuthenticationAsk {
            off_session: false,
            request,
            prepared: method.prepared,
        }),
    };
    let intent_id = intent.id;
    match need {
        AuthenticationNeed::Challenge => {
            park(case, &mut draft, intent, attempt, method, confirmation, None);
            Ok(draft.decide(Reply::Object(&kinds::SETUP_INTENT, intent_id)))
        }
        AuthenticationNeed::Declined(decline) | AuthenticationNeed::Refused(decline) => {
            let failure = SetupFailure::Declined {
                decline: decline.number,
            };
            let reject = failed(case, &mut draft, intent, attempt, method, failure);
            Ok(draft.decide(Reply::Reject(Box::new(reject))))
        }
        AuthenticationNeed::Nothing(result) => {
            let ended = SetupAttempt {
                three_d_secure: result,
                ..attempt
            };
            ask(case, draft, intent, ended, method, confirmation.acceptance)
        }
    }
}

/// Asks whether the card is good: decided here on the instant network, begun on a remote one.
fn ask(
    case: &Case<'_>,
    mut draft: Draft,
    intent: SetupIntent,
    attempt: SetupAttempt,
    method: PaymentMethod,
    acceptance: Option<Acceptance>,
) -> Result<Decision, Stop> {
    let id = intent.id;
    let remote = method.instrument.network(case.inputs.network) == Network::Remote;
    let refusal = if remote {
        rule_refuses_saving(case, &method)
    } else {
        verdict(case, &method)
    };
    if let Some(decline) = refusal {
        let failure = SetupFailure::Declined {
            decline: decline.number,
        };
        let reject = failed(case, &mut draft, intent, attempt, method, failure);
        return Ok(draft.decide(Reply::Reject(Box::new(reject))));
    }
    if remote {
        return Ok(remote::ask_to_verify(case, draft, intent, attempt, method, acceptance));
    }
    succeeded(case, &mut draft, intent, attempt, method, acceptance)?;
    Ok(draft.decide(Reply::Object(&kinds::SETUP_INTENT, id)))
}

/// The cardholder has acted: the payment method is ready, or another one is wanted.
pub(super) fn acted(case: &Case<'_>, before: &SetupIntent, authenticated: bool) -> Result<Decision, Stop> {
    let Status::RequiresAction { acceptance, action } = &before.status else {
        unreachable!("an action is open")
    };
    if action.deposits.is_some() {
        return debit::acted(case, before, authenticated);
    }
    let mut attempt = open_try(case, before)?.clone();
    let method = case
        .method_in_use(attempt.payment_method.id)?
        .expect("what is in use was stored")
        .clone();
    // Meanwhile it may have been used up by a payment, saved to another customer or deleted; or there is no room for it.
    let usable = match (method.customer, before.customer) {
        (None, None) => !method.used_up,
        (None, Some(customer)) => !method.used_up && has_room(case, customer, method.id)?,
        (Some(owner), customer) => customer == Some(owner) && !method.used_up,
    };
    let mut draft = case.draft();
    let intent = before.clone();
    let id = intent.id;
    let card = method.instrument.card().is_some();
    attempt.three_d_secure = (authenticated && card).then_some(ThreeDSecureResult::Authenticated);
    if !authenticated || !usable {
        failed(case, &mut draft, intent, attempt, method, SetupFailure::Unauthenticated);
        return Ok(draft.decide(Reply::Object(&kinds::SETUP_INTENT, id)));
    }
    let mut decision = ask(case, draft, intent, attempt, method, acceptance.as_deref().cloned())?;
    if let Reply::Reject(_) = decision.reply {
        // Whoever acted sees how the intent stands.
        decision.reply = Reply::Object(&kinds::SETUP_INTENT, id);
    }
    Ok(decision)
}

/// Whether the customer is there and can hold one more payment method.
pub(super) fn has_room(case: &Case<'_>, customer: Id, method: Id) -> Result<bool, Stop> {
    match saved_to(case, customer, method) {
        Ok(_) => Ok(true),
        Err(Stop::Reject(_)) => Ok(false),
        Err(stop) => Err(stop),
    }
}

/// Ends the open try of an intent, if there is one, because nobody will act on it any more.
pub(super) fn abandon(case: &Case<'_>, draft: &mut Draft, intent: &SetupIntent) -> Result<(), Stop> {
    if intent.open_action().is_some() {
        let mut attempt = open_try(case, intent)?.clone();
        attempt.state = AttemptState::Abandoned;
        put_attempt(case, draft, attempt);
    }
    Ok(())
}

/// Puts an intent, if the state table allows its state.
///
/// # Panics
/// When it does not: a decision that would break the table must not become durable.
pub(super) fn put_intent(case: &Case<'_>, draft: &mut Draft, mut intent: SetupIntent) {
    let before = match case.world.objects.find(&kinds::SETUP_INTENT, intent.id) {
        Lookup::Found(Object::SetupIntent(before)) => Some(before),
        _ => None,
    };
    let next = intent.status.name();
    let last = before.map(|before| before.status.name());
    assert!(next.may_follow(last), "{next:?} may not follow {last:?}");
    intent.joined = before.is_some_and(|before| before.customer != intent.customer);
    draft.put(Object::SetupIntent(Arc::new(intent)));
}

/// What the issuer, or a rule of the account, says to a card that is set up: `None` is yes.
fn verdict(case: &Case<'_>, method: &PaymentMethod) -> Option<&'static Decline> {
    let card = method.instrument.test_card()?;
    let declined = card.declines_verification(method.cvc_check.is_some());
    declined.or_else(|| rule_refuses_saving(case, method))
}

/// Parks `intent` until the cardholder has proved who they are, or the holder of a bank account has told deposits.
pub(super) fn park(
    case: &Case<'_>,
    draft: &mut Draft,
    mut intent: SetupIntent,
    attempt: SetupAttempt,
    method: PaymentMethod,
    confirmation: Confirmation,
    deposits: Option<Deposits>,
) {
    intent.status = Status::RequiresAction {
        action: Box::new(Action {
            nonce: case.inputs.entropy[0],
            account: case.world.account.profile.id,
            return_url: confirmation.return_url,
            use_stripe_sdk: confirmation.use_stripe_sdk,
            deposits,
            redirects: method.instrument.redirect().map(|method| method.kind),
        }),
        acceptance: confirmation.acceptance.map(Box::new),
    };
    intent.last_error = None;
    draft.event(EventType::SetupIntentRequiresAction, intent.id);
    if method.id.seq() > case.world.account.seq {
        draft.put(Object::of_method(method));
    }
    put_attempt(case, draft, attempt);
    put_intent(case, draft, intent);
}

/// The payment method is ready: saved to the customer, with the mandate that was agreed to.
pub(super) fn succeeded(
    case: &Case<'_>,
    draft: &mut Draft,
    mut intent: SetupIntent,
    attempt: SetupAttempt,
    mut method: PaymentMethod,
    acceptance: Option<Acceptance>,
) -> Result<(), Stop> {
    method.see();
    method.prepared |= intent.usage == FutureUsage::OffSession;
    if let (Some(customer), None) = (intent.customer, method.customer) {
        let holder = saved_to(case, customer, method.id)?;
        method.customer = Some(customer);
        draft.event(EventType::of_saving(method.id), method.id);
        draft.put(Object::Customer(Arc::new(holder)));
    }
    let single_use = intent.extras.as_ref().and_then(|extras| extras.single_use);
    if method.instrument.bank().is_some() {
        let scope = single_use.map_or(MandateScope::MultiUse, |money| MandateScope::SingleUse { money });
        let granted = debit::grant(case, draft, &mut method, acceptance, scope)?;
        let place = match scope {
            MandateScope::MultiUse => &mut intent.mandate,
            MandateScope::SingleUse { .. } => &mut intent.single_use_mandate,
        };
        *place = granted;
        return finish(case, draft, intent, attempt, method);
    }
    match (single_use, acceptance) {
        (Some(money), acceptance) => {
            // Asked for without the customer's words, it was agreed to when it was confirmed.
            let accepted_at = seconds_of(draft.now_ms());
            let acceptance = acceptance.unwrap_or(Acceptance::Offline { accepted_at });
            let scope = MandateScope::SingleUse { money };
            intent.single_use_mandate = Some(mandate::grant(case, draft, &mut method, acceptance, scope)?);
        }
        (None, Some(acceptance)) if intent.usage == FutureUsage::OffSession => {
            intent.mandate = Some(mandate::grant(
                case,
                draft,
                &mut method,
                acceptance,
                MandateScope::MultiUse,
            )?);
        }
        (None, _) => {}
    }
    finish(case, draft, intent, attempt, method)
}

/// The try has succeeded.
fn finish(
    case: &Case<'_>,
    draft: &mut Draft,
    mut intent: SetupIntent,
    mut attempt: SetupAttempt,
    method: PaymentMethod,
) -> Result<(), Stop> {
    intent.status = Status::Succeeded;
    intent.last_error = None;
    draft.event(EventType::SetupIntentSucceeded, intent.id);
    let method = Arc::new(method);
    attempt.payment_method = Arc::clone(&method);
    attempt.state = AttemptState::Succeeded;
    put_used(case, draft, method);
    put_attempt(case, draft, attempt);
    put_intent(case, draft, intent);
    Ok(())
}

/// The customer with one more payment method.
fn saved_to(case: &Case<'_>, customer: Id, method: Id) -> Result<Customer, Stop> {
    let holder = case
        .customer(customer)?
        .ok_or_else(|| Reject::no_such_param(&kinds::CUSTOMER, customer, "customer"))?;
    let mut holder = holder.clone();
    holder.hold_method(method)?;
    Ok(holder)
}

/// The payment method is not ready, and another one is wanted. What is returned is the asker's answer.
pub(super) fn failed(
    case: &Case<'_>,
    draft: &mut Draft,
    mut intent: SetupIntent,
    mut attempt: SetupAttempt,
    mut method: PaymentMethod,
    failure: SetupFailure,
) -> Reject {
    let reject = match failure {
        SetupFailure::Declined { decline } => {
            // The issuer has seen it.
            method.see();
            Reject::declined(Decline::by_number(decline).expect("it was taken from the table"))
        }
        SetupFailure::Unauthenticated => {
            Reject::invalid(Some(codes::SETUP_INTENT_AUTHENTICATION_FAILURE), UNAUTHENTICATED).begun()
        }
    };
    let method = Arc::new(method);
    let error = Box::new(SetupError {
        failure,
        payment_method: Arc::clone(&method),
    });
    intent.status = Status::RequiresPaymentMethod;
    intent.payment_method = None;
    intent.last_error = Some(error.clone());
    attempt.payment_method = Arc::clone(&method);
    attempt.state = AttemptState::Failed { error };
    draft.event(EventType::SetupIntentSetupFailed, intent.id);
    let reject = reject.with_setup_intent(intent.id).with_payment_method(method.id);
    put_used(case, draft, method);
    put_attempt(case, draft, attempt);
    put_intent(case, draft, intent);
    reject
}

/// Puts an attempt, if it may come to its state.
pub(super) fn put_attempt(case: &Case<'_>, draft: &mut Draft, attempt: SetupAttempt) {
    let before = match case.world.objects.find(&kinds::SETUP_ATTEMPT, attempt.id) {
        Lookup::Found(Object::SetupAttempt(before)) => Some(before.state.name()),
        _ => None,
    };
    let next = attempt.state.name();
    assert!(next.may_follow(before), "{next:?} may not follow {before:?}");
    draft.put(Object::SetupAttempt(Arc::new(attempt)));
}

pub(super) fn open_try<'a>(case: &Case<'a>, intent: &SetupIntent) -> Result<&'a SetupAttempt, Stop> {
    let id: Id = intent.latest_attempt.expect("an action belongs to a try");
    Ok(case.setup_attempt(id)?.expect("the try of an action exists"))
}
