//! The record of an open-loop run as one JSON object; REPORT.md says what each member means. Text and page are made of
//! it, so that a record that was kept can be shown and compared later.

use crate::flow::Operation;
use crate::open_loop::samples::Counts;
use crate::open_loop::{Outcome, Plan};
use crate::reconcile::Reconciled;
use crate::scrape::Series;
use crate::verdict::{Measured, Verdict};
use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};
use std::fmt::Write;
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
    pub(crate) scale: f64,
    pub(crate) outcome: &'a Outcome,
    pub(crate) money: Option<&'a Reconciled>,
    pub(crate) verdict: &'a Verdict,
    /// The server's metrics, if they were read.
    pub(crate) metrics: Option<Metrics>,
    pub(crate) environment: Value,
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

/// What the verdict is made of.
pub(crate) fn measured(outcome: &Outcome, money: Option<&Reconciled>) -> Measured {
    let total = outcome.samples.total();
    let ms = |histogram: &Histogram<u64>, percent: f64| histogram.value_at_percentile(percent) as f64 / 1_000.0;
    Measured {
        due: total.due,
        good: total.good,
        failed: total.failed,
        p50_ms: ms(&total.latency_us, 50.0),
        p99_ms: ms(&total.latency_us, 99.0),
        p99_9_ms: ms(&total.latency_us, 99.9),
        lag_p99_ms: ms(&outcome.samples.lag_us, 99.0),
        discrepancies: money.map(|money| {
            (
                money.difference_count,
                money.differences.first().cloned().unwrap_or_default(),
            )
        }),
        replay_differences: outcome.samples.replay_differences,
        stopped: outcome.stopped.clone(),
        main_error: outcome
            .samples
            .errors
            .iter()
            .max_by_key(|error| error.1)
            .map(|(kind, count)| (kind.clone(), *count)),
    }
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
        .map(|operation| (operation.name().to_string(), counts(samples.of(operation), window_s)))
        .collect();
    let payments: u64 = Operation::ALL
        .into_iter()
        .filter(|operation| operation.asks_card())
        .map(|operation| samples.of(operation).good)
        .sum();
    let peak = (0..=(plan.starts.seconds() as usize))
        .map(|at| plan.starts.rate_at(at as f64))
        .fold(0.0, f64::max);
    let mut totals = counts(&total, window_s);
    let more = json!({
        "window_s": window_s,
        "payments": payments,
        "payments_per_second": payments as f64 / window_s,
        "tries": samples.sent,
        "waited_for_connection": samples.waited,
        "cut": samples.cut,
        "connections": samples.connections,
        "bytes_sent": samples.bytes.0,
        "bytes_received": samples.bytes.1,
        "errors": samples.errors,
        "replay_differences": samples.replay_differences,
        "refusals": samples.refusal_us.len(),
        "refusal_us": latency(&samples.refusal_us),
    });
    merge(&mut totals, more);
    json!({
        "format": FORMAT,
        "kind": "run",
        "scenario": scenario.name,
        "about": scenario.about,
        "run": format!("{:016x}", plan.run),
        "seed": plan.seed,
        "scale": of.scale,
        "schedule": {
            "arrivals": scenario.arrivals.name(),
            "warmup_s": scenario.warmup_s,
            "seconds": plan.starts.seconds(),
            "ran_s": outcome.ran_s,
            "peak_per_second": peak * per_start,
            "requests_per_start": per_start,
            "payment_share": scenario.payment_share(),
        },
        "environment": of.environment,
        "totals": totals,
        "operations": operations,
        "lag_us": latency(&samples.lag_us),
        "cpu": cpu(outcome, scenario.warmup_s, samples.sent),
        "samples": rows(plan, outcome),
        "metrics": of.metrics.as_ref().map(metrics),
        "money": of.money.map(|money| json!({
            "merchants_checked": money.merchants.0,
            "merchants": money.merchants.1,
            "movements_checked": money.movements.0,
            "movements": money.movements.1,
            "transactions": money.transactions,
            "unknown_moved": money.unknown.0,
            "unknown_not_moved": money.unknown.1,
            "expected": money.expected,
            "moved": money.moved,
            "difference": money.cents(),
            "difference_count": money.difference_count,
            "differences": money.differences,
            "took_s": money.took_s,
        })),
        "verdict": {
            "good": verdict.good,
            "valid": verdict.valid,
            "line": verdict.line,
            "stopped": outcome.stopped,
            "checks": verdict.checks.iter().map(|check| json!({
                "name": check.name, "limit": check.limit, "value": check.value, "met": check.met,
            })).collect::<Vec<_>>(),
        },
        "histogram_us": total.latency_us.iter_recorded()
            .map(|step| json!([step.value_iterated_to(), step.count_at_value()]))
            .collect::<Vec<_>>(),
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

fn latency(histogram: &Histogram<u64>) -> Value {
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
    let columns = |of: &dyn Fn(usize, &crate::open_loop::samples::Sample) -> Value| -> Vec<Value> {
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
    })
}

fn cpu(outcome: &Outcome, warmup_s: f64, tries: u64) -> Value {
    let cores = |of: fn(&crate::open_loop::Cpu) -> Option<Duration>| -> Vec<Value> {
        let used = |pair: &[crate::open_loop::Cpu]| Some((of(&pair[1])? - of(&pair[0])?).as_secs_f64());
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
        "server_us_per_request": per_try(mean(&server)),
        "at_s": outcome.cpu.iter().skip(1).map(|cpu| cpu.at_s).collect::<Vec<_>>(),
        "own_cores_over_time": own,
        "server_cores_over_time": server,
    })
}

fn metrics(of: &Metrics) -> Value {
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

/// The record in lines for people.
pub(crate) fn text(record: &Value) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let mut line = |name: &str, text: String| writeln!(out, "{name:<11} {text}").expect("a String takes everything");
    let number = |value: &Value| value.as_f64().unwrap_or(0.0);
    let ms = |value: &Value| format!("{:.2}", number(value) / 1_000.0);
    let percentiles = |of: &Value| {
        format!(
            "p50 {}  p90 {}  p99 {}  p99.9 {}  p99.99 {}  max {} ms",
            ms(&of["p50"]),
            ms(&of["p90"]),
            ms(&of["p99"]),
            ms(&of["p99_9"]),
            ms(&of["p99_99"]),
            ms(&of["max"])
        )
    };
    let (totals, schedule) = (&record["totals"], &record["schedule"]);
    line(
        "scenario",
        format!(
            "{}, open loop, {} arrivals, scale {}, {:.0} s of which {:.0} s warm-up, {} threads",
            record["scenario"].as_str().unwrap_or_default(),
            schedule["arrivals"].as_str().unwrap_or_default(),
            record["scale"],
            number(&schedule["ran_s"]),
            number(&schedule["warmup_s"]),
            record["environment"]["threads"]
        ),
    );
    line(
        "requests",
        format!(
            "{} due ({:.0}/s), {} good ({:.0}/s), {} failed; {:.0} payments/s; {} connections",
            totals["due"],
            number(&totals["due_per_second"]),
            totals["good"],
            number(&totals["good_per_second"]),
            totals["failed"],
            number(&totals["payments_per_second"]),
            totals["connections"]
        ),
    );
    line("latency", percentiles(&totals["latency_us"]));
    for (name, counts) in record["operations"].as_object().into_iter().flatten() {
        line(
            &format!("  {name}"),
            format!(
                "{:>8} good  {}",
                counts["good"].to_string(),
                percentiles(&counts["latency_us"])
            ),
        );
    }
    line("own lag", percentiles(&record["lag_us"]));
    for (kind, count) in totals["errors"].as_object().into_iter().flatten() {
        line("not good", format!("{count} x {kind}"));
    }
    if number(&totals["refusals"]) > 0.0 {
        line(
            "refusals",
            format!("{}, {}", totals["refusals"], percentiles(&totals["refusal_us"])),
        );
    }
    let cpu = &record["cpu"];
    for (name, who) in [("server cpu", "server"), ("own cpu", "own")] {
        if let Some(cores) = cpu[format!("{who}_cores")].as_f64() {
            let us = number(&cpu[format!("{who}_us_per_request")]);
            line(name, format!("{cores:.2} cores, {us:.1} us/request"));
        }
    }
    let money = &record["money"];
    if money.is_object() {
        line(
            "money",
            format!(
                "{} of {} merchants with {} of {} movements checked in full; balances moved {}, expected {}, difference {}; \
                 {} unanswered requests moved money, {} did not; {:.1} s",
                money["merchants_checked"],
                money["merchants"],
                money["movements_checked"],
                money["movements"],
                money["moved"],
                money["expected"],
                money["difference"],
                money["unknown_moved"],
                money["unknown_not_moved"],
                number(&money["took_s"])
            ),
        );
        for difference in money["differences"].as_array().into_iter().flatten() {
            line("", difference.as_str().unwrap_or_default().into());
        }
    }
    let verdict = &record["verdict"];
    let word = match (verdict["valid"] == true, verdict["good"] == true) {
        (false, _) => "not valid",
        (true, true) => "good",
        (true, false) => "not good",
    };
    line(
        "verdict",
        format!("{word}: {}", verdict["line"].as_str().unwrap_or_default()),
    );
    out
}
