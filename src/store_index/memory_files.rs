//! Files of an index in memory, for tests: they can be looked at, copied and changed.

use crate::files::{FileName, Files, Sink, Source, Unreadable};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tollgate_store::StoreError;

/// Files that are shared by all clones of the `Arc` they stand in.
#[derive(Default)]
pub(crate) struct MemoryFiles(Mutex<State>);

#[derive(Clone, Default)]
pub(crate) struct State {
    pub(crate) manifest: Option<Vec<u8>>,
    pub(crate) files: BTreeMap<FileName, Arc<Vec<u8>>>,
    /// Nothing can be reached, or written.
    pub(crate) unavailable: bool,
    /// Another owner has taken over.
    pub(crate) fenced: bool,
}

impl MemoryFiles {
    /// Looks at all of it, or changes it.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().expect("no test panics in here"))
    }

    /// Others with the same contents.
    pub(crate) fn copy(&self) -> Arc<MemoryFiles> {
        Arc::new(MemoryFiles(Mutex::new(self.with(|state| state.clone()))))
    }

    fn reached(&self) -> Result<(), StoreError> {
        match self.with(|state| state.unavailable) {
            true => Err(unavailable()),
            false => Ok(()),
        }
    }
}

fn unavailable() -> StoreError {
    StoreError::Io {
        place: "memory".to_owned(),
        what: "does not answer".to_owned(),
    }
}

impl Files for Arc<MemoryFiles> {
    fn place(&self) -> String {
        "memory".to_owned()
    }

    fn place_of(&self, name: FileName) -> String {
        format!("memory {name}")
    }

    fn place_of_manifest(&self) -> String {
        "memory manifest".to_owned()
    }

    fn manifest(&self) -> Result<Option<Vec<u8>>, Unreadable> {
        self.reached().map_err(Unreadable::Unavailable)?;
        Ok(self.with(|state| state.manifest.clone()))
    }

    fn replace_manifest(&self, bytes: &[u8]) -> Result<(), StoreError> {
        self.reached()?;
        self.with(|state| {
            if state.fenced {
                return Err(StoreError::Stopped);
            }
            state.manifest = Some(bytes.to_vec());
            Ok(())
        })
    }

    fn remove_manifest(&self) {
        self.with(|state| state.manifest = None);
    }

    fn create(&self, name: FileName) -> Result<Box<dyn Sink>, StoreError> {
        self.reached()?;
        Ok(Box::new(Growing {
            files: Arc::clone(self),
            name,
            bytes: Vec::new(),
        }))
    }

    fn settle(&self) -> Result<(), StoreError> {
        self.reached()
    }

    fn open(&self, name: FileName, _: u64) -> Result<(Arc<dyn Source>, u64), Unreadable> {
        self.reached().map_err(Unreadable::Unavailable)?;
        let bytes = self.with(|state| state.files.get(&name).cloned());
        let bytes = bytes.ok_or_else(|| Unreadable::Damaged("is missing".to_owned()))?;
        let len = bytes.len() as u64;
        Ok((Arc::new(Finished(bytes)), len))
    }

    fn remove(&self, name: FileName) {
        self.with(|state| state.files.remove(&name));
    }

    fn keep_only(&self, names: Option<&[FileName]>) -> Result<(), StoreError> {
        self.reached()?;
        self.with(|state| {
            if names.is_none() {
                state.manifest = None;
            }
            let names = names.unwrap_or_default();
            state.files.retain(|name, _| names.contains(name));
        });
        Ok(())
    }
}

struct Growing {
    files: Arc<MemoryFiles>,
    name: FileName,
    bytes: Vec<u8>,
}

impl Sink for Growing {
    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.files.reached()?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Source>, StoreError> {
        let bytes = Arc::new(self.bytes);
        let old = self
            .files
            .with(|state| state.files.insert(self.name, Arc::clone(&bytes)));
        assert!(old.is_none(), "{} was given to two files", self.name);
        Ok(Arc::new(Finished(bytes)))
    }
}

struct Finished(Arc<Vec<u8>>);

impl Source for Finished {
    fn read(&self, bytes: &mut [u8], offset: u64) -> Result<(), Unreadable> {
        let from = usize::try_from(offset).expect("a small file");
        let found = self.0.get(from..from + bytes.len());
        let found = found.ok_or_else(|| Unreadable::Damaged("ends too soon".to_owned()))?;
        bytes.copy_from_slice(found);
        Ok(())
    }
}
