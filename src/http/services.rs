//! What every worker thread of the edge shares.

use crate::answer::{Answer, Content};
use crate::bounds::Bounds;
use crate::files::Files;
use crate::forward::Nodes;
use crate::rate_limit::RateLimiter;
use crate::tuning::Tuning;
use std::sync::Arc;
use tollgate_actors::{DirectoryHandle, Engine};
use tollgate_domain::Secrets;
use tollgate_wire::Edge;

/// What the edge works with.
pub struct Services {
    /// The operations, compiled.
    pub edge: Edge,
    /// Where calls go.
    pub engine: Engine,
    /// Accounts and API keys.
    pub directory: DirectoryHandle,
    /// Where clients reach the API, without a slash at the end.
    pub public_url: String,
    /// The bytes of files.
    pub files: Files,
    /// Keys of the data's keyed hashes.
    pub secrets: Secrets,
    /// The rate limit of each account.
    pub limiter: Arc<RateLimiter>,
    /// Bounds of requests and connections.
    pub bounds: Bounds,
    /// The way to the settings.
    pub tuning: Tuning,
    /// The other nodes; none where this process serves everything.
    pub nodes: Option<Arc<Nodes>>,
    /// The metrics in Prometheus' text format.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
}

impl Services {
    /// `/readyz`: whether all owned shards are serving.
    pub(crate) fn readiness(&self) -> Answer {
        if self.engine.is_ready() {
            Answer::new(200, Content::Json, "{\"status\": \"ready\"}\n")
        } else {
            Answer::new(
                503,
                Content::Json,
                "{\"status\": \"not ready: a shard is not serving\"}\n",
            )
        }
    }
}
