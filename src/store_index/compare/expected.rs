//! What the index should hold: the envelopes of the journal, added up.

use super::super::entries::{ChangeEntry, KeyEntry, MemberEntry, RecordEntry, TimerEntry};
use super::super::manifest::{Checkpoint, Manifest};
use super::held::Timers;
use super::sums::Sums;
use super::{Disagreement, End, Journaled, Walked};
use tollgate_store::index::{AccountEnd, HOUR_MS, Map, Place};
use tollgate_store::{Head, StoreError};

/// A timer that is due later than this after the newest record cannot have fired: it must be there. One that was due
/// may have fired, and nothing need tell of it in the journal.
const SURELY_AHEAD_MS: u64 = HOUR_MS;
/// Most records remembered whose timers are not there.
const LACKING_MAX: usize = 1024;

/// What the journal says up to where the index reaches.
pub(super) struct Expected {
    pub(super) sums: Sums,
    pub(super) ends: Map<u64, AccountEnd>,
    pub(super) blocks: u64,
    pub(super) records: u64,
    /// Newest time of a record with a key, in the whole journal: by it the server drops expired keys.
    pub(super) newest_key_ms: u64,
}

impl Expected {
    /// Reads the journal from front to back, and tells what the checkpoint should be. Timers are looked for at once.
    pub(super) fn read<C: Checkpoint>(
        journal: &dyn Journaled<C>,
        manifest: &Manifest<C>,
        span: u64,
        timers: &mut Timers,
    ) -> Result<(Expected, C), End> {
        // (due at, the difference it would make) of timers that are not there.
        let mut lacking: Vec<(u64, End)> = Vec::new();
        let mut newest_ms = 0;
        let mut expected = Expected {
            sums: Sums::new(),
            ends: Map::default(),
            blocks: 0,
            records: 0,
            newest_key_ms: 0,
        };
        let checkpoint = for_each_block(journal, &manifest.checkpoint, &mut |block| {
            let newest = block
                .records
                .iter()
                .filter(|(_, head)| head.key.is_some())
                .map(|(_, head)| head.now_ms);
            expected.newest_key_ms = expected.newest_key_ms.max(newest.max().unwrap_or(0));
            newest_ms = newest_ms.max(block.now_ms);
            if !block.indexed {
                return Ok(());
            }
            expected.blocks += 1;
            expected.records += block.records.len() as u64;
            for (place, head) in block.records {
                expected.add(block, *place, head, span);
                for timer in timers_of(block, head) {
                    let floor = manifest.timer_floors.get(&timer.shard);
                    let is_handled = floor.is_some_and(|&floor| timer.due_ms < floor);
                    if !is_handled && !timers.matches(&timer) {
                        let what = "the index lacks a timer that this record sets";
                        lacking.push((timer.due_ms, differs(journal, block, *place, what)));
                    }
                }
            }
            if lacking.len() > LACKING_MAX {
                lacking.retain(|(due_ms, _)| *due_ms > newest_ms + SURELY_AHEAD_MS);
                lacking.truncate(LACKING_MAX);
            }
            Ok(())
        })?;
        let surely = |(due_ms, _): &(u64, End)| *due_ms > newest_ms + SURELY_AHEAD_MS;
        let first = lacking.into_iter().find(surely);
        first.map_or(Ok((expected, checkpoint)), |(_, found)| Err(found))
    }

    fn add(&mut self, block: &Walked<'_>, place: Place, head: &Head, span: u64) {
        self.sums.add_record(&next_record(&mut self.ends, block, place, head));
        for &seq in &head.changed {
            let account = head.account;
            self.sums.add_change(&ChangeEntry { account, seq, place });
        }
        for member in members_of(head) {
            self.sums.add_member(&member);
        }
        if let Some(entry) = key_of(head, place) {
            self.sums.add_key(generation_of(head, span), &entry);
        }
    }
}

/// Shows every block of the journal, and tells what a checkpoint at this place should be.
pub(super) fn for_each_block<C>(
    journal: &dyn Journaled<C>,
    to: &C,
    visit: &mut dyn FnMut(&Walked<'_>) -> Result<(), End>,
) -> Result<C, End> {
    let mut early = None;
    let walked = journal.walk(to, &mut |block| {
        visit(block).map_err(|end| {
            early = Some(end);
            StoreError::Stopped
        })
    });
    match early {
        Some(end) => Err(end),
        None => walked.map_err(End::Failed),
    }
}

/// What the timeline should hold of the account's next record. Leads the account's end on.
pub(super) fn next_record(
    ends: &mut Map<u64, AccountEnd>,
    block: &Walked<'_>,
    place: Place,
    head: &Head,
) -> RecordEntry {
    let end = ends.entry(head.account).or_insert(AccountEnd {
        shard: block.shard,
        next_seq: 0,
        last_ms: 0,
        records: 0,
        newest_row: None,
    });
    let first_seq = if head.born.is_empty() {
        end.next_seq
    } else {
        head.first_seq
    };
    let entry = RecordEntry {
        account: head.account,
        number: end.records,
        first_seq,
        // A time that goes back counts as the record's before.
        now_ms: end.last_ms.max(head.now_ms),
        tags: head.tags,
        place,
        born: head.born.clone(),
    };
    end.last_ms = entry.now_ms;
    end.next_seq = first_seq + head.born.len() as u64;
    end.newest_row = if head.row { Some(end.records) } else { end.newest_row };
    end.records += 1;
    entry
}

pub(super) fn members_of(head: &Head) -> impl Iterator<Item = MemberEntry> {
    head.lists.iter().map(|&(parent, kind, child)| MemberEntry {
        account: head.account,
        parent,
        kind,
        child,
    })
}

pub(super) fn key_of(head: &Head, place: Place) -> Option<KeyEntry> {
    let account = head.account;
    head.key.map(|hash| KeyEntry { hash, account, place })
}

/// First hour of the generation that a record's key belongs to.
pub(super) fn generation_of(head: &Head, span: u64) -> u64 {
    head.now_ms / HOUR_MS / span * span
}

/// The difference that a record makes.
pub(super) fn differs<C>(journal: &dyn Journaled<C>, block: &Walked<'_>, place: Place, what: &str) -> End {
    End::Differs(Disagreement {
        place: journal.name(place),
        what: what.to_owned(),
        block: Some((block.shard.0, block.seq)),
    })
}

fn timers_of(block: &Walked<'_>, head: &Head) -> impl Iterator<Item = TimerEntry> {
    let (shard, account) = (block.shard, head.account);
    head.timers.iter().map(move |&(due_ms, seq)| TimerEntry {
        shard,
        due_ms,
        account,
        seq,
    })
}
