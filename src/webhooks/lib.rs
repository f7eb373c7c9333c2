//! Delivery of events to the endpoints that merchants registered. Knows neither what an event says nor where it is kept:
//! accounts are numbers, types are names, bodies are bytes.
//!
//! - A [`book`] is what has to be known of one endpoint after a crash. Lanes change it, and their notes say how.
//! - A lane (`lane/`) is everything that is held of an endpoint while its shard is served here: a plain struct, with its order,
//!   its limits, its breaker and its retries.
//! - A [`Hall`](hall::Hall) has the lanes of one thread, and the shards they are of; it is told what happened and says what is to
//!   be done. The simulation (`tests/simulation`) runs halls in virtual time.
//! - The [`ports`] are what delivery needs of the rest.
//!
//! Reading order: [`endpoint`], [`filter`], [`ports`], [`seqs`], [`book`], `lane`, `notes`, [`hall`], `dispatcher`,
//! [`signing`], [`egress`].

pub mod book;
mod dispatcher;
pub mod egress;
pub mod endpoint;
mod entropy;
pub mod filter;
pub mod hall;
mod lane;
mod logged;
pub mod metrics;
mod notes;
pub mod ports;
mod registry;
mod secret;
pub mod seqs;
pub mod signing;

pub use dispatcher::{Dispatcher, DispatcherPorts, DispatcherSettings};
pub use endpoint::{EndpointKey, EndpointView, Ordering, Schedule, Status, SwitchedOff};
pub use filter::Patterns;
pub use lane::{BreakerState, Halt, Sending, Sent, SentResult};
pub use logged::EXCERPT_MAX;
pub use notes::NoteError;
pub use registry::Registry;
pub use secret::{ActiveSecret, Secret};

/// An account whose journal went on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moved {
    /// The account.
    pub account: u64,
    /// Everything up to this sequence number is durable.
    pub upto: u64,
    /// When its endpoints changed: the number of that change in its shard; rises by any amount, within one epoch.
    pub change: Option<u64>,
}
