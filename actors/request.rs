//! What goes into the engine and what comes out.

use std::borrow::Cow;
use std::sync::Arc;
use tollgate_domain::account::Profile;
use tollgate_domain::object::{Item, Object};
use tollgate_domain::secrets::Purpose;
use tollgate_domain::{Call, Claim, Reject, Secrets};
use tollgate_resource::{Expand, Id, Version};
use tollgate_store::{KeyHash, ShardId};

/// A parsed and authenticated API request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The account that asks.
    pub profile: Arc<Profile>,
    /// What it asks.
    pub call: Call,
    /// The request's id.
    pub request: Id,
    /// The API version it is answered at.
    pub version: Version,
    /// What the answer shows in place.
    pub expand: Expand,
    /// Its idempotency key (only on writes), hashed with [`key_hash`].
    pub claim: Option<(KeyHash, Arc<Claim>)>,
}

/// An answer with everything needed to render it, now or in a replay.
#[derive(Debug, Clone)]
pub struct Response {
    /// What is shown.
    pub result: Result<Shown, Box<Reject>>,
    /// Every object that is shown in place: expanded, included, or embedded in an error.
    pub attached: Vec<Object>,
    /// The API version of the answer.
    pub version: Version,
    /// Shape revision of the answer.
    pub revision: u16,
    /// What the answer shows in place.
    pub expand: Expand,
    /// The clock it is rendered at, milliseconds.
    pub clock_ms: u64,
    /// For a replay, the id of the request that was executed.
    pub replayed: Option<Id>,
    /// Whether execution began: the outcome is stored under the key and `stripe-should-retry: false` is sent.
    pub began: bool,
}

/// What a successful answer shows.
#[derive(Debug, Clone)]
pub enum Shown {
    /// One object.
    One(Item),
    /// A page of a list.
    Page {
        /// Path of the list.
        url: Cow<'static, str>,
        /// Newest first.
        items: Vec<Item>,
        /// Whether there are more in the direction of the page.
        has_more: bool,
        /// How long the whole list is, if that was asked.
        total_count: Option<u64>,
    },
    /// A page of a search.
    Found {
        /// Path of the search.
        url: &'static str,
        /// Newest first.
        items: Vec<Item>,
        /// Where the next page starts; `None` on the last.
        next_page: Option<String>,
        /// How many objects match, if that was asked.
        total_count: Option<u64>,
    },
}

/// Why the engine did not take, or lost, a request. Nothing is stored under its key; the client should retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No admission permit is free.
    #[error("too many requests are inside; retry after {retry_after_s} s")]
    Overloaded {
        /// Seconds to stay away.
        retry_after_s: u32,
        /// Whether only the account's own permits were used up, and not those of the node.
        by_account: bool,
    },
    /// The account's shard is failed, or was rebuilt or lost under the request, of which something may have been done.
    #[error("the account's shard is not serving")]
    ShardDown,
    /// The account's shard is not on this node, and nothing of the request was done here: it may be sent whole to the
    /// shard's owner.
    #[error("shard {} is on another node, or on its way there", .0.0)]
    Elsewhere(ShardId),
    /// The process is stopping.
    #[error("the server is stopping")]
    Stopping,
}

/// Where an answer goes: plain numbers, so that a shard holds no address of anything that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReplyTo {
    /// Number of the worker thread's client.
    pub worker: u16,
    /// Its slot.
    pub slot: u32,
    /// How often the slot was used before, so that a late answer never meets a new request.
    pub generation: u32,
}

/// What a request is answered with.
pub type Answer = Result<Box<Response>, Refusal>;

/// An answer on its way to a worker.
#[derive(Debug)]
pub struct Delivery {
    /// The asker.
    pub to: ReplyTo,
    /// The answer.
    pub answer: Answer,
}

/// The 96-bit keyed hash under which the store finds the idempotency key `key` of an account.
pub fn key_hash(secrets: &Secrets, key: &str) -> KeyHash {
    let hash = secrets.hash(Purpose::IdempotencyKey, key.as_bytes()).to_le_bytes();
    hash[..12].try_into().expect("12 of 16 bytes")
}
