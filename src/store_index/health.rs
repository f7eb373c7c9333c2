//! Whether the index on disk may be trusted.

use super::files::Files;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tollgate_store::StoreError;

/// What is known against the index on disk. Once damage is seen its manifest goes, so that the next start builds it
/// again from the journal; what is sound of it serves until then, and every read still checks what it reads.
pub(super) struct Health {
    /// `None`: whoever only looks changes nothing.
    files: Option<Arc<dyn Files>>,
    state: Mutex<State>,
    /// Held while the manifest is replaced or removed, however long that takes.
    changing: Mutex<()>,
}

#[derive(Default)]
struct State {
    damage: Option<StoreError>,
    /// Why the last attempt to write did not succeed.
    failure: Option<StoreError>,
}

impl Health {
    pub(super) fn new(files: &Arc<dyn Files>) -> Health {
        Health {
            files: Some(Arc::clone(files)),
            state: Mutex::default(),
            changing: Mutex::default(),
        }
    }

    /// Of files that somebody looks at who may not change them.
    pub(super) fn of_an_onlooker() -> Health {
        Health {
            files: None,
            state: Mutex::default(),
            changing: Mutex::default(),
        }
    }

    /// Damage was seen: removes the manifest. The first damage is kept for the operator.
    pub(super) fn condemn(&self, error: &StoreError) {
        {
            let mut state = self.state();
            if state.damage.is_some() {
                return;
            }
            state.damage = Some(error.clone());
        }
        // If it cannot be removed, the damage is found again when it is next read: each read checks.
        if let Some(files) = &self.files {
            let _changing = self.changing();
            files.remove_manifest();
        }
    }

    /// Runs `write`, which replaces the manifest, unless the index is condemned.
    pub(super) fn unless_condemned(&self, write: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
        // Whoever sees damage from here on removes what is written now.
        let _changing = self.changing();
        if self.is_condemned() {
            return Ok(());
        }
        write()
    }

    /// Remembers how the last attempt to write went.
    pub(super) fn wrote(&self, outcome: Result<(), StoreError>) {
        self.state().failure = outcome.err();
    }

    /// Whether damage was seen.
    pub(super) fn is_condemned(&self) -> bool {
        self.state().damage.is_some()
    }

    /// What the operator should know.
    pub(super) fn warning(&self) -> Option<StoreError> {
        let state = self.state();
        state.damage.clone().or_else(|| state.failure.clone())
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
