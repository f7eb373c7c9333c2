//! Figures of a run.

use crate::auditor::Seen;

/// Figures of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Requests sent.
    pub requests: u64,
    /// Answers that left.
    pub answers: u64,
    /// Records that became durable.
    pub records: u64,
    /// Times a shard was rebuilt or a process started.
    pub rebuilds: u64,
    /// Things that happened.
    pub happenings: u64,
    /// Simulated milliseconds.
    pub simulated_ms: u64,
    /// Calls that left for the network.
    pub calls: u64,
    /// Deliveries that left.
    pub deliveries: u64,
    /// Rows of what is known of deliveries that were noted.
    pub note_rows: u64,
    /// Shards that moved once delivery had come to a rest.
    pub handed_over: u64,
    /// What the auditor saw.
    pub seen: Seen,
}

impl Counts {
    /// The sum of both.
    pub fn plus(&self, other: &Counts) -> Counts {
        Counts {
            requests: self.requests + other.requests,
            answers: self.answers + other.answers,
            records: self.records + other.records,
            rebuilds: self.rebuilds + other.rebuilds,
            happenings: self.happenings + other.happenings,
            simulated_ms: self.simulated_ms + other.simulated_ms,
            calls: self.calls + other.calls,
            deliveries: self.deliveries + other.deliveries,
            note_rows: self.note_rows + other.note_rows,
            handed_over: self.handed_over + other.handed_over,
            seen: self.seen.plus(&other.seen),
        }
    }
}
