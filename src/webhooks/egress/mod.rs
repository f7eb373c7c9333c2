//! The way out: one HTTP POST for each delivery, over connections that are kept as long as their receivers like, to
//! addresses that were vetted.
//!
//! Reading order: [`vet`] (where deliveries may go), [`gate`] (where that is asked), [`connect`], [`pool`] (what is kept
//! open), [`exchange`] (one request and its answer), [`answer`] (what is kept of it), [`failure`].

mod answer;
mod connect;
mod counters;
mod exchange;
mod failure;
mod gate;
mod idle;
mod network;
mod pool;
mod proxy;
mod resolver;
mod stream;
mod target;
mod tls;
mod vet;

pub use answer::{BODY_READ_MAX, EXCERPT_MAX};
pub use connect::CONNECT_MAX;
pub use counters::{Counters, Tally};
pub use failure::{Failure, Stage};
pub use gate::Gate;
pub use idle::{IDLE_MAX, IDLE_MIN};
pub use network::Network;
pub use pool::{AGE_MAX, CONNECTIONS_MAX, CONNECTIONS_PER_DELIVERY};
pub use resolver::{ADDRESSES_MAX, Resolver, Resolving, SystemResolver};
pub use target::{Host, Target};
pub use tls::Tls;
pub use vet::{ALLOWED_MAX, Mode, NEVER, Policy, Refusal, Row, SPECIAL, URL_LEN_MAX};

use crate::endpoint::EndpointKey;
use crate::ports::{Answer, BoxFuture, Delivery, Outcome, Transport};
use crate::signing::Signer;
use answer::Received;
use bytes::Bytes;
use connect::Connector;
use exchange::Lost;
use pool::{Connection, Lease, Pool, Prepared, TELLING, Taken};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, timeout_at};

/// The longest that one attempt may take, whatever its endpoint says.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(30);
/// How often unused connections are looked at.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// What an [`Egress`] is made of.
pub struct Settings {
    /// What URLs and names have to come by.
    pub gate: Arc<Gate>,
    /// Whom it believes.
    pub tls: Tls,
    /// `host:port` of an HTTP proxy through which everything goes; it is asked for addresses.
    pub proxy: Option<Arc<str>>,
    /// Connections at most, of all endpoints.
    pub connections_max: usize,
}

/// Sends deliveries. One for each delivery thread, since its connections live on the runtime that made them; gate and TLS
/// sessions are shared. Clones are the same one.
#[derive(Clone)]
pub struct Egress {
    inner: Arc<Inner>,
}

struct Inner {
    connector: Connector,
    pool: Arc<Pool>,
    counters: Arc<Counters>,
}

/// How far an attempt came.
struct Course {
    stage: Stage,
    reused: bool,
    peer: Option<IpAddr>,
}

impl Egress {
    /// One without connections.
    pub fn new(settings: Settings) -> Self {
        let connector = Connector {
            gate: settings.gate,
            tls: settings.tls,
            proxy: settings.proxy,
        };
        let counters = Arc::new(Counters::new());
        let inner = Inner {
            connector,
            pool: Arc::new(Pool::new(settings.connections_max, Arc::clone(&counters))),
            counters,
        };
        Self { inner: Arc::new(inner) }
    }

    /// What happened so far.
    pub fn counters(&self) -> &Counters {
        &self.inner.counters
    }

    /// Connections that are open now, in use or not.
    pub fn open(&self) -> usize {
        self.inner.pool.open()
    }
}

impl Transport for Egress {
    fn send(&self, delivery: Delivery) -> BoxFuture<Outcome> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.send(&delivery).await })
    }

    fn forget(&self, endpoint: EndpointKey) {
        self.inner.pool.forget(endpoint);
    }
}

impl Inner {
    async fn send(&self, delivery: &Delivery) -> Outcome {
        let begun = Instant::now();
        let endpoint = &*delivery.endpoint;
        let (prepared, begin) = self.pool.prepared(endpoint.key, endpoint.revision, || {
            let mode = if endpoint.livemode { Mode::Live } else { Mode::Test };
            Prepared {
                revision: endpoint.revision,
                target: self.connector.gate.target(&endpoint.url, mode),
                signer: Signer::new(&endpoint.secrets),
            }
        });
        if begin {
            tokio::spawn(sweep(Arc::downgrade(&self.pool)));
        }
        let timeout = Duration::from_millis(endpoint.timeout_ms.into()).min(TIMEOUT_MAX);
        let mut course = Course {
            stage: Stage::Connect,
            reused: false,
            peer: None,
        };
        let deadline = begun + timeout;
        let attempt = self.attempt(delivery, &prepared, deadline, &mut course);
        let received = match timeout_at(deadline, attempt).await {
            Ok(received) => received,
            Err(_) => Err(Failure::Timeout(course.stage)),
        };
        let (answer, excerpt) = match received {
            Ok(received) => (received.answer(), received.excerpt),
            Err(failure) => (failure.answer(), Bytes::new()),
        };
        Outcome {
            answer,
            took_ms: u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX),
            reused: course.reused,
            peer: course.peer,
            excerpt,
        }
    }

    /// One attempt: over a connection of before if there is one, else over a new one. Where the one of before turns out to be
    /// dead, which a receiver that closes it just then makes look like this, the request goes once more over a new one: it
    /// may come twice, and every event may.
    async fn attempt(
        &self,
        delivery: &Delivery,
        prepared: &Prepared,
        deadline: Instant,
        course: &mut Course,
    ) -> Result<Received, Failure> {
        let target = prepared.target.as_ref().map_err(|refusal| refusal.clone())?;
        let key = delivery.endpoint.key;
        let request = || exchange::request(delivery, target, &prepared.signer, SystemTime::now());
        let taken = loop {
            match self.pool.take(key, true) {
                Taken::Wait(freed) => freed.notified().await,
                taken => break taken,
            }
        };
        let lease = match taken {
            Taken::Wait(_) | Taken::Full => return Err(Failure::Busy),
            Taken::New(lease) => lease,
            Taken::Used(lease, mut connection, unused) => {
                (course.reused, course.peer) = (true, Some(connection.peer));
                match exchange::exchange(&mut connection, request(), delivery, &mut course.stage).await {
                    Ok(received) => {
                        self.counters.reused.count();
                        if unused >= TELLING {
                            self.pool.was_good(key, unused);
                        }
                        return Ok(keep(lease, connection, received, prepared.revision));
                    }
                    Err(Lost { failure, silent: false }) => return Err(failure),
                    Err(Lost { silent: true, .. }) => {
                        self.counters.resent.count();
                        if unused >= TELLING {
                            self.pool.was_dead(key, unused);
                        }
                        drop((lease, connection));
                        course.reused = false;
                        match self.pool.take(key, false) {
                            Taken::New(lease) => lease,
                            Taken::Used(..) | Taken::Wait(_) | Taken::Full => return Err(Failure::Busy),
                        }
                    }
                }
            }
        };
        // Rare, and large with all that a handshake needs, so it has a place of its own.
        Box::pin(self.afresh(lease, delivery, prepared, target, deadline, course)).await
    }

    async fn afresh(
        &self,
        lease: Lease,
        delivery: &Delivery,
        prepared: &Prepared,
        target: &Target,
        deadline: Instant,
        course: &mut Course,
    ) -> Result<Received, Failure> {
        let connected = self
            .connector
            .connect(target, deadline, &mut course.stage, &self.counters)
            .await;
        let (stream, peer) = connected?;
        course.peer = Some(peer);
        let born = Instant::now();
        let mut connection = Connection { stream, peer, born };
        let request = exchange::request(delivery, target, &prepared.signer, SystemTime::now());
        let received = exchange::exchange(&mut connection, request, delivery, &mut course.stage).await;
        let received = received.map_err(|lost| lost.failure)?;
        Ok(keep(lease, connection, received, prepared.revision))
    }
}

/// Keeps the connection for the next request if it can take one.
fn keep(lease: Lease, connection: Connection, received: Received, revision: u64) -> Received {
    if received.lasting {
        lease.give_back(connection, received.kept_idle, revision);
    }
    received
}

/// Closes unused connections in time, for as long as there is anything to look after.
async fn sweep(pool: std::sync::Weak<Pool>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        match pool.upgrade() {
            Some(pool) if pool.sweep() => {}
            _ => return,
        }
    }
}

impl Received {
    fn answer(&self) -> Answer {
        match self.status {
            status @ 200..=299 => Answer::Taken { status },
            status => Answer::Refused {
                status,
                retry_after_ms: self
                    .retry_after
                    .map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)),
            },
        }
    }
}

impl Failure {
    fn answer(&self) -> Answer {
        use crate::ports::Failure as Class;
        let failure = match self {
            Self::Refused(_) => Class::Blocked,
            Self::Resolve(_) => Class::Resolve,
            Self::Connect(_) => Class::Connect,
            Self::Tls(_) => Class::Tls,
            Self::Timeout(_) => Class::Timeout,
            Self::Closed(_) => Class::Closed,
            Self::Protocol(_) => Class::Malformed,
            Self::Busy => Class::Internal,
        };
        Answer::Failed {
            failure,
            why: self.to_string().into(),
        }
    }
}
