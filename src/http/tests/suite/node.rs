//! A node: an engine with its listeners on a thread of its own, alone on a store or one of several.

use crate::edge::{PATIENCE, Setup};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate_actors::performer::BoxFuture;
use tollgate_actors::router::shard_of;
use tollgate_actors::settings::ShardSettings;
use tollgate_actors::{Begin, Engine, EngineConfig, Performer, ShardId};
use tollgate_cluster::{Map, Peer, Place};
use tollgate_domain::acquirer::{NetworkAnswer, NetworkCall};
use tollgate_domain::{AccountKey, Secrets};
use tollgate_http::{DirectoryLeader, FileBytes, Nodes, PendingBytes, RateLimiter, Services};
use tollgate_store::memory::Memory;
use tollgate_store::shared::Member;
use tollgate_store::{AccountRef, Journal, Reads, Tail};
use tollgate_wire::Edge as Operations;

/// Shards of every store here.
pub(crate) const SHARDS: u16 = 2;
/// What the data's keys follow from.
pub(crate) const SEED: [u8; 32] = [7; 32];

/// A network that never answers.
struct Silent;

impl Performer for Silent {
    fn perform(&self, _: NetworkCall) -> BoxFuture<'static, NetworkAnswer> {
        Box::pin(std::future::pending())
    }
}

/// Bytes of files in memory, which all nodes of a store share.
#[derive(Default)]
pub(crate) struct Drawer {
    bytes: Mutex<HashMap<[u8; 32], Vec<u8>>>,
    pending: Mutex<Vec<PendingBytes>>,
}

impl FileBytes for Drawer {
    fn keep(&self, pending: &PendingBytes, bytes: &[u8]) -> std::io::Result<()> {
        self.bytes
            .lock()
            .expect("a lock")
            .insert(pending.digest, bytes.to_vec());
        self.pending.lock().expect("a lock").push(*pending);
        Ok(())
    }
    fn settle(&self, pending: &PendingBytes) -> std::io::Result<()> {
        self.pending.lock().expect("a lock").retain(|one| one != pending);
        Ok(())
    }
    fn forget(&self, pending: &PendingBytes) -> std::io::Result<()> {
        self.settle(pending)
    }
    fn read(&self, digest: &[u8; 32]) -> std::io::Result<Option<Vec<u8>>> {
        Ok(self.bytes.lock().expect("a lock").get(digest).cloned())
    }
    fn pending(&self) -> std::io::Result<Vec<PendingBytes>> {
        Ok(self.pending.lock().expect("a lock").clone())
    }
}

/// Refuses what is inside, by its name alone, and from the second look on what is outside once.
#[derive(Default)]
struct NotInside {
    looks: std::sync::atomic::AtomicU32,
}

impl tollgate_http::VetUrls for NotInside {
    fn vet<'a>(&'a self, url: &'a str, _: bool) -> tollgate_http::Looked<'a> {
        use std::sync::atomic::Ordering;
        Box::pin(async move {
            let moved = url.contains("once.test") && self.looks.fetch_add(1, Ordering::Relaxed) > 0;
            match moved || url.contains("inside.test") {
                true => Err("It leads to an address that webhooks are not sent to.".to_owned()),
                false => Ok(()),
            }
        })
    }
}

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// It has the store for itself.
    Alone,
    /// One of several on a store: it owns nothing at first.
    Member,
}

/// A node, stopped when dropped.
pub(crate) struct Node {
    pub(crate) api: SocketAddr,
    pub(crate) admin: SocketAddr,
    /// Its listener for other nodes, if it is one of several.
    pub(crate) listens: Option<SocketAddr>,
    pub(crate) map: Map,
    pub(crate) engine: Engine,
    store: Arc<Memory>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What a node tells when it has started.
struct Started {
    api: SocketAddr,
    admin: SocketAddr,
    listens: Option<SocketAddr>,
    engine: Engine,
}

impl Node {
    pub(crate) fn start(setup: Setup, store: &Arc<Memory>, drawer: &Arc<Drawer>, shape: Shape) -> Node {
        let map = match shape {
            Shape::Alone => Map::alone(SHARDS),
            Shape::Member => Map::new(SHARDS),
        };
        let (say, hear) = sync_channel(1);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (kept, drawer, seen) = (Arc::clone(store), Arc::clone(drawer), map.clone());
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let secrets = Secrets::new(SEED);
                let of = |account: AccountRef| shard_of(AccountKey(account.0), SHARDS);
                let member = (shape == Shape::Member).then(|| Member::new(&kept, Arc::new(of)));
                let (journal, reads): (Arc<dyn Journal>, Arc<dyn Reads>) = match &member {
                    None => (Arc::clone(&kept) as _, Arc::clone(&kept) as _),
                    Some(member) => (Arc::clone(member) as _, Arc::clone(member) as _),
                };
                let tail = member.map(|_| Arc::clone(&kept) as Arc<dyn Tail>);
                let config = EngineConfig {
                    lanes: 1,
                    readers: 1,
                    permits_per_node: setup.permits_per_node,
                    permits_per_shard: setup.permits,
                    permits_per_account: setup.permits,
                    shard: ShardSettings {
                        wait_ms: 300,
                        attempt_deadline_ms: 1_500,
                        ..ShardSettings::default()
                    },
                    dev: setup.dev,
                    on_fatal: Arc::new(|why| panic!("{why}")),
                    begin: match shape {
                        Shape::Alone => Begin::All,
                        Shape::Member => Begin::Nothing,
                    },
                    tail,
                    ..EngineConfig::for_one_machine(SHARDS, 7)
                };
                let engine =
                    Engine::start(config, journal, reads, Arc::new(Silent), secrets.clone()).expect("an engine");
                let free = || tollgate_http::bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
                let among = (shape == Shape::Member).then(|| {
                    let listener = free();
                    let own = listener.local_addr().expect("it is bound");
                    let nodes = Nodes::new(seen, own, &secrets, setup.nodes);
                    engine
                        .directory()
                        .set_leader(DirectoryLeader::new(&nodes, engine.directory()));
                    (nodes, listener)
                });
                let services = Arc::new(Services {
                    edge: Operations::new(tollgate_domain::api::ENDPOINTS),
                    public_url: "https://tollgate.test".to_owned(),
                    directory: engine.directory().clone(),
                    engine: engine.clone(),
                    files: tollgate_http::Files::new(drawer),
                    secrets,
                    limiter: RateLimiter::new(setup.rate),
                    bounds: setup.bounds,
                    webhook_urls: Arc::new(NotInside::default()),
                    deliveries: None,
                    tuning: tollgate_http::Tuning::new().0,
                    cluster: None,
                    nodes: among.as_ref().map(|(nodes, _)| Arc::clone(nodes)),
                    metrics: Box::new(|| "tollgate_test 1\n".to_owned()),
                });
                let second = Duration::from_secs(1);
                let api = tollgate_http::serve_api(free(), 1, second, &services).expect("a listener");
                let admin = tollgate_http::serve_admin(free(), second, &services).expect("a listener");
                let listens = among.map(|(_, listener)| {
                    tollgate_http::serve_nodes(listener, 1, second, &services).expect("a listener")
                });
                let started = Started {
                    api: api.address(),
                    admin: admin.address(),
                    listens: listens.as_ref().map(|running| running.address()),
                    engine: engine.clone(),
                };
                assert!(say.send(started).is_ok(), "somebody hears");
                let _ = stopped.await;
                api.stop().await;
                if let Some(listens) = listens {
                    listens.stop().await;
                }
                admin.stop().await;
                engine.stop(second).await;
            });
        });
        let started = hear.recv_timeout(PATIENCE).expect("it starts");
        Node {
            api: started.api,
            admin: started.admin,
            listens: started.listens,
            map,
            engine: started.engine,
            store: Arc::clone(store),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Lets it take every shard, and lead the directory.
    pub(crate) fn owns_everything(&self) {
        for shard in 0..SHARDS {
            wait(self.engine.adopt(ShardId(shard))).expect("it is adopted");
        }
        wait(self.engine.directory().lead()).expect("it leads");
        self.map.put(every().map(|shard| (shard, Place::Here)));
    }

    /// Lets it know that another node has everything.
    pub(crate) fn sends_everything_to(&self, owner: &Node) {
        self.map.put(every().map(|shard| (shard, owner.place())));
    }

    /// This node on the map of another one.
    pub(crate) fn place(&self) -> Place {
        at(self.listens.expect("it is one of several"))
    }
}

/// A node at an address.
pub(crate) fn at(addr: SocketAddr) -> Place {
    let node = "another".into();
    Place::At(Peer { node, addr })
}

/// Every shard, the directory's among them.
pub(crate) fn every() -> impl Iterator<Item = ShardId> {
    (0..SHARDS).map(ShardId).chain([ShardId::DIRECTORY])
}

/// Waits for something that runs on a node's threads.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(future)
}

impl Drop for Node {
    fn drop(&mut self) {
        // Blocks that a test left held would keep the engine waiting.
        self.store.pump();
        let _ = self.stop.take().map(|stop| stop.send(()));
        let ended = self.thread.take().map(std::thread::JoinHandle::join);
        if !std::thread::panicking() {
            assert!(ended.is_some_and(|ended| ended.is_ok()), "the node panicked");
        }
    }
}
