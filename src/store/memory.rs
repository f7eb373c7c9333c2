//! A journal in memory, with faults, for tests and simulation.
//!
//! It has no threads of its own and draws no randomness. In *immediate* mode a block is durable before `submit` returns.
//! In *held* mode blocks wait until the driver decides what becomes of each: in time or late, in any order between
//! shards, refused, failed, written although the answer says otherwise, or lost in a [`Memory::crash`]. Calls of `Done`
//! happen on the thread that releases, outside every lock, so they may submit again.

use crate::envelope::records;
use crate::index::{IDEMPOTENCY_HOURS, Index, Place, SimpleIndex};
use crate::reads::{Fetch, View};
use crate::{
    AccountRef, Block, Claimed, Commit, Done, Epoch, Fetched, Head, Journal, KeyHash, PageQuery, Reads, Scan, ShardId,
    StoreError, StoredBlock, Tail,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// When blocks become durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// Within `submit`.
    #[default]
    Immediate,
    /// When the driver says so.
    Held,
}

/// What becomes of a block that waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Written, published, and its owner told so.
    Durable,
    /// Not written, and its owner told so. The store itself goes on, so that a simulation can.
    Failed,
    /// Written and published, but its owner is told that it failed: an append whose answer is wrong or unknown.
    WrittenButFailed,
    /// Written and published; the answer comes late, with [`Memory::answer`], or never, with [`Memory::crash`].
    WrittenUnanswered,
}

/// The journal and index in memory. See the module for its two modes.
pub struct Memory {
    mode: Mode,
    state: Mutex<State>,
    /// Bytes of the durable blocks, by order; what places point into.
    written: RwLock<Vec<Block>>,
    index: SimpleIndex,
    idempotency_hours: u32,
    reads_fail: AtomicBool,
}

#[derive(Default)]
struct State {
    shards: BTreeMap<ShardId, Owner>,
    /// Submitted and not written, oldest first; at most one a shard.
    waiting: Vec<(Block, Done)>,
    /// Written and not answered, oldest first; at most one an incarnation.
    unanswered: Vec<(ShardId, Epoch, u64, Done)>,
    crashed: bool,
}

#[derive(Clone, Copy, Default)]
struct Owner {
    epoch: u64,
    last_block: u64,
    last_now_ms: u64,
}

impl Memory {
    /// An empty store. Idempotency keys are found for 24 hours.
    pub fn new(mode: Mode) -> Arc<Memory> {
        Memory::with_hours(mode, IDEMPOTENCY_HOURS)
    }

    /// An empty store that finds idempotency keys for this many hours.
    pub fn with_hours(mode: Mode, idempotency_hours: u32) -> Arc<Memory> {
        Arc::new(Memory {
            mode,
            state: Mutex::default(),
            written: RwLock::default(),
            index: SimpleIndex::new(idempotency_hours),
            idempotency_hours,
            reads_fail: AtomicBool::new(false),
        })
    }

    /// Shard and sequence of each block that waits to be written, in the order they came.
    pub fn waiting(&self) -> Vec<(ShardId, u64)> {
        self.state()
            .waiting
            .iter()
            .map(|(block, _)| (block.shard, block.seq))
            .collect()
    }

    /// Shard and sequence of each block that is written and not answered.
    pub fn unanswered(&self) -> Vec<(ShardId, u64)> {
        self.state()
            .unanswered
            .iter()
            .map(|&(shard, _, seq, _)| (shard, seq))
            .collect()
    }

    /// Makes the oldest waiting block durable and answers it. False when none waits.
    pub fn release_next(&self) -> bool {
        let first = self.state().waiting.first().map(|(block, _)| block.shard);
        first.is_some_and(|shard| self.settle(shard, Fate::Durable))
    }

    /// Makes every block that waits now durable, in order, and answers it. Blocks submitted meanwhile wait for the
    /// next call. Returns how many.
    pub fn pump(&self) -> usize {
        let waiting = self.waiting();
        waiting
            .iter()
            .filter(|&&(shard, _)| self.settle(shard, Fate::Durable))
            .count()
    }

    /// Decides what becomes of the shard's waiting block. False when none waits. A block that is refused anyway (an
    /// older epoch, a sequence number out of order) is refused whatever the fate.
    pub fn settle(&self, shard: ShardId, fate: Fate) -> bool {
        let mut state = self.state();
        let Some(at) = state.waiting.iter().position(|(block, _)| block.shard == shard) else {
            return false;
        };
        let (block, done) = state.waiting.remove(at);
        let (epoch, seq, written) = (block.epoch, block.seq, fate != Fate::Failed);
        let commit = if written {
            self.write(&mut state, block)
        } else {
            Commit::Failed
        };
        match (fate, commit) {
            (Fate::WrittenUnanswered, Commit::Durable) => state.unanswered.push((shard, epoch, seq, done)),
            (Fate::WrittenButFailed, Commit::Durable) => {
                drop(state);
                done(Commit::Failed);
            }
            (_, commit) => {
                drop(state);
                done(commit);
            }
        }
        true
    }

    /// Answers the shard's block that was written unanswered. False when there is none.
    pub fn answer(&self, shard: ShardId) -> bool {
        let mut state = self.state();
        let Some(at) = state.unanswered.iter().position(|&(other, ..)| other == shard) else {
            return false;
        };
        let (.., done) = state.unanswered.remove(at);
        drop(state);
        done(Commit::Durable);
        true
    }

    /// The store as the next process finds it: what was written, and the epochs. Blocks that waited are lost, and no
    /// `Done` of theirs is ever called; this store refuses everything from now on.
    pub fn crash(&self) -> Arc<Memory> {
        let mut state = self.state();
        state.crashed = true;
        let lost = (
            std::mem::take(&mut state.waiting),
            std::mem::take(&mut state.unanswered),
        );
        let next = Memory::with_hours(self.mode, self.idempotency_hours);
        let blocks = self.written().clone();
        {
            let mut next_state = next.state();
            for block in blocks {
                // The blocks were accepted in this order once, each by the epoch of its time.
                next_state.shards.entry(block.shard).or_default().epoch = block.epoch.0;
                assert_eq!(
                    next.write(&mut next_state, block),
                    Commit::Durable,
                    "a written block reads back"
                );
            }
            next_state.shards = state.shards.clone();
        }
        drop(state);
        drop(lost);
        next
    }

    /// From now on reads that need the journal fail (true), or work again (false).
    pub fn fail_reads(&self, fail: bool) {
        self.reads_fail.store(fail, Relaxed);
    }

    /// Every durable block, in journal order.
    pub fn blocks(&self) -> Vec<Block> {
        self.written().clone()
    }

    /// Takes a shard over, with `after` only if that is its owner's epoch still; `None` when it is not.
    pub(crate) fn take_over(&self, shard: ShardId, after: Option<Epoch>) -> Option<Result<Claimed, StoreError>> {
        let mut state = self.state();
        if state.crashed {
            return Some(Err(StoreError::Stopped));
        }
        let owner = state.shards.entry(shard).or_default();
        if after.is_some_and(|after| after.0 != owner.epoch) {
            return None;
        }
        owner.epoch += 1;
        let claimed = Claimed {
            epoch: Epoch(owner.epoch),
            last_block: owner.last_block,
            last_now_ms: owner.last_now_ms,
        };
        // What the older owner has waiting can only be refused from now on.
        let refused: Vec<(Block, Done)> = state
            .waiting
            .extract_if(.., |(block, _)| block.shard == shard)
            .collect();
        drop(state);
        refused.into_iter().for_each(|(_, done)| done(Commit::Fenced));
        Some(Ok(claimed))
    }

    /// The epoch that owns the shard.
    pub(crate) fn epoch(&self, shard: ShardId) -> Option<Epoch> {
        self.state().shards.get(&shard).map(|owner| Epoch(owner.epoch))
    }

    /// The envelopes of a durable block, with where each record is.
    pub(crate) fn heads(&self, shard: ShardId, seq: u64) -> Option<Vec<(Place, Head)>> {
        let written = self.written();
        let at = written
            .iter()
            .rposition(|block| block.shard == shard && block.seq == seq)?;
        Some(heads_at(segment_of(at), &written[at]))
    }

    /// Checks and writes a block, and publishes its records.
    fn write(&self, state: &mut State, block: Block) -> Commit {
        let owner = state.shards.entry(block.shard).or_default();
        if state.crashed {
            return Commit::Failed;
        }
        if block.epoch.0 != owner.epoch || block.seq != owner.last_block + 1 {
            return Commit::Fenced;
        }
        assert!(
            block.now_ms >= owner.last_now_ms,
            "a block's time lies before the shard's last block"
        );
        let mut written = self.written.write().unwrap_or_else(PoisonError::into_inner);
        let segment = segment_of(written.len());
        let heads = heads_at(segment, &block);
        self.index
            .admit(block.shard, &heads)
            .unwrap_or_else(|why| panic!("records out of order: {why}"));
        *owner = Owner {
            epoch: owner.epoch,
            last_block: block.seq,
            last_now_ms: block.now_ms,
        };
        let shard = block.shard;
        written.push(block);
        drop(written);
        self.index.publish(shard, &heads);
        self.index.reclaim();
        Commit::Durable
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn written(&self) -> std::sync::RwLockReadGuard<'_, Vec<Block>> {
        self.written.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> View<'_> {
        View {
            index: &self.index,
            journal: self,
        }
    }
}

impl Journal for Memory {
    fn claim(&self, shard: ShardId) -> Result<Claimed, StoreError> {
        self.take_over(shard, None).expect("nothing stands against it")
    }

    fn submit(&self, block: Block, done: Done) {
        let mut state = self.state();
        if state.crashed {
            drop(state);
            return done(Commit::Failed);
        }
        let shard = block.shard;
        let stale = state
            .shards
            .get(&shard)
            .is_none_or(|owner| owner.epoch != block.epoch.0);
        if stale {
            drop(state);
            return done(Commit::Fenced);
        }
        let taken = state.waiting.iter().any(|(other, _)| other.shard == shard)
            || state
                .unanswered
                .iter()
                .any(|&(other, epoch, ..)| (other, epoch) == (shard, block.epoch));
        assert!(!taken, "shard {} has a block in flight already", shard.0);
        state.waiting.push((block, done));
        drop(state);
        if self.mode == Mode::Immediate {
            self.settle(shard, Fate::Durable);
        }
    }
}

impl Fetch for Memory {
    fn fetch(&self, place: Place) -> Result<Fetched, StoreError> {
        if self.reads_fail.load(Relaxed) {
            return Err(StoreError::Io {
                place: self.name(place),
                what: "reads fail, as the driver asked".to_owned(),
            });
        }
        let written = self.written();
        let (from, to) = (place.offset as usize, place.offset as usize + place.len as usize);
        let bytes = written
            .get(place.segment as usize)
            .and_then(|block| block.bytes.get(from..to));
        let bytes = bytes.ok_or_else(|| StoreError::Corrupt {
            place: self.name(place),
            what: "the index points outside the journal".to_owned(),
        })?;
        let (head, body) = crate::envelope::read_record(bytes).map_err(|error| error.at(self.name(place)))?;
        Ok(Fetched {
            head,
            body: body.into(),
        })
    }

    fn name(&self, place: Place) -> String {
        format!("memory block {} offset {}", place.segment, place.offset)
    }
}

impl Reads for Memory {
    fn newest(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError> {
        self.view().newest(account, seq)
    }

    fn birth(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError> {
        self.view().birth(account, seq)
    }

    fn key_may_exist(&self, account: AccountRef, key: &KeyHash) -> bool {
        self.index.key_may_exist(account, key)
    }

    fn by_key(&self, account: AccountRef, key: &KeyHash) -> Result<Option<Fetched>, StoreError> {
        self.view().by_key(account, key)
    }

    fn page(
        &self,
        query: &PageQuery<'_>,
        accept: &mut dyn FnMut(u64, &Fetched) -> bool,
    ) -> Result<Vec<u64>, StoreError> {
        self.view().page(query, accept)
    }

    fn replay_account(
        &self,
        account: AccountRef,
        visit: &mut dyn FnMut(&Fetched) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.view().replay_account(account, visit)
    }

    fn timers_due(&self, shard: ShardId, until_ms: u64, limit: usize) -> Vec<(u64, AccountRef, u64)> {
        self.index.timers_due(shard, until_ms, limit)
    }

    fn timers_done(&self, shard: ShardId, timers: &[(u64, AccountRef, u64)]) {
        self.index.timers_done(shard, timers);
    }

    fn accounts(&self, shard: ShardId) -> Vec<(AccountRef, u64)> {
        self.index.accounts(shard)
    }
}

impl Scan for Memory {
    fn scan(&self, visit: &mut dyn FnMut(StoredBlock) -> Result<(), StoreError>) -> Result<(), StoreError> {
        for (at, block) in self.blocks().into_iter().enumerate() {
            visit(StoredBlock {
                block,
                place: format!("memory block {at} offset 0"),
            })?;
        }
        Ok(())
    }
}

fn segment_of(at: usize) -> u32 {
    u32::try_from(at).expect("fewer than 2^32 blocks")
}

fn heads_at(segment: u32, block: &Block) -> Vec<(Place, Head)> {
    let place = |offset, len| Place { segment, offset, len };
    records(&block.bytes, block.count)
        .map(|record| record.map(|record| (place(record.offset, record.len), record.head)))
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("a block that BlockBuilder did not make: {error}"))
}

impl Tail for Memory {
    fn blocks_after(&self, shard: ShardId, after: u64, limit: usize) -> Result<Vec<Block>, StoreError> {
        if self.reads_fail.load(Relaxed) {
            return Err(StoreError::Io {
                place: format!("shard {}", shard.0),
                what: "reads fail, as the driver asked".to_owned(),
            });
        }
        let written = self.written();
        let of_shard = written.iter().filter(|block| block.shard == shard && block.seq > after);
        Ok(of_shard.take(limit).cloned().collect())
    }
}

#[cfg(test)]
mod tests;
