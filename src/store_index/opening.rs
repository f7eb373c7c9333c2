//! Opening the index: what the manifest names is loaded if all of it checks out; else everything is removed and built
//! again from the journal.

#[cfg(test)]
mod tests;

use super::ends::Ends;
use super::file::Writing;
use super::files::{FileName, Files, Unreadable};
use super::health::Health;
use super::host::{Host, Next, Role, Worker};
use super::keyfile::{self, KeyFile};
use super::layer::Layer;
use super::layers::Layers;
use super::manifest::{Checkpoint, DataId, Manifest};
use super::run::{self, Run};
use super::windows::Windows;
use super::{Limits, Shared, StoredIndex, writer};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Condvar, Mutex, RwLock};
use std::time::Duration;
use tollgate_store::{AccountRef, StoreError};

/// Keys are kept in at most about this many generations; with more hours than that a generation has several.
const GENERATIONS: u32 = 24;

/// What opening needs.
pub struct Opening<'a> {
    /// Where the files are.
    pub files: Arc<dyn Files>,
    /// Does the work.
    pub host: &'a Host,
    /// The data that the index must belong to.
    pub id: DataId,
    /// Shards of which records are published here.
    pub shards: usize,
    /// New files get numbers from here on, or later ones.
    pub first_file: u64,
    /// Hours for which keys are found.
    pub idempotency_hours: u32,
    /// When the index moves from memory to files.
    pub limits: Limits,
}

/// An index, opened.
pub struct Opened<C: Checkpoint> {
    /// The index.
    pub index: StoredIndex<C>,
    /// What it holds already; `None` if it is new.
    pub known: Option<Known<C>>,
    /// Why the one that was there could not be used and is to be built again, if so.
    pub refused: Option<String>,
}

/// What an index holds of its journal.
#[derive(Clone, Debug)]
pub struct Known<C> {
    /// Everything before it.
    pub checkpoint: C,
    /// Blocks before it.
    pub blocks: u64,
    /// Records in them.
    pub records: u64,
}

/// The files of an index that check out.
struct Loaded<C> {
    manifest: Manifest<C>,
    runs: Vec<Arc<Run>>,
    keys: Vec<Arc<KeyFile>>,
    ends: Ends,
    health: Arc<Health>,
}

impl Opening<'_> {
    /// Opens the index and begins its work. `fits` says why a checkpoint is not one of this journal.
    ///
    /// # Errors
    /// When nobody knows what is there, or what is left over cannot be removed. An index that is damaged is none.
    pub fn open<C: Checkpoint>(self, fits: impl FnOnce(&C) -> Result<(), Unreadable>) -> Result<Opened<C>, StoreError> {
        let loaded = match self.load() {
            Ok(Some(loaded)) => fits(&loaded.manifest.checkpoint).map(|()| Some(loaded)),
            other => other,
        };
        let (loaded, refused) = match loaded {
            Ok(loaded) => (loaded, None),
            Err(Unreadable::Damaged(why)) => (None, Some(why)),
            Err(Unreadable::Unavailable(error)) => return Err(error),
        };
        let known = loaded.as_ref().map(|loaded| Known {
            checkpoint: loaded.manifest.checkpoint.clone(),
            blocks: loaded.manifest.blocks,
            records: loaded.manifest.records,
        });
        let names = loaded.as_ref().map(|loaded| loaded.manifest.names());
        self.files.keep_only(names.as_deref())?;
        let loaded = loaded.unwrap_or_else(|| Loaded {
            manifest: Manifest::empty(self.idempotency_hours),
            runs: Vec::new(),
            keys: Vec::new(),
            ends: Ends::new(),
            health: Arc::new(Health::new(&self.files)),
        });
        let index = self.start(loaded);
        Ok(Opened { index, known, refused })
    }

    /// The index of an earlier process; `Ok(None)` where there is none, and why it cannot be used as an error.
    fn load<C: Checkpoint>(&self) -> Result<Option<Loaded<C>>, Unreadable> {
        let Some(manifest) = Manifest::read(&*self.files, &self.id)? else {
            return Ok(None);
        };
        let then = manifest.idempotency_hours;
        if self.idempotency_hours > then || span(self.idempotency_hours) != span(then) {
            return Err(Unreadable::Damaged(format!(
                "keys were kept for {then} hours when it was written, and are to be kept for {}",
                self.idempotency_hours
            )));
        }
        let health = Arc::new(Health::new(&self.files));
        let load = || {
            let ends = Ends::new();
            let mut runs = Vec::with_capacity(manifest.runs.len());
            for &entry in &manifest.runs {
                let run = Run::open(&*self.files, entry, &health)?;
                let mut accounts = run.accounts.start();
                while let Some(entry) = accounts.forth()? {
                    ends.set(AccountRef(entry.account), entry.end);
                }
                runs.push(Arc::new(run));
            }
            let keys: Result<Vec<_>, StoreError> = manifest
                .keys
                .iter()
                .map(|&entry| KeyFile::open(&*self.files, entry, &health).map(Arc::new))
                .collect();
            Ok((runs, keys?, ends))
        };
        let (runs, keys, ends) = load().map_err(|error: StoreError| match error {
            StoreError::Body { .. } => Unreadable::Damaged(error.to_string()),
            other => Unreadable::Unavailable(other),
        })?;
        Ok(Some(Loaded {
            manifest,
            runs,
            keys,
            ends,
            health,
        }))
    }

    fn start<C: Checkpoint>(&self, loaded: Loaded<C>) -> StoredIndex<C> {
        let Loaded {
            mut manifest,
            runs,
            keys,
            ends,
            health,
        } = loaded;
        manifest.idempotency_hours = self.idempotency_hours;
        manifest.next_id = manifest.next_id.max(self.first_file);
        let shared = Arc::new(Shared {
            id: self.id,
            seat: self.host.seat(),
            limits: self.limits,
            writing: Writing {
                files: Arc::clone(&self.files),
                stopping: Arc::new(AtomicBool::new(false)),
            },
            health,
            layers: RwLock::new(Arc::new(Layers {
                active: Arc::new(Layer::new()),
                frozen: None,
                runs,
                keys,
            })),
            ends,
            windows: Windows::new(self.shards, &manifest.timer_floors),
            hours: u64::from(self.idempotency_hours),
            span: span(self.idempotency_hours),
            newest_ms: AtomicU64::new(manifest.newest_ms),
            manifest: Mutex::new(manifest),
            frozen: Mutex::new(None),
            changed: Condvar::new(),
        });
        let worker: Arc<dyn Worker> = Arc::clone(&shared) as _;
        shared.seat.enter(worker, [writer::TICK, Duration::ZERO]);
        StoredIndex { shared }
    }
}

impl<C: Checkpoint> Worker for Shared<C> {
    fn turn(&self, role: Role) -> Next {
        match role {
            Role::Write => self.write_layers(),
            Role::Merge => self.merge_files(),
        }
    }

    /// A panic is a bug. What it leaves in the files is not trusted again, and nobody waits for this work.
    fn panicked(&self) {
        let place = self.writing.files.place();
        let what = "a thread of the index panicked; from now on it stays in memory, and is built again \
                    from the journal at the next start"
            .to_owned();
        self.health.condemn(&StoreError::Body { place, what });
        // Whoever waits has looked at the health under this lock.
        drop(self.frozen());
        self.changed.notify_all();
    }
}

impl<C> Manifest<C> {
    /// The files that it names.
    fn names(&self) -> Vec<FileName> {
        let runs = self.runs.iter().map(|file| run::name(file.id));
        runs.chain(self.keys.iter().map(|file| keyfile::name(file.id)))
            .collect()
    }
}

/// Hours of a generation of keys.
pub(super) fn span(hours: u32) -> u64 {
    u64::from((hours / GENERATIONS).max(1))
}
