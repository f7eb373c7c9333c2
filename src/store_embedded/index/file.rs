//! Files of the index: written once from front to back, then only read.

use super::health::Health;
use crate::disk::Disk;
use crate::files::io_error;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tollgate_store::StoreError;

/// Bytes gathered before they are written.
const CHUNK: usize = 1 << 20;
/// Bytes written between two syncs, so that the committer's sync never waits behind a long one.
const SYNC_STEP: u64 = 2 << 20;
/// What every file begins with; the digit is the format.
const MAGIC: &[u8; 8] = b"TGINDEX1";

/// How index files are written.
#[derive(Clone)]
pub(super) struct Writing {
    pub(super) disk: Arc<dyn Disk>,
    /// Whether files are synced.
    pub(super) fsync: bool,
    /// Set when the store closes: whatever is half written is given up.
    pub(super) stopping: Arc<AtomicBool>,
}

/// A file being written.
pub(super) struct FileWriter<'a> {
    writing: &'a Writing,
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    written: u64,
    synced: u64,
}

impl<'a> FileWriter<'a> {
    pub(super) fn create(writing: &'a Writing, path: &Path) -> Result<Self, StoreError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| io_error(path, "create", &error))?;
        let mut writer = FileWriter {
            writing,
            path: path.to_owned(),
            file,
            buffer: Vec::with_capacity(CHUNK + CHUNK / 8),
            written: 0,
            synced: 0,
        };
        writer.append(MAGIC)?;
        Ok(writer)
    }

    /// Where the next byte will stand.
    pub(super) fn offset(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.flush()?;
            if self.written - self.synced >= SYNC_STEP {
                self.sync()?;
            }
        }
        Ok(())
    }

    /// Makes everything durable and returns the file and its length.
    pub(super) fn finish(mut self) -> Result<(File, u64), StoreError> {
        self.flush()?;
        self.sync()?;
        Ok((self.file, self.written))
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.writing.stopping.load(Relaxed) {
            return Err(StoreError::Stopped);
        }
        let write = self.writing.disk.write_at(&self.file, &self.buffer, self.written);
        write.map_err(|error| io_error(&self.path, "write", &error))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        if self.writing.fsync {
            let sync = self.writing.disk.sync(&self.file);
            sync.map_err(|error| io_error(&self.path, "sync", &error))?;
        }
        self.synced = self.written;
        Ok(())
    }
}

/// A file being read.
pub(super) struct IndexFile {
    path: PathBuf,
    file: File,
    health: Arc<Health>,
}

impl IndexFile {
    pub(super) fn new(path: PathBuf, file: File, health: &Arc<Health>) -> Arc<IndexFile> {
        Arc::new(IndexFile {
            path,
            file,
            health: Arc::clone(health),
        })
    }

    /// Opens a file that should have this length.
    pub(super) fn open(path: PathBuf, bytes: u64, health: &Arc<Health>) -> Result<Arc<IndexFile>, StoreError> {
        let open = || {
            let file = File::open(&path)?;
            let len = file.metadata()?.len();
            Ok((file, len))
        };
        let (file, len) = open().map_err(|error| io_error(&path, "open", &error))?;
        let file = IndexFile::new(path, file, health);
        if len != bytes {
            return Err(file.damaged(0, &format!("the file has {len} bytes instead of {bytes}")));
        }
        let mut magic = [0; MAGIC.len()];
        file.read(&mut magic, 0)?;
        if magic != *MAGIC {
            return Err(file.damaged(0, "the file does not begin like one of this release's index"));
        }
        Ok(file)
    }

    pub(super) fn read(&self, bytes: &mut [u8], offset: u64) -> Result<(), StoreError> {
        self.file.read_exact_at(bytes, offset).map_err(|error| {
            let what = format!("cannot be read: {error}");
            self.damaged(offset, &what)
        })
    }

    /// The error of a file that does not check out. From now on the index is not trusted at the next start.
    pub(super) fn damaged(&self, offset: u64, what: &str) -> StoreError {
        let place = format!("{} offset {offset}", self.path.display());
        let error = StoreError::Body {
            place,
            what: format!("{what}; the index is damaged here and is built again from the journal at the next start"),
        };
        self.health.condemn(&error);
        error
    }
}
