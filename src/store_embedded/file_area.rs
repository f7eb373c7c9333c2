//! Bytes of uploaded files, beside the journal: each under its digest, written once and never changed.
//!
//! ```text
//! DIR/files/ab/abcd…64 digits    bytes that the journal refers to, by their SHA-256
//! DIR/files/new/…                bytes whose record may not be durable yet: digest, account and request in the name
//! ```
//! Bytes are durable before the record that names them is written. They stand under `new` until that record is durable,
//! or is refused; what a crash leaves there is looked up in the journal at the next start, and moved or removed.

use crate::files::{create_dir, io_error, sync_dir};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tollgate_store::StoreError;

const FILES: &str = "files";
const NEW: &str = "new";

/// Most uploads that a start looks up; more than can be under way at once.
const PENDING_MAX: usize = 65_536;

/// Where the bytes of a data directory's files lie.
#[derive(Debug, Clone)]
pub struct FileArea {
    dir: PathBuf,
}

/// Bytes whose record may not be durable yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// SHA-256 of the bytes.
    pub digest: [u8; 32],
    /// Key of the account they belong to.
    pub account: u64,
    /// The request that brought them.
    pub request: u128,
}

impl FileArea {
    /// The area of the data in `dir`; made when it is not there.
    ///
    /// # Errors
    /// When the directories cannot be made.
    pub fn open(dir: &Path) -> Result<FileArea, StoreError> {
        let area = FileArea { dir: dir.join(FILES) };
        create_dir(&area.dir.join(NEW))?;
        sync_dir(&area.dir)?;
        Ok(area)
    }

    /// Makes bytes durable, as pending.
    ///
    /// # Errors
    /// When they cannot be written; then nothing of them counts.
    pub fn keep(&self, pending: &Pending, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.pending_path(pending);
        let fresh = path.with_extension("part");
        let write = || {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&fresh)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)
        };
        write().map_err(|error| io_error(&path, "write", &error))?;
        sync_dir(&self.dir.join(NEW))
    }

    /// The record of pending bytes is durable: they stay. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When they cannot be moved; they are still read, and the next start tries again.
    pub fn settle(&self, pending: &Pending) -> Result<(), StoreError> {
        let (from, to) = (self.pending_path(pending), self.path(&pending.digest));
        let dir = to.parent().expect("it has a folder");
        if !dir.is_dir() {
            create_dir(dir)?;
        }
        match fs::rename(&from, &to) {
            Ok(()) => sync_dir(dir),
            Err(error) if error.kind() == ErrorKind::NotFound && to.is_file() => Ok(()),
            Err(error) => Err(io_error(&from, "move", &error)),
        }
    }

    /// No record names pending bytes, nor will one.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn forget(&self, pending: &Pending) -> Result<(), StoreError> {
        let path = self.pending_path(pending);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(io_error(&path, "remove", &error)),
            _ => Ok(()),
        }
    }

    /// The bytes with that digest, settled or pending; `None` if there are none.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(&self, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(digest);
        match fs::read(&path) {
            Ok(bytes) => return Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(io_error(&path, "read", &error)),
        }
        let Some(pending) = self.pending()?.into_iter().find(|pending| pending.digest == *digest) else {
            // It may have been settled between the two looks.
            return Ok(fs::read(&path).ok());
        };
        Ok(fs::read(self.pending_path(&pending)).or_else(|_| fs::read(&path)).ok())
    }

    /// What is pending, and at a start therefore undecided. Half-written bytes of a crash are removed.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn pending(&self) -> Result<Vec<Pending>, StoreError> {
        let dir = self.dir.join(NEW);
        let entries = fs::read_dir(&dir).map_err(|error| io_error(&dir, "read", &error))?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names
            .filter_map(|name| Pending::read(&name))
            .take(PENDING_MAX)
            .collect())
    }

    /// Removes what a crash left half-written. Only while nobody writes.
    ///
    /// # Errors
    /// When the folder cannot be read or changed.
    pub fn remove_parts(&self) -> Result<(), StoreError> {
        let dir = self.dir.join(NEW);
        let entries = fs::read_dir(&dir).map_err(|error| io_error(&dir, "read", &error))?;
        for entry in entries.flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "part") {
                fs::remove_file(entry.path()).map_err(|error| io_error(&entry.path(), "remove", &error))?;
            }
        }
        Ok(())
    }

    /// The file with these bytes, for an audit that must not change anything: opened, and its length.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open_file(&self, digest: &[u8; 32]) -> Result<Option<File>, StoreError> {
        let path = self.path(digest);
        let settled = match File::open(&path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(io_error(&path, "open", &error)),
        };
        if settled.is_some() || !self.dir.join(NEW).is_dir() {
            return Ok(settled);
        }
        let pending = self.pending()?.into_iter().find(|pending| pending.digest == *digest);
        let opened = pending.and_then(|pending| File::open(self.pending_path(&pending)).ok());
        // It may have been settled between the two looks.
        Ok(opened.or_else(|| File::open(&path).ok()))
    }

    /// Visits all settled bytes: their digest by their name, `None` for a name that is no digest.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn each_settled(&self, visit: &mut dyn FnMut(Option<[u8; 32]>)) -> Result<(), StoreError> {
        for folder in entries(&self.dir)? {
            let folder = folder.map_err(|error| io_error(&self.dir, "read", &error))?;
            if folder.file_name() == NEW {
                continue;
            }
            if !folder.path().is_dir() {
                visit(None);
                continue;
            }
            for file in entries(&folder.path())? {
                let file = file.map_err(|error| io_error(&folder.path(), "read", &error))?;
                visit(file.file_name().to_str().and_then(digest_of));
            }
        }
        Ok(())
    }

    /// The area of the data in `dir` as it is, for an audit.
    pub fn existing(dir: &Path) -> FileArea {
        FileArea { dir: dir.join(FILES) }
    }

    /// Where the bytes with that digest lie once their record is durable.
    pub fn path(&self, digest: &[u8; 32]) -> PathBuf {
        let name = hex(digest);
        self.dir.join(&name[..2]).join(name)
    }

    fn pending_path(&self, pending: &Pending) -> PathBuf {
        self.dir.join(NEW).join(pending.name())
    }
}

impl Pending {
    fn name(&self) -> String {
        format!("{}-{:016x}-{:032x}", hex(&self.digest), self.account, self.request)
    }

    fn read(name: &str) -> Option<Pending> {
        let mut parts = name.split('-');
        let (digest, account, request) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        Some(Pending {
            digest: digest_of(digest)?,
            account: u64::from_str_radix(account, 16).ok()?,
            request: u128::from_str_radix(request, 16).ok()?,
        })
    }
}

/// What is in a folder; nothing if it is not there.
fn entries(dir: &Path) -> Result<impl Iterator<Item = std::io::Result<fs::DirEntry>>, StoreError> {
    match fs::read_dir(dir) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None.into_iter().flatten()),
        Err(error) => Err(io_error(dir, "read", &error)),
    }
}

fn digest_of(name: &str) -> Option<[u8; 32]> {
    if name.len() != 64 || !name.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&name[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

fn hex(digest: &[u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(request: u128) -> Pending {
        Pending {
            digest: [0xab; 32],
            account: 7,
            request,
        }
    }

    #[test]
    fn bytes_are_read_while_pending_and_after() {
        let dir = tempfile::tempdir().expect("a directory");
        let area = FileArea::open(dir.path()).expect("an area");
        assert_eq!(area.read(&[0xab; 32]).expect("readable"), None);
        area.keep(&pending(1), b"bytes").expect("kept");
        assert_eq!(area.read(&[0xab; 32]).expect("readable"), Some(b"bytes".to_vec()));
        assert_eq!(area.pending().expect("readable"), vec![pending(1)]);
        area.settle(&pending(1)).expect("settled");
        area.settle(&pending(1)).expect("twice changes nothing");
        assert_eq!(area.pending().expect("readable"), Vec::new());
        assert_eq!(area.read(&[0xab; 32]).expect("readable"), Some(b"bytes".to_vec()));
    }

    #[test]
    fn forgetting_one_upload_leaves_another_with_the_same_bytes() {
        let dir = tempfile::tempdir().expect("a directory");
        let area = FileArea::open(dir.path()).expect("an area");
        area.keep(&pending(1), b"bytes").expect("kept");
        area.keep(&pending(2), b"bytes").expect("kept");
        area.settle(&pending(1)).expect("settled");
        area.forget(&pending(2)).expect("forgotten");
        assert_eq!(area.pending().expect("readable"), Vec::new());
        assert_eq!(area.read(&[0xab; 32]).expect("readable"), Some(b"bytes".to_vec()));
    }

    #[test]
    fn what_a_crash_left_half_written_is_removed_and_never_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let area = FileArea::open(dir.path()).expect("an area");
        let part = area.pending_path(&pending(1)).with_extension("part");
        fs::write(&part, b"by").expect("written");
        assert_eq!(area.read(&[0xab; 32]).expect("readable"), None);
        area.remove_parts().expect("removed");
        assert!(!part.exists());
    }
}
