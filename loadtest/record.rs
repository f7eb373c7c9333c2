//! The record of an open-loop run as one JSON object; REPORT.md says what each member means. Text and page are made of
//! it, so that a record that was kept can be shown and compared later.

use crate::flow::Operation;
use crate::open_loop::samples::{Counts, Sample};
use crate::open_loop::{Cpu, Outcome, Plan};
use crate::open_run::Asked;
use crate::reconcile::Reconciled;
use crate::scrape::Series;
use crate::sink::Delivered;
use crate::verdict::Verdict;
use crate::{exact, measured};
use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Version of the layout. It changes when a member changes its meaning or goes; new members do not change it.
pub(crate) const FORMAT: u32 = 2;
/// Percentiles reported, with their names.
const PERCENTILES: [(&str, f64); 6] = [
    ("p50", 50.0),
    ("p90", 90.0),
    ("p95", 95.0),
    ("p99", 99.0),
    ("p99_9", 99.9),
    ("p99_99", 99.99),
];

/// Everything a record is made of.
pub(crate) struct Sources<'a> {
    pub(crate) plan: &'a Plan,
    /// What the command line asked for.
    pub(crate) asked: &'a Asked,
    pub(crate) outcome: &'a Outcome,
    pub(crate) money: Option<&'a Reconciled>,
    pub(crate) webhooks: Option<&'a Delivered>,
    pub(crate) verdict: &'a Verdict,
    /// The server's metrics, if they were read.
    pub(crate) metrics: Option<Value>,
    pub(crate) environment: Value,
    /// What the clients that only take up room met with.
    pub(crate) slow_clients: Value,
    /// The generators of a merged record, one row each; else null.
    pub(crate) generators: Value,
}

/// The server's metrics over a run.
pub(crate) struct Metrics {
    /// By name.
    pub(crate) series: Vec<(String, Series)>,
    /// Readings that failed.
    pub(crate) failures: u64,
    /// How many seconds before the schedule the first reading was taken.
    pub(crate) early_s: f64,
}

/// The record.
pub(crate) fn record(of: &Sources<'_>) -> Value {
    let Sources {
        plan, outcome, verdict, ..
    } = of;
    let scenario = &plan.scenario;
    let samples = &outcome.samples;
    let total = samples.total();
    let window_s = (outcome.ran_s - scenario.warmup_s).max(0.001);
    let per_start = scenario.requests_per_start();
    let operations: Map<String, Value> = Operation::ALL
        .into_iter()
        .filter(|operation| samples.of(*operation).due > 0)
        .map(|operation| {
            let of = samples.of(operation);
            let mut value = counts(of, window_s);
            merge(&mut value, json!({"histogram_us": exact::pairs(&of.latency_us)}));
            (operation.name().to_string(), value)
        })
        .collect();
    let payments: u64 = Operation::ALL
        .into_iter()
        .filter(|operation| operation.asks_card())
        // The two requests of a pair are one payment.
        .map(|operation| samples.of(operation).good / if operation == Operation::Twice { 2 } else { 1 })
        .sum();
    let mut totals = counts(&total, window_s);
    let more = json!({
        "window_s": window_s,
        "payments": payments,
        "payments_per_second": payments as f64 / window_s,
        "tries": samples.sent,
        "waited_for_connection": samples.waited,
        "cut": samples.cut,
        "lost_by_tool": samples.lost_by_tool,
        "planned": plan.planned(scenario.warmup_s, outcome.ran_s),
        "latency_all_us": measured::all_latencies(&total),
        "connections": samples.connections,
        "bytes_sent": samples.bytes.0,
        "bytes_received": samples.bytes.1,
        "errors": samples.errors,
        "replay_differences": samples.replay_differences,
        "refusals": samples.refusal_us.len(),
        "refusals_without_time": samples.refusals_without_time,
        "refusal_us": latency(&samples.refusal_us),
        "refusal_histogram_us": exact::pairs(&samples.refusal_us),
    });
    merge(&mut totals, more);
    json!({
        "format": FORMAT,
        "kind": "run",
        "scenario": scenario.name,
        "about": scenario.about,
        "run": format!("{:016x}", plan.run),
        "seed": plan.seed,
        "scale": of.asked.scale,
        "asked": of.asked.json(),
        "scenario_text": scenario.text,
        "schedule": {
            "arrivals": scenario.arrivals.name(),
            "warmup_s": scenario.warmup_s,
            "seconds": plan.starts.seconds(),
            "ran_s": outcome.ran_s,
            "started_unix_s": outcome.started_unix_s,
            "peak_per_second": plan.starts.peak() * per_start,
            "requests_per_start": per_start,
            "payment_share": scenario.payment_share(),
        },
        "environment": of.environment,
        "totals": totals,
        "operations": operations,
        "lag_us": latency(&samples.lag_us),
        "lag_histogram_us": exact::pairs(&samples.lag_us),
        "generators": of.generators,
        "slow_clients": of.slow_clients,
        "cpu": cpu(plan, outcome),
        "samples": rows(plan, outcome),
        "metrics": of.metrics,
        "money": of.money.map(Reconciled::json),
        "webhooks": of.webhooks.map(Delivered::json),
        "verdict": {
            "good": verdict.good,
            "valid": verdict.valid,
            "line": verdict.line,
            "stopped": outcome.stopped,
            "checks": verdict.checks.iter().map(|check| json!({
                "name": check.name, "limit": check.limit, "value": check.value, "met": check.met,
            })).collect::<Vec<_>>(),
        },
        "histogram_us": exact::pairs(&total.latency_us),
    })
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

fn counts(counts: &Counts, window_s: f64) -> Value {
    json!({
        "due": counts.due,
        "good": counts.good,
        "declined": counts.declined,
        "failed": counts.failed,
        "due_per_second": counts.due as f64 / window_s,
        "good_per_second": counts.good as f64 / window_s,
        "latency_us": latency(&counts.latency_us),
    })
}

/// Percentiles, as the record holds them.
pub(crate) fn latency(histogram: &Histogram<u64>) -> Value {
    let mut out = Map::new();
    for (name, percent) in PERCENTILES {
        out.insert(name.into(), histogram.value_at_percentile(percent).into());
    }
    out.insert("max".into(), histogram.max().into());
    out.insert("mean".into(), histogram.mean().into());
    Value::Object(out)
}

fn rows(plan: &Plan, outcome: &Outcome) -> Value {
    let length = outcome.samples.length_s;
    let ran = (outcome.ran_s / length).ceil() as usize;
    let rows: Vec<_> = outcome.samples.rows.iter().take(ran.max(1)).collect();
    let at = |index: usize| index as f64 * length;
    let per_start = plan.scenario.requests_per_start();
    let planned = |index: usize| {
        let starts = plan.starts.count_until(at(index + 1)) - plan.starts.count_until(at(index));
        starts * per_start / length
    };
    let rate = |count: u64| count as f64 / length;
    let columns = |of: &dyn Fn(usize, &Sample) -> Value| -> Vec<Value> {
        rows.iter().enumerate().map(|(index, row)| of(index, row)).collect()
    };
    let percentile = |percent: f64| {
        columns(&|_, row| match row.latency_us.is_empty() {
            true => Value::Null,
            false => row.latency_us.value_at_percentile(percent).into(),
        })
    };
    json!({
        "length_s": length,
        "at_s": columns(&|index, _| at(index).into()),
        "planned_per_second": columns(&|index, _| planned(index).into()),
        "due_per_second": columns(&|_, row| rate(row.due).into()),
        "good_per_second": columns(&|_, row| rate(row.good).into()),
        "answered_per_second": columns(&|_, row| rate(row.answered).into()),
        "failed_per_second": columns(&|_, row| rate(row.failed).into()),
        "refused_per_second": columns(&|_, row| rate(row.refused).into()),
        "p50_us": percentile(50.0),
        "p99_us": percentile(99.0),
        "p99_9_us": percentile(99.9),
        "max_us": percentile(100.0),
        "lag_max_us": columns(&|_, row| row.lag_max_us.into()),
        "histogram_us": columns(&|_, row| exact::pairs(&row.latency_us)),
    })
}

fn cpu(plan: &Plan, outcome: &Outcome) -> Value {
    let (warmup_s, tries) = (plan.scenario.warmup_s, outcome.samples.sent);
    let cores = |of: fn(&Cpu) -> Option<Duration>| -> Vec<Value> {
        let used = |pair: &[Cpu]| Some((of(&pair[1])? - of(&pair[0])?).as_secs_f64());
        outcome
            .cpu
            .windows(2)
            .map(|pair| used(pair).map(|used| used / (pair[1].at_s - pair[0].at_s)).into())
            .collect()
    };
    let mean = |cores: &[Value]| -> Option<f64> {
        let measured: Vec<f64> = cores.iter().skip(warmup_s as usize).filter_map(Value::as_f64).collect();
        (!measured.is_empty()).then(|| measured.iter().sum::<f64>() / measured.len() as f64)
    };
    let (own, server) = (cores(|cpu| cpu.own), cores(|cpu| cpu.server));
    let per_second = tries as f64 / outcome.ran_s.max(0.001);
    let per_try = |cores: Option<f64>| cores.map(|cores| cores * 1e6 / per_second.max(0.001));
    json!({
        "own_cores": mean(&own),
        "server_cores": mean(&server),
        "own_us_per_request": per_try(mean(&own)),
        // What the server did for other parts cannot be told apart.
        "server_us_per_request": per_try(mean(&server)).filter(|_| plan.part.count == 1),
        "at_s": outcome.cpu.iter().skip(1).map(|cpu| cpu.at_s).collect::<Vec<_>>(),
        "own_cores_over_time": own,
        "server_cores_over_time": server,
    })
}

/// Metrics as the record holds them.
pub(crate) fn metrics(of: &Metrics) -> Value {
    let (early_s, failed) = (of.early_s, of.failures);
    let mut out = Map::new();
    for (name, of) in &of.series {
        let mut points = Vec::new();
        if of.counter {
            for pair in of.readings.windows(2) {
                let rate = (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0);
                points.push(json!([pair[1].0 - early_s, rate]));
            }
        } else {
            points.extend(of.readings.iter().map(|(at, value)| json!([at - early_s, value])));
        }
        let kind = if of.counter { "rate" } else { "value" };
        out.insert(name.clone(), json!({"kind": kind, "points": points}));
    }
    json!({"series": out, "failed_readings": failed})
}
