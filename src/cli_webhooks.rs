//! `tollgate webhooks …` as it is written on the command line.

use crate::admin_client::ServerFlags;
use clap::{Args, Subcommand, ValueEnum, value_parser};

/// What can be asked of a running server's deliveries.
#[derive(Subcommand)]
pub(crate) enum WebhooksCommand {
    /// List the endpoints of this node that are furthest behind: what is being done for each, what waits, what was given up.
    List {
        /// Most endpoints.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        server: ServerFlags,
    },
    /// Show how delivery to one endpoint goes.
    Show(OneEndpoint),
    /// List attempts to deliver, newest first: when (UTC), which event, what came of it; with --json also the beginning of
    /// the receiver's answer.
    Attempts {
        /// The endpoint.
        #[arg(value_name = "ENDPOINT")]
        endpoint: String,
        /// Only attempts to bring this event.
        #[arg(long, value_name = "EVENT")]
        event: Option<String>,
        /// Only attempts with this outcome.
        #[arg(long, value_enum)]
        outcome: Option<Outcome>,
        /// Most attempts, 1 to 100.
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = value_parser!(u8).range(1..=100))]
        limit: u8,
        /// Only attempts older than this one: the next page.
        #[arg(long, value_name = "ATTEMPT")]
        after: Option<String>,
        #[command(flatten)]
        server: ServerFlags,
    },
    /// Send one event to an endpoint again, whether it was taken or not.
    Resend {
        /// The endpoint.
        #[arg(value_name = "ENDPOINT")]
        endpoint: String,
        /// The event.
        #[arg(value_name = "EVENT")]
        event: String,
        #[command(flatten)]
        server: ServerFlags,
    },
    /// Send the events of a range of time to an endpoint again, oldest first, as a job that goes on through restarts.
    Recover {
        /// The endpoint.
        #[arg(value_name = "ENDPOINT")]
        endpoint: String,
        /// Events that happened at or after this: 2026-11-21T13:00:00Z, 2026-11-21, or seconds since the Unix epoch. UTC.
        #[arg(long, value_name = "TIME")]
        since: String,
        /// Events that happened before this; up to now without it.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// Only events of this type, such as payment_intent.succeeded or charge.*; may be given several times.
        #[arg(long = "type", value_name = "TYPE")]
        types: Vec<String>,
        /// Which events of the range.
        #[arg(long, value_enum, default_value_t = Scope::Undelivered)]
        scope: Scope,
        #[command(flatten)]
        server: ServerFlags,
    },
    /// List the recoveries of an endpoint with how far they are, or show or cancel one.
    Jobs {
        /// The endpoint.
        #[arg(value_name = "ENDPOINT")]
        endpoint: String,
        /// Only this one.
        #[arg(value_name = "RECOVERY")]
        job: Option<String>,
        /// End it; what it has sent stays sent.
        #[arg(long, requires = "job")]
        cancel: bool,
        #[command(flatten)]
        server: ServerFlags,
    },
    /// List the events that were given up on the way to an endpoint, oldest first.
    DeadLetters {
        /// The endpoint.
        #[arg(value_name = "ENDPOINT")]
        endpoint: String,
        /// Most of them, 1 to 100.
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = value_parser!(u8).range(1..=100))]
        limit: u8,
        /// Only events newer than this one: the next page.
        #[arg(long, value_name = "EVENT")]
        after: Option<String>,
        #[command(flatten)]
        server: ServerFlags,
    },
    /// Send events again that were given up: these, or all that were given up on some days.
    Replay {
        /// The endpoint.
        #[arg(value_name = "ENDPOINT")]
        endpoint: String,
        /// The events.
        #[arg(value_name = "EVENT", required_unless_present = "since", conflicts_with = "since")]
        events: Vec<String>,
        /// The first day on which they were given up (UTC), as a date or any time of it.
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// The last day; today without it.
        #[arg(long, value_name = "TIME", requires = "since")]
        until: Option<String>,
        #[command(flatten)]
        server: ServerFlags,
    },
    /// Send an event that is made for it, and show what came of it. Exits 1 if it was not taken.
    Test(OneEndpoint),
    /// Send nothing to an endpoint until it is resumed; what happens meanwhile waits, for 30 days.
    Pause(OneEndpoint),
    /// Send what waits, and try a receiver that failed too often at once.
    Resume(OneEndpoint),
}

/// An endpoint of a running server.
#[derive(Args)]
pub(crate) struct OneEndpoint {
    /// The endpoint.
    #[arg(value_name = "ENDPOINT")]
    pub endpoint: String,
    #[command(flatten)]
    pub server: ServerFlags,
}

/// What came of an attempt.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Outcome {
    /// The receiver took the event.
    Succeeded,
    /// It did not.
    Failed,
}

/// Which events of a range are sent again.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Scope {
    /// Those that the endpoint has not taken.
    Undelivered,
    /// Those that it has taken before.
    Delivered,
    /// All.
    All,
}
