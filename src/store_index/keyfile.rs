//! Idempotency keys on disk: files of one generation (an hour, as a rule), dropped whole once every key in them has
//! expired. A filter of 16 bits a key in memory answers for the keys that are not there.

use super::block::{Blocks, Section, SectionWriter};
use super::entries::KeyEntry;
use super::file::{FileWriter, IndexFile, Writing};
use super::files::{FileKind, FileName, Files};
use super::filter::{Filter, Probe, mix};
use super::health::Health;
use super::manifest::FileEntry;
use super::run::{bad_tail, read_tail};
use std::sync::Arc;
use tollgate_resource::record::Input;
use tollgate_store::index::Place;
use tollgate_store::{AccountRef, KeyHash, StoreError};

/// Keys of one generation. `entry.hour` is the generation's first hour.
pub(super) struct KeyFile {
    pub(super) entry: FileEntry,
    pub(super) keys: Section<KeyEntry>,
    filter: Filter,
}

/// The name of a file of keys.
pub(super) fn name(id: u64) -> FileName {
    let kind = FileKind::Keys;
    FileName { id, kind }
}

/// The key as the filters know it.
pub(super) fn probe(account: u64, key: &KeyHash) -> Probe {
    let (start, end) = key.split_at(8);
    let start = u64::from_le_bytes(start.try_into().expect("eight bytes"));
    let end = u32::from_le_bytes(end.try_into().expect("four bytes"));
    Probe::new(mix(start ^ mix(account ^ u64::from(end) << 32)))
}

/// Writes the keys of a generation, sorted, of each key only the newest.
pub(super) struct KeyFileWriter<'a> {
    file: FileWriter<'a>,
    section: SectionWriter<KeyEntry>,
    filter: Filter,
    pending: Option<KeyEntry>,
}

impl<'a> KeyFileWriter<'a> {
    /// For at most this many keys.
    pub(super) fn create(writing: &'a Writing, id: u64, most: u64) -> Result<Self, StoreError> {
        Ok(KeyFileWriter {
            file: FileWriter::create(writing, name(id))?,
            section: SectionWriter::new(),
            filter: Filter::for_keys(most),
            pending: None,
        })
    }

    /// Takes the next entry; of equal keys the newest comes last.
    pub(super) fn push(&mut self, entry: KeyEntry) -> Result<(), StoreError> {
        match self.pending.replace(entry) {
            Some(before) if (before.hash, before.account) != (entry.hash, entry.account) => self.put(before),
            _ => Ok(()),
        }
    }

    fn put(&mut self, entry: KeyEntry) -> Result<(), StoreError> {
        self.filter.insert(&probe(entry.account, &entry.hash));
        self.section.push(&mut self.file, entry)
    }

    /// Writes the tail and makes the file durable.
    pub(super) fn finish(
        mut self,
        id: u64,
        level: u32,
        hour: u64,
        health: &Arc<Health>,
    ) -> Result<KeyFile, StoreError> {
        if let Some(last) = self.pending.take() {
            self.put(last)?;
        }
        let blocks = self.section.finish(&mut self.file)?;
        let mut tail = Vec::new();
        blocks.put(&mut tail);
        self.filter.put(&mut tail);
        let tail_at = self.file.offset();
        self.file.append(&tail)?;
        let (file, bytes) = self.file.finish(health)?;
        let entry = FileEntry {
            id,
            level,
            hour,
            bytes,
            tail_at,
            tail_crc: crc32c::crc32c(&tail),
        };
        Ok(KeyFile {
            entry,
            keys: Section::new(&file, blocks),
            filter: self.filter,
        })
    }
}

impl KeyFile {
    /// Opens the file and checks its tail; the blocks are checked when they are read.
    pub(super) fn open(files: &dyn Files, entry: FileEntry, health: &Arc<Health>) -> Result<KeyFile, StoreError> {
        let file = IndexFile::open(files, name(entry.id), entry.bytes, health)?;
        let tail = read_tail(&file, &entry)?;
        let mut input = Input::new(&tail);
        let take = Blocks::take(&mut input).and_then(|blocks| Ok((blocks, Filter::take(&mut input)?)));
        let (blocks, filter) = take.map_err(|error| bad_tail(&file, &entry, &error))?;
        Ok(KeyFile {
            entry,
            keys: Section::new(&file, blocks),
            filter,
        })
    }

    /// Whether a key (see [`probe`]) may be here. Memory only.
    pub(super) fn may_hold(&self, probe: &Probe) -> bool {
        self.filter.may_hold(probe)
    }

    /// The record with the newest outcome of the key.
    pub(super) fn find(&self, account: AccountRef, key: &KeyHash) -> Result<Option<Place>, StoreError> {
        let entry = self.keys.find(&(*key, account.0))?;
        Ok(entry.map(|entry| entry.place))
    }
}
