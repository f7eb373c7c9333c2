//! Parking an intent until the holder of a bank account has shown that it is theirs, by deposits on it.

use super::action;
use super::checks::{check_client_secret, intent_of_path};
use super::confirm::Terms;
use super::debit;
use super::outcome::put_intent;
use super::{LastError, PaymentIntent, Status};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::object::Object;
use crate::payments::authentication::Action;
use crate::payments::bank_account::{DEPOSITS_FAIL_MS, Deposits, Ownership, Verified};
use crate::payments::payment_method::{Decline, PaymentMethod, declines};
use crate::payments::setup_intent::VerifyMicrodeposits;
use crate::reject::Reject;
use std::sync::Arc;
use tollgate_resource::Id;

/// Parks `intent` until deposits are told.
pub(super) fn park(
    case: &Case<'_>,
    mut draft: Draft,
    intent: PaymentIntent,
    method: PaymentMethod,
    terms: &Terms<'_>,
) -> Decision {
    let now_ms = draft.now_ms();
    if method
        .instrument
        .bank()
        .is_some_and(|bank| !bank.facts().takes_deposits)
    {
        draft.timer(now_ms + DEPOSITS_FAIL_MS, intent.id);
    }
    action::park(case, draft, intent, method, terms, Some(Deposits::sent(now_ms)))
}

/// The holder tells the deposits: the account is debited, or another one is wanted.
pub(crate) fn verify_microdeposits(case: &Case<'_>, id: Id, asked: &VerifyMicrodeposits) -> Result<Decision, Stop> {
    let before = intent_of_path(case, id)?;
    check_client_secret(case, id, asked.client_secret.as_deref())?;
    if asked.amounts.is_empty() == asked.descriptor_code.is_none() {
        let message = "You must provide either `amounts` or `descriptor_code`, and not both.";
        return Err(Reject::invalid(None, message).into());
    }
    let Some((action, deposits)) = before.action().and_then(|action| Some((action, action.deposits?))) else {
        let message = "You cannot verify microdeposits of this PaymentIntent because it does not wait for any. Only \
                       payment methods of bank accounts are verified with microdeposits.";
        return Err(Reject::payment_intent_state(id, message).into());
    };
    let method = method_of(case, before)?;
    match deposits.told(&asked.amounts, asked.descriptor_code.as_deref()) {
        Verified::Yes => {
            let mut method = method.clone();
            method.own(Ownership::Verified);
            debit::debit(case, case.draft(), before.clone(), method)
        }
        Verified::Malformed(reject) => Err((*reject).into()),
        Verified::Again(reject) => {
            let mut intent = before.clone();
            let tries = deposits.tries + 1;
            intent.status = Status::RequiresAction {
                action: Box::new(Action {
                    deposits: Some(Deposits { tries, ..deposits }),
                    ..action.clone()
                }),
            };
            let mut draft = case.draft();
            put_intent(case, &mut draft, intent);
            Ok(draft.decide(Reply::Reject(Box::new(reject.with_payment_intent(id)))))
        }
        Verified::Never(decline) => {
            let mut draft = case.draft();
            unverified(case, &mut draft, before, method, decline);
            let mut reject = Reject::invalid(Some(decline.code), decline.message).begun();
            reject = reject.with_payment_intent(id);
            Ok(draft.decide(Reply::Reject(Box::new(reject))))
        }
    }
}

/// The holder has acted on the intent's page: the account is debited, or another one is wanted.
pub(super) fn acted(case: &Case<'_>, before: &PaymentIntent, verified: bool) -> Result<Decision, Stop> {
    let method = method_of(case, before)?;
    if verified {
        let mut method = method.clone();
        method.own(Ownership::Verified);
        return debit::debit(case, case.draft(), before.clone(), method);
    }
    let mut draft = case.draft();
    unverified(case, &mut draft, before, method, &declines::MICRODEPOSIT_FAILED);
    Ok(draft.decide(Reply::Object(&kinds::PAYMENT_INTENT, before.id)))
}

/// A timer of an intent that waits for deposits is due: those of a test account that takes none have failed.
pub(super) fn due(case: &Case<'_>, before: &PaymentIntent, action: &Action) -> Result<Decision, Stop> {
    let now_ms = case.inputs.now_ms;
    if !action.deposits.is_some_and(|deposits| deposits.have_failed(now_ms)) {
        return Ok(case.nothing());
    }
    let method = method_of(case, before)?;
    if method.instrument.bank().is_none_or(|bank| bank.facts().takes_deposits) {
        return Ok(case.nothing());
    }
    let mut draft = case.draft();
    unverified(case, &mut draft, before, method, &declines::MICRODEPOSIT_FAILED);
    Ok(draft.settle(None))
}

/// Nobody will show any more whose account it is: the intent wants another payment method.
fn unverified(
    case: &Case<'_>,
    draft: &mut Draft,
    before: &PaymentIntent,
    method: &PaymentMethod,
    decline: &'static Decline,
) {
    let mut method = method.clone();
    method.own(Ownership::Failed);
    let method = Arc::new(method);
    let mut intent = before.clone();
    intent.status = Status::RequiresPaymentMethod;
    intent.payment_method = None;
    intent.last_error = Some(Box::new(LastError {
        decline: Some(decline.number),
        charge: None,
        payment_method: Arc::clone(&method),
    }));
    draft.event(EventType::PaymentIntentPaymentFailed, intent.id);
    draft.put(Object::of_method(method));
    put_intent(case, draft, intent);
}

fn method_of<'a>(case: &Case<'a>, intent: &PaymentIntent) -> Result<&'a PaymentMethod, Stop> {
    let id = intent
        .payment_method
        .expect("what is being paid with stays while the payer acts");
    Ok(case
        .payment_method(id)?
        .expect("a payment method that is in use exists"))
}
