//! What a thread tells about itself while it runs, once a second.

use super::samples::histogram;
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Counts since the last beat.
#[derive(Clone, Debug)]
pub(crate) struct Beat {
    /// Requests that fell due.
    pub(crate) due: u64,
    /// Tries sent.
    pub(crate) sent: u64,
    /// Good answers.
    pub(crate) good: u64,
    /// Requests that failed after all tries.
    pub(crate) failed: u64,
    /// Tries refused or broken.
    pub(crate) refused: u64,
    /// Latency of the good answers, microseconds.
    pub(crate) latency_us: Histogram<u64>,
    /// Largest own lag, microseconds.
    pub(crate) lag_max_us: u64,
    /// Tasks that wait for a connection now.
    pub(crate) waiting: u64,
    /// Connections open now.
    pub(crate) connections: u64,
    /// What the tries that were not good came to.
    pub(crate) errors: BTreeMap<String, u64>,
}

impl Default for Beat {
    fn default() -> Self {
        Beat {
            due: 0,
            sent: 0,
            good: 0,
            failed: 0,
            refused: 0,
            latency_us: histogram(),
            lag_max_us: 0,
            waiting: 0,
            connections: 0,
            errors: BTreeMap::new(),
        }
    }
}

impl Beat {
    /// Empties the counts; the histogram's memory stays.
    pub(crate) fn clear(&mut self) {
        let mut latency_us = std::mem::replace(&mut self.latency_us, Histogram::new(1).expect("one digit is valid"));
        latency_us.reset();
        *self = Beat {
            due: 0,
            sent: 0,
            good: 0,
            failed: 0,
            refused: 0,
            latency_us,
            lag_max_us: 0,
            waiting: 0,
            connections: 0,
            errors: BTreeMap::new(),
        };
    }

    /// Counts a try that was not good.
    pub(crate) fn error(&mut self, kind: &str) {
        self.errors(kind, 1);
    }

    fn errors(&mut self, kind: &str, count: u64) {
        /// Most kinds told apart within a beat.
        const KINDS_MAX: usize = 16;
        if let Some(known) = self.errors.get_mut(kind) {
            *known += count;
        } else if self.errors.len() < KINDS_MAX {
            self.errors.insert(kind.into(), count);
        }
    }

    /// Adds another thread's beat.
    pub(crate) fn merge(&mut self, other: &Beat) {
        self.due += other.due;
        self.sent += other.sent;
        self.good += other.good;
        self.failed += other.failed;
        self.refused += other.refused;
        self.latency_us
            .add(&other.latency_us)
            .expect("all histograms have the same bounds");
        self.lag_max_us = self.lag_max_us.max(other.lag_max_us);
        self.waiting += other.waiting;
        self.connections += other.connections;
        other.errors.iter().for_each(|(kind, count)| self.errors(kind, *count));
    }
}

/// Where a thread leaves its beats for whoever watches.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    left: Mutex<Beat>,
}

impl Pulse {
    /// Leaves a beat; counts not yet fetched add up.
    pub(crate) fn leave(&self, beat: &Beat) {
        let mut left = self.left.lock().expect("whoever watches does not panic with the lock");
        // Of what is a state, not a count, the newest holds.
        (left.waiting, left.connections) = (0, 0);
        left.merge(beat);
    }

    /// Fetches what was left since the last time.
    pub(crate) fn fetch(&self) -> Beat {
        let mut left = self.left.lock().expect("a thread does not panic with the lock");
        let beat = left.clone();
        left.clear();
        (left.waiting, left.connections) = (beat.waiting, beat.connections);
        beat
    }
}
