//! The newest entries that a query wants, out of blocks that are looked at newest first until nothing newer can come.

use super::bytes::{Row, bits_of, entries_of};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use tollgate_store::trail::{Entry, Position, Query};

/// What was found so far.
pub(super) struct Gather {
    query: Query,
    bits: u128,
    found: BTreeMap<Position, Entry>,
    /// Blocks that are not what was written, or could not be read.
    pub(super) damaged: u64,
}

impl Gather {
    pub(super) fn new(query: &Query) -> Gather {
        let query = query.bounded();
        Gather {
            query,
            bits: query.second.map_or(0, bits_of),
            found: BTreeMap::new(),
            damaged: 0,
        }
    }

    pub(super) fn query(&self) -> &Query {
        &self.query
    }

    /// Whether something between these times could still be among the newest.
    pub(super) fn wants_span(&self, min_ms: u64, max_ms: u64) -> bool {
        if self.query.limit == 0 || max_ms < self.query.from.at_ms || min_ms > self.query.before.at_ms {
            return false;
        }
        let full = self.found.len() == self.query.limit;
        !full || self.found.keys().next().is_some_and(|oldest| max_ms >= oldest.at_ms)
    }

    /// Takes an entry if it is wanted.
    pub(super) fn take(&mut self, entry: &Entry) {
        if self.query.limit > 0 && self.query.wants(entry) {
            self.found.entry(entry.at).or_insert_with(|| entry.clone());
            if self.found.len() > self.query.limit {
                self.found.pop_first();
            }
        }
    }

    /// Takes what is wanted of a block.
    pub(super) fn look(&mut self, file: &File, row: &Row) {
        if row.filter & self.bits != self.bits || !self.wants_span(row.min_ms, row.max_ms) {
            return;
        }
        let mut block = vec![0; row.bytes as usize];
        let read = file.read_exact_at(&mut block, u64::from(row.at)).ok();
        match read.and_then(|()| entries_of(row, &block)) {
            Some(entries) => entries.iter().for_each(|entry| self.take(entry)),
            None => self.damaged += 1,
        }
    }

    pub(super) fn done(self) -> Vec<Entry> {
        self.found.into_values().rev().collect()
    }
}
