//! What a decision may know besides the world: time, entropy, who asks. All of it is data, so any run replays.

use crate::secrets::Secrets;
use tollgate_resource::{Id, Names, Record, Version};

/// Inputs of one decision.
#[derive(Clone, Debug)]
pub struct Inputs<'a> {
    /// Milliseconds since the Unix epoch; never goes back within an account (`max(previous now, clock)`).
    pub now_ms: u64,
    /// The API request that asks; `None` for a timer or an acquirer's answer.
    pub request: Option<RequestInfo<'a>>,
    /// The network that decides cards which do not choose one themselves (config `acquirer.network`).
    pub network: Network,
    /// How long an attempt may stay unanswered before the client gets `processing`, in milliseconds.
    pub attempt_deadline_ms: u64,
    /// Keys of the data's keyed hashes (client secrets, fingerprints).
    pub secrets: &'a Secrets,
    /// Most webhook endpoints that an account may have.
    pub webhook_endpoints_max: usize,
    /// Random words for whatever must not be guessed; drawn by the shard from its seeded generator.
    pub entropy: [u64; 2],
}

/// The API request behind a command.
#[derive(Clone, Copy, Debug)]
pub struct RequestInfo<'a> {
    /// Its id (kind `REQUEST`).
    pub id: Id,
    /// The idempotency key as sent, if any.
    pub idempotency_key: Option<&'a str>,
    /// The API version the request is answered at.
    pub version: Version,
}

/// Which network takes a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Names, Record)]
pub enum Network {
    /// Test cards are decided here; no call leaves, one block is enough.
    #[record(1)]
    Instant,
    /// An acquirer is called: the attempt is recorded before, its answer comes back as a command.
    #[record(2)]
    Remote,
}
