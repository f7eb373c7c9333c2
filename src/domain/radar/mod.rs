//! Risk in test mode: what the cards of the table look like, the account's rules about it, and what comes of them:
//! blocked payments, reviews by a person, issuers' reports of fraud.

pub mod early_fraud_warning;
pub mod review;
mod risk;

pub(crate) use risk::judge;
pub use risk::{BlockRule, Judgement, Risk};

use crate::decision::{Case, Stop};
use crate::draft::Draft;
use crate::payments::charge::Charge;
use crate::payments::payment_method::PaymentMethod;

/// Whether there is anything to judge about a payment method: false for nearly all, and then nothing else is looked at.
pub(crate) fn concerns(method: &PaymentMethod) -> bool {
    let Some(facts) = method.instrument.test_card() else {
        return false;
    };
    facts.risk != crate::payments::payment_method::CardRisk::Normal
        || facts.checks != crate::payments::payment_method::IssuerChecks::PASS
}

/// Notes the risk of a payment that the bank approved on its charge, and opens a review if the account's rules ask for
/// one.
#[cold]
pub(crate) fn after_approval(case: &Case<'_>, draft: &mut Draft, charge: &mut Charge, method: &PaymentMethod) {
    let Judgement::Allowed {
        risk: Some(risk),
        review,
    } = judge(case, method)
    else {
        return;
    };
    charge.concerns.get_or_insert_default().risk = Some(risk);
    if review {
        review::open(draft, charge);
    }
}

/// A refund was made: one that leaves nothing of the charge ends its review, and a report of fraud asks for nothing any
/// more.
pub(crate) fn after_refund(case: &Case<'_>, draft: &mut Draft, charge: &Charge) -> Result<(), Stop> {
    if !charge.is_refunded() {
        return Ok(());
    }
    let Some(concerns) = charge.concerns.as_deref() else {
        return Ok(());
    };
    if let Some(id) = concerns.review {
        review::close_refunded(case, draft, id)?;
    }
    if let Some(id) = concerns.warning {
        early_fraud_warning::settle(case, draft, id)?;
    }
    Ok(())
}
