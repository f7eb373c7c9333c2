//! Connections by endpoint: those that are in use are counted, those that are not wait to be used again.

use super::Counters;
use super::idle::IdleLimit;
use super::stream::Stream;
use super::target::Target;
use super::vet::Refusal;
use crate::endpoint::EndpointKey;
use crate::signing::Signer;
use hashbrown::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Connections of one endpoint at most.
pub const CONNECTIONS_MAX: u32 = 64;
/// Connections that there may be for each delivery that may be under way. With no more connections than deliveries, a delivery
/// that ends gives its place to one for another endpoint, which then has to close the connection that was just left: with
/// everything in use nothing would be used again. With twice as many, endpoints keep what they use by turns.
pub const CONNECTIONS_PER_DELIVERY: usize = 2;
/// A connection that was used so lately does not give way to one more of an endpoint that has some.
const SPARED: Duration = Duration::from_secs(1);
/// The age at which a connection is not used again: then the name is resolved and vetted anew.
pub const AGE_MAX: Duration = Duration::from_secs(5 * 60);
/// An unused time below this says nothing of how long a receiver keeps connections.
pub(super) const TELLING: Duration = Duration::from_secs(1);
/// How long what was learned of an endpoint outlives its last connection.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);

/// A connection that requests go over.
pub(super) struct Connection {
    pub(super) stream: Stream,
    pub(super) peer: IpAddr,
    pub(super) born: Instant,
}

/// What deliveries to one endpoint share; made anew when the endpoint changes.
pub(super) struct Prepared {
    pub(super) revision: u64,
    pub(super) target: Result<Target, Refusal>,
    pub(super) signer: Signer,
}

/// All endpoints' connections of one delivery thread.
pub(super) struct Pool {
    endpoints: Mutex<Endpoints>,
    open_max: usize,
    counters: Arc<Counters>,
}

#[derive(Default)]
struct Endpoints {
    by_key: HashMap<EndpointKey, Endpoint>,
    /// Connections in use and unused, of all.
    open: usize,
    /// Until then none has been unused for [`SPARED`].
    spared_until: Option<Instant>,
    /// Whether somebody looks after unused connections.
    swept: bool,
}

struct Endpoint {
    prepared: Arc<Prepared>,
    busy: u32,
    /// The one that was used last at the end.
    idle: Vec<Idle>,
    limit: IdleLimit,
    used: Instant,
    /// Told when a connection comes free, or ends, if anybody holds it.
    freed: Arc<Notify>,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// The right to one connection of an endpoint, given back when it is dropped.
pub(super) struct Lease {
    /// Until it is given back.
    pool: Option<Arc<Pool>>,
    key: EndpointKey,
}

/// What [`Pool::take`] gives.
pub(super) enum Taken {
    /// A connection of before, and how long it was unused.
    Used(Lease, Connection, Duration),
    /// The right to make one.
    New(Lease),
    /// There are as many as may be, all used of late: one of the endpoint's own will come free, which is told here.
    Wait(Arc<Notify>),
    /// Neither.
    Full,
}

impl Pool {
    /// At most `open_max` connections at a time.
    pub(super) fn new(open_max: usize, counters: Arc<Counters>) -> Self {
        Self {
            endpoints: Mutex::default(),
            open_max,
            counters,
        }
    }

    /// What deliveries to this revision of an endpoint share; `make` makes it. Connections of another revision are closed: it
    /// may lead elsewhere. Says too whether somebody has to begin sweeping.
    pub(super) fn prepared(
        &self,
        key: EndpointKey,
        revision: u64,
        make: impl FnOnce() -> Prepared,
    ) -> (Arc<Prepared>, bool) {
        let mut endpoints = self.lock();
        let now = Instant::now();
        if let Some(endpoint) = endpoints.by_key.get_mut(&key) {
            endpoint.used = now;
            if endpoint.prepared.revision == revision {
                return (Arc::clone(&endpoint.prepared), false);
            }
            endpoint.prepared = Arc::new(make());
            let prepared = Arc::clone(&endpoint.prepared);
            let closed = std::mem::take(&mut endpoint.idle);
            endpoints.open -= closed.len();
            return (prepared, false);
        }
        let prepared = Arc::new(make());
        let endpoint = Endpoint {
            prepared: Arc::clone(&prepared),
            busy: 0,
            idle: Vec::new(),
            limit: IdleLimit::new(),
            used: now,
            freed: Arc::default(),
        };
        endpoints.by_key.insert(key, endpoint);
        let begin = !endpoints.swept;
        endpoints.swept = true;
        (prepared, begin)
    }

    /// A connection that is unused, if `reuse`, or else the right to make one.
    pub(super) fn take(self: &Arc<Self>, key: EndpointKey, reuse: bool) -> Taken {
        let mut endpoints = self.lock();
        let now = Instant::now();
        let lease = || Lease {
            pool: Some(Arc::clone(self)),
            key,
        };
        let Some(endpoint) = endpoints.by_key.get_mut(&key) else {
            return Taken::Full;
        };
        let before = endpoint.idle.len();
        let mut used = None;
        while reuse && let Some(mut idle) = endpoint.idle.pop() {
            if endpoint.good(&mut idle, now) {
                endpoint.busy += 1;
                used = Some(Taken::Used(lease(), idle.connection, now - idle.since));
                break;
            }
        }
        let closed = before - endpoint.idle.len() - usize::from(used.is_some());
        let busy = endpoint.busy > 0;
        endpoints.open -= closed;
        if let Some(used) = used {
            return used;
        }
        if endpoints.open >= self.open_max {
            // Whoever has none at all gets one; the others do with what they have, unless something is really unused.
            let closed = endpoints.shed(now, if busy { SPARED } else { Duration::ZERO });
            self.counters.shed.add(closed as u64);
        }
        let open = endpoints.open;
        let Some(endpoint) = endpoints.by_key.get_mut(&key) else {
            return Taken::Full;
        };
        if open >= self.open_max && busy && reuse {
            return Taken::Wait(Arc::clone(&endpoint.freed));
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most CONNECTIONS_MAX")]
        let idle = endpoint.idle.len() as u32;
        if open >= self.open_max || endpoint.busy + idle >= CONNECTIONS_MAX {
            return Taken::Full;
        }
        endpoint.busy += 1;
        endpoints.open += 1;
        Taken::New(lease())
    }

    /// An unused connection was still good after so long.
    pub(super) fn was_good(&self, key: EndpointKey, unused: Duration) {
        if let Some(endpoint) = self.lock().by_key.get_mut(&key) {
            endpoint.limit.good_after(unused);
        }
    }

    /// An unused connection was found dead after so long.
    pub(super) fn was_dead(&self, key: EndpointKey, unused: Duration) {
        if let Some(endpoint) = self.lock().by_key.get_mut(&key) {
            endpoint.limit.closed_after(unused);
        }
    }

    /// Closes what an endpoint has unused.
    pub(super) fn forget(&self, key: EndpointKey) {
        let mut endpoints = self.lock();
        let Some(endpoint) = endpoints.by_key.get_mut(&key) else {
            return;
        };
        let closed = std::mem::take(&mut endpoint.idle);
        let unused = endpoint.busy == 0;
        endpoints.open -= closed.len();
        if unused {
            endpoints.by_key.remove(&key);
        }
    }

    /// Closes what has been unused for too long; says whether there is anything left to look after. If not, the next endpoint
    /// begins it anew.
    pub(super) fn sweep(&self) -> bool {
        let mut endpoints = self.lock();
        let now = Instant::now();
        let mut closed = 0;
        endpoints.by_key.retain(|_, endpoint| {
            let idle = std::mem::take(&mut endpoint.idle);
            let before = idle.len();
            for mut one in idle {
                if endpoint.good(&mut one, now) {
                    endpoint.idle.push(one);
                }
            }
            closed += before - endpoint.idle.len();
            endpoint.busy > 0 || !endpoint.idle.is_empty() || now - endpoint.used < REMEMBERED
        });
        endpoints.open -= closed;
        endpoints.swept = !endpoints.by_key.is_empty();
        endpoints.swept
    }

    /// Connections in use and unused.
    pub(super) fn open(&self) -> usize {
        self.lock().open
    }

    fn lock(&self) -> MutexGuard<'_, Endpoints> {
        // What a panic left is counts and connections; each step under the lock leaves them whole.
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Gives the connection back, to be used again.
    pub(super) fn give_back(mut self, connection: Connection, kept_idle: Option<Duration>, revision: u64) {
        let Some(pool) = self.pool.take() else { return };
        let mut endpoints = pool.lock();
        let now = Instant::now();
        let Some(endpoint) = endpoints.by_key.get_mut(&self.key) else {
            endpoints.open -= 1;
            return;
        };
        if let Some(kept) = kept_idle {
            endpoint.limit.told(kept);
        }
        endpoint.one_less_busy();
        endpoint.used = now;
        if endpoint.prepared.revision == revision && now - connection.born < AGE_MAX {
            endpoint.idle.push(Idle { connection, since: now });
        } else {
            endpoints.open -= 1;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(pool) = self.pool.take() else { return };
        let mut endpoints = pool.lock();
        endpoints.open -= 1;
        if let Some(endpoint) = endpoints.by_key.get_mut(&self.key) {
            endpoint.one_less_busy();
        }
    }
}

impl Endpoint {
    fn one_less_busy(&mut self) {
        self.busy -= 1;
        if Arc::strong_count(&self.freed) > 1 {
            self.freed.notify_one();
        }
    }

    /// Whether an unused connection can be used. Learns from one that the receiver closed.
    fn good(&mut self, idle: &mut Idle, now: Instant) -> bool {
        let unused = now - idle.since;
        if !idle.connection.stream.is_quiet() {
            // What ended at once was not closed for being unused. When it ended is known to the second: that of the sweep.
            if unused >= TELLING {
                self.limit.closed_after(unused);
            }
            return false;
        }
        unused < self.limit.get() && now - idle.connection.born < AGE_MAX
    }
}

impl Endpoints {
    /// Closes the sixteenth part of the unused connections that has been so for longest, of those that have been for so long;
    /// how many.
    fn shed(&mut self, now: Instant, least: Duration) -> usize {
        let spares = !least.is_zero();
        if spares && self.spared_until.is_some_and(|until| now < until) {
            return 0;
        }
        let idle = self.by_key.values().flat_map(|endpoint| endpoint.idle.iter());
        let mut times: Vec<Instant> = idle.map(|idle| idle.since).collect();
        let Some(oldest) = times.iter().min().copied() else {
            return 0;
        };
        if spares && now - oldest < least {
            self.spared_until = Some(oldest + least);
            return 0;
        }
        let last = times.len() / 16;
        let (_, until, _) = times.select_nth_unstable(last);
        // The oldest is old enough, so time has come that far.
        let until = (*until).min(now.checked_sub(least).unwrap_or(oldest));
        let mut closed = 0;
        for endpoint in self.by_key.values_mut() {
            let before = endpoint.idle.len();
            endpoint.idle.retain(|idle| idle.since > until);
            closed += before - endpoint.idle.len();
        }
        self.open -= closed;
        closed
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
