//! Delivery of events to the endpoints that merchants registered. Knows neither what an event says nor where it is kept:
//! accounts are numbers, types are names, bodies are bytes.
//!
//! Reading order: [`endpoint`], [`filter`], [`ports`], [`seqs`], [`book`], [`signing`], [`egress`].

pub mod book;
pub mod egress;
pub mod endpoint;
pub mod filter;
mod logged;
pub mod ports;
mod secret;
pub mod seqs;
pub mod signing;

pub use endpoint::{EndpointKey, EndpointView, Ordering, Schedule, Status};
pub use filter::Patterns;
pub use logged::EXCERPT_MAX;
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
