//! Files of the data directory: durable creation, the lock, error texts.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use tollgate_store::StoreError;

const LOCK: &str = "lock";

/// The system's refusal, with what was tried.
pub(crate) fn io_error(path: &Path, action: &str, error: &io::Error) -> StoreError {
    StoreError::Io {
        place: path.display().to_string(),
        what: format!("cannot {action}: {error}"),
    }
}

/// Makes a directory that only its owner may enter, with its parents, durably.
pub(crate) fn create_dir(path: &Path) -> Result<(), StoreError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| io_error(path, "create", &error))?;
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .map_or(Ok(()), sync_dir)
}

/// Makes creations, renames and removals in a directory durable.
pub(crate) fn sync_dir(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| io_error(path, "sync", &error))
}

/// Writes a small file (mode 0600) so that after a crash it is there whole or not at all; without `fsync` only after the
/// crash of a process.
pub(crate) fn write_atomically(dir: &Path, name: &str, bytes: &[u8], fsync: bool) -> Result<(), StoreError> {
    let (path, fresh) = (dir.join(name), dir.join(format!("{name}.new")));
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(bytes)?;
        if fsync {
            file.sync_all()?;
        }
        fs::rename(&fresh, &path)
    };
    write().map_err(|error| io_error(&path, "write", &error))?;
    if fsync { sync_dir(dir) } else { Ok(()) }
}

/// The right to write to a data directory, held while it lives. The kernel lets go of it when the process ends, however
/// it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock and leaves our process id in it for the next to read.
    pub(crate) fn take(dir: &Path) -> Result<Lock, StoreError> {
        let path = dir.join(LOCK);
        let open = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        let mut file = open.map_err(|error| io_error(&path, "open", &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path)
                    .ok()
                    .and_then(|text| text.trim().parse::<u32>().ok());
                let holder = holder.map_or(String::new(), |pid| format!(" (pid {pid})"));
                return Err(StoreError::Locked {
                    place: dir.display().to_string(),
                    holder,
                });
            }
            Err(TryLockError::Error(error)) => return Err(io_error(&path, "lock", &error)),
        }
        // Only a courtesy to whoever comes next: it need not be durable, and on a full disk not even written.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Lock { _file: file })
    }
}
