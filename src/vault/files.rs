//! Small files: read whole, replaced at once, appended durably.

use crate::VaultError;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Read and write for the owner, nothing for others.
const OWNER_ONLY: u32 = 0o600;

/// The bytes of a file; `None` if there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, VaultError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(io(path, source)),
    }
}

/// Refuses a file that others than its owner may read.
pub(crate) fn owners_only(path: &Path) -> Result<(), VaultError> {
    let mode = fs::metadata(path)
        .map_err(|source| io(path, source))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(VaultError::Exposed { path: path.into() });
    }
    Ok(())
}

/// Makes a file hold exactly these bytes: all of them or, after a crash, what it held before.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    let draft = path.with_extension("new");
    let folder = path.parent().expect("a file of the vault lies in its folder");
    fs::create_dir_all(folder).map_err(|source| io(folder, source))?;
    let write = || {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(OWNER_ONLY);
        let mut file = options.open(&draft)?;
        // A draft that a crash left behind keeps its mode.
        file.set_permissions(fs::Permissions::from_mode(OWNER_ONLY))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        File::open(folder)?.sync_all()?;
        // The folder itself is an entry of the data directory.
        folder.parent().map_or(Ok(()), |data| File::open(data)?.sync_all())
    };
    write().map_err(|source| io(path, source))
}

/// Opens a file for appending; it is its owner's alone.
pub(crate) fn append(path: &Path) -> Result<File, VaultError> {
    let folder = path.parent().expect("a file of the vault lies in its folder");
    fs::create_dir_all(folder).map_err(|source| io(folder, source))?;
    let open = || {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(OWNER_ONLY)
            .open(path)?;
        File::open(folder)?.sync_all()?;
        Ok(file)
    };
    open().map_err(|source| io(path, source))
}

pub(crate) fn io(path: &Path, source: std::io::Error) -> VaultError {
    VaultError::Io {
        path: path.into(),
        source,
    }
}
