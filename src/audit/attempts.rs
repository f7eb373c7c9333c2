//! Attempts at networks: recorded in the record that calls, called once, then inquired about or reversed until settled.

use crate::objects::{Asker, Changes};
use crate::report::{Check, Checked, Finding, ensure};
use tollgate_domain::acquirer::{Ask, NetworkCall};
use tollgate_domain::money::Currency;
use tollgate_domain::payments::attempt::{Attempt, Phase};
use tollgate_domain::payments::charge::ChargeState;
use tollgate_domain::payments::payment_intent::Status;
use tollgate_domain::payments::refund::{Refund, RefundState};
use tollgate_domain::{Facts, Object, kinds};

/// Holds a record's calls against the attempts of its objects, both ways: of those objects that are `mine`, and of calls
/// that are about no object of the record.
pub(crate) fn check(facts: &Facts, changes: &Changes, mine: &dyn Fn(&Object) -> bool) -> Checked {
    for call in &facts.calls {
        let mut about = facts.objects.iter().filter(|object| object.id() == call.attempt.object);
        if about.next().is_some_and(|object| !mine(object)) {
            continue;
        }
        let refund = call.attempt.object.is(&kinds::REFUND);
        if refund {
            check_refund_call(call, facts)?
        } else {
            check_asker_call(call, facts, changes)?
        }
    }
    for asker in &changes.askers {
        check_opening(asker, facts)?;
    }
    for object in facts.objects.iter().filter(|object| mine(object)) {
        let due_ms = match object {
            Object::Refund(refund) => match refund.state {
                RefundState::InTransit { next_ms, .. } => Some(next_ms),
                RefundState::Pending { until_ms } => Some(until_ms),
                RefundState::Confirmed | RefundState::Failed { .. } => None,
            },
            other => asks_of(other).and_then(|asks| asks.open).map(Attempt::due_ms),
        };
        let Some(due_ms) = due_ms else { continue };
        let woken = facts
            .timers
            .iter()
            .any(|timer| timer.object == object.id() && timer.at_ms == due_ms);
        ensure(Check::Attempts, woken, || {
            format!(
                "{} waits for a network, but nothing wakes it at {due_ms}",
                object.id().text(object.kind())
            )
        })?;
    }
    Ok(())
}

/// What an object that asks a remote network has open, and what may be asked for it.
struct Asks<'a> {
    open: Option<&'a Attempt>,
    /// How much is held or bought, and its currency; `None` if nothing may be.
    whole: Option<(i64, Currency)>,
    /// Whether what is held may be captured.
    held: bool,
    /// Whether a card may be verified.
    verifies: bool,
}

fn asks_of(object: &Object) -> Option<Asks<'_>> {
    match object {
        Object::PaymentIntent(intent) => Some(Asks {
            open: intent.open_attempt(),
            whole: matches!(intent.status, Status::Processing { .. }).then_some((intent.amount, intent.currency)),
            held: matches!(intent.status, Status::RequiresCapture { .. }),
            verifies: false,
        }),
        Object::Charge(charge) => Some(Asks {
            open: charge.open_attempt(),
            whole: matches!(charge.state, ChargeState::Pending { .. }).then_some((charge.amount, charge.currency)),
            held: charge.state == ChargeState::Held,
            verifies: false,
        }),
        Object::SetupIntent(intent) => Some(Asks {
            open: intent.open_attempt(),
            whole: None,
            held: false,
            verifies: true,
        }),
        _ => None,
    }
}

fn check_asker_call(call: &NetworkCall, facts: &Facts, changes: &Changes) -> Checked {
    let number = call.attempt.number;
    let found = |what: String| Finding {
        check: Check::Attempts,
        what,
    };
    let about = facts.objects.iter().find(|object| object.id() == call.attempt.object);
    let Some((object, asks)) = about.and_then(|object| Some((object, asks_of(object)?))) else {
        return Err(found(format!(
            "a call of attempt {number} leaves, but its object is not in the record"
        )));
    };
    let name = || object.id().text(object.kind());
    let Some(open) = asks.open.filter(|open| open.number == number) else {
        return Err(found(format!(
            "a call of attempt {number} of {} leaves, but that attempt is not open",
            name()
        )));
    };
    let asker = changes.askers.iter().find(|asker| asker.id == object.id());
    let (before, newest) = asker.map_or((0, 0), |asker| asker.attempts);
    let fits = match (&call.ask, open.phase) {
        (Ask::Authorise(money) | Ask::Purchase(money), Phase::Calling { .. }) => {
            asks.whole == Some((money.amount, money.currency)) && open.amount == money.amount
        }
        (Ask::Capture { of, money }, Phase::Calling { .. }) => {
            asks.held && of.object == object.id() && of.number < number && money.amount == open.amount
        }
        (Ask::Verify { money, .. }, Phase::Calling { .. }) => asks.verifies && (money.amount, open.amount) == (0, 0),
        (Ask::Inquire, Phase::Inquiring { .. }) | (Ask::Reverse, Phase::Reversing { .. }) => {
            // These are repeated; the others are sent once.
            return Ok(());
        }
        _ => false,
    };
    ensure(Check::Attempts, fits, || {
        format!(
            "{:?} of attempt {number} of {} does not fit the attempt: {:?}",
            call.ask,
            name(),
            open.phase
        )
    })?;
    ensure(Check::Attempts, number > before && number == newest, || {
        format!("{:?} of attempt {number} of {} leaves a second time", call.ask, name())
    })
}

/// An attempt that opens must be called in the same record, once.
fn check_opening(asker: &Asker, facts: &Facts) -> Checked {
    let Some(open) = asker.open else { return Ok(()) };
    if open.number <= asker.attempts.0 {
        return Ok(());
    }
    let calls = facts.calls.iter().filter(|call| {
        (call.attempt.object, call.attempt.number) == (asker.id, open.number)
            && !matches!(call.ask, Ask::Inquire | Ask::Reverse)
    });
    let count = calls.count();
    ensure(Check::Attempts, count == 1, || {
        let name = asker.id.text(asker.kind);
        format!("attempt {} of {name} opens with {count} calls", open.number)
    })
}

fn check_refund_call(call: &NetworkCall, facts: &Facts) -> Checked {
    let refund: Option<&Refund> = facts.objects.iter().find_map(|object| match object {
        Object::Refund(refund) if refund.id == call.attempt.object => Some(&**refund),
        _ => None,
    });
    let fits = refund.is_some_and(|refund| match (&call.ask, refund.state) {
        (Ask::Refund { of, money }, RefundState::InTransit { of: captured_by, .. }) => {
            *of == captured_by
                && call.attempt == refund.attempt()
                && (money.amount, money.currency) == (refund.amount, refund.currency)
        }
        _ => false,
    });
    ensure(Check::Attempts, fits, || {
        format!(
            "{:?} leaves for {}, which does not wait for it",
            call.ask,
            call.attempt.object.text(&kinds::REFUND)
        )
    })
}
