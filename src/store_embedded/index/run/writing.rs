//! A run as it is written: section after section, then the tail.

use super::{Run, changed_probe, path};
use crate::index::block::{Blocks, SectionWriter};
use crate::index::entries::{AccountEntry, ChangeEntry, MemberEntry, RecordEntry, TimerEntry};
use crate::index::file::{FileWriter, IndexFile, Writing};
use crate::index::filter::{Filter, Probe, mix};
use crate::index::health::Health;
use crate::index::manifest::FileEntry;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tollgate_store::index::AccountIndex;
use tollgate_store::{AccountRef, StoreError};

/// Writes a run, section after section.
pub(in crate::index) struct RunWriter<'a> {
    pub(in crate::index) file: FileWriter<'a>,
    path: PathBuf,
    id: u64,
}

/// The sections of a run that was written.
pub(in crate::index) struct Written {
    pub(in crate::index) timeline: Blocks<RecordEntry>,
    pub(in crate::index) lists: Blocks<MemberEntry>,
    pub(in crate::index) changes: Blocks<ChangeEntry>,
    pub(in crate::index) timers: Blocks<TimerEntry>,
    pub(in crate::index) accounts: Blocks<AccountEntry>,
    pub(in crate::index) changed: Filter,
    pub(in crate::index) present: Filter,
}

impl<'a> RunWriter<'a> {
    pub(in crate::index) fn create(writing: &'a Writing, dir: &Path, id: u64) -> Result<Self, StoreError> {
        let path = path(dir, id);
        let file = FileWriter::create(writing, &path)?;
        Ok(RunWriter { file, path, id })
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
    pub(in crate::index) fn finish(
        mut self,
        level: u32,
        written: Written,
        health: &Arc<Health>,
    ) -> Result<Run, StoreError> {
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
        let (file, bytes) = self.file.finish()?;
        let entry = FileEntry {
            id: self.id,
            level,
            hour: 0,
            bytes,
            tail_at,
            tail_crc: crc32c::crc32c(&tail),
        };
        let file = IndexFile::new(self.path, file, health);
        Ok(Run::assemble(&file, entry, written))
    }
}

/// The changes of a run, with their filter, as they are written.
pub(in crate::index) struct ChangesWriter {
    section: SectionWriter<ChangeEntry>,
    filter: Filter,
}

impl ChangesWriter {
    /// For at most this many entries.
    pub(in crate::index) fn new(most: u64) -> ChangesWriter {
        ChangesWriter {
            section: SectionWriter::new(),
            filter: Filter::for_keys(most),
        }
    }
    pub(in crate::index) fn push(&mut self, file: &mut FileWriter<'_>, entry: ChangeEntry) -> Result<(), StoreError> {
        self.filter.insert(&changed_probe(entry.account, entry.seq));
        self.section.push(file, entry)
    }
    pub(in crate::index) fn finish(
        self,
        file: &mut FileWriter<'_>,
    ) -> Result<(Blocks<ChangeEntry>, Filter), StoreError> {
        Ok((self.section.finish(file)?, self.filter))
    }
}

/// The accounts of a run, with their filter, as they are written.
pub(in crate::index) struct AccountsWriter {
    section: SectionWriter<AccountEntry>,
    filter: Filter,
}

impl AccountsWriter {
    /// For at most this many entries.
    pub(in crate::index) fn new(most: u64) -> AccountsWriter {
        AccountsWriter {
            section: SectionWriter::new(),
            filter: Filter::for_keys(most),
        }
    }
    pub(in crate::index) fn push(&mut self, file: &mut FileWriter<'_>, entry: AccountEntry) -> Result<(), StoreError> {
        self.filter.insert(&Probe::new(mix(entry.account)));
        self.section.push(file, entry)
    }
    pub(in crate::index) fn finish(
        self,
        file: &mut FileWriter<'_>,
    ) -> Result<(Blocks<AccountEntry>, Filter), StoreError> {
        Ok((self.section.finish(file)?, self.filter))
    }
}
