//! What a run says at its end: plain lines for people, one JSON object for machines, and the verdict.

use crate::generator::{Outcome, Plan};
use crate::money::Checked;
use crate::tally::{Counts, Operation};
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::Duration;

/// Version of the JSON report's layout.
const FORMAT: u32 = 1;
/// Percentiles reported, with their names.
const PERCENTILES: [(&str, f64); 4] = [("p50", 50.0), ("p95", 95.0), ("p99", 99.0), ("p99_9", 99.9)];

/// Everything a report is made of.
pub(crate) struct Report<'a> {
    /// Name of the scenario.
    pub(crate) scenario: &'a str,
    /// What was run.
    pub(crate) plan: &'a Plan,
    /// What came of it.
    pub(crate) outcome: &'a Outcome,
    /// The check of the money, if it was asked for.
    pub(crate) money: Option<&'a Checked>,
}

impl Report<'_> {
    /// Why the run is not as it should be, in one line; `None` if it is.
    pub(crate) fn complaint(&self) -> Option<String> {
        let tally = &self.outcome.tally;
        let mut why = Vec::new();
        if tally.answers_in_window == 0 {
            why.push("no answer came within the measured window".to_string());
        }
        if let Some((kind, count)) = tally.errors.iter().max_by_key(|(_, count)| **count) {
            why.push(format!(
                "{} of {} requests failed, mostly \"{kind}\" ({count})",
                tally.error_count(),
                tally.sent
            ));
        }
        if tally.unanswered > 0 {
            why.push(format!("{} requests were never answered", tally.unanswered));
        }
        if tally.replay_differences > 0 {
            why.push(format!(
                "{} replays differ from their first answer",
                tally.replay_differences
            ));
        }
        if let Some(money) = self.money.filter(|money| money.difference_count > 0) {
            why.push(format!(
                "{} differences in the money, first: {}",
                money.difference_count, money.differences[0]
            ));
        }
        (!why.is_empty()).then(|| why.join("; "))
    }

    /// The report in lines.
    pub(crate) fn text(&self) -> String {
        let Report {
            scenario,
            plan,
            outcome,
            ..
        } = self;
        let tally = &outcome.tally;
        let mut out = String::new();
        // Writing to a String cannot fail.
        let mut line =
            |name: &str, text: String| writeln!(out, "{name:<11} {text}").expect("a String takes everything");
        line(
            "scenario",
            format!(
                "{scenario}, closed loop, {} connections, {} accounts, {} threads, warm-up {:.1} s, window {:.2} s",
                plan.connections,
                plan.spread,
                plan.threads,
                plan.warmup.as_secs_f64(),
                outcome.window.as_secs_f64()
            ),
        );
        for operation in self.operations() {
            let counts = tally.of(operation);
            let rate = per_second(counts.in_window, outcome.window);
            line(
                operation.name(),
                format!("{} in the window, {rate:.0}/s", counts.in_window),
            );
            line("  latency", latency_text(counts));
        }
        line(
            "errors",
            if tally.errors.is_empty() {
                "none".into()
            } else {
                tally.error_count().to_string()
            },
        );
        for (kind, count) in &tally.errors {
            line("", format!("{count} x {kind}"));
        }
        if plan.retry_share > 0.0 {
            line(
                "same bytes",
                format!("{} replays differ from their first answer", tally.replay_differences),
            );
        }
        line(
            "bytes",
            format!(
                "{} sent, {} received, whole run",
                tally.bytes_sent, tally.bytes_received
            ),
        );
        let cpu = |used: Option<Duration>| {
            used.map_or("not known".to_string(), |used| {
                match per_answer_us(used, tally.answers_in_window) {
                    Some(us) => format!(
                        "{us:.1} us/request, {:.2} cores",
                        used.as_secs_f64() / outcome.window.as_secs_f64()
                    ),
                    None => "no request".into(),
                }
            })
        };
        if plan.server_pid.is_some() {
            line("server cpu", cpu(outcome.server_cpu));
        }
        line("own cpu", cpu(outcome.own_cpu));
        if let Some(money) = self.money {
            line(
                "money",
                format!(
                    "{} acknowledged, {} listed, {} transactions, {} in processing; balance moved {}, expected {}, difference {}",
                    money.acknowledged,
                    money.listed,
                    money.transactions,
                    money.processing,
                    money.moved,
                    money.expected,
                    money.cents()
                ),
            );
            for difference in &money.differences {
                line("", difference.clone());
            }
        }
        line(
            "verdict",
            self.complaint().map_or("good".into(), |why| format!("not good: {why}")),
        );
        out
    }

    /// The report for machines. Latencies in microseconds, CPU in microseconds per request, money in minor units.
    pub(crate) fn json(&self) -> Value {
        let Report {
            scenario,
            plan,
            outcome,
            ..
        } = self;
        let tally = &outcome.tally;
        let operations: serde_json::Map<String, Value> = self
            .operations()
            .map(|operation| {
                let counts = tally.of(operation);
                let mut latency = serde_json::Map::new();
                for (name, percent) in PERCENTILES {
                    latency.insert(name.into(), counts.latency_us.value_at_percentile(percent).into());
                }
                latency.insert("max".into(), counts.latency_us.max().into());
                latency.insert("mean".into(), counts.latency_us.mean().into());
                let value = json!({
                    "in_window": counts.in_window,
                    "per_second": per_second(counts.in_window, outcome.window),
                    "latency_count": counts.latency_us.len(),
                    "latency_us": latency,
                });
                (operation.name().to_string(), value)
            })
            .collect();
        let cpu = |used: Option<Duration>| used.and_then(|used| per_answer_us(used, tally.answers_in_window));
        json!({
            "format": FORMAT,
            "scenario": scenario,
            "loop": "closed",
            "connections": plan.connections,
            "accounts": plan.spread,
            "threads": plan.threads,
            "card": plan.card,
            "retry_share": plan.retry_share,
            "read_share": plan.read_share,
            "warmup_s": plan.warmup.as_secs_f64(),
            "window_s": outcome.window.as_secs_f64(),
            "run": format!("{:016x}", plan.run),
            "operations": operations,
            "answers_in_window": tally.answers_in_window,
            "requests_sent": tally.sent,
            "errors": tally.errors,
            "unanswered": tally.unanswered,
            "replay_differences": tally.replay_differences,
            "bytes_sent": tally.bytes_sent,
            "bytes_received": tally.bytes_received,
            "server_cpu_us_per_request": cpu(outcome.server_cpu),
            "own_cpu_us_per_request": cpu(outcome.own_cpu),
            "money": self.money.map(|money| json!({
                "acknowledged": money.acknowledged,
                "listed": money.listed,
                "transactions": money.transactions,
                "processing": money.processing,
                "expected": money.expected,
                "moved": money.moved,
                "difference": money.cents(),
                "difference_count": money.difference_count,
                "differences": money.differences,
            })),
            "good": self.complaint().is_none(),
            "complaint": self.complaint(),
        })
    }

    fn operations(&self) -> impl Iterator<Item = Operation> {
        Operation::ALL.into_iter().filter(|operation| {
            let counts = self.outcome.tally.of(*operation);
            counts.in_window > 0 || !counts.latency_us.is_empty()
        })
    }
}

fn latency_text(counts: &Counts) -> String {
    let mut out = String::new();
    for (name, percent) in PERCENTILES {
        let ms = counts.latency_us.value_at_percentile(percent) as f64 / 1_000.0;
        write!(out, "{} {ms:.2} ms  ", name.replace('_', ".")).expect("a String takes everything");
    }
    write!(out, "max {:.2} ms", counts.latency_us.max() as f64 / 1_000.0).expect("a String takes everything");
    out
}

fn per_second(count: u64, window: Duration) -> f64 {
    if window.is_zero() {
        0.0
    } else {
        count as f64 / window.as_secs_f64()
    }
}

fn per_answer_us(used: Duration, answers: u64) -> Option<f64> {
    (answers > 0).then(|| used.as_secs_f64() * 1e6 / answers as f64)
}
