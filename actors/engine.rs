//! The engine: everything of this room wired together behind one handle.

use crate::client::Client;
use crate::clock::MachineClock;
use crate::directory::{DirectoryConfig, DirectoryHandle};
use crate::entropy::Entropy;
use crate::lane::{Lane, Ports};
use crate::metrics::{self, Meters};
use crate::performer::Performer;
use crate::permits::Permits;
use crate::pool::Pool;
use crate::readers::{ReaderPorts, Readers};
use crate::router::Router;
use crate::settings::EngineConfig;
use crate::supervisor::Supervised;
use crate::workers::Workers;
use ::metrics::Counter;
use actix::{Actor, Arbiter};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tollgate_domain::Secrets;
use tollgate_store::{Journal, Reads, ShardId, StoreError};

/// How often [`Engine::stop`] looks whether everything has left, milliseconds.
const STOP_POLL_MS: u64 = 5;

/// The running engine. Clones are handles to the same one.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
    directory: DirectoryHandle,
}

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store refused.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// What clients share.
pub(crate) struct Shared {
    pub(crate) router: Arc<Router>,
    pub(crate) permits: Arc<Permits>,
    pub(crate) workers: Arc<Workers>,
    pub(crate) readers: Readers,
    pub(crate) lanes: usize,
    pub(crate) requests: Counter,
    pub(crate) overloads: Counter,
    arbiters: Vec<Arbiter>,
    stopping: AtomicBool,
}

impl Shared {
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

impl Engine {
    /// Takes every shard over and starts lanes, readers, pool and directory. Must be called inside an actix `System`
    /// (lanes are arbiters of it), after the metrics recorder is installed (handles are looked up here).
    ///
    /// # Errors
    /// When a shard cannot be claimed, the directory cannot be read, or a thread cannot be started.
    ///
    /// # Panics
    /// When settings contradict each other.
    pub fn start(
        config: EngineConfig,
        journal: Arc<dyn Journal>,
        reads: Arc<dyn Reads>,
        performer: Arc<dyn Performer>,
        secrets: Secrets,
    ) -> Result<Engine, EngineError> {
        config.check();
        metrics::describe();
        let directory = DirectoryHandle::start(
            DirectoryConfig {
                dev: config.dev,
                on_fatal: Arc::clone(&config.on_fatal),
            },
            &secrets,
            Arc::clone(&journal),
            Arc::clone(&reads),
        )?;
        let router = Arc::new(Router::new(config.shards, config.lanes));
        let per_shard = config.permits_per_shard;
        let inside_max = usize::from(config.shards) * per_shard as usize;
        let workers = Arc::new(Workers::new(inside_max));
        let meters = Arc::new(Meters::new());
        let reader_ports = ReaderPorts {
            reads: Arc::clone(&reads),
            profiles: directory.profiles(),
            secrets: secrets.clone(),
            router: Arc::clone(&router),
            workers: Arc::clone(&workers),
        };
        let readers = Readers::start(config.readers, &reader_ports)?;
        let pool = Pool::start(performer, Arc::clone(&router))?;
        let ports = Ports {
            journal: Arc::clone(&journal),
            workers: Arc::clone(&workers),
            readers: readers.clone(),
            pool,
            router: Arc::clone(&router),
            meters: Arc::clone(&meters),
            on_fatal: Arc::clone(&config.on_fatal),
        };
        let settings = Arc::new(config.shard.clone());
        let mut by_lane: Vec<Vec<Supervised>> = (0..config.lanes).map(|_| Vec::new()).collect();
        for number in 0..config.shards {
            let shard = ShardId(number);
            let claimed = journal.claim(shard)?;
            let (settings, reads, meters) = (Arc::clone(&settings), Arc::clone(&reads), Arc::clone(&meters));
            by_lane[router.lane_of(shard)].push(Supervised::new(
                shard,
                &claimed,
                settings,
                secrets.clone(),
                reads,
                meters,
            ));
        }
        let clock = MachineClock::start();
        let mut seeds = Entropy::new(config.seed);
        let mut arbiters = Vec::with_capacity(config.lanes);
        let mut lanes = Vec::with_capacity(config.lanes);
        for shards in by_lane {
            let lane = Lane::new(shards, config.shards, ports.clone(), clock, Entropy::new(seeds.word()));
            let arbiter = Arbiter::new();
            lanes.push(Lane::start_in_arbiter(&arbiter.handle(), move |_| lane));
            arbiters.push(arbiter);
        }
        router.open(lanes);
        let shared = Shared {
            router,
            permits: Permits::new(config.shards, per_shard, config.permits_per_account),
            workers,
            readers,
            lanes: config.lanes,
            requests: ::metrics::counter!(metrics::REQUESTS),
            overloads: ::metrics::counter!(metrics::OVERLOADS),
            arbiters,
            stopping: AtomicBool::new(false),
        };
        Ok(Engine {
            shared: Arc::new(shared),
            directory,
        })
    }

    /// A client for the calling thread, which must run a tokio `LocalSet` (actix workers do). Make one per thread.
    pub fn client(&self) -> Client {
        Client::start(Arc::clone(&self.shared))
    }

    /// Accounts and API keys.
    pub fn directory(&self) -> &DirectoryHandle {
        &self.directory
    }

    /// Whether every shard serves and the engine is not stopping.
    pub fn is_ready(&self) -> bool {
        !self.shared.is_stopping() && self.shared.router.all_serving()
    }

    /// Requests inside now.
    pub fn inside(&self) -> u64 {
        let inside = self.shared.permits.inside();
        ::metrics::gauge!(metrics::INSIDE).set(inside as f64);
        inside
    }

    /// Refuses new requests and waits until every admitted one is answered, at most `patience`. True when all left;
    /// whoever is still inside afterwards waits for a network and is found by its timers after the restart.
    pub async fn stop(&self, patience: Duration) -> bool {
        self.shared.stopping.store(true, Ordering::Relaxed);
        let end = tokio::time::Instant::now() + patience;
        while self.inside() > 0 && tokio::time::Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(STOP_POLL_MS)).await;
        }
        let left = self.inside() == 0;
        self.shared.arbiters.iter().for_each(|arbiter| {
            arbiter.stop();
        });
        left
    }
}
