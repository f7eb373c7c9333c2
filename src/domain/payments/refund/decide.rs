//! Giving captured money back.

use super::params::RefundedCharge;
use super::{CreateRefund, Refund, RefundState};
use crate::acquirer::{Ask, Asked, AttemptId, CardMoney, NetworkAnswer, NetworkCall, Said};
use crate::balance::balance_transaction::{
    BalanceTransaction, BalanceTransactionType, available_on, refund_description,
};
use crate::books::{Entry, refund_day};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::metadata;
use crate::money::{AmountProblem, Money};
use crate::object::Object;
use crate::payments::charge::{Charge, ChargeState};
use crate::payments::dispute;
use crate::payments::payment_intent::{Status, not_while_calling, repeat_after_ms};
use crate::reject::{Reject, codes};
use crate::time::day_of;
use std::sync::Arc;
use tollgate_breaks::broken;
use tollgate_resource::{Id, Metadata};

/// Gives money of a charge back. Never more than was captured: refunds of one account are decided one after another, and
/// each sees the ones before.
pub(crate) fn create(case: &Case<'_>, asked: &CreateRefund) -> Result<Decision, Stop> {
    let mut pairs = Metadata::default();
    metadata::merge(&mut pairs, &asked.metadata)?;
    let charge = charge_of(case, asked)?;
    let ChargeState::Captured { available_day, .. } = charge.state else {
        return Err(not_refundable(charge).into());
    };
    let money = amount_of(case, asked, charge)?;

    let mut draft = case.draft();
    let now_ms = draft.now_ms();
    let day = refund_day(available_day, day_of(now_ms));
    let id = draft.born(&kinds::REFUND);
    let balance_transaction = draft.born(&kinds::BALANCE_TRANSACTION);
    draft.put(Object::BalanceTransaction(Arc::new(BalanceTransaction {
        id: balance_transaction,
        kind: BalanceTransactionType::Refund,
        source: id,
        amount: -money.amount,
        fee: 0,
        currency: money.currency,
        available_on: available_on(day, now_ms),
        description: Some(refund_description(charge.description.as_deref())),
    })));
    draft.entry(Entry::refund(id, balance_transaction, money, day));
    let mut after = charge.clone();
    after.add_refund(id, money.amount);
    let disputed = after.concerns.is_some();
    let mut refund = Refund {
        id,
        amount: money.amount,
        currency: money.currency,
        charge: charge.id,
        payment_intent: charge.payment_intent,
        balance_transaction: Some(balance_transaction),
        reason: asked.reason,
        metadata: pairs,
        network: charge.network,
        state: RefundState::Confirmed,
    };
    draft.created_event(EventType::RefundCreated, id);
    draft.event(EventType::ChargeRefunded, charge.id);
    match charge.captured_by {
        Some(of) => {
            let next_ms = now_ms + repeat_after_ms(1);
            refund.state = RefundState::InTransit {
                of,
                test_card: charge.card.test_card,
                tries: 1,
                next_ms,
            };
            advise(&mut draft, &refund);
        }
        None => confirm(&mut draft, &refund),
    }
    if disputed {
        dispute::after_refund(case, &mut draft, &after)?;
    }
    draft.put(Object::Charge(Arc::new(after)));
    draft.put(Object::Refund(Arc::new(refund)));
    Ok(draft.decide(Reply::Object(&kinds::REFUND, id)))
}

/// A network answered an advice. Advices cannot be refused: anything but a yes is asked again.
pub(crate) fn resolve(case: &Case<'_>, id: AttemptId, answer: NetworkAnswer) -> Result<Decision, Stop> {
    let Some(refund) = case.refund(id.object)? else {
        return Ok(case.nothing());
    };
    let yes = answer.to == Asked::Request && matches!(answer.said, Said::Approved | Said::Acknowledged);
    if refund.is_confirmed() || id != refund.attempt() || !yes {
        return Ok(case.nothing());
    }
    let mut draft = case.draft();
    let confirmed = Refund {
        state: RefundState::Confirmed,
        ..refund.clone()
    };
    confirm(&mut draft, &confirmed);
    draft.put(Object::Refund(Arc::new(confirmed)));
    Ok(draft.settle(None))
}

/// The network has not acknowledged an advice in time: it is sent again.
pub(crate) fn timer_due(case: &Case<'_>, id: Id) -> Result<Decision, Stop> {
    let Some(refund) = case.refund(id)? else {
        return Ok(case.nothing());
    };
    match refund.state {
        RefundState::InTransit {
            of,
            test_card,
            tries,
            next_ms,
        } if case.inputs.now_ms >= next_ms && !broken!(ForgetAdvice) => {
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
            draft.put(Object::Refund(Arc::new(again)));
            Ok(draft.settle(None))
        }
        _ => Ok(case.nothing()),
    }
}

/// The network's word that it took the refund: it leaves transit, and its reference is known.
fn confirm(draft: &mut Draft, refund: &Refund) {
    draft.entry(Entry::refund_confirmed(refund.id, refund.network, refund.money()));
    draft.first_update_event(EventType::RefundUpdated, refund.id);
    draft.first_update_event(EventType::ChargeRefundUpdated, refund.id);
}

/// Sends the advice of a refund that is in transit, and wakes up to send it again.
fn advise(draft: &mut Draft, refund: &Refund) {
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

/// The charge a request means.
fn charge_of<'a>(case: &Case<'a>, asked: &CreateRefund) -> Result<&'a Charge, Stop> {
    let missing = |id: &str| {
        let mut reject = Reject::invalid(Some(codes::RESOURCE_MISSING), format!("No such charge: '{id}'"));
        reject.status = 404;
        Stop::from(reject.with_param("id"))
    };
    match (&asked.charge, asked.payment_intent) {
        (None, None) => Err(Reject::invalid(
            None,
            "One of the following params should be provided for this request: payment_intent or charge.",
        )
        .into()),
        (Some(_), Some(_)) => Err(Reject::invalid(
            None,
            "Only one of the following params should be provided for this request: payment_intent or charge.",
        )
        .into()),
        (Some(RefundedCharge::Unknown(text)), None) => Err(missing(text)),
        (Some(RefundedCharge::Id(id)), None) => {
            let charge = case.charge(*id)?.ok_or_else(|| missing(&id.text(&kinds::CHARGE)))?;
            // A capture that is being decided is waited for, like everywhere.
            if charge.state == ChargeState::Held
                && let Some(intent) = charge.payment_intent
                && let Some(intent) = case.payment_intent(intent)?
            {
                not_while_calling(intent)?;
            }
            Ok(charge)
        }
        (None, Some(intent)) => {
            let id = intent.0;
            let Some(intent) = case.payment_intent(id)? else {
                return Err(Reject::no_such_param(&kinds::PAYMENT_INTENT, id, "payment_intent").into());
            };
            not_while_calling(intent)?;
            let paid = matches!(
                intent.status,
                Status::Succeeded { .. } | Status::RequiresCapture { .. } | Status::Canceled { .. }
            );
            match intent.latest_charge().filter(|_| paid) {
                Some(charge) => Ok(case.charge(charge)?.expect("the charge of an intent exists")),
                None => Err(no_charge(id).into()),
            }
        }
    }
}

/// How much is given back: what is asked for, or everything that is left.
fn amount_of(case: &Case<'_>, asked: &CreateRefund, charge: &Charge) -> Result<Money, Stop> {
    if charge.is_charged_back() {
        return Err(Reject::charge_disputed(charge.id).into());
    }
    let left = charge.refundable();
    if left.amount == 0 {
        return Err(Reject::charge_already_refunded(charge.id).into());
    }
    let Some(amount) = asked.amount else { return Ok(left) };
    let money = Money::new(amount, charge.currency);
    if amount <= 0 {
        let reject = Reject::invalid(Some(codes::PARAMETER_INVALID_INTEGER), "Invalid positive integer");
        return Err(reject.with_param("amount").into());
    }
    if amount > left.amount {
        let captured = Money::new(charge.amount_captured(), charge.currency);
        return Err(Reject::refund_too_large(money, captured, left).into());
    }
    if amount % charge.currency.step() != 0 {
        return Err(Reject::amount(AmountProblem::Step, money, case.version(), "amount").into());
    }
    Ok(money)
}

/// The refusal to refund a charge that was not captured.
fn not_refundable(charge: &Charge) -> Reject {
    let text = charge.id.text(&kinds::CHARGE);
    match charge.state {
        ChargeState::Released => Reject::charge_already_refunded(charge.id),
        ChargeState::Held => {
            let intent = charge.payment_intent.map(|intent| intent.text(&kinds::PAYMENT_INTENT));
            let message = format!(
                "Charge {text} has not been captured and cannot be refunded. To release the held amount, cancel the \
                 PaymentIntent {} instead.",
                intent.as_deref().unwrap_or_default()
            );
            Reject::invalid(None, message).begun()
        }
        ChargeState::Failed { .. } | ChargeState::Expired | ChargeState::Captured { .. } => Reject::invalid(
            None,
            format!("Charge {text} moved no money, so there is nothing to refund."),
        )
        .begun(),
    }
}

fn no_charge(intent: Id) -> Reject {
    let text = intent.text(&kinds::PAYMENT_INTENT);
    let message = format!("This PaymentIntent ({text}) does not have a successful charge to refund.");
    Reject::invalid(None, message).with_payment_intent(intent).begun()
}
