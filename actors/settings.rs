//! Limits and settings. Every queue, batch and wait of this room is bounded by a name on this page.

use crate::claims::OnLost;
use crate::outbox::{NoOutbox, Outbox};
use std::sync::Arc;
use std::time::Duration;
use tollgate_domain::Network;
use tollgate_domain::webhooks::webhook_endpoint::{ENDPOINTS_DEFAULT, ENDPOINTS_MAX};
use tollgate_store::Tail;

/// Most messages a shard may be set to handle in one turn: everybody else on its lane waits meanwhile.
pub const TURN_MESSAGES_MAX: usize = 4_096;
/// An object used within this time stays in memory even over budget, milliseconds: a command that needs several objects
/// must find them together, however long each took to read.
pub const OBJECT_STAY_MS: u64 = 1_000;
/// Objects that were asked for since passivation last came by go round once more, as long as the shard is over its budget by no
/// more than this part of it (one in so many): where everything is asked for again, the budget still holds.
pub const OBJECTS_AGAIN_SHARE: usize = 16;
/// Entities a shard considers for passivation in one turn, besides two for each that came: freeing many at once would be
/// felt as a pause.
pub const PASSIVATION_STEPS_MAX: usize = 64;
/// Objects in a row that were used too lately to go, after which a turn looks no further.
pub const PASSIVATION_KEPT_MAX: usize = 16;
/// Most bytes a block may be set to be closed at. Below the envelope's own bound, so that the last command usually still
/// fits.
pub const BLOCK_BYTES_MAX: usize = 192 * 1024;
/// Most records a block may be set to be closed at; below the envelope's own bound.
pub const BLOCK_RECORDS_MAX: usize = 1_000;
/// Longest time that blocks may be set to wait for more records, milliseconds.
pub const BLOCK_GAP_MS_MAX: u64 = 100;
/// Most records that a block may be set to wait for.
pub const BLOCK_GAP_RECORDS_MAX: u32 = 1_000;
/// Records of a lane from which on its blocks do not wait for more: they share a sync well enough.
pub const GAP_RECORDS_ENOUGH: u32 = 16;
/// Records that the last blocks must have had for the next to wait: clients that come one at a time do not.
pub const GAP_RECORDS_FEW: u32 = 4;
/// How long nobody may have come for a block to go that holds everybody who is inside: whoever waits for an answer before
/// the next request does not come sooner, others would.
pub const GAP_QUIET: Duration = Duration::from_millis(20);
/// Duplicates that may wait for one key in flight; the next one hears 409 at once.
pub const KEY_WAITERS_MAX: usize = 64;
/// Commands that may wait for one busy object; the next one hears 429 `lock_timeout` at once.
pub const BUSY_WAITERS_MAX: usize = 256;
/// How far ahead timers are fetched from the index, milliseconds.
pub const TIMER_WINDOW_MS: u64 = 1_000;
/// Timers fetched at once.
pub const TIMER_BATCH_MAX: usize = 256;
/// Timers that may have fired without being durably done; beyond it firing rests.
pub const TIMERS_FIRED_MAX: usize = 4_096;
/// Wall clock steps beyond this pause timers and raise an alarm, milliseconds (STORAGE.md section 1).
pub const CLOCK_STEP_MAX_MS: u64 = 5 * 60 * 1_000;
/// Objects attached to one answer; references beyond stay ids. Four levels of ten included members are well below.
pub const ATTACHED_MAX: usize = 4_096;
/// How often a lane looks at timers and waits when nothing else wakes it, milliseconds.
pub const LANE_TICK_MS: u64 = 20;
/// Panics of one shard within [`RESTART_WINDOW_MS`] after which it is failed.
pub const RESTARTS_MAX: usize = 5;
/// See [`RESTARTS_MAX`], milliseconds.
pub const RESTART_WINDOW_MS: u64 = 60_000;
/// Crashes after which a command is quarantined.
pub const CRASHES_MAX: u8 = 2;
/// Commands remembered as crashed or quarantined, a shard.
pub const CULPRITS_MAX: usize = 256;
/// Most permits all shards together may be set to have.
pub const PERMITS_PER_NODE_MAX: u32 = 1 << 24;
/// Most permits a shard may be set to have.
pub const PERMITS_PER_SHARD_MAX: u32 = 1 << 20;
/// How long a lane may take to answer how its shards are, or to take up a shard, milliseconds. Beyond it the asker hears
/// that it did not; nothing is undone.
pub const LANE_PATIENCE_MS: u64 = 5_000;
/// Threads on which shards are claimed and given up, where they come and go: a node that takes over what another had does so
/// for so many at a time.
pub const CLAIM_THREADS: usize = 8;
/// How long requests wait for a shard that is being claimed again, before they are refused.
pub const CLAIM_WAIT: Duration = Duration::from_secs(2);
/// How often a lane looks whether those inside a shard that leaves have gone.
pub const LEAVE_LOOK: Duration = Duration::from_millis(2);
/// Per-thread clients an engine can have over its life.
pub const WORKERS_MAX: usize = 1_024;
/// Counters that bound what one account may have inside; accounts share a counter when their hashes meet.
pub const ACCOUNT_COUNTERS: usize = 4_096;
/// Reads waiting for a reader thread; lists beyond it are refused as overload.
pub const READS_WAITING_MAX: usize = 4_096;
/// Loads of shards waiting for a reader thread; beyond it a lane keeps them and tries again. What a shard has inside, and so
/// what it can want to load, is bounded by permits.
pub const LOADS_WAITING_MAX: usize = 1 << 16;
/// Network calls on their way at once.
pub const CALLS_IN_FLIGHT_MAX: usize = 1_024;
/// Network calls waiting for their turn; beyond it a call is not made and counts as unanswered, which timers resolve.
pub const CALLS_WAITING_MAX: usize = 65_536;
/// Directory commands waiting.
pub const DIRECTORY_WAITING_MAX: usize = 1_024;
/// Directory commands in one block.
pub const DIRECTORY_BATCH_MAX: usize = 64;
/// How often a node looks for changes that other nodes made: how long a revoked key may work on there, and little more.
pub const DIRECTORY_LOOK_EVERY: Duration = Duration::from_millis(250);
/// Time between two looks that requests wait for: unknown keys, however many, cost the store so many reads.
pub const DIRECTORY_LOOKS_APART: Duration = Duration::from_millis(10);
/// How long a request waits for such a look.
pub const DIRECTORY_LOOK_PATIENCE: Duration = Duration::from_secs(2);
/// Blocks of the directory read at once.
pub const DIRECTORY_LOOK_BLOCKS_MAX: usize = 64;
/// How often the uses of keys are written down, if there were any: far from the requests that used them.
pub const KEY_USES_EVERY: Duration = Duration::from_secs(600);
/// How much later than written a key must have been used to be written again, in milliseconds. An hour bounds what a busy
/// key adds to the directory's journal to a kilobyte a day.
pub const KEY_USE_STEP_MS: u64 = 3_600_000;
/// Uses of keys in one record.
pub const KEY_USES_MAX: usize = 1_024;
/// Keys a thread remembers as authenticated.
pub const AUTH_CACHE_MAX: usize = 4_096;
/// Seconds a client is told to stay away when we are full.
pub const RETRY_AFTER_S: u32 = 1;

/// Which shards are here when an engine has started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begin {
    /// All: each is claimed before anything is served.
    All,
    /// None: somebody lets the engine adopt and release them.
    Nothing,
}

/// Settings of an [`Engine`](crate::Engine).
#[derive(Clone)]
pub struct EngineConfig {
    /// Shards of the data; fixed when the data was created.
    pub shards: u16,
    /// Lane threads.
    pub lanes: usize,
    /// Reader threads.
    pub readers: usize,
    /// Requests all shards may have inside together.
    pub permits_per_node: u32,
    /// Requests a shard may have inside.
    pub permits_per_shard: u32,
    /// Requests an account may have inside.
    pub permits_per_account: u32,
    /// What each shard may use and how long things wait.
    pub shard: ShardSettings,
    /// Whether any `sk_test_…` opens a sandbox account of its own on first use (`--dev`).
    pub dev: bool,
    /// Seed of the lanes' entropy; drawn from the operating system at the edge.
    pub seed: u64,
    /// Which shards are here after the start.
    pub begin: Begin,
    /// Called once when the store has lost its ability to write: the process must end.
    pub on_fatal: Arc<dyn Fn(&str) + Send + Sync>,
    /// Called with a shard that is not here any more although nobody released it, and why; it may be adopted again from
    /// then on.
    pub on_lost: OnLost,
    /// Who delivers webhooks; nobody unless set.
    pub outbox: Arc<dyn Outbox>,
    /// For a node among others: where the directory's journal is read while another node leads it. Without it the directory
    /// is taken over at the start, too, as its only node has it.
    pub tail: Option<Arc<dyn Tail>>,
}

impl EngineConfig {
    /// Sizes for one machine with `shards` shards; `on_fatal` ends the process.
    pub fn for_one_machine(shards: u16, seed: u64) -> Self {
        EngineConfig {
            shards,
            lanes: 1,
            readers: 2,
            permits_per_node: PERMITS_PER_NODE_MAX,
            permits_per_shard: 4_096,
            permits_per_account: 4_096,
            shard: ShardSettings::default(),
            dev: false,
            seed,
            on_fatal: Arc::new(|why| {
                tracing::error!(why, "fatal");
                std::process::abort();
            }),
            begin: Begin::All,
            on_lost: Arc::new(|_, _| {}),
            outbox: Arc::new(NoOutbox),
            tail: None,
        }
    }

    /// Relations between limits that must hold.
    pub(crate) fn check(&self) {
        assert!(
            self.shards > 0 && self.shards < u16::MAX,
            "shards: 1 to 65,534 (the last number is the directory's)"
        );
        assert!(
            self.lanes > 0 && self.lanes <= usize::from(self.shards),
            "each lane needs a shard"
        );
        assert!(self.readers > 0, "loads need at least one reader thread");
        check_permits(self.permits_per_node, self.permits_per_shard, self.permits_per_account);
        self.shard.check();
    }
}

/// When a block waits for more records, where they come close together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pacing {
    /// All blocks share one sync, so those of a lane wait together: until the last ones went so long ago, or
    /// [`GAP_RECORDS_ENOUGH`] are there.
    Lane {
        /// Milliseconds; 0 for no wait.
        gap_ms: u64,
    },
    /// Each block is a write of its own, which costs about the same for a few records as for many: a shard's block waits until
    /// its last one went so long ago, or so many records are there.
    Shard {
        /// Milliseconds; 0 for no wait.
        gap_ms: u64,
        /// Records.
        records: u32,
    },
}

impl Pacing {
    /// Longest wait, milliseconds.
    pub fn gap_ms(&self) -> u64 {
        match self {
            Pacing::Lane { gap_ms } | Pacing::Shard { gap_ms, .. } => *gap_ms,
        }
    }
}

/// Settings of one shard.
#[derive(Clone)]
pub struct ShardSettings {
    /// Messages handled in one turn before others on the lane get theirs.
    pub turn_messages: usize,
    /// No further command is decided into a block of so many records; it waits for the block in flight.
    pub block_records: usize,
    /// No further command is decided into a block of so many bytes.
    pub block_bytes: usize,
    /// How blocks follow each other.
    pub pacing: Pacing,
    /// Objects kept in memory.
    pub objects_max: usize,
    /// Idempotency keys kept in memory after they are done.
    pub keys_max: usize,
    /// Accounts kept in memory.
    pub accounts_max: usize,
    /// Records of an account after which a row record follows, so that loading it replays at most so many. A row is a few
    /// hundred bytes, so by estimate this costs a payment two or three; replaying a record costs a reader about as much as serving it.
    pub row_every: u32,
    /// How long an outcome is kept under its key, milliseconds.
    pub idempotency_ms: u64,
    /// How long a duplicate waits for the first answer, and a command for a busy object, milliseconds.
    pub wait_ms: u64,
    /// The network of cards that do not choose one.
    pub network: Network,
    /// How long an attempt may stay unanswered before the client hears `processing`, milliseconds.
    pub attempt_deadline_ms: u64,
    /// Most webhook endpoints that an account may have in one mode.
    pub webhook_endpoints_max: usize,
}

/// Relations of permits that must hold, also when they change.
pub(crate) fn check_permits(per_node: u32, per_shard: u32, per_account: u32) {
    assert!(
        per_node > 0 && per_shard > 0 && per_account > 0,
        "without permits nothing is admitted"
    );
    assert!(
        per_shard <= PERMITS_PER_SHARD_MAX,
        "the way back to the workers has room for so many answers"
    );
}

impl ShardSettings {
    /// Relations between limits that must hold, also when they change.
    pub(crate) fn check(&self) {
        assert!(
            (1..=TURN_MESSAGES_MAX).contains(&self.turn_messages),
            "a turn handles something, and comes to an end"
        );
        assert!(
            (1..=BLOCK_RECORDS_MAX).contains(&self.block_records) && (1..=BLOCK_BYTES_MAX).contains(&self.block_bytes),
            "a block takes a record, and is closed before the envelope refuses one"
        );
        assert!(
            self.objects_max >= 64,
            "a command may touch a handful of objects at once"
        );
        assert!(self.pacing.gap_ms() <= BLOCK_GAP_MS_MAX, "a block waits for a moment");
        assert!(self.row_every > 0, "a row follows every `row_every` records");
        assert!(
            self.webhook_endpoints_max <= ENDPOINTS_MAX,
            "all endpoints of an account are in its state"
        );
    }
}

impl Default for ShardSettings {
    fn default() -> Self {
        ShardSettings {
            turn_messages: 256,
            block_records: BLOCK_RECORDS_MAX,
            block_bytes: BLOCK_BYTES_MAX,
            pacing: Pacing::Lane { gap_ms: 0 },
            objects_max: 65_536,
            keys_max: 16_384,
            accounts_max: 4_096,
            row_every: 128,
            idempotency_ms: 24 * 3_600 * 1_000,
            wait_ms: 5_000,
            network: Network::Instant,
            attempt_deadline_ms: 10_000,
            webhook_endpoints_max: ENDPOINTS_DEFAULT,
        }
    }
}
