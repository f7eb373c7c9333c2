//! A closed loop from the command line to its report.

use crate::acknowledged::Acknowledged;
use crate::cli::{ClosedLoop, Run};
use crate::generator::{self, Plan};
use crate::report::Report;
use crate::target::Target;
use crate::{Stop, ids, money};
use anyhow::Context;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// Payments made before a scenario that reads.
const KNOWN_PAYMENTS: u64 = 1_000;
/// Connections where none are asked for.
const CONNECTIONS: u32 = 64;
/// Seconds before the window where none are asked for.
const WARMUP_S: f64 = 1.0;

/// Runs a closed loop and reports; says whether all was good.
pub(crate) fn run(scenario: ClosedLoop, options: &Run) -> Result<bool, Stop> {
    let plan = plan(scenario, options)?;
    let before = if options.verify {
        Some(money::before(&plan).context("the account cannot be read before the run")?)
    } else {
        reachable(&plan)?;
        money::open(&plan)?;
        None
    };
    let known = Arc::new(match &options.ids {
        Some(path) => ids::read(path, plan.spread)?,
        None => known_payments(scenario, &plan)?,
    });
    let mut outcome = generator::run(&plan, known.clone())?;
    let money = match &before {
        Some(before) => {
            if options.ids.is_none() {
                outcome.acknowledged.append(&known);
            }
            Some(money::check(&plan, before, &outcome.acknowledged).context("the money cannot be checked")?)
        }
        None => None,
    };
    let report = Report {
        scenario: scenario.name(),
        plan: &plan,
        outcome: &outcome,
        money: money.as_ref(),
    };
    std::io::stdout()
        .write_all(report.text().as_bytes())
        .context("cannot write to stdout")?;
    if let Some(path) = &options.json {
        crate::write_file(path, &crate::layout::text(&report.json()))?;
    }
    if let Some(path) = &options.ids_out {
        ids::write(path, &outcome.acknowledged)?;
    }
    Ok(report.complaint().is_none())
}

fn plan(scenario: ClosedLoop, options: &Run) -> Result<Plan, Stop> {
    let target = Target::parse(&options.url).map_err(Stop::Use)?;
    let Some(key) = options.key.clone() else {
        return Err(Stop::Use("--key is missing: a closed loop uses one account".into()));
    };
    crate::check_key(&key)?;
    if options.html.is_some() {
        return Err(Stop::Use("--html is for open loops".into()));
    }
    let open_only = [
        (options.scale.is_some(), "--scale"),
        (options.rate.is_some(), "--rate"),
        (options.part.is_some(), "--part"),
        (options.start_at.is_some(), "--start-at"),
        (options.slow_clients.is_some(), "--slow-clients"),
        (options.webhooks.is_some(), "--webhooks"),
    ];
    if let Some((_, name)) = open_only.into_iter().find(|option| option.0) {
        return Err(Stop::Use(format!("{name} is for open loops")));
    }
    if options.ids.is_some() && scenario == ClosedLoop::Payments {
        return Err(Stop::Use("--ids is for reads and mixed".into()));
    }
    let connections = options.connections.unwrap_or(CONNECTIONS);
    if connections < options.spread {
        return Err(Stop::Use(
            "--spread is more than --connections: each account needs a connection".into(),
        ));
    }
    if connections < options.threads {
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
    Ok(Plan {
        target,
        key,
        spread: options.spread,
        run: crate::run_number()?,
        card: options.card.clone(),
        connections: connections as usize,
        threads: options.threads as usize,
        warmup: Duration::from_secs_f64(options.warmup.unwrap_or(WARMUP_S)),
        duration: duration.map(Duration::from_secs_f64),
        requests: options.requests,
        retry_share: options.retry_share,
        read_share: scenario.read_share(),
        timeout: Duration::from_secs_f64(options.timeout),
        keep_one_of: match (options.verify, &options.ids_out) {
            (true, _) => Some(1),
            (false, Some(_)) => Some(ids::ONE_OF),
            (false, None) => None,
        },
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
fn known_payments(scenario: ClosedLoop, plan: &Plan) -> Result<Acknowledged, Stop> {
    if scenario.read_share() == 0.0 {
        return Ok(Acknowledged::default());
    }
    let seed = Plan {
        // Another run's keys: the payments of this one count from 0 again.
        run: plan.run ^ 1,
        warmup: Duration::ZERO,
        duration: None,
        requests: Some(KNOWN_PAYMENTS.max(4 * plan.connections as u64)),
        retry_share: 0.0,
        read_share: 0.0,
        keep_one_of: Some(1),
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
