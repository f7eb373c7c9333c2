//! Rotation: every data key comes under a newer master key, and the older keys are destroyed. It may be stopped at any
//! time and begun again: what is done is kept, and the older keys go only at the end.

use crate::cipher;
use crate::keys::KeyRing;
use crate::rewraps::{Rewrap, Rewraps};
use crate::{FOLDER, VaultError};
use std::path::Path;
use tollgate_domain::payments::card::SealedNumber;

/// A rotation under way.
pub struct Rotation {
    ring: KeyRing,
    rewraps: Rewraps,
}

/// What a rotation has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turned {
    /// Number of the master key that everything is under now.
    pub master_key: u32,
    /// Data keys that were wrapped anew.
    pub wrapped: u64,
    /// Data keys that an earlier, interrupted rotation had wrapped, and copies of the same number.
    pub known: u64,
    /// Older master keys that were destroyed.
    pub destroyed: u64,
}

impl Rotation {
    /// Begins a rotation in a data directory that no server uses, or takes one up again that was interrupted: then the
    /// newest key is the one to come under.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn begin(data: &Path, now_ms: u64) -> Result<Rotation, VaultError> {
        let folder = data.join(FOLDER);
        let mut ring = KeyRing::open(&folder)?;
        if ring.keys().len() == 1 {
            ring.draw(now_ms)?;
        }
        let rewraps = Rewraps::read(&folder)?;
        Ok(Rotation { ring, rewraps })
    }

    /// Brings every sealed number that `each` names under the newest key, and destroys the older keys. `each` calls its
    /// argument for every sealed number of the data, in any order, copies included.
    ///
    /// # Errors
    /// A number does not open, or a file cannot be written; then the older keys stay.
    pub fn run<E: From<VaultError>>(
        mut self,
        each: impl FnOnce(&mut dyn FnMut(&SealedNumber) -> Result<(), VaultError>) -> Result<(), E>,
    ) -> Result<Turned, E> {
        let newest = self.ring.newest();
        let mut turned = Turned {
            master_key: newest.number,
            ..Turned::default()
        };
        let mut appending = self.rewraps.append()?;
        each(&mut |sealed| {
            let (master_key, wrapped) = match appending.known(&sealed.token) {
                Some(known) => (known.master_key, known.data_key),
                None => (sealed.master_key, sealed.data_key),
            };
            if master_key == newest.number {
                turned.known += 1;
                return Ok(());
            }
            let older = self.ring.get(master_key).ok_or(VaultError::NoKey(master_key))?;
            let data_key = cipher::unwrap(older, sealed, &wrapped).ok_or(VaultError::DoesNotOpen(master_key))?;
            let data_key = cipher::wrap(newest, sealed, &data_key);
            turned.wrapped += 1;
            appending.push(
                sealed.token,
                Rewrap {
                    master_key: newest.number,
                    data_key,
                },
            )
        })?;
        appending.flush()?;
        self.rewraps.keep_only(turned.master_key);
        self.rewraps.write()?;
        turned.destroyed = self.ring.keys().len() as u64 - 1;
        self.ring.keep_newest()?;
        Ok(turned)
    }
}
