//! What this room itself decides by version, beside the changes.

use tollgate_domain::versions::Behaviour;
use tollgate_resource::Version;

/// First version that shows of a hash in `previous_attributes` only what changed.
pub(crate) const DIFFERENCES_SINCE: Version = Version(20150126);
/// First version whose lists are not counted.
pub(crate) const TOTAL_COUNT_UNTIL: Version = Version(20250331);

/// All of it, oldest first.
pub const WRITTEN: &[Behaviour] = &[
    Behaviour {
        since: DIFFERENCES_SINCE,
        doc: "`previous_attributes` of an event show of a hash only what changed in it; before, the whole hash.",
    },
    Behaviour {
        since: TOTAL_COUNT_UNTIL,
        doc: "`expand[]=total_count` of a list is refused.",
    },
];
