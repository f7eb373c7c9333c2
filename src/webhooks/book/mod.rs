//! What has to be known of one endpoint after a crash: which events it has, and which still wait, and for what.
//!
//! [`Book::apply`] is the only thing that changes a book, whether a lane does or its notes are read back; so what is read is
//! what was known when the last note was written. The numbers are those of the account: most of them belong to objects and to
//! events that the endpoint does not want, and count as settled when the cursor goes by.

mod codec;
mod job;

pub use codec::{put_changes, put_whole, take_into};
pub use job::{JobState, Only, RecoverJob};

use crate::seqs::Seqs;
use std::collections::BTreeMap;

/// Milliseconds of a day, by which dead letters are kept.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// Events and dead letters are kept for so many days.
pub const KEPT_DAYS: u32 = 30;
/// Recovery jobs of one endpoint that are remembered, running or not.
pub const JOBS_MAX: usize = 16;

/// A lane's book.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Book {
    /// Events above have not been looked at.
    cursor: u64,
    /// Events at or below the cursor that are on their way, in order.
    open: Vec<u64>,
    runs: BTreeMap<Run, Seqs>,
    /// By object, in a lane that keeps strict order: what has to be taken before anything else about it.
    blocked: BTreeMap<u64, Blocked>,
    dead: BTreeMap<Death, Seqs>,
    jobs: BTreeMap<u64, RecoverJob>,
    health: Health,
}

/// Events that wait for the same time after the same number of attempts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Run {
    /// When they are due, seconds since the Unix epoch; 0 for as soon as the endpoint takes anything, before all others and
    /// in order.
    pub due_s: u32,
    /// Attempts made.
    pub tried: u8,
}

/// Dead letters of one day for one reason.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Death {
    /// The day since the Unix epoch on which they died.
    pub day: u32,
    /// Why.
    pub reason: Reason,
}

/// Why an event is a dead letter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// Every attempt was refused by an answer.
    Refused,
    /// The last attempt had no answer.
    Unanswered,
}

/// The first event about an object that has not been taken, and those behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Blocked {
    /// The one that is tried.
    pub head: Head,
    /// The others.
    pub behind: Seqs,
}

/// An event that blocks its object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Its number.
    pub seq: u64,
    /// Attempts made.
    pub tried: u8,
    /// When it is due, as in [`Run::due_s`].
    pub due_s: u32,
}

/// How an endpoint has been doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Health {
    /// Its first failure after the last event it took, milliseconds since the Unix epoch; 0 if that was not followed by one.
    pub failing_since_ms: u64,
    /// Failures since then.
    pub failures: u32,
    /// Whether its owner was told that it fails.
    pub told: bool,
}

/// Where an event is that is not settled.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// On its way for the first time.
    Open,
    /// Waiting for another attempt.
    Run(Run),
    /// Behind another one about the same object.
    Behind(u64),
    /// Dead.
    Dead(Death),
}

/// A change of a book.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// The cursor is here now.
    Cursor(u64),
    /// An event is there now.
    Add(Place, u64),
    /// An event is not there any more.
    Remove(Place, u64),
    /// This event blocks its object, or none does any more and nothing is behind it.
    Head(u64, Option<Head>),
    /// A job is new, or went on.
    Job(RecoverJob),
    /// A job is forgotten.
    Forget(u64),
    /// How the endpoint does.
    Health(Health),
    /// All dead letters of these days are to be sent again: they are no dead letters any more.
    Revive {
        /// The first day.
        from: u32,
        /// The last one.
        to: u32,
    },
    /// Dead letters of days before this one are forgotten.
    Bury(u32),
}

impl Book {
    /// The book of an endpoint that has had nothing: its events are those above this number.
    pub fn new(cursor: u64) -> Book {
        Book {
            cursor,
            ..Book::default()
        }
    }

    /// Changes it.
    pub fn apply(&mut self, change: &Change) {
        match *change {
            Change::Cursor(cursor) => self.cursor = cursor,
            Change::Add(place, seq) => self.add(place, seq),
            Change::Remove(place, seq) => self.remove(place, seq),
            Change::Head(object, Some(head)) => {
                let behind = self.blocked.remove(&object).map(|blocked| blocked.behind);
                let behind = behind.unwrap_or_default();
                self.blocked.insert(object, Blocked { head, behind });
            }
            Change::Head(object, None) => {
                self.blocked.remove(&object);
            }
            Change::Job(ref job) => {
                self.jobs.insert(job.id, job.clone());
            }
            Change::Forget(id) => {
                self.jobs.remove(&id);
            }
            Change::Health(health) => self.health = health,
            Change::Revive { from, to } => {
                let days: Vec<Death> = self
                    .dead
                    .keys()
                    .filter(|it| (from..=to).contains(&it.day))
                    .copied()
                    .collect();
                for day in days {
                    let seqs = self.dead.remove(&day).expect("its own key");
                    let run = Run { due_s: 0, tried: 0 };
                    self.runs.entry(run).or_default().merge(&seqs);
                }
            }
            Change::Bury(before) => self.dead.retain(|death, _| death.day >= before),
        }
    }

    /// Events above have not been looked at.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Events on their way for the first time, the lowest first.
    pub fn open(&self) -> &[u64] {
        &self.open
    }

    /// Up to here nothing is on its way for the first time.
    pub fn low(&self) -> u64 {
        self.open.first().map_or(self.cursor, |first| first - 1)
    }

    /// What waits for another attempt.
    pub fn runs(&self) -> &BTreeMap<Run, Seqs> {
        &self.runs
    }

    /// Objects whose events wait for one that was not taken.
    pub fn blocked(&self) -> &BTreeMap<u64, Blocked> {
        &self.blocked
    }

    /// Dead letters.
    pub fn dead(&self) -> &BTreeMap<Death, Seqs> {
        &self.dead
    }

    /// Recovery jobs.
    pub fn jobs(&self) -> &BTreeMap<u64, RecoverJob> {
        &self.jobs
    }

    /// How the endpoint does.
    pub fn health(&self) -> Health {
        self.health
    }

    /// How many events wait for another attempt, or behind one that does.
    pub fn waiting_len(&self) -> u64 {
        let runs: u64 = self.runs.values().map(|seqs| u64::from(seqs.len())).sum();
        let blocked: u64 = self.blocked.values().map(|it| 1 + u64::from(it.behind.len())).sum();
        runs + blocked
    }

    /// How many dead letters there are.
    pub fn dead_len(&self) -> u64 {
        self.dead.values().map(|seqs| u64::from(seqs.len())).sum()
    }

    /// Where an event is that failed before and is not settled: not one that is new or on its way for the first time.
    pub fn failed_at(&self, seq: u64) -> Option<Place> {
        let run = self.runs.iter().find(|(_, seqs)| seqs.contains(seq));
        if let Some((run, _)) = run {
            return Some(Place::Run(*run));
        }
        let behind = self.blocked.iter().find(|(_, it)| it.behind.contains(seq));
        if let Some((object, _)) = behind {
            return Some(Place::Behind(*object));
        }
        let dead = self.dead.iter().find(|(_, seqs)| seqs.contains(seq));
        dead.map(|(death, _)| Place::Dead(*death))
    }

    /// The object that the event blocks.
    pub fn blocks(&self, seq: u64) -> Option<u64> {
        let head = self.blocked.iter().find(|(_, it)| it.head.seq == seq);
        head.map(|(object, _)| *object)
    }

    /// Whether an event that the endpoint wants has not been taken.
    pub fn is_pending(&self, seq: u64) -> bool {
        seq > self.cursor
            || self.open.binary_search(&seq).is_ok()
            || self.blocks(seq).is_some()
            || self.failed_at(seq).is_some()
    }

    /// About how many bytes of memory what failed takes, and jobs. Not what is on its way for the first time: that is no more than
    /// a lane may have out, and no fault of its endpoint.
    pub fn bytes(&self) -> usize {
        /// What an entry of a map costs beside its value: its key and its part of a node.
        const ENTRY: usize = 48;
        let sets = self.runs.values().chain(self.dead.values());
        let sets: usize = sets.map(|seqs| ENTRY + seqs.bytes()).sum();
        let blocked: usize = self.blocked.values().map(|it| ENTRY * 2 + it.behind.bytes()).sum();
        sets + blocked + self.jobs.len() * 256
    }

    fn add(&mut self, place: Place, seq: u64) {
        match place {
            Place::Open => {
                if let Err(at) = self.open.binary_search(&seq) {
                    self.open.insert(at, seq);
                }
            }
            Place::Run(run) => {
                self.runs.entry(run).or_default().insert(seq);
            }
            Place::Behind(object) => {
                if let Some(blocked) = self.blocked.get_mut(&object) {
                    blocked.behind.insert(seq);
                }
            }
            Place::Dead(death) => {
                self.dead.entry(death).or_default().insert(seq);
            }
        }
    }

    fn remove(&mut self, place: Place, seq: u64) {
        match place {
            Place::Open => {
                if let Ok(at) = self.open.binary_search(&seq) {
                    self.open.remove(at);
                }
            }
            Place::Run(run) => take_from(&mut self.runs, run, seq),
            Place::Behind(object) => {
                if let Some(blocked) = self.blocked.get_mut(&object) {
                    blocked.behind.remove(seq);
                }
            }
            Place::Dead(death) => take_from(&mut self.dead, death, seq),
        }
    }
}

/// Takes a number out of a set, and the set out of its map when it was the last.
fn take_from<K: Ord>(sets: &mut BTreeMap<K, Seqs>, key: K, seq: u64) {
    let Some(set) = sets.get_mut(&key) else { return };
    set.remove(seq);
    if set.is_empty() {
        sets.remove(&key);
    }
}
