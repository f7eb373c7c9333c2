//! Data keys that a rotation has wrapped under a newer master key: entries of a fixed length, each with a checksum, in a
//! file that grows during a rotation and is written anew at its end.

use crate::VaultError;
use crate::files;
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use tollgate_domain::payments::card::SEALED_TAG_LEN;

/// Most sealed numbers a rotation can take: 100 bytes of memory each.
pub const REWRAPS_MAX: usize = 50_000_000;
/// Bytes of an entry: token, number of the master key, wrapped data key, checksum.
const ENTRY_LEN: usize = 16 + 4 + 32 + SEALED_TAG_LEN + 4;

/// A data key under a newer master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewrap {
    /// Number of the master key.
    pub master_key: u32,
    /// The data key, wrapped.
    pub data_key: [u8; 32 + SEALED_TAG_LEN],
}

/// All of them, by the token of the sealed number.
#[derive(Debug, Default)]
pub struct Rewraps {
    path: PathBuf,
    entries: HashMap<[u8; 16], Rewrap>,
}

impl Rewraps {
    /// Reads the file of `folder`. An entry that a crash has cut off at the end is left out; it is made again.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged before its end.
    pub fn read(folder: &Path) -> Result<Rewraps, VaultError> {
        let path = folder.join("rewraps");
        let bytes = files::read(&path)?.unwrap_or_default();
        let mut entries = HashMap::new();
        let whole = bytes.len() / ENTRY_LEN;
        for (at, entry) in bytes.chunks_exact(ENTRY_LEN).enumerate() {
            match parse(entry) {
                Some((token, rewrap)) => {
                    entries.insert(token, rewrap);
                }
                // A torn write may reach back over the last entries of a batch that was not synced.
                None if bytes[at * ENTRY_LEN..].len() <= BATCH * ENTRY_LEN => break,
                None => {
                    return Err(VaultError::Damaged {
                        path,
                        what: format!("entry {at} of {whole} does not check out"),
                    });
                }
            }
            if entries.len() > REWRAPS_MAX {
                return Err(VaultError::TooMany(REWRAPS_MAX));
            }
        }
        Ok(Rewraps { path, entries })
    }

    /// The newer wrap of a data key.
    pub fn get(&self, token: &[u8; 16]) -> Option<&Rewrap> {
        self.entries.get(token)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What appends entries. The file is first written anew with the entries that are known, so that nothing torn stays
    /// in front of them.
    pub(crate) fn append(&mut self) -> Result<Appending<'_>, VaultError> {
        self.write()?;
        let file = files::append(&self.path)?;
        Ok(Appending {
            rewraps: self,
            file,
            waiting: Vec::new(),
        })
    }

    /// Writes the file anew with the entries that are known.
    pub(crate) fn write(&self) -> Result<(), VaultError> {
        let mut bytes = Vec::with_capacity(self.entries.len() * ENTRY_LEN);
        for (token, rewrap) in &self.entries {
            put(token, rewrap, &mut bytes);
        }
        files::replace(&self.path, &bytes)
    }

    /// Forgets entries under other keys than `master_key`.
    pub(crate) fn keep_only(&mut self, master_key: u32) {
        self.entries.retain(|_, rewrap| rewrap.master_key == master_key);
    }
}

/// Entries that are synced together.
const BATCH: usize = 1_024;

/// A rotation at work.
pub(crate) struct Appending<'a> {
    rewraps: &'a mut Rewraps,
    file: File,
    waiting: Vec<u8>,
}

impl Appending<'_> {
    pub(crate) fn known(&self, token: &[u8; 16]) -> Option<&Rewrap> {
        self.rewraps.get(token)
    }

    pub(crate) fn push(&mut self, token: [u8; 16], rewrap: Rewrap) -> Result<(), VaultError> {
        if self.rewraps.len() >= REWRAPS_MAX {
            return Err(VaultError::TooMany(REWRAPS_MAX));
        }
        put(&token, &rewrap, &mut self.waiting);
        self.rewraps.entries.insert(token, rewrap);
        if self.waiting.len() >= BATCH * ENTRY_LEN {
            self.flush()?;
        }
        Ok(())
    }

    /// Makes durable what was pushed.
    pub(crate) fn flush(&mut self) -> Result<(), VaultError> {
        let write = |file: &mut File| {
            file.write_all(&self.waiting)?;
            file.sync_data()
        };
        write(&mut self.file).map_err(|source| files::io(&self.rewraps.path, source))?;
        self.waiting.clear();
        Ok(())
    }
}

fn put(token: &[u8; 16], rewrap: &Rewrap, out: &mut Vec<u8>) {
    let from = out.len();
    out.extend_from_slice(token);
    out.extend_from_slice(&rewrap.master_key.to_le_bytes());
    out.extend_from_slice(&rewrap.data_key);
    let sum = crc32c::crc32c(&out[from..]);
    out.extend_from_slice(&sum.to_le_bytes());
}

fn parse(entry: &[u8]) -> Option<([u8; 16], Rewrap)> {
    let (body, sum) = entry.split_at(ENTRY_LEN - 4);
    if crc32c::crc32c(body).to_le_bytes() != sum {
        return None;
    }
    let (token, rest) = body.split_at(16);
    let (master_key, data_key) = rest.split_at(4);
    let rewrap = Rewrap {
        master_key: u32::from_le_bytes(master_key.try_into().ok()?),
        data_key: data_key.try_into().ok()?,
    };
    Some((token.try_into().ok()?, rewrap))
}
