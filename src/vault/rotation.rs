//! Rotation: every data key comes under a newer master key, and the older keys are destroyed. It may be stopped at any
//! time and begun again: what is done is kept, and the older keys go only at the end.

use crate::VaultError;
use crate::cipher;
use crate::keep::Keep;
use crate::keys::KeyRing;
use crate::rewraps::{Rewrap, Rewraps};
use std::sync::Arc;
use tollgate_domain::sealing::Wrapping;

/// A rotation under way.
pub struct Rotation {
    keep: Arc<dyn Keep>,
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
    /// Begins a rotation, or takes one up again that was interrupted: then the newest key is the one to come under. From
    /// when this returns until [`Rotation::run`] is called, whoever seals must have been made to read the keys again, or have
    /// been stopped: nothing may be sealed under an older key any more.
    ///
    /// # Errors
    /// The keys cannot be read or written.
    pub fn begin(keep: &Arc<dyn Keep>, now_ms: u64) -> Result<Rotation, VaultError> {
        let mut ring = KeyRing::open(keep)?;
        if ring.keys().len() == 1 {
            match ring.draw(now_ms) {
                // Another rotation drew one: this one takes part in it.
                Err(VaultError::Raced(_)) => ring = KeyRing::open(keep)?,
                drawn => drop(drawn?),
            }
        }
        Ok(Rotation {
            rewraps: Rewraps::read(keep)?,
            keep: Arc::clone(keep),
            ring,
        })
    }

    /// Brings everything sealed that `each` names under the newest key, and destroys the older keys. `each` calls its
    /// argument for every number and secret of the data, in any order, copies included.
    ///
    /// # Errors
    /// One does not open, or something cannot be written; then the older keys stay.
    pub fn run<E: From<VaultError>>(
        mut self,
        each: impl FnOnce(&mut dyn FnMut(&Wrapping) -> Result<(), VaultError>) -> Result<(), E>,
    ) -> Result<Turned, E> {
        let newest = self.ring.newest();
        let mut turned = Turned {
            master_key: newest.number,
            ..Turned::default()
        };
        each(&mut |sealed| {
            let (master_key, wrapped) = match self.rewraps.get(&sealed.token) {
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
            self.rewraps.push(
                sealed.token,
                Rewrap {
                    master_key: newest.number,
                    data_key,
                },
            )
        })?;
        self.rewraps.flush()?;
        self.keep.drop_rewraps_before(turned.master_key)?;
        turned.destroyed = self.ring.keys().len() as u64 - 1;
        match self.ring.keep_newest() {
            // Another rotation under the same key was faster: it destroyed them.
            Err(VaultError::Raced(_)) => {
                let now = KeyRing::open(&self.keep)?;
                if now.get(turned.master_key).is_none() || now.keys().iter().any(|key| key.number < turned.master_key) {
                    return Err(VaultError::Raced(self.keep.place()).into());
                }
                turned.destroyed = 0;
            }
            destroyed => destroyed?,
        }
        Ok(turned)
    }
}
