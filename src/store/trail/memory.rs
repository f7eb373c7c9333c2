//! A trail in memory, with faults, for tests and simulation.

use super::{Counts, ENTRY_BYTES_MAX, Entry, KEPT_MS, Position, Query, READ_MAX, Trail, newest_of};
use crate::StoreError;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Entries by subject and position, at most so many: the oldest go first.
pub struct MemoryTrail {
    entries_max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    by_subject: BTreeMap<(u64, Position), Entry>,
    by_time: BTreeMap<(Position, u64), ()>,
    counts: Counts,
    fails: bool,
}

impl MemoryTrail {
    /// An empty trail of at most `entries_max` entries.
    pub fn new(entries_max: usize) -> MemoryTrail {
        assert!(entries_max > 0, "a trail without room");
        MemoryTrail {
            entries_max,
            state: Mutex::default(),
        }
    }

    /// From now on nothing can be written, or can again.
    pub fn fail(&self, fails: bool) {
        self.state().fails = fails;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self, (at, subject): (Position, u64)) {
        self.by_time.remove(&(at, subject));
        self.by_subject.remove(&(subject, at));
    }

    fn oldest(&self) -> Option<(Position, u64)> {
        self.by_time.keys().next().copied()
    }
}

impl Trail for MemoryTrail {
    fn append(&self, entry: Entry) {
        assert!(
            entry.bytes.len() <= ENTRY_BYTES_MAX,
            "an entry of {} bytes",
            entry.bytes.len()
        );
        let mut state = self.state();
        if state.fails {
            state.counts.dropped_failed += 1;
            return;
        }
        state.counts.taken += 1;
        state.by_time.insert((entry.at, entry.subject), ());
        state.by_subject.insert((entry.subject, entry.at), entry);
        let newest_ms = state.by_time.keys().next_back().map_or(0, |(at, _)| at.at_ms);
        while let Some(oldest) = state.oldest() {
            let aged = newest_ms.saturating_sub(oldest.0.at_ms) > KEPT_MS;
            if !aged && state.by_time.len() <= self.entries_max {
                break;
            }
            state.forget(oldest);
        }
    }

    fn read(&self, query: &Query) -> Result<Vec<Entry>, StoreError> {
        let (state, query) = (self.state(), query.bounded());
        let span = (query.subject, query.from)..(query.subject, query.before.max(query.from));
        let found = state.by_subject.range(span).rev().map(|(_, entry)| entry);
        let found = found.filter(|entry| query.wants(entry)).take(query.limit);
        Ok(newest_of(found.cloned().collect(), READ_MAX))
    }

    fn flush(&self) {}

    fn counts(&self) -> Counts {
        let state = self.state();
        let bytes = state.by_subject.values().map(|entry| entry.bytes.len() as u64).sum();
        Counts { bytes, ..state.counts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::conformance;

    #[test]
    fn the_trail_in_memory_keeps_every_promise() {
        conformance::run(&|| Box::new(MemoryTrail::new(1_000_000)));
    }

    #[test]
    fn the_oldest_go_first_and_what_cannot_be_written_is_counted() {
        let trail = MemoryTrail::new(2);
        let entry = |at_ms| Entry {
            subject: 1,
            second: 0,
            at: Position { at_ms, id: 0 },
            bytes: vec![7],
        };
        for at_ms in [30, 10, 20] {
            trail.append(entry(at_ms));
        }
        trail.fail(true);
        trail.append(entry(40));
        let read = trail.read(&Query::newest(1, 50, 10)).expect("readable");
        let times: Vec<u64> = read.iter().map(|entry| entry.at.at_ms).collect();
        assert_eq!(times, [30, 20]);
        assert_eq!((trail.counts().taken, trail.counts().dropped()), (3, 1));
    }
}
