//! How an attempt at a remote network ends: by an answer, an inquiry, a reversal; and what timers do meanwhile.

use super::attempt::{Attempt, Phase, repeat_after_ms};
use super::decide::{give_up, held_charge};
use super::outcome::{self, DecidedBy, Part, put_intent};
use super::{CancellationReason, PaymentIntent, Status};
use crate::acquirer::{Ask, Asked, AttemptId, NetworkAnswer, NetworkCall, Said};
use crate::decision::{Case, Decision, Reply, Settled, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::inputs::Network;
use crate::kinds;
use crate::payments::charge::ChargeState;
use crate::payments::payment_method::{Decline, declines};
use crate::reject::Reject;
use tollgate_breaks::broken;
use tollgate_resource::Id;

/// What an answer means for an open attempt.
enum Meaning {
    /// It was carried out.
    Done,
    /// It was refused, or has been undone.
    Failed(&'static Decline),
    /// The network does not know it. It may still be under way, so it is reversed until that is acknowledged.
    Unknown,
    /// Nothing new. A timer goes on.
    Nothing,
}

/// A network answered a call of attempt `id`. Answers to attempts that are settled change nothing.
pub(crate) fn resolve(case: &Case<'_>, id: AttemptId, answer: NetworkAnswer) -> Result<Decision, Stop> {
    let Some(intent) = case.payment_intent(id.object)? else {
        return Ok(case.nothing());
    };
    let Some(open) = intent.open_attempt().filter(|open| open.number == id.number) else {
        return Ok(case.nothing());
    };
    match (&intent.status, meaning(open, answer)) {
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
            let mut draft = case.draft();
            let part = Part {
                amount: open.amount,
                last: true,
                attempt: Some(id),
            };
            outcome::captured(case, &mut draft, intent.clone(), charge, part);
            Ok(draft.settle(settled(
                intent.id,
                open,
                Reply::Object(&kinds::PAYMENT_INTENT, intent.id),
            )))
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
        (Some(open), _) if now_ms >= open.due_ms() => Ok(go_on(case, intent, open)),
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
        _ => Ok(case.nothing()),
    }
}

fn meaning(open: &Attempt, answer: NetworkAnswer) -> Meaning {
    match (open.phase, answer.to, answer.said) {
        // Being reversed: nothing but the acknowledgement counts, least of all a late approval.
        (Phase::Reversing { .. }, Asked::Reversal, Said::Acknowledged) => Meaning::Failed(&declines::PROCESSING_ERROR),
        (Phase::Reversing { .. }, _, Said::Approved) if broken!(TakeLateApproval) => Meaning::Done,
        (Phase::Reversing { .. }, ..) => Meaning::Nothing,
        (_, Asked::Request | Asked::Inquiry, Said::Approved) => Meaning::Done,
        (_, Asked::Request | Asked::Inquiry, Said::Declined { decline }) => {
            // A number that only a newer network knows is a refusal all the same.
            Meaning::Failed(Decline::by_number(decline).unwrap_or(&declines::GENERIC))
        }
        (Phase::Inquiring { .. }, Asked::Inquiry, Said::NotFound) if broken!(TrustNotFound) => {
            Meaning::Failed(&declines::PROCESSING_ERROR)
        }
        (Phase::Inquiring { .. }, Asked::Inquiry, Said::NotFound) => Meaning::Unknown,
        _ => Meaning::Nothing,
    }
}

fn payment_approved(case: &Case<'_>, intent: &PaymentIntent, open: &Attempt) -> Result<Decision, Stop> {
    let method = method_of(case, intent)?;
    let mut draft = case.draft();
    let by = DecidedBy {
        network: Network::Remote,
        attempt: Some(open.id(intent.id)),
        three_d_secure: open.three_d_secure,
        blocked: None,
    };
    outcome::approved(case, &mut draft, intent.clone(), method, by)?;
    Ok(draft.settle(settled(
        intent.id,
        open,
        Reply::Object(&kinds::PAYMENT_INTENT, intent.id),
    )))
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
    Ok(draft.settle(settled(intent.id, open, Reply::Reject(Box::new(reject)))))
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
    draft.settle(settled(intent.id, open, Reply::Reject(Box::new(reject))))
}

/// The next step of an attempt that nobody has answered: the waiting request hears how things stand, the network is
/// asked what became of the attempt, or the reversal is repeated.
fn go_on(case: &Case<'_>, intent: &PaymentIntent, open: &Attempt) -> Decision {
    let mut draft = case.draft();
    let ask = if matches!(open.phase, Phase::Reversing { .. }) {
        Ask::Reverse
    } else {
        Ask::Inquire
    };
    if open.is_calling() && matches!(intent.status, Status::Processing { .. }) {
        draft.event(EventType::PaymentIntentProcessing, intent.id);
    }
    call_again(case, &mut draft, intent, open, ask);
    draft.settle(settled(
        intent.id,
        open,
        Reply::Object(&kinds::PAYMENT_INTENT, intent.id),
    ))
}

/// Records that the network is asked once more, and when it will be asked again.
fn call_again(case: &Case<'_>, draft: &mut Draft, intent: &PaymentIntent, open: &Attempt, ask: Ask) {
    let reverse = ask == Ask::Reverse;
    let tries = match open.phase {
        Phase::Inquiring { tries, .. } if !reverse => tries.saturating_add(1),
        Phase::Reversing { tries, .. } if reverse => tries.saturating_add(1),
        _ => 1,
    };
    let next_ms = draft.now_ms() + repeat_after_ms(tries);
    let phase = if reverse {
        Phase::Reversing { tries, next_ms }
    } else {
        Phase::Inquiring { tries, next_ms }
    };
    draft.call(NetworkCall {
        attempt: open.id(intent.id),
        ask,
        deadline_ms: next_ms,
    });
    draft.timer(next_ms, intent.id);
    // Whoever waited is answered by now, so the claim is no longer needed.
    let attempt = Box::new(Attempt {
        number: open.number,
        amount: open.amount,
        claim: None,
        phase,
        three_d_secure: open.three_d_secure,
    });
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
fn settled(object: Id, open: &Attempt, reply: Reply) -> Option<Settled> {
    open.is_calling().then(|| Settled {
        attempt: open.id(object),
        claim: open.claim.as_deref().cloned(),
        reply,
    })
}

fn method_of(case: &Case<'_>, intent: &PaymentIntent) -> Result<crate::payments::payment_method::PaymentMethod, Stop> {
    let id = intent
        .payment_method
        .expect("what is being paid with stays until the outcome");
    Ok(case
        .payment_method(id)?
        .expect("a payment method that is in use exists")
        .clone())
}
