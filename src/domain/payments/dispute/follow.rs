//! What issuers of certain test cards do once a payment has been captured, and what a refund does to that.

use super::decide::{put_dispute, take_money};
use super::{Dispute, DisputeCause, DisputeState, answer_due_s};
use crate::decision::{Case, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::object::Object;
use crate::payments::charge::Charge;
use crate::payments::payment_method::{CardBrand, DisputedAs};
use std::sync::Arc;
use tollgate_resource::Metadata;

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
    };
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
            evidence: None,
            metadata: Metadata::default(),
            movements: Vec::new(),
        };
        let concerns = charge.concerns.get_or_insert_default();
        concerns.dispute = Some(id);
        draft.event(EventType::DisputeCreated, id);
        if how != DisputedAs::Inquiry {
            dispute.state = DisputeState::NeedsResponse;
            concerns.charged_back = true;
            take_money(draft, &mut dispute);
        }
        draft.timer(dispute.due_ms(), id);
        put_dispute(case, draft, dispute);
    }
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
