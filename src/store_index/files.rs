//! Where the files of an index are: the port that a store brings. Files are written once, from front to back, and only
//! read afterwards; the manifest is replaced as a whole.

use std::fmt;
use std::sync::Arc;
use tollgate_store::StoreError;

/// What a file holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FileKind {
    /// The index of a stretch of the journal.
    Run,
    /// Idempotency keys of one generation.
    Keys,
}

/// The name of a file. Numbers are given once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileName {
    /// Its number, unique among both kinds.
    pub id: u64,
    /// What it holds.
    pub kind: FileKind,
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            FileKind::Run => "run",
            FileKind::Keys => "keys",
        };
        write!(f, "{:08}.{kind}", self.id)
    }
}

/// Why something cannot be read.
#[derive(Clone, Debug)]
pub enum Unreadable {
    /// It is not what was written, or is not there: the index has to be built again.
    Damaged(String),
    /// Nobody knows: whoever has it does not answer. Nothing is held against the index.
    Unavailable(StoreError),
}

/// The files of one index.
pub trait Files: Send + Sync {
    /// Names all of it, for messages.
    fn place(&self) -> String;

    /// Names a file, for messages.
    fn place_of(&self, name: FileName) -> String;

    /// Names the manifest, for messages.
    fn place_of_manifest(&self) -> String;

    /// The manifest; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    fn manifest(&self) -> Result<Option<Vec<u8>>, Unreadable>;

    /// Replaces the manifest as a whole, and durably.
    ///
    /// # Errors
    /// When it may be the old one still. [`StoreError::Stopped`]: this index has another owner, and nothing more is to be
    /// written.
    fn replace_manifest(&self, bytes: &[u8]) -> Result<(), StoreError>;

    /// Takes the manifest away, so that the index is built again. If that fails, the damage is found again when it is next
    /// read.
    fn remove_manifest(&self);

    /// Begins a file.
    ///
    /// # Errors
    /// When that is not possible.
    fn create(&self, name: FileName) -> Result<Box<dyn Sink>, StoreError>;

    /// Makes durable that the files finished so far are there. To be called before a manifest names them.
    ///
    /// # Errors
    /// When that is not possible.
    fn settle(&self) -> Result<(), StoreError>;

    /// Opens a file, and tells its length; `bytes` long, it should be.
    ///
    /// # Errors
    /// When that is not possible.
    fn open(&self, name: FileName, bytes: u64) -> Result<(Arc<dyn Source>, u64), Unreadable>;

    /// Removes a file that no manifest names any more; those who read it now may still do so. One that stays is removed by
    /// [`Files::keep_only`].
    fn remove(&self, name: FileName);

    /// Removes everything but these files and the manifest; `None`: the manifest as well.
    ///
    /// # Errors
    /// When that is not possible.
    fn keep_only(&self, names: Option<&[FileName]>) -> Result<(), StoreError>;

    /// Called every second or so: time for what was put off.
    fn tidy(&self) {}
}

/// A file that is written. Dropped before it is finished, it means nothing.
pub trait Sink: Send {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// When they cannot be written.
    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError>;

    /// Makes everything durable.
    ///
    /// # Errors
    /// When that is not possible.
    fn finish(self: Box<Self>) -> Result<Arc<dyn Source>, StoreError>;
}

/// A file that is read.
pub trait Source: Send + Sync {
    /// Reads all of `bytes` from an offset.
    ///
    /// # Errors
    /// When they are not there, or cannot be read.
    fn read(&self, bytes: &mut [u8], offset: u64) -> Result<(), Unreadable>;
}
