//! The command line.

use crate::merchants::Part;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Puts load on a payments API over HTTP and checks that no cent went missing.
#[derive(Debug, Parser)]
#[command(name = "tollgate-load", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 good; 1 something failed, a bound was missed, a cent is missing, or the run is not valid; 2 wrong use; 3 the server \
cannot be reached or a file cannot be written.";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a scenario and report.
    Run(Box<Run>),
    /// List the scenarios there are.
    List,
    /// Print a built-in scenario: a file to copy and change.
    Show {
        /// Its name.
        name: String,
    },
    /// Compare the reports of two open-loop runs: what differs, and whether that is more than chance.
    Compare {
        /// The JSON report to compare with.
        a: PathBuf,
        /// The JSON report that is compared.
        b: PathBuf,
        /// Write the comparison as a page to this file.
        #[arg(long)]
        html: Option<PathBuf>,
    },
    /// Add up the reports of generators that each ran a part of one scenario (`run --part`), and judge the whole.
    Merge(Merge),
    /// Print the load of a report as a file of rates, one a second, for a phase with `shape = "profile"`.
    Profile {
        /// The JSON report.
        json: PathBuf,
    },
    /// Find the highest rate at which a scenario meets what it asks for.
    Knee(Box<Knee>),
    /// Measure everything the server is judged by, on servers it starts itself, and print the table.
    Table(Box<Table>),
    /// Be a server that gives every request the same answer: to measure this tool itself.
    Respond {
        /// Where to listen; port 0 takes a free one.
        #[arg(default_value = "127.0.0.1:0")]
        address: String,
        /// Threads that answer.
        #[arg(default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
        threads: u32,
    },
    /// Make the page of a JSON report again.
    Page {
        /// The JSON report.
        json: PathBuf,
        /// The page to write.
        html: PathBuf,
    },
}

/// Closed loops: each connection sends its next request when it has its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClosedLoop {
    /// Each request makes and confirms a payment with a key of its own.
    Payments,
    /// Payments made beforehand are read by their ids.
    Reads,
    /// Reads and payments, nine to one.
    Mixed,
}

impl ClosedLoop {
    /// Each, with what it does.
    pub(crate) const ALL: [(ClosedLoop, &str); 3] = [
        (
            ClosedLoop::Payments,
            "closed loop: each request makes and confirms a payment with a key of its own",
        ),
        (
            ClosedLoop::Reads,
            "closed loop: payments made beforehand are read by their ids",
        ),
        (ClosedLoop::Mixed, "closed loop: reads and payments, nine to one"),
    ];

    /// The one with this name.
    pub(crate) fn named(name: &str) -> Option<ClosedLoop> {
        ClosedLoop::ALL
            .into_iter()
            .map(|known| known.0)
            .find(|known| known.name() == name)
    }

    /// Its word on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ClosedLoop::Payments => "payments",
            ClosedLoop::Reads => "reads",
            ClosedLoop::Mixed => "mixed",
        }
    }

    /// Share of steps that read a known payment.
    pub(crate) fn read_share(self) -> f64 {
        match self {
            ClosedLoop::Payments => 0.0,
            ClosedLoop::Reads => 1.0,
            ClosedLoop::Mixed => 0.9,
        }
    }
}

/// Options of a search for the knee.
#[derive(Debug, Args)]
pub(crate) struct Knee {
    /// A built-in scenario, or the path of a scenario file.
    pub(crate) scenario: String,
    /// What every open loop takes.
    #[command(flatten)]
    pub(crate) open: Open,
    /// The server, as http://HOST:PORT.
    #[arg(long)]
    pub(crate) url: String,
    /// Secret API key of the one account to use [default: the scenario's merchants].
    #[arg(long, env = "TOLLGATE_LOAD_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
    /// Threads that generate load.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) threads: u32,
    /// Rate to begin with, requests per second.
    #[arg(long, default_value_t = 1000.0, value_parser = rate)]
    pub(crate) from: f64,
    /// Rate not to go beyond.
    #[arg(long, default_value_t = 1_000_000.0, value_parser = rate)]
    pub(crate) to: f64,
    /// Seconds each rate is held, of which the first fifth is warm-up.
    #[arg(long, default_value_t = 10.0, value_parser = seconds)]
    pub(crate) hold: f64,
    /// How near to come to the knee, as a share of the rate.
    #[arg(long, default_value_t = 0.05, value_parser = share)]
    pub(crate) precision: f64,
    /// Write the curve as JSON to this file.
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
    /// Write the curve as a page to this file.
    #[arg(long)]
    pub(crate) html: Option<PathBuf>,
}

/// Options of every open loop.
#[derive(Debug, Args)]
pub(crate) struct Open {
    /// Open loops: what chance is drawn from; the same seed gives the same schedule.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Open loops: do not check the money, whatever the scenario says.
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Open loops: page with the server's metrics in Prometheus form, read once a second.
    #[arg(long)]
    pub(crate) metrics_url: Option<String>,
    /// Open loops: no live view, and no lines while it runs.
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// Options of a run.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// A built-in scenario (`tollgate-load list`), or the path of a scenario file.
    pub(crate) scenario: String,
    /// What open loops take.
    #[command(flatten)]
    pub(crate) open: Open,
    /// Open loops: all rates times this [default: 1].
    #[arg(long, value_parser = scale, conflicts_with = "rate")]
    pub(crate) scale: Option<f64>,
    /// Open loops: scale the scenario so that its peak is this many API requests per second.
    #[arg(long, value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Open loops: be the K-th of N generators that share the scenario, as K/N; `merge` adds their reports up.
    #[arg(long, value_parser = part)]
    pub(crate) part: Option<Part>,
    /// Open loops: start the schedule at this time, in seconds since 1970, so that several generators start together.
    #[arg(long, value_parser = unix_seconds)]
    pub(crate) start_at: Option<f64>,
    /// Open loops: hold that many connections beside the load that send their requests a byte at a time.
    #[arg(long)]
    pub(crate) slow_clients: Option<u32>,
    /// Open loops: register so many webhook endpoints for each merchant, receive everything they are sent, and check it.
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=i64::from(crate::sink::ENDPOINTS_MAX)))]
    pub(crate) webhooks: Option<u32>,
    /// Write the report of an open loop as a page to this file.
    #[arg(long)]
    pub(crate) html: Option<PathBuf>,
    /// The server, as http://HOST:PORT.
    #[arg(long)]
    pub(crate) url: String,
    /// Secret API key; its account should be used by nothing else during the run [open loops: the scenario's merchants].
    #[arg(long, env = "TOLLGATE_LOAD_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
    /// Keep-alive connections; each has one request under way [default: 64; open loops: at most those of the scenario].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) connections: Option<u32>,
    /// Length of the measured window, seconds [default: 10, or until --requests are done; open loops: the whole schedule
    /// with its warm-up is stretched or pressed to this length].
    #[arg(long, value_parser = seconds)]
    pub(crate) duration: Option<f64>,
    /// Closed loops: requests in the measured window.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) requests: Option<u64>,
    /// Closed loops: time before the measured window, seconds [default: 1].
    #[arg(long, value_parser = seconds)]
    pub(crate) warmup: Option<f64>,
    /// Threads that generate load; connections are shared out among them.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) threads: u32,
    /// Closed loops: share of payments sent again with the same key (0 to 1); the answers must be the same bytes.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    pub(crate) retry_share: f64,
    /// Closed loops: accounts that payments are spread over, each connection on one; their keys are --key and a number.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) spread: u32,
    /// Closed loops: write the ids of one payment in a hundred to this file, for later reads.
    #[arg(long)]
    pub(crate) ids_out: Option<PathBuf>,
    /// Closed loops: read the payments of this file, made by --ids-out, instead of new ones.
    #[arg(long)]
    pub(crate) ids: Option<PathBuf>,
    /// Closed loops: test payment method that pays.
    #[arg(long, default_value = "pm_card_visa", value_parser = word)]
    pub(crate) card: String,
    /// Closed loops: time an answer may take, seconds.
    #[arg(long, default_value_t = 30.0, value_parser = seconds)]
    pub(crate) timeout: f64,
    /// Process id of the server on this machine: its CPU time per request is reported.
    #[arg(long)]
    pub(crate) server_pid: Option<u32>,
    /// Closed loops: check the money afterwards: lists, balance transactions and balance must agree with every answer.
    #[arg(long)]
    pub(crate) verify: bool,
    /// Write the report as JSON to this file.
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
}

/// Reports to merge.
#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// The JSON reports of all parts, in any order.
    #[arg(required = true)]
    pub(crate) reports: Vec<PathBuf>,
    /// Write the merged report as JSON to this file.
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
    /// Write it as a page to this file.
    #[arg(long)]
    pub(crate) html: Option<PathBuf>,
}

/// Options of the table of measures.
#[derive(Debug, Args)]
pub(crate) struct Table {
    /// The server's binary [default: tollgate, beside this one].
    #[arg(long)]
    pub(crate) server: Option<PathBuf>,
    /// A second binary, measured in turn with the first: A, B, A, B.
    #[arg(long)]
    pub(crate) against: Option<PathBuf>,
    /// How often each figure is measured.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// Seconds that a closed loop is measured; open loops take two and three times that.
    #[arg(long, default_value_t = 20.0, value_parser = positive_seconds)]
    pub(crate) seconds: f64,
    /// Seconds of a closed loop before it is measured.
    #[arg(long, default_value_t = 3.0, value_parser = seconds)]
    pub(crate) warmup: f64,
    /// Measures to take [default: all].
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Processors that server and tool share, such as 0,1; none for all.
    #[arg(long, value_delimiter = ',', default_value = "0,1", value_parser = processor)]
    pub(crate) cpus: Vec<usize>,
    /// Processors of the tool [default: those of the server].
    #[arg(long, value_delimiter = ',', value_parser = processor)]
    pub(crate) tool_cpus: Vec<usize>,
    /// Directory under which the servers' data lives for a while [default: that for temporary files].
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    /// Peak rate that other measures follow from, instead of measuring it.
    #[arg(long, value_parser = rate)]
    pub(crate) peak: Option<f64>,
    /// Payments that the "filled" measure makes first; 0 skips it.
    #[arg(long, default_value_t = 0)]
    pub(crate) fill: u64,
    /// Clients that only take up room; as many as may be opened are.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) slow_clients: u32,
    /// Seconds of the Black Friday mix; 0 skips it.
    #[arg(long, default_value_t = 620.0, value_parser = seconds)]
    pub(crate) black_friday: f64,
    /// Scale of the Black Friday mix.
    #[arg(long, default_value_t = 1.0, value_parser = scale)]
    pub(crate) black_friday_scale: f64,
    /// Write the page of the Black Friday run to this file.
    #[arg(long)]
    pub(crate) black_friday_html: Option<PathBuf>,
    /// Write everything as JSON to this file.
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
    /// Write the table, in Markdown, to this file too.
    #[arg(long)]
    pub(crate) markdown: Option<PathBuf>,
}

/// Most generators that share a scenario.
const PARTS_MAX: u32 = 1_000;

/// Longest time that can be given, in seconds: a week.
const SECONDS_MAX: f64 = 7.0 * 24.0 * 3600.0;

fn seconds(text: &str) -> Result<f64, String> {
    number_in(text, 0.0, SECONDS_MAX)
}

fn positive_seconds(text: &str) -> Result<f64, String> {
    number_in(text, 0.1, SECONDS_MAX)
}

fn processor(text: &str) -> Result<usize, String> {
    /// Processors that a set can name.
    const PROCESSORS_MAX: f64 = 1_023.0;
    number_in(text, 0.0, PROCESSORS_MAX).map(|number| number as usize)
}

fn scale(text: &str) -> Result<f64, String> {
    number_in(text, 0.000_001, 1_000.0)
}

fn rate(text: &str) -> Result<f64, String> {
    number_in(text, 1.0, 10_000_000.0)
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

/// Reads `2/3`: the second of three.
fn part(text: &str) -> Result<Part, String> {
    let read = |text: &str| text.parse::<u32>().ok();
    let pair = text.split_once('/').and_then(|(part, of)| read(part).zip(read(of)));
    match pair {
        Some((part, count)) if 1 <= part && part <= count && count <= PARTS_MAX => Ok(Part { index: part - 1, count }),
        _ => Err(format!(
            "write K/N with K from 1 to N, and N at most {PARTS_MAX}: 2/3 is the second of three"
        )),
    }
}

fn unix_seconds(text: &str) -> Result<f64, String> {
    // Until the year 2286: an eleventh digit is most likely a time in other units.
    number_in(text, 0.0, 1e10)
}

fn word(text: &str) -> Result<String, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        Ok(text.into())
    } else {
        Err("write letters, digits and underscores".into())
    }
}
