//! An open loop from the command line to its verdict.

use crate::cli::{ClosedLoop, Open, Run};
use crate::merchants::Merchants;
use crate::open_loop::{self, Plan};
use crate::record::{self, Metrics, Sources};
use crate::scenario::{self, Scenario};
use crate::scrape::Scraper;
use crate::target::Target;
use crate::verdict;
use crate::watch::Watch;
use crate::{Stop, accounts, environment, nearest, page, reconcile};
use anyhow::Context;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Runs an open loop and reports; says whether the verdict is good.
pub(crate) fn run(options: &Run) -> Result<bool, Stop> {
    let scenario = adjusted(options)?;
    let key = options.key.as_deref();
    let server = Server {
        url: &options.url,
        key,
        threads: options.threads,
        server_pid: options.server_pid,
    };
    let record = record_of(scenario, &server, &options.open)?;
    crate::print(&record::text(&record))?;
    if let Some(path) = &options.json {
        crate::write_file(path, &format!("{record:#}\n"))?;
    }
    if let Some(path) = &options.html {
        crate::write_file(path, &page::page(&record))?;
    }
    Ok(record["verdict"]["good"] == true)
}

/// The server, and how it is met.
pub(crate) struct Server<'a> {
    pub(crate) url: &'a str,
    pub(crate) key: Option<&'a str>,
    pub(crate) threads: u32,
    pub(crate) server_pid: Option<u32>,
}

/// A built-in scenario by its name, or a file by its path.
pub(crate) fn load(name: &str) -> Result<Scenario, Stop> {
    if let Some(text) = scenario::text_of(name) {
        return Scenario::parse(text).map_err(Stop::Use);
    }
    if !name.ends_with(".toml") && !name.contains('/') {
        return Err(Stop::Use(unknown_scenario(name)));
    }
    let text = std::fs::read_to_string(name).map_err(|error| Stop::Use(format!("{name}: {error}")))?;
    Scenario::parse(&text).map_err(|error| Stop::Use(format!("{name}: {error}")))
}

/// What to say about a name that is no scenario.
pub(crate) fn unknown_scenario(name: &str) -> String {
    let open = scenario::BUILT_IN.into_iter().map(|known| known.0);
    let closed = ClosedLoop::ALL.into_iter().map(|known| known.0.name());
    let said = nearest::unknown("scenario", name, open.chain(closed));
    format!("{said} (a scenario file is named by its path, ending in .toml)")
}

/// The scenario with the changes of the command line.
fn adjusted(options: &Run) -> Result<Scenario, Stop> {
    let mut scenario = load(&options.scenario)?;
    let closed_only = [
        (options.requests.is_some(), "--requests"),
        (options.warmup.is_some(), "--warmup"),
        (options.verify, "--verify"),
        (options.retry_share > 0.0, "--retry-share"),
    ];
    if let Some((_, name)) = closed_only.into_iter().find(|option| option.0) {
        return Err(Stop::Use(format!(
            "{name} is for closed loops: write it into the scenario"
        )));
    }
    if let Some(seconds) = options.duration {
        if seconds < 1.0 {
            return Err(Stop::Use("--duration of an open loop is 1 s at least".into()));
        }
        let time = seconds / scenario.rate.seconds();
        scenario.rate = scenario.rate.scaled(1.0, time);
        scenario.warmup_s *= time;
    }
    if let Some(connections) = options.connections {
        scenario.client.connections_max = connections;
    }
    Ok(scenario)
}

/// Runs a scenario to its record. The money is checked where scenario and options say so.
pub(crate) fn record_of(mut scenario: Scenario, server: &Server<'_>, open: &Open) -> Result<Value, Stop> {
    let target = Target::parse(server.url).map_err(Stop::Use)?;
    if let Some(key) = server.key {
        crate::check_key(key)?;
    }
    if scenario.client.connections_max < server.threads {
        return Err(Stop::Use(
            "--threads is more than connections: each thread needs one".into(),
        ));
    }
    scenario.rate = scenario.rate.scaled(open.scale, 1.0);
    scenario.verify.money &= !open.no_verify;
    let scraper = match &open.metrics_url {
        Some(url) => Some(scraper(url)?),
        None => None,
    };
    let plan = Arc::new(Plan {
        merchants: Merchants::new(&scenario.merchants, server.key),
        starts: scenario.rate.scaled(1.0 / scenario.requests_per_start(), 1.0),
        numbers_before: u64::from(scenario.merchants.payments_before),
        run: crate::run_number()?,
        seed: open.seed,
        threads: server.threads as usize,
        server_pid: server.server_pid,
        target,
        scenario,
    });
    reachable(&plan.target)?;
    let environment = environment::environment(&plan);
    let prepared = accounts::prepare(&plan, plan.scenario.verify.money)?;
    let mut watch = Watch::new(&plan, scraper.clone(), open.quiet);
    let started = Instant::now();
    let outcome = open_loop::run(&plan, prepared.known.clone(), &mut watch)?;
    let metrics = scraper.map(|scraper| {
        let (series, failures) = scraper.finish();
        Metrics {
            series,
            failures,
            early_s: started.saturating_duration_since(scraper.started()).as_secs_f64(),
        }
    });
    let money = match plan.scenario.verify.money {
        true => {
            Some(reconcile::reconcile(&plan, &prepared, &outcome.movements).context("the money cannot be checked")?)
        }
        false => None,
    };
    let verdict = verdict::judge(&plan.scenario.slo, &record::measured(&outcome, money.as_ref()));
    Ok(record::record(&Sources {
        plan: &plan,
        scale: open.scale,
        outcome: &outcome,
        money: money.as_ref(),
        verdict: &verdict,
        metrics,
        environment,
    }))
}

fn scraper(url: &str) -> Result<Arc<Scraper>, Stop> {
    let mut target = Target::parse(url).map_err(Stop::Use)?;
    let path = std::mem::take(&mut target.base);
    let path = if path.is_empty() { "/metrics".into() } else { path };
    Ok(Scraper::start(target, path).with_context(|| format!("the metrics at {url} cannot be read"))?)
}

/// Fails early, with the address, when nothing listens there.
fn reachable(target: &Target) -> anyhow::Result<()> {
    /// Time a connection may take.
    const TIMEOUT: Duration = Duration::from_secs(5);
    std::net::TcpStream::connect_timeout(&target.address, TIMEOUT)
        .map(drop)
        .with_context(|| format!("nothing answers at {}: is the server running?", target.address))
}
