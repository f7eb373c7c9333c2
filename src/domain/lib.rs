//! Money, books and decisions: what a payment processor must get right, and nothing else.
//!
//! Pure: no I/O, clock, randomness, async or logging; time and entropy come in as [`Inputs`]. A command goes through
//! [`decide`], which reads a [`World`] and returns a [`Decision`]: facts and a reply. [`Account::apply`] turns facts into
//! state; it is the only thing that replay runs. A resource is one folder: `params.rs` (what is sent), `mod.rs` (what is
//! kept, and its states), `shown.rs` (what is shown), `decide.rs` (what happens).
//!
//! Reading order: [`money`], [`books`], [`account`], [`call`], [`decision`], [`facts`], [`payments`].

pub mod access;
pub mod account;
pub mod account_settings;
pub mod accounts;
pub mod acquirer;
pub mod address;
pub mod api;
mod api_key;
pub mod balance;
pub mod books;
pub mod call;
pub mod country;
pub mod customers;
pub mod decision;
pub mod directory;
mod draft;
pub mod events;
pub mod facts;
pub mod files;
#[cfg(test)]
mod golden;
pub mod inputs;
pub mod kinds;
pub mod marks;
mod metadata;
pub mod money;
pub mod object;
pub mod paging;
pub mod payments;
pub mod radar;
pub mod reject;
pub mod sealing;
pub mod search;
pub mod secrets;
pub mod time;
pub mod version_names;
pub mod versions;
pub mod webhooks;

pub use account::{Account, AccountKey, Profile};
pub use account_settings::AccountSettings;
pub use call::{Call, Command, ListQuery, Read};
pub use decision::{Decision, Lookup, Reply, Stop, World, decide, read};
pub use facts::{Claim, Facts, Outcome, OutcomeResult};
pub use inputs::{Inputs, Network};
pub use object::{Item, Object, ShowContext};
pub use reject::{ErrorType, Reject};
pub use search::SearchQuery;
pub use secrets::Secrets;

/// Revision of what is shown. It grows when a shown field is added, so that an outcome remembered under an earlier
/// revision is rendered without the field (`#[shown(revision = …)]`).
pub const SHAPE_REVISION: u16 = 5;
