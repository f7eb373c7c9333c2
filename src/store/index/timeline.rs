//! An account's records in order: what was born in each, when, and where it is.

use super::{Place, Step, TimelineRecord};
use crate::Head;

/// Records of one chunk. Chunks bound the work of growing (a long account never moves its whole timeline) and let a
/// list pass over 512 records at once when none has the kind or the tag.
const CHUNK: usize = 512;

/// One record of an account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// First sequence number born here; for a record without births the one that comes next.
    pub(super) first_seq: u64,
    pub(super) now_ms: u64,
    pub(super) tags: u64,
    pub(super) place: Place,
    /// Start of its kinds in the chunk's.
    born_from: u32,
}

#[derive(Debug, Default)]
struct Chunk {
    entries: Vec<Entry>,
    /// Kinds born, of all entries one after another.
    born: Vec<u8>,
    kinds_mask: u64,
    tags_mask: u64,
}

impl Chunk {
    fn born(&self, at: usize) -> &[u8] {
        let from = self.entries[at].born_from as usize;
        let to = self
            .entries
            .get(at + 1)
            .map_or(self.born.len(), |next| next.born_from as usize);
        &self.born[from..to]
    }
}

/// The records of an account, oldest first; both sequence numbers and times never fall.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    chunks: Vec<Chunk>,
    next_seq: u64,
    last_ms: u64,
}

impl Timeline {
    /// An empty timeline that goes on where an earlier one ended.
    pub(super) fn following(next_seq: u64, last_ms: u64) -> Timeline {
        Timeline {
            chunks: Vec::new(),
            next_seq,
            last_ms,
        }
    }

    /// Number of records.
    pub(super) fn len(&self) -> usize {
        self.chunks
            .last()
            .map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.entries.len())
    }

    /// The time of the last record, or of the one before the first.
    pub(super) fn last_ms(&self) -> u64 {
        self.last_ms
    }

    /// Every record, in order, numbered from `first_number` on.
    pub(super) fn iter(&self, first_number: u64) -> impl Iterator<Item = TimelineRecord<'_>> {
        let chunks = self.chunks.iter().zip(0u64..);
        chunks.flat_map(move |(chunk, nth)| {
            let first_number = first_number + nth * CHUNK as u64;
            (0..chunk.entries.len()).map(move |at| {
                let entry = &chunk.entries[at];
                TimelineRecord {
                    number: first_number + at as u64,
                    first_seq: entry.first_seq,
                    now_ms: entry.now_ms,
                    tags: entry.tags,
                    place: entry.place,
                    born: chunk.born(at),
                }
            })
        })
    }

    /// The lowest sequence number that is free.
    pub(super) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Appends a record and returns its number.
    pub(super) fn push(&mut self, head: &Head, place: Place) -> u32 {
        let number = u32::try_from(self.len()).expect("an account has fewer than 2^32 records");
        if self.chunks.last().is_none_or(|last| last.entries.len() == CHUNK) {
            self.chunks.push(Chunk::default());
        }
        let chunk = self.chunks.last_mut().expect("a chunk was just made");
        let first_seq = if head.born.is_empty() {
            self.next_seq
        } else {
            head.first_seq
        };
        assert!(first_seq >= self.next_seq, "a record that was not admitted");
        // A clock that stepped back must not disturb the order that a search by time relies on.
        self.last_ms = self.last_ms.max(head.now_ms);
        chunk.entries.push(Entry {
            first_seq,
            now_ms: self.last_ms,
            tags: head.tags,
            place,
            born_from: chunk.born.len() as u32,
        });
        chunk.born.extend_from_slice(&head.born);
        chunk.kinds_mask |= head.born.iter().fold(0, |mask, kind| mask | 1 << kind);
        chunk.tags_mask |= head.tags;
        self.next_seq = first_seq + head.born.len() as u64;
        number
    }

    /// The record with that number.
    pub(super) fn get(&self, number: u32) -> Entry {
        self.chunks[number as usize / CHUNK].entries[number as usize % CHUNK]
    }

    /// Places of at most `max` records from number `from` on.
    pub(super) fn places(&self, from: u64, max: usize) -> Vec<Place> {
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(self.len());
        let to = from.saturating_add(max).min(self.len());
        (from..to).map(|number| self.get(number as u32).place).collect()
    }

    /// The record in which `seq` was born.
    pub(super) fn birth(&self, seq: u64) -> Option<Entry> {
        let number = self.before(seq.checked_add(1)?)?;
        let (chunk, at) = (&self.chunks[number / CHUNK], number % CHUNK);
        let entry = chunk.entries[at];
        (seq - entry.first_seq < chunk.born(at).len() as u64).then_some(entry)
    }

    /// The lowest sequence number that was born, or will be, at `ms` or later.
    pub(super) fn seq_from_ms(&self, ms: u64) -> u64 {
        let at = self.chunks.partition_point(|chunk| chunk.entries[0].now_ms < ms);
        let Some(at) = at.checked_sub(1) else { return 0 };
        let entries = &self.chunks[at].entries;
        let inside = entries.partition_point(|entry| entry.now_ms < ms);
        match (entries.get(inside), self.chunks.get(at + 1)) {
            (Some(entry), _) => entry.first_seq,
            (None, Some(chunk)) => chunk.entries[0].first_seq,
            (None, None) => self.next_seq,
        }
    }

    /// Passes the births of one kind in records with one of the tags (0: any) to `found`, in the direction of `step`,
    /// until it says to stop. Looks at no more than `looks` records; returns where to go on, `None` at the end.
    pub(super) fn walk(
        &self,
        kind: u8,
        tags: u64,
        step: Step,
        looks: usize,
        found: &mut dyn FnMut(u64, Place) -> bool,
    ) -> Option<u64> {
        let mut number = if step.upward {
            self.before(step.low.saturating_add(1)).unwrap_or(0)
        } else {
            self.before(step.high)?
        };
        for _ in 0..looks {
            let chunk = self.chunks.get(number / CHUNK)?;
            let passed = chunk.kinds_mask & 1 << kind == 0 || (tags != 0 && chunk.tags_mask & tags == 0);
            let at = if passed {
                if step.upward { CHUNK - 1 } else { 0 }
            } else {
                number % CHUNK
            };
            number = number / CHUNK * CHUNK + at;
            let entry = chunk.entries.get(at)?;
            let past = if step.upward {
                entry.first_seq >= step.high
            } else {
                entry.first_seq + (chunk.born(at).len() as u64) <= step.low
            };
            if past && !chunk.born(at).is_empty() {
                return None;
            }
            if !passed && (tags == 0 || entry.tags & tags != 0) {
                let mut births = chunk.born(at).iter().enumerate().filter(|&(_, &born)| born == kind);
                loop {
                    let next = if step.upward { births.next() } else { births.next_back() };
                    let Some((nth, _)) = next else { break };
                    let seq = entry.first_seq + nth as u64;
                    if seq >= step.low && seq < step.high && !found(seq, entry.place) {
                        return Some(if step.upward { seq + 1 } else { seq });
                    }
                }
            }
            number = if step.upward {
                number + 1
            } else {
                number.checked_sub(1)?
            };
        }
        let entry = self.chunks.get(number / CHUNK)?.entries.get(number % CHUNK)?;
        let born = self.chunks[number / CHUNK].born(number % CHUNK).len() as u64;
        Some(if step.upward {
            entry.first_seq
        } else {
            entry.first_seq + born
        })
    }

    /// Number of the last record whose first sequence number is below `seq`.
    fn before(&self, seq: u64) -> Option<usize> {
        let chunk = self
            .chunks
            .partition_point(|chunk| chunk.entries[0].first_seq < seq)
            .checked_sub(1)?;
        let inside = self.chunks[chunk]
            .entries
            .partition_point(|entry| entry.first_seq < seq);
        Some(chunk * CHUNK + inside - 1)
    }
}
