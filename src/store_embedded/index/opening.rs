//! Opening the index: what the manifest names is loaded if all of it checks out; else everything is removed and built
//! again from the journal.

use super::ends::Ends;
use super::file::Writing;
use super::health::Health;
use super::keyfile::{self, KeyFile};
use super::layer::Layer;
use super::layers::Layers;
use super::manifest::{self, Manifest, Position};
use super::run::{self, Run};
use super::windows::Windows;
use super::{DiskIndex, Limits, Shared, Work};
use crate::disk::Disk;
use crate::files::{create_dir, io_error};
use crate::meta::Meta;
use crate::rebuild::Owners;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Condvar, Mutex, RwLock};
use tollgate_store::{AccountRef, StoreError};

/// The directory of the index.
pub(super) const INDEX: &str = "index";
/// Keys are kept in at most about this many generations; with more hours than that a generation has several.
const GENERATIONS: u32 = 24;

/// What opening needs.
pub(crate) struct Opening<'a> {
    /// The data directory.
    pub(crate) dir: &'a Path,
    pub(crate) meta: &'a Meta,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) fsync: bool,
    pub(crate) idempotency_hours: u32,
    pub(crate) limits: Limits,
}

/// What the index holds of the journal.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Everything before it.
    pub(crate) position: Position,
    pub(crate) owners: Owners,
    pub(crate) blocks: u64,
    pub(crate) records: u64,
}

/// The files of an index that check out.
struct Loaded {
    manifest: Manifest,
    runs: Vec<Arc<Run>>,
    keys: Vec<Arc<KeyFile>>,
    ends: Ends,
    health: Arc<Health>,
}

impl Opening<'_> {
    /// Opens the index and starts its threads. Returns what it holds already, and why not if there was one that could
    /// not be used. `fits` says why a position is not one of this journal.
    pub(crate) fn open(
        self,
        fits: impl FnOnce(&Position) -> Result<(), String>,
    ) -> Result<(DiskIndex, Option<Known>, Option<String>), StoreError> {
        let dir = self.dir.join(INDEX);
        create_dir(&dir)?;
        let loaded = match self.load(&dir) {
            Ok(Some(loaded)) => fits(&loaded.manifest.position).map(|()| Some(loaded)),
            other => other,
        };
        let (loaded, refused) = match loaded {
            Ok(loaded) => (loaded, None),
            Err(why) => (None, Some(why)),
        };
        let known = loaded.as_ref().map(|loaded| Known {
            position: loaded.manifest.position,
            owners: loaded.manifest.owners.clone(),
            blocks: loaded.manifest.blocks,
            records: loaded.manifest.records,
        });
        remove_others(&dir, loaded.as_ref())?;
        let loaded = loaded.unwrap_or_else(|| Loaded {
            manifest: Manifest::empty(self.idempotency_hours),
            runs: Vec::new(),
            keys: Vec::new(),
            ends: Ends::new(),
            health: Arc::new(Health::new(&dir.join(manifest::NAME))),
        });
        let index = self.start(dir, loaded)?;
        Ok((index, known, refused))
    }

    /// The index of an earlier process; `Ok(None)` where there is none, and why it cannot be used as an error.
    fn load(&self, dir: &Path) -> Result<Option<Loaded>, String> {
        let Some(manifest) = Manifest::read(dir, &self.meta.id)? else {
            return Ok(None);
        };
        let then = manifest.idempotency_hours;
        if self.idempotency_hours > then || span(self.idempotency_hours) != span(then) {
            return Err(format!(
                "keys were kept for {then} hours when it was written, and are to be kept for {}",
                self.idempotency_hours
            ));
        }
        let health = Arc::new(Health::new(&dir.join(manifest::NAME)));
        let load = || {
            let ends = Ends::new();
            let mut runs = Vec::with_capacity(manifest.runs.len());
            for &entry in &manifest.runs {
                let run = Run::open(dir, entry, &health)?;
                let mut accounts = run.accounts.start();
                while let Some(entry) = accounts.forth()? {
                    ends.set(AccountRef(entry.account), entry.end);
                }
                runs.push(Arc::new(run));
            }
            let keys: Result<Vec<_>, StoreError> = manifest
                .keys
                .iter()
                .map(|&entry| KeyFile::open(dir, entry, &health).map(Arc::new))
                .collect();
            Ok((runs, keys?, ends))
        };
        let (runs, keys, ends) = load().map_err(|error: StoreError| error.to_string())?;
        Ok(Some(Loaded {
            manifest,
            runs,
            keys,
            ends,
            health,
        }))
    }

    fn start(&self, dir: PathBuf, loaded: Loaded) -> Result<DiskIndex, StoreError> {
        let Loaded {
            mut manifest,
            runs,
            keys,
            ends,
            health,
        } = loaded;
        manifest.idempotency_hours = self.idempotency_hours;
        let shared = Arc::new(Shared {
            id: self.meta.id,
            limits: self.limits,
            writing: Writing {
                disk: Arc::clone(&self.disk),
                fsync: self.fsync,
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
            windows: Windows::new(usize::from(self.meta.shards) + 1, &manifest.timer_floors),
            hours: u64::from(self.idempotency_hours),
            span: span(self.idempotency_hours),
            newest_ms: AtomicU64::new(manifest.newest_ms),
            manifest: Mutex::new(manifest),
            work: Mutex::new(Work::default()),
            changed: Condvar::new(),
            dir,
        });
        // Dropping it ends the threads that have started.
        let mut index = DiskIndex {
            shared,
            threads: Vec::new(),
        };
        index.spawn("tollgate-index", Shared::write_layers)?;
        index.spawn("tollgate-merge", Shared::merge_files)?;
        Ok(index)
    }
}

impl DiskIndex {
    fn spawn(&mut self, name: &str, work: fn(&Shared)) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            // A panic is a bug. What it leaves in the files is not trusted again, and nobody waits for this thread.
            if catch_unwind(AssertUnwindSafe(|| work(&shared))).is_err() {
                let place = shared.dir.display().to_string();
                let what = "a thread of the index panicked; from now on it stays in memory, and is built again \
                                from the journal at the next start"
                    .to_owned();
                shared.health.condemn(&StoreError::Body { place, what });
                shared.changed.notify_all();
            }
        });
        let thread = thread.map_err(|error| io_error(&self.shared.dir, "start a thread for", &error))?;
        self.threads.push(thread);
        Ok(())
    }
}

/// Hours of a generation of keys.
pub(super) fn span(hours: u32) -> u64 {
    u64::from((hours / GENERATIONS).max(1))
}

/// Removes every file that the index does not consist of: all of them if there is none.
fn remove_others(dir: &Path, loaded: Option<&Loaded>) -> Result<(), StoreError> {
    let mut keep: BTreeSet<PathBuf> = BTreeSet::new();
    if let Some(Loaded { manifest, .. }) = loaded {
        keep.insert(dir.join(manifest::NAME));
        keep.extend(manifest.runs.iter().map(|file| run::path(dir, file.id)));
        keep.extend(manifest.keys.iter().map(|file| keyfile::path(dir, file.id)));
    }
    let remove = || {
        for entry in std::fs::read_dir(dir)? {
            let path = entry?.path();
            if !keep.contains(&path) {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    };
    remove().map_err(|error| io_error(dir, "remove what is left over in", &error))
}
