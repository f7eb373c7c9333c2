//! Setting up a card over a remote network: the network is asked whether the card is good, without holding anything. The
//! attempt is recorded first and its outcome found out like that of a payment.

use super::outcome::{failed, has_room, open_try, put_attempt, put_intent, succeeded};
use super::{SetupFailure, SetupIntent, Status};
use crate::acquirer::{Ask, AttemptId, NetworkAnswer};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::kinds;
use crate::object::Object;
use crate::payments::attempt::{Attempt, Meaning, Phase, card_money};
use crate::payments::mandate::Acceptance;
use crate::payments::payment_method::{Decline, PaymentMethod, declines};
use crate::payments::setup_attempt::{AttemptState, SetupAttempt};
use tollgate_breaks::broken;
use tollgate_resource::Id;

/// Asks the network about the card, once that is recorded. The payment method is taken meanwhile, so that nothing else
/// uses it.
pub(super) fn ask_to_verify(
    case: &Case<'_>,
    mut draft: Draft,
    mut intent: SetupIntent,
    mut tried: SetupAttempt,
    mut method: PaymentMethod,
    acceptance: Option<Acceptance>,
) -> Decision {
    let currency = case.world.account.profile.default_currency;
    let ask = Ask::Verify {
        money: card_money(&method.instrument, 0, currency),
        cvc: method.cvc_check.is_some(),
    };
    // Each try asks once, so that the number of the try is the number of the attempt.
    let mut attempt = Attempt::begin(case, &mut draft, (intent.id, intent.attempts), 0, ask);
    attempt.three_d_secure = tried.three_d_secure;
    let id = attempt.id(intent.id);
    intent.status = Status::Processing {
        attempt: Box::new(attempt),
        acceptance: acceptance.map(Box::new),
    };
    intent.last_error = None;
    tried.state = AttemptState::Processing;
    method.used_up = method.customer.is_none();
    draft.put(Object::of_method(method));
    put_attempt(case, &mut draft, tried);
    put_intent(case, &mut draft, intent);
    draft.decide(Reply::Await(id))
}

/// A network answered a call of attempt `id`. Answers to attempts that are settled change nothing.
pub(crate) fn resolve(case: &Case<'_>, id: AttemptId, answer: NetworkAnswer) -> Result<Decision, Stop> {
    let Some(intent) = case.setup_intent(id.object)? else {
        return Ok(case.nothing());
    };
    let Status::Processing { attempt, acceptance } = &intent.status else {
        return Ok(case.nothing());
    };
    if attempt.number != id.number {
        return Ok(case.nothing());
    }
    match attempt.meaning(answer) {
        Meaning::Nothing => Ok(case.nothing()),
        Meaning::Unknown => {
            let mut draft = case.draft();
            ask_again(case, &mut draft, intent, attempt, Ask::Reverse);
            Ok(draft.settle(None))
        }
        Meaning::Done => verified(case, intent, attempt, acceptance.as_deref()),
        Meaning::Failed(decline) => refused(case, intent, attempt, decline),
    }
}

/// A timer of the intent is due. A timer is a hint: what is to be done follows from the intent.
pub(crate) fn timer_due(case: &Case<'_>, id: Id) -> Result<Decision, Stop> {
    let Some(intent) = case.setup_intent(id)? else {
        return Ok(case.nothing());
    };
    match intent.open_attempt() {
        Some(open) if matches!(open.phase, Phase::Reversing { .. }) && broken!(ReverseOnce) => Ok(case.nothing()),
        Some(open) if case.inputs.now_ms >= open.due_ms() => {
            let mut draft = case.draft();
            ask_again(case, &mut draft, intent, open, open.next_ask());
            Ok(draft.settle(open.settled(id, open.reply(&kinds::SETUP_INTENT, id))))
        }
        None => super::debit::deposits_due(case, intent),
        _ => Ok(case.nothing()),
    }
}

/// The card is good. It is set up, unless it was taken from its customer meanwhile or the customer cannot hold it.
fn verified(
    case: &Case<'_>,
    intent: &SetupIntent,
    open: &Attempt,
    acceptance: Option<&Acceptance>,
) -> Result<Decision, Stop> {
    let (tried, method) = in_use(case, intent)?;
    let still_there =
        method.customer == tried.payment_method.customer && (method.customer.is_none() || !method.used_up);
    let room = match (method.customer, intent.customer) {
        (None, Some(customer)) => has_room(case, customer, method.id)?,
        _ => true,
    };
    if !still_there || !room {
        return refused(case, intent, open, &declines::PROCESSING_ERROR);
    }
    let mut draft = case.draft();
    let method = given_back(&tried, method);
    succeeded(case, &mut draft, intent.clone(), tried, method, acceptance.cloned())?;
    Ok(draft.settle(open.settled(intent.id, open.reply(&kinds::SETUP_INTENT, intent.id))))
}

/// The card is not good, or nothing became of the question.
fn refused(case: &Case<'_>, intent: &SetupIntent, open: &Attempt, decline: &'static Decline) -> Result<Decision, Stop> {
    let (tried, method) = in_use(case, intent)?;
    let mut draft = case.draft();
    let method = given_back(&tried, method);
    let failure = SetupFailure::Declined {
        decline: decline.number,
    };
    let reject = failed(case, &mut draft, intent.clone(), tried, method, failure);
    Ok(draft.settle(open.settled(intent.id, Reply::Reject(Box::new(reject)))))
}

fn ask_again(case: &Case<'_>, draft: &mut Draft, intent: &SetupIntent, open: &Attempt, ask: Ask) {
    let Status::Processing { acceptance, .. } = &intent.status else {
        unreachable!("an attempt is open")
    };
    let mut after = intent.clone();
    after.status = Status::Processing {
        attempt: Box::new(open.again(draft, intent.id, ask)),
        acceptance: acceptance.clone(),
    };
    put_intent(case, draft, after);
}

/// The try that is open, and its payment method as it stands now.
fn in_use(case: &Case<'_>, intent: &SetupIntent) -> Result<(SetupAttempt, PaymentMethod), Stop> {
    let tried = open_try(case, intent)?.clone();
    let method = case
        .method_in_use(tried.payment_method.id)?
        .expect("what is in use was stored")
        .clone();
    Ok((tried, method))
}

/// The payment method for others to use again, if it was taken for the try.
fn given_back(tried: &SetupAttempt, method: PaymentMethod) -> PaymentMethod {
    let taken = tried.payment_method.customer.is_none();
    PaymentMethod {
        used_up: method.used_up && !taken,
        ..method
    }
}
