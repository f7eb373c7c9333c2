//! The one thread that writes. It takes what all shards have handed in, writes it as one group, syncs once, publishes
//! the index and answers: group commit clocks itself, because the next group fills while this one syncs.

use crate::checkpoint::{Mark, Position};
use crate::disk::Disk;
use crate::files::{Lock, io_error};
use crate::frame::{Codec, HEADER, Header, Kind, frame_len};
use crate::index::DiskIndex;
use crate::preparer::Segments;
use crate::rebuild::Owners;
use crate::segment::{SEGMENT_HEADER, Segment};
use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tollgate_breaks::broken;
use tollgate_store::envelope::records;
use tollgate_store::index::{Index, Place};
use tollgate_store::{Block, Claimed, Commit, Done, Epoch, Head, ShardId, StoreError};

/// Called once, when the store can no longer write.
pub type OnFatal = Box<dyn Fn(&StoreError) + Send + Sync>;

/// Told of each group after it was answered, on the committer's thread: must be short.
pub type OnGroup = Box<dyn Fn(&Group) + Send>;

/// What a group of blocks took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Writing and syncing it.
    pub sync: Duration,
    /// Publishing it in the index and answering its blocks.
    pub publish: Duration,
}

/// What a shard hands in.
pub(crate) enum Item {
    Block(Block, Done),
    Claim(ShardId, crossbeam_channel::Sender<Result<Claimed, StoreError>>),
}

/// What waits for the committer. Holds at most one block for each incarnation of a shard.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<QueueState>,
    wake: Condvar,
}

#[derive(Default)]
struct QueueState {
    items: VecDeque<Item>,
    in_flight: BTreeSet<(ShardId, Epoch)>,
    stopping: bool,
}

impl Queue {
    /// Hands something in.
    ///
    /// # Panics
    /// When a block of the same incarnation is in flight.
    pub(crate) fn push(&self, item: Item) {
        let mut state = self.state();
        if let Item::Block(block, _) = &item {
            let first = state.in_flight.insert((block.shard, block.epoch));
            assert!(first, "shard {} has a block in flight already", block.shard.0);
        }
        state.items.push_back(item);
        drop(state);
        self.wake.notify_one();
    }

    /// Lets the committer end once it has written what waits.
    pub(crate) fn stop(&self) {
        self.state().stopping = true;
        self.wake.notify_one();
    }

    /// Waits for work; `None` when there will be no more.
    fn take(&self, into: &mut VecDeque<Item>) -> Option<()> {
        let mut state = self.state();
        while state.items.is_empty() {
            if state.stopping {
                return None;
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut state.items, into);
        Some(())
    }

    /// Lets the incarnation hand in its next block.
    fn landed(&self, shard: ShardId, epoch: Epoch) {
        self.state().in_flight.remove(&(shard, epoch));
    }

    fn state(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the committer works with.
pub(crate) struct Committer {
    pub(crate) queue: Arc<Queue>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) index: Arc<DiskIndex>,
    pub(crate) codec: Codec,
    pub(crate) owners: Owners,
    pub(crate) segments: Segments,
    /// The segment that is written to.
    pub(crate) segment: Segment,
    /// Where the next group begins in it.
    pub(crate) offset: u64,
    /// Where the last frame begins in it.
    pub(crate) last_frame: u32,
    /// Hash of the last frame's header.
    pub(crate) chain: u64,
    /// Whether groups are synced; off only where losing them does not matter.
    pub(crate) fsync: bool,
    pub(crate) on_fatal: OnFatal,
    pub(crate) on_group: OnGroup,
    /// Time spent writing and syncing since the last group was told of.
    pub(crate) syncing: Duration,
    /// The group being gathered.
    pub(crate) group: Vec<u8>,
    /// Held as long as anything may be written.
    pub(crate) _lock: Arc<Lock>,
}

/// A block that is in the group, and what to do once that is durable.
struct Pending {
    shard: ShardId,
    epoch: Epoch,
    records: Vec<(Place, Head)>,
    done: Done,
}

/// A group's consequences, in order.
#[derive(Default)]
struct Turn {
    blocks: VecDeque<Pending>,
    refused: VecDeque<(ShardId, Epoch, Done)>,
    claims: VecDeque<(crossbeam_channel::Sender<Result<Claimed, StoreError>>, Claimed)>,
}

impl Committer {
    /// Starts the thread.
    pub(crate) fn start(self) -> std::io::Result<JoinHandle<()>> {
        std::thread::Builder::new()
            .name("tollgate-commit".to_owned())
            .spawn(move || self.run())
    }

    fn run(mut self) {
        let mut items = VecDeque::new();
        let mut failed = false;
        while self.queue.take(&mut items).is_some() {
            let mut turn = Turn::default();
            if !failed && let Err(error) = self.turn(&mut items, &mut turn) {
                failed = true;
                (self.on_fatal)(&error);
                self.answer(&mut turn, Commit::Failed);
            }
            // Empty unless something failed.
            while let Some(item) = items.pop_front() {
                self.refuse(item);
            }
        }
    }

    /// Writes, publishes and answers everything in `items`. After an error what was not answered is left in the two.
    fn turn(&mut self, items: &mut VecDeque<Item>, turn: &mut Turn) -> Result<(), StoreError> {
        // A panic in here is a bug; it stops the store like a write error would, because nothing is known any more.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            self.commit(items, turn)?;
            let synced = Instant::now();
            self.answer(turn, Commit::Durable);
            (self.on_group)(&Group {
                sync: std::mem::take(&mut self.syncing),
                publish: synced.elapsed(),
            });
            self.index.reached(|| Mark {
                position: Position {
                    segment: self.segment.number,
                    last_frame: self.last_frame,
                    // Sizes of segments fit 32 bits.
                    offset: self.offset as u32,
                    chain: self.chain,
                },
                owners: self.owners.clone(),
            });
            Ok(())
        }));
        outcome.unwrap_or_else(|panic| {
            let what = format!("the committer panicked: {}", panic_text(&*panic));
            Err(StoreError::Io {
                place: self.segment.path.display().to_string(),
                what,
            })
        })
    }

    fn commit(&mut self, items: &mut VecDeque<Item>, turn: &mut Turn) -> Result<(), StoreError> {
        self.group.clear();
        while let Some(item) = items.pop_front() {
            match item {
                Item::Block(block, done) => self.add_block(block, done, turn)?,
                Item::Claim(shard, answer) => match self.add_claim(shard) {
                    Ok(claimed) => turn.claims.push_back((answer, claimed)),
                    Err(error) => {
                        // Answered with what is left, after the operator was told why.
                        items.push_front(Item::Claim(shard, answer));
                        return Err(error);
                    }
                },
            }
        }
        self.flush()
    }

    fn add_block(&mut self, block: Block, done: Done, turn: &mut Turn) -> Result<(), StoreError> {
        let owner = self.owners.get(&block.shard).copied().unwrap_or_default();
        let stale = block.epoch.0 != owner.epoch && !broken!(AcceptStaleEpoch);
        if stale || block.seq != owner.last_block + 1 {
            turn.refused.push_back((block.shard, block.epoch, done));
            return Ok(());
        }
        // From here on the block is answered with the group, whatever happens.
        turn.blocks.push_back(Pending {
            shard: block.shard,
            epoch: block.epoch,
            records: Vec::new(),
            done,
        });
        let bug = |what: String| StoreError::Body {
            place: format!("block {} of shard {}", block.seq, block.shard.0),
            what,
        };
        if block.now_ms < owner.last_now_ms {
            return Err(bug("its time lies before that of the block before".to_owned()));
        }
        self.make_room(block.bytes.len())?;
        let base = self.offset as usize + self.group.len() + HEADER;
        let mut all = Vec::with_capacity(block.count as usize);
        for record in records(&block.bytes, block.count) {
            let record = record.map_err(|error| bug(error.to_string()))?;
            let offset = base as u32 + record.offset;
            all.push((
                Place {
                    segment: self.segment.number,
                    offset,
                    len: record.len,
                },
                record.head,
            ));
        }
        self.index.admit(block.shard, &all).map_err(bug)?;
        self.put(Header::of_block(&block), &block.bytes);
        let owner = self.owners.entry(block.shard).or_default();
        (owner.last_block, owner.last_now_ms) = (block.seq, block.now_ms);
        turn.blocks.back_mut().expect("the block was just added").records = all;
        Ok(())
    }

    fn add_claim(&mut self, shard: ShardId) -> Result<Claimed, StoreError> {
        self.make_room(0)?;
        let owner = self.owners.entry(shard).or_default();
        owner.epoch += u64::from(!broken!(ClaimKeepsEpoch));
        let (epoch, seq, now_ms) = (Epoch(owner.epoch), owner.last_block, owner.last_now_ms);
        self.put(
            Header {
                kind: Kind::Claim,
                shard,
                len: 0,
                count: 0,
                group: 0,
                epoch,
                seq,
                now_ms,
                previous: 0,
            },
            b"",
        );
        Ok(Claimed {
            epoch,
            last_block: seq,
            last_now_ms: now_ms,
        })
    }

    fn put(&mut self, mut header: Header, payload: &[u8]) {
        // Sizes of segments fit 32 bits.
        header.group = self.offset as u32;
        self.last_frame = header.group + self.group.len() as u32;
        header.previous = self.chain;
        self.chain = self.codec.put(&mut self.group, &header, payload);
    }

    /// Goes on to the next segment when this one has no room for a frame with that much payload.
    fn make_room(&mut self, payload: usize) -> Result<(), StoreError> {
        let frame = frame_len(payload) as u64;
        if self.offset + self.group.len() as u64 + frame <= self.segment.bytes {
            return Ok(());
        }
        // What follows may only become durable after everything before it.
        self.flush()?;
        self.segment = self.segments.next(SEGMENT_HEADER as u64 + frame)?;
        self.offset = SEGMENT_HEADER as u64;
        Ok(())
    }

    /// Writes and syncs the group. An error is final: after a failed sync nothing is known about any page.
    fn flush(&mut self) -> Result<(), StoreError> {
        if self.group.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        let (path, file) = (&self.segment.path, &self.segment.file);
        let written = self.disk.write_at(file, &self.group, self.offset);
        written.map_err(|error| io_error(path, "write", &error))?;
        if self.fsync && !broken!(SkipSync) {
            let synced = self.disk.sync(file).map_err(|error| io_error(path, "sync", &error));
            synced.or_else(|error| if broken!(IgnoreFailedSync) { Ok(()) } else { Err(error) })?;
        }
        self.syncing += began.elapsed();
        self.offset += self.group.len() as u64;
        self.group.clear();
        Ok(())
    }

    fn answer(&self, turn: &mut Turn, commit: Commit) {
        while let Some((shard, epoch, done)) = turn.refused.pop_front() {
            self.call(shard, epoch, done, Commit::Fenced);
        }
        while let Some(pending) = turn.blocks.pop_front() {
            if commit == Commit::Durable && !broken!(AnswerBeforePublish) {
                self.index.publish(pending.shard, &pending.records);
                #[cfg(feature = "faults")]
                self.disk.published();
            }
            self.call(pending.shard, pending.epoch, pending.done, commit);
            if commit == Commit::Durable && broken!(AnswerBeforePublish) {
                self.index.publish(pending.shard, &pending.records);
            }
        }
        while let Some((answer, claimed)) = turn.claims.pop_front() {
            // Whoever claimed may have gone; the epoch is taken all the same.
            let _ = answer.send(if commit == Commit::Durable {
                Ok(claimed)
            } else {
                Err(StoreError::Stopped)
            });
        }
    }

    fn refuse(&self, item: Item) {
        match item {
            Item::Block(block, done) => self.call(block.shard, block.epoch, done, Commit::Failed),
            Item::Claim(_, answer) => {
                let _ = answer.send(Err(StoreError::Stopped));
            }
        }
    }

    fn call(&self, shard: ShardId, epoch: Epoch, done: Done, commit: Commit) {
        // The answer may hand in the next block.
        self.queue.landed(shard, epoch);
        done(commit);
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
        .to_owned()
}
