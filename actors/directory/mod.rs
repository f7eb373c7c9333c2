//! Accounts and API keys: a journal of its own, decided on a thread of its own, and a copy in memory that every request
//! looks into without a lock.
//!
//! Of the nodes of a cluster one leads: it owns the journal and decides. The others follow: they read the journal on, and
//! send what is to change to the one that leads.

mod actor;
mod authenticated;
mod deciding;
mod following;
mod handle;
mod keys;
mod leading;
mod looks;
mod registry;
mod wish;

pub use authenticated::{AuthRefusal, Authenticated};
pub use handle::DirectoryHandle;
pub use wish::{AccountListing, DirectoryError, NewAccount, NewKey, NewTerms, WhichKey};

use crate::performer::BoxFuture;
use std::sync::Arc;
use tollgate_store::Tail;

/// Called when the store has lost its ability to write, or holds what cannot be understood; with the reason.
pub(crate) type OnFatal = Arc<dyn Fn(&str) + Send + Sync>;

/// Settings of the directory.
#[derive(Clone)]
pub struct DirectoryConfig {
    /// Whether any `sk_test_…` opens a sandbox account of its own (`--dev`).
    pub dev: bool,
    /// Called when the store has lost its ability to write, or holds what this release cannot read.
    pub on_fatal: Arc<dyn Fn(&str) + Send + Sync>,
    /// For a node among others: it starts following, and leads when it is told to. `None` for data that only this
    /// process serves: it leads from the start.
    pub follows: Option<Follows>,
}

/// What following takes.
#[derive(Clone)]
pub struct Follows {
    /// Where the journal is read.
    pub tail: Arc<dyn Tail>,
    /// Called when another node has the directory while this one led, with how that was noticed. It follows from then on.
    pub on_lost: Arc<dyn Fn(&str) + Send + Sync>,
}

/// The way to the node that leads.
pub trait Leader: Send + Sync {
    /// Takes a change to the node that leads and brings back what it says: bytes that its [`DirectoryHandle::answer`]
    /// understands, and gives.
    fn ask(&self, asked: Vec<u8>) -> BoxFuture<'static, Result<Vec<u8>, NoLeader>>;
}

/// Why no leader answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLeader {
    /// This node leads now. Nothing was done.
    Here,
    /// None can be reached, or what became of the change is not known.
    Unavailable,
}

/// What another node hears.
#[derive(Debug, PartialEq, Eq)]
pub enum Answered {
    /// The answer.
    Told(Vec<u8>),
    /// This node does not lead. Nothing was done.
    Elsewhere,
    /// That was no change.
    Malformed,
}
