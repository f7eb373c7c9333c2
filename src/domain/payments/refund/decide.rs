//! Giving captured money back.

use super::params::RefundedCharge;
use super::settle::{advise, confirm_at_once, put_refund, wait_for_failure};
use super::{CreateChargeRefund, CreateRefund, PENDING_MS, Refund, RefundReason, RefundState};
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
use crate::payments::attempt::repeat_after_ms;
use crate::payments::charge::{self, Charge, ChargeState};
use crate::payments::dispute;
use crate::payments::payment_intent::{Status, check_email, not_while_calling, put_charge};
use crate::payments::payment_method::{PaymentMethodType, RefundBehaviour};
use crate::radar;
use crate::reject::{Reject, codes};
use crate::time::day_of;
use std::sync::Arc;
use tollgate_resource::{Id, Kind, Metadata};

/// Gives money of a charge back. Never more than was captured: refunds of one account are decided one after another, and
/// each sees the ones before.
pub(crate) fn create(case: &Case<'_>, asked: &CreateRefund) -> Result<Decision, Stop> {
    only_without_cash_balance(asked)?;
    let charge = charge_of(case, asked)?;
    let (draft, refund) = give_back(case, asked, charge)?;
    Ok(draft.decide(Reply::Object(&kinds::REFUND, refund)))
}

/// Gives money of the charge of the path back. `answered` is the kind of the object that answers: the refund, or for the
/// oldest form of this call the charge.
pub(crate) fn create_for_charge(
    case: &Case<'_>,
    charge: Id,
    asked: &CreateChargeRefund,
    answered: &'static Kind,
) -> Result<Decision, Stop> {
    let asked = &CreateRefund::from(asked.clone());
    only_without_cash_balance(asked)?;
    let charge = case
        .charge(charge)?
        .ok_or_else(|| Reject::no_such(&kinds::CHARGE, charge, "id"))?;
    not_while_deciding(case, charge)?;
    let named = asked.payment_intent.map(|intent| intent.0);
    if named.is_some() && named != charge.payment_intent {
        let message = "The `payment_intent` given is not the one that the charge of the path was made for.";
        return Err(Reject::invalid(None, message).with_param("payment_intent").into());
    }
    let (draft, refund) = give_back(case, asked, charge)?;
    let id = if *answered == kinds::CHARGE { charge.id } else { refund };
    Ok(draft.decide(Reply::Object(answered, id)))
}

/// A refund that stands for the release of a whole hold: no money moves. The charge itself ends up in `charge`, for the
/// caller to put.
pub(crate) fn released(
    draft: &mut Draft,
    charge: &mut Charge,
    reason: Option<RefundReason>,
    pairs: Metadata,
    state: ChargeState,
) -> Refund {
    let id = born_for(draft, charge);
    charge.state = state;
    charge.remember_refund(id);
    Refund {
        id,
        amount: charge.amount,
        currency: charge.currency,
        charge: charge.id,
        payment_intent: charge.payment_intent,
        balance_transaction: None,
        reason,
        metadata: pairs,
        network: charge.network,
        state: RefundState::Confirmed,
        instructions_email: None,
        customer: charge.customer,
        payment_method: Some(charge.payment_method),
        paid_with: paid_with(charge),
    }
}

fn give_back(case: &Case<'_>, asked: &CreateRefund, charge: &Charge) -> Result<(Draft, Id), Stop> {
    let mut pairs = Metadata::default();
    metadata::merge(&mut pairs, &asked.metadata)?;
    if let Some(email) = &asked.instructions_email {
        check_email(email, "instructions_email")?;
    }
    no_transfer(asked)?;
    let being_captured = charge.open_attempt().is_some();
    if charge.state == ChargeState::Held && charge.payment_intent.is_none() && !being_captured {
        return release(case, asked, charge, pairs);
    }
    let ChargeState::Captured { available_day, .. } = charge.state else {
        return Err(not_refundable(charge).into());
    };
    let money = amount_of(case, asked, charge)?;

    let mut draft = case.draft();
    let now_ms = draft.now_ms();
    let day = refund_day(available_day, day_of(now_ms));
    let id = born_for(&mut draft, charge);
    let balance_transaction = draft.born(&kinds::BALANCE_TRANSACTION);
    draft.put(Object::BalanceTransaction(Arc::new(BalanceTransaction {
        id: balance_transaction,
        kind: match charge.instrument.card() {
            Some(_) => BalanceTransactionType::Refund,
            None => BalanceTransactionType::PaymentRefund,
        },
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
        reason: asked.reason.map(|reason| reason.0),
        metadata: pairs,
        network: charge.network,
        state: RefundState::Confirmed,
        instructions_email: asked.instructions_email.clone(),
        customer: charge.customer,
        payment_method: Some(charge.payment_method),
        paid_with: paid_with(charge),
    };
    draft.created_event(EventType::RefundCreated, id);
    draft.event(EventType::ChargeRefunded, charge.id);
    match charge.captured_by {
        Some(of) => {
            let next_ms = now_ms + repeat_after_ms(1);
            refund.state = RefundState::InTransit {
                of,
                test_card: charge
                    .instrument
                    .card()
                    .expect("only cards go over a remote network")
                    .test_card,
                tries: 1,
                next_ms,
            };
            advise(&mut draft, &refund);
        }
        None if charge.instrument.refund_behaviour() == RefundBehaviour::PendingFirst => {
            let until_ms = now_ms + PENDING_MS;
            refund.state = RefundState::Pending { until_ms };
            draft.timer(until_ms, id);
        }
        None => {
            confirm_at_once(&mut draft, &refund);
            wait_for_failure(&mut draft, charge, id);
        }
    }
    if disputed {
        dispute::after_refund(case, &mut draft, &after)?;
        radar::after_refund(case, &mut draft, &after)?;
    }
    draft.put(Object::Charge(Arc::new(after)));
    put_refund(case, &mut draft, refund);
    Ok((draft, id))
}

/// The type of payment method of a charge, if it is no card.
fn paid_with(charge: &Charge) -> Option<PaymentMethodType> {
    Some(charge.instrument.kind()).filter(|kind| *kind != PaymentMethodType::Card)
}

/// The id of a refund; that of a charge that is not of a card says so.
fn born_for(draft: &mut Draft, charge: &Charge) -> Id {
    if charge.instrument.card().is_some() {
        draft.born(&kinds::REFUND)
    } else {
        draft.born_other(&kinds::REFUND)
    }
}

/// Releases the hold of a charge that was made by itself. An intent's hold is released with the intent.
fn release(case: &Case<'_>, asked: &CreateRefund, charge: &Charge, pairs: Metadata) -> Result<(Draft, Id), Stop> {
    if asked.amount.is_some_and(|amount| amount != charge.amount) {
        let message = "You cannot partially refund an uncaptured charge. Instead, capture the charge for an amount less \
                       than the original amount.";
        return Err(Reject::invalid(None, message).with_param("amount").begun().into());
    }
    let mut draft = case.draft();
    let mut after = charge.clone();
    let reason = asked.reason.map(|reason| reason.0);
    let mut refund = released(&mut draft, &mut after, reason, pairs, ChargeState::Released);
    refund.instructions_email = asked.instructions_email.clone();
    let id = refund.id;
    charge::release(&mut draft, &mut after);
    draft.event(EventType::RefundCreated, id);
    draft.event(EventType::ChargeRefunded, charge.id);
    put_charge(case, &mut draft, after);
    put_refund(case, &mut draft, refund);
    Ok((draft, id))
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
            not_while_deciding(case, charge)?;
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

/// A capture that is being decided is waited for, like everywhere.
fn not_while_deciding(case: &Case<'_>, charge: &Charge) -> Result<(), Stop> {
    match charge.payment_intent.filter(|_| charge.state == ChargeState::Held) {
        None => charge::not_while_calling(charge),
        Some(intent) => case.payment_intent(intent)?.map_or(Ok(()), not_while_calling),
    }
}

/// Refuses what only refunds of a customer's cash balance take: there are no cash balances here.
fn only_without_cash_balance(asked: &CreateRefund) -> Result<(), Stop> {
    let given = [
        (asked.origin.is_some(), "origin"),
        (asked.customer.is_some(), "customer"),
        (asked.currency.is_some(), "currency"),
    ];
    match given.iter().find(|(given, _)| *given) {
        None => Ok(()),
        Some((_, param)) => {
            let message = format!(
                "The parameter `{param}` belongs to refunds of a customer's cash balance, which this account does not \
                 have. To refund a payment, name its `charge` or `payment_intent`."
            );
            Err(Reject::invalid(None, message).with_param(*param).into())
        }
    }
}

/// Refuses to undo what only charges for connected accounts have.
fn no_transfer(asked: &CreateRefund) -> Result<(), Stop> {
    let (param, what) = if asked.reverse_transfer == Some(true) {
        ("reverse_transfer", "has no transfer that could be reversed")
    } else if asked.refund_application_fee == Some(true) {
        (
            "refund_application_fee",
            "has no application fee that could be refunded",
        )
    } else {
        return Ok(());
    };
    let message = format!("This charge {what}: it was not made for a connected account.");
    Err(Reject::invalid(None, message).with_param(param).into())
}

/// How much is given back: what is asked for, or everything that is left.
fn amount_of(case: &Case<'_>, asked: &CreateRefund, charge: &Charge) -> Result<Money, Stop> {
    let left = charge.refundable();
    if charge.is_charged_back() && !dispute::gave_back(case, charge, left.amount)? {
        return Err(Reject::charge_disputed(charge.id).into());
    }
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
        ChargeState::Held if charge.open_attempt().is_some() => {
            let message = format!(
                "Charge {text} cannot be refunded because the outcome of its capture is not known yet. It is being found \
                 out; retrieve the charge to see it."
            );
            Reject::invalid(None, message).begun()
        }
        ChargeState::Pending { .. } => {
            let message = format!(
                "Charge {text} cannot be refunded because it is pending. What became of it is being found out; retrieve \
                 the charge to see it."
            );
            Reject::invalid(None, message).begun()
        }
        ChargeState::Held => {
            let intent = charge.payment_intent.map(|intent| intent.text(&kinds::PAYMENT_INTENT));
            let message = format!(
                "This uncaptured Charge was created by a PaymentIntent ({}). You must cancel the PaymentIntent to reverse the \
                 authorization instead of refunding the Charge directly. For more information, see \
                 https://stripe.com/docs/payments/place-a-hold-on-a-payment-method",
                intent.as_deref().unwrap_or_default()
            );
            Reject::invalid(None, message).begun()
        }
        ChargeState::PartlyCaptured { .. } => {
            let message = format!(
                "Charge {text} is still being captured and cannot be refunded yet. Capture or release the rest of the held \
                 amount first, with `final_capture=true`."
            );
            Reject::invalid(None, message).begun()
        }
        ChargeState::Debiting => {
            let message = format!("Charge {text} is still pending. Refund it once it has succeeded.");
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
