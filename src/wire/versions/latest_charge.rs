//! 2022-11-15: a payment intent no longer carries its charges, only the id of the latest (which older versions show too);
//! a charge carries its refunds only when they are expanded.

use super::{Change, Presence, Window};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20221115),
    doc: "`payment_intent.charges` is gone, see `latest_charge`; `charge.refunds`, `customer.sources` and \
          `customer.subscriptions` are shown when expanded.",
    requests: &[],
    answers: &[],
    windows: &[
        Window {
            object: "payment_intent",
            field: "charges",
            before: Presence::Shown,
            after: Presence::Gone,
        },
        Window {
            object: "charge",
            field: "refunds",
            before: Presence::Shown,
            after: Presence::Expanded,
        },
        Window {
            object: "customer",
            field: "sources",
            before: Presence::Shown,
            after: Presence::Expanded,
        },
        Window {
            object: "customer",
            field: "subscriptions",
            before: Presence::Shown,
            after: Presence::Expanded,
        },
    ],
};
