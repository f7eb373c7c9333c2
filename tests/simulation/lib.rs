//! Deterministic simulation of Tollgate's shards under one seed.
//!
//! Real: [`tollgate_actors::shard::Shard`] with its key and account actors, gate, timers and passivation, under its
//! supervisor; the domain; the record encoding; the loading and listing code of reader threads; the index and envelope
//! of the store; the hall that delivers webhooks, which reads that journal and notes its progress in it. Simulated: time (two
//! clocks), the order of everything, the store's commits (`store::memory`), clients, an acquirer with a book of its own, and
//! receivers of webhooks.
//!
//! An auditor, independent of the shard's code, follows the journal block by block and every answer as it leaves, and
//! says which of them may not be. It draws no randomness. What is checked stands in [`auditor`].
//!
//! Reading order: [`plan`] (a history), [`world`] (how it happens), [`auditor`], [`shrink`].

pub mod acquirer;
pub mod auditor;
pub mod bodies;
pub mod clients;
pub mod merchants;
pub mod plan;
pub mod ports;
pub mod receivers;
pub mod shrink;
pub mod trace;
pub mod world;

pub use plan::Plan;
pub use world::{Counts, World};

use auditor::Failure;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a history from its beginning to its audit. The same plan gives the same result, hash included.
///
/// # Errors
/// The first thing that must not be; also a panic outside of the shards.
pub fn run(plan: &Plan) -> Result<(Counts, u64), Failure> {
    ports::collect_panics();
    ports::take_panics();
    let found = catch_unwind(AssertUnwindSafe(|| World::new(plan).run())).unwrap_or_else(|_| {
        let what = ports::take_panics().join("; ");
        Err(Failure {
            check: "a panic outside of the shards",
            what,
            at_ms: 0,
        })
    });
    ports::print_panics();
    found
}
