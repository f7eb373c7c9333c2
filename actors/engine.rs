//! The engine: everything of this room wired together behind one handle.

use crate::claims::{ClaimPorts, Claims};
use crate::client::Client;
use crate::clock::MachineClock;
use crate::directory::{DirectoryConfig, DirectoryHandle, Follows};
use crate::entropy::Entropy;
use crate::host::Host;
use crate::lane::{Lane, Ports};
use crate::metrics::{self, Meters};
use crate::outbox::OpenNotes;
use crate::performer::Performer;
use crate::permits::Permits;
use crate::pool::Pool;
use crate::readers::{ReaderPorts, Readers};
use crate::request::{Delivery, Refusal, ReplyTo, Request};
use crate::router::{Router, ShardState};
use crate::settings::{Begin, EngineConfig, PERMITS_PER_SHARD_MAX, RETRY_AFTER_S, ShardSettings};
use crate::supervisor::Supervised;
use crate::workers::Workers;
use ::metrics::Counter;
use actix::{Actor, Addr, Arbiter};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tollgate_breaks::broken;
use tollgate_domain::Secrets;
use tollgate_store::{Barrier, Journal, Reads, ShardId, Standing, StoreError, Told};

/// How often [`Engine::stop`] looks whether everything has left, milliseconds.
const STOP_POLL_MS: u64 = 5;

/// The running engine. Clones are handles to the same one.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
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
    pub(crate) notes: OpenNotes,
    /// Asked before anything is answered by a reader, where others may take shards over.
    pub(crate) barrier: Option<Arc<dyn Barrier>>,
    pub(crate) requests: Counter,
    pub(crate) refused_by_node: Counter,
    pub(crate) refused_by_shard: Counter,
    pub(crate) refused_by_account: Counter,
    pub(crate) refused_by_readers: Counter,
    /// What a lane is made of.
    pub(crate) forge: Forge,
    /// The threads of the lanes.
    arbiters: Mutex<Vec<Arbiter>>,
    /// Held by whoever changes the number of lanes or the settings.
    pub(crate) tuning: tokio::sync::Mutex<()>,
    begin: Begin,
    stopping: AtomicBool,
}

/// Makes lanes, at the start and later.
pub(crate) struct Forge {
    ports: Ports,
    clock: MachineClock,
    seeds: Mutex<Entropy>,
    settings: Mutex<Arc<ShardSettings>>,
}

impl Forge {
    /// Starts a lane with these shards on a thread of its own. Must be called inside an actix `System`.
    pub(crate) fn lane(&self, hosts: Vec<Host>) -> std::io::Result<(Addr<Lane>, Arbiter)> {
        let entropy = Entropy::new(lock(&self.seeds).word());
        let shards = self.ports.router.shards();
        let lane = Lane::new(hosts, shards, self.ports.clone(), self.clock, entropy, self.settings());
        let arbiter = Arbiter::try_new()?;
        Ok((Lane::start_in_arbiter(&arbiter.handle(), move |_| lane), arbiter))
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.ports.claims
    }

    pub(crate) fn settings(&self) -> Arc<ShardSettings> {
        Arc::clone(&lock(&self.settings))
    }

    pub(crate) fn set_settings(&self, settings: Arc<ShardSettings>) {
        *lock(&self.settings) = settings;
    }
}

/// Nothing that holds these locks can panic half-way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Hands a request to the reader threads, once it is known that the shard is here. False when they have too much to do
    /// already.
    pub(crate) fn read_beside(&self, shard: ShardId, to: ReplyTo, request: Arc<Request>) -> bool {
        let Some(barrier) = self.barrier.as_ref().filter(|_| !broken!(ListWithoutBarrier)) else {
            return self.readers.request(to, request);
        };
        let (readers, workers, router) = (
            self.readers.clone(),
            Arc::clone(&self.workers),
            Arc::clone(&self.router),
        );
        let told: Told = Box::new(move |standing| {
            let refusal = match standing {
                Standing::Here(_) if readers.request(to, request) => return,
                Standing::Here(_) => Refusal::Overloaded {
                    retry_after_s: RETRY_AFTER_S,
                    by_account: false,
                },
                Standing::Elsewhere(until) => {
                    // The shard may not know it yet.
                    until.into_iter().for_each(|epoch| router.fenced(shard, epoch));
                    Refusal::Elsewhere(shard)
                }
                Standing::Unknown => Refusal::ShardDown,
            };
            let answer = Err(refusal);
            workers.deliver(vec![Delivery { to, answer }]);
        });
        barrier.ask(shard, told);
        true
    }

    pub(crate) fn arbiters(&self) -> MutexGuard<'_, Vec<Arbiter>> {
        lock(&self.arbiters)
    }
}

impl Engine {
    /// Takes every shard over, unless it is to begin with none, and starts lanes, readers, pool and directory. Must be called inside an actix `System`
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
        let on_lost = Arc::clone(&config.on_lost);
        let directory = DirectoryHandle::start(
            DirectoryConfig {
                dev: config.dev,
                on_fatal: Arc::clone(&config.on_fatal),
                follows: config.tail.clone().map(|tail| Follows {
                    tail,
                    on_lost: Arc::new(move |why| on_lost(ShardId::DIRECTORY, why)),
                }),
            },
            &secrets,
            Arc::clone(&journal),
            Arc::clone(&reads),
        )?;
        let state = match config.begin {
            Begin::All => ShardState::Serving,
            Begin::Nothing => ShardState::Elsewhere,
        };
        let router = Arc::new(Router::new(config.shards, config.lanes, state));
        // The permits may be changed later, the room for answers not.
        let inside_max = usize::from(config.shards) * PERMITS_PER_SHARD_MAX as usize;
        let workers = Arc::new(Workers::new(inside_max));
        let meters = Arc::new(Meters::new());
        let reader_ports = ReaderPorts {
            reads: Arc::clone(&reads),
            profiles: directory.profiles(),
            secrets: secrets.clone(),
            router: Arc::clone(&router),
            workers: Arc::clone(&workers),
            outbox: Arc::clone(&config.outbox),
        };
        let readers = Readers::start(config.readers, &reader_ports)?;
        let clock = MachineClock::start();
        let pool = Pool::start(performer, Arc::clone(&router), clock)?;
        let permits = Permits::new(
            config.shards,
            config.permits_per_node,
            config.permits_per_shard,
            config.permits_per_account,
        );
        let barrier = journal.barrier();
        let claim_ports = ClaimPorts {
            journal: Arc::clone(&journal),
            router: Arc::clone(&router),
            meters: Arc::clone(&meters),
            on_lost: Arc::clone(&config.on_lost),
        };
        let claims = Claims::start(config.begin == Begin::Nothing, &claim_ports)?;
        let ports = Ports {
            permits: Arc::clone(&permits),
            journal: Arc::clone(&journal),
            barrier: barrier.clone(),
            workers: Arc::clone(&workers),
            readers: readers.clone(),
            pool,
            router: Arc::clone(&router),
            meters: Arc::clone(&meters),
            claims,
            begin: config.begin,
            outbox: Arc::clone(&config.outbox),
            on_fatal: Arc::clone(&config.on_fatal),
        };
        let settings = Arc::new(config.shard.clone());
        let mut begun = Vec::new();
        let mut by_lane: Vec<Vec<Host>> = (0..config.lanes).map(|_| Vec::new()).collect();
        for (number, lane) in (0..config.shards).zip(router.lanes_of()) {
            let shard = ShardId(number);
            let (settings, reads, meters) = (Arc::clone(&settings), Arc::clone(&reads), Arc::clone(&meters));
            let mut supervised = Supervised::away(shard, settings, secrets.clone(), reads, meters);
            if barrier.is_some() {
                supervised = supervised.warded();
            }
            if config.begin == Begin::All {
                let claimed = journal.claim(shard)?;
                supervised.rebuild(&claimed);
                begun.push((shard, claimed.epoch));
            }
            by_lane[lane].push(Host::new(supervised));
        }
        let forge = Forge {
            ports,
            clock,
            seeds: Mutex::new(Entropy::new(config.seed)),
            settings: Mutex::new(settings),
        };
        let mut arbiters = Vec::with_capacity(config.lanes);
        let mut lanes = Vec::with_capacity(config.lanes);
        for hosts in by_lane {
            let (lane, arbiter) = forge.lane(hosts)?;
            lanes.push(lane);
            arbiters.push(arbiter);
        }
        router.open(lanes);
        begun
            .into_iter()
            .for_each(|(shard, epoch)| config.outbox.adopted(shard, epoch));
        let refused = |by: &'static str| ::metrics::counter!(metrics::REFUSALS, "layer" => by);
        let shared = Shared {
            router,
            permits,
            workers,
            readers,
            notes: OpenNotes::new(config.shards),
            barrier,
            requests: ::metrics::counter!(metrics::REQUESTS),
            refused_by_node: refused("node permits"),
            refused_by_shard: refused("shard permits"),
            refused_by_account: refused("account permits"),
            refused_by_readers: refused("readers"),
            forge,
            arbiters: Mutex::new(arbiters),
            tuning: tokio::sync::Mutex::new(()),
            begin: config.begin,
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

    /// Whether every shard that is to be here serves, and the engine is not stopping.
    pub fn is_ready(&self) -> bool {
        let shared = &self.shared;
        let router = &shared.router;
        let serves = match shared.begin {
            Begin::All => router.all_in(ShardState::Serving).count() == usize::from(router.shards()),
            Begin::Nothing => router.all_in(ShardState::Failed).next().is_none(),
        };
        serves && !shared.is_stopping()
    }

    /// Requests inside now.
    pub fn inside(&self) -> u64 {
        self.shared.permits.inside()
    }

    /// Refuses new requests and waits until every admitted one is answered and what delivery has noted is durable, at most
    /// `patience`. True when all left;
    /// whoever is still inside afterwards waits for a network and is found by its timers after the restart.
    pub async fn stop(&self, patience: Duration) -> bool {
        self.shared.stopping.store(true, Ordering::Relaxed);
        let end = tokio::time::Instant::now() + patience;
        let empty = || self.inside() == 0 && self.shared.notes.all() == 0;
        while !empty() && tokio::time::Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(STOP_POLL_MS)).await;
        }
        let left = empty();
        self.shared.arbiters().iter().for_each(|arbiter| {
            arbiter.stop();
        });
        left
    }
}
