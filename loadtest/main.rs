//! The load tool: puts load on a payments API over HTTP, measures it, and checks that no cent went missing.
//!
//! It knows only HTTP. An open loop ([`open_run`]) sends what a [`scenario`] says when its [`schedule`] says so, whatever
//! the server does; a closed loop ([`closed_run`]) lets each connection send its next request when it has its answer, so
//! the load follows the server's speed. Reading order: [`cli`], [`scenario`], [`schedule`], [`open_run`], [`open_loop`],
//! [`reconcile`], [`verdict`], [`record`], [`page`]; then [`closed_run`], [`generator`], [`worker`], [`money`].

mod accounts;
mod acknowledged;
mod body;
mod chart;
mod cli;
mod closed_run;
mod compare;
mod connection;
mod environment;
mod exact;
mod flow;
mod form;
mod generator;
mod ids;
mod knee;
mod layout;
mod lists;
mod measured;
mod merchants;
mod merge;
mod money;
mod nearest;
mod open_loop;
mod open_run;
mod page;
mod process;
mod random;
mod reconcile;
mod record;
mod report;
mod request;
mod responder;
mod response;
mod scenario;
mod schedule;
mod scrape;
mod sink;
mod slow_clients;
mod summary;
mod table;
mod tally;
mod target;
mod verdict;
mod watch;
mod worker;

use anyhow::Context;
use clap::Parser;
use cli::{Cli, ClosedLoop, Command};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Why there is no report.
pub(crate) enum Stop {
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
    match carry_out(&Cli::parse().command) {
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

/// Does what was asked for; says whether all was good.
fn carry_out(command: &Command) -> Result<bool, Stop> {
    match command {
        Command::Run(options) => match ClosedLoop::named(&options.scenario) {
            Some(scenario) => closed_run::run(scenario, options),
            None => open_run::run(options),
        },
        Command::List => list(),
        Command::Show { name } => {
            let text = scenario::text_of(name).ok_or_else(|| Stop::Use(open_run::unknown_scenario(name)))?;
            print(text)?;
            Ok(true)
        }
        Command::Compare { a, b, html } => compare::run(a, b, html.as_deref()),
        Command::Merge(options) => merge::run(options),
        Command::Profile { json } => {
            print(&page::profile(&read_record(json)?))?;
            Ok(true)
        }
        Command::Table(options) => table::run(options),
        Command::Respond { address, threads } => {
            responder::run(address, *threads as usize)?;
            Ok(true)
        }
        Command::Knee(options) => knee::run(options),
        Command::Page { json, html } => {
            let record = read_record(json)?;
            write_file(html, &page::page(&record))?;
            Ok(true)
        }
    }
}

fn list() -> Result<bool, Stop> {
    let mut out = String::new();
    for (name, text) in scenario::BUILT_IN {
        let about = scenario::Scenario::parse(text)
            .expect("built-in scenarios are tested")
            .about;
        out.push_str(&format!("{name:<16} {about}\n"));
    }
    for (scenario, about) in ClosedLoop::ALL {
        out.push_str(&format!("{:<16} {about}\n", scenario.name()));
    }
    print(&out)?;
    Ok(true)
}

/// Writes to stdout.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to stdout")
}

/// Writes a file, or says which could not be written.
pub(crate) fn write_file(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Reads a report of an open loop.
pub(crate) fn read_record(path: &Path) -> Result<serde_json::Value, Stop> {
    let wrong = |what: String| Stop::Use(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let record: serde_json::Value = serde_json::from_str(&text).map_err(|error| wrong(format!("no JSON: {error}")))?;
    if record["format"] != record::FORMAT || record["kind"] != "run" {
        return Err(wrong(format!("no report of an open loop in format {}", record::FORMAT)));
    }
    Ok(record)
}

/// A number drawn from the system, so that no two runs on one account ever share an idempotency key.
pub(crate) fn run_number() -> anyhow::Result<u64> {
    let mut run = [0; 8];
    getrandom::fill(&mut run).map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
    Ok(u64::from_ne_bytes(run))
}

/// Refuses what cannot stand in a header.
pub(crate) fn check_key(key: &str) -> Result<(), Stop> {
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Stop::Use(
            "--key is not usable: write the secret key alone, e.g. sk_test_…".into(),
        ));
    }
    Ok(())
}
