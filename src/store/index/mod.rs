//! The index: pointers into the journal, in memory or on disk, that can be rebuilt from it at will.
//!
//! [`Index`] is the port: a backend publishes the records of each durable block into it, and [`crate::reads`] answers
//! every read from it and from the journal. [`SimpleIndex`] keeps everything in memory (about 150 bytes a payment), which is
//! enough for tests and for the recent part of an index on disk: see the embedded store.

mod account;
mod hashing;
mod keys;
mod layer;
mod simple;
mod timeline;
mod timers;

pub use account::AccountIndex;
pub use hashing::{Map, slot};
pub use keys::HOUR_MS;
pub use layer::{AccountEnd, TimelineRecord};
pub use simple::SimpleIndex;

use crate::{AccountRef, Head, KeyHash, PageQuery, ShardId, StoreError};

/// Hours for which an idempotency key can be found, unless configured otherwise.
pub const IDEMPOTENCY_HOURS: u32 = 24;
/// Most timeline entries or list members looked at under one lock, so that a publish never waits long for a reader.
pub const STEP_MAX: usize = 2048;

/// Where a record's bytes are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// Number of the segment (or whatever unit the backend stores).
    pub segment: u32,
    /// Offset of the record in it, bytes.
    pub offset: u32,
    /// Bytes of the record.
    pub len: u32,
}

/// Things that a page may show: the answer to one bounded step through a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Sequence number and birth record of each, in the direction of the step.
    pub found: Vec<(u64, Place)>,
    /// Where the next step goes on; `None` at the end. Downwards everything at or above it is done, upwards everything
    /// below it.
    pub resume: Option<u64>,
}

/// A step through a list: between `low` (inclusive) and `high` (exclusive), sequence numbers.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Lowest sequence number.
    pub low: u64,
    /// One above the highest sequence number.
    pub high: u64,
    /// From the lowest up, or from the highest down.
    pub upward: bool,
    /// Most candidates wanted.
    pub max: usize,
}

/// The port of an index. Many readers, one publisher; a reader never sees half a record, and sees a record as soon as
/// `publish` has returned.
pub trait Index: Send + Sync {
    /// Says why these records of one block cannot follow those published: a sequence number that is taken, an account
    /// of another shard. Asked before the block is written, because a journal that holds such a record could not be
    /// opened.
    fn admit(&self, shard: ShardId, records: &[(Place, Head)]) -> Result<(), String>;

    /// Makes the records of one durable, admitted block visible.
    fn publish(&self, shard: ShardId, records: &[(Place, Head)]);

    /// The record with the newest version of the object. Fails, like all that may read a file, when that cannot be read.
    fn newest(&self, account: AccountRef, seq: u64) -> Result<Option<Place>, StoreError>;

    /// The record the object or event was born in.
    fn birth(&self, account: AccountRef, seq: u64) -> Result<Option<Place>, StoreError>;

    /// Whether the key may have been published in the last hours; never blocks on the disk.
    fn key_may_exist(&self, account: AccountRef, key: &KeyHash) -> bool;

    /// The record with the newest outcome of the key.
    fn by_key(&self, account: AccountRef, key: &KeyHash) -> Result<Option<Place>, StoreError>;

    /// One bounded step through a list. Heeds kind, parents, times and (coarsely) tags of the query, not its start and
    /// limit, which `step` replaces.
    fn candidates(&self, query: &PageQuery<'_>, step: Step) -> Result<Candidates, StoreError>;

    /// Number of the account's record at which replay starts: its newest row, or 0.
    fn replay_start(&self, account: AccountRef) -> u64;

    /// At most `max` records of the account, in order, starting with number `from`.
    fn records(&self, account: AccountRef, from: u64, max: usize) -> Result<Vec<Place>, StoreError>;

    /// See [`crate::Reads::timers_due`].
    fn timers_due(&self, shard: ShardId, until_ms: u64, limit: usize) -> Vec<(u64, AccountRef, u64)>;

    /// See [`crate::Reads::timers_done`].
    fn timers_done(&self, shard: ShardId, timers: &[(u64, AccountRef, u64)]);

    /// Every account of the shard, ascending, with the number of its records.
    fn accounts(&self, shard: ShardId) -> Vec<(AccountRef, u64)>;

    /// Frees what has expired. May take long: not for the publisher's thread.
    fn reclaim(&self);
}

#[cfg(test)]
mod tests;
