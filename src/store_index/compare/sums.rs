//! Sums of hashes: equal for the same entries in any order. Chance is the only adversary here: whoever can write index
//! files can write a journal as well.

use super::super::entries::{ChangeEntry, KeyEntry, MemberEntry, RecordEntry, TimerEntry};
use super::super::filter::mix;
use std::collections::{BTreeMap, BTreeSet};
use tollgate_store::index::Place;

/// Sums of list members, by a hash of the member, so that a difference leads to few of them.
pub(super) const LIST_SUMS: usize = 4096;

/// A sum of 128-bit hashes.
pub(super) type Sum = u128;

/// Sums of everything that is compared by sums.
pub(super) struct Sums {
    /// By segment of the record.
    pub(super) timeline: BTreeMap<u32, Sum>,
    /// By segment of the record.
    pub(super) changes: BTreeMap<u32, Sum>,
    /// By generation of the key and segment of the record.
    pub(super) keys: BTreeMap<(u64, u32), Sum>,
    /// By hash: how many, and their sum.
    pub(super) lists: Vec<(u64, Sum)>,
}

/// What does not add up.
#[derive(Default)]
pub(super) struct Differing {
    pub(super) segments: BTreeSet<u32>,
    pub(super) lists: BTreeSet<usize>,
}

impl Sums {
    pub(super) fn new() -> Sums {
        Sums {
            timeline: BTreeMap::new(),
            changes: BTreeMap::new(),
            keys: BTreeMap::new(),
            lists: vec![(0, 0); LIST_SUMS],
        }
    }

    pub(super) fn add_record(&mut self, entry: &RecordEntry) {
        add(
            self.timeline.entry(entry.place.segment).or_default(),
            record_hash(entry),
        );
    }

    pub(super) fn add_change(&mut self, entry: &ChangeEntry) {
        add(self.changes.entry(entry.place.segment).or_default(), change_hash(entry));
    }

    pub(super) fn add_key(&mut self, generation: u64, entry: &KeyEntry) {
        add(
            self.keys.entry((generation, entry.place.segment)).or_default(),
            key_hash(entry),
        );
    }

    pub(super) fn add_member(&mut self, entry: &MemberEntry) {
        let (count, sum) = &mut self.lists[list_of(entry)];
        *count += 1;
        add(
            sum,
            hash(&[entry.account, entry.parent, u64::from(entry.kind), entry.child]),
        );
    }

    /// Where these sums, of the journal, are not those of the index. Keys of generations before `oldest` have expired.
    pub(super) fn differing(&self, held: &Sums, oldest: u64) -> Differing {
        let mut differing = Differing::default();
        differing.segments.extend(unequal(&self.timeline, &held.timeline));
        differing.segments.extend(unequal(&self.changes, &held.changes));
        let keys = unequal(&self.keys, &held.keys).into_iter();
        differing.segments.extend(
            keys.filter(|(generation, _)| *generation >= oldest)
                .map(|(_, segment)| segment),
        );
        let lists = self.lists.iter().zip(&held.lists).enumerate();
        differing
            .lists
            .extend(lists.filter(|(_, (own, held))| own != held).map(|(at, _)| at));
        differing
    }

    /// Whether a list has members that the journal does not have, given that it lacks none. The journal may name the same
    /// member twice, of which the index holds one.
    pub(super) fn lists_exceed(expected: &Sums, held: &Sums) -> bool {
        let mut lists = expected.lists.iter().zip(&held.lists);
        lists.any(|(expected, held)| held.0 > expected.0 || held.0 == expected.0 && held.1 != expected.1)
    }
}

/// The keys whose sums are not equal, or zero in one and not there in the other.
pub(super) fn unequal<K: Copy + Ord>(one: &BTreeMap<K, Sum>, other: &BTreeMap<K, Sum>) -> Vec<K> {
    let sum = |sums: &BTreeMap<K, Sum>, key: &K| sums.get(key).copied().unwrap_or_default();
    let keys: BTreeSet<K> = one.keys().chain(other.keys()).copied().collect();
    keys.into_iter()
        .filter(|key| sum(one, key) != sum(other, key))
        .collect()
}

pub(super) fn add(sum: &mut Sum, hash: Sum) {
    *sum = sum.wrapping_add(hash);
}

/// Which of the lists' sums a member belongs to.
pub(super) fn list_of(entry: &MemberEntry) -> usize {
    mix(mix(entry.account) ^ entry.child) as usize % LIST_SUMS
}

pub(super) fn record_hash(entry: &RecordEntry) -> Sum {
    let born = entry
        .born
        .iter()
        .fold(entry.born.len() as u64, |hash, &kind| mix(hash ^ u64::from(kind) << 32));
    let (place, len) = words(entry.place);
    hash(&[
        entry.account,
        entry.number,
        entry.first_seq,
        entry.now_ms,
        entry.tags,
        place,
        len,
        born,
    ])
}

pub(super) fn change_hash(entry: &ChangeEntry) -> Sum {
    let (place, len) = words(entry.place);
    hash(&[entry.account, entry.seq, place, len])
}

pub(super) fn key_hash(entry: &KeyEntry) -> Sum {
    let (place, len) = words(entry.place);
    let mut halves = [0; 16];
    halves[..entry.hash.len()].copy_from_slice(&entry.hash);
    let bits = u128::from_le_bytes(halves);
    hash(&[entry.account, bits as u64, (bits >> 64) as u64, place, len])
}

pub(super) fn timer_hash(entry: &TimerEntry) -> u64 {
    hash(&[u64::from(entry.shard.0), entry.due_ms, entry.account, entry.seq]) as u64
}

fn words(place: Place) -> (u64, u64) {
    (
        u64::from(place.segment) << 32 | u64::from(place.offset),
        u64::from(place.len),
    )
}

fn hash(words: &[u64]) -> Sum {
    let half = |seed: u64| {
        words
            .iter()
            .fold(seed, |hash, word| mix(hash ^ word).wrapping_add(seed))
    };
    u128::from(half(0x9e37_79b9_7f4a_7c15)) << 64 | u128::from(half(0xc2b2_ae3d_27d4_eb4f))
}
