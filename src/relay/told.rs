//! What each side tells the other.

use tollgate_actors::outbox;
use tollgate_domain::webhooks::webhook_endpoint::{DisabledReason, EndpointReport};
use tollgate_webhooks::Moved;
use tollgate_webhooks::ports::Alert;

/// What shards tell of an account that went on, for delivery.
pub fn moved_as(moved: &outbox::Moved) -> Moved {
    Moved {
        account: moved.account.0,
        upto: moved.upto,
        change: moved.change,
    }
}

/// What delivery tells of an endpoint, for the domain, which decides what becomes of it; `None` for what is not the merchant's.
pub fn report_of(alert: Alert) -> Option<EndpointReport> {
    Some(match alert {
        Alert::Failing { since_ms } => EndpointReport::Failing { since_ms },
        Alert::Recovered => EndpointReport::Recovered,
        Alert::Dead { .. } => EndpointReport::Disable(DisabledReason::Failing),
        Alert::Gone => EndpointReport::Disable(DisabledReason::Gone),
        // For the operator: it is in the log and among the metrics, and nothing of the merchant's doing.
        Alert::Quarantined => return None,
    })
}
