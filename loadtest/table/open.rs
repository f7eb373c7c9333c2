//! Open loops: latency under a load that does not wait, at rates that follow from the peak.

use super::server::{Home, Server};
use super::{Figures, peak};
use crate::cli::{Open, Table};
use crate::open_run::{self, Asked, Server as Met};
use crate::page::{number, text};
use crate::scenario::Scenario;
use serde_json::Value;

/// Peak that the overload scenario is written for.
const OVERLOAD_PEAK: f64 = 46_670.0;
/// Rates of the scenarios that are scaled to half of the peak.
const PAYMENTS_OPEN_RATE: f64 = 10_000.0;
const SLOW_CLIENTS_RATE: f64 = 5_000.0;
/// Connections that a server must take beside the slow ones.
const LOAD_CONNECTIONS: u32 = 10_000;
/// What the tool must send and read from one core.
const OWN_RATE: f64 = 150_000.0;

/// Latency at half of the peak rate.
pub(super) fn half(home: &Home, options: &Table, figures: &mut Figures) -> anyhow::Result<()> {
    let half = super::peak(options, figures)? / 2.0;
    let server = home.start(&[])?;
    let asked = Asked {
        scale: half / PAYMENTS_OPEN_RATE,
        duration_s: Some(options.seconds * 2.0),
        ..Asked::NOTHING
    };
    if let Some(record) = run(&server, "payments-open", &asked, figures)? {
        add_latency(figures, "p99 at half of the peak", Some((20.0, false)), &record);
        let rate = number(&record["totals"]["good_per_second"]);
        figures.add("  the rate of that", "/s", None, rate);
        peak::sync(&server, "half of the peak", figures)?;
    }
    server.stop()
}

/// Five times the peak, and the way back.
pub(super) fn overload(home: &Home, options: &Table, figures: &mut Figures) -> anyhow::Result<()> {
    let peak = super::peak(options, figures)?;
    let server = home.start(&[])?;
    let asked = Asked {
        scale: peak / OVERLOAD_PEAK,
        ..Asked::NOTHING
    };
    let record = run_judged(&server, "overload", &asked)?;
    if record["verdict"]["valid"] != true {
        not_valid(figures, "overload", &record);
        return server.stop();
    }
    for check in record["verdict"]["checks"].as_array().into_iter().flatten() {
        if check["met"] != true {
            let of = |name: &str| text(&check[name]).to_string();
            figures.note(format!("overload: {} {} ({})", of("name"), of("value"), of("limit")));
        }
    }
    let mean = |name: &str, from: f64, to: f64| {
        let points = crate::page::column(&record["samples"], name, 1.0);
        let within: Vec<f64> = points
            .into_iter()
            .filter(|point| from <= point.0 && point.0 < to)
            .map(|point| point.1)
            .collect();
        (within.iter().sum::<f64>() / within.len().max(1) as f64, within)
    };
    let (good, _) = mean("answered_per_second", 18.0, 30.0);
    let name = "overload: good answers, share of the peak";
    figures.add(name, "%", Some((80.0, true)), good / peak * 100.0);
    let refusals = &record["totals"]["refusal_us"]["p99"];
    if number(&record["totals"]["refusals"]) > 0.0 {
        let name = "overload: refusals, p99";
        figures.add(name, "ms", Some((5.0, false)), number(refusals) / 1e3);
    } else {
        figures.note("overload: no request was refused".into());
    }
    // The first second from which on every one is as before.
    let (_, before) = mean("p99_us", 5.0, 15.0);
    let normal = super::median(&before) * 2.0;
    let after = crate::page::column(&record["samples"], "p99_us", 1.0);
    let last_bad = after.iter().filter(|point| point.0 >= 30.0 && point.1 > normal);
    let back = last_bad.map(|point| point.0 - 29.0).fold(0.0, f64::max);
    let name = "overload: p99 within twice of before, after";
    figures.add(name, "s", Some((10.0, false)), back);
    server.stop()
}

/// The same load with and without clients that only take up room.
pub(super) fn slow_clients(home: &Home, options: &Table, figures: &mut Figures) -> anyhow::Result<()> {
    let half = super::peak(options, figures)? / 2.0;
    let allowed = (options.slow_clients + LOAD_CONNECTIONS).to_string();
    let mut p99 = Vec::new();
    for (clients, name) in [
        (0, "p99 without slow clients"),
        (options.slow_clients, "p99 with slow clients"),
    ] {
        let server = home.start(&[("TOLLGATE_API__CONNECTIONS_MAX", &allowed)])?;
        let asked = Asked {
            scale: half / SLOW_CLIENTS_RATE,
            duration_s: Some(options.seconds * 3.0),
            slow_clients: Some(clients),
            ..Asked::NOTHING
        };
        if let Some(record) = run(&server, "slow-clients", &asked, figures)? {
            add_latency(figures, name, None, &record);
            p99.extend(record["totals"]["latency_all_us"]["p99"].as_f64());
            if clients > 0 {
                let held = number(&record["slow_clients"]["held_max"]);
                figures.add("  slow clients held at once", "", None, held);
            }
        }
        server.stop()?;
    }
    if let [without, with] = p99[..] {
        let name = "p99 with slow clients against without";
        figures.add(name, "%", Some((110.0, false)), with / without.max(1.0) * 100.0);
    }
    Ok(())
}

/// The mix, once.
pub(super) fn black_friday(home: &Home, options: &Table, figures: &mut Figures) -> anyhow::Result<()> {
    let server = home.start(&[])?;
    let asked = Asked {
        scale: options.black_friday_scale,
        duration_s: Some(options.black_friday),
        ..Asked::NOTHING
    };
    let record = run_judged(&server, "black-friday", &asked)?;
    if let Some(path) = &options.black_friday_html {
        crate::write_file(path, &crate::page::page(&record))?;
    }
    if record["verdict"]["valid"] != true {
        not_valid(figures, "black-friday", &record);
        return server.stop();
    }
    if record["verdict"]["good"] != true {
        figures.note(format!("black-friday: {}", text(&record["verdict"]["line"])));
    }
    let of = format!("Black Friday at scale {}", options.black_friday_scale);
    let totals = &record["totals"];
    add_latency(figures, &format!("{of}, p99"), Some((50.0, false)), &record);
    figures.add(
        &format!("{of}, requests"),
        "/s",
        None,
        number(&totals["good_per_second"]),
    );
    figures.add(
        &format!("{of}, payments"),
        "/s",
        None,
        number(&totals["payments_per_second"]),
    );
    figures.add(
        &format!("{of}, failed"),
        "",
        Some((0.0, false)),
        number(&totals["failed"]),
    );
    let differences = number(&record["money"]["difference_count"]);
    figures.add(
        &format!("{of}, differences in the money"),
        "",
        Some((0.0, false)),
        differences,
    );
    if let Some(memory) = server.memory() {
        figures.add(&format!("{of}, memory of the server"), "MB", None, memory / 1e6);
    }
    server.stop()
}

/// The tool itself, against a server that does nothing, on other processors.
pub(super) fn own(home: &Home, options: &Table, figures: &mut Figures) -> anyhow::Result<()> {
    let (tool, others) = home.apart()?;
    let responder = home.responder(&others)?;
    super::server::pin(&[tool])?;
    let scenario = format!(
        "name = \"own\"\n[rate]\nwarmup_s = 2\n[[rate.phase]]\nrate = {OWN_RATE}\nseconds = {}\n\
         [[flow]]\nname = \"payment\"\nsteps = [\"pay\"]\n[[flow]]\nname = \"poll\"\nweight = 14\nsteps = [\"retrieve\"]\n\
         [merchants]\ncount = 1000\npayments_before = 100\n[client]\nconnections_max = 256\npatience_s = 1\n\
         [slo]\nerrors_max = 1.0\nstop_early = false\n[verify]\nmoney = false\n",
        options.seconds + 2.0
    );
    let scenario = Scenario::parse(&scenario).map_err(anyhow::Error::msg)?;
    let record = record(scenario, &Asked::NOTHING, &responder.api, None, None)?;
    let samples = crate::page::column(&record["samples"], "answered_per_second", 1.0);
    let measured: Vec<f64> = samples
        .iter()
        .filter(|point| point.0 >= 2.0)
        .map(|point| point.1)
        .collect();
    let name = "requests/s sent and read by one core of the tool";
    figures.add(name, "/s", Some((OWN_RATE * 0.99, true)), super::median(&measured));
    let us = number(&record["cpu"]["own_us_per_request"]);
    figures.add("  its CPU a request", "us", None, us);
    figures.add("  its own lag, p99", "ms", None, number(&record["lag_us"]["p99"]) / 1e3);
    Ok(())
}

fn add_latency(figures: &mut Figures, name: &str, goal: Option<(f64, bool)>, record: &Value) {
    let us = &record["totals"]["latency_all_us"]["p99"];
    if us.is_null() {
        figures.note(format!("{name}: more than 1 in 100 requests failed"));
        return;
    }
    figures.add(name, "ms", goal, number(us) / 1e3);
}

/// Runs a built-in scenario. A verdict that is not good becomes a note; a run that is not valid has no figures at all.
fn run(server: &Server, name: &str, asked: &Asked, figures: &mut Figures) -> anyhow::Result<Option<Value>> {
    let record = run_judged(server, name, asked)?;
    if record["verdict"]["valid"] != true {
        not_valid(figures, name, &record);
        return Ok(None);
    }
    if record["verdict"]["good"] != true {
        figures.note(format!("{name}: {}", text(&record["verdict"]["line"])));
    }
    Ok(Some(record))
}

fn not_valid(figures: &mut Figures, name: &str, record: &Value) {
    let line = text(&record["verdict"]["line"]);
    figures.note(format!("{name}: not valid, so this round has no figures: {line}"));
}

fn run_judged(server: &Server, name: &str, asked: &Asked) -> anyhow::Result<Value> {
    let scenario =
        Scenario::parse(crate::scenario::text_of(name).expect("it is built in")).map_err(anyhow::Error::msg)?;
    let metrics = format!("{}/metrics", server.admin);
    record(
        asked.applied(scenario),
        asked,
        &server.api,
        Some(metrics),
        Some(server.pid()),
    )
}

fn record(
    scenario: Scenario,
    asked: &Asked,
    url: &str,
    metrics_url: Option<String>,
    server_pid: Option<u32>,
) -> anyhow::Result<Value> {
    let met = Met {
        url,
        key: None,
        threads: 1,
        server_pid,
        start_at_unix_s: None,
    };
    let open = Open {
        seed: 1,
        no_verify: false,
        metrics_url,
        quiet: true,
    };
    open_run::record_of(scenario, asked, &met, &open).map_err(|stop| match stop {
        crate::Stop::Use(text) => anyhow::anyhow!(text),
        crate::Stop::Environment(error) => error,
    })
}
