//! The output gate: what depends on undurable state waits with the block it depends on.
//!
//! One block of the shard is with the store; the next one fills meanwhile. Answers and network calls of a block travel
//! with it to the committer, which releases them when the block is durable: a panic of the shard cannot lose the answer
//! to something that became durable. Answers that only *read* what the block in flight changed wait here instead.
//!
//! Where another process may take the shard over, an answer without a block of its own also waits for the barrier
//! ([`Ward`]): an append, or a look at the store, that begins after the answer was made and shows that the shard is still
//! here.

use super::CallOut;
use super::ward::Ward;
use crate::outbox::{Moved, OpenNote};
use crate::request::Delivery;
use crate::settings::ShardSettings;
use std::collections::VecDeque;
use tollgate_breaks::broken;
use tollgate_store::envelope::{BlockBuilder, BlockFull};
use tollgate_store::{Block, Claimed, Head, ShardId};

/// A block with everything that waits for it.
#[derive(Debug)]
pub struct Sealed {
    /// For [`Journal::submit`](tollgate_store::Journal::submit).
    pub block: Block,
    /// Released when the block is durable.
    pub release: Release,
}

/// What leaves when a block is durable.
#[derive(Debug, Default)]
pub struct Release {
    /// Answers.
    pub replies: Vec<Delivery>,
    /// Calls to networks.
    pub calls: Vec<CallOut>,
    /// Accounts with endpoints that have something new, for whoever delivers it.
    pub moved: Vec<Moved>,
    /// What delivery noted in it.
    pub notes: Vec<OpenNote>,
}

/// The gate of one shard.
#[derive(Debug)]
pub(crate) struct Gate {
    builder: BlockBuilder,
    /// Sequence of the block that fills.
    open_seq: u64,
    release: Release,
    /// Blocks closed by size before the one in flight was durable: usually none.
    closed: VecDeque<Sealed>,
    in_flight: Option<u64>,
    durable: u64,
    /// Answers that wait for the block in flight or a closed one: (block, answer), oldest first.
    held: Vec<(u64, Delivery)>,
    /// Answers that wait for the barrier; `None` where there is none.
    ward: Option<Ward>,
}

impl Gate {
    pub(crate) fn new(shard: ShardId, claimed: &Claimed, warded: bool) -> Self {
        Gate {
            builder: BlockBuilder::new(shard, claimed.epoch, claimed.last_now_ms),
            open_seq: claimed.last_block + 1,
            release: Release::default(),
            closed: VecDeque::new(),
            in_flight: None,
            durable: claimed.last_block,
            held: Vec::new(),
            ward: warded.then(Ward::default),
        }
    }

    /// Sequence of the newest durable block.
    pub(crate) fn durable(&self) -> u64 {
        self.durable
    }

    /// Whether no further command may be decided until the block in flight is durable.
    pub(crate) fn is_full(&self, settings: &ShardSettings) -> bool {
        !self.closed.is_empty()
            || self.builder.len() >= settings.block_records
            || self.builder.bytes_len() >= settings.block_bytes
    }

    /// Whether a block has records and was not handed out.
    pub(crate) fn is_filling(&self) -> bool {
        !self.builder.is_empty() || !self.closed.is_empty()
    }

    /// Records of the block that would be sealed next; none while one is in flight.
    pub(crate) fn ready_records(&self) -> u32 {
        if self.in_flight.is_some() {
            return 0;
        }
        let closed = self.closed.front().map(|sealed| sealed.block.count);
        // A block's records fit 32 bits.
        closed.unwrap_or(self.builder.len() as u32)
    }

    /// Whether no block is open with records, closed or in flight, and no answer waits for the barrier.
    pub(crate) fn is_quiet(&self) -> bool {
        let warding = self.ward.as_ref().is_some_and(|ward| !ward.is_empty());
        self.in_flight.is_none() && self.builder.is_empty() && self.closed.is_empty() && !warding
    }

    /// Appends a record; returns the sequence of its block.
    pub(crate) fn push(&mut self, head: &Head, body: &[u8]) -> u64 {
        if self.builder.push(head, body) == Err(BlockFull) {
            self.close();
            self.builder.push(head, body).expect("an empty block takes any record");
        }
        self.open_seq
    }

    /// Lets a network call leave with the block that fills.
    pub(crate) fn call(&mut self, call: CallOut) {
        assert!(
            !self.builder.is_empty(),
            "a call leaves only with the record of its attempt"
        );
        self.release.calls.push(call);
    }

    /// Lets delivery know of an account's news with the block that fills.
    pub(crate) fn moved(&mut self, moved: Moved) {
        assert!(!self.builder.is_empty(), "what is new stands in a record");
        // Many in a row are one account's, as a rule: its newest says all.
        match self.release.moved.last_mut() {
            Some(last) if last.account == moved.account => {
                let change = moved.change.or(last.change);
                *last = Moved { change, ..moved };
            }
            _ => self.release.moved.push(moved),
        }
    }

    /// Lets a note be known as durable with the block that fills.
    pub(crate) fn noted(&mut self, note: OpenNote) {
        assert!(!self.builder.is_empty(), "a note is a record");
        self.release.notes.push(note);
    }

    /// Lets an answer leave once `block` is durable; gives it back when it is already.
    pub(crate) fn reply(&mut self, block: u64, delivery: Delivery) -> Option<Delivery> {
        assert!(
            block <= self.open_seq,
            "an answer depends on a block that does not exist yet"
        );
        if broken!(AcknowledgeBeforeCommit) {
            return Some(delivery);
        }
        if block == self.open_seq {
            self.release.replies.push(delivery);
        } else if let Some(ward) = &mut self.ward
            && !broken!(AnswerWithoutBarrier)
        {
            // The append of the block in flight has begun already, and says nothing of whose the shard is now.
            let next = self.closed.front().map_or(self.open_seq, |sealed| sealed.block.seq);
            ward.wait(block, next, delivery);
        } else if block > self.durable {
            self.held.push((block, delivery));
        } else {
            return Some(delivery);
        }
        None
    }

    /// Whether the store is to be asked whose the shard is, for answers that no append is going to answer that for. To be
    /// called at the end of a turn, after [`Gate::seal`].
    pub(crate) fn asks(&mut self) -> bool {
        let newest = if self.builder.is_empty() {
            self.open_seq - 1
        } else {
            self.open_seq
        };
        self.ward.as_mut().is_some_and(|ward| ward.begins(newest))
    }

    /// The store has said that the shard is still here: whoever waited for that is answered, or waits for its block.
    pub(crate) fn stood(&mut self, out: &mut Vec<Delivery>) {
        let Some(ward) = &mut self.ward else { return };
        for (block, delivery) in ward.ends() {
            if block <= self.durable {
                out.push(delivery);
            } else {
                self.held.push((block, delivery));
            }
        }
    }

    /// The store could not say whose the shard is: everyone who waited for that.
    pub(crate) fn unsure(&mut self) -> Vec<Delivery> {
        let ward = self.ward.as_mut();
        let asked = ward.map(Ward::ends).unwrap_or_default();
        asked.into_iter().map(|(_, delivery)| delivery).collect()
    }

    /// Takes the next block for the store, if none is in flight and there is anything to write.
    pub(crate) fn seal(&mut self) -> Option<Sealed> {
        if self.in_flight.is_some() {
            return None;
        }
        if self.closed.is_empty() && !self.builder.is_empty() {
            self.close();
        }
        let sealed = self.closed.pop_front()?;
        self.in_flight = Some(sealed.block.seq);
        Some(sealed)
    }

    /// The block in flight is durable: passes what waited for it to `out`.
    pub(crate) fn committed(&mut self, seq: u64, out: &mut Vec<Delivery>) {
        assert_eq!(
            self.in_flight,
            Some(seq),
            "a block was reported durable that is not in flight"
        );
        self.in_flight = None;
        self.durable = seq;
        // In one pass, in order: an answer that waits for a closed block may stand before one that waits for this.
        for (block, delivery) in std::mem::take(&mut self.held) {
            if block <= seq {
                out.push(delivery);
            } else {
                self.held.push((block, delivery));
            }
        }
        if let Some(ward) = &mut self.ward {
            out.extend(ward.appended(seq));
        }
    }

    /// Every answer that has not been given to the store with its block.
    pub(crate) fn abandon(&mut self) -> Vec<Delivery> {
        let closed = self.closed.drain(..).flat_map(|sealed| sealed.release.replies);
        let held = std::mem::take(&mut self.held).into_iter().map(|(_, delivery)| delivery);
        let warded = self.ward.as_mut().map(Ward::take).unwrap_or_default();
        closed
            .chain(held)
            .chain(warded)
            .chain(std::mem::take(&mut self.release.replies))
            .collect()
    }

    fn close(&mut self) {
        let block = self.builder.seal(self.open_seq);
        self.closed.push_back(Sealed {
            block,
            release: std::mem::take(&mut self.release),
        });
        self.open_seq += 1;
    }
}
