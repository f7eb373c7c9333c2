//! What an open loop counts: per operation, and over time. One set per thread, merged exactly at the end.

use crate::flow::Operation;
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest latency told apart, in microseconds; longer ones count as this.
const LATENCY_US_MAX: u64 = 3_600_000_000;
/// Significant digits of a latency.
const LATENCY_DIGITS: u8 = 3;
/// Significant digits in the samples over time: enough to draw, and small enough for an hour of seconds.
const SAMPLE_DIGITS: u8 = 2;
/// Most samples of a run; a longer run has longer ones.
const SAMPLES_MAX: f64 = 1_200.0;
/// Most kinds of errors told apart; further ones are counted together.
const ERROR_KINDS_MAX: usize = 64;

/// An empty histogram of microseconds.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_US_MAX, LATENCY_DIGITS).expect("constant bounds are valid")
}

/// Counts a duration.
pub(crate) fn record(histogram: &mut Histogram<u64>, duration: Duration) {
    let us = duration.as_micros().min(u128::from(LATENCY_US_MAX)) as u64;
    // Not the saturating form: that would cut values off in a histogram that is still to grow.
    histogram
        .record(us)
        .expect("the bound is within every histogram's, or it grows");
}

pub(crate) fn small_histogram() -> Histogram<u64> {
    // It starts small and grows with the largest value that it meets.
    let mut histogram = Histogram::new(SAMPLE_DIGITS).expect("a constant precision is valid");
    histogram.auto(true);
    histogram
}

/// The counts of one operation, of requests due in the measured window.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    /// Requests that fell due.
    pub(crate) due: u64,
    /// Good answers, declines of cards that are to be declined among them.
    pub(crate) good: u64,
    /// Declines among the good answers.
    pub(crate) declined: u64,
    /// Requests without a good answer after all tries.
    pub(crate) failed: u64,
    /// From the due time to the good answer, microseconds.
    pub(crate) latency_us: Histogram<u64>,
}

/// A short stretch of the run. Requests belong to the stretch in which they were due; `answered` to that of the answer.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Requests due.
    pub(crate) due: u64,
    /// Good answers to them.
    pub(crate) good: u64,
    /// Those that failed after all tries.
    pub(crate) failed: u64,
    /// Tries that were refused (429, 5xx) or broke.
    pub(crate) refused: u64,
    /// Good answers that came in this stretch.
    pub(crate) answered: u64,
    /// Latency of the good answers, microseconds.
    pub(crate) latency_us: Histogram<u64>,
    /// The tool's largest own lag, microseconds.
    pub(crate) lag_max_us: u64,
}

impl Default for Sample {
    fn default() -> Self {
        Sample {
            due: 0,
            good: 0,
            failed: 0,
            refused: 0,
            answered: 0,
            latency_us: small_histogram(),
            lag_max_us: 0,
        }
    }
}

impl Sample {
    fn merge(&mut self, other: &Sample) {
        self.due += other.due;
        self.good += other.good;
        self.failed += other.failed;
        self.refused += other.refused;
        self.answered += other.answered;
        self.latency_us.add(&other.latency_us).expect("samples grow as needed");
        self.lag_max_us = self.lag_max_us.max(other.lag_max_us);
    }
}

/// All counts of a thread or of a run.
#[derive(Clone, Debug)]
pub(crate) struct Samples {
    /// Length of a sample in seconds.
    pub(crate) length_s: f64,
    /// The samples, warm-up included, from the start of the schedule.
    pub(crate) rows: Vec<Sample>,
    /// Counts per operation, in the order of [`Operation::ALL`].
    counts: Vec<Counts>,
    /// The tool's own lag on each try in the window, microseconds.
    pub(crate) lag_us: Histogram<u64>,
    /// Tries sent in the whole run.
    pub(crate) sent: u64,
    /// What the tries that were not good came to, in the whole run.
    pub(crate) errors: BTreeMap<String, u64>,
    /// How long refusals (429, 503) took from sending, microseconds.
    pub(crate) refusal_us: Histogram<u64>,
    /// Refusals that did not say when to come back.
    pub(crate) refusals_without_time: u64,
    /// Replays whose body differed from the first answer.
    pub(crate) replay_differences: u64,
    /// Requests that waited for a connection when they were due.
    pub(crate) waited: u64,
    /// Requests that were due, but not sent because the run was stopped.
    pub(crate) cut: u64,
    /// Requests that the tool itself had no room for: a run with any is not valid.
    pub(crate) lost_by_tool: u64,
    /// Bytes sent and received.
    pub(crate) bytes: (u64, u64),
    /// Most connections open at once.
    pub(crate) connections: u64,
}

impl Samples {
    /// Counts of a run of `seconds`.
    pub(crate) fn new(seconds: f64) -> Samples {
        let length_s = (seconds / SAMPLES_MAX).ceil().max(1.0);
        let counts = Counts {
            due: 0,
            good: 0,
            declined: 0,
            failed: 0,
            latency_us: histogram(),
        };
        Samples {
            length_s,
            rows: vec![Sample::default(); (seconds / length_s).ceil().max(1.0) as usize],
            counts: vec![counts; Operation::COUNT],
            lag_us: histogram(),
            sent: 0,
            errors: BTreeMap::new(),
            refusal_us: histogram(),
            refusals_without_time: 0,
            replay_differences: 0,
            waited: 0,
            cut: 0,
            lost_by_tool: 0,
            bytes: (0, 0),
            connections: 0,
        }
    }

    /// The sample of a time since the start, the last one for what comes later.
    pub(crate) fn row(&mut self, since_start: Duration) -> &mut Sample {
        let at = (since_start.as_secs_f64() / self.length_s) as usize;
        let last = self.rows.len() - 1;
        &mut self.rows[at.min(last)]
    }

    /// The counts of an operation.
    pub(crate) fn of(&self, operation: Operation) -> &Counts {
        &self.counts[operation as usize]
    }

    /// The same, to add to.
    pub(crate) fn of_mut(&mut self, operation: Operation) -> &mut Counts {
        &mut self.counts[operation as usize]
    }

    /// The counts of all operations together.
    pub(crate) fn total(&self) -> Counts {
        let mut total = self.counts[0].clone();
        for counts in &self.counts[1..] {
            total.due += counts.due;
            total.good += counts.good;
            total.declined += counts.declined;
            total.failed += counts.failed;
            total
                .latency_us
                .add(&counts.latency_us)
                .expect("all histograms have the same bounds");
        }
        total
    }

    /// Counts something that was not good by what it was.
    pub(crate) fn error(&mut self, kind: String, count: u64) {
        let kind = if self.errors.len() < ERROR_KINDS_MAX || self.errors.contains_key(&kind) {
            kind
        } else {
            "other kinds".to_string()
        };
        *self.errors.entry(kind).or_default() += count;
    }

    /// Adds another thread's counts.
    pub(crate) fn merge(&mut self, other: &Samples) {
        self.merge_later(other, 0);
    }

    /// Adds the counts of a generator that started so many samples later; what comes behind the last one is counted there.
    pub(crate) fn merge_later(&mut self, other: &Samples, rows_later: usize) {
        assert_eq!(self.rows.len(), other.rows.len(), "all follow one schedule");
        let last = self.rows.len() - 1;
        for (at, row) in other.rows.iter().enumerate() {
            self.rows[(at + rows_later).min(last)].merge(row);
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            mine.due += theirs.due;
            mine.good += theirs.good;
            mine.declined += theirs.declined;
            mine.failed += theirs.failed;
            mine.latency_us
                .add(&theirs.latency_us)
                .expect("all histograms have the same bounds");
        }
        self.lag_us
            .add(&other.lag_us)
            .expect("all histograms have the same bounds");
        self.refusal_us
            .add(&other.refusal_us)
            .expect("all histograms have the same bounds");
        self.sent += other.sent;
        self.replay_differences += other.replay_differences;
        self.waited += other.waited;
        self.cut += other.cut;
        self.lost_by_tool += other.lost_by_tool;
        self.refusals_without_time += other.refusals_without_time;
        self.bytes = (self.bytes.0 + other.bytes.0, self.bytes.1 + other.bytes.1);
        self.connections += other.connections;
        other
            .errors
            .iter()
            .for_each(|(kind, count)| self.error(kind.clone(), *count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_threads_is_exact() {
        let (mut one, mut two, mut both) = (Samples::new(10.0), Samples::new(10.0), Samples::new(10.0));
        for at in 0..20_000u64 {
            let half = if at % 3 == 0 { &mut one } else { &mut two };
            for samples in [half, &mut both] {
                let latency = Duration::from_micros(at * at + 1);
                let row = samples.row(Duration::from_millis(at));
                row.due += 1;
                record(&mut row.latency_us, latency);
                record(&mut samples.of_mut(Operation::Pay).latency_us, latency);
                if at % 100 == 0 {
                    samples.error(format!("kind {}", at % 700), 1);
                }
            }
        }
        one.merge(&two);
        assert_eq!(one.total().latency_us, both.total().latency_us);
        assert_eq!(one.errors, both.errors);
        for (merged, whole) in one.rows.iter().zip(&both.rows) {
            assert_eq!((merged.due, &merged.latency_us), (whole.due, &whole.latency_us));
        }
    }

    #[test]
    fn samples_over_time_know_long_latencies_too() {
        let mut samples = Samples::new(10.0);
        for s in [1u64, 4, 4_000] {
            record(&mut samples.row(Duration::ZERO).latency_us, Duration::from_secs(s));
        }
        let row = samples.row(Duration::ZERO);
        assert_eq!(row.latency_us.value_at_percentile(50.0) / 100_000, 40);
        assert!(row.latency_us.max() >= LATENCY_US_MAX);
    }

    #[test]
    fn long_runs_have_longer_samples() {
        assert_eq!((Samples::new(60.0).length_s, Samples::new(60.0).rows.len()), (1.0, 60));
        let long = Samples::new(7.0 * 24.0 * 3600.0);
        assert!(long.rows.len() <= 1_200, "{}", long.rows.len());
    }

    #[test]
    fn kinds_of_errors_are_bounded_but_all_are_counted() {
        let mut samples = Samples::new(1.0);
        (0..1_000).for_each(|at| samples.error(format!("400 code_{at}"), 1));
        assert_eq!(samples.errors.len(), ERROR_KINDS_MAX + 1);
        assert_eq!(samples.errors.values().sum::<u64>(), 1_000);
    }
}
