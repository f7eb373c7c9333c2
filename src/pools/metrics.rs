//! What pools measure. Each has the label `pool`.

use metrics::{describe_counter, describe_gauge};

/// Lanes taken off the floor after a panic.
pub const PANICS: &str = "tollgate_pool_lane_panics_total";
/// Lanes that fell too often.
pub const QUARANTINES: &str = "tollgate_pool_lane_quarantines_total";
/// Workers that panicked outside their lanes.
pub const WORKER_PANICS: &str = "tollgate_pool_worker_panics_total";
/// Jobs that are out.
pub const JOBS: &str = "tollgate_pool_jobs_in_flight";
/// Messages that found a mailbox full.
pub const MAILBOX_FULL: &str = "tollgate_pool_mailbox_full_total";

/// Every metric of this room with its description, for tests and documents.
pub const ALL: &[(&str, &str)] = &[
    (
        PANICS,
        "Lanes of a pool that panicked and were made anew from what was saved.",
    ),
    (
        QUARANTINES,
        "Lanes of a pool that panicked too often and are kept away until an operator resumes them.",
    ),
    (
        WORKER_PANICS,
        "Workers of a pool that panicked outside their lanes and were started anew.",
    ),
    (JOBS, "Jobs of a pool that are out now, by thread."),
    (
        MAILBOX_FULL,
        "Messages to a worker of a pool that found its mailbox full; the sender keeps them.",
    ),
];

/// Describes all of them. Once a process, after the recorder is there.
pub fn describe() {
    for (name, what) in ALL {
        match *name {
            JOBS => describe_gauge!(*name, *what),
            _ => describe_counter!(*name, *what),
        }
    }
}
