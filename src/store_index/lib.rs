//! The index of a journal: what came in last stays in memory, everything before lies in sorted files that never change.
//!
//! ```text
//! manifest        up to where the journal is indexed, and which files hold the index; replaced as a whole
//! 00000007.run    the index of a stretch of the journal (see `run.rs`)
//! 00000008.keys   idempotency keys of one generation (see `keyfile.rs`)
//! ```
//! A store brings the files ([`Files`]: a directory, or rows of a cluster), what it calls a place in its journal
//! ([`Checkpoint`]), and the threads ([`Host`]), which one index or many may share.
//!
//! Blocks are published into the *active* layer in memory after they are durable. When it holds enough, it becomes the
//! *frozen* layer, a new one takes its place, and a thread writes the frozen one as a run; the manifest then names the
//! run and the place in the journal it reaches to. Another thread merges eight runs of a level into one of the next, up
//! to [`Limits::generation_records`]; larger ones stay as they are. So a start reads the manifest, the small tails of
//! the files, and the journal from the manifest's place on: two layers' worth at most, plus what came in while one was
//! written. Neither thread is ever waited for by the publisher or a reader; both free what they replace themselves.
//!
//! The index is never trusted over the journal. The manifest names the journal's data and the place it ends behind; every
//! tail and every block carries a checksum that is checked when it is read, and a record that is fetched is compared with
//! what the index said. Whatever does not check out at a start makes the index be built again; damage found later fails
//! that one read with the file's name, and takes the manifest away, so that the next start builds the index again.
//!
//! Why files of our own and not an LSM library (fjall 3 by sorted ingestion was the other choice): a payment needs a
//! timeline entry, two or three list entries and a key; at the 0.43 us and 22 bytes an index key costs there, that is
//! about 2 us and 100 bytes, against the figures below. A sparse index in memory with a mask of kinds and tags a block
//! also answers what a key-value store needs further keys for: lists of a rare kind, filters by time, records by number.
//! And there is no second log, cache or thread pool to bound. ARCHITECTURE.md has the measurements.

mod block;
mod compare;
mod ends;
mod entries;
mod file;
mod files;
mod filter;
mod health;
mod host;
mod keyfile;
mod layer;
mod layers;
mod manifest;
#[cfg(test)]
mod memory_files;
mod merge;
mod opening;
mod run;
mod windows;
#[cfg(test)]
mod world;
mod writer;

pub use compare::{Agreement, Disagreement, Journaled, VisitBlock, Walked, compare};
pub use files::{FileKind, FileName, Files, Sink, Source, Unreadable};
pub use host::{Host, Threads};
pub use manifest::{Checkpoint, DataId, MANIFEST_BYTES_MAX};
pub use opening::{Known, Opened, Opening};

use ends::Ends;
use file::Writing;
use health::Health;
use host::{Role, Seat};
use layer::Layer;
use layers::Layers;
use manifest::Manifest;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use tollgate_store::index::{AccountEnd, Candidates, HOUR_MS, Index, Place, Step};
use tollgate_store::{AccountRef, Head, KeyHash, PageQuery, ShardId, StoreError};
use windows::Windows;

/// When the index moves from memory to disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Records in memory before they are written as a run; 1 at least.
    pub recent_records: u64,
    /// Bytes of the journal that those records may take: a start reads at most about twice as much.
    pub recent_bytes: u64,
    /// Runs of a level that are merged into one of the next, 2 at least.
    pub merged_runs: usize,
    /// Runs that together hold more records than this are not merged.
    pub generation_records: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            recent_records: 256 * 1024,
            recent_bytes: 192 << 20,
            merged_runs: 8,
            generation_records: 20 << 20,
        }
    }
}

/// An index with its files. Dropping it ends its work, without waiting for a turn that is under way; what is in memory is
/// in the journal.
pub struct StoredIndex<C: Checkpoint> {
    shared: Arc<Shared<C>>,
}

/// What the publisher, the readers and the two kinds of work share.
struct Shared<C> {
    id: DataId,
    seat: Seat,
    limits: Limits,
    writing: Writing,
    health: Arc<Health>,
    layers: RwLock<Arc<Layers>>,
    ends: Ends,
    windows: Windows,
    /// Hours for which keys are kept, and hours of a generation of keys.
    hours: u64,
    span: u64,
    /// Newest time of a record with a key, milliseconds.
    newest_ms: AtomicU64,
    /// What the files hold; also keeps the two kinds of work from changing the layers on disk at the same time.
    manifest: Mutex<Manifest<C>>,
    /// Where the frozen layer ends, while there is one.
    frozen: Mutex<Option<C>>,
    /// Told when there is no frozen layer any more, or it could not be written.
    changed: Condvar,
}

impl<C: Checkpoint> StoredIndex<C> {
    /// To be called after whole groups were published: `mark` tells where they end. Begins a new layer when the active
    /// one is full and the last one is on disk.
    pub fn reached(&self, mark: impl FnOnce() -> C) {
        let shared = &*self.shared;
        let layers = shared.layers();
        if !shared.is_full(&layers.active) || layers.frozen.is_some() {
            return;
        }
        let mut next = Layers::clone(&layers);
        next.frozen = Some(std::mem::replace(&mut next.active, Arc::new(Layer::new())));
        let mark = mark();
        let mut frozen = shared.frozen();
        // The layers on disk are changed only under this lock, so nothing of that is lost here.
        shared.replace_layers(|now| {
            next.runs = now.runs.clone();
            next.keys = now.keys.clone();
            next
        });
        *frozen = Some(mark);
        drop(frozen);
        shared.seat.wake(Role::Write);
    }

    /// Waits until there is room for more, so that what is in memory stays bounded while the journal is walked. Returns
    /// at once when the index cannot be written: then memory has to do.
    pub fn wait_for_room(&self) {
        let shared = &*self.shared;
        if !shared.is_full(&shared.layers().active) {
            return;
        }
        let mut frozen = shared.frozen();
        while frozen.is_some() && shared.health.warning().is_none() {
            frozen = shared.changed.wait(frozen).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends its work for good: it goes on answering, takes what is published into memory, and writes nothing more. For one
    /// that is about to be replaced. A turn that is under way goes on to its end.
    pub fn stop_writing(&self) {
        self.shared.writing.stopping.store(true, Relaxed);
        self.shared.seat.leave();
    }

    /// Whether damage was seen: the index has to be built again.
    pub fn is_condemned(&self) -> bool {
        self.shared.health.is_condemned()
    }

    /// What the operator should know of the index: damage, or that it cannot be written.
    pub fn warning(&self) -> Option<StoreError> {
        self.shared.health.warning()
    }
}

impl<C: Checkpoint> Drop for StoredIndex<C> {
    fn drop(&mut self) {
        self.stop_writing();
    }
}

impl<C> Shared<C> {
    fn layers(&self) -> Arc<Layers> {
        Arc::clone(&self.layers.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace_layers(&self, change: impl FnOnce(&Layers) -> Layers) {
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        let next = Arc::new(change(&layers));
        *layers = next;
    }

    fn frozen(&self) -> MutexGuard<'_, Option<C>> {
        self.frozen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_full(&self, layer: &Layer) -> bool {
        layer.records() >= self.limits.recent_records || layer.bytes() >= self.limits.recent_bytes
    }

    /// Where an account stands after the layers before the active one.
    fn end_before(&self, layers: &Layers, account: AccountRef) -> Option<AccountEnd> {
        let frozen = layers.frozen.as_ref().and_then(|layer| layer.recent.end(account));
        frozen.or_else(|| self.ends.get(account))
    }

    /// Keys of earlier hours have expired.
    fn oldest_hour(&self) -> u64 {
        (self.newest_ms.load(Relaxed) / HOUR_MS).saturating_sub(self.hours)
    }
}

impl<C: Checkpoint> Index for StoredIndex<C> {
    fn admit(&self, shard: ShardId, records: &[(Place, Head)]) -> Result<(), String> {
        let layers = self.shared.layers();
        let ends = |account| self.shared.end_before(&layers, account);
        layers.active.recent.admit_after(shard, records, &ends)
    }

    fn publish(&self, shard: ShardId, records: &[(Place, Head)]) {
        let shared = &*self.shared;
        let layers = shared.layers();
        let ends = |account| shared.end_before(&layers, account);
        let newest = records
            .iter()
            .filter(|(_, head)| head.key.is_some())
            .map(|(_, head)| head.now_ms)
            .max();
        shared.newest_ms.fetch_max(newest.unwrap_or(0), Relaxed);
        layers.active.recent.publish_after(shard, records, &ends);
        layers.active.add_timers(shard, records);
        shared.windows.add(shard, records);
        layers.active.count(records);
    }

    fn newest(&self, account: AccountRef, seq: u64) -> Result<Option<Place>, StoreError> {
        self.shared.layers().newest(account, seq)
    }

    fn birth(&self, account: AccountRef, seq: u64) -> Result<Option<Place>, StoreError> {
        let birth = self.shared.layers().birth(account, seq)?;
        Ok(birth.map(|(place, _)| place))
    }

    fn key_may_exist(&self, account: AccountRef, key: &KeyHash) -> bool {
        let shared = &*self.shared;
        shared
            .layers()
            .key_may_exist(account, key, shared.oldest_hour(), shared.span)
    }

    fn by_key(&self, account: AccountRef, key: &KeyHash) -> Result<Option<Place>, StoreError> {
        let shared = &*self.shared;
        shared.layers().by_key(account, key, shared.oldest_hour(), shared.span)
    }

    fn candidates(&self, query: &PageQuery<'_>, step: Step) -> Result<Candidates, StoreError> {
        self.shared.layers().candidates(query, step)
    }

    fn replay_start(&self, account: AccountRef) -> u64 {
        let layers = self.shared.layers();
        let recent = layers.active.recent.end(account);
        let end = recent.or_else(|| self.shared.end_before(&layers, account));
        end.and_then(|end| end.newest_row).unwrap_or(0)
    }

    fn records(&self, account: AccountRef, from: u64, max: usize) -> Result<Vec<Place>, StoreError> {
        self.shared.layers().records(account, from, max)
    }

    fn timers_due(&self, shard: ShardId, until_ms: u64, limit: usize) -> Vec<(u64, AccountRef, u64)> {
        let shared = &*self.shared;
        let layers = |shard, from, before, max| shared.layers().timers(shard, from, before, max);
        shared.windows.due(shard, until_ms, limit, &layers)
    }

    fn timers_done(&self, shard: ShardId, timers: &[(u64, AccountRef, u64)]) {
        self.shared.windows.done(shard, timers);
    }

    fn accounts(&self, shard: ShardId) -> Vec<(AccountRef, u64)> {
        let layers = self.shared.layers();
        let mut accounts: std::collections::BTreeMap<AccountRef, u64> =
            self.shared.ends.of_shard(shard).into_iter().collect();
        // Oldest first: the newest layer knows all of an account's records.
        let recent: Vec<&Layer> = layers.memory().collect();
        for layer in recent.into_iter().rev() {
            for (account, _) in layer.recent.accounts(shard) {
                let end = layer.recent.end(account);
                accounts.extend(end.map(|end| (account, end.records)));
            }
        }
        accounts.into_iter().collect()
    }

    /// The host's threads do this.
    fn reclaim(&self) {}
}
