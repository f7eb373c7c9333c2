//! The wiring of a serving process: which network, which listeners, and in what order they start and stop.

use crate::config::{Config, Kind, Webhooks};
use crate::data::Data;
use crate::deliveries::{self, Deliveries};
use crate::descriptors::{self, Connections};
use crate::exit::Failure;
use crate::kept::end_of_store;
use crate::logs::Level;
use crate::membership::{self, Losses};
use crate::metrics;
use crate::public_url::public_url;
use crate::signals::{self, StopSignals};
use crate::tuning::{Sources, Tuner};
use crate::webhook_urls::Registration;
use std::future::Future;
use std::io::Write;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind};
use tollgate_acquiring::{Faults, NetworkSettings, SimulatedNetwork};
use tollgate_actors::outbox::NoOutbox;
use tollgate_actors::performer::BoxFuture;
use tollgate_actors::settings::{KEY_USES_EVERY, Pacing, ShardSettings};
use tollgate_actors::{Begin, DirectoryHandle, Engine, EngineConfig, Performer};
use tollgate_cluster::Membership;
use tollgate_domain::acquirer::{NetworkAnswer, NetworkCall};
use tollgate_domain::{Network, api};
use tollgate_http::{DirectoryLeader, Files, Nodes, OperatorError, RateLimiter, Running, Services, Tuning, Wish};
use tollgate_wire::Edge;

/// How often uploads that other nodes left half-done are looked at.
const SETTLE_EVERY: Duration = Duration::from_secs(60);

/// Serves until a signal says stop. Settings are read again from their sources on SIGHUP and when an operator asks.
pub(crate) fn serve(config: &Config, dev: bool, sources: Sources, level: Level) -> Result<(), Failure> {
    use_small_pages();
    actix_rt::System::new().block_on(async {
        // From here on it is no reason to end.
        let hangups = signals::of(SignalKind::hangup())?;
        let mut node = Node::start(config, dev, Some((sources, level))).await?;
        actix_rt::spawn(reload_on(hangups, node.tuning.clone()));
        crate::output::print(&format!(
            "tollgate ready api={} admin={} {}\n",
            node.api_url(),
            node.admin_url(),
            match config.store.kind {
                Kind::Embedded => format!("data={}", config.store.data.display()),
                Kind::Cql => format!("keyspace={}", config.store.cql.settings.keyspace),
            }
        ))?;
        node.stop_asked.wait().await;
        tracing::info!("stopping");
        node.stop().await;
        Ok(())
    })
}

/// Keeps this process from huge pages. The allocator asks for them, and the thread that first touches one waits until the
/// kernel has cleared all 2 MiB: on a virtual machine whose host gives memory only when it is used, long enough for every
/// request behind it to be late. What they save in address translation did not show (docs/performance.md).
fn use_small_pages() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::warn!(%error, "huge pages stay on; the slowest answers may be slower");
    }
}

/// Reads the settings again at each signal. What came of it is in the log.
async fn reload_on(mut hangups: Signal, tuning: Tuning) {
    while hangups.recv().await.is_some() {
        if let Err(OperatorError::Unavailable(why)) = tuning.ask(Wish::Reload).await {
            tracing::error!(%why, "the settings were not reloaded");
        }
    }
}

/// Looks at uploads that other nodes left half-done, for the shards that came here meanwhile. Ends with the server.
async fn settle_now_and_then(services: Weak<Services>) {
    let mut clock = tokio::time::interval(SETTLE_EVERY);
    clock.tick().await;
    loop {
        clock.tick().await;
        let Some(services) = services.upgrade() else { return };
        if let Err(error) = tollgate_http::settle_pending(&services).await {
            tracing::warn!(%error, "uploads of other nodes cannot be looked at now");
        }
    }
}

/// Has the node that leads the directory write down which keys were used here, as often as it does so for its own. Ends
/// with the server.
async fn report_uses_now_and_then(services: Weak<Services>) {
    let mut clock = tokio::time::interval(KEY_USES_EVERY);
    clock.tick().await;
    loop {
        clock.tick().await;
        let Some(services) = services.upgrade() else { return };
        report_uses(&services.directory).await;
    }
}

async fn report_uses(directory: &DirectoryHandle) {
    if let Err(error) = directory.report_uses().await {
        tracing::warn!(%error, "when keys were used last cannot be written down now");
    }
}

/// A serving process.
pub(crate) struct Node {
    api: Running,
    admin: Running,
    engine: Engine,
    deliveries: Deliveries,
    membership: Option<Membership>,
    /// What other nodes send here.
    peers: Option<Running>,
    tuning: Tuning,
    stop_timeout: Duration,
    /// When to stop.
    pub(crate) stop_asked: StopSignals,
}

impl Node {
    /// Opens the data, starts the shards and the listeners. When it returns, requests are answered. Without `tunable`
    /// (where the settings come from, and what changes the level of the logs) settings cannot be changed.
    pub(crate) async fn start(config: &Config, dev: bool, tunable: Option<(Sources, Level)>) -> Result<Node, Failure> {
        if dev {
            warn_of_dev(config);
        }
        #[cfg(feature = "faults")]
        crate::clock_faults::start()?;
        let metrics = metrics::start()?;
        // Ports first: a port that is taken should not cost the opening of the data.
        let api = listener("api.listen", config.api.listen)?;
        let admin = listener("admin.listen", config.admin_listen)?;
        let peers = match config.store.kind {
            Kind::Embedded => None,
            Kind::Cql => Some(listener("node.listen", config.node.listen)?),
        };
        let public_url = public_url(config, api.local_addr().map_err(Failure::environment)?, dev)?;
        let own = peers_address(config, peers.as_ref())?;
        let data = Data::open_as(config, &own.map_or_else(String::new, |own| own.to_string()))?;
        let files = data.store.uploads(&config.store)?;
        let shards = data.store.shards();
        if config.actors.lanes > usize::from(shards) {
            let why = format!(
                "actors.lanes = {}: the data has only {shards} shards",
                config.actors.lanes
            );
            return Err(Failure::wrong_use(why));
        }
        // While the data opens, a signal ends the process as it always did; nothing is lost by it.
        let mut stop_asked = StopSignals::listen()?;
        data.store.watch();
        let network = Arc::new(Remote(SimulatedNetwork::new(network_settings(config))));
        let (journal, reads) = (data.store.journal(), data.store.reads());
        let losses = Losses::default();
        let bounds = &config.node.bounds;
        let of_nodes = own.map_or(0, |_| bounds.connections_max + bounds.in_flight_max);
        let asked = Connections {
            clients: config.api.bounds.connections_max,
            receivers: config.webhooks.connections_max,
        };
        let connections = descriptors::connections(asked, of_nodes);
        let webhooks = Webhooks {
            connections_max: connections.receivers.max(config.webhooks.threads),
            ..config.webhooks.clone()
        };
        let deliveries = Deliveries::open(&webhooks, shards, dev)?;
        let mut settings = engine_config(config, shards, dev);
        settings.outbox = deliveries.outbox();
        if let Some(store) = data.store.shared() {
            (settings.begin, settings.on_lost) = (Begin::Nothing, losses.hook());
            settings.tail = Some(Arc::clone(store) as _);
        }
        let engine = Engine::start(settings, journal, Arc::clone(&reads), network, data.secrets.clone())
            .map_err(|error| Failure::environment(format!("{}: {error}", config.store.data.display())))?;
        let sources = deliveries::Sources {
            reads,
            trail: data.store.trail(&config.store, config.webhooks.log_bytes_max),
            shards,
            secrets: data.secrets.clone(),
            public_url: public_url.clone(),
        };
        let answers = deliveries.begin(&engine, sources)?;
        let membership = match data.store.shared() {
            Some(store) => Some(membership::join(store, &engine, config.node.pace, &losses)?),
            None => None,
        };
        let nodes = own.zip(membership.as_ref()).map(|(own, membership)| {
            let nodes = Nodes::new(membership.map().clone(), own, &data.secrets, config.node.bounds);
            engine
                .directory()
                .set_leader(DirectoryLeader::new(&nodes, engine.directory()));
            nodes
        });
        let limiter = RateLimiter::new(config.limits.clone());
        let (wishes, arriving) = Tuning::new();
        if let Some((sources, level)) = tunable {
            let indexes = data.store.indexes();
            let tuned = (engine.clone(), Arc::clone(&limiter), answers.tunable());
            let tuner = Tuner::new(sources, level, tuned, (shards, indexes))?;
            actix_rt::spawn(tuner.run(arriving));
        }
        let services = Arc::new(Services {
            edge: Edge::new(api::ENDPOINTS),
            public_url,
            directory: engine.directory().clone(),
            engine: engine.clone(),
            files: Files::new(files),
            secrets: data.secrets,
            limiter,
            webhook_urls: Arc::new(Registration(Arc::clone(deliveries.gate()))),
            deliveries: Some(tollgate_http::DeliveryDesk::new(Arc::new(answers))),
            tuning: wishes.clone(),
            nodes: nodes.clone(),
            bounds: tollgate_http::Bounds {
                connections_max: connections.clients,
                ..config.api.bounds.clone()
            },
            cluster: membership.clone().map(membership::page),
            metrics: Box::new(move || {
                metrics_process::Collector::default().collect();
                metrics.render()
            }),
        });
        match data.store.is_shared() {
            // Shards come later; their uploads are looked at when they are here.
            true => {
                actix_rt::spawn(settle_now_and_then(Arc::downgrade(&services)));
                actix_rt::spawn(report_uses_now_and_then(Arc::downgrade(&services)));
            }
            false => tollgate_http::settle_pending(&services)
                .await
                .map_err(|error| Failure::environment(format!("cannot look at uploads: {error}")))?,
        }
        let stop_timeout = config.api.stop_timeout;
        let served = |error: std::io::Error| Failure::environment(format!("cannot serve: {error}"));
        let api = tollgate_http::serve_api(api, config.api.workers, stop_timeout, &services).map_err(served)?;
        let admin = tollgate_http::serve_admin(admin, stop_timeout, &services).map_err(served)?;
        let peers = match peers {
            Some(peers) => {
                Some(tollgate_http::serve_nodes(peers, config.api.workers, stop_timeout, &services).map_err(served)?)
            }
            None => None,
        };
        if let Some(membership) = &membership {
            stop_asked.or(membership.ready()).await;
        }
        Ok(Node {
            api,
            admin,
            engine,
            deliveries,
            membership,
            peers,
            tuning: wishes,
            stop_timeout,
            stop_asked,
        })
    }

    /// Base URL of the API.
    pub(crate) fn api_url(&self) -> String {
        format!("http://{}", self.api.address())
    }

    /// Base URL of the admin listener.
    pub(crate) fn admin_url(&self) -> String {
        format!("http://{}", self.admin.address())
    }

    /// Stops accepting, lets admitted requests finish, makes everything durable. Each step has a bound, so this ends.
    pub(crate) async fn stop(self) {
        if let Some(membership) = &self.membership {
            // What moves to another node is served all the time.
            within(self.stop_timeout, "the handover of shards", membership.hand_over()).await;
        }
        within(self.stop_timeout, "requests", self.api.stop()).await;
        if let Some(membership) = &self.membership {
            // The directory is led by another node by now, if there is one.
            within(
                self.stop_timeout,
                "the uses of keys",
                report_uses(self.engine.directory()),
            )
            .await;
            within(self.stop_timeout, "leaving the cluster", membership.leave()).await;
        }
        if let Some(peers) = self.peers {
            within(self.stop_timeout, "requests of other nodes", peers.stop()).await;
        }
        let patience = self.deliveries.stop_timeout();
        within(patience, "deliveries of webhooks", self.deliveries.stop()).await;
        within(self.stop_timeout, "shards", async {
            if !self.engine.stop(self.stop_timeout).await {
                tracing::warn!("requests were still waiting for a network, or notes for the store; they are resolved after the next start");
            }
        })
        .await;
        within(Duration::from_secs(1), "operator requests", self.admin.stop()).await;
    }
}

async fn within(limit: Duration, what: &str, step: impl Future<Output = ()>) {
    // A little more than the step's own bound, which should have ended it.
    if tokio::time::timeout(limit + Duration::from_secs(2), step)
        .await
        .is_err()
    {
        tracing::warn!(
            what,
            limit_s = limit.as_secs(),
            "did not stop in time and is left behind"
        );
    }
}

fn engine_config(config: &Config, shards: u16, dev: bool) -> EngineConfig {
    let actors = &config.actors;
    EngineConfig {
        shards,
        lanes: actors.lanes,
        readers: actors.readers,
        permits_per_node: actors.permits_per_node,
        permits_per_shard: actors.permits_per_shard,
        permits_per_account: actors.permits_per_account,
        shard: shard_settings(config),
        dev,
        seed: getrandom::u64().expect("the operating system gives entropy"),
        begin: Begin::All,
        on_fatal: Arc::new(end_of_store),
        on_lost: Arc::new(|_, _| {}),
        outbox: Arc::new(NoOutbox),
        tail: None,
    }
}

/// Settings of every shard.
pub(crate) fn shard_settings(config: &Config) -> ShardSettings {
    let actors = &config.actors;
    ShardSettings {
        turn_messages: actors.turn_messages,
        block_records: actors.block_records,
        block_bytes: actors.block_bytes,
        pacing: match config.store.kind {
            Kind::Embedded => Pacing::Lane {
                gap_ms: actors.block_gap_ms,
            },
            Kind::Cql => config.store.cql.pacing,
        },
        objects_max: actors.objects_per_shard,
        keys_max: actors.keys_per_shard,
        accounts_max: actors.accounts_per_shard,
        idempotency_ms: u64::from(config.store.idempotency_hours) * 3_600_000,
        wait_ms: millis(actors.key_wait),
        network: if config.acquirer.remote {
            Network::Remote
        } else {
            Network::Instant
        },
        attempt_deadline_ms: millis(config.acquirer.attempt_deadline),
        webhook_endpoints_max: config.webhooks.endpoints_max,
        ..ShardSettings::default()
    }
}

fn network_settings(config: &Config) -> NetworkSettings {
    let simulated = &config.acquirer.simulated;
    NetworkSettings {
        latency_ms: millis(simulated.latency),
        jitter_ms: millis(simulated.jitter),
        deadline_ms: millis(config.acquirer.attempt_deadline),
        seed: simulated.seed,
        faults: Faults {
            declined_ppm: simulated.declined_ppm,
            lost_request_ppm: simulated.lost_request_ppm,
            lost_answer_ppm: simulated.lost_answer_ppm,
            late_ppm: simulated.late_ppm,
        },
    }
}

/// The simulated network behind the port that the engine calls.
struct Remote(SimulatedNetwork);

impl Performer for Remote {
    fn perform(&self, call: NetworkCall) -> BoxFuture<'static, NetworkAnswer> {
        Box::pin(self.0.perform(call))
    }
}

fn listener(name: &str, address: std::net::SocketAddr) -> Result<std::net::TcpListener, Failure> {
    tollgate_http::bind(address).map_err(|error| {
        Failure::environment(format!(
            "{name} = {address}: {error}; choose another port, or 0 for a free one"
        ))
    })
}

/// The address that other nodes are told, where there are any.
fn peers_address(
    config: &Config,
    peers: Option<&std::net::TcpListener>,
) -> Result<Option<std::net::SocketAddr>, Failure> {
    let Some(peers) = peers else { return Ok(None) };
    let bound = peers.local_addr().map_err(Failure::environment)?;
    Ok(Some(config.node.advertise.unwrap_or(bound)))
}

fn warn_of_dev(config: &Config) {
    let mut warning = String::from(
        "tollgate: --dev is on: ANY key of the form sk_test_... opens a sandbox account of its own. For development only.\n",
    );
    if !config.api.listen.ip().is_loopback() {
        warning += &format!(
            "tollgate: --dev listens on {}, where strangers may reach it.\n",
            config.api.listen
        );
    }
    let _ = std::io::stderr().write_all(warning.as_bytes());
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
