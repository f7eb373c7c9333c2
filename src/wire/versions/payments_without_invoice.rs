//! 2025-03-31 (basil): a payment no longer names the invoice it pays; invoices list their payments instead.

use super::{Change, Presence, Window};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20250331),
    doc: "`payment_intent.invoice` and `charge.invoice` are gone.",
    requests: &[],
    answers: &[],
    windows: &[
        Window {
            object: "payment_intent",
            field: "invoice",
            before: Presence::Shown,
            after: Presence::Gone,
        },
        Window {
            object: "charge",
            field: "invoice",
            before: Presence::Shown,
            after: Presence::Gone,
        },
    ],
};
