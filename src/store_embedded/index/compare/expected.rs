//! What the index should hold: the envelopes of the journal, added up.

use super::super::entries::{ChangeEntry, KeyEntry, MemberEntry, RecordEntry, TimerEntry};
use super::super::manifest::{Manifest, Position};
use super::held::Timers;
use super::sums::Sums;
use super::{Disagreement, End};
use crate::frame::Kind;
use crate::meta::Meta;
use crate::rebuild::{Owners, check_order, heads, place_of};
use crate::segment;
use crate::walk::{Frame, walk};
use std::path::Path;
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
    pub(super) owners: Owners,
    pub(super) blocks: u64,
    pub(super) records: u64,
    /// Newest time of a record with a key, in the whole journal: by it the server drops expired keys.
    pub(super) newest_key_ms: u64,
}

impl Expected {
    /// Reads the journal from front to back. Timers are looked for at once.
    pub(super) fn read(
        dir: &Path,
        meta: &Meta,
        manifest: &Manifest,
        span: u64,
        timers: &mut Timers,
    ) -> Result<Expected, End> {
        // (due at, the difference it would make) of timers that are not there.
        let mut lacking: Vec<(u64, End)> = Vec::new();
        let mut newest_ms = 0;
        let mut expected = Expected {
            sums: Sums::new(),
            ends: Map::default(),
            owners: Owners::new(),
            blocks: 0,
            records: 0,
            newest_key_ms: 0,
        };
        for_each_block(dir, meta, &mut |frame, batch| {
            let newest = batch
                .iter()
                .filter(|(_, head)| head.key.is_some())
                .map(|(_, head)| head.now_ms);
            expected.newest_key_ms = expected.newest_key_ms.max(newest.max().unwrap_or(0));
            newest_ms = newest_ms.max(frame.header.now_ms);
            if is_behind(&manifest.position, frame) {
                return Ok(());
            }
            check_order(meta, &mut expected.owners, frame).map_err(|what| {
                End::Failed(StoreError::Corrupt {
                    place: place_of(dir, frame),
                    what,
                })
            })?;
            if frame.header.kind == Kind::Claim {
                return Ok(());
            }
            expected.blocks += 1;
            expected.records += batch.len() as u64;
            for (place, head) in batch {
                expected.add(frame, *place, head, span);
                for timer in timers_of(frame, head) {
                    let floor = manifest.timer_floors.get(&timer.shard);
                    let is_handled = floor.is_some_and(|&floor| timer.due_ms < floor);
                    if !is_handled && !timers.matches(&timer) {
                        let what = "the index lacks a timer that this record sets";
                        lacking.push((timer.due_ms, differs(dir, frame, *place, what)));
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
        first.map_or(Ok(expected), |(_, found)| Err(found))
    }

    fn add(&mut self, frame: &Frame<'_>, place: Place, head: &Head, span: u64) {
        self.sums.add_record(&next_record(&mut self.ends, frame, place, head));
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

/// Takes a frame and the envelopes of its records.
type Visit<'a> = dyn FnMut(&Frame<'_>, &[(Place, Head)]) -> Result<(), End> + 'a;

/// Shows every frame of the journal with the envelopes of its records.
pub(super) fn for_each_block(dir: &Path, meta: &Meta, visit: &mut Visit<'_>) -> Result<(), End> {
    let mut batch = Vec::new();
    let mut early = None;
    let walked = walk(dir, &meta.id, None, true, &mut |frame| {
        batch.clear();
        if frame.header.kind != Kind::Claim {
            heads(dir, frame, &mut batch)?;
        }
        visit(frame, &batch).map_err(|end| {
            early = Some(end);
            StoreError::Stopped
        })
    });
    match early {
        Some(end) => Err(end),
        None => walked.map(|_| ()).map_err(End::Failed),
    }
}

/// Whether a frame is not indexed yet.
pub(super) fn is_behind(position: &Position, frame: &Frame<'_>) -> bool {
    (frame.segment, frame.offset) > (position.segment, position.last_frame)
}

/// What the timeline should hold of the account's next record. Leads the account's end on.
pub(super) fn next_record(
    ends: &mut Map<u64, AccountEnd>,
    frame: &Frame<'_>,
    place: Place,
    head: &Head,
) -> RecordEntry {
    let end = ends.entry(head.account).or_insert(AccountEnd {
        shard: frame.header.shard,
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
pub(super) fn differs(dir: &Path, frame: &Frame<'_>, place: Place, what: &str) -> End {
    End::Differs(Disagreement {
        place: format!(
            "{} offset {}",
            segment::path(dir, place.segment).display(),
            place.offset
        ),
        what: what.to_owned(),
        block: Some((frame.header.shard.0, frame.header.seq)),
    })
}

fn timers_of(frame: &Frame<'_>, head: &Head) -> impl Iterator<Item = TimerEntry> {
    let (shard, account) = (frame.header.shard, head.account);
    head.timers.iter().map(move |&(due_ms, seq)| TimerEntry {
        shard,
        due_ms,
        account,
        seq,
    })
}
