//! How an attempt at a remote network ends: by an answer, an inquiry, a reversal; and what timers do meanwhile.

use super::debit;
use super::decide::{give_up, held_charge};
use super::deposits;
use super::outcome::{self, DecidedBy, Part, put_intent};
use super::{CancellationReason, PaymentIntent, Status};
use crate::acquirer::{Ask, AttemptId, NetworkAnswer};
use crate::decision::{Case, Decision, Reply, Settled, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::inputs::Network;
use crate::kinds;
use crate::payments::attempt::{Attempt, Meaning, Phase};
use crate::payments::charge::ChargeState;
use crate::payments::dispute;
use crate::payments::payment_method::Decline;
use crate::reject::Reject;
use tollgate_breaks::broken;
use tollgate_resource::Id;

/// A network answered a call of attempt `id`. Answers to attempts that are settled change nothing.
pub(crate) fn resolve(case: &Case<'_>, id: AttemptId, answer: NetworkAnswer) -> Result<Decision, Stop> {
    let Some(intent) = case.payment_intent(id.object)? else {
        return Ok(case.nothing());
    };
    let Some(open) = intent.open_attempt().filter(|open| open.number == id.number) else {
        return Ok(case.nothing());
    };
    match (&intent.status, open.meaning(answer)) {
        (_, Meaning::Nothing) => Ok(case.nothing()),
        (_, Meaning::Unknown) => {
            let mut draft = case.draft();
            call_again(case, &mut draft, intent, open, Ask::Reverse);
            Ok(draft.settle(None))
        }
        (Status::Processing { .. }, Meaning::Done) => payment_approved(case, intent, open),
        (Status::Processing { .. }, Meaning::Failed(decline)) => payment_failed(case, intent, open, decline),
        (Status::RequiresCapture { .. }, Meaning::Done) => {
            let charge = held_charge(case, intent)?.clone();
            dispute::load_payer(case, &charge.instrument, charge.customer)?;
            let mut draft = case.draft();
            let part = Part {
                amount: open.amount,
                last: true,
                attempt: Some(id),
            };
            outcome::captured(case, &mut draft, intent.clone(), charge, part);
            Ok(draft.settle(settled(intent, open)))
        }
        (Status::RequiresCapture { .. }, Meaning::Failed(decline)) => Ok(capture_failed(case, intent, open, decline)),
        (Status::Canceled { at_ms, reason, .. }, _) => {
            let mut released = intent.clone();
            released.status = Status::Canceled {
                at_ms: *at_ms,
                reason: *reason,
                release: None,
            };
            let mut draft = case.draft();
            put_intent(case, &mut draft, released);
            Ok(draft.settle(None))
        }
        (status, _) => unreachable!("no attempt is open in {:?}", status.name()),
    }
}

/// A timer of the intent is due. A timer is a hint: what is to be done follows from the intent.
pub(crate) fn timer_due(case: &Case<'_>, id: Id) -> Result<Decision, Stop> {
    let now_ms = case.inputs.now_ms;
    let Some(intent) = case.payment_intent(id)? else {
        return Ok(case.nothing());
    };
    match (intent.open_attempt(), &intent.status) {
        (Some(open), _) if matches!(open.phase, Phase::Reversing { .. }) && broken!(ReverseOnce) => Ok(case.nothing()),
        (Some(open), _) if now_ms >= open.due_ms() => {
            if let Some(charge) = open.answered_by {
                // It answers the request, so it must be there.
                case.charge(charge)?;
            }
            Ok(go_on(case, intent, open))
        }
        (None, Status::RequiresCapture { capture_before_ms, .. }) if now_ms >= *capture_before_ms => {
            let mut draft = case.draft();
            if intent.amount_received() > 0 {
                // What was captured of it stays; only the rest is released.
                let charge = held_charge(case, intent)?.clone();
                outcome::finished(case, &mut draft, intent.clone(), charge);
                return Ok(draft.settle(None));
            }
            give_up(
                case,
                &mut draft,
                intent,
                Some(CancellationReason::Automatic),
                ChargeState::Expired,
            )?;
            draft.event(EventType::PaymentIntentCanceled, id);
            Ok(draft.settle(None))
        }
        (None, Status::Debiting { ends_ms: Some(ends_ms) }) if now_ms >= *ends_ms => debit::settle(case, intent),
        (None, Status::RequiresAction { action }) => deposits::due(case, intent, action),
        _ => Ok(case.nothing()),
    }
}

fn payment_approved(case: &Case<'_>, intent: &PaymentIntent, open: &Attempt) -> Result<Decision, Stop> {
    let method = method_of(case, intent)?;
    dispute::load_payer(case, &method.instrument, intent.customer)?;
    let mut draft = case.draft();
    let by = DecidedBy {
        network: Network::Remote,
        attempt: Some(open.id(intent.id)),
        three_d_secure: open.three_d_secure,
        blocked: None,
    };
    outcome::approved(case, &mut draft, intent.clone(), method, by)?;
    Ok(draft.settle(settled(intent, open)))
}

fn payment_failed(
    case: &Case<'_>,
    intent: &PaymentIntent,
    open: &Attempt,
    decline: &'static Decline,
) -> Result<Decision, Stop> {
    let method = method_of(case, intent)?;
    let mut draft = case.draft();
    let by = DecidedBy {
        network: Network::Remote,
        attempt: Some(open.id(intent.id)),
        three_d_secure: open.three_d_secure,
        blocked: None,
    };
    let reject = outcome::declined(case, &mut draft, intent.clone(), method, decline, by);
    Ok(draft.settle(open.settled(intent.id, Reply::Reject(Box::new(reject)))))
}

/// The hold stays as it was, and can be captured again or given up.
fn capture_failed(case: &Case<'_>, intent: &PaymentIntent, open: &Attempt, decline: &'static Decline) -> Decision {
    let Status::RequiresCapture {
        capture_before_ms,
        received,
        ..
    } = intent.status
    else {
        unreachable!("it is a hold")
    };
    let mut held = intent.clone();
    held.status = Status::RequiresCapture {
        capture_before_ms,
        capture: None,
        received,
    };
    let mut draft = case.draft();
    // The hold's own timer may have passed while the capture was open.
    draft.timer(capture_before_ms.max(draft.now_ms()), intent.id);
    put_intent(case, &mut draft, held);
    let reject = Reject::declined(decline).with_payment_intent(intent.id);
    draft.settle(open.settled(intent.id, Reply::Reject(Box::new(reject))))
}

/// The next step of an attempt that nobody has answered: the waiting request hears how things stand, the network is
/// asked what became of the attempt, or the reversal is repeated.
fn go_on(case: &Case<'_>, intent: &PaymentIntent, open: &Attempt) -> Decision {
    let mut draft = case.draft();
    if open.is_calling() && matches!(intent.status, Status::Processing { .. }) {
        draft.event(EventType::PaymentIntentProcessing, intent.id);
    }
    call_again(case, &mut draft, intent, open, open.next_ask());
    draft.settle(settled(intent, open))
}

/// Records that the network is asked once more, and when it will be asked again.
fn call_again(case: &Case<'_>, draft: &mut Draft, intent: &PaymentIntent, open: &Attempt, ask: Ask) {
    let attempt = Box::new(open.again(draft, intent.id, ask));
    let mut after = intent.clone();
    after.status = match after.status {
        Status::Processing { .. } => Status::Processing { attempt },
        Status::RequiresCapture {
            capture_before_ms,
            received,
            ..
        } => Status::RequiresCapture {
            capture_before_ms,
            capture: Some(attempt),
            received,
        },
        Status::Canceled { at_ms, reason, .. } => Status::Canceled {
            at_ms,
            reason,
            release: Some(attempt),
        },
        status => unreachable!("no attempt is open in {:?}", status.name()),
    };
    put_intent(case, draft, after);
}

/// The answer to the request that waits for the attempt, if one still does.
fn settled(intent: &PaymentIntent, open: &Attempt) -> Option<Settled> {
    open.settled(intent.id, open.reply(&kinds::PAYMENT_INTENT, intent.id))
}

fn method_of(case: &Case<'_>, intent: &PaymentIntent) -> Result<crate::payments::payment_method::PaymentMethod, Stop> {
    let id = intent
        .payment_method
        .expect("what is being paid with stays until the outcome");
    Ok(case.method_in_use(id)?.expect("what is in use was stored").clone())
}
