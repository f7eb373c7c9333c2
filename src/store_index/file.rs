//! Files of the index: written once from front to back, then only read.

use super::files::{FileName, Files, Sink, Source, Unreadable};
use super::health::Health;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tollgate_store::StoreError;

/// Bytes gathered before they are written.
const CHUNK: usize = 1 << 20;
/// What every file begins with; the digit is the format.
const MAGIC: &[u8; 8] = b"TGINDEX1";

/// How index files are written.
#[derive(Clone)]
pub(super) struct Writing {
    pub(super) files: Arc<dyn Files>,
    /// Set when the store closes: whatever is half written is given up.
    pub(super) stopping: Arc<AtomicBool>,
}

/// A file being written.
pub(super) struct FileWriter<'a> {
    writing: &'a Writing,
    name: FileName,
    sink: Box<dyn Sink>,
    buffer: Vec<u8>,
    written: u64,
}

impl<'a> FileWriter<'a> {
    pub(super) fn create(writing: &'a Writing, name: FileName) -> Result<Self, StoreError> {
        let mut writer = FileWriter {
            writing,
            name,
            sink: writing.files.create(name)?,
            buffer: Vec::with_capacity(CHUNK + CHUNK / 8),
            written: 0,
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
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Makes everything durable and returns the file and its length.
    pub(super) fn finish(mut self, health: &Arc<Health>) -> Result<(Arc<IndexFile>, u64), StoreError> {
        self.flush()?;
        let place = self.writing.files.place_of(self.name);
        Ok((IndexFile::new(place, self.sink.finish()?, health), self.written))
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.writing.stopping.load(Relaxed) {
            return Err(StoreError::Stopped);
        }
        self.sink.append(&self.buffer)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// A file being read.
pub(super) struct IndexFile {
    place: String,
    source: Arc<dyn Source>,
    health: Arc<Health>,
}

impl IndexFile {
    fn new(place: String, source: Arc<dyn Source>, health: &Arc<Health>) -> Arc<IndexFile> {
        Arc::new(IndexFile {
            place,
            source,
            health: Arc::clone(health),
        })
    }

    /// Opens a file that should have this length.
    pub(super) fn open(
        files: &dyn Files,
        name: FileName,
        bytes: u64,
        health: &Arc<Health>,
    ) -> Result<Arc<IndexFile>, StoreError> {
        let place = files.place_of(name);
        let (source, len) = match files.open(name, bytes) {
            Ok(opened) => opened,
            Err(Unreadable::Damaged(what)) => return Err(StoreError::Body { place, what }),
            Err(Unreadable::Unavailable(error)) => return Err(error),
        };
        let file = IndexFile::new(place, source, health);
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
        self.source.read(bytes, offset).map_err(|error| match error {
            Unreadable::Damaged(what) => self.damaged(offset, &what),
            Unreadable::Unavailable(error) => error,
        })
    }

    /// The error of a file that does not check out. From now on the index is not trusted at the next start.
    pub(super) fn damaged(&self, offset: u64, what: &str) -> StoreError {
        let place = format!("{} offset {offset}", self.place);
        let error = StoreError::Body {
            place,
            what: format!("{what}; the index is damaged here and is built again from the journal at the next start"),
        };
        self.health.condemn(&error);
        error
    }
}
