//! A charge that is made by itself over a remote network: it is pending until the network's word is known. Holds, captures
//! and releases go the same way as those of an intent.

use super::create::{approved, declined};
use super::source::{is_stored, take_method};
use super::{Charge, ChargeState, OwnAttempts, debit, expire};
use crate::acquirer::{Ask, AttemptId, NetworkAnswer};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::payments::attempt::{Attempt, Meaning, Phase, card_money};
use crate::payments::dispute;
use crate::payments::payment_intent::{capture_money, follow_capture, put_charge};
use crate::payments::payment_method::{Decline, PaymentMethod};
use crate::reject::Reject;
use tollgate_breaks::broken;
use tollgate_resource::Id;

/// Whoever wants to change a charge whose network is being asked waits for its word.
pub(crate) fn not_while_calling(charge: &Charge) -> Result<(), Stop> {
    match charge.open_attempt() {
        Some(attempt) if attempt.is_calling() => Err(Stop::Busy(charge.id)),
        _ => Ok(()),
    }
}

/// Asks the network for the money, once the charge is recorded. What is paid with is taken meanwhile, so that no other
/// payment uses it; a decline gives it back.
pub(super) fn ask_to_pay(
    case: &Case<'_>,
    mut draft: Draft,
    mut charge: Charge,
    method: PaymentMethod,
    captures: bool,
) -> Decision {
    let money = card_money(&charge.instrument, charge.amount, charge.currency);
    let ask = if captures {
        Ask::Purchase(money)
    } else {
        Ask::Authorise(money)
    };
    let amount = charge.amount;
    let attempt = begin(case, &mut draft, &mut charge, amount, ask);
    charge.authorised_by = Some(attempt);
    charge.state = ChargeState::Pending { captures };
    take_method(&mut draft, method);
    put_charge(case, &mut draft, charge);
    draft.decide(Reply::Await(attempt))
}

/// Asks the network to capture `amount` of the hold `authorised`, once that is recorded.
pub(super) fn ask_to_capture(case: &Case<'_>, mut charge: Charge, authorised: AttemptId, amount: i64) -> Decision {
    let mut draft = case.draft();
    let ask = Ask::Capture {
        of: authorised,
        money: card_money(&charge.instrument, amount, charge.currency),
    };
    let attempt = begin(case, &mut draft, &mut charge, amount, ask);
    put_charge(case, &mut draft, charge);
    draft.decide(Reply::Await(attempt))
}

/// Has the network undo the authorisation of a hold that is over. An intent does that for its own.
pub(crate) fn release(draft: &mut Draft, charge: &mut Charge) {
    let Some(authorised) = charge.authorised_by.filter(|authorised| authorised.object == charge.id) else {
        return;
    };
    let attempt = Attempt::release(draft, charge.id, authorised, charge.amount);
    set_open(charge, Some(attempt));
}

/// A network answered a call of attempt `id`. Answers to attempts that are settled change nothing.
pub(crate) fn resolve(case: &Case<'_>, id: AttemptId, answer: NetworkAnswer) -> Result<Decision, Stop> {
    let Some(charge) = case.charge(id.object)? else {
        return Ok(case.nothing());
    };
    let Some(open) = charge.open_attempt().filter(|open| open.number == id.number) else {
        return Ok(case.nothing());
    };
    let mut settled = charge.clone();
    set_open(&mut settled, None);
    match (charge.state, open.meaning(answer)) {
        (_, Meaning::Nothing) => Ok(case.nothing()),
        (_, Meaning::Unknown) => {
            let mut draft = case.draft();
            ask_again(case, &mut draft, charge, open, Ask::Reverse);
            Ok(draft.settle(None))
        }
        (ChargeState::Pending { captures }, Meaning::Done) => {
            dispute::load_payer(case, &charge.instrument, charge.customer)?;
            let method = method_of(case, charge)?;
            let mut draft = case.draft();
            approved(case, &mut draft, settled, method, captures);
            Ok(draft.settle(open.settled(charge.id, answer_of(charge))))
        }
        (ChargeState::Pending { .. }, Meaning::Failed(decline)) => {
            let method = method_of(case, charge)?;
            let mut draft = case.draft();
            let reject = declined(case, &mut draft, settled, method, decline);
            Ok(draft.settle(open.settled(charge.id, Reply::Reject(Box::new(reject)))))
        }
        (ChargeState::Held, Meaning::Done) => {
            dispute::load_payer(case, &charge.instrument, charge.customer)?;
            let mut draft = case.draft();
            settled.captured_by = Some(id);
            captured(case, &mut draft, settled, open.amount);
            Ok(draft.settle(open.settled(charge.id, answer_of(charge))))
        }
        (ChargeState::Held, Meaning::Failed(decline)) => Ok(capture_failed(case, settled, open, decline)),
        (ChargeState::Released | ChargeState::Expired, _) => {
            let mut draft = case.draft();
            put_charge(case, &mut draft, settled);
            Ok(draft.settle(None))
        }
        (state, _) => unreachable!("no attempt of a charge is open in {state:?}"),
    }
}

/// A timer of a charge is due. A timer is a hint: what is to be done follows from the charge.
pub(crate) fn timer_due(case: &Case<'_>, id: Id) -> Result<Decision, Stop> {
    let Some(charge) = case.charge(id)? else {
        return Ok(case.nothing());
    };
    match charge.open_attempt() {
        Some(open) if matches!(open.phase, Phase::Reversing { .. }) && broken!(ReverseOnce) => Ok(case.nothing()),
        Some(open) if case.inputs.now_ms >= open.due_ms() => Ok(go_on(case, charge, open)),
        Some(_) => Ok(case.nothing()),
        None if charge.state == ChargeState::Debiting => debit::settle(case, charge),
        None => expire(case, charge),
    }
}

/// Money of a hold was captured; what was not is released.
pub(super) fn captured(case: &Case<'_>, draft: &mut Draft, mut charge: Charge, amount: i64) {
    charge.state = capture_money(case, draft, &charge, amount);
    draft.event(EventType::ChargeCaptured, charge.id);
    follow_capture(case, draft, &mut charge);
    put_charge(case, draft, charge);
}

/// The hold stays as it was, and can be captured again or given up.
fn capture_failed(case: &Case<'_>, held: Charge, open: &Attempt, decline: &'static Decline) -> Decision {
    let mut draft = case.draft();
    let ends_ms = held.capture_before_ms.expect("a hold ends");
    // The hold's own timer may have passed while the capture was open.
    draft.timer(ends_ms.max(draft.now_ms()), held.id);
    let reject = Reject::declined(decline).with_charge(held.id);
    let settles = open.settled(held.id, Reply::Reject(Box::new(reject)));
    put_charge(case, &mut draft, held);
    draft.settle(settles)
}

/// The next step of an attempt that nobody has answered: the waiting request hears how things stand, the network is
/// asked what became of the attempt, or the reversal is repeated.
fn go_on(case: &Case<'_>, charge: &Charge, open: &Attempt) -> Decision {
    let mut draft = case.draft();
    if open.is_calling() && matches!(charge.state, ChargeState::Pending { .. }) {
        draft.event(EventType::ChargePending, charge.id);
    }
    ask_again(case, &mut draft, charge, open, open.next_ask());
    draft.settle(open.settled(charge.id, answer_of(charge)))
}

fn ask_again(case: &Case<'_>, draft: &mut Draft, charge: &Charge, open: &Attempt, ask: Ask) {
    let attempt = open.again(draft, charge.id, ask);
    let mut after = charge.clone();
    set_open(&mut after, Some(attempt));
    put_charge(case, draft, after);
}

/// Records a new attempt and the call that is made once it is durable.
fn begin(case: &Case<'_>, draft: &mut Draft, charge: &mut Charge, amount: i64, ask: Ask) -> AttemptId {
    let number = charge.remote.as_deref().map_or(0, |remote| remote.made) + 1;
    let mut attempt = Attempt::begin(case, draft, (charge.id, number), amount, ask);
    attempt.three_d_secure = charge.three_d_secure;
    let id = attempt.id(charge.id);
    charge.remote = Some(Box::new(OwnAttempts {
        made: number,
        open: Some(attempt),
    }));
    id
}

fn set_open(charge: &mut Charge, open: Option<Attempt>) {
    let remote = charge.remote.as_deref_mut().expect("it was made over a remote network");
    remote.open = open;
}

fn answer_of(charge: &Charge) -> Reply {
    Reply::Object(&kinds::CHARGE, charge.id)
}

/// What a pending charge is paid with: the stored payment method, or what the charge itself keeps of it.
fn method_of(case: &Case<'_>, charge: &Charge) -> Result<PaymentMethod, Stop> {
    let kept = charge.method();
    if !is_stored(&kept) {
        return Ok(kept);
    }
    // A card that was kept with the charge alone is not stored, even if the charge was given a customer meanwhile.
    let stored = case.method_in_use(charge.payment_method)?;
    Ok(stored.cloned().unwrap_or(PaymentMethod { customer: None, ..kept }))
}
