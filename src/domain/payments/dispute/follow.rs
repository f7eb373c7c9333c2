//! What issuers of certain test cards do once a payment has been captured, and what a refund does to that.

use super::decide::{put_dispute, take_money};
use super::{Dispute, DisputeCause, DisputeState, Evidence, answer_due_s};
use crate::decision::{Case, Lookup, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::object::Object;
use crate::payments::charge::Charge;
use crate::payments::payment_method::{Aftermath, CardBrand, DisputedAs, Instrument};
use std::sync::Arc;
use tollgate_resource::{Id, Metadata};

/// Raises the disputes of a charge that was just captured. The charge remembers them; the caller puts it.
#[cold]
pub(crate) fn after_capture(case: &Case<'_>, draft: &mut Draft, charge: &mut Charge, how: DisputedAs) {
    let brand = charge
        .instrument
        .test_card()
        .map_or(CardBrand::Unknown, |card| card.brand);
    let cause = match how {
        DisputedAs::Fraud | DisputedAs::Inquiry | DisputedAs::FraudTwice => DisputeCause::Fraud,
        DisputedAs::ProductNotReceived => DisputeCause::ProductNotReceived,
        DisputedAs::FraudWithHistory => DisputeCause::FraudWithHistory,
        DisputedAs::Compliance => DisputeCause::Compliance,
        DisputedAs::Unauthorized => DisputeCause::Unauthorized,
    };
    let known = known_of(case, charge);
    for amount in amounts(how, charge.amount_captured(), charge.currency.step()) {
        let id = draft.born(&kinds::DISPUTE);
        let due_by_s = answer_due_s(draft.now_ms());
        let mut dispute = Dispute {
            id,
            charge: charge.id,
            payment_intent: charge.payment_intent,
            amount,
            currency: charge.currency,
            network: charge.network,
            brand,
            cause,
            state: DisputeState::WarningNeedsResponse,
            due_by_s,
            submissions: 0,
            evidence: known.clone(),
            metadata: Metadata::default(),
            movements: Vec::new(),
            prefilled: known.is_some(),
        };
        let concerns = charge.concerns.get_or_insert_default();
        concerns.dispute = Some(id);
        draft.event(EventType::DisputeCreated, id);
        if how != DisputedAs::Inquiry {
            dispute.state = DisputeState::NeedsResponse;
            concerns.charged_back = true;
            take_money(draft, &mut dispute);
        }
        if how == DisputedAs::Unauthorized {
            // The payer of a bank debit need not prove anything: it is lost as it is opened.
            dispute.state = DisputeState::Lost;
            draft.event(EventType::DisputeClosed, id);
        } else {
            draft.timer(dispute.due_ms(), id);
        }
        put_dispute(case, draft, dispute);
    }
}

/// Loads whose payment it is, if what it was made with will have it disputed: a dispute opens with what is known of the
/// payer.
pub(crate) fn load_payer(case: &Case<'_>, instrument: &Instrument, customer: Option<Id>) -> Result<(), Stop> {
    match (instrument.aftermath(), customer) {
        (Aftermath::Disputes(_), Some(customer)) => case.customer(customer).map(|_| ()),
        _ => Ok(()),
    }
}

/// What is known of a payment without asking the merchant: who paid, and for what.
fn known_of(case: &Case<'_>, charge: &Charge) -> Option<Box<Evidence>> {
    let customer = charge
        .customer
        .and_then(|id| match case.world.objects.find(&kinds::CUSTOMER, id) {
            Lookup::Found(Object::Customer(customer)) => Some(customer),
            _ => None,
        });
    let billing = charge.seen.as_deref().map(|seen| &seen.details.billing);
    let evidence = Evidence {
        customer_email_address: billing
            .and_then(|billing| billing.email.clone())
            .or_else(|| customer.and_then(|customer| customer.email.clone()))
            .or_else(|| charge.receipt_email.clone()),
        customer_name: billing
            .and_then(|billing| billing.name.clone())
            .or_else(|| customer.and_then(|customer| customer.name.clone()))
            .or_else(|| customer.and_then(|customer| customer.description.clone())),
        product_description: charge.description.clone(),
        ..Evidence::default()
    };
    (evidence != Evidence::default()).then(|| Box::new(evidence))
}

/// Whether the newest dispute of a charge that was charged back is won and gave back at least `amount`.
pub(crate) fn gave_back(case: &Case<'_>, charge: &Charge, amount: i64) -> Result<bool, Stop> {
    let Some(id) = charge.dispute() else { return Ok(false) };
    let dispute = case.dispute(id)?.expect("the dispute of a charge exists");
    Ok(dispute.state == DisputeState::Won && dispute.amount >= amount)
}

/// A refund was made. One that leaves nothing of the charge ends an inquiry about it: there is nothing left to ask.
pub(crate) fn after_refund(case: &Case<'_>, draft: &mut Draft, charge: &Charge) -> Result<(), Stop> {
    let Some(id) = charge.concerns.as_deref().and_then(|concerns| concerns.dispute) else {
        return Ok(());
    };
    let Some(dispute) = case.dispute(id)?.filter(|_| charge.is_refunded()) else {
        return Ok(());
    };
    if dispute.state.is_inquiry() && !dispute.state.is_closed() {
        let closed = Dispute {
            state: DisputeState::WarningClosed,
            ..dispute.clone()
        };
        draft.event(EventType::DisputeClosed, id);
        put_dispute(case, draft, closed);
    }
    Ok(())
}

/// What each dispute is about: everything, or halves of it.
fn amounts(how: DisputedAs, captured: i64, step: i64) -> Vec<i64> {
    let half = captured / 2 / step * step;
    match how {
        DisputedAs::FraudTwice if half > 0 => vec![captured - half, half],
        _ => vec![captured],
    }
}

/// The dispute as an object.
pub(super) fn object(dispute: Dispute) -> Object {
    Object::Dispute(Arc::new(dispute))
}
