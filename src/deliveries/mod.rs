//! Delivery of webhooks, joined to the rest: the dispatcher of `src/webhooks` knows accounts as numbers and bodies as bytes; here
//! its ports are made of the engine, the store, the directory, the vault and the wire.
//!
//! [`Deliveries::open`] comes before the engine's start, because shards are told of from then on; [`Deliveries::begin`] once
//! there is an engine, and what was told meanwhile waits. [`Deliveries::stop`] comes while the shards still serve, so that what is
//! noted last becomes durable.
//!
//! Reading order: this page, `postbox` (what shards tell), `joined` (what delivery writes), `source` (what it reads), `readers`,
//! `attempts` (what it logs), `answers` and `telling` (what merchants and operators ask, and hear), `tunable` (what can be changed
//! meanwhile). What the engine and delivery say to each other is put into the other's words in `src/relay`, which the simulation
//! calls too.

mod answers;
mod attempts;
mod joined;
mod postbox;
mod readers;
mod source;
mod telling;
mod tunable;

use crate::config::Webhooks;
use crate::exit::Failure;
use answers::Answers;
use attempts::AttemptLog;
use joined::{DomainAlarm, Joined, JournalNotes};
use postbox::Postbox;
use readers::Readers;
use source::{Bodies, JournalSource, Parts, usual};
use std::sync::{Arc, OnceLock, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tollgate_actors::Engine;
use tollgate_actors::outbox::{Outbox, Records};
use tollgate_domain::Secrets;
use tollgate_store::Reads;
use tollgate_store::trail::Trail;
use tollgate_webhooks::egress::{CONNECTIONS_PER_DELIVERY, Egress, Gate, Policy, Settings, SystemResolver, Tls};
use tollgate_webhooks::ports::Transport;
use tollgate_webhooks::{Dispatcher, DispatcherPorts, DispatcherSettings};
pub(crate) use tunable::Tunable;

/// Delivery of webhooks of this process.
pub(crate) struct Deliveries {
    settings: Webhooks,
    tls: Tls,
    joined: Arc<Joined>,
    postbox: Arc<Postbox>,
    /// Where attempts are logged, once there is something that delivers.
    trail: OnceLock<Arc<dyn Trail>>,
    /// What every address has to come by.
    gate: Arc<Gate>,
}

/// Where webhooks may be sent. `dev`: the machine itself, too.
fn policy(settings: &Webhooks, dev: bool) -> Policy {
    Policy {
        loopback: dev,
        allowed: settings.allow.clone(),
        ..Policy::default()
    }
}

/// What delivery reads with.
pub(crate) struct Sources {
    pub reads: Arc<dyn Reads>,
    /// Where attempts are logged.
    pub trail: Arc<dyn Trail>,
    /// Number of shards.
    pub shards: u16,
    pub secrets: Secrets,
    /// Where clients reach the API, for the addresses that bodies show.
    pub public_url: String,
}

impl Deliveries {
    /// Reads what the settings name, for data of so many shards. `dev`: the machine itself may be sent to.
    pub(crate) fn open(settings: &Webhooks, shards: u16, dev: bool) -> Result<Deliveries, Failure> {
        let tls = Tls::new(settings.ca_file.as_deref());
        let tls = tls.map_err(|why| Failure::wrong_use(format!("webhooks.ca_file: {why}")))?;
        let policy = policy(settings, dev);
        let joined = Arc::new(Joined::default());
        Ok(Deliveries {
            settings: settings.clone(),
            tls,
            postbox: Arc::new(Postbox::new(shards)),
            joined,
            trail: OnceLock::new(),
            gate: Arc::new(Gate::new(policy, Arc::new(SystemResolver::new()))),
        })
    }

    /// What every address has to come by, at registration too.
    pub(crate) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Whom shards tell.
    pub(crate) fn outbox(&self) -> Arc<dyn Outbox> {
        Arc::clone(&self.postbox) as _
    }

    /// Begins to deliver, for the shards that are here and those that come. Must be called inside a runtime.
    /// Gives what answers questions about it.
    pub(crate) fn begin(&self, engine: &Engine, sources: Sources) -> Result<Answers, Failure> {
        tollgate_pools::metrics::describe();
        tollgate_webhooks::metrics::describe();
        let settings = &self.settings;
        let log = Arc::new(AttemptLog::new(sources.trail, settings.log_successes_per_s));
        let _ = self.trail.set(Arc::clone(log.trail()));
        actix_rt::spawn(attempts::watch(Arc::downgrade(log.trail())));
        let usual = Arc::new(RwLock::new(usual(settings)));
        let records = Arc::<Records>::default();
        let answers = Answers {
            joined: Arc::clone(&self.joined),
            postbox: Arc::clone(&self.postbox),
            reads: Arc::clone(&sources.reads),
            records: Arc::clone(&records),
            log: Arc::clone(&log),
            shards: sources.shards,
            secrets: sources.secrets.clone(),
            usual: Arc::clone(&usual),
        };
        let failed = |error: std::io::Error| Failure::environment(format!("webhooks are not delivered: {error}"));
        let pending = {
            let postbox = Arc::downgrade(&self.postbox);
            Arc::new(move |account, seq, kind| {
                let postbox = postbox.upgrade();
                postbox.map_or(0, |postbox| postbox.pending(account, seq, kind))
            })
        };
        let source = JournalSource {
            readers: Readers::start(settings.readers, &sources.reads).map_err(failed)?,
            parts: Arc::new(Parts {
                profiles: engine.directory().profiles(),
                secrets: sources.secrets,
                public_url: sources.public_url,
                pending,
                joined: Arc::clone(&self.joined),
                bodies: Bodies::new(),
                records,
                usual,
            }),
        };
        let (gate, tls, proxy) = (Arc::clone(&self.gate), self.tls.clone(), settings.proxy.clone());
        let connections_max = settings.connections_max / settings.threads;
        let transports = move |_| -> Arc<dyn Transport> {
            Arc::new(Egress::new(Settings {
                gate: Arc::clone(&gate),
                tls: tls.clone(),
                proxy: proxy.clone(),
                connections_max,
            }))
        };
        self.joined.join(engine);
        let ports = DispatcherPorts {
            source: Arc::new(source),
            notes: Arc::new(JournalNotes(Arc::clone(&self.joined))),
            trail: Arc::clone(&log) as _,
            alarm: Arc::new(DomainAlarm(Arc::clone(&self.joined))),
            transports: Arc::new(transports),
        };
        let threads = DispatcherSettings {
            threads: settings.threads,
            in_flight_max: (settings.connections_max / CONNECTIONS_PER_DELIVERY).max(settings.threads),
            failed_bytes_max: settings.failed_bytes_per_shard,
            seed: getrandom::u64().expect("the operating system gives entropy"),
        };
        let (since, began) = (unix_ms(), Instant::now());
        // As shards have it: by the steady clock from the start on.
        let clock: tollgate_pools::Clock = Arc::new(move || since + began.elapsed().as_millis() as u64);
        self.postbox
            .begin(Dispatcher::start(threads, ports, &clock).map_err(failed)?);
        Ok(answers)
    }

    /// Sends nothing new, waits for what is under way, and has all that is known noted.
    pub(crate) async fn stop(self) {
        let (postbox, patience) = (Arc::clone(&self.postbox), self.settings.stop_timeout);
        // It waits for its threads.
        let ended = tokio::task::spawn_blocking(move || postbox.end(patience)).await;
        if ended.is_err() {
            tracing::error!("the delivery of webhooks did not end well; what it had not noted is sent again");
        }
        if let Some(trail) = self.trail.get().cloned() {
            // What is lost of it is no loss.
            let _ = tokio::task::spawn_blocking(move || trail.flush()).await;
        }
        self.joined.part();
    }

    /// How long a stop may take.
    pub(crate) fn stop_timeout(&self) -> Duration {
        self.settings.stop_timeout
    }
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
