//! A run: the index of a stretch of the journal, on disk, never changed.
//!
//! ```text
//! "TGINDEX1" | timeline | lists | changes | timers | accounts | tail
//! tail = the indexes of the five sections' blocks, and the filters of the changes and of the accounts
//! ```
//! The manifest knows each file's length and where its tail begins, with the tail's checksum.

mod writing;

pub(super) use self::writing::{AccountsWriter, ChangesWriter, RunWriter, Written};
use super::block::{Blocks, Cursor, Entry, Section};
use super::entries::{AccountEntry, ChangeEntry, MemberEntry, RecordEntry, RecordKey, TimerEntry};
use super::file::{IndexFile, Writing};
use super::files::{FileKind, FileName, Files};
use super::filter::{Filter, Probe, mix};
use super::health::Health;
use super::layer::Layer;
use super::manifest::FileEntry;
use std::sync::Arc;
use tollgate_resource::RecordError;
use tollgate_resource::record::Input;
use tollgate_store::index::{Candidates, Place, STEP_MAX, Step};
use tollgate_store::{AccountRef, PageQuery, StoreError};

/// A tail larger than this is not ours.
const TAIL_BYTES_MAX: u64 = 4 << 30;

/// A run that is read.
pub(super) struct Run {
    pub(super) entry: FileEntry,
    pub(super) timeline: Section<RecordEntry>,
    pub(super) lists: Section<MemberEntry>,
    pub(super) changes: Section<ChangeEntry>,
    pub(super) timers: Section<TimerEntry>,
    pub(super) accounts: Section<AccountEntry>,
    changed: Filter,
    present: Filter,
}

/// The name of the file of a run.
pub(super) fn name(id: u64) -> FileName {
    let kind = FileKind::Run;
    FileName { id, kind }
}

/// A changed object as the filter knows it.
fn changed_probe(account: u64, seq: u64) -> Probe {
    Probe::new(mix(mix(account) ^ seq))
}

impl Run {
    /// Writes what a layer in memory holds.
    pub(super) fn write(writing: &Writing, id: u64, layer: &Layer, health: &Arc<Health>) -> Result<Run, StoreError> {
        let mut run = RunWriter::create(writing, id)?;
        // Nobody publishes into this layer any more, so nobody waits.
        let timers: Vec<TimerEntry> = layer.timers().iter().copied().collect();
        let written = layer.recent.with_all(|accounts| run.write_layer(accounts, &timers))?;
        run.finish(0, written, health)
    }

    /// Opens a run and checks its tail; the blocks are checked when they are read.
    pub(super) fn open(files: &dyn Files, entry: FileEntry, health: &Arc<Health>) -> Result<Run, StoreError> {
        let file = IndexFile::open(files, name(entry.id), entry.bytes, health)?;
        let tail = read_tail(&file, &entry)?;
        let take = |input: &mut Input<'_>| {
            Ok(Written {
                timeline: Blocks::take(input)?,
                lists: Blocks::take(input)?,
                changes: Blocks::take(input)?,
                timers: Blocks::take(input)?,
                accounts: Blocks::take(input)?,
                changed: Filter::take(input)?,
                present: Filter::take(input)?,
            })
        };
        let written = take(&mut Input::new(&tail)).map_err(|error: RecordError| bad_tail(&file, &entry, &error))?;
        Ok(Run::assemble(&file, entry, written))
    }

    fn assemble(file: &Arc<IndexFile>, entry: FileEntry, written: Written) -> Run {
        Run {
            entry,
            timeline: Section::new(file, written.timeline),
            lists: Section::new(file, written.lists),
            changes: Section::new(file, written.changes),
            timers: Section::new(file, written.timers),
            accounts: Section::new(file, written.accounts),
            changed: written.changed,
            present: written.present,
        }
    }

    /// The record with the newest version of an object that was changed here.
    pub(super) fn changed(&self, account: AccountRef, seq: u64) -> Result<Option<Place>, StoreError> {
        if !self.changed.may_hold(&changed_probe(account.0, seq)) {
            return Ok(None);
        }
        Ok(self.changes.find(&(account.0, seq))?.map(|entry| entry.place))
    }

    /// The record in which `seq` was born.
    pub(super) fn birth(&self, account: AccountRef, seq: u64) -> Result<Option<RecordEntry>, StoreError> {
        let within = |key: &RecordKey| (key.account, key.first_seq) <= (account.0, seq);
        let blocks = self.timeline.blocks();
        let block = blocks.partition_point(|block| within(&block.first)).checked_sub(1);
        let may_hold = block.map(|at| &blocks[at]).is_some_and(|block| {
            // In a block that begins with another account only the last one's beginning is known.
            block.first.account == account.0
                || block.note.last.is_some_and(|last| last >= (account.0, 0))
                    && block
                        .note
                        .last
                        .is_none_or(|(last, from)| last != account.0 || seq >= from)
                    && self.present.may_hold(&Probe::new(mix(account.0)))
        });
        if !may_hold {
            return Ok(None);
        }
        let entry = self.timeline.last_within(within)?;
        let of_account = entry.filter(|entry| entry.account == account.0);
        Ok(of_account.filter(|entry| seq - entry.first_seq < entry.born.len() as u64))
    }

    /// At most `max` places of the account's records from number `from` on, if that record is here.
    pub(super) fn records(&self, account: AccountRef, from: u64, max: usize) -> Result<Vec<Place>, StoreError> {
        let mut cursor = self.timeline_at(account, |key| key.number < from)?;
        let mut places = Vec::new();
        while places.len() < max
            && let Some(entry) = cursor.forth()?
            && entry.account == account.0
        {
            if places.is_empty() && entry.number != from {
                break;
            }
            places.push(entry.place);
        }
        Ok(places)
    }

    /// See [`tollgate_store::index::SimpleIndex::seq_from_ms`].
    pub(super) fn seq_from_ms(&self, account: AccountRef, ms: u64) -> Result<Option<u64>, StoreError> {
        let mut cursor = self.timeline_at(account, |key| key.now_ms < ms)?;
        let after = cursor
            .peek()?
            .filter(|entry| entry.account == account.0)
            .map(|entry| entry.first_seq);
        let before = cursor.back()?.filter(|entry| entry.account == account.0);
        Ok(match (before, after) {
            (None, None) => None,
            (None, Some(_)) => Some(0),
            (Some(_), Some(first_seq)) => Some(first_seq),
            (Some(entry), None) => Some(entry.first_seq + entry.born.len() as u64),
        })
    }

    /// Whether the membership was recorded here.
    pub(super) fn is_member(&self, member: MemberEntry) -> Result<bool, StoreError> {
        Ok(self.lists.find(&member)?.is_some())
    }

    /// At most `step.max` children of `parent` recorded here, in the direction of the step.
    pub(super) fn members(
        &self,
        account: AccountRef,
        parent: u64,
        kind: u8,
        step: Step,
    ) -> Result<Vec<u64>, StoreError> {
        let at = |child: u64| MemberEntry {
            account: account.0,
            parent,
            kind,
            child,
        };
        let (low, high) = (at(step.low), at(step.high));
        let blocks = self.lists.blocks();
        let after = blocks.partition_point(|block| block.first < low);
        let before_holds = after.checked_sub(1).is_some_and(|before| blocks[before].note >= low);
        if !before_holds && blocks.get(after).is_none_or(|block| block.first >= high) {
            return Ok(Vec::new());
        }
        let from = if step.upward { low } else { high };
        let mut cursor = self.lists.seek(|key| *key < from)?;
        let mut members = Vec::new();
        while members.len() < step.max {
            let entry = if step.upward { cursor.forth()? } else { cursor.back()? };
            let of_list = entry.filter(|entry| (entry.account, entry.parent, entry.kind) == (account.0, parent, kind));
            let Some(child) = of_list.map(|entry| entry.child) else {
                break;
            };
            if child < step.low || child >= step.high {
                break;
            }
            members.push(child);
        }
        Ok(members)
    }

    /// The births of the query's kind here, in one bounded step; heeds times, not parents.
    pub(super) fn candidates(&self, query: &PageQuery<'_>, step: Step) -> Result<Candidates, StoreError> {
        let (from_ms, to_ms) = query.born_ms;
        let mut step = step;
        if from_ms > 0 {
            step.low = step.low.max(self.seq_from_ms(query.account, from_ms)?.unwrap_or(0));
        }
        if let Some(after) = to_ms.checked_add(1) {
            step.high = step.high.min(self.seq_from_ms(query.account, after)?.unwrap_or(0));
        }
        if step.low >= step.high {
            return Ok(Candidates::default());
        }
        self.of_kind(query, step)
    }

    fn of_kind(&self, query: &PageQuery<'_>, step: Step) -> Result<Candidates, StoreError> {
        let blocks = self.timeline.blocks();
        let (account, mut found) = (query.account.0, Vec::new());
        let bound = if step.upward {
            step.low.saturating_add(1)
        } else {
            step.high
        };
        let below = |key: &RecordKey| (key.account, key.first_seq) < (account, bound);
        // The last record below the bound is the first to look at: upwards it may give birth to `low`.
        let after = blocks.partition_point(|block| below(&block.first));
        let Some(mut block) = after
            .checked_sub(1)
            .or((step.upward && !blocks.is_empty()).then_some(0))
        else {
            return Ok(Candidates::default());
        };
        let mut started = false;
        // Records looked at, and blocks passed over.
        let mut looks = 0;
        loop {
            let of_kind = blocks[block].note.kinds & 1 << query.kind != 0;
            let tagged = query.tags == 0 || blocks[block].note.tags & query.tags != 0;
            let resume = |seq: u64, found: Vec<(u64, Place)>| {
                let resume = Some(seq);
                Ok(Candidates { found, resume })
            };
            let edge = blocks[block].first;
            if of_kind && tagged {
                let entries = self.timeline.load(block)?;
                let split = entries.partition_point(|entry| below(&entry.key()));
                let range = match (started, step.upward) {
                    (true, _) => 0..entries.len(),
                    (false, true) => split.saturating_sub(1)..entries.len(),
                    (false, false) => 0..split,
                };
                let chosen = entries[range].iter();
                let in_order: Box<dyn Iterator<Item = &RecordEntry>> = if step.upward {
                    Box::new(chosen)
                } else {
                    Box::new(chosen.rev())
                };
                for entry in in_order {
                    looks += 1;
                    if entry.account != account {
                        // Upwards the first record looked at may belong to the account before.
                        if step.upward && entry.account < account {
                            continue;
                        }
                        return Ok(Candidates { found, resume: None });
                    }
                    let end = entry.first_seq + entry.born.len() as u64;
                    let past = if step.upward {
                        entry.first_seq >= step.high
                    } else {
                        end <= step.low
                    };
                    if past && !entry.born.is_empty() {
                        return Ok(Candidates { found, resume: None });
                    }
                    if query.tags != 0 && entry.tags & query.tags == 0 {
                        continue;
                    }
                    let births = entry.born.iter().enumerate();
                    let mut births = births.filter(|&(_, &kind)| kind == query.kind);
                    loop {
                        let next = if step.upward { births.next() } else { births.next_back() };
                        let Some((nth, _)) = next else { break };
                        let seq = entry.first_seq + nth as u64;
                        if seq < step.low || seq >= step.high {
                            continue;
                        }
                        found.push((seq, entry.place));
                        if found.len() == step.max {
                            return resume(if step.upward { seq + 1 } else { seq }, found);
                        }
                    }
                }
            } else {
                looks += 1;
            }
            started = true;
            // On to the next block, if it can still hold records of the account in the step's range.
            if step.upward {
                block += 1;
                let Some(next) = blocks.get(block).map(|block| block.first) else {
                    return Ok(Candidates { found, resume: None });
                };
                if next.account > account || next.account == account && next.first_seq >= step.high {
                    return Ok(Candidates { found, resume: None });
                }
                if looks >= STEP_MAX && next.account == account {
                    // Records without births may stand before the next block with the number of its first record.
                    return resume(next.first_seq.max(step.low), found);
                }
            } else {
                // Everything before a block that begins with another account, or at `low` or below, is out of range.
                if edge.account != account || edge.first_seq <= step.low || block == 0 {
                    return Ok(Candidates { found, resume: None });
                }
                if looks >= STEP_MAX {
                    return resume(edge.first_seq, found);
                }
                block -= 1;
            }
        }
    }

    /// A place in the timeline: before the first record of the account for which `below` does not hold.
    fn timeline_at(
        &self,
        account: AccountRef,
        below: impl Fn(&RecordKey) -> bool,
    ) -> Result<Cursor<'_, RecordEntry>, StoreError> {
        self.timeline
            .seek(|key| key.account < account.0 || key.account == account.0 && below(key))
    }
}

/// Reads and checks the tail of a file.
pub(super) fn read_tail(file: &IndexFile, entry: &FileEntry) -> Result<Vec<u8>, StoreError> {
    let len = entry
        .bytes
        .checked_sub(entry.tail_at)
        .filter(|&len| len <= TAIL_BYTES_MAX);
    let len = len.ok_or_else(|| file.damaged(entry.tail_at, "the tail has an impossible length"))?;
    let mut tail = vec![0; len as usize];
    file.read(&mut tail, entry.tail_at)?;
    if crc32c::crc32c(&tail) != entry.tail_crc {
        return Err(file.damaged(entry.tail_at, "the checksum of the tail does not fit"));
    }
    Ok(tail)
}

/// The error of a tail that its checksum vouches for and that does not read.
pub(super) fn bad_tail(file: &IndexFile, entry: &FileEntry, error: &RecordError) -> StoreError {
    file.damaged(entry.tail_at, &format!("the tail does not read: {error}"))
}
