//! An early fraud warning: an issuer's report that a payment was fraud, often before a dispute.

mod params;
mod shown;

pub use params::{ENDPOINTS, ListEarlyFraudWarnings};
pub use shown::EarlyFraudWarningShown;

use crate::decision::{Case, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::object::Object;
use crate::payments::charge::Charge;
use std::sync::Arc;
use tollgate_resource::{Id, Record};

/// An early fraud warning at one version.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct EarlyFraudWarning {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// The charge.
    #[record(2)]
    pub charge: Id,
    /// The charge's intent, if it has one.
    #[record(3)]
    pub payment_intent: Option<Id>,
    /// Whether the payment was refunded since, so that nothing is left to do.
    #[record(4)]
    pub settled: bool,
}

/// Reports a charge that was just captured as fraud; the caller puts the charge.
#[cold]
pub(crate) fn report(draft: &mut Draft, charge: &mut Charge) {
    let id = draft.born(&kinds::EARLY_FRAUD_WARNING);
    charge.concerns.get_or_insert_default().warning = Some(id);
    draft.event(EventType::EarlyFraudWarningCreated, id);
    draft.put(Object::EarlyFraudWarning(Arc::new(EarlyFraudWarning {
        id,
        charge: charge.id,
        payment_intent: charge.payment_intent,
        settled: false,
    })));
}

/// The payment was refunded: the warning asks for nothing any more.
pub(crate) fn settle(case: &Case<'_>, draft: &mut Draft, id: Id) -> Result<(), Stop> {
    if let Some(before) = case.early_fraud_warning(id)?.filter(|warning| !warning.settled) {
        let previous = Object::EarlyFraudWarning(Arc::new(before.clone()));
        draft.update_event(EventType::EarlyFraudWarningUpdated, id, previous);
        draft.put(Object::EarlyFraudWarning(Arc::new(EarlyFraudWarning {
            settled: true,
            ..before.clone()
        })));
    }
    Ok(())
}
