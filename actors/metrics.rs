//! Names of what this room counts, each with its description, and handles that are looked up once.

use metrics::{Counter, Gauge, Histogram, Unit};

macro_rules! names {
    ($($(#[doc = $doc:literal])+ $constant:ident = $name:literal, $kind:ident;)*) => {
        $($(#[doc = $doc])+ pub const $constant: &str = $name;)*

        /// Every metric of this room with its description, for tests and documents.
        pub const ALL: &[(&str, &str)] = &[$(($name, concat!($($doc),+))),*];

        /// Describes every metric to the recorder.
        pub fn describe() {
            $(names!(@describe $kind, $name, concat!($($doc),+));)*
        }
    };
    (@describe counter, $name:literal, $doc:expr) => { metrics::describe_counter!($name, $doc.trim()) };
    (@describe gauge, $name:literal, $doc:expr) => { metrics::describe_gauge!($name, $doc.trim()) };
    (@describe seconds, $name:literal, $doc:expr) => { metrics::describe_histogram!($name, Unit::Seconds, $doc.trim()) };
    (@describe count, $name:literal, $doc:expr) => { metrics::describe_histogram!($name, Unit::Count, $doc.trim()) };
}

names! {
    /// Requests admitted by the router.
    REQUESTS = "tollgate_requests_admitted_total", counter;
    /// Requests refused, by the layer that refused: edge, authentication, rate limit, parameters, node permits, shard
    /// permits, account permits, readers, shard, key, lock, domain.
    REFUSALS = "tollgate_refusals_total", counter;
    /// Requests inside the engine now.
    INSIDE = "tollgate_requests_inside", gauge;
    /// Permits of a shard that are taken now, by shard.
    SHARD_PERMITS = "tollgate_shard_permits", gauge;
    /// Records appended to blocks.
    RECORDS = "tollgate_records_total", counter;
    /// Blocks that became durable.
    BLOCKS = "tollgate_blocks_total", counter;
    /// Records of a block.
    BLOCK_RECORDS = "tollgate_block_records", count;
    /// Time from handing a block to the store until it is durable.
    COMMIT_SECONDS = "tollgate_commit_seconds", seconds;
    /// Bytes of a block's records.
    BLOCK_BYTES = "tollgate_block_bytes", count;
    /// Time of the stages a request goes through, by stage. One in sixteen requests is measured at parse, mailbox (from
    /// leaving its worker until the turn of its shard that takes it), service (a turn's time divided by what it handled)
    /// and render; every block at fill (from its first record until it is handed to the store), every group of blocks at
    /// sync (writing and syncing) and publish (index and answers).
    STAGE_SECONDS = "tollgate_stage_seconds", seconds;
    /// Shards that moved to another lane.
    SHARD_MOVES = "tollgate_shard_moves_total", counter;
    /// Time for which a moving shard ran on no lane.
    MOVE_SECONDS = "tollgate_shard_move_seconds", seconds;
    /// Shards that serve on this node.
    SHARDS_SERVING = "tollgate_shards_serving", gauge;
    /// Time from wanting a shard on this node until it served here.
    ADOPT_SECONDS = "tollgate_shard_adopt_seconds", seconds;
    /// Time from wanting a shard to leave this node until nothing of it was left here.
    RELEASE_SECONDS = "tollgate_shard_release_seconds", seconds;
    /// Shards that another owner took over, or that could not be claimed again.
    SHARDS_LOST = "tollgate_shards_lost_total", counter;
    /// Looks at the store for whether a shard is still here, which hold back answers that no block was written for; only
    /// where other nodes may take shards over.
    BARRIERS = "tollgate_barriers_total", counter;
    /// Such looks that the store gave no answer to in time; whoever waited was told to retry.
    BARRIERS_FAILED = "tollgate_barriers_failed_total", counter;
    /// Time that such a look took, with the wait for the one before it.
    BARRIER_SECONDS = "tollgate_barrier_seconds", seconds;
    /// Answers repeated from an idempotency key's outcome.
    REPLAYS = "tollgate_idempotent_replays_total", counter;
    /// Keys that had to be looked up in the store.
    KEY_LOADS = "tollgate_key_loads_total", counter;
    /// Objects that had to be read from the store for a command.
    OBJECT_LOADS = "tollgate_object_loads_total", counter;
    /// Reads of the store that failed.
    LOAD_FAILURES = "tollgate_load_failures_total", counter;
    /// Commands that waited too long for a busy object.
    LOCK_TIMEOUTS = "tollgate_lock_timeouts_total", counter;
    /// Attempts recorded for a remote network.
    ATTEMPTS = "tollgate_attempts_total", counter;
    /// Answers of networks handled, silence included.
    NETWORK_ANSWERS = "tollgate_network_answers_total", counter;
    /// Timers and network answers that came too late to matter.
    STALE_COMMANDS = "tollgate_stale_commands_total", counter;
    /// Timers fired.
    TIMERS_FIRED = "tollgate_timers_fired_total", counter;
    /// Objects, keys and accounts forgotten under the memory budget.
    PASSIVATED = "tollgate_passivated_total", counter;
    /// Times a wall clock was found stepped by more than five minutes; time goes on by the steady clock.
    CLOCK_ALARMS = "tollgate_clock_alarms_total", counter;
    /// Shards rebuilt after a panic or a lost fence.
    SHARD_RESTARTS = "tollgate_shard_restarts_total", counter;
    /// Shards that are failed and no longer serve.
    SHARDS_FAILED = "tollgate_shards_failed", gauge;
    /// Commands refused because they crashed their shard before.
    QUARANTINED = "tollgate_commands_quarantined_total", counter;
    /// Notes of webhook delivery that were not written because they break the rules of notes: an error of this program.
    NOTES_REFUSED = "tollgate_notes_refused_total", counter;
    /// Network calls on their way.
    CALLS_IN_FLIGHT = "tollgate_network_calls_in_flight", gauge;
    /// Age of the oldest network call that was handed out and has no answer yet; looked at once a second.
    OUTBOX_AGE = "tollgate_outbox_oldest_seconds", gauge;
    /// Amounts of network calls (authorisations, captures, refunds) that have no answer yet, in minor units, by currency;
    /// looked at once a second.
    MONEY_IN_FLIGHT = "tollgate_money_in_flight", gauge;
    /// Network calls not made because too many were waiting, or after their deadline.
    CALLS_DROPPED = "tollgate_network_calls_dropped_total", counter;
    /// Panics caught in network calls.
    CALL_PANICS = "tollgate_network_call_panics_total", counter;
    /// Lists and events read.
    READS = "tollgate_reads_total", counter;
    /// Times a reader thread was restarted after a panic.
    READER_PANICS = "tollgate_reader_panics_total", counter;
}

/// One in so many requests is measured at the stages that each request goes through by itself.
pub const SAMPLE_EVERY: usize = 16;

/// The histogram of one stage of [`STAGE_SECONDS`].
pub fn stage(name: &'static str) -> Histogram {
    metrics::histogram!(STAGE_SECONDS, "stage" => name)
}

/// Handles of a shard's and its lane's metrics. Take them after the recorder is installed.
pub struct Meters {
    pub(crate) records: Counter,
    pub(crate) blocks: Counter,
    pub(crate) block_records: Histogram,
    pub(crate) commit_seconds: Histogram,
    pub(crate) block_bytes: Histogram,
    pub(crate) stage_mailbox: Histogram,
    pub(crate) stage_service: Histogram,
    pub(crate) stage_fill: Histogram,
    pub(crate) shard_moves: Counter,
    pub(crate) move_seconds: Histogram,
    pub(crate) adopt_seconds: Histogram,
    pub(crate) release_seconds: Histogram,
    pub(crate) lost: Counter,
    pub(crate) barriers: Counter,
    pub(crate) barriers_failed: Counter,
    pub(crate) barrier_seconds: Histogram,
    pub(crate) replays: Counter,
    pub(crate) key_loads: Counter,
    pub(crate) object_loads: Counter,
    pub(crate) load_failures: Counter,
    pub(crate) lock_timeouts: Counter,
    pub(crate) attempts: Counter,
    pub(crate) network_answers: Counter,
    pub(crate) stale_commands: Counter,
    pub(crate) timers_fired: Counter,
    pub(crate) passivated: Counter,
    pub(crate) clock_alarms: Counter,
    pub(crate) restarts: Counter,
    pub(crate) failed: Gauge,
    pub(crate) quarantined: Counter,
    pub(crate) notes_refused: Counter,
}

impl Meters {
    /// Looks the handles up in the installed recorder.
    pub fn new() -> Self {
        Meters {
            records: metrics::counter!(RECORDS),
            blocks: metrics::counter!(BLOCKS),
            block_records: metrics::histogram!(BLOCK_RECORDS),
            commit_seconds: metrics::histogram!(COMMIT_SECONDS),
            block_bytes: metrics::histogram!(BLOCK_BYTES),
            stage_mailbox: stage("mailbox"),
            stage_service: stage("service"),
            stage_fill: stage("fill"),
            shard_moves: metrics::counter!(SHARD_MOVES),
            move_seconds: metrics::histogram!(MOVE_SECONDS),
            adopt_seconds: metrics::histogram!(ADOPT_SECONDS),
            release_seconds: metrics::histogram!(RELEASE_SECONDS),
            lost: metrics::counter!(SHARDS_LOST),
            barriers: metrics::counter!(BARRIERS),
            barriers_failed: metrics::counter!(BARRIERS_FAILED),
            barrier_seconds: metrics::histogram!(BARRIER_SECONDS),
            replays: metrics::counter!(REPLAYS),
            key_loads: metrics::counter!(KEY_LOADS),
            object_loads: metrics::counter!(OBJECT_LOADS),
            load_failures: metrics::counter!(LOAD_FAILURES),
            lock_timeouts: metrics::counter!(LOCK_TIMEOUTS),
            attempts: metrics::counter!(ATTEMPTS),
            network_answers: metrics::counter!(NETWORK_ANSWERS),
            stale_commands: metrics::counter!(STALE_COMMANDS),
            timers_fired: metrics::counter!(TIMERS_FIRED),
            passivated: metrics::counter!(PASSIVATED),
            clock_alarms: metrics::counter!(CLOCK_ALARMS),
            restarts: metrics::counter!(SHARD_RESTARTS),
            failed: metrics::gauge!(SHARDS_FAILED),
            quarantined: metrics::counter!(QUARANTINED),
            notes_refused: metrics::counter!(NOTES_REFUSED),
        }
    }
}

impl Default for Meters {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_told_once_and_described() {
        for (at, (name, doc)) in ALL.iter().enumerate() {
            assert!(name.starts_with("tollgate_") && doc.trim().len() > 10, "{name}");
            assert!(
                ALL[at + 1..].iter().all(|(other, _)| other != name),
                "{name} stands twice"
            );
        }
    }
}
