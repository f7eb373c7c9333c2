//! Everything the index knows about one account.

use super::timeline::Timeline;
use super::{AccountEnd, Candidates, Place, STEP_MAX, Step, TimelineRecord};
use crate::{Head, PageQuery, ShardId};
use std::collections::{BTreeMap, BTreeSet};

/// The index of one account. Ordered trees, not hash maps: they never stop to grow all at once under the publisher.
#[derive(Debug)]
pub struct AccountIndex {
    pub(super) shard: ShardId,
    pub(super) timeline: Timeline,
    /// Records of the account that an earlier layer holds; numbers here start after them.
    earlier: u64,
    /// Number of the newest row of the earlier layers.
    earlier_row: Option<u64>,
    /// Number of the record with the newest version, for objects changed after birth.
    latest: BTreeMap<u64, u32>,
    /// (parent, kind, child), sequence numbers of parent and child.
    lists: BTreeSet<(u64, u8, u64)>,
    newest_row: Option<u32>,
}

impl AccountIndex {
    pub(super) fn new(shard: ShardId) -> Self {
        AccountIndex {
            shard,
            timeline: Timeline::default(),
            earlier: 0,
            earlier_row: None,
            latest: BTreeMap::new(),
            lists: BTreeSet::new(),
            newest_row: None,
        }
    }

    /// The index of the records that follow an earlier layer's.
    pub(super) fn following(end: AccountEnd) -> Self {
        AccountIndex {
            timeline: Timeline::following(end.next_seq, end.last_ms),
            earlier: end.records,
            earlier_row: end.newest_row,
            ..AccountIndex::new(end.shard)
        }
    }

    /// Where the account stands after the records here.
    pub fn end(&self) -> AccountEnd {
        AccountEnd {
            shard: self.shard,
            next_seq: self.timeline.next_seq(),
            last_ms: self.timeline.last_ms(),
            records: self.earlier + self.timeline.len() as u64,
            newest_row: self
                .newest_row
                .map(|number| self.earlier + u64::from(number))
                .or(self.earlier_row),
        }
    }

    /// The records, in order.
    pub fn records(&self) -> impl Iterator<Item = TimelineRecord<'_>> {
        self.timeline.iter(self.earlier)
    }

    /// Each object that was changed here, by sequence number, with the record of its newest version.
    pub fn changes(&self) -> impl Iterator<Item = (u64, Place)> + '_ {
        let places = self.latest.iter();
        places.map(|(&seq, &number)| (seq, self.timeline.get(number).place))
    }

    /// (parent, kind, child) of the memberships recorded here, ascending.
    pub fn memberships(&self) -> impl Iterator<Item = (u64, u8, u64)> + '_ {
        self.lists.iter().copied()
    }

    pub(super) fn is_member(&self, parent: u64, kind: u8, child: u64) -> bool {
        self.lists.contains(&(parent, kind, child))
    }

    /// At most `max` children of `parent` between `step.low` and `step.high`, in the direction of the step.
    pub(super) fn members(&self, parent: u64, kind: u8, step: Step) -> Vec<u64> {
        if step.low >= step.high {
            return Vec::new();
        }
        let range = self.lists.range((parent, kind, step.low)..(parent, kind, step.high));
        let children = range.map(|&(_, _, child)| child);
        if step.upward {
            children.take(step.max).collect()
        } else {
            children.rev().take(step.max).collect()
        }
    }

    /// Appends a record and returns its number.
    pub(super) fn push(&mut self, head: &Head, place: Place) -> u32 {
        let number = self.timeline.push(head, place);
        for &seq in &head.changed {
            self.latest.insert(seq, number);
        }
        self.lists.extend(head.lists.iter().copied());
        if head.row {
            self.newest_row = Some(number);
        }
        number
    }

    pub(super) fn newest(&self, seq: u64) -> Option<Place> {
        match self.latest.get(&seq) {
            Some(&number) => Some(self.timeline.get(number).place),
            None => self.birth(seq),
        }
    }

    pub(super) fn birth(&self, seq: u64) -> Option<Place> {
        self.timeline.birth(seq).map(|entry| entry.place)
    }

    pub(super) fn replay_start(&self) -> u64 {
        self.end().newest_row.unwrap_or(0)
    }

    /// At most `max` places from number `from` on, which must not lie before the first number here.
    pub(super) fn places(&self, from: u64, max: usize) -> Vec<Place> {
        self.timeline.places(from.saturating_sub(self.earlier), max)
    }

    /// Number of the first record here.
    pub(super) fn first_number(&self) -> u64 {
        self.earlier
    }

    pub(super) fn candidates(&self, query: &PageQuery<'_>, step: Step) -> Candidates {
        let (from_ms, to_ms) = query.born_ms;
        let low = step.low.max(self.timeline.seq_from_ms(from_ms));
        let high = to_ms
            .checked_add(1)
            .map_or(step.high, |after| step.high.min(self.timeline.seq_from_ms(after)));
        let high = high.min(self.timeline.next_seq());
        if low >= high || step.max == 0 {
            return Candidates::default();
        }
        let step = Step { low, high, ..step };
        if query.parents.is_empty() {
            self.of_kind(query, step)
        } else {
            self.children(query, step)
        }
    }

    fn of_kind(&self, query: &PageQuery<'_>, step: Step) -> Candidates {
        let mut found = Vec::with_capacity(step.max.min(STEP_MAX));
        let resume = self
            .timeline
            .walk(query.kind, query.tags, step, STEP_MAX, &mut |seq, place| {
                found.push((seq, place));
                found.len() < step.max
            });
        Candidates { found, resume }
    }

    fn children(&self, query: &PageQuery<'_>, step: Step) -> Candidates {
        // The youngest parent has the fewest children as a rule (an intent against its customer): walk its list and
        // look each child up in the others.
        let driver = query.parents.iter().copied().max().expect("there are parents");
        let range = self
            .lists
            .range((driver, query.kind, step.low)..(driver, query.kind, step.high));
        let members: &mut dyn Iterator<Item = &(u64, u8, u64)> = if step.upward {
            &mut range.into_iter()
        } else {
            &mut range.rev()
        };
        let mut found = Vec::new();
        for (looked, &(_, kind, child)) in members.enumerate() {
            if found.len() == step.max || looked == STEP_MAX {
                return Candidates {
                    found,
                    resume: Some(if step.upward { child } else { child + 1 }),
                };
            }
            if query
                .parents
                .iter()
                .any(|&parent| !self.lists.contains(&(parent, kind, child)))
            {
                continue;
            }
            if let Some(birth) = self.timeline.birth(child)
                && (query.tags == 0 || birth.tags & query.tags != 0)
            {
                found.push((child, birth.place));
            }
        }
        Candidates { found, resume: None }
    }
}
