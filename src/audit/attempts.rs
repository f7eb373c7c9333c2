//! Attempts at networks: recorded in the record that calls, called once, then inquired about or reversed until settled.

use crate::objects::{Changes, IntentChange};
use crate::report::{Check, Checked, Finding, ensure};
use tollgate_domain::acquirer::{Ask, NetworkCall};
use tollgate_domain::payments::payment_intent::{Attempt, Phase, Status};
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
            check_intent_call(call, facts, changes)?
        }
    }
    for change in &changes.intents {
        check_opening(change, facts)?;
    }
    for object in facts.objects.iter().filter(|object| mine(object)) {
        let due_ms = match object {
            Object::PaymentIntent(intent) => intent.open_attempt().map(Attempt::due_ms),
            Object::Refund(refund) => match refund.state {
                RefundState::InTransit { next_ms, .. } => Some(next_ms),
                RefundState::Pending { until_ms } => Some(until_ms),
                RefundState::Confirmed | RefundState::Failed { .. } => None,
            },
            _ => None,
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

fn check_intent_call(call: &NetworkCall, facts: &Facts, changes: &Changes) -> Checked {
    let number = call.attempt.number;
    let found = |what: String| Finding {
        check: Check::Attempts,
        what,
    };
    let intent = facts.objects.iter().find_map(|object| match object {
        Object::PaymentIntent(intent) if intent.id == call.attempt.object => Some(&**intent),
        _ => None,
    });
    let Some(intent) = intent else {
        return Err(found(format!(
            "a call of attempt {number} leaves, but its object is not in the record"
        )));
    };
    let name = || intent.id.text(&kinds::PAYMENT_INTENT);
    let Some(open) = intent.open_attempt().filter(|open| open.number == number) else {
        return Err(found(format!(
            "a call of attempt {number} of {} leaves, but that attempt is not open",
            name()
        )));
    };
    let before = changes
        .intents
        .iter()
        .find(|change| change.after.id == intent.id)
        .and_then(|change| change.before)
        .map_or(0, |before| before.attempts);
    let fits = match (&call.ask, &intent.status, open.phase) {
        (Ask::Authorise(money) | Ask::Purchase(money), Status::Processing { .. }, Phase::Calling { .. }) => {
            (money.amount, money.currency) == (intent.amount, intent.currency)
        }
        (Ask::Capture { of, money }, Status::RequiresCapture { .. }, Phase::Calling { .. }) => {
            of.object == intent.id
                && of.number < number
                && (money.amount, money.currency) == (open.amount, intent.currency)
        }
        (Ask::Inquire, _, Phase::Inquiring { .. }) | (Ask::Reverse, _, Phase::Reversing { .. }) => {
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
    ensure(Check::Attempts, number > before && number == intent.attempts, || {
        format!("{:?} of attempt {number} of {} leaves a second time", call.ask, name())
    })
}

/// An attempt that opens must be called in the same record, once.
fn check_opening(change: &IntentChange, facts: &Facts) -> Checked {
    let Some(open) = change.open else { return Ok(()) };
    let before = change.before.map_or(0, |before| before.attempts);
    if open.number <= before {
        return Ok(());
    }
    let calls = facts.calls.iter().filter(|call| {
        (call.attempt.object, call.attempt.number) == (change.after.id, open.number)
            && !matches!(call.ask, Ask::Inquire | Ask::Reverse)
    });
    let count = calls.count();
    ensure(Check::Attempts, count == 1, || {
        let name = change.after.id.text(&kinds::PAYMENT_INTENT);
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
