//! The load tool: puts load on a payments API over HTTP, measures it, and checks that no cent went missing.
//!
//! It knows only HTTP. A run is a closed loop ([`worker`]): each keep-alive connection sends a request, waits for its
//! answer and sends the next, so the load follows the server's speed and latency under a fixed rate cannot be read from
//! it. Reading order: [`cli`], [`generator`], [`worker`], [`connection`], [`money`], [`report`].

mod acknowledged;
mod body;
mod cli;
mod connection;
mod generator;
mod money;
mod process;
mod report;
mod request;
mod response;
mod tally;
mod target;
mod worker;

use acknowledged::Acknowledged;
use anyhow::Context;
use clap::Parser;
use cli::{Cli, Command, Run, Scenario};
use generator::Plan;
use report::Report;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use target::Target;

/// Payments made before a scenario that reads.
const KNOWN_PAYMENTS: u64 = 1_000;

/// Why there is no report.
enum Stop {
    /// Wrong use: exit 2.
    Use(String),
    /// The environment failed: exit 3.
    Environment(anyhow::Error),
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Stop::Environment(error)
    }
}

fn main() -> ExitCode {
    let Command::Run(options) = Cli::parse().command;
    match run(&options) {
        Ok(good) => ExitCode::from(u8::from(!good)),
        Err(stop) => {
            let (text, code) = match stop {
                Stop::Use(text) => (text, 2),
                Stop::Environment(error) => (format!("{error:#}"), 3),
            };
            // Nothing can be done about a closed stderr.
            let _ = writeln!(std::io::stderr(), "tollgate-load: {text}");
            ExitCode::from(code)
        }
    }
}

/// Runs a scenario and reports; says whether all was good.
fn run(options: &Run) -> Result<bool, Stop> {
    let plan = plan(options)?;
    let before = if options.verify {
        Some(money::before(&plan).context("the account cannot be read before the run")?)
    } else {
        reachable(&plan)?;
        None
    };
    let known = Arc::new(known_payments(options.scenario, &plan)?);
    let mut outcome = generator::run(&plan, known.clone())?;
    let money = match &before {
        Some(before) => {
            outcome.acknowledged.append(&known);
            Some(money::check(&plan, before, &outcome.acknowledged).context("the money cannot be checked")?)
        }
        None => None,
    };
    let report = Report {
        scenario: options.scenario.name(),
        plan: &plan,
        outcome: &outcome,
        money: money.as_ref(),
    };
    std::io::stdout()
        .write_all(report.text().as_bytes())
        .context("cannot write to stdout")?;
    if let Some(path) = &options.json {
        let text = format!("{:#}\n", report.json());
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(report.complaint().is_none())
}

fn plan(options: &Run) -> Result<Plan, Stop> {
    let target = Target::parse(&options.url).map_err(Stop::Use)?;
    if options.key.is_empty() || !options.key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Stop::Use(
            "--key is not usable: write the secret key alone, e.g. sk_test_…".into(),
        ));
    }
    if options.connections < options.threads {
        return Err(Stop::Use(
            "--threads is more than --connections: each thread needs a connection".into(),
        ));
    }
    let duration = match (options.duration, options.requests) {
        (None, None) => Some(10.0),
        (duration, _) => duration,
    };
    if duration == Some(0.0) || options.timeout == 0.0 {
        return Err(Stop::Use("--duration and --timeout must be more than 0".into()));
    }
    // Drawn from the system, so that no two runs on one account ever share a key.
    let mut run = [0; 8];
    getrandom::fill(&mut run).map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
    Ok(Plan {
        target,
        key: options.key.clone(),
        run: u64::from_ne_bytes(run),
        card: options.card.clone(),
        connections: options.connections as usize,
        threads: options.threads as usize,
        warmup: Duration::from_secs_f64(options.warmup),
        duration: duration.map(Duration::from_secs_f64),
        requests: options.requests,
        retry_share: options.retry_share,
        read_share: options.scenario.read_share(),
        timeout: Duration::from_secs_f64(options.timeout),
        keep_acknowledged: options.verify,
        server_pid: options.server_pid,
    })
}

/// Fails early, with the address, when nothing listens there.
fn reachable(plan: &Plan) -> anyhow::Result<()> {
    std::net::TcpStream::connect_timeout(&plan.target.address, plan.timeout)
        .map(drop)
        .with_context(|| format!("nothing answers at {}: is the server running?", plan.target.address))
}

/// Makes the payments that a scenario with reads will read.
fn known_payments(scenario: Scenario, plan: &Plan) -> Result<Acknowledged, Stop> {
    if scenario.read_share() == 0.0 {
        return Ok(Acknowledged::default());
    }
    let seed = Plan {
        // Another run's keys: the payments of this one count from 0 again.
        run: plan.run ^ 1,
        warmup: Duration::ZERO,
        duration: None,
        requests: Some(KNOWN_PAYMENTS),
        retry_share: 0.0,
        read_share: 0.0,
        keep_acknowledged: true,
        ..plan.clone()
    };
    let outcome = generator::run(&seed, Arc::default())?;
    if outcome.tally.error_count() > 0 || outcome.acknowledged.is_empty() {
        let report = Report {
            scenario: "payments before reads",
            plan: &seed,
            outcome: &outcome,
            money: None,
        };
        let why = report.complaint().unwrap_or_default();
        return Err(Stop::Environment(anyhow::anyhow!(
            "the payments to be read cannot be made: {why}"
        )));
    }
    Ok(outcome.acknowledged)
}
