//! A run as it is written: section after section, then the tail.

use super::{Run, changed_probe, name};
use crate::block::{Blocks, SectionWriter};
use crate::entries::{AccountEntry, ChangeEntry, MemberEntry, RecordEntry, TimerEntry};
use crate::file::{FileWriter, Writing};
use crate::filter::{Filter, Probe, mix};
use crate::health::Health;
use crate::manifest::FileEntry;
use std::sync::Arc;
use tollgate_store::index::AccountIndex;
use tollgate_store::{AccountRef, StoreError};

/// Writes a run, section after section.
pub(crate) struct RunWriter<'a> {
    pub(crate) file: FileWriter<'a>,
    id: u64,
}

/// The sections of a run that was written.
pub(crate) struct Written {
    pub(crate) timeline: Blocks<RecordEntry>,
    pub(crate) lists: Blocks<MemberEntry>,
    pub(crate) changes: Blocks<ChangeEntry>,
    pub(crate) timers: Blocks<TimerEntry>,
    pub(crate) accounts: Blocks<AccountEntry>,
    pub(crate) changed: Filter,
    pub(crate) present: Filter,
}

impl<'a> RunWriter<'a> {
    pub(crate) fn create(writing: &'a Writing, id: u64) -> Result<Self, StoreError> {
        let file = FileWriter::create(writing, name(id))?;
        Ok(RunWriter { file, id })
    }

    /// Writes the sections of a layer in memory.
    pub(super) fn write_layer(
        &mut self,
        accounts: &[(AccountRef, &AccountIndex)],
        timers: &[TimerEntry],
    ) -> Result<Written, StoreError> {
        let file = &mut self.file;
        let mut timeline = SectionWriter::new();
        for &(account, index) in accounts {
            for record in index.records() {
                let entry = RecordEntry {
                    account: account.0,
                    number: record.number,
                    first_seq: record.first_seq,
                    now_ms: record.now_ms,
                    tags: record.tags,
                    place: record.place,
                    born: record.born.into(),
                };
                timeline.push(file, entry)?;
            }
        }
        let timeline = timeline.finish(file)?;
        let mut lists = SectionWriter::new();
        for &(AccountRef(account), index) in accounts {
            for (parent, kind, child) in index.memberships() {
                let entry = MemberEntry {
                    account,
                    parent,
                    kind,
                    child,
                };
                lists.push(file, entry)?;
            }
        }
        let lists = lists.finish(file)?;
        let most = accounts.iter().map(|(_, index)| index.changes().count() as u64).sum();
        let mut changes = ChangesWriter::new(most);
        for &(AccountRef(account), index) in accounts {
            for (seq, place) in index.changes() {
                changes.push(file, ChangeEntry { account, seq, place })?;
            }
        }
        let (changes, changed) = changes.finish(file)?;
        let mut section = SectionWriter::new();
        for &timer in timers {
            section.push(file, timer)?;
        }
        let timers = section.finish(file)?;
        let mut ends = AccountsWriter::new(accounts.len() as u64);
        for &(AccountRef(account), index) in accounts {
            let end = index.end();
            ends.push(file, AccountEntry { account, end })?;
        }
        let (accounts, present) = ends.finish(file)?;
        Ok(Written {
            timeline,
            lists,
            changes,
            timers,
            accounts,
            changed,
            present,
        })
    }

    /// Writes the tail and makes the file durable.
    pub(crate) fn finish(mut self, level: u32, written: Written, health: &Arc<Health>) -> Result<Run, StoreError> {
        let mut tail = Vec::new();
        written.timeline.put(&mut tail);
        written.lists.put(&mut tail);
        written.changes.put(&mut tail);
        written.timers.put(&mut tail);
        written.accounts.put(&mut tail);
        written.changed.put(&mut tail);
        written.present.put(&mut tail);
        let tail_at = self.file.offset();
        self.file.append(&tail)?;
        let (file, bytes) = self.file.finish(health)?;
        let entry = FileEntry {
            id: self.id,
            level,
            hour: 0,
            bytes,
            tail_at,
            tail_crc: crc32c::crc32c(&tail),
        };
        Ok(Run::assemble(&file, entry, written))
    }
}

/// The changes of a run, with their filter, as they are written.
pub(crate) struct ChangesWriter {
    section: SectionWriter<ChangeEntry>,
    filter: Filter,
}

impl ChangesWriter {
    /// For at most this many entries.
    pub(crate) fn new(most: u64) -> ChangesWriter {
        ChangesWriter {
            section: SectionWriter::new(),
            filter: Filter::for_keys(most),
        }
    }
    pub(crate) fn push(&mut self, file: &mut FileWriter<'_>, entry: ChangeEntry) -> Result<(), StoreError> {
        self.filter.insert(&changed_probe(entry.account, entry.seq));
        self.section.push(file, entry)
    }
    pub(crate) fn finish(self, file: &mut FileWriter<'_>) -> Result<(Blocks<ChangeEntry>, Filter), StoreError> {
        Ok((self.section.finish(file)?, self.filter))
    }
}

/// The accounts of a run, with their filter, as they are written.
pub(crate) struct AccountsWriter {
    section: SectionWriter<AccountEntry>,
    filter: Filter,
}

impl AccountsWriter {
    /// For at most this many entries.
    pub(crate) fn new(most: u64) -> AccountsWriter {
        AccountsWriter {
            section: SectionWriter::new(),
            filter: Filter::for_keys(most),
        }
    }
    pub(crate) fn push(&mut self, file: &mut FileWriter<'_>, entry: AccountEntry) -> Result<(), StoreError> {
        self.filter.insert(&Probe::new(mix(entry.account)));
        self.section.push(file, entry)
    }
    pub(crate) fn finish(self, file: &mut FileWriter<'_>) -> Result<(Blocks<AccountEntry>, Filter), StoreError> {
        Ok((self.section.finish(file)?, self.filter))
    }
}
