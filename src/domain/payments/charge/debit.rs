//! A charge of a customer's bank account that is made by itself, as older integrations do: pending until the bank answers.

use super::create::declined;
use super::{Charge, ChargeState};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::money::Currency;
use crate::payments::bank_account::{BankAccount, BankOutcome, Ownership};
use crate::payments::dispute;
use crate::payments::payment_intent::{DEBIT_MS, LATE_DEBIT_MS, capture_money, follow_capture, put_charge};
use crate::payments::payment_method::{PaymentMethod, declines};
use crate::radar::{BlockRule, Risk};
use crate::reject::{Reject, codes};

const UNVERIFIED: &str = "The customer's bank account must be verified in order to create an ACH payment.";

/// Asks the bank for the money of `method`.
pub(super) fn start(
    case: &Case<'_>,
    mut draft: Draft,
    mut charge: Charge,
    method: PaymentMethod,
    capture: bool,
) -> Result<Decision, Stop> {
    let id = charge.id;
    let bank = bank_of(&charge);
    if bank.ownership != Ownership::Verified {
        return Err(Reject::invalid(Some(codes::BANK_ACCOUNT_UNVERIFIED), UNVERIFIED)
            .begun()
            .into());
    }
    if charge.currency != Currency::USD {
        let message = "Bank accounts in the United States are debited in usd.";
        return Err(Reject::invalid(None, message).with_param("currency").into());
    }
    if !capture {
        let message = "A bank account cannot be charged with `capture` `false`: nothing is held on it.";
        return Err(Reject::invalid(None, message).with_param("capture").into());
    }
    let outcome = bank.facts().outcome;
    if outcome == BankOutcome::Blocked {
        charge.concerns_mut().risk = Some(Risk::Blocked {
            rule: BlockRule::HighRisk,
            elevated: false,
        });
        let reject = declined(case, &mut draft, charge, method, &declines::FRAUDULENT);
        return Ok(draft.decide(Reply::Reject(Box::new(reject))));
    }
    if let Some(ends_ms) = ends_ms(&charge) {
        draft.timer(ends_ms, id);
    }
    charge.state = ChargeState::Debiting;
    draft.event(EventType::ChargePending, id);
    put_charge(case, &mut draft, charge);
    Ok(draft.decide(Reply::Object(&kinds::CHARGE, id)))
}

/// The bank's word is due: the money is there, or it never comes.
pub(super) fn settle(case: &Case<'_>, before: &Charge) -> Result<Decision, Stop> {
    // The charge of an intent is its intent's, and a bank that never answers has no time to.
    if before.payment_intent.is_some() || ends_ms(before).is_none_or(|ends_ms| case.inputs.now_ms < ends_ms) {
        return Ok(case.nothing());
    }
    dispute::load_payer(case, &before.instrument, before.customer)?;
    let mut draft = case.draft();
    let mut charge = before.clone();
    match bank_of(before).facts().outcome {
        BankOutcome::Fails(decline) => {
            draft.event(EventType::ChargeFailed, charge.id);
            charge.state = ChargeState::Failed {
                decline: decline.number,
            };
        }
        BankOutcome::Pays | BankOutcome::Disputed | BankOutcome::Blocked | BankOutcome::Unheard => {
            draft.event(EventType::ChargeSucceeded, charge.id);
            charge.state = capture_money(case, &mut draft, &charge, charge.amount);
            follow_capture(case, &mut draft, &mut charge);
        }
    }
    put_charge(case, &mut draft, charge);
    Ok(draft.settle(None))
}

/// Whether a bank account was charged without an intent.
pub(super) fn is_of_older_api(charge: &Charge) -> bool {
    charge.payment_intent.is_none() && charge.payment_method.is_other(&kinds::CARD)
}

/// When the bank answers; `None` if it never does.
fn ends_ms(charge: &Charge) -> Option<u64> {
    let facts = bank_of(charge).facts();
    let wait = if facts.late { LATE_DEBIT_MS } else { DEBIT_MS };
    (facts.outcome != BankOutcome::Unheard).then(|| charge.id.unix_ms() + wait)
}

fn bank_of(charge: &Charge) -> &BankAccount {
    charge.instrument.bank().expect("it is a bank account")
}
