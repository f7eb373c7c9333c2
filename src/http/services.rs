//! What every worker thread of the edge shares.

use crate::answer::{Answer, Content};
use crate::bounds::Bounds;
use crate::delivery_desk::DeliveryDesk;
use crate::files::Files;
use crate::forward::Nodes;
use crate::rate_limit::RateLimiter;
use crate::tuning::Tuning;
use crate::webhook_urls::VetUrls;
use serde_json::Value;
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
    /// Looks at addresses that webhooks are to be sent to.
    pub webhook_urls: Arc<dyn VetUrls>,
    /// The way to whoever delivers events; nobody does where there is none.
    pub deliveries: Option<DeliveryDesk>,
    /// The way to the settings.
    pub tuning: Tuning,
    /// The other nodes; none where this process serves everything.
    pub nodes: Option<Arc<Nodes>>,
    /// The cluster that this node is a member of, if it is.
    pub cluster: Option<ClusterPage>,
    /// The metrics in Prometheus' text format.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
}

/// What the operator's listener asks of the cluster.
pub struct ClusterPage {
    /// Whether this node can serve requests, and what `/readyz` says of it.
    pub readiness: Box<dyn Fn() -> (bool, Value) + Send + Sync>,
    /// What `/admin/cluster` shows.
    pub shown: Box<dyn Fn() -> Value + Send + Sync>,
}

impl Services {
    /// `/readyz`: whether all owned shards are serving; in a cluster, whether this node serves or reaches every shard.
    pub(crate) fn readiness(&self) -> Answer {
        if let Some(cluster) = &self.cluster {
            let (ready, said) = (cluster.readiness)();
            let status = if ready && self.engine.is_ready() { 200 } else { 503 };
            return Answer::new(status, Content::Json, format!("{said}\n"));
        }
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
