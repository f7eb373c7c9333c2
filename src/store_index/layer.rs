//! A layer in memory: what was published since the last run was begun.

use super::entries::TimerEntry;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tollgate_store::index::{Place, SimpleIndex};
use tollgate_store::{Head, ShardId};

/// The records of a stretch of the journal, in memory.
pub(super) struct Layer {
    pub(super) recent: SimpleIndex,
    /// Every timer set here.
    timers: Mutex<BTreeSet<TimerEntry>>,
    records: AtomicU64,
    bytes: AtomicU64,
    blocks: AtomicU64,
}

impl Layer {
    /// An empty layer. Which idempotency keys have expired is the index's to know, so a layer keeps all it is given.
    pub(super) fn new() -> Layer {
        Layer {
            recent: SimpleIndex::new(u32::MAX),
            timers: Mutex::default(),
            records: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            blocks: AtomicU64::new(0),
        }
    }

    /// Takes the timers of a block's records.
    pub(super) fn add_timers(&self, shard: ShardId, records: &[(Place, Head)]) {
        if records.iter().all(|(_, head)| head.timers.is_empty()) {
            return;
        }
        let entries = records.iter().flat_map(|(_, head)| {
            head.timers.iter().map(move |&(due_ms, seq)| TimerEntry {
                shard,
                due_ms,
                account: head.account,
                seq,
            })
        });
        self.timers().extend(entries);
    }

    pub(super) fn timers(&self) -> MutexGuard<'_, BTreeSet<TimerEntry>> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a block that was published.
    pub(super) fn count(&self, records: &[(Place, Head)]) {
        let bytes = records.iter().map(|(place, _)| u64::from(place.len)).sum();
        self.records.fetch_add(records.len() as u64, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
        self.blocks.fetch_add(1, Relaxed);
    }

    /// Records published here.
    pub(super) fn records(&self) -> u64 {
        self.records.load(Relaxed)
    }

    /// Bytes of those records in the journal.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Blocks published here.
    pub(super) fn blocks(&self) -> u64 {
        self.blocks.load(Relaxed)
    }
}
