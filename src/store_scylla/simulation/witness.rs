//! Sees everything that happens, and says what must not. Whoever simulates is told the first of it.

use super::executor::ProcessId;
use super::tables::{Columns, PartitionKey, Tables, number};
use crate::protocol::{Appended, Owner};
use std::collections::{BTreeMap, BTreeSet};

/// What was seen.
#[derive(Default)]
pub(super) struct Witness {
    violation: Option<String>,
    /// Newest block before the simulation began.
    base: u64,
    /// Claims that returned: epoch, and who has it.
    claims: BTreeMap<u64, ProcessId>,
    /// Blocks of the journal, by number.
    blocks: BTreeMap<u64, Seen>,
    fences: BTreeMap<PartitionKey, i64>,
    /// Appends that began, by what they would write.
    appends: BTreeMap<u64, Append>,
    pub(super) counts: Counts,
}

/// How much happened, so that a test can tell that it did.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Counts {
    pub(super) durable: u64,
    pub(super) fenced: u64,
    pub(super) claims: u64,
    pub(super) rolled_over: u64,
    pub(super) reads: u64,
}

impl Counts {
    pub(super) fn add(&mut self, more: Counts) {
        self.durable += more.durable;
        self.fenced += more.fenced;
        self.claims += more.claims;
        self.rolled_over += more.rolled_over;
        self.reads += more.reads;
    }
}

/// A block of the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Seen {
    epoch: u64,
    content: u64,
}

#[derive(Clone, Copy, Debug)]
struct Append {
    epoch: u64,
    seq: u64,
    process: ProcessId,
    told: Option<Appended>,
}

impl Witness {
    /// Sees what happens to a journal that has so many blocks already.
    pub(super) fn new(base: u64) -> Witness {
        Witness {
            base,
            ..Witness::default()
        }
    }

    /// The first thing that must not be.
    pub(super) fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    fn wrong(&mut self, what: String) {
        self.violation.get_or_insert(what);
    }

    /// A conditional write was applied.
    pub(super) fn changed(
        &mut self,
        tables: &Tables,
        process: ProcessId,
        (key, row, set): &(PartitionKey, Option<i64>, Columns),
    ) {
        match (key.0.as_str(), row) {
            ("journal", Some(seq)) => self.block_written(tables, process, key, *seq as u64, set),
            ("journal", None) => self.fence_raised(key, number(&set["fence"])),
            // The row of a shard is made with epoch and segment; only an owner sets the segment alone.
            ("shards", _) if set.contains_key("segment") && !set.contains_key("epoch") => {
                let segment = number(&set["segment"]);
                self.counts.rolled_over += 1;
                if tables.partition("journal", &[key.1[0], segment]).is_none() {
                    self.wrong(format!("segment {segment} is published before it is open"));
                }
            }
            _ => {}
        }
    }

    fn fence_raised(&mut self, key: &PartitionKey, fence: i64) {
        let before = self.fences.insert(key.clone(), fence);
        if before.is_some_and(|before| before >= fence) {
            self.wrong(format!("the fence of segment {} fell to {fence}", key.1[1]));
        }
    }

    fn block_written(&mut self, tables: &Tables, process: ProcessId, key: &PartitionKey, seq: u64, set: &Columns) {
        let (shard, segment) = (key.1[0], key.1[1]);
        let seen = Seen {
            epoch: number(&set["epoch"]) as u64,
            content: content(set["block"].as_blob().expect("bytes")),
        };
        if let Some(before) = self.blocks.insert(seq, seen) {
            self.wrong(format!("block {seq} was written over: {before:?} by {seen:?}"));
        }
        let newest = self.claims.last_key_value().map_or(0, |(epoch, _)| *epoch);
        if seen.epoch < newest {
            self.wrong(format!(
                "block {seq} of epoch {} by process {process} became durable after the claim of epoch {newest} returned",
                seen.epoch
            ));
        }
        let partition = tables.partition("journal", &key.1).expect("it was written to");
        let fence = partition.statics.get("fence").map(number);
        if fence != Some(seen.epoch as i64) {
            self.wrong(format!(
                "block {seq} of epoch {} was appended in a segment whose fence is {fence:?}",
                seen.epoch
            ));
        }
        let published = tables.partition("shards", &[shard]);
        let published = published.and_then(|row| row.rows[&0].get("segment").map(number));
        if published.is_none_or(|published| published < segment) {
            self.wrong(format!("block {seq} was appended in a segment that is not published"));
        }
    }

    /// A claim returned, which was to be made only if nobody else had claimed since `after`.
    pub(super) fn claimed(&mut self, process: ProcessId, epoch: u64, after: Option<u64>) {
        self.counts.claims += 1;
        if self.claims.insert(epoch, process).is_some() {
            self.wrong(format!("two claims got epoch {epoch}"));
        }
        let after = after.map_or(epoch, |after| after + 1);
        let between = self.claims.range(after..epoch).find(|(_, by)| **by != process);
        if let Some((other, _)) = between {
            self.wrong(format!(
                "the claim of epoch {epoch} took the shard from epoch {other} unknowingly"
            ));
        }
    }

    /// A new owner has read the tail: all of its predecessors' blocks. Where it was slow, its successors' may be there, too.
    pub(super) fn stands(&mut self, owner: &Owner) {
        let older = self.blocks.iter().filter(|(_, seen)| seen.epoch < owner.epoch);
        let last = older.map(|(seq, _)| *seq).next_back().unwrap_or(self.base);
        let newer = self.blocks.get(&owner.last_block);
        if owner.last_block < last || newer.is_some_and(|seen| seen.epoch == owner.epoch) {
            let what = format!(
                "the owner of epoch {} stands on block {} and not on {last}",
                owner.epoch, owner.last_block
            );
            self.wrong(what);
        }
    }

    /// An append begins.
    pub(super) fn begins(&mut self, process: ProcessId, epoch: u64, seq: u64, content: u64) {
        let told = None;
        let append = Append {
            epoch,
            seq,
            process,
            told,
        };
        self.appends.insert(content, append);
    }

    /// Its owner was told what became of it.
    pub(super) fn told(&mut self, tables: &Tables, shard: i64, content: u64, told: Appended) {
        let append = self.appends.get_mut(&content).expect("it began");
        append.told = Some(told);
        let Append { epoch, seq, .. } = *append;
        match told {
            Appended::Durable => {
                self.counts.durable += 1;
                let there = self.blocks.get(&seq).copied();
                if there != Some(Seen { epoch, content }) {
                    self.wrong(format!(
                        "block {seq} of epoch {epoch} was acknowledged and the journal has {there:?} there"
                    ));
                }
            }
            Appended::Fenced => {
                self.counts.fenced += 1;
                let now = tables.partition("shards", &[shard]).expect("it was claimed");
                let now = number(&now.rows[&0]["epoch"]) as u64;
                if now <= epoch {
                    self.wrong(format!(
                        "the owner of epoch {epoch} was told that it is fenced, and nobody has claimed since"
                    ));
                }
            }
        }
    }

    /// Newest block that anybody was told is durable.
    pub(super) fn acknowledged(&self) -> u64 {
        let told = self
            .appends
            .values()
            .filter(|append| append.told == Some(Appended::Durable));
        told.map(|append| append.seq).max().unwrap_or(self.base)
    }

    /// A read that began when this block had been acknowledged was answered by one who knew of blocks up to the other.
    pub(super) fn answered(&mut self, epoch: u64, newest: u64, acknowledged: u64) {
        self.counts.reads += 1;
        if newest < acknowledged {
            self.wrong(format!(
                "the owner of epoch {epoch} answered a read by what it knew up to block {newest}, and {acknowledged} was \
                 acknowledged before"
            ));
        }
    }

    /// Everything has come to rest; these processes were killed.
    pub(super) fn at_rest(&mut self, killed: &BTreeSet<ProcessId>) {
        for (content, append) in self.appends.clone() {
            let there = self.blocks.get(&append.seq).is_some_and(|seen| seen.content == content);
            match append.told {
                None if !killed.contains(&append.process) => {
                    self.wrong(format!("an append never ended: {append:?}"));
                }
                Some(Appended::Fenced) if there => {
                    self.wrong(format!(
                        "an append was told that it is fenced and is in the journal: {append:?}"
                    ));
                }
                Some(Appended::Durable) if !there => self.wrong(format!("an acknowledged block is lost: {append:?}")),
                _ => {}
            }
        }
        let numbers: Vec<u64> = std::iter::once(self.base).chain(self.blocks.keys().copied()).collect();
        if let Some(gap) = numbers.windows(2).find(|pair| pair[1] != pair[0] + 1) {
            self.wrong(format!("the journal has a gap behind block {}", gap[0]));
        }
    }

    /// Blocks of the journal that were written here: number and content.
    pub(super) fn journal(&self) -> impl Iterator<Item = (u64, u64)> {
        self.blocks.iter().map(|(seq, seen)| (*seq, seen.content))
    }
}

/// What a block of the simulation says.
pub(super) fn content(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("eight bytes"))
}
