//! What the files of the index hold, added up.

use super::super::block::Merge;
use super::super::entries::{AccountEntry, ChangeEntry, KeyEntry, TimerEntry};
use super::super::keyfile::KeyFile;
use super::super::manifest::Checkpoint;
use super::View;
use super::sums::{Sums, timer_hash};
use std::collections::BTreeSet;
use std::sync::Arc;
use tollgate_store::StoreError;
use tollgate_store::index::{AccountEnd, Map};

/// What the index holds.
pub(super) struct Held {
    pub(super) sums: Sums,
    pub(super) timers: Timers,
    ends: Map<u64, AccountEnd>,
}

/// Timers that are still to come, each with whether the journal has it.
#[derive(Default)]
pub(super) struct Timers {
    seen: Map<u64, bool>,
}

impl Timers {
    /// Whether the index has the timer; notes that the journal has it.
    pub(super) fn matches(&mut self, timer: &TimerEntry) -> bool {
        let seen = self.seen.get_mut(&timer_hash(timer));
        seen.is_some_and(|seen| {
            *seen = true;
            true
        })
    }

    /// How many the journal does not have.
    pub(super) fn unmatched(&self) -> usize {
        self.seen.values().filter(|seen| !**seen).count()
    }
}

impl Held {
    /// Reads every file from front to back.
    pub(super) fn read<C: Checkpoint>(view: &View<C>) -> Result<Held, StoreError> {
        let mut sums = Sums::new();
        for run in &view.runs {
            let mut records = run.timeline.start();
            while let Some(entry) = records.forth()? {
                sums.add_record(&entry);
            }
        }
        let mut members = Merge::new(view.runs.iter().map(|run| run.lists.start()).collect())?;
        let mut last = None;
        while let Some(entry) = members.next()? {
            if last.replace(entry) != Some(entry) {
                sums.add_member(&entry);
            }
        }
        let mut changes = Merge::new(view.runs.iter().map(|run| run.changes.start()).collect())?;
        let mut pending: Option<ChangeEntry> = None;
        while let Some(entry) = changes.next()? {
            // Of equal keys the newest comes last, and counts.
            let before = pending.replace(entry);
            if let Some(before) = before.filter(|before| (before.account, before.seq) != (entry.account, entry.seq)) {
                sums.add_change(&before);
            }
        }
        pending.iter().for_each(|last| sums.add_change(last));
        let generations: BTreeSet<u64> = view.keys.iter().map(|file| file.entry.hour).collect();
        for generation in generations {
            let files = view.keys.iter().filter(|file| file.entry.hour == generation);
            add_keys(&mut sums, generation, files)?;
        }
        let mut timers = Timers::default();
        for run in &view.runs {
            let mut entries = run.timers.start();
            while let Some(timer) = entries.forth()? {
                if !view.is_handled(&timer) {
                    timers.seen.insert(timer_hash(&timer), false);
                }
            }
        }
        let mut ends = Map::default();
        for run in &view.runs {
            let mut accounts = run.accounts.start();
            while let Some(AccountEntry { account, end }) = accounts.forth()? {
                ends.insert(account, end);
            }
        }
        Ok(Held { sums, timers, ends })
    }

    /// The lowest account whose end is not that of the journal.
    pub(super) fn differing_account(&self, ends: &Map<u64, AccountEnd>) -> Option<u64> {
        let accounts = ends.keys().chain(self.ends.keys()).copied();
        accounts
            .filter(|account| ends.get(account) != self.ends.get(account))
            .min()
    }
}

fn add_keys<'a>(
    sums: &mut Sums,
    generation: u64,
    files: impl Iterator<Item = &'a Arc<KeyFile>>,
) -> Result<(), StoreError> {
    let mut keys = Merge::new(files.map(|file| file.keys.start()).collect())?;
    let mut pending: Option<KeyEntry> = None;
    while let Some(entry) = keys.next()? {
        let before = pending.replace(entry);
        if let Some(before) = before.filter(|before| (before.hash, before.account) != (entry.hash, entry.account)) {
            sums.add_key(generation, &before);
        }
    }
    pending.iter().for_each(|last| sums.add_key(generation, last));
    Ok(())
}

impl<C: Checkpoint> View<C> {
    /// Whether the timer lies before what was handled: such timers may be dropped.
    pub(super) fn is_handled(&self, timer: &TimerEntry) -> bool {
        let floor = self.manifest.timer_floors.get(&timer.shard);
        floor.is_some_and(|&floor| timer.due_ms < floor)
    }
}
