//! Reports of several generators, each of which ran a part of one scenario, added up to the report of the whole.
//!
//! Counts and histograms are added, so the percentiles are exactly those of all requests together. The seconds of the
//! parts are laid over each other by the wall clocks of their machines. The verdict is made again from the sums, by the
//! scenario that the reports hold; it is valid only if that of each part is.

use crate::cli::Merge;
use crate::flow::Operation;
use crate::merchants::Part;
use crate::open_loop::movements::Movements;
use crate::open_loop::samples::{Counts, Samples};
use crate::open_loop::{Cpu, Outcome, Plan};
use crate::open_run::{self, Asked};
use crate::page::{number, text};
use crate::reconcile::Reconciled;
use crate::record::{self, Sources};
use crate::scenario::Scenario;
use crate::sink::Delivered;
use crate::target::Target;
use crate::{Stop, exact, measured, verdict};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Most seconds that the starts of parts may lie apart: beyond, they were not one load.
const APART_S_MAX: f64 = 5.0;

/// Merges and reports; says whether the verdict is good.
pub(crate) fn run(options: &Merge) -> Result<bool, Stop> {
    let mut parts = Vec::with_capacity(options.reports.len());
    for path in &options.reports {
        let record = crate::read_record(path)?;
        let part = read(&record).map_err(|what| Stop::Use(format!("{}: {what}", path.display())))?;
        parts.push((path.as_path(), record, part));
    }
    check(&parts).map_err(Stop::Use)?;
    parts.sort_by_key(|(_, _, part)| part.asked.part.index);
    let record = merged(&parts);
    open_run::report(&record, options.json.as_deref(), options.html.as_deref())
}

/// What is added up of a report.
struct Read {
    asked: Asked,
    started_unix_s: f64,
    outcome: Outcome,
    money: Option<Reconciled>,
    webhooks: Option<Delivered>,
    scenario: Scenario,
}

type Named<'a> = (&'a Path, Value, Read);

/// The parts must be the parts of one thing, each of them once.
fn check(parts: &[Named<'_>]) -> Result<(), String> {
    let Some((first_path, first_record, first)) = parts.first() else {
        return Err("no reports".into());
    };
    let count = first.asked.part.count;
    let mut seen = vec![false; count as usize];
    for (path, record, part) in parts {
        let differs = |what: &str| format!("{} and {} differ in {what}", first_path.display(), path.display());
        for what in ["scenario_text", "scale", "seed"] {
            if record[what] != first_record[what] {
                return Err(differs(what));
            }
        }
        if part.asked.duration_s != first.asked.duration_s {
            return Err(differs("--duration"));
        }
        if part.asked.webhooks != first.asked.webhooks {
            return Err(differs("--webhooks"));
        }
        if part.asked.part.count != count {
            return Err(differs("the number of parts"));
        }
        if std::mem::replace(&mut seen[part.asked.part.index as usize], true) {
            return Err(format!(
                "part {}/{count} is given twice, also by {}",
                part.asked.part.index + 1,
                path.display()
            ));
        }
        let apart = (part.started_unix_s - first.started_unix_s).abs();
        if apart > APART_S_MAX {
            return Err(format!(
                "{} and {} started {apart:.1} s apart, at most {APART_S_MAX} make one load: start parts with --start-at",
                first_path.display(),
                path.display()
            ));
        }
    }
    match seen.iter().position(|seen| !seen) {
        Some(missing) => Err(format!("part {}/{count} is missing", missing + 1)),
        None => Ok(()),
    }
}

fn merged(parts: &[Named<'_>]) -> Value {
    let first = &parts[0].2;
    let start = parts
        .iter()
        .map(|part| part.2.started_unix_s)
        .fold(f64::INFINITY, f64::min);
    let asked = Asked {
        part: Part::WHOLE,
        ..first.asked.clone()
    };
    let threads = parts
        .iter()
        .map(|part| number(&part.1["environment"]["threads"]) as usize)
        .sum();
    let mut plan = Plan::new(
        first.scenario.clone(),
        Target::named(text(&parts[0].1["environment"]["server"])),
        None,
        Part::WHOLE,
        threads,
    );
    plan.seed = parts[0].1["seed"].as_u64().unwrap_or_default();
    plan.run = u64::from_str_radix(text(&parts[0].1["run"]), 16).unwrap_or_default();
    let mut samples = Samples::new(plan.starts.seconds());
    let mut money: Option<Reconciled> = None;
    let mut webhooks: Option<Delivered> = None;
    let mut stopped: Vec<String> = Vec::new();
    for (_, _, part) in parts {
        let rows_later = ((part.started_unix_s - start) / samples.length_s).round() as usize;
        samples.merge_later(&part.outcome.samples, rows_later);
        if let Some(part) = &part.money {
            money.get_or_insert_default().add(part);
        }
        if let Some(part) = &part.webhooks {
            webhooks.get_or_insert_default().add(part);
        }
        if let Some(reason) = &part.outcome.stopped {
            stopped.push(format!("part {}: {reason}", part.asked.part.index + 1));
        }
    }
    if parts.iter().any(|part| part.2.money.is_none()) {
        // What one part did not look at was not looked at.
        money = None;
    }
    let outcome = Outcome {
        samples,
        movements: Movements::default(),
        stopped: (!stopped.is_empty()).then(|| stopped.join("; ")),
        ran_s: parts.iter().map(|part| part.2.outcome.ran_s).fold(0.0, f64::max),
        started_unix_s: start,
        cpu: cpu(parts, start),
    };
    let mut measured = measured::measured(&plan, &outcome, money.as_ref(), webhooks.as_ref());
    let invalid: Vec<String> = parts
        .iter()
        .filter(|part| part.1["verdict"]["valid"] != true)
        .map(|(_, record, part)| {
            let line = text(&record["verdict"]["line"]);
            format!("part {} is not valid: {line}", part.asked.part.index + 1)
        })
        .collect();
    if !invalid.is_empty() {
        measured.not_valid = Some(invalid.join("; "));
    }
    let verdict = verdict::judge(&plan.scenario.slo, &measured);
    let with_metrics = parts.iter().find(|part| part.1["metrics"].is_object());
    record::record(&Sources {
        plan: &plan,
        asked: &asked,
        outcome: &outcome,
        money: money.as_ref(),
        webhooks: webhooks.as_ref(),
        verdict: &verdict,
        metrics: with_metrics.map(|part| part.1["metrics"].clone()),
        environment: parts[0].1["environment"].clone(),
        slow_clients: slow_clients(parts),
        generators: parts.iter().map(generator).collect(),
    })
}

/// What is told of a generator in the merged report.
fn generator((_, record, part): &Named<'_>) -> Value {
    json!({
        "part": part.asked.part.index + 1,
        "run": record["run"],
        "started_unix_s": part.started_unix_s,
        "good": record["totals"]["good"],
        "lag_p99_us": record["lag_us"]["p99"],
        "own_cores": record["cpu"]["own_cores"],
        "environment": record["environment"],
    })
}

fn slow_clients(parts: &[Named<'_>]) -> Value {
    let mut sum = parts[0].1["slow_clients"].clone();
    for (_, record, _) in &parts[1..] {
        for (name, value) in sum.as_object_mut().into_iter().flatten() {
            *value =
                (value.as_u64().unwrap_or_default() + record["slow_clients"][name].as_u64().unwrap_or_default()).into();
        }
    }
    sum
}

/// CPU times of the tools together; the server's from the first part that knows it.
fn cpu(parts: &[Named<'_>], start: f64) -> Vec<Cpu> {
    let seconds = parts.iter().map(|part| part.2.outcome.cpu.len()).max().unwrap_or(0);
    let server = parts
        .iter()
        .find(|part| part.2.outcome.cpu.iter().any(|cpu| cpu.server.is_some()));
    (0..seconds)
        .map(|at| {
            let of = |part: &Named<'_>| {
                let later = (part.2.started_unix_s - start).round() as usize;
                let cpu = &part.2.outcome.cpu;
                cpu.get(at.saturating_sub(later).min(cpu.len().saturating_sub(1)))
                    .copied()
            };
            let own = parts.iter().map(|part| of(part)?.own).sum::<Option<Duration>>();
            Cpu {
                at_s: at as f64,
                own,
                server: server.and_then(of).and_then(|cpu| cpu.server),
            }
        })
        .collect()
}

/// Reads what is added up.
fn read(record: &Value) -> Result<Read, String> {
    let missing = |what: &str| format!("has no {what}: an older version of this tool made it");
    let asked = Asked::read(&record["asked"]).ok_or_else(|| missing("\"asked\""))?;
    let scenario = record["scenario_text"]
        .as_str()
        .ok_or_else(|| missing("\"scenario_text\""))?;
    let scenario = asked.applied(Scenario::parse(scenario)?);
    let schedule = &record["schedule"];
    let samples = samples(record).ok_or_else(|| missing("sound counts"))?;
    let money = match &record["money"] {
        Value::Null => None,
        money => Some(Reconciled::read(money).ok_or_else(|| missing("sound \"money\""))?),
    };
    let webhooks = match &record["webhooks"] {
        Value::Null => None,
        webhooks => Some(Delivered::read(webhooks).ok_or_else(|| missing("sound \"webhooks\""))?),
    };
    let started_unix_s = schedule["started_unix_s"]
        .as_f64()
        .ok_or_else(|| missing("\"started_unix_s\""))?;
    let outcome = Outcome {
        samples,
        movements: Movements::default(),
        stopped: record["verdict"]["stopped"].as_str().map(str::to_string),
        ran_s: number(&schedule["ran_s"]),
        started_unix_s,
        cpu: cpu_of(&record["cpu"]),
    };
    Ok(Read {
        asked,
        started_unix_s,
        outcome,
        money,
        webhooks,
        scenario,
    })
}

fn samples(record: &Value) -> Option<Samples> {
    let (totals, rows) = (&record["totals"], &record["samples"]);
    let mut samples = Samples::new(record["schedule"]["seconds"].as_f64()?);
    let length_s = samples.length_s;
    let column = |name: &str, at: usize| rows[name][at].as_f64();
    let times = rows["at_s"].as_array()?.len().min(samples.rows.len());
    for (at, row) in samples.rows.iter_mut().enumerate().take(times) {
        let count = |name: &str| Some((column(name, at)? * length_s).round() as u64);
        row.due = count("due_per_second")?;
        row.good = count("good_per_second")?;
        row.failed = count("failed_per_second")?;
        row.refused = count("refused_per_second")?;
        row.answered = count("answered_per_second")?;
        row.lag_max_us = column("lag_max_us", at)? as u64;
        row.latency_us = exact::sample_latencies(&rows["histogram_us"][at])?;
    }
    for operation in Operation::ALL {
        let of = &record["operations"][operation.name()];
        if of.is_object() {
            *samples.of_mut(operation) = Counts {
                due: of["due"].as_u64()?,
                good: of["good"].as_u64()?,
                declined: of["declined"].as_u64()?,
                failed: of["failed"].as_u64()?,
                latency_us: exact::latencies(&of["histogram_us"])?,
            };
        }
    }
    samples.lag_us = exact::latencies(&record["lag_histogram_us"])?;
    samples.refusal_us = exact::latencies(&totals["refusal_histogram_us"])?;
    let count = |name: &str| totals[name].as_u64();
    samples.sent = count("tries")?;
    samples.waited = count("waited_for_connection")?;
    samples.cut = count("cut")?;
    samples.lost_by_tool = count("lost_by_tool")?;
    samples.connections = count("connections")?;
    samples.bytes = (count("bytes_sent")?, count("bytes_received")?);
    samples.replay_differences = count("replay_differences")?;
    samples.refusals_without_time = count("refusals_without_time")?;
    for (kind, times) in totals["errors"].as_object()? {
        samples.error(kind.clone(), times.as_u64()?);
    }
    Some(samples)
}

/// CPU times since the start, of cores in use over time.
fn cpu_of(cpu: &Value) -> Vec<Cpu> {
    let times = cpu["at_s"].as_array().map_or(0, Vec::len);
    let mut sums = [Some(Duration::ZERO); 2];
    let mut before = 0.0;
    let mut out = Vec::with_capacity(times + 1);
    for at in 0..=times {
        let at_s = if at == 0 { 0.0 } else { number(&cpu["at_s"][at - 1]) };
        for (sum, name) in sums.iter_mut().zip(["own_cores_over_time", "server_cores_over_time"]) {
            let cores = if at == 0 { Some(0.0) } else { cpu[name][at - 1].as_f64() };
            let used = cores.map(|cores| Duration::from_secs_f64((cores * (at_s - before)).max(0.0)));
            *sum = sum.zip(used).map(|(sum, used)| sum + used);
        }
        before = at_s;
        out.push(Cpu {
            at_s,
            own: sums[0],
            server: sums[1].filter(|_| cpu["server_cores"].is_number()),
        });
    }
    out
}
