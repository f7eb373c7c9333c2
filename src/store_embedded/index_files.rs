//! The files of the index, in a directory.

use crate::disk::{Disk, LocalDisk};
use crate::files::{create_dir, io_error, sync_dir, write_atomically};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tollgate_store::StoreError;
use tollgate_store_index::{FileName, Files, MANIFEST_BYTES_MAX, Sink, Source, Unreadable};

const MANIFEST: &str = "manifest";
/// Bytes written between two syncs, so that the committer's sync never waits behind a long one.
const SYNC_STEP: u64 = 2 << 20;

/// A directory that holds an index and nothing else.
pub(crate) struct IndexDir {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    /// Whether what is written is synced.
    fsync: bool,
}

impl IndexDir {
    /// Makes the directory if it is missing.
    pub(crate) fn create_or_open(dir: &Path, disk: Arc<dyn Disk>, fsync: bool) -> Result<IndexDir, StoreError> {
        create_dir(dir)?;
        Ok(IndexDir {
            dir: dir.to_owned(),
            disk,
            fsync,
        })
    }

    /// A directory that may be missing, to be looked at.
    pub(crate) fn of_an_onlooker(dir: &Path) -> IndexDir {
        IndexDir {
            dir: dir.to_owned(),
            disk: Arc::new(LocalDisk),
            fsync: false,
        }
    }

    fn path(&self, name: FileName) -> PathBuf {
        self.dir.join(name.to_string())
    }
}

impl Files for IndexDir {
    fn place(&self) -> String {
        self.dir.display().to_string()
    }

    fn place_of(&self, name: FileName) -> String {
        self.path(name).display().to_string()
    }

    fn place_of_manifest(&self) -> String {
        self.dir.join(MANIFEST).display().to_string()
    }

    fn manifest(&self) -> Result<Option<Vec<u8>>, Unreadable> {
        let path = self.dir.join(MANIFEST);
        match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&error)),
            Ok(metadata) if metadata.len() > MANIFEST_BYTES_MAX => {
                return Err(Unreadable::Damaged("the file is too long".to_owned()));
            }
            Ok(_) => {}
        }
        fs::read(&path).map(Some).map_err(|error| unreadable(&error))
    }

    fn replace_manifest(&self, bytes: &[u8]) -> Result<(), StoreError> {
        write_atomically(&self.dir, MANIFEST, bytes, self.fsync)
    }

    fn remove_manifest(&self) {
        let _ = fs::remove_file(self.dir.join(MANIFEST));
    }

    fn create(&self, name: FileName) -> Result<Box<dyn Sink>, StoreError> {
        let path = self.path(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| io_error(&path, "create", &error))?;
        Ok(Box::new(Growing {
            file,
            path,
            disk: Arc::clone(&self.disk),
            fsync: self.fsync,
            written: 0,
            synced: 0,
        }))
    }

    fn settle(&self) -> Result<(), StoreError> {
        if self.fsync { sync_dir(&self.dir) } else { Ok(()) }
    }

    fn open(&self, name: FileName, _: u64) -> Result<(Arc<dyn Source>, u64), Unreadable> {
        let open = || {
            let file = File::open(self.path(name))?;
            let len = file.metadata()?.len();
            Ok((file, len))
        };
        let (file, len) = open().map_err(|error: std::io::Error| {
            let what = format!("cannot open: {error}");
            Unreadable::Damaged(what)
        })?;
        Ok((Arc::new(Finished(file)), len))
    }

    fn remove(&self, name: FileName) {
        // Whoever has it open goes on reading it.
        let _ = fs::remove_file(self.path(name));
    }

    fn keep_only(&self, names: Option<&[FileName]>) -> Result<(), StoreError> {
        let mut keep: BTreeSet<OsString> = BTreeSet::new();
        if let Some(names) = names {
            keep.insert(MANIFEST.into());
            keep.extend(names.iter().map(|name| name.to_string().into()));
        }
        let remove = || {
            for entry in fs::read_dir(&self.dir)? {
                let entry = entry?;
                if !keep.contains(&entry.file_name()) {
                    fs::remove_file(entry.path())?;
                }
            }
            Ok(())
        };
        remove().map_err(|error| io_error(&self.dir, "remove what is left over in", &error))
    }
}

/// What cannot be read on a local disk is damaged: nobody else will bring it.
fn unreadable(error: &std::io::Error) -> Unreadable {
    Unreadable::Damaged(format!("cannot be read: {error}"))
}

/// A file being written.
struct Growing {
    file: File,
    path: PathBuf,
    disk: Arc<dyn Disk>,
    fsync: bool,
    written: u64,
    synced: u64,
}

impl Growing {
    fn sync(&mut self) -> Result<(), StoreError> {
        if self.fsync {
            let sync = self.disk.sync(&self.file);
            sync.map_err(|error| io_error(&self.path, "sync", &error))?;
        }
        self.synced = self.written;
        Ok(())
    }
}

impl Sink for Growing {
    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let write = self.disk.write_at(&self.file, bytes, self.written);
        write.map_err(|error| io_error(&self.path, "write", &error))?;
        self.written += bytes.len() as u64;
        if self.written - self.synced >= SYNC_STEP {
            self.sync()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Arc<dyn Source>, StoreError> {
        self.sync()?;
        Ok(Arc::new(Finished(self.file)))
    }
}

/// A file being read.
struct Finished(File);

impl Source for Finished {
    fn read(&self, bytes: &mut [u8], offset: u64) -> Result<(), Unreadable> {
        self.0.read_exact_at(bytes, offset).map_err(|error| unreadable(&error))
    }
}
