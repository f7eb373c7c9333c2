//! 2017-02-14: a charge names its dispute. Before, it showed it.

use super::{Change, Presence, Window};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20170214),
    doc: "`dispute` of a charge is shown when expanded, and its id else. (`outcome[rule]` is an id at every version.)",
    requests: &[],
    answers: &[],
    windows: &[Window {
        object: "charge",
        field: "dispute",
        before: Presence::Shown,
        after: Presence::Expanded,
    }],
};
