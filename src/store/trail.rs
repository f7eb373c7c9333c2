//! A trail: a bounded log of what may be forgotten, beside the journal. What was tried and what came of it goes here, where
//! the journal holds what was decided. An entry belongs to a subject (an endpoint) and, where the writer says so, to a
//! second key within it (the number of an event), and is read newest first by either, within a span of time.
//!
//! A trail never stands in anybody's way. Appending does not wait: when the queue is full, the disk is, or the store cannot be
//! reached, the entry is dropped and counted. Entries are not made durable one by one: a crash may lose what was
//! appended in the last seconds. They are forgotten after [`KEPT_MS`], or sooner where the space that a trail may take is
//! used up, oldest first. So nothing may depend on an entry being there, and neither the audit (`verify`) nor a copy of the
//! data (`export`) takes notice of trails.
//!
//! A backend implements [`Trail`] and passes [`conformance::run`]; [`memory`] is one for tests and simulation.

pub mod conformance;
pub mod memory;

use crate::StoreError;

/// How long entries are kept, milliseconds: 30 days.
pub const KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1_000;
/// Most milliseconds that one read looks back from where it begins: all that is kept, and a day for clocks that differ.
pub const SPAN_MS_MAX: u64 = KEPT_MS + 24 * 60 * 60 * 1_000;
/// Most bytes of an entry; a larger one is a bug of its writer.
pub const ENTRY_BYTES_MAX: usize = 8 << 10;
/// Most entries that one read gives.
pub const READ_MAX: usize = 1_000;

/// One thing that happened.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it happened to.
    pub subject: u64,
    /// A second key within the subject; 0 for none.
    pub second: u64,
    /// Where the entry stands among those of its subject.
    pub at: Position,
    /// The rest, at most [`ENTRY_BYTES_MAX`]. Does not print: it may hold what others sent.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("subject", &self.subject)
            .field("second", &self.second)
            .field("at", &self.at)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// The order of a subject's entries: by time, and by a number that its writer makes up where times are equal. Two entries
/// of a subject that have both the same are one, whichever is found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Position {
    /// When it happened, milliseconds since the Unix epoch. Should be about when it is appended: a trail takes its time from
    /// its entries, and forgets by it.
    pub at_ms: u64,
    /// Any number; entries of one millisecond stand in its order.
    pub id: u64,
}

impl Position {
    /// Before everything that happens in this millisecond.
    pub const fn at(at_ms: u64) -> Position {
        Position { at_ms, id: 0 }
    }
}

/// What is read of a subject, newest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Query {
    /// The subject.
    pub subject: u64,
    /// Only entries with this second key.
    pub second: Option<u64>,
    /// Only entries at or behind this; entries more than [`SPAN_MS_MAX`] before [`Query::before`] are never found.
    pub from: Position,
    /// Only entries before this.
    pub before: Position,
    /// Most entries, at most [`READ_MAX`].
    pub limit: usize,
}

impl Query {
    /// The newest entries of a subject up to and with this millisecond.
    pub fn newest(subject: u64, until_ms: u64, limit: usize) -> Query {
        Query {
            subject,
            second: None,
            from: Position::at(until_ms.saturating_sub(SPAN_MS_MAX)),
            before: Position::at(until_ms.saturating_add(1)),
            limit,
        }
    }

    /// The same with [`Query::from`] where it is too far away brought nearer.
    pub fn bounded(self) -> Query {
        let oldest = Position::at(self.before.at_ms.saturating_sub(SPAN_MS_MAX));
        Query {
            from: self.from.max(oldest),
            limit: self.limit.min(READ_MAX),
            ..self
        }
    }

    /// Only those with this second key.
    pub fn of(self, second: u64) -> Query {
        Query {
            second: Some(second),
            ..self
        }
    }

    /// Whether an entry is asked for, the limit aside.
    pub fn wants(&self, entry: &Entry) -> bool {
        entry.subject == self.subject
            && self.second.is_none_or(|second| second == entry.second)
            && (self.from..self.before).contains(&entry.at)
    }
}

/// What became of entries since the trail was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Entries that were taken.
    pub taken: u64,
    /// Entries dropped because too many waited.
    pub dropped_full: u64,
    /// Entries dropped because they could not be written: no room, or no store.
    pub dropped_failed: u64,
    /// Bytes that the trail takes here; 0 where others count them.
    pub bytes: u64,
}

impl Counts {
    /// Entries that were dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped_full + self.dropped_failed
    }
}

/// A log of what may be forgotten. See the module.
pub trait Trail: Send + Sync {
    /// Appends an entry, or drops and counts it. Never waits for a disk or a network.
    fn append(&self, entry: Entry);

    /// Reads newest first. Sees what was written by now, and at least what was appended before the last
    /// [`Trail::flush`] here. May touch the disk and belongs on reader threads.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn read(&self, query: &Query) -> Result<Vec<Entry>, StoreError>;

    /// Returns when everything appended before has been written, or dropped and counted. For whoever stops, and for
    /// tests.
    fn flush(&self);

    /// What became of entries.
    fn counts(&self) -> Counts;
}

/// The newest `limit` entries out of several sources that may overlap, newest first.
pub fn newest_of(mut entries: Vec<Entry>, limit: usize) -> Vec<Entry> {
    entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.at));
    entries.dedup_by_key(|entry| entry.at);
    entries.truncate(limit);
    entries
}
