//! What an early fraud warning shows.

use super::EarlyFraudWarning;
use crate::kinds;
use crate::object::ShowContext;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Ref, Shown};

/// An issuer's report that a payment was fraud.
#[derive(Shown)]
#[shown(object = "radar.early_fraud_warning")]
pub struct EarlyFraudWarningShown {
    /// Unique identifier.
    pub id: Ident,
    /// Whether a refund could still prevent a dispute.
    pub actionable: bool,
    /// The charge.
    #[shown(expand)]
    pub charge: Ref,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// What kind of fraud the issuer reports.
    pub fraud_type: &'static str,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// The charge's intent.
    #[shown(expand)]
    pub payment_intent: Option<Ref>,
}

impl EarlyFraudWarningShown {
    /// What `warning` shows.
    pub fn of(warning: &EarlyFraudWarning, context: &ShowContext<'_>) -> Self {
        EarlyFraudWarningShown {
            id: Ident {
                kind: &kinds::EARLY_FRAUD_WARNING,
                id: warning.id,
            },
            actionable: !warning.settled,
            charge: Ref {
                kind: &kinds::CHARGE,
                id: warning.charge,
            },
            created: Seconds(warning.id.created()),
            fraud_type: "misc",
            livemode: context.livemode,
            payment_intent: warning.payment_intent.map(|id| Ref {
                kind: &kinds::PAYMENT_INTENT,
                id,
            }),
        }
    }
}
