//! Card numbers under lock.
//!
//! A number is encrypted (AES-256-GCM) under a data key of its own, and the data key under a master key. The sealed number
//! travels inside the record of the object it belongs to, so it is as durable as that and there is no second store on the
//! way of a payment. The folder `vault` of the data directory holds the rest:
//!
//! - `keys`: the master keys, readable by their owner only ([`keys`]);
//! - `rewraps`: data keys that a rotation has wrapped under a newer master key ([`rewraps`]). The journal is never
//!   rewritten; once a rotation has ended, the older master key is destroyed, and what the journal holds opens only through
//!   this file;
//! - `accesses`: who sealed, opened or rotated what, and when ([`accesses`]).
//!
//! Security codes never come here.

pub mod accesses;
mod cipher;
mod files;
pub mod keys;
pub mod rewraps;
pub mod rotation;

pub use accesses::{Access, Accesses, Action};
pub use keys::{KeyRing, MasterKey};
pub use rewraps::Rewraps;
pub use rotation::{Rotation, Turned};

use std::path::{Path, PathBuf};
use tollgate_domain::AccountKey;
use tollgate_domain::payments::card::{CardNumber, SealCards, SealedNumber};

/// The folder of the vault within a data directory.
pub const FOLDER: &str = "vault";

/// Why the vault cannot do what it is asked. Messages say what to do and hold no number and no key.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file that must be its owner's alone is not.
    #[error("{}: others than its owner may read the master keys; chmod 600 it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// A file does not read as it should.
    #[error("{}: {what}; restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The master key a number was sealed under is gone, and no rotation has wrapped it anew.
    #[error("master key {0} is not among the keys of this vault; restore the file of keys that held it")]
    NoKey(u32),
    /// What is sealed was changed, or belongs to another account.
    #[error("a sealed card number does not open under master key {0}: it was changed, or is another account's")]
    DoesNotOpen(u32),
    /// The sealed number of an object does not open.
    #[error("{0}: {1}")]
    In(String, Box<VaultError>),
    /// More numbers than a rotation can take.
    #[error("more than {0} sealed card numbers; this release cannot rotate that many")]
    TooMany(usize),
}

/// Seals with the newest master key. Shared by all shards; nothing in it can be printed.
pub struct Vault {
    ring: KeyRing,
    is_new: bool,
}

impl Vault {
    /// Opens the vault of a data directory. The first time, it draws a master key.
    ///
    /// # Errors
    /// The keys cannot be read or written, or others may read them.
    pub fn open(data: &Path, now_ms: u64) -> Result<Vault, VaultError> {
        let folder = data.join(FOLDER);
        let is_new = !folder.join("keys").exists();
        let ring = KeyRing::open_or_create(&folder, now_ms)?;
        Ok(Vault { ring, is_new })
    }

    /// Whether the master keys of a data directory, if it has any that can be read, are sound: asked before its journal is
    /// touched. Keys that cannot be read are named by [`Vault::open`], when the directory is known to be ours.
    ///
    /// # Errors
    /// They are damaged, or others may read them.
    pub fn check(data: &Path) -> Result<(), VaultError> {
        match KeyRing::open(&data.join(FOLDER)) {
            Err(VaultError::Io { .. }) | Ok(_) => Ok(()),
            Err(unsound) => Err(unsound),
        }
    }

    /// Whether a data directory has no file of master keys, as before its first start or after its vault was lost.
    pub fn has_no_keys(data: &Path) -> bool {
        !data.join(FOLDER).join("keys").exists()
    }

    /// Whether there was no master key and one was drawn. Over data that had a vault before, that means that its file of
    /// keys is gone, and what was sealed does not open until it is restored.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Number of the master key that seals now.
    pub fn newest_key(&self) -> u32 {
        self.ring.newest().number
    }
}

impl SealCards for Vault {
    fn seal(&self, digits: &str, account: AccountKey, unique: [u64; 4]) -> SealedNumber {
        cipher::seal(self.ring.newest(), digits, account, unique)
    }
}

/// Opens sealed numbers: for commands that work offline. Every use is to be written into [`Accesses`] first.
pub struct Opener {
    ring: KeyRing,
    rewraps: Rewraps,
}

impl Opener {
    /// What opens the numbers of a data directory.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn open(data: &Path) -> Result<Opener, VaultError> {
        let folder = data.join(FOLDER);
        Ok(Opener {
            ring: KeyRing::open(&folder)?,
            rewraps: Rewraps::read(&folder)?,
        })
    }

    /// Number of the master key that a sealed number is under now.
    pub fn master_key(&self, sealed: &SealedNumber) -> u32 {
        let newer = self.rewraps.get(&sealed.token);
        newer.map_or(sealed.master_key, |newer| newer.master_key)
    }

    /// The number that is sealed.
    ///
    /// # Errors
    /// Its master key is gone, or it was changed.
    pub fn number(&self, sealed: &SealedNumber) -> Result<CardNumber, VaultError> {
        let (master_key, wrapped) = match self.rewraps.get(&sealed.token) {
            Some(newer) => (newer.master_key, newer.data_key),
            None => (sealed.master_key, sealed.data_key),
        };
        let key = self.ring.get(master_key).ok_or(VaultError::NoKey(master_key))?;
        let data_key = cipher::unwrap(key, sealed, &wrapped).ok_or(VaultError::DoesNotOpen(master_key))?;
        cipher::open(&data_key, sealed).ok_or(VaultError::DoesNotOpen(master_key))
    }
}

#[cfg(test)]
mod tests;
