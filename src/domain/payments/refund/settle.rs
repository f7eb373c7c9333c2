//! What becomes of refunds that were made: networks confirm them, and some come back.

use super::{FAILS_AFTER_MS, Refund, RefundFailure, RefundState};
use crate::acquirer::{Ask, Asked, AttemptId, CardMoney, NetworkAnswer, NetworkCall, Said};
use crate::balance::balance_transaction::{
    BalanceTransaction, BalanceTransactionType, available_on, refund_failure_description,
};
use crate::books::Entry;
use crate::decision::{Case, Decision, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::object::Object;
use crate::payments::attempt::repeat_after_ms;
use crate::payments::charge::Charge;
use crate::payments::payment_method::RefundBehaviour;
use crate::time::day_of;
use std::sync::Arc;
use tollgate_breaks::broken;
use tollgate_resource::Id;

/// A network answered an advice. Advices cannot be refused: anything but a yes is asked again.
pub(crate) fn resolve(case: &Case<'_>, id: AttemptId, answer: NetworkAnswer) -> Result<Decision, Stop> {
    let Some(refund) = case.refund(id.object)? else {
        return Ok(case.nothing());
    };
    let yes = answer.to == Asked::Request && matches!(answer.said, Said::Approved | Said::Acknowledged);
    let waits = matches!(refund.state, RefundState::InTransit { .. });
    if !waits || id != refund.attempt() || !yes {
        return Ok(case.nothing());
    }
    confirmed_later(case, refund)
}

/// A timer of the refund is due. A timer is a hint: what is to be done follows from the refund.
pub(crate) fn timer_due(case: &Case<'_>, id: Id) -> Result<Decision, Stop> {
    let Some(refund) = case.refund(id)? else {
        return Ok(case.nothing());
    };
    let now_ms = case.inputs.now_ms;
    match refund.state {
        RefundState::InTransit {
            of,
            test_card,
            tries,
            next_ms,
        } if now_ms >= next_ms && !broken!(ForgetAdvice) => {
            let mut draft = case.draft();
            let tries = tries.saturating_add(1);
            let next_ms = draft.now_ms() + repeat_after_ms(tries);
            let state = RefundState::InTransit {
                of,
                test_card,
                tries,
                next_ms,
            };
            let again = Refund {
                state,
                ..refund.clone()
            };
            advise(&mut draft, &again);
            put_refund(case, &mut draft, again);
            Ok(draft.settle(None))
        }
        RefundState::Pending { until_ms } if now_ms >= until_ms => confirmed_later(case, refund),
        RefundState::Confirmed => came_back(case, refund),
        _ => Ok(case.nothing()),
    }
}

/// The network's word that it took the refund, in the command that made it: its reference is known at once.
pub(super) fn confirm_at_once(draft: &mut Draft, refund: &Refund) {
    draft.entry(Entry::refund_confirmed(refund.id, refund.network, refund.money()));
    draft.first_update_event(EventType::RefundUpdated, refund.id);
    draft.first_update_event(EventType::ChargeRefundUpdated, refund.id);
}

/// Sends the advice of a refund that is in transit, and wakes up to send it again.
pub(super) fn advise(draft: &mut Draft, refund: &Refund) {
    let RefundState::InTransit {
        of, test_card, next_ms, ..
    } = refund.state
    else {
        unreachable!("only a refund in transit is advised")
    };
    let money = CardMoney {
        amount: refund.amount,
        currency: refund.currency,
        test_card,
    };
    draft.call(NetworkCall {
        attempt: refund.attempt(),
        ask: Ask::Refund { of, money },
        deadline_ms: next_ms,
    });
    draft.timer(next_ms, refund.id);
}

/// Wakes a confirmed refund of a card whose refunds come back.
pub(super) fn wait_for_failure(draft: &mut Draft, charge: &Charge, refund: Id) {
    if charge.instrument.refund_behaviour() == RefundBehaviour::FailLater {
        let at_ms = draft.now_ms() + FAILS_AFTER_MS;
        draft.timer(at_ms, refund);
    }
}

/// Puts a refund, if the state table allows its state.
///
/// # Panics
/// When it does not: a decision that would break the table must not become durable.
pub(super) fn put_refund(case: &Case<'_>, draft: &mut Draft, refund: Refund) {
    let before = match case.world.objects.find(&kinds::REFUND, refund.id) {
        crate::decision::Lookup::Found(Object::Refund(before)) => Some(before.state),
        _ => None,
    };
    assert!(
        refund.state.may_follow(before.as_ref()),
        "{:?} may not follow {before:?}",
        refund.state
    );
    draft.put(Object::Refund(Arc::new(refund)));
}

/// A refund that was in transit arrived.
fn confirmed_later(case: &Case<'_>, refund: &Refund) -> Result<Decision, Stop> {
    let charge = charge_of(case, refund)?;
    let mut draft = case.draft();
    let confirmed = Refund {
        state: RefundState::Confirmed,
        ..refund.clone()
    };
    draft.entry(Entry::refund_confirmed(refund.id, refund.network, refund.money()));
    changed(&mut draft, refund);
    wait_for_failure(&mut draft, charge, refund.id);
    put_refund(case, &mut draft, confirmed);
    Ok(draft.settle(None))
}

/// The bank could not take a confirmed refund: the merchant has the money again, and may give it back once more.
fn came_back(case: &Case<'_>, refund: &Refund) -> Result<Decision, Stop> {
    let charge = charge_of(case, refund)?;
    let fails =
        charge.instrument.refund_behaviour() == RefundBehaviour::FailLater && refund.balance_transaction.is_some();
    if !fails || case.inputs.now_ms < refund.id.unix_ms() + FAILS_AFTER_MS {
        return Ok(case.nothing());
    }
    let mut draft = case.draft();
    let (now_ms, today) = (draft.now_ms(), day_of(draft.now_ms()));
    let balance_transaction = draft.born(&kinds::BALANCE_TRANSACTION);
    draft.put(Object::BalanceTransaction(Arc::new(BalanceTransaction {
        id: balance_transaction,
        kind: BalanceTransactionType::RefundFailure,
        source: refund.id,
        amount: refund.amount,
        fee: 0,
        currency: refund.currency,
        available_on: available_on(today, now_ms),
        description: Some(refund_failure_description(charge.description.as_deref())),
    })));
    draft.entry(Entry::refund_failed(
        refund.id,
        balance_transaction,
        refund.network,
        refund.money(),
        today,
    ));
    let mut after = charge.clone();
    after.take_refund_back(refund.amount);
    draft.put(Object::Charge(Arc::new(after)));
    let failed = Refund {
        state: RefundState::Failed {
            balance_transaction,
            reason: RefundFailure::ExpiredOrCanceledCard,
        },
        ..refund.clone()
    };
    draft.update_event(
        EventType::RefundFailed,
        refund.id,
        Object::Refund(Arc::new(refund.clone())),
    );
    changed(&mut draft, refund);
    put_refund(case, &mut draft, failed);
    Ok(draft.settle(None))
}

/// The events of a change of a refund that stood before as `before`.
pub(super) fn changed(draft: &mut Draft, before: &Refund) {
    for kind in [EventType::RefundUpdated, EventType::ChargeRefundUpdated] {
        draft.update_event(kind, before.id, Object::Refund(Arc::new(before.clone())));
    }
}

fn charge_of<'a>(case: &Case<'a>, refund: &Refund) -> Result<&'a Charge, Stop> {
    Ok(case.charge(refund.charge)?.expect("the charge of a refund exists"))
}
