//! The engine's outbox and the delivery of webhooks, each in the words of the other: accounts, endpoints, events and notes as
//! delivery asks for them, and what it reports as the domain decides about it.
//!
//! No threads, no settings, nothing is kept: the server calls it on its readers, the simulation in its turns, so what the
//! simulation finds nothing wrong with is what runs.
//!
//! Reading order: [`journal`], [`endpoint`], [`told`].

pub mod endpoint;
pub mod journal;
pub mod told;

pub use endpoint::{Usual, account};
