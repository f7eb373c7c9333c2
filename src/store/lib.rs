//! The storage port. The journal is the truth: an ordered, durable record of decided facts, kept for ever. An index
//! holds pointers into it and can be rebuilt at will. This room never names the domain: a record is an envelope that the
//! index understands ([`Head`]) and a body of bytes that it does not; actors join the two.
//!
//! A backend implements [`Journal`] (append, fenced by epoch), [`Reads`] (pointers followed to records) and [`Scan`]
//! (every block in order, for rebuilding and audit); one that several nodes use also [`Tail`]. [`memory`] is one for tests
//! and simulation, with faults, [`shared`] lets several processes share it; [`conformance`] is the suite every backend
//! passes. What may be forgotten goes into a [`trail`], a port of its own.

pub mod conformance;
pub mod envelope;
pub mod index;
pub mod memory;
pub mod reads;
pub mod shared;
pub mod trail;

use smallvec::SmallVec;
use std::sync::Arc;

/// A fixed slice of accounts. Its number is set when the data is created.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ShardId(pub u16);

impl ShardId {
    /// The journal of accounts and API keys.
    pub const DIRECTORY: ShardId = ShardId(u16::MAX);
}

/// One incarnation of a shard's owner. Every takeover and every rebuild after a panic takes a new one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Epoch(pub u64);

/// An account in one mode, as the journal addresses it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct AccountRef(pub u64);

/// The accounts from here on are none: each is the notes of one shard. The domain never gives a merchant such a key.
const NOTES_FROM: u64 = 0xFFFF_FFFF_FFFF_0000;

/// The kind number under which the index finds the pages of a shard's notes: records with one birth, whose bodies only
/// delivery reads. No kind of object has it.
pub const NOTES_PAGE: u8 = envelope::KINDS_MAX - 1;

impl AccountRef {
    /// What the delivery of a shard's webhooks writes down stands in that shard's journal under this account. Its bodies are
    /// not facts but framed as [`tollgate_resource::notes`] says, and a row of it is whatever delivery can start from.
    pub const fn notes_of(shard: ShardId) -> AccountRef {
        AccountRef(NOTES_FROM | shard.0 as u64)
    }

    /// Whose notes these are; `None` of an account.
    pub const fn notes(self) -> Option<ShardId> {
        match self.0 >= NOTES_FROM {
            true => Some(ShardId(self.0 as u16)),
            false => None,
        }
    }
}

/// Keyed hash of an idempotency key (96 bits).
pub type KeyHash = [u8; 12];

/// The envelope of a record: what the index needs to know about a body it cannot read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The account; 0 in the directory's journal.
    pub account: u64,
    /// When it was decided, milliseconds since the Unix epoch. Should not lie before the account's last record; where it
    /// does, filters by time take it for that record's.
    pub now_ms: u64,
    /// Sequence number of the first thing born here, above all earlier ones of the account; the others follow without
    /// a gap. Means nothing when nothing is born.
    pub first_seq: u64,
    /// Kind number of each thing born, in sequence order (objects, then events).
    pub born: SmallVec<[u8; 12]>,
    /// Sequence numbers of older objects that have a new version here.
    pub changed: SmallVec<[u64; 4]>,
    /// Membership in lists: (parent's sequence, child's kind, child's sequence).
    pub lists: SmallVec<[(u64, u8, u64); 4]>,
    /// Bits that let a list pass over records quickly (domain: event type modulo 64).
    pub tags: u64,
    /// The idempotency key this record holds the newest outcome of.
    pub key: Option<KeyHash>,
    /// Timers set: (due at, milliseconds; sequence of the object).
    pub timers: SmallVec<[(u64, u64); 2]>,
    /// Whether the body is a snapshot of the account ("row") instead of facts; replay may start at the newest one.
    pub row: bool,
}

/// Records of one shard that become durable together. Built by [`envelope::BlockBuilder`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The shard.
    pub shard: ShardId,
    /// The owner's incarnation.
    pub epoch: Epoch,
    /// 1 for the shard's first block; no gaps.
    pub seq: u64,
    /// `max(now of the previous block, clock)`, milliseconds.
    pub now_ms: u64,
    /// Number of records.
    pub count: u32,
    /// The records, each an encoded [`Head`] and its body (see [`envelope`]).
    pub bytes: Vec<u8>,
}

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// Synced, and published in the index.
    Durable,
    /// Refused: a newer epoch owns the shard. Nothing was written. Memory must be discarded.
    Fenced,
    /// The store lost its ability to write (fatal for the process; the caller must not answer from this block).
    Failed,
}

/// Called once per block, on the store's committer thread: must be short and must not block.
pub type Done = Box<dyn FnOnce(Commit) + Send>;

/// What a new owner learns about its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The incarnation the caller now is.
    pub epoch: Epoch,
    /// Sequence of the newest durable block; 0 for none.
    pub last_block: u64,
    /// `now_ms` of that block; 0 for none.
    pub last_now_ms: u64,
}

/// Whether this process owns a shard, at a moment after somebody asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does, as this incarnation.
    Here(Epoch),
    /// It does not (any more); this is the incarnation that it was until then, as far as it knew.
    Elsewhere(Option<Epoch>),
    /// The store gave no answer in time.
    Unknown,
}

/// Told how it stands with a shard, on a thread of the store: must be short and must not block.
pub type Told = Box<dyn FnOnce(Standing) + Send>;

/// What keeps an owner that was overtaken, and does not know it yet, from answering from before. Where several processes
/// may take shards over from each other, nothing that was decided without a block of its own may be answered before
/// this has said, after the request came, that the shard is still here.
pub trait Barrier: Send + Sync {
    /// Looks, after this call has begun, whether this process owns the shard, and tells. Who asks while a look is under
    /// way shares the next one.
    fn ask(&self, shard: ShardId, told: Told);
}

/// The append side.
pub trait Journal: Send + Sync {
    /// Takes a shard over: from now on blocks of older epochs are refused. Blocks submitted before by an older epoch
    /// are either durable or refused when this returns.
    fn claim(&self, shard: ShardId) -> Result<Claimed, StoreError>;

    /// Takes a shard over as [`Journal::claim`] does, if nobody else has since `epoch`: an owner that wants back what it
    /// had, or a claimant that goes by what it has read, takes nothing from an owner it does not know of.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when another owner has claimed it after that epoch.
    fn claim_after(&self, shard: ShardId, epoch: Epoch) -> Result<Claimed, StoreError> {
        // Where one process owns everything, nobody else can have.
        let _ = epoch;
        self.claim(shard)
    }

    /// Gives a shard up that this process owns as that incarnation, so that the next owner finds nothing under way. What
    /// is kept of it here goes; reads of it fail. Waits for a block in flight. Of an incarnation that this process is not
    /// any more, nothing happens.
    fn release(&self, shard: ShardId, epoch: Epoch) {
        let _ = (shard, epoch);
    }

    /// What has to be asked before anything is answered without a block; `None` where no other process can own a shard
    /// as long as this one does. Looked at once.
    fn barrier(&self) -> Option<Arc<dyn Barrier>> {
        None
    }

    /// Appends a block. One in flight per shard (the caller's duty, asserted here). Never blocks on the disk; the queue
    /// is bounded by one block per shard.
    fn submit(&self, block: Block, done: Done);
}

/// A record fetched from the journal.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its envelope.
    pub head: Head,
    /// Its body.
    pub body: Arc<[u8]>,
}

/// Where a page of a list starts, by sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// At the newest.
    Newest,
    /// Older than this sequence number.
    Below(u64),
    /// Newer than this sequence number: the page next to it, still newest first.
    Above(u64),
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct PageQuery<'a> {
    /// The account.
    pub account: AccountRef,
    /// Kind number of what is listed.
    pub kind: u8,
    /// Start.
    pub from: From,
    /// Most items.
    pub limit: usize,
    /// Only children of all of these (sequence numbers of the parents).
    pub parents: &'a [u64],
    /// Only things born at or after / at or before these milliseconds, inclusive.
    pub born_ms: (u64, u64),
    /// Only records with one of these tag bits; 0 for no filter. Coarse: the caller checks each item itself.
    pub tags: u64,
}

/// The read side. Calls may touch the disk and belong on reader threads, except where stated.
pub trait Reads: Send + Sync {
    /// The record with the newest durable version of the object.
    fn newest(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError>;

    /// The record the object or event was born in.
    fn birth(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError>;

    /// Whether the key may have been seen in the last `idempotency` hours. Memory only, never blocks; may say yes
    /// wrongly, never no wrongly (for durable blocks).
    fn key_may_exist(&self, account: AccountRef, key: &KeyHash) -> bool;

    /// The record with the newest outcome of the key.
    fn by_key(&self, account: AccountRef, key: &KeyHash) -> Result<Option<Fetched>, StoreError>;

    /// Sequence numbers of a page, newest first, at most `limit + 1` (the last tells that there are more; for
    /// `From::Above` the extra one is the newest). `accept` is asked for each candidate with its birth record when
    /// `tags` is set, and may refuse it; at most `scan_max` candidates are looked at.
    fn page(
        &self,
        query: &PageQuery<'_>,
        accept: &mut dyn FnMut(u64, &Fetched) -> bool,
    ) -> Result<Vec<u64>, StoreError>;

    /// The newest row of the account and every record after it, in order, each passed to `visit`. Everything from the
    /// start if there is no row.
    fn replay_account(
        &self,
        account: AccountRef,
        visit: &mut dyn FnMut(&Fetched) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Timers of the shard due up to `until_ms`, oldest first, at most `limit`: (due at, account, sequence).
    fn timers_due(&self, shard: ShardId, until_ms: u64, limit: usize) -> Vec<(u64, AccountRef, u64)>;

    /// Forgets timers that have fired or were found stale. Memory only; after a restart they come back and are found
    /// stale again, which is why a timer is a hint and the domain decides.
    fn timers_done(&self, shard: ShardId, timers: &[(u64, AccountRef, u64)]);

    /// Every account of a shard that has records, with the number of its records.
    fn accounts(&self, shard: ShardId) -> Vec<(AccountRef, u64)>;
}

/// One block as the journal holds it.
#[derive(Clone, Debug)]
pub struct StoredBlock {
    /// The block.
    pub block: Block,
    /// Where it is, for messages: file (or partition) and offset.
    pub place: String,
}

/// Reads of a journal by somebody who does not own the shard.
pub trait Tail: Send + Sync {
    /// The durable blocks behind number `after`, in order and without a gap: at most `limit`, perhaps fewer, none where
    /// the journal ends. Sees every block that was acknowledged before the call. Fails soon where the store cannot be
    /// reached; the caller tries again.
    fn blocks_after(&self, shard: ShardId, after: u64, limit: usize) -> Result<Vec<Block>, StoreError>;
}

/// Every block, in journal order; reads only the journal, never the index.
pub trait Scan {
    /// Calls `visit` for each block. Stops at the first error.
    fn scan(&self, visit: &mut dyn FnMut(StoredBlock) -> Result<(), StoreError>) -> Result<(), StoreError>;
}

/// Why the store cannot do what it is asked. The message says what to do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Bytes that do not check out, somewhere other than at the torn end.
    #[error("{place}: {what}; the journal is damaged there. Restore this file from a backup; nothing was changed")]
    Corrupt {
        /// File and offset.
        place: String,
        /// What does not check out.
        what: String,
    },
    /// Written by a newer release.
    #[error("{place} has format {found}, this release reads up to {known}; use a newer release")]
    NewerFormat {
        /// File or directory.
        place: String,
        /// Its format version.
        found: u32,
        /// The newest known here.
        known: u32,
    },
    /// Another process has the data.
    #[error("{place} is in use by another process{holder}; stop it first or choose another --data directory")]
    Locked {
        /// The directory.
        place: String,
        /// ` (pid 123)` where known.
        holder: String,
    },
    /// Another owner has the shard.
    #[error("shard {shard} was taken over by {by}")]
    Taken {
        /// The shard's number.
        shard: u16,
        /// Who has it, as far as it is known: `node a`.
        by: String,
    },
    /// This process does not own the shard, or not any more.
    #[error("shard {shard} is not owned by this process")]
    NotHere {
        /// The shard's number.
        shard: u16,
    },
    /// The operating system refused.
    #[error("{place}: {what}")]
    Io {
        /// File or directory.
        place: String,
        /// What failed, with the system's words.
        what: String,
    },
    /// A record's body could not be understood by the layer above.
    #[error("{place}: {what}")]
    Body {
        /// Where.
        place: String,
        /// Why.
        what: String,
    },
    /// The store has stopped after a fatal error.
    #[error("the store has stopped after a write error; restart the process")]
    Stopped,
}
