//! Closed loops: the highest rate at so many connections.

use super::server::{Home, Server};
use super::{Figures, PEAK};
use crate::cli::Table;
use crate::generator::{self, Outcome, Plan};
use crate::money;
use crate::report::Report;
use crate::tally::Operation;
use crate::target::Target;
use std::sync::Arc;
use std::time::Duration;

/// Time an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Beginning of the accounts' keys.
pub(super) const KEY: &str = "sk_test_table";
/// Answer time of the remote network, as settings of the server.
const REMOTE: [(&str, &str); 3] = [
    ("TOLLGATE_ACQUIRER__NETWORK", "remote"),
    ("TOLLGATE_ACQUIRER__LATENCY_MS", "20"),
    ("TOLLGATE_ACQUIRER__JITTER_MS", "0"),
];

/// Payments spread over merchants, at 512 and at 64 connections.
pub(super) fn payments(home: &Home, options: &Table, figures: &mut Figures) -> anyhow::Result<()> {
    for (connections, cpu_goal) in [(512, 20.0), (64, 25.0)] {
        let server = home.start(&[])?;
        let outcome = closed(&server, options, connections, connections, figures)?;
        let rate = rate(&outcome);
        let goal = (connections == 512).then_some((46_670.0, true));
        figures.add(&format!("payments/s, {connections} connections"), "/s", goal, rate);
        if let Some(us) = cpu_us(&outcome) {
            let name = format!("server CPU a payment, {connections} connections");
            figures.add(&name, "us", Some((cpu_goal, false)), us);
        }
        let latency = &outcome.tally.of(Operation::Payment).latency_us;
        for percent in [50.0, 99.0] {
            let name = format!("  its p{percent}");
            let name = format!("{name}, {connections} connections");
            figures.add(&name, "ms", None, latency.value_at_percentile(percent) as f64 / 1e3);
        }
        sync(&server, &format!("{connections} connections"), figures)?;
        server.stop()?;
    }
    Ok(())
}

/// All payments on one account, against the rate over many.
pub(super) fn hot_merchant(home: &Home, options: &Table, figures: &mut Figures) -> anyhow::Result<()> {
    let server = home.start(&[])?;
    let rate = rate(&closed(&server, options, 512, 1, figures)?);
    figures.add("payments/s of one merchant alone, 512 connections", "/s", None, rate);
    if let Some(peak) = figures.median(PEAK).or(options.peak) {
        let name = "one merchant alone, share of the rate over many";
        figures.add(name, "%", Some((70.0, true)), rate / peak * 100.0);
    }
    server.stop()
}

/// Payments that ask a network 20 ms away.
pub(super) fn remote(home: &Home, options: &Table, figures: &mut Figures) -> anyhow::Result<()> {
    let server = home.start(&REMOTE)?;
    let outcome = closed(&server, options, 2_048, 1_024, figures)?;
    let name = "payments/s over the remote network, 2,048 connections";
    figures.add(name, "/s", Some((25_000.0, true)), rate(&outcome));
    if let Some(us) = cpu_us(&outcome) {
        figures.add("server CPU a payment over the remote network", "us", None, us);
    }
    sync(&server, "remote network", figures)?;
    server.stop()
}

/// A closed loop of payments. What failed becomes a note.
pub(super) fn closed(
    server: &Server,
    options: &Table,
    connections: u32,
    spread: u32,
    figures: &mut Figures,
) -> anyhow::Result<Outcome> {
    let plan = plan(server, options, connections, spread)?;
    run(&plan, figures)
}

pub(super) fn plan(server: &Server, options: &Table, connections: u32, spread: u32) -> anyhow::Result<Plan> {
    Ok(Plan {
        target: Target::parse(&server.api).map_err(anyhow::Error::msg)?,
        key: KEY.into(),
        spread,
        run: crate::run_number()?,
        card: "pm_card_visa".into(),
        connections: connections as usize,
        threads: 1,
        warmup: Duration::from_secs_f64(options.warmup),
        duration: Some(Duration::from_secs_f64(options.seconds)),
        requests: None,
        retry_share: 0.0,
        read_share: 0.0,
        timeout: TIMEOUT,
        keep_one_of: None,
        server_pid: Some(server.pid()),
    })
}

pub(super) fn run(plan: &Plan, figures: &mut Figures) -> anyhow::Result<Outcome> {
    money::open(plan)?;
    let outcome = generator::run(plan, Arc::default())?;
    let report = Report {
        scenario: "payments",
        plan,
        outcome: &outcome,
        money: None,
    };
    if let Some(complaint) = report.complaint() {
        figures.note(format!(
            "closed loop over {} connections: {complaint}",
            plan.connections
        ));
    }
    Ok(outcome)
}

pub(super) fn rate(outcome: &Outcome) -> f64 {
    let good = outcome.tally.of(Operation::Payment).in_window;
    good as f64 / outcome.window.as_secs_f64().max(0.001)
}

fn cpu_us(outcome: &Outcome) -> Option<f64> {
    let answers = outcome.tally.answers_in_window;
    (answers > 0).then_some(outcome.server_cpu?.as_secs_f64() * 1e6 / answers as f64)
}

/// The time of a sync stands beside every rate, for it bounds it.
pub(super) fn sync(server: &Server, of: &str, figures: &mut Figures) -> anyhow::Result<()> {
    for (metric, label, what) in [
        ("tollgate_stage_seconds", Some(("stage", "sync")), "write and sync"),
        ("tollgate_commit_seconds", None, "commit, from handing over to durable"),
    ] {
        if let Some(seconds) = server.median_of(metric, label)? {
            figures.add(&format!("  {what}, p50, {of}"), "ms", None, seconds * 1e3);
        }
    }
    Ok(())
}
