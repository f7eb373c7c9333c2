//! What sending does, counted: for metrics, and for whoever asks one [`super::Egress`].

use crate::metrics::{CONNECTIONS, HANDSHAKES, RESENT, REUSED, SHED};
use metrics::{Counter, counter};
use std::sync::atomic::{AtomicU64, Ordering};

/// How often something happened since the start.
pub struct Counters {
    /// Requests that were answered over a connection of before.
    pub reused: Tally,
    /// Requests sent again because a connection of before died before anything came back.
    pub resent: Tally,
    /// Connections made.
    pub connections: Tally,
    /// Unused connections closed because there were as many as may be.
    pub shed: Tally,
    /// TLS handshakes from the beginning.
    pub handshakes_full: Tally,
    /// TLS handshakes that went on from a session of before.
    pub handshakes_resumed: Tally,
}

/// One of them.
pub struct Tally {
    own: AtomicU64,
    /// That of all together.
    metric: Counter,
}

impl Counters {
    pub(super) fn new() -> Self {
        Self {
            reused: Tally::of(counter!(REUSED)),
            resent: Tally::of(counter!(RESENT)),
            connections: Tally::of(counter!(CONNECTIONS)),
            shed: Tally::of(counter!(SHED)),
            handshakes_full: Tally::of(counter!(HANDSHAKES, "kind" => "full")),
            handshakes_resumed: Tally::of(counter!(HANDSHAKES, "kind" => "resumed")),
        }
    }
}

impl Tally {
    fn of(metric: Counter) -> Self {
        Self {
            own: AtomicU64::new(0),
            metric,
        }
    }

    pub(super) fn count(&self) {
        self.add(1);
    }

    pub(super) fn add(&self, more: u64) {
        self.own.fetch_add(more, Ordering::Relaxed);
        self.metric.increment(more);
    }

    /// How often.
    pub fn get(&self) -> u64 {
        self.own.load(Ordering::Relaxed)
    }
}
