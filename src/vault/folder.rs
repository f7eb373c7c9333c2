//! The folder `vault` of a data directory:
//!
//! - `keys`: the master keys, readable by their owner only;
//! - `rewraps`: data keys that a rotation has wrapped anew, in entries of a fixed length, each with a checksum;
//! - `accesses`: a line of JSON each, appended and synced before the access happens.

use crate::keep::{Keep, Token};
use crate::rewraps::{ENTRY_LEN, parse, put};
use crate::{Access, Rewrap, VaultError, files};
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// The folder of the vault within a data directory.
pub const FOLDER: &str = "vault";

/// Most entries that are synced together: a torn write may reach back over so many.
pub(crate) const BATCH: usize = 1_024;

/// The vault's folder. Only one process at a time changes it: whoever does holds the lock of the data directory.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The file of rewraps, once it was written anew and is appended to.
    growing: Mutex<Option<File>>,
}

impl Folder {
    /// The vault of a data directory.
    pub fn of(data: &Path) -> Folder {
        Folder {
            path: data.join(FOLDER),
            growing: Mutex::new(None),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Entries that check out. What a crash has cut off at the end is left out; it is made again.
    fn entries(&self) -> Result<HashMap<Token, Rewrap>, VaultError> {
        let path = self.file("rewraps");
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
        }
        Ok(entries)
    }

    /// Writes the file of rewraps anew.
    fn write(&self, entries: &HashMap<Token, Rewrap>) -> Result<(), VaultError> {
        let mut bytes = Vec::with_capacity(entries.len() * ENTRY_LEN);
        for (token, rewrap) in entries {
            put(token, rewrap, &mut bytes);
        }
        files::replace(&self.file("rewraps"), &bytes)
    }
}

impl Keep for Folder {
    fn place(&self) -> String {
        self.file("keys").display().to_string()
    }

    fn keys(&self) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let path = self.file("keys");
        let Some(bytes) = files::read(&path)?.map(Zeroizing::new) else {
            return Ok(None);
        };
        files::owners_only(&path)?;
        Ok(Some(bytes))
    }

    fn replace_keys(&self, before: Option<&[u8]>, after: &[u8]) -> Result<bool, VaultError> {
        let path = self.file("keys");
        let now = files::read(&path)?.map(Zeroizing::new);
        if now.as_ref().map(|bytes| &bytes[..]) != before {
            return Ok(false);
        }
        files::replace(&path, after).map(|()| true)
    }

    fn was_used(&self) -> Result<bool, VaultError> {
        Ok(["rewraps", "accesses"].iter().any(|name| self.file(name).exists()))
    }

    fn rewraps(&self, visit: &mut dyn FnMut(Token, Rewrap) -> Result<(), VaultError>) -> Result<(), VaultError> {
        self.entries()?
            .into_iter()
            .try_for_each(|(token, rewrap)| visit(token, rewrap))
    }

    fn add_rewraps(&self, some: &[(Token, Rewrap)]) -> Result<(), VaultError> {
        assert!(some.len() <= BATCH, "more than a torn write may reach back over");
        let path = self.file("rewraps");
        let mut growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match &mut *growing {
            Some(file) => file,
            none => {
                // First anew with the entries that are known, so that nothing torn stays in front of these.
                self.write(&self.entries()?)?;
                none.insert(files::append(&path)?)
            }
        };
        let mut bytes = Vec::with_capacity(some.len() * ENTRY_LEN);
        for (token, rewrap) in some {
            put(token, rewrap, &mut bytes);
        }
        let written = file.write_all(&bytes).and_then(|()| file.sync_data());
        if written.is_err() {
            *growing = None;
        }
        written.map_err(|source| files::io(&path, source))
    }

    fn drop_rewraps_before(&self, master_key: u32) -> Result<(), VaultError> {
        *self.growing.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let mut entries = self.entries()?;
        entries.retain(|_, rewrap| rewrap.master_key >= master_key);
        self.write(&entries)
    }

    fn record(&self, access: &Access) -> Result<(), VaultError> {
        let path = self.file("accesses");
        let mut file = files::append(&path)?;
        let mut write = || {
            file.write_all(format!("{}\n", access.line()).as_bytes())?;
            file.sync_all()
        };
        write().map_err(|source| files::io(&path, source))
    }

    /// A line that a crash has cut off at the end is left out: its access did not happen.
    fn accesses(&self) -> Result<Vec<Access>, VaultError> {
        let path = self.file("accesses");
        let bytes = files::read(&path)?.unwrap_or_default();
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines = bytes[..whole]
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        lines
            .enumerate()
            .map(|(at, line)| {
                Access::of_line(line).ok_or_else(|| VaultError::Damaged {
                    path: path.clone(),
                    what: format!("line {} is no access", at + 1),
                })
            })
            .collect()
    }
}
