//! What the verdict is made of, out of what was counted.

use crate::open_loop::samples::{Counts, small_histogram};
use crate::open_loop::{Outcome, Plan};
use crate::reconcile::Reconciled;
use crate::scenario::Period;
use crate::sink::Delivered;
use crate::verdict::{Measured, PeriodMeasured};
use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// Standard deviations by which the number of arrivals may miss its mean before that means something.
const CHANCE_SPREADS: f64 = 4.0;

/// What is judged of a run.
pub(crate) fn measured(
    plan: &Plan,
    outcome: &Outcome,
    money: Option<&Reconciled>,
    webhooks: Option<&Delivered>,
) -> Measured {
    let total = outcome.samples.total();
    let samples = &outcome.samples;
    let ms = |percent: f64| percentile_of_all(&total.latency_us, total.due, percent) / 1_000.0;
    let planned = plan.planned(plan.scenario.warmup_s, outcome.ran_s);
    // Arrivals are independent, but each brings the requests of its flow with it.
    let spread = (planned * plan.scenario.requests_per_start()).max(0.0).sqrt();
    let lost = samples.lost_by_tool;
    Measured {
        due: total.due,
        planned: (planned, CHANCE_SPREADS * spread),
        good: total.good,
        failed: total.failed,
        p50_ms: ms(50.0),
        p99_ms: ms(99.0),
        p99_9_ms: ms(99.9),
        lag_p99_ms: samples.lag_us.value_at_percentile(99.0) as f64 / 1_000.0,
        not_valid: not_valid(lost, webhooks.map_or(0, |webhooks| webhooks.dropped)),
        refusals: (
            samples.refusal_us.value_at_percentile(99.0) as f64 / 1_000.0,
            samples.refusal_us.len(),
            samples.refusals_without_time,
        ),
        periods: plan
            .scenario
            .slo
            .periods
            .iter()
            .map(|period| of_period(outcome, period))
            .collect(),
        discrepancies: money.map(|money| {
            (
                money.difference_count,
                money.differences.first().cloned().unwrap_or_default(),
            )
        }),
        webhooks: webhooks.cloned(),
        replay_differences: samples.replay_differences,
        stopped: outcome.stopped.clone(),
        main_error: samples
            .errors
            .iter()
            .max_by_key(|error| error.1)
            .map(|(kind, count)| (kind.clone(), *count)),
    }
}

fn not_valid(lost: u64, dropped: u64) -> Option<String> {
    if lost > 0 {
        return Some(format!("the tool had no room for {lost} requests in a pause"));
    }
    (dropped > 0).then(|| format!("the tool had no room for {dropped} webhooks: make the run shorter"))
}

/// Latency percentiles over all requests due, microseconds: null where a request without a good answer stands. A server
/// that answers the quick half and drops the rest gains nothing by it.
pub(crate) fn all_latencies(counts: &Counts) -> Value {
    let at = |percent: f64| {
        let us = percentile_of_all(&counts.latency_us, counts.due, percent);
        us.is_finite().then_some(us as u64)
    };
    json!({"p50": at(50.0), "p90": at(90.0), "p99": at(99.0), "p99_9": at(99.9), "p99_99": at(99.99)})
}

/// A percentile of `due` requests of which those in the histogram have a good answer; infinite beyond them.
fn percentile_of_all(good: &Histogram<u64>, due: u64, percent: f64) -> f64 {
    let due = due.max(good.len());
    let rank = ((percent / 100.0 * due as f64) - 1e-6).ceil().max(1.0);
    if due == 0 {
        return 0.0;
    }
    if rank > good.len() as f64 {
        return f64::INFINITY;
    }
    good.value_at_quantile(rank / good.len() as f64) as f64
}

/// Of the samples that lie in the period as a whole.
fn of_period(outcome: &Outcome, period: &Period) -> PeriodMeasured {
    let length = outcome.samples.length_s;
    let mut latency_us = small_histogram();
    let mut came = PeriodMeasured::default();
    let (mut answered, mut seconds) = (0, 0.0);
    for (at, row) in outcome.samples.rows.iter().enumerate() {
        let from = at as f64 * length;
        // A hair for lengths that are no round numbers.
        if from < period.from_s - 1e-6 || from + length > period.to_s + 1e-6 {
            continue;
        }
        latency_us.add(&row.latency_us).expect("it grows as needed");
        came.due += row.due;
        came.good += row.good;
        answered += row.answered;
        seconds += length;
    }
    came.p99_ms = percentile_of_all(&latency_us, came.due, 99.0) / 1_000.0;
    came.good_per_s = answered as f64 / f64::max(seconds, length);
    came
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open_loop::samples::histogram;

    #[test]
    fn failed_requests_are_slower_than_every_answer() {
        let mut good = histogram();
        (1..=990).for_each(|us| good.record(us).unwrap());
        let p99 = |due| percentile_of_all(&good, due, 99.0);
        assert_eq!((p99(990), p99(1_000)), (981.0, 990.0));
        assert_eq!(p99(1_001), f64::INFINITY, "more than 1 of 100 failed");
        assert_eq!(percentile_of_all(&good, 1_980, 50.0), 990.0);
        assert_eq!(percentile_of_all(&histogram(), 0, 50.0), 0.0);
        assert_eq!(percentile_of_all(&histogram(), 5, 50.0), f64::INFINITY);
    }
}
