//! The second way: records of what did not add up are looked up in the index, one by one.

use super::super::entries::{ChangeEntry, RecordEntry};
use super::super::manifest::{Checkpoint, Manifest};
use super::expected::{differs, for_each_block, generation_of, key_of, members_of, next_record};
use super::sums::{Differing, Sum, Sums, add, change_hash, key_hash, list_of, unequal};
use super::{End, Journaled, View, in_index};
use std::collections::{BTreeMap, BTreeSet};
use tollgate_store::index::{HOUR_MS, Map, Place};
use tollgate_store::{AccountRef, Head, KeyHash, StoreError};

/// Looks entries up.
pub(super) struct Lookup<'a, C> {
    view: &'a View<C>,
    span: u64,
    /// Keys of generations before it have expired.
    oldest: u64,
    differing: Differing,
    /// What the journal names and the index holds a newer entry for.
    shadowed_changes: BTreeMap<u32, Sum>,
    shadowed_keys: BTreeMap<(u64, u32), Sum>,
}

impl<'a, C: Checkpoint> Lookup<'a, C> {
    pub(super) fn new(view: &'a View<C>, span: u64, oldest: u64, differing: Differing) -> Self {
        Lookup {
            view,
            span,
            oldest,
            differing,
            shadowed_changes: BTreeMap::new(),
            shadowed_keys: BTreeMap::new(),
        }
    }

    /// Whether everything adds up.
    pub(super) fn is_needless(&self) -> bool {
        self.differing.segments.is_empty() && self.differing.lists.is_empty()
    }

    /// Goes through the journal and looks up what did not add up; ends with the first record that is not found.
    pub(super) fn walk(&mut self, journal: &dyn Journaled<C>, manifest: &Manifest<C>) -> Result<(), End> {
        let mut ends = Map::default();
        let walked = for_each_block(journal, &manifest.checkpoint, &mut |block| {
            if !block.indexed {
                return Ok(());
            }
            for (place, head) in block.records {
                let record = next_record(&mut ends, block, *place, head);
                if self.differing.segments.contains(&place.segment) {
                    if !self.holds_record(&record).map_err(in_index)? {
                        let what = "the index does not hold this record as it is";
                        return Err(differs(journal, block, *place, what));
                    }
                    if !self.holds_changes(head, *place).map_err(in_index)? {
                        let what = "the index does not know that this record changed an object";
                        return Err(differs(journal, block, *place, what));
                    }
                    if !self.holds_key(head, *place, journal)? {
                        let what = "the index does not find this record by its idempotency key";
                        return Err(differs(journal, block, *place, what));
                    }
                }
                if !self.holds_members(head).map_err(in_index)? {
                    let what = "the index lacks this record's object in a list";
                    return Err(differs(journal, block, *place, what));
                }
            }
            Ok(())
        });
        walked.map(drop)
    }

    /// After the walk: a segment of which the index holds more than the journal.
    pub(super) fn surplus_of_segment(&self, expected: &Sums, held: &Sums) -> Option<u32> {
        let less = |sum: &Sum, shadowed: Option<&Sum>| sum.wrapping_sub(shadowed.copied().unwrap_or_default());
        let of_changes = |(&segment, sum): (&u32, &Sum)| (segment, less(sum, self.shadowed_changes.get(&segment)));
        let changes: BTreeMap<u32, Sum> = expected.changes.iter().map(of_changes).collect();
        let of_keys = |(&at, sum): (&(u64, u32), &Sum)| (at, less(sum, self.shadowed_keys.get(&at)));
        let keys: BTreeMap<(u64, u32), Sum> = expected.keys.iter().map(of_keys).collect();
        let mut surplus: BTreeSet<u32> = BTreeSet::new();
        surplus.extend(unequal(&expected.timeline, &held.timeline));
        surplus.extend(unequal(&changes, &held.changes));
        let keys = unequal(&keys, &held.keys).into_iter();
        surplus.extend(
            keys.filter(|(generation, _)| *generation >= self.oldest)
                .map(|(_, segment)| segment),
        );
        surplus.first().copied()
    }

    fn holds_record(&self, record: &RecordEntry) -> Result<bool, StoreError> {
        let account = AccountRef(record.account);
        for run in self.view.runs.iter().rev() {
            if let Some(place) = run.records(account, record.number, 1)?.first() {
                // What else the entry says is asked where it counts: in births and lists.
                let birth = match record.born.is_empty() {
                    true => None,
                    false => run.birth(account, record.first_seq)?,
                };
                return Ok(*place == record.place && birth.is_none_or(|birth| is_same(&birth, record)));
            }
        }
        Ok(false)
    }

    fn holds_changes(&mut self, head: &Head, place: Place) -> Result<bool, StoreError> {
        for &seq in &head.changed {
            let mut newest = None;
            for run in self.view.runs.iter().rev() {
                newest = run.changed(AccountRef(head.account), seq)?;
                if newest.is_some() {
                    break;
                }
            }
            match newest {
                Some(newest) if newest == place => {}
                Some(newest) if newest > place => {
                    let account = head.account;
                    let entry = ChangeEntry { account, seq, place };
                    add(
                        self.shadowed_changes.entry(place.segment).or_default(),
                        change_hash(&entry),
                    );
                }
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    fn holds_key(&mut self, head: &Head, place: Place, journal: &dyn Journaled<C>) -> Result<bool, End> {
        let Some(entry) = key_of(head, place) else {
            return Ok(true);
        };
        let generation = generation_of(head, self.span);
        if generation < self.oldest {
            return Ok(true);
        }
        let Some(newest) = self.key(generation, head.account, &entry.hash).map_err(in_index)? else {
            return Ok(false);
        };
        if newest == place {
            return Ok(true);
        }
        // Of the same key in several hours of one generation the newest hour counts.
        if newest < place {
            let other = journal.fetch(newest).map_err(End::Failed)?;
            if other.head.now_ms / HOUR_MS <= head.now_ms / HOUR_MS {
                return Ok(false);
            }
        }
        let sum = self.shadowed_keys.entry((generation, place.segment)).or_default();
        add(sum, key_hash(&entry));
        Ok(true)
    }

    fn key(&self, generation: u64, account: u64, key: &KeyHash) -> Result<Option<Place>, StoreError> {
        let files = self.view.keys.iter().rev();
        for file in files.filter(|file| file.entry.hour == generation) {
            if let Some(place) = file.find(AccountRef(account), key)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    fn holds_members(&self, head: &Head) -> Result<bool, StoreError> {
        for member in members_of(head) {
            if !self.differing.lists.contains(&list_of(&member)) {
                continue;
            }
            let mut found = false;
            for run in self.view.runs.iter().rev() {
                found = found || run.is_member(member)?;
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn is_same(one: &RecordEntry, other: &RecordEntry) -> bool {
    let whole = |entry: &RecordEntry| {
        (
            entry.number,
            entry.first_seq,
            entry.now_ms,
            entry.tags,
            entry.place,
            entry.born.clone(),
        )
    };
    whole(one) == whole(other)
}
