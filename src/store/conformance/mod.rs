//! The suite that every backend passes: what [`crate::Journal`], [`crate::Reads`] and [`crate::Scan`] promise, as facts.
//!
//! A backend's tests call [`run`] with a way to make an empty [`Subject`] of at least [`SHARDS`] shards. A broken promise
//! panics with the name of the fact.

mod fencing;
mod lists;
mod lookups;
mod script;

pub use script::{Script, heads_of, wait};

use crate::{Journal, Reads, Scan};
use std::sync::Arc;

/// Shards that the suite writes to: 0 to 3, and the directory's.
pub const SHARDS: u16 = 4;

/// Both sides of a store.
pub trait Store: Journal + Reads {}
impl<T: Journal + Reads + ?Sized> Store for T {}

/// A store under test, with its life cycle.
pub trait Subject {
    /// The open store.
    fn store(&self) -> Arc<dyn Store>;

    /// Its journal, read without its index.
    fn scan(&self) -> Box<dyn Scan>;

    /// Closes it and opens the same data again.
    fn restart(self: Box<Self>) -> Box<dyn Subject>;
}

/// One promise and how it is checked.
pub type Fact = (&'static str, fn(Box<dyn Subject>));

/// Every promise.
pub const FACTS: &[Fact] = &[
    (
        "an empty store answers nothing",
        lookups::an_empty_store_answers_nothing,
    ),
    (
        "what is durable can be read at once",
        lookups::what_is_durable_can_be_read_at_once,
    ),
    (
        "births and newest versions are found by sequence",
        lookups::births_and_newest_versions_are_found,
    ),
    (
        "keys lead to their newest outcome",
        lookups::keys_lead_to_their_newest_outcome,
    ),
    (
        "keys are forgotten some time after 24 hours",
        lookups::keys_are_forgotten_after_a_day,
    ),
    (
        "replay starts at the newest row",
        lookups::replay_starts_at_the_newest_row,
    ),
    (
        "timers are due in order until they are done",
        lookups::timers_are_due_in_order,
    ),
    ("accounts keep apart", lookups::accounts_keep_apart),
    ("a claim fences older epochs", fencing::a_claim_fences_older_epochs),
    (
        "a claim tells the newest block",
        fencing::a_claim_tells_the_newest_block,
    ),
    (
        "a sequence number is given once",
        fencing::a_sequence_number_is_given_once,
    ),
    ("epochs survive a restart", fencing::epochs_survive_a_restart),
    (
        "a second block in flight is a bug of the caller",
        fencing::two_blocks_in_flight_are_a_bug,
    ),
    ("pages go both ways", lists::pages_go_both_ways),
    (
        "pages of a rare kind pass over the others",
        lists::pages_of_a_rare_kind_pass_over_the_others,
    ),
    ("pages heed parents", lists::pages_heed_parents),
    ("pages heed times", lists::pages_heed_times),
    (
        "a clock that steps back disturbs no list",
        lists::a_clock_that_steps_back_disturbs_no_list,
    ),
    (
        "pages heed tags and the caller's choice",
        lists::pages_heed_tags_and_the_callers_choice,
    ),
    (
        "pages agree with a plain filter",
        lists::pages_agree_with_a_plain_filter,
    ),
    (
        "a scan gives every block in order",
        fencing::a_scan_gives_every_block_in_order,
    ),
    ("a restart changes no answer", lists::a_restart_changes_no_answer),
];

/// Checks every promise, each on a fresh store.
///
/// # Panics
/// When a promise is broken; the panic names it.
pub fn run(make: &dyn Fn() -> Box<dyn Subject>) {
    for (name, check) in FACTS {
        let subject = make();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(subject)));
        if let Err(panic) = outcome {
            let why = panic.downcast_ref::<String>().map(String::as_str);
            let why = why
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            panic!("the store breaks a promise: {name}: {why}");
        }
    }
}
