//! What happens to reviews.

use super::{Review, ReviewEnd};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::object::Object;
use crate::payments::charge::Charge;
use crate::reject::Reject;
use std::sync::Arc;
use tollgate_resource::Id;

/// Opens a review of a charge; the caller puts the charge.
pub(crate) fn open(draft: &mut Draft, charge: &mut Charge) {
    let id = draft.born(&kinds::REVIEW);
    charge.concerns.get_or_insert_default().review = Some(id);
    draft.event(EventType::ReviewOpened, id);
    draft.put(Object::Review(Arc::new(Review {
        id,
        charge: charge.id,
        payment_intent: charge.payment_intent,
        closed: None,
    })));
}

/// Closes a review because somebody found nothing.
pub(crate) fn approve(case: &Case<'_>, id: Id) -> Result<Decision, Stop> {
    let review = case
        .review(id)?
        .ok_or_else(|| Reject::no_such(&kinds::REVIEW, id, "review"))?;
    if review.closed.is_some() {
        let message = "This review is already closed and cannot be approved.";
        return Err(Reject::invalid(None, message).begun().into());
    }
    let mut draft = case.draft();
    close(&mut draft, review, ReviewEnd::Approved);
    Ok(draft.decide(Reply::Object(&kinds::REVIEW, id)))
}

/// Closes a review, if it is open, because the payment was refunded.
pub(crate) fn close_refunded(case: &Case<'_>, draft: &mut Draft, id: Id) -> Result<(), Stop> {
    if let Some(review) = case.review(id)?.filter(|review| review.closed.is_none()) {
        close(draft, review, ReviewEnd::Refunded);
    }
    Ok(())
}

fn close(draft: &mut Draft, review: &Review, end: ReviewEnd) {
    draft.event(EventType::ReviewClosed, review.id);
    draft.put(Object::Review(Arc::new(Review {
        closed: Some(end),
        ..review.clone()
    })));
}
