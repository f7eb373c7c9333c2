//! Card numbers, and the secrets of webhook endpoints, under lock.
//!
//! A number is encrypted (AES-256-GCM) under a data key of its own, and the data key under a master key. The sealed number
//! travels inside the record of the object it belongs to, so it is as durable as that and there is no second store on the
//! way of a payment. The rest stands behind a port ([`Keep`]): the folder `vault` of a data directory ([`Folder`]), or the
//! tables of a cluster. It holds
//!
//! - the master keys ([`keys`]);
//! - data keys that a rotation has wrapped under a newer master key ([`rewraps`]). The journal is never rewritten; once a
//!   rotation has ended, the older master key is destroyed, and what the journal holds opens only through these;
//! - who sealed, opened or rotated what, and when ([`accesses`]).
//!
//! The secret of an endpoint is sealed in the same way. A server opens it, to show it once and to sign with it, and records no
//! access: it is no card number, and signing is what it is for.
//!
//! Security codes never come here.

pub mod accesses;
mod carry;
mod cipher;
mod files;
mod folder;
mod keep;
pub mod keys;
pub mod rewraps;
pub mod rotation;

pub use accesses::{Access, Action};
pub use carry::carry;
pub use folder::{FOLDER, Folder};
pub use keep::{Keep, Token};
pub use keys::{KeyRing, MasterKey};
pub use rewraps::{Rewrap, Rewraps};
pub use rotation::{Rotation, Turned};
pub use zeroize::Zeroizing;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tollgate_domain::AccountKey;
use tollgate_domain::payments::card::{CardNumber, SealedNumber};
use tollgate_domain::sealing::{Sealed, Sealing, Wrapping};
use tollgate_domain::webhooks::webhook_endpoint::{SEALED_SECRET_TAG, SealedSecret, WebhookSecret};

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
    /// Keys that are there were to be given up for lost.
    #[error(
        "{0} is there, so its keys are not lost, and nothing is begun anew; `tollgate vault rotate` draws a new key"
    )]
    NotLost(String),
    /// The master key a number was sealed under is gone, and no rotation has wrapped it anew.
    #[error("master key {0} is not among the keys of this vault; restore the file of keys that held it")]
    NoKey(u32),
    /// What is sealed was changed, or belongs to another account.
    #[error("something sealed does not open under master key {0}: it was changed, or is another account's")]
    DoesNotOpen(u32),
    /// The sealed number of an object does not open.
    #[error("{0}: {1}")]
    In(String, Box<VaultError>),
    /// Somebody else changed the keys at the same time.
    #[error("{0}: the master keys were changed by another process meanwhile; run this again")]
    Raced(String),
    /// More numbers than a rotation can take.
    #[error("more than {0} sealed card numbers; this release cannot rotate that many")]
    TooMany(usize),
}

/// Seals with the newest master key, and opens secrets. Shared by all shards; nothing in it can be printed.
pub struct Vault {
    ring: Ring,
    keep: Arc<dyn Keep>,
    /// What rotations have wrapped anew of secrets; `None` until one is asked for that opens only so, and again once the keys
    /// were read anew. Of card numbers, of which there may be millions, nothing is kept here.
    secrets: Mutex<Option<HashMap<Token, Rewrap>>>,
}

/// The keys of a serving process.
enum Ring {
    /// Nobody else changes them meanwhile: whoever does needs the lock of the data directory.
    Fixed(KeyRing),
    /// Other processes may change them.
    Shared(RwLock<Arc<KeyRing>>),
}

impl Vault {
    /// Opens the vault of a data directory that this process has locked. The first time, it draws a master key.
    ///
    /// # Errors
    /// The keys cannot be read or written, or others may read them.
    pub fn open(keep: &Arc<dyn Keep>, now_ms: u64) -> Result<Vault, VaultError> {
        let ring = Ring::Fixed(KeyRing::open_or_create(keep, now_ms)?);
        Ok(Vault::with(ring, keep))
    }

    /// Opens a vault that other processes use as well.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn open_shared(keep: &Arc<dyn Keep>, now_ms: u64) -> Result<Vault, VaultError> {
        let ring = KeyRing::open_or_create(keep, now_ms)?;
        let ring = Ring::Shared(RwLock::new(Arc::new(ring)));
        Ok(Vault::with(ring, keep))
    }

    fn with(ring: Ring, keep: &Arc<dyn Keep>) -> Vault {
        Vault {
            ring,
            keep: Arc::clone(keep),
            secrets: Mutex::new(None),
        }
    }

    /// Reads the keys of a shared vault again. Whoever takes over a shard does so before it serves, so that what it seals
    /// is under a key that no rotation is about to destroy.
    ///
    /// # Errors
    /// They cannot be read; then nothing may be sealed.
    pub fn renew(&self, keep: &Arc<dyn Keep>) -> Result<(), VaultError> {
        if let Ring::Shared(ring) = &self.ring {
            let newer = Arc::new(KeyRing::open(keep)?);
            *ring.write().unwrap_or_else(PoisonError::into_inner) = newer;
            *self.secrets.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        Ok(())
    }

    /// Whether the master keys, if there are any that can be read, are sound: asked before the journal is touched. Keys that
    /// cannot be read are named by [`Vault::open`], when the directory is known to be ours.
    ///
    /// # Errors
    /// They are damaged, or others may read them.
    pub fn check(keep: &Arc<dyn Keep>) -> Result<(), VaultError> {
        match KeyRing::find(keep) {
            Err(VaultError::Io { .. }) | Ok(_) => Ok(()),
            Err(unsound) => Err(unsound),
        }
    }

    /// Whether there are no master keys, as before the first start or after the vault was lost.
    ///
    /// # Errors
    /// It cannot be looked at.
    pub fn has_no_keys(keep: &Arc<dyn Keep>) -> Result<bool, VaultError> {
        Ok(keep.keys()?.is_none())
    }

    /// Number of the master key that seals now.
    pub fn newest_key(&self) -> u32 {
        self.with_ring(|ring| ring.newest().number)
    }

    fn with_ring<T>(&self, work: impl FnOnce(&KeyRing) -> T) -> T {
        match &self.ring {
            Ring::Fixed(ring) => work(ring),
            Ring::Shared(ring) => {
                let ring = Arc::clone(&ring.read().unwrap_or_else(PoisonError::into_inner));
                work(&ring)
            }
        }
    }

    /// The secret that is sealed: under the master key it was sealed with, or as a rotation has wrapped it since.
    fn secret(&self, sealed: &SealedSecret) -> Result<WebhookSecret, VaultError> {
        let wrapping = sealed.wrapping();
        let open = |number: u32, wrapped: &[u8; 48]| {
            self.with_ring(|ring| {
                let key = ring.get(number)?;
                let data_key = cipher::unwrap(key, &wrapping, wrapped);
                let secret = data_key.and_then(|data_key| cipher::open_secret(&data_key, sealed));
                Some(secret.ok_or(VaultError::DoesNotOpen(number)))
            })
        };
        if let Some(opened) = open(wrapping.master_key, &wrapping.data_key) {
            return opened;
        }
        let newer = self.newer_wrap(&wrapping.token)?;
        newer
            .and_then(|newer| open(newer.master_key, &newer.data_key))
            .unwrap_or(Err(VaultError::NoKey(wrapping.master_key)))
    }

    /// How a rotation has wrapped the data key of a secret.
    fn newer_wrap(&self, token: &Token) -> Result<Option<Rewrap>, VaultError> {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match &mut *secrets {
            Some(known) => known,
            none => {
                let mut found: HashMap<Token, Rewrap> = HashMap::new();
                self.keep.rewraps(&mut |token, rewrap| {
                    if token.ends_with(&SEALED_SECRET_TAG) {
                        let known = found.entry(token).or_insert(rewrap);
                        if known.master_key < rewrap.master_key {
                            *known = rewrap;
                        }
                    }
                    Ok(())
                })?;
                none.insert(found)
            }
        };
        Ok(known.get(token).copied())
    }
}

impl Sealing for Vault {
    fn seal_number(&self, digits: &str, account: AccountKey, unique: [u64; 4]) -> SealedNumber {
        self.with_ring(|ring| cipher::seal_number(ring.newest(), digits, account, unique))
    }

    fn seal_secret(&self, secret: &WebhookSecret, account: AccountKey, unique: [u64; 4]) -> SealedSecret {
        self.with_ring(|ring| cipher::seal_secret(ring.newest(), secret, account, unique))
    }

    fn open_secret(&self, sealed: &SealedSecret) -> Result<WebhookSecret, Box<str>> {
        self.secret(sealed).map_err(|error| error.to_string().into())
    }
}

/// Opens what is sealed: for commands of operators. Every use is to be recorded first.
pub struct Opener {
    ring: KeyRing,
    rewraps: Rewraps,
}

impl Opener {
    /// What opens.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn open(keep: &Arc<dyn Keep>) -> Result<Opener, VaultError> {
        Ok(Opener {
            ring: KeyRing::open(keep)?,
            rewraps: Rewraps::read(keep)?,
        })
    }

    /// Number of the master key that something sealed is under now.
    pub fn master_key(&self, sealed: &Wrapping) -> u32 {
        let newer = self.rewraps.get(&sealed.token);
        newer.map_or(sealed.master_key, |newer| newer.master_key)
    }

    /// Whether it opens.
    ///
    /// # Errors
    /// Its master key is gone, or it was changed.
    pub fn check(&self, sealed: Sealed<'_>) -> Result<(), VaultError> {
        match sealed {
            Sealed::Number(number) => self.number(number).map(drop),
            Sealed::Secret(secret) => {
                let (master_key, data_key) = self.data_key(&secret.wrapping())?;
                let opened = cipher::open_secret(&data_key, secret);
                opened.map(drop).ok_or(VaultError::DoesNotOpen(master_key))
            }
        }
    }

    /// The number that is sealed.
    ///
    /// # Errors
    /// Its master key is gone, or it was changed.
    pub fn number(&self, sealed: &SealedNumber) -> Result<CardNumber, VaultError> {
        let (master_key, data_key) = self.data_key(&sealed.wrapping())?;
        cipher::open_number(&data_key, sealed).ok_or(VaultError::DoesNotOpen(master_key))
    }

    /// The data key of something sealed, and the master key that it is under now.
    fn data_key(&self, sealed: &Wrapping) -> Result<(u32, cipher::DataKey), VaultError> {
        let (master_key, wrapped) = match self.rewraps.get(&sealed.token) {
            Some(newer) => (newer.master_key, newer.data_key),
            None => (sealed.master_key, sealed.data_key),
        };
        let key = self.ring.get(master_key).ok_or(VaultError::NoKey(master_key))?;
        let data_key = cipher::unwrap(key, sealed, &wrapped).ok_or(VaultError::DoesNotOpen(master_key))?;
        Ok((master_key, data_key))
    }
}

#[cfg(test)]
mod tests;
