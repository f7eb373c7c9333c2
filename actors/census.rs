//! What a lane tells of its shards.

use crate::hot::HotAccount;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tollgate_store::ShardId;

/// What became durable, counted where that is known.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    pub(crate) blocks: AtomicU64,
    pub(crate) records: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) nanos: AtomicU64,
}

impl Commits {
    pub(crate) fn add(&self, records: u32, bytes: usize, took: Duration) {
        // One block of a shard is with the store at a time, so these have one writer.
        let add = |to: &AtomicU64, more: u64| to.fetch_add(more, Ordering::Relaxed);
        add(&self.blocks, 1);
        add(&self.records, u64::from(records));
        add(&self.bytes, bytes as u64);
        add(&self.nanos, u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }
}

/// What is known of a shard at a moment. Sums are since the process started.
#[derive(Debug, Clone, Copy)]
pub struct HostCensus {
    /// The shard.
    pub shard: ShardId,
    /// Accounts in memory; none of these three while the shard does not serve.
    pub accounts: usize,
    /// Objects in memory.
    pub objects: usize,
    /// Idempotency keys in memory.
    pub keys: usize,
    /// Requests and notices that wait for a turn.
    pub waiting: usize,
    /// Requests taken.
    pub requests: u64,
    /// Turns.
    pub turns: u64,
    /// Time spent in turns.
    pub busy: Duration,
    /// Blocks that became durable.
    pub blocks: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// Time from handing the blocks to the store until they were durable, all together.
    pub committing: Duration,
}

/// Who asks most at a shard.
#[derive(Debug, Clone)]
pub struct HotCensus {
    /// The shard.
    pub shard: ShardId,
    /// Sightings of all its accounts; one in [`SAMPLE_EVERY`] requests is one, and old ones fade.
    pub sightings: u64,
    /// Who is known, in no order.
    pub accounts: Vec<HotAccount>,
}
