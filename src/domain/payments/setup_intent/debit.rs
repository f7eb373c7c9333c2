//! Setting a bank account up: its holder shows that it is theirs, and agrees to its debits.

use super::outcome::{Confirmation, failed, open_try, park, put_intent, succeeded};
use super::{SetupFailure, SetupIntent, Status, VerifyMicrodeposits, checks};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::kinds;
use crate::payments::authentication::Action;
use crate::payments::bank_account::{DEPOSITS_FAIL_MS, Deposits, Ownership, VerificationMethod, Verified};
use crate::payments::mandate::{self, Acceptance, MandateScope};
use crate::payments::payment_method::{Decline, PaymentMethod, declines};
use crate::payments::setup_attempt::SetupAttempt;
use crate::reject::{Reject, codes};
use tollgate_resource::Id;

const NO_MANDATE: &str = "This SetupIntent requires a mandate, but no existing mandate was found. Collect mandate \
    acceptance from the customer and try again, providing acceptance data in the mandate_data parameter.";

/// Tries to set the bank account of `method` up.
pub(super) fn set_up(
    case: &Case<'_>,
    mut draft: Draft,
    intent: SetupIntent,
    attempt: SetupAttempt,
    mut method: PaymentMethod,
    confirmation: Confirmation,
) -> Result<Decision, Stop> {
    let bank = method.instrument.bank().expect("it is a bank account");
    let known = match bank.mandate {
        Some(id) => mandate::is_active(case, id)?,
        None => false,
    };
    if !known && confirmation.acceptance.is_none() {
        return Err(Reject::invalid(None, NO_MANDATE).into());
    }
    let id = intent.id;
    let wanted = intent.extras.as_deref().and_then(|extras| extras.verification);
    let verified = bank.ownership == Ownership::Verified && wanted != Some(VerificationMethod::Microdeposits);
    if bank.scheme.verifies_deposits() && !verified && wanted != Some(VerificationMethod::Skip) {
        if bank.ownership == Ownership::Failed {
            let message = "This bank account cannot be verified any more. Use another one.";
            let reject = Reject::invalid(Some(codes::PAYMENT_METHOD_MICRODEPOSIT_FAILED), message);
            return Err(reject.with_param("payment_method").begun().into());
        }
        let now_ms = draft.now_ms();
        if !bank.facts().takes_deposits {
            draft.timer(now_ms + DEPOSITS_FAIL_MS, id);
        }
        let deposits = Some(Deposits::sent(now_ms));
        park(case, &mut draft, intent, attempt, method, confirmation, deposits);
        return Ok(draft.decide(Reply::Object(&kinds::SETUP_INTENT, id)));
    }
    method.own(Ownership::Verified);
    succeeded(case, &mut draft, intent, attempt, method, confirmation.acceptance)?;
    Ok(draft.decide(Reply::Object(&kinds::SETUP_INTENT, id)))
}

/// The holder tells the deposits: the account is ready, or another one is wanted.
pub(crate) fn verify_microdeposits(case: &Case<'_>, id: Id, asked: &VerifyMicrodeposits) -> Result<Decision, Stop> {
    let before = checks::intent_of_path(case, id)?;
    checks::check_client_secret(case, id, asked.client_secret.as_deref())?;
    if asked.amounts.is_empty() == asked.descriptor_code.is_none() {
        let message = "You must provide either `amounts` or `descriptor_code`, and not both.";
        return Err(Reject::invalid(None, message).into());
    }
    let Status::RequiresAction { action, acceptance } = &before.status else {
        return Err(waits_for_none(id).into());
    };
    let Some(deposits) = action.deposits else {
        return Err(waits_for_none(id).into());
    };
    let (attempt, mut method) = tried(case, before)?;
    let mut draft = case.draft();
    match deposits.told(&asked.amounts, asked.descriptor_code.as_deref()) {
        Verified::Yes => {
            method.own(Ownership::Verified);
            let acceptance = acceptance.as_deref().cloned();
            succeeded(case, &mut draft, before.clone(), attempt, method, acceptance)?;
            Ok(draft.decide(Reply::Object(&kinds::SETUP_INTENT, id)))
        }
        Verified::Malformed(reject) => Err((*reject).into()),
        Verified::Again(reject) => {
            let mut intent = before.clone();
            let tries = deposits.tries + 1;
            intent.status = Status::RequiresAction {
                action: Box::new(Action {
                    deposits: Some(Deposits { tries, ..deposits }),
                    ..(**action).clone()
                }),
                acceptance: acceptance.clone(),
            };
            put_intent(case, &mut draft, intent);
            Ok(draft.decide(Reply::Reject(Box::new(reject.with_setup_intent(id)))))
        }
        Verified::Never(decline) => {
            unverified(case, &mut draft, before, attempt, method, decline);
            let reject = Reject::invalid(Some(decline.code), decline.message).begun();
            Ok(draft.decide(Reply::Reject(Box::new(reject.with_setup_intent(id)))))
        }
    }
}

/// The holder has acted on the intent's page: the account is ready, or another one is wanted.
pub(super) fn acted(case: &Case<'_>, before: &SetupIntent, verified: bool) -> Result<Decision, Stop> {
    let (attempt, mut method) = tried(case, before)?;
    let mut draft = case.draft();
    if verified {
        method.own(Ownership::Verified);
        let acceptance = match &before.status {
            Status::RequiresAction { acceptance, .. } => acceptance.as_deref().cloned(),
            _ => None,
        };
        succeeded(case, &mut draft, before.clone(), attempt, method, acceptance)?;
    } else {
        unverified(
            case,
            &mut draft,
            before,
            attempt,
            method,
            &declines::MICRODEPOSIT_FAILED,
        );
    }
    Ok(draft.decide(Reply::Object(&kinds::SETUP_INTENT, before.id)))
}

/// A timer of an intent that waits for deposits is due: those of a test account that takes none have failed.
pub(super) fn deposits_due(case: &Case<'_>, before: &SetupIntent) -> Result<Decision, Stop> {
    let now_ms = case.inputs.now_ms;
    let deposits = before.open_action().and_then(|action| action.deposits);
    if !deposits.is_some_and(|deposits| deposits.have_failed(now_ms)) {
        return Ok(case.nothing());
    }
    let (attempt, method) = tried(case, before)?;
    if method.instrument.bank().is_none_or(|bank| bank.facts().takes_deposits) {
        return Ok(case.nothing());
    }
    let mut draft = case.draft();
    unverified(
        case,
        &mut draft,
        before,
        attempt,
        method,
        &declines::MICRODEPOSIT_FAILED,
    );
    Ok(draft.settle(None))
}

/// Nobody will show any more whose account it is: the intent wants another payment method.
fn unverified(
    case: &Case<'_>,
    draft: &mut Draft,
    before: &SetupIntent,
    attempt: SetupAttempt,
    mut method: PaymentMethod,
    decline: &'static Decline,
) {
    method.own(Ownership::Failed);
    let failure = SetupFailure::Declined {
        decline: decline.number,
    };
    failed(case, draft, before.clone(), attempt, method, failure);
}

/// The open try of an intent, and what it is about.
fn tried(case: &Case<'_>, intent: &SetupIntent) -> Result<(SetupAttempt, PaymentMethod), Stop> {
    let attempt = open_try(case, intent)?.clone();
    let method = case
        .payment_method(attempt.payment_method.id)?
        .expect("a payment method that is in use exists")
        .clone();
    Ok((attempt, method))
}

fn waits_for_none(id: Id) -> Reject {
    let message = "You cannot verify microdeposits of this SetupIntent because it does not wait for any. Only payment \
                   methods of bank accounts are verified with microdeposits.";
    Reject::setup_intent_state(id, message)
}

/// The mandate for the debits of the bank account of `method`: a new one if the customer agreed, or the one it has.
pub(super) fn grant(
    case: &Case<'_>,
    draft: &mut Draft,
    method: &mut PaymentMethod,
    acceptance: Option<Acceptance>,
    scope: MandateScope,
) -> Result<Option<Id>, Stop> {
    let id = method.id;
    let bank = method.instrument.bank_mut().expect("it is a bank account");
    let Some(acceptance) = acceptance else {
        return Ok(bank.mandate);
    };
    let granted = mandate::grant_debit(draft, id, bank, acceptance, scope);
    if let Some(old) = bank.mandate.replace(granted) {
        mandate::revoke(case, draft, old)?;
    }
    Ok(Some(granted))
}
