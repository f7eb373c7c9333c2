//! An open loop from the command line to its verdict.

use crate::cli::{ClosedLoop, Open, Run};
use crate::merchants::Part;
use crate::open_loop::{self, Plan};
use crate::record::{self, Metrics, Sources};
use crate::scenario::{self, Scenario};
use crate::scrape::Scraper;
use crate::sink::Sink;
use crate::slow_clients::SlowClients;
use crate::target::Target;
use crate::watch::Watch;
use crate::{Stop, accounts, environment, layout, measured, nearest, page, reconcile, summary, verdict};
use anyhow::Context;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Runs an open loop and reports; says whether the verdict is good.
pub(crate) fn run(options: &Run) -> Result<bool, Stop> {
    let scenario = load(&options.scenario)?;
    let asked = Asked::of(options, &scenario)?;
    let server = Server {
        url: &options.url,
        key: options.key.as_deref(),
        threads: options.threads,
        server_pid: options.server_pid,
        start_at_unix_s: options.start_at,
    };
    let record = record_of(asked.applied(scenario), &asked, &server, &options.open)?;
    report(&record, options.json.as_deref(), options.html.as_deref())
}

/// Prints a record and writes it where it is asked for; says whether its verdict is good.
pub(crate) fn report(record: &Value, json: Option<&Path>, html: Option<&Path>) -> Result<bool, Stop> {
    crate::print(&summary::text(record))?;
    if let Some(path) = json {
        crate::write_file(path, &layout::text(record))?;
    }
    if let Some(path) = html {
        crate::write_file(path, &page::page(record))?;
    }
    Ok(record["verdict"]["good"] == true)
}

/// What the command line changes of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    /// Factor of all rates.
    pub(crate) scale: f64,
    /// Length that the schedule is stretched or pressed to, seconds.
    pub(crate) duration_s: Option<f64>,
    /// Most connections.
    pub(crate) connections: Option<u32>,
    /// Connections that only take up room.
    pub(crate) slow_clients: Option<u32>,
    /// Webhook endpoints for each merchant.
    pub(crate) webhooks: u32,
    /// Which part of it.
    pub(crate) part: Part,
}

impl Asked {
    /// Nothing.
    pub(crate) const NOTHING: Asked = Asked {
        scale: 1.0,
        duration_s: None,
        connections: None,
        slow_clients: None,
        webhooks: 0,
        part: Part::WHOLE,
    };

    fn of(options: &Run, scenario: &Scenario) -> Result<Asked, Stop> {
        let closed_only = [
            (options.requests.is_some(), "--requests"),
            (options.warmup.is_some(), "--warmup"),
            (options.verify, "--verify"),
            (options.retry_share > 0.0, "--retry-share"),
            (options.spread > 1, "--spread"),
            (options.ids_out.is_some(), "--ids-out"),
            (options.ids.is_some(), "--ids"),
        ];
        if let Some((_, name)) = closed_only.into_iter().find(|option| option.0) {
            return Err(Stop::Use(format!(
                "{name} is for closed loops: write it into the scenario"
            )));
        }
        if options.duration.is_some_and(|seconds| seconds < 1.0) {
            return Err(Stop::Use("--duration of an open loop is 1 s at least".into()));
        }
        let part = options.part.unwrap_or(Part::WHOLE);
        let merchants = if options.key.is_some() {
            1
        } else {
            scenario.merchants.count
        };
        if part.count > merchants {
            return Err(Stop::Use(format!(
                "--part: {merchants} merchants are not enough for {} parts, for each merchant belongs to one",
                part.count
            )));
        }
        Ok(Asked {
            scale: match options.rate {
                Some(rate) => rate / scenario.rate.peak().max(f64::MIN_POSITIVE),
                None => options.scale.unwrap_or(1.0),
            },
            duration_s: options.duration,
            connections: options.connections,
            slow_clients: options.slow_clients,
            webhooks: options.webhooks.unwrap_or(0),
            part,
        })
    }

    /// The scenario with these changes, but for the part: rates and bounds stay those of the whole.
    pub(crate) fn applied(&self, scenario: Scenario) -> Scenario {
        let time = self.duration_s.map_or(1.0, |seconds| seconds / scenario.rate.seconds());
        let mut scenario = scenario.scaled(self.scale, time);
        if let Some(connections) = self.connections {
            scenario.client.connections_max = connections;
            scenario.client.connections_min = scenario.client.connections_min.min(connections);
        }
        if let Some(count) = self.slow_clients {
            scenario.slow_clients.count = count;
        }
        scenario
    }

    /// For the record.
    pub(crate) fn json(&self) -> Value {
        json!({
            "scale": self.scale,
            "duration_s": self.duration_s,
            "connections": self.connections,
            "slow_clients": self.slow_clients,
            "webhooks": self.webhooks,
            "part": [self.part.index + 1, self.part.count],
        })
    }

    /// Reads it back.
    pub(crate) fn read(value: &Value) -> Option<Asked> {
        let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
        let part = Part {
            index: number(&value["part"][0])?.checked_sub(1)?,
            count: number(&value["part"][1])?,
        };
        Some(Asked {
            scale: value["scale"].as_f64()?,
            duration_s: value["duration_s"].as_f64(),
            connections: number(&value["connections"]),
            slow_clients: number(&value["slow_clients"]),
            // Reports of before have none.
            webhooks: number(&value["webhooks"]).unwrap_or(0),
            part: Some(part).filter(|part| part.index < part.count)?,
        })
    }
}

/// The server, and how it is met.
pub(crate) struct Server<'a> {
    pub(crate) url: &'a str,
    pub(crate) key: Option<&'a str>,
    pub(crate) threads: u32,
    pub(crate) server_pid: Option<u32>,
    pub(crate) start_at_unix_s: Option<f64>,
}

/// A built-in scenario by its name, or a file by its path.
pub(crate) fn load(name: &str) -> Result<Scenario, Stop> {
    if let Some(text) = scenario::text_of(name) {
        return Scenario::parse(text).map_err(Stop::Use);
    }
    if !name.ends_with(".toml") && !name.contains('/') {
        return Err(Stop::Use(unknown_scenario(name)));
    }
    let wrong = |error: String| Stop::Use(format!("{name}: {error}"));
    let text = std::fs::read_to_string(name).map_err(|error| wrong(error.to_string()))?;
    let directory = Path::new(name).parent().unwrap_or(Path::new(""));
    let text = scenario::inlined(&text, directory).map_err(wrong)?;
    Scenario::parse(&text).map_err(wrong)
}

/// What to say about a name that is no scenario.
pub(crate) fn unknown_scenario(name: &str) -> String {
    let open = scenario::BUILT_IN.into_iter().map(|known| known.0);
    let closed = ClosedLoop::ALL.into_iter().map(|known| known.0.name());
    let said = nearest::unknown("scenario", name, open.chain(closed));
    format!("{said} (a scenario file is named by its path, ending in .toml)")
}

/// Runs a scenario to its record. The money is checked where scenario and options say so.
pub(crate) fn record_of(
    mut scenario: Scenario,
    asked: &Asked,
    server: &Server<'_>,
    open: &Open,
) -> Result<Value, Stop> {
    let target = Target::parse(server.url).map_err(Stop::Use)?;
    if let Some(key) = server.key {
        crate::check_key(key)?;
    }
    if scenario.client.connections_max < server.threads {
        return Err(Stop::Use(
            "--threads is more than connections: each thread needs one".into(),
        ));
    }
    scenario.verify.money &= !open.no_verify;
    let scraper = match &open.metrics_url {
        Some(url) => Some(scraper(url)?),
        None => None,
    };
    let plan = Plan::new(scenario, target, server.key, asked.part, server.threads as usize);
    let plan = Arc::new(Plan {
        run: crate::run_number()?,
        seed: open.seed,
        server_pid: server.server_pid,
        start_at_unix_s: server.start_at_unix_s,
        webhooks: asked.webhooks,
        ..plan
    });
    reachable(&plan.target)?;
    let environment = environment::environment(&plan);
    if !open.quiet {
        note(&preparing(&plan));
    }
    let prepared = accounts::prepare(&plan, plan.scenario.verify.money)?;
    let sink = match plan.webhooks {
        0 => None,
        _ => Some(Sink::start(&plan, plan.threads)?),
    };
    let slow = SlowClients::start(&plan)?;
    let mut watch = Watch::new(&plan, scraper.clone(), sink.as_ref().map(Sink::counts), open.quiet);
    let outcome = open_loop::run(&plan, prepared.known.clone(), &mut watch)?;
    let slow_clients = slow.finish()?;
    let metrics = scraper.map(|scraper| {
        let (series, failures) = scraper.finish();
        record::metrics(&Metrics {
            series,
            failures,
            early_s: (outcome.started_unix_s - scraper.started_unix_s()).max(0.0),
        })
    });
    if !open.quiet && plan.scenario.verify.money {
        note("  checking the money");
    }
    let money = match plan.scenario.verify.money {
        true => {
            Some(reconcile::reconcile(&plan, &prepared, &outcome.movements).context("the money cannot be checked")?)
        }
        false => None,
    };
    if !open.quiet && sink.is_some() {
        note("  waiting for the webhooks that are owed");
    }
    let webhooks = match sink {
        Some(sink) => Some(sink.finish(&plan, &outcome.movements.paid)?),
        None => None,
    };
    let measured = measured::measured(&plan, &outcome, money.as_ref(), webhooks.as_ref());
    let verdict = verdict::judge(&plan.scenario.slo, &measured);
    Ok(record::record(&Sources {
        plan: &plan,
        asked,
        outcome: &outcome,
        money: money.as_ref(),
        webhooks: webhooks.as_ref(),
        verdict: &verdict,
        metrics,
        environment,
        slow_clients,
        generators: Value::Null,
    }))
}

/// What happens before the first request is due: with many merchants that takes a while.
fn preparing(plan: &Plan) -> String {
    let merchants = plan.merchants.len();
    match plan.webhooks {
        0 => format!("  preparing the accounts of {merchants} merchants"),
        per_merchant => {
            let endpoints = merchants * per_merchant as usize;
            format!("  preparing the accounts of {merchants} merchants and {endpoints} webhook endpoints")
        }
    }
}

/// A line for whoever looks on.
fn note(line: &str) {
    // Nothing can be done about a closed stderr.
    let _ = writeln!(std::io::stderr(), "{line}");
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
