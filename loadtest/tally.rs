//! What is counted while a run goes: answers, latencies, errors, bytes. One tally per thread, merged exactly at the end.

use crate::connection::TransportError;
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest latency told apart, in microseconds; longer ones count as this.
const LATENCY_US_MAX: u64 = 120_000_000;
/// Significant digits of a latency.
const LATENCY_DIGITS: u8 = 3;
/// Most kinds of errors told apart; further ones are counted together.
const ERROR_KINDS_MAX: usize = 64;

/// What a request was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A payment made for the first time.
    Payment,
    /// The same payment sent again with the same key.
    Replay,
    /// A payment read by its id.
    Read,
}

impl Operation {
    /// Every operation, in the order of reports.
    pub(crate) const ALL: [Operation; 3] = [Operation::Payment, Operation::Replay, Operation::Read];

    /// Its word in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::Payment => "payments",
            Operation::Replay => "replays",
            Operation::Read => "reads",
        }
    }
}

/// The counts of one operation.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    /// Good answers that came within the measured window.
    pub(crate) in_window: u64,
    /// Latencies of good answers to requests sent within the window, microseconds.
    pub(crate) latency_us: Histogram<u64>,
}

/// All counts of a thread or of a run.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    counts: [Counts; 3],
    /// Answers of any kind within the window; CPU is shared out among these.
    pub(crate) answers_in_window: u64,
    /// Requests sent in the whole run, warm-up and repetitions after a transport error included.
    pub(crate) sent: u64,
    /// Everything that was not a good answer, in the whole run, by what it was.
    pub(crate) errors: BTreeMap<String, u64>,
    /// Replays whose body differed from the first answer.
    pub(crate) replay_differences: u64,
    /// Requests that got no answer at all, repetitions included.
    pub(crate) unanswered: u64,
    /// Bytes of requests sent.
    pub(crate) bytes_sent: u64,
    /// Bytes of answers received.
    pub(crate) bytes_received: u64,
}

impl Default for Tally {
    fn default() -> Self {
        let empty = || Counts {
            in_window: 0,
            latency_us: Histogram::new_with_bounds(1, LATENCY_US_MAX, LATENCY_DIGITS)
                .expect("constant bounds are valid"),
        };
        Tally {
            counts: [empty(), empty(), empty()],
            answers_in_window: 0,
            sent: 0,
            errors: BTreeMap::new(),
            replay_differences: 0,
            unanswered: 0,
            bytes_sent: 0,
            bytes_received: 0,
        }
    }
}

impl Tally {
    /// The counts of `operation`.
    pub(crate) fn of(&self, operation: Operation) -> &Counts {
        &self.counts[operation as usize]
    }

    /// Counts a good answer: `sent_in` and `answered_in` the window or not.
    pub(crate) fn good(&mut self, operation: Operation, latency: Duration, sent_in: bool, answered_in: bool) {
        let counts = &mut self.counts[operation as usize];
        counts.in_window += u64::from(answered_in);
        if sent_in {
            counts
                .latency_us
                .saturating_record(latency.as_micros().min(u128::from(u64::MAX)) as u64);
        }
    }

    /// Counts an answer that is not 200, or a 200 that does not say what was asked for.
    pub(crate) fn refused(&mut self, status: u16, word: &str) {
        self.error(format!("{status} {word}"));
    }

    /// Counts a request that broke.
    pub(crate) fn broke(&mut self, error: TransportError) {
        self.error(format!("transport: {error}"));
    }

    /// Errors of all kinds.
    pub(crate) fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Adds another thread's counts.
    pub(crate) fn merge(&mut self, other: &Tally) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            mine.in_window += theirs.in_window;
            mine.latency_us
                .add(&theirs.latency_us)
                .expect("all histograms have the same bounds");
        }
        self.answers_in_window += other.answers_in_window;
        self.sent += other.sent;
        self.replay_differences += other.replay_differences;
        self.unanswered += other.unanswered;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        for (kind, count) in &other.errors {
            self.add_error(kind.clone(), *count);
        }
    }

    fn error(&mut self, kind: String) {
        self.add_error(kind, 1);
    }

    fn add_error(&mut self, kind: String, count: u64) {
        let kind = if self.errors.len() < ERROR_KINDS_MAX || self.errors.contains_key(&kind) {
            kind
        } else {
            "other kinds".to_string()
        };
        *self.errors.entry(kind).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_is_exact() {
        let (mut one, mut two, mut both) = (Tally::default(), Tally::default(), Tally::default());
        for at in 0..2_000u64 {
            let half = if at % 2 == 0 { &mut one } else { &mut two };
            for tally in [half, &mut both] {
                tally.good(Operation::Payment, Duration::from_micros(at * 7), true, at % 3 == 0);
                if at % 100 == 0 {
                    tally.refused(402, "card_declined");
                }
            }
        }
        one.merge(&two);
        assert_eq!(
            one.of(Operation::Payment).latency_us,
            both.of(Operation::Payment).latency_us
        );
        assert_eq!(
            one.of(Operation::Payment).in_window,
            both.of(Operation::Payment).in_window
        );
        assert_eq!(one.errors, both.errors);
        assert_eq!(one.error_count(), 20);
    }

    #[test]
    fn kinds_of_errors_are_bounded_but_all_are_counted() {
        let mut tally = Tally::default();
        (0..1_000).for_each(|at| tally.refused(400, &format!("code_{at}")));
        assert_eq!(tally.errors.len(), ERROR_KINDS_MAX + 1);
        assert_eq!(tally.error_count(), 1_000);
    }
}
