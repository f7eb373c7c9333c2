//! Changing a refund's pairs, and why a refund is not cancelled.

use super::settle::{changed, put_refund};
use super::{Refund, RefundState, UpdateRefund};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::kinds;
use crate::metadata;
use crate::reject::Reject;
use tollgate_resource::Id;

/// Changes the merchant's pairs of a refund. A change that changes nothing makes no event. With `charge`, the refund must
/// be one of that charge.
pub(crate) fn update(case: &Case<'_>, charge: Option<Id>, id: Id, asked: &UpdateRefund) -> Result<Decision, Stop> {
    let before = refund_of_path(case, charge, id)?;
    let mut after = before.clone();
    metadata::merge(&mut after.metadata, &asked.metadata)?;
    let mut draft = case.draft();
    if after.metadata != before.metadata {
        changed(&mut draft, before);
        // A record of what waits for something also says when that is looked at again.
        match after.state {
            RefundState::InTransit { next_ms, .. } => draft.timer(next_ms, id),
            RefundState::Pending { until_ms } => draft.timer(until_ms, id),
            RefundState::Confirmed | RefundState::Failed { .. } => {}
        }
        put_refund(case, &mut draft, after);
    }
    Ok(draft.decide(Reply::Object(&kinds::REFUND, id)))
}

/// Refuses: only a refund that waits for an action of the payer can be cancelled, and no refund of a card does.
pub(crate) fn cancel(case: &Case<'_>, id: Id) -> Result<Decision, Stop> {
    refund_of_path(case, None, id)?;
    let message = "Canceling this refund is unsupported.";
    Err(Reject::invalid(None, message).begun().into())
}

/// The refund a path names, below its charge if that is named too.
fn refund_of_path<'a>(case: &Case<'a>, charge: Option<Id>, id: Id) -> Result<&'a Refund, Stop> {
    let refund = case.refund(id)?;
    refund
        .filter(|refund| charge.is_none_or(|charge| refund.charge == charge))
        .ok_or_else(|| Reject::no_such(&kinds::REFUND, id, "refund").into())
}
