//! 2020-08-27: a customer carries its tax ids only when they are expanded.

use super::{Change, Presence, Window};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20200827),
    doc: "`customer.tax_ids` is shown when expanded.",
    requests: &[],
    answers: &[],
    windows: &[Window {
        object: "customer",
        field: "tax_ids",
        before: Presence::Shown,
        after: Presence::Expanded,
    }],
};
