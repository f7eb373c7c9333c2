//! Where the journal is kept: files of the data directory, or a cluster. Only this file and `data.rs` know which.

use crate::alarms;
use crate::config::{Node, Store};
use crate::exit::{Exit, Failure};
use crate::index_command::Indexes;
use crate::uploads::{SharedUploads, Uploads};
use crate::vault_keyspace::Keyspace;
use std::io::Write;
use std::sync::Arc;
use tollgate_actors::metrics::stage;
use tollgate_actors::router::shard_of;
use tollgate_domain::AccountKey;
use tollgate_http::FileBytes;
use tollgate_store::trail::Trail;
use tollgate_store::trail::memory::MemoryTrail;
use tollgate_store::{Journal, Reads, StoreError};
use tollgate_store_embedded::{Embedded, FileArea, FileTrail, OnGroup, Options, TrailOptions};
use tollgate_store_scylla::{Cluster, ShardOf};
use tollgate_vault::{Folder, Keep, Vault};

/// Attempts that are kept in memory where the log cannot be opened.
const TRAIL_ENTRIES_MAX: usize = 10_000;

/// An open store.
pub(crate) enum Kept {
    /// Files of a data directory.
    Embedded(Arc<Embedded>),
    /// A keyspace.
    Cluster(Arc<Cluster>),
}

impl Kept {
    /// Opens the journal of a data directory, or creates it.
    pub(crate) fn embedded(settings: &Store) -> Result<Kept, Failure> {
        let options = Options {
            segment_bytes: settings.segment_bytes,
            idempotency_hours: settings.idempotency_hours,
            on_fatal: Box::new(|error| end_of_store(&error.to_string())),
            on_group: measure_groups(),
            on_space: Box::new(alarms::space),
            #[cfg(feature = "faults")]
            disk: tollgate_store_embedded::faults::disk(),
            ..Options::default()
        };
        let store = Embedded::create_or_open(&settings.data, settings.shards, options).map_err(Failure::environment)?;
        let opened = store.opened();
        tracing::info!(
            data = %settings.data.display(),
            shards = store.meta().shards,
            blocks = opened.blocks,
            records = opened.records,
            records_walked = opened.walked,
            took_ms = opened.elapsed.as_millis() as u64,
            "data opened"
        );
        if let Some(why) = &opened.index_rebuilt {
            tracing::warn!(why, "the index was built again from the journal");
        }
        if let Some(torn) = &opened.torn {
            tracing::warn!(torn, "the journal ended in the middle of a write, as after a crash");
        }
        if Embedded::secret_is_exposed(&settings.data).map_err(Failure::environment)? {
            let secret = settings.data.join("secret");
            tracing::warn!(file = %secret.display(), "others than its owner may read the secret of the data: chmod 600");
        }
        Ok(Kept::Embedded(store))
    }

    /// Connects to the journal of a cluster, as a node that others reach at this address; empty for a command.
    pub(crate) fn cluster(settings: &Store, node: &Node, addr: &str) -> Result<Kept, Failure> {
        let id = match &node.id[..] {
            "" => rustix::system::uname().nodename().to_string_lossy().into_owned(),
            id => id.to_owned(),
        };
        let shard_of: ShardOf = Arc::new(|account, shards| shard_of(AccountKey(account.0), shards));
        let options = tollgate_store_scylla::Options {
            idempotency_hours: settings.idempotency_hours,
            cache_bytes: settings.cql.cache_bytes,
            index_cache_bytes: settings.cql.index_cache_bytes,
            ..tollgate_store_scylla::Options::new(settings.cql.settings.clone(), &id, addr, shard_of)
        };
        let store = Cluster::open(options).map_err(Failure::environment)?;
        tracing::info!(
            keyspace = settings.cql.settings.keyspace,
            shards = store.shards(),
            "data opened"
        );
        Ok(Kept::Cluster(store))
    }

    /// The append side.
    pub(crate) fn journal(&self) -> Arc<dyn Journal> {
        match self {
            Kept::Embedded(store) => Arc::clone(store) as _,
            Kept::Cluster(store) => Arc::clone(store) as _,
        }
    }

    /// The read side.
    pub(crate) fn reads(&self) -> Arc<dyn Reads> {
        match self {
            Kept::Embedded(store) => Arc::clone(store) as _,
            Kept::Cluster(store) => Arc::clone(store) as _,
        }
    }

    /// The cluster, if it is one.
    pub(crate) fn shared(&self) -> Option<&Arc<Cluster>> {
        match self {
            Kept::Embedded(_) => None,
            Kept::Cluster(store) => Some(store),
        }
    }

    /// Number of shards.
    pub(crate) fn shards(&self) -> u16 {
        match self {
            Kept::Embedded(store) => store.meta().shards,
            Kept::Cluster(store) => store.shards(),
        }
    }

    /// The secret that ids, client secrets and hashes of keys are made with.
    pub(crate) fn secret(&self) -> [u8; 32] {
        match self {
            Kept::Embedded(store) => *store.secret().bytes(),
            Kept::Cluster(store) => store.about().secret,
        }
    }

    /// Where attempts to deliver are logged: bounded, and nothing depends on it, so one that cannot be opened is one in memory.
    pub(crate) fn trail(&self, settings: &Store, bytes_max: u64) -> Arc<dyn Trail> {
        let opened = match self {
            Kept::Cluster(store) => return Arc::clone(store.trail()) as _,
            Kept::Embedded(_) => FileTrail::open(
                &settings.data,
                TrailOptions {
                    bytes_max,
                    on_trouble: Box::new(alarms::trail),
                    ..TrailOptions::default()
                },
            ),
        };
        match opened {
            Ok(trail) => Arc::new(trail),
            Err(error) => {
                tracing::warn!(%error, "attempts to deliver are logged in memory only, the last {TRAIL_ENTRIES_MAX}");
                Arc::new(MemoryTrail::new(TRAIL_ENTRIES_MAX))
            }
        }
    }

    /// Where the bytes of uploaded files are.
    pub(crate) fn uploads(&self, settings: &Store) -> Result<Arc<dyn FileBytes>, Failure> {
        Ok(match self {
            Kept::Embedded(_) => {
                let area = FileArea::open(&settings.data).map_err(Failure::environment)?;
                area.remove_parts().map_err(Failure::environment)?;
                Arc::new(Uploads(area))
            }
            Kept::Cluster(store) => Arc::new(SharedUploads(store.uploads().clone())),
        })
    }

    /// Opens the vault. Where other processes use it as well, each shard that is taken over makes this process read the keys
    /// again, before it serves.
    pub(crate) fn vault(&self, settings: &Store, now_ms: u64) -> Result<Arc<Vault>, Failure> {
        let store = match self {
            Kept::Embedded(_) => {
                let folder: Arc<dyn Keep> = Arc::new(Folder::of(&settings.data));
                return Ok(Arc::new(Vault::open(&folder, now_ms).map_err(Failure::environment)?));
            }
            Kept::Cluster(store) => store,
        };
        let keep: Arc<dyn Keep> = Arc::new(Keyspace(store.vault().clone()));
        let vault = Arc::new(Vault::open_shared(&keep, now_ms).map_err(Failure::environment)?);
        let renewed = Arc::clone(&vault);
        store.before_serving(Box::new(move || {
            renewed.renew(&keep).map_err(|error| StoreError::Io {
                place: keep.place(),
                what: error.to_string(),
            })
        }));
        Ok(vault)
    }

    /// Its indexes, for operators.
    pub(crate) fn indexes(&self) -> Indexes {
        Indexes(match self {
            Kept::Embedded(_) => None,
            Kept::Cluster(store) => Some(Arc::downgrade(store)),
        })
    }

    /// Whether other processes may share the data.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Kept::Cluster(_))
    }

    /// Tells from now on what the operator should know. Must be called inside a runtime.
    pub(crate) fn watch(&self) {
        match self {
            Kept::Embedded(store) => {
                alarms::newest_block(store.opened().newest_ms);
                actix_rt::spawn(alarms::watch_index(Arc::downgrade(store), Embedded::index_warning));
            }
            Kept::Cluster(store) => {
                actix_rt::spawn(alarms::watch_index(Arc::downgrade(store), Cluster::index_warning));
            }
        }
    }
}

/// Records what groups of blocks take. The handles are looked up here, once.
fn measure_groups() -> OnGroup {
    let (sync, publish) = (stage("sync"), stage("publish"));
    Box::new(move |group| {
        sync.record(group.sync);
        publish.record(group.publish);
    })
}

/// The store cannot write any more: nothing that this process says would be durable, so it ends. A restart replays.
pub(crate) fn end_of_store(why: &str) {
    tracing::error!(why, "the store has failed; the process ends");
    let _ = writeln!(std::io::stderr(), "tollgate: the store has failed: {why}");
    std::process::exit(Exit::Environment as i32);
}
