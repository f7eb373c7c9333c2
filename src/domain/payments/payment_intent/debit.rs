//! Paying by a debit of a bank account: the bank's word comes days later, in test mode after a moment. Until then the charge
//! is pending, and no money has moved.

use super::confirm::Terms;
use super::deposits;
use super::outcome::{self, DecidedBy, new_charge, put_charge, put_intent};
use super::{LastError, PaymentIntent, Status};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::inputs::Network;
use crate::kinds;
use crate::object::Object;
use crate::payments::bank_account::{BankAccount, BankOutcome, Ownership, VerificationMethod};
use crate::payments::charge::ChargeState;
use crate::payments::dispute;
use crate::payments::mandate::{self, MandateScope};
use crate::payments::payment_method::{Decline, PaymentMethod, declines};
use crate::radar::{BlockRule, Risk};
use crate::reject::{Reject, codes};
use std::sync::Arc;
use tollgate_breaks::broken;
use tollgate_resource::{Id, Names};

/// How long a test bank takes to answer, in milliseconds.
pub const DEBIT_MS: u64 = 3_000;
/// How long it takes for test accounts that answer late, in milliseconds: three minutes.
pub const LATE_DEBIT_MS: u64 = 180_000;

const NO_MANDATE: &str = "This PaymentIntent requires a mandate, but no existing mandate was found. Collect mandate \
    acceptance from the customer and try again, providing acceptance data in the mandate_data parameter.";

/// Tries to pay `intent` by a debit of the bank account of `method`.
pub(super) fn start(
    case: &Case<'_>,
    draft: Draft,
    intent: PaymentIntent,
    method: PaymentMethod,
    terms: &Terms<'_>,
) -> Result<Decision, Stop> {
    let bank = bank_of(&method);
    may_debit(case, &intent, bank)?;
    let asked = intent.verification() == Some(VerificationMethod::Microdeposits);
    if bank.scheme.verifies_deposits() && (bank.ownership != Ownership::Verified || asked) {
        if bank.ownership == Ownership::Failed {
            let message = "This bank account cannot be verified any more. Use another one.";
            let reject = Reject::invalid(Some(codes::PAYMENT_METHOD_MICRODEPOSIT_FAILED), message);
            return Err(reject.with_param("payment_method").begun().into());
        }
        return Ok(deposits::park(case, draft, intent, method, terms));
    }
    debit(case, draft, intent, method)
}

/// Debits an account whose holder has shown that it is theirs.
pub(super) fn debit(
    case: &Case<'_>,
    mut draft: Draft,
    mut intent: PaymentIntent,
    mut method: PaymentMethod,
) -> Result<Decision, Stop> {
    let id = intent.id;
    let facts = bank_of(&method).facts();
    let by = DecidedBy {
        network: Network::Instant,
        attempt: None,
        three_d_secure: None,
        blocked: (facts.outcome == BankOutcome::Blocked).then_some(Risk::Blocked {
            rule: BlockRule::HighRisk,
            elevated: false,
        }),
    };
    if by.blocked.is_some() {
        let reject = outcome::declined(case, &mut draft, intent, method, &declines::FRAUDULENT, by);
        return Ok(draft.decide(Reply::Reject(Box::new(reject))));
    }
    let mandate = grant(case, &mut draft, &mut intent, &mut method)?;
    let saves = intent.saves_debit().is_some();
    outcome::save(case, &mut draft, &intent, &mut method, saves)?;
    method.used_up = method.customer.is_none();
    let mut charge = new_charge(case, &mut draft, &intent, &method, by);
    charge.state = ChargeState::Debiting;
    if let Some(mandate) = mandate {
        charge.made_under(mandate, &method);
    }
    intent.add_charge(charge.id);
    intent.last_error = None;
    let ends_ms = match facts.outcome {
        BankOutcome::Unheard => None,
        _ if facts.late => Some(draft.now_ms() + LATE_DEBIT_MS),
        _ => Some(draft.now_ms() + DEBIT_MS),
    };
    if let Some(ends_ms) = ends_ms {
        draft.timer(ends_ms, id);
    }
    intent.status = Status::Debiting { ends_ms };
    draft.event(EventType::ChargePending, charge.id);
    draft.event(EventType::PaymentIntentProcessing, id);
    draft.put(Object::of_method(method));
    draft.put(Object::Charge(Arc::new(charge)));
    put_intent(case, &mut draft, intent);
    Ok(draft.decide(Reply::Object(&kinds::PAYMENT_INTENT, id)))
}

/// The bank has answered: the money is there, or it never comes.
pub(super) fn settle(case: &Case<'_>, before: &PaymentIntent) -> Result<Decision, Stop> {
    let charge = outcome::latest(case, before)?;
    dispute::load_payer(case, &charge.instrument, charge.customer)?;
    let method = case
        .payment_method(charge.payment_method)?
        .expect("a payment method that is in use exists");
    let mut draft = case.draft();
    match bank_of(method).facts().outcome {
        BankOutcome::Fails(decline) if !broken!(PayFailedDebit) => failed(case, &mut draft, before, method, decline)?,
        BankOutcome::Pays
        | BankOutcome::Disputed
        | BankOutcome::Blocked
        | BankOutcome::Unheard
        | BankOutcome::Fails(_) => {
            let mut charge = charge.clone();
            let amount = charge.amount;
            draft.event(EventType::ChargeSucceeded, charge.id);
            charge.state = outcome::capture_money(case, &mut draft, &charge, amount);
            outcome::follow_capture(case, &mut draft, &mut charge);
            if charge.is_charged_back() {
                // Whoever took a payment back has withdrawn the permission for others.
                revoke(case, &mut draft, method)?;
            }
            put_charge(case, &mut draft, charge);
            let mut intent = before.clone();
            intent.status = Status::Succeeded { received: amount };
            draft.event(EventType::PaymentIntentSucceeded, intent.id);
            put_intent(case, &mut draft, intent);
        }
    }
    Ok(draft.settle(None))
}

/// Ends the charge of a debit that is given up before the bank answers.
pub(super) fn withdraw(case: &Case<'_>, draft: &mut Draft, intent: &PaymentIntent) -> Result<(), Stop> {
    let mut charge = outcome::latest(case, intent)?.clone();
    charge.state = ChargeState::Failed {
        decline: declines::DEBIT_WITHDRAWN.number,
    };
    draft.event(EventType::ChargeFailed, charge.id);
    put_charge(case, draft, charge);
    Ok(())
}

fn failed(
    case: &Case<'_>,
    draft: &mut Draft,
    before: &PaymentIntent,
    method: &PaymentMethod,
    decline: &'static Decline,
) -> Result<(), Stop> {
    let mut charge = outcome::latest(case, before)?.clone();
    charge.state = ChargeState::Failed {
        decline: decline.number,
    };
    draft.event(EventType::ChargeFailed, charge.id);
    draft.event(EventType::PaymentIntentPaymentFailed, before.id);
    let mut method = method.clone();
    // Only a payment uses a payment method up; after a failure it may be tried again.
    method.used_up &= method.customer.is_some();
    if *decline == declines::DEBIT_NOT_AUTHORIZED {
        method = revoke(case, draft, &method)?;
    }
    let method = Arc::new(method);
    let mut intent = before.clone();
    intent.status = Status::RequiresPaymentMethod;
    intent.payment_method = None;
    intent.last_error = Some(Box::new(LastError {
        decline: Some(decline.number),
        charge: Some(charge.id),
        payment_method: Arc::clone(&method),
    }));
    draft.put(Object::of_method(method));
    put_charge(case, draft, charge);
    put_intent(case, draft, intent);
    Ok(())
}

/// Withdraws the permission to debit the account of `method`, if there is one.
fn revoke(case: &Case<'_>, draft: &mut Draft, method: &PaymentMethod) -> Result<PaymentMethod, Stop> {
    let mut method = method.clone();
    if let Some(bank) = method.instrument.bank_mut()
        && let Some(id) = bank.mandate.take()
    {
        mandate::revoke(case, draft, id)?;
        draft.put(Object::of_method(method.clone()));
    }
    Ok(method)
}

/// The mandate under which an account is debited: the one that the request names, a new one if the customer agreed, or the
/// one that the account has.
fn grant(
    case: &Case<'_>,
    draft: &mut Draft,
    intent: &mut PaymentIntent,
    method: &mut PaymentMethod,
) -> Result<Option<Id>, Stop> {
    let agreement = intent.take_agreement();
    if let Some(named) = intent.mandate() {
        return Ok(Some(named));
    }
    let again = intent.saves_debit().is_some() || method.customer.is_some();
    let money = intent.money();
    let id = method.id;
    let bank = method.instrument.bank_mut().expect("it is a bank account");
    let Some(agreement) = agreement else {
        return Ok(bank.mandate);
    };
    let scope = if again {
        MandateScope::MultiUse
    } else {
        MandateScope::SingleUse { money }
    };
    let mandate = mandate::grant_debit(draft, id, bank, agreement, scope);
    if let Some(old) = bank.mandate.replace(mandate) {
        mandate::revoke(case, draft, old)?;
    }
    Ok(Some(mandate))
}

/// Refuses what cannot be debited.
fn may_debit(case: &Case<'_>, intent: &PaymentIntent, bank: &BankAccount) -> Result<(), Stop> {
    let word = bank.scheme.kind().name();
    let currencies = bank.scheme.currencies();
    if !currencies.contains(&intent.currency) {
        let names: Vec<_> = currencies.iter().map(|currency| currency.code().to_owned()).collect();
        let message = format!(
            "The currency provided ({}) is invalid for the payment method type `{word}`. It supports the following \
             currencies: {}.",
            intent.currency.code(),
            names.join(", ")
        );
        let code = Some(codes::PAYMENT_INTENT_INVALID_PARAMETER);
        return Err(Reject::invalid(code, message).with_param("currency").into());
    }
    if intent.capture_method == super::CaptureMethod::Manual {
        let message = format!("The payment method type `{word}` does not support `capture_method` `manual`.");
        let code = Some(codes::PAYMENT_INTENT_INVALID_PARAMETER);
        return Err(Reject::invalid(code, message).with_param("capture_method").into());
    }
    let known = match bank.mandate {
        Some(id) => mandate::is_active(case, id)?,
        None => false,
    };
    let agreed = intent.particulars.as_deref().is_some_and(|all| all.agreement.is_some());
    if known || agreed || intent.mandate().is_some() {
        return Ok(());
    }
    let reject = Reject::invalid(None, NO_MANDATE);
    let exists = intent.id.seq() <= case.world.account.seq;
    Err(if exists {
        reject.with_payment_intent(intent.id)
    } else {
        reject
    }
    .into())
}

fn bank_of(method: &PaymentMethod) -> &BankAccount {
    method.instrument.bank().expect("it is a bank account")
}
