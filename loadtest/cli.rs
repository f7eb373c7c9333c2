//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Puts load on a payments API over HTTP and checks that no cent went missing.
#[derive(Debug, Parser)]
#[command(name = "tollgate-load", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 good; 1 something failed or a cent is missing; 2 wrong use; 3 the server \
cannot be reached or a file cannot be written.";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a scenario and report.
    Run(Run),
}

/// Scenarios there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Each request makes and confirms a payment with a key of its own.
    Payments,
    /// Payments made beforehand are read by their ids.
    Reads,
    /// Reads and payments, nine to one.
    Mixed,
}

impl Scenario {
    /// Its word on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scenario::Payments => "payments",
            Scenario::Reads => "reads",
            Scenario::Mixed => "mixed",
        }
    }

    /// Share of steps that read a known payment.
    pub(crate) fn read_share(self) -> f64 {
        match self {
            Scenario::Payments => 0.0,
            Scenario::Reads => 1.0,
            Scenario::Mixed => 0.9,
        }
    }
}

/// Options of a run.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// What to send.
    #[arg(value_enum)]
    pub(crate) scenario: Scenario,
    /// The server, as http://HOST:PORT.
    #[arg(long)]
    pub(crate) url: String,
    /// Secret API key; its account should be used by nothing else during the run.
    #[arg(long, env = "TOLLGATE_LOAD_KEY", hide_env_values = true)]
    pub(crate) key: String,
    /// Keep-alive connections; each has one request under way.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) connections: u32,
    /// Length of the measured window, seconds [default: 10, or until --requests are done].
    #[arg(long, value_parser = seconds)]
    pub(crate) duration: Option<f64>,
    /// Requests in the measured window.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) requests: Option<u64>,
    /// Time before the measured window, seconds.
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    pub(crate) warmup: f64,
    /// Threads that generate load; connections are shared out among them.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) threads: u32,
    /// Share of payments sent again with the same key (0 to 1); the answers must be the same bytes.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    pub(crate) retry_share: f64,
    /// Test payment method that pays.
    #[arg(long, default_value = "pm_card_visa", value_parser = word)]
    pub(crate) card: String,
    /// Time an answer may take, seconds.
    #[arg(long, default_value_t = 30.0, value_parser = seconds)]
    pub(crate) timeout: f64,
    /// Process id of the server on this machine: its CPU time per request is reported.
    #[arg(long)]
    pub(crate) server_pid: Option<u32>,
    /// Check the money afterwards: lists, balance transactions and balance must agree with every answer.
    #[arg(long)]
    pub(crate) verify: bool,
    /// Write the report as JSON to this file.
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
}

/// Longest time that can be given, in seconds: a week.
const SECONDS_MAX: f64 = 7.0 * 24.0 * 3600.0;

fn seconds(text: &str) -> Result<f64, String> {
    number_in(text, 0.0, SECONDS_MAX)
}

fn share(text: &str) -> Result<f64, String> {
    number_in(text, 0.0, 1.0)
}

fn number_in(text: &str, least: f64, most: f64) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (least..=most).contains(&value) => Ok(value),
        _ => Err(format!("write a number from {least} to {most}")),
    }
}

fn word(text: &str) -> Result<String, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        Ok(text.into())
    } else {
        Err("write letters, digits and underscores".into())
    }
}
