//! The client of the node listeners: connections are kept, and each request has one of its own.

use super::parcel::{Parcel, passed_back};
use super::{NodeBounds, Nodes};
use crate::answer::Answer;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Largest answer that is passed on: a file of the largest size, with room.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// How long an unused connection is kept: less than the listener keeps it, so that it is not closed under a request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// How often a request that waits looks whether its shard went on to another node.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The client of one thread. Its connections live on that thread, so that an answer does not wake another one.
pub(crate) struct NodeClient(Client<HttpConnector, Full<Bytes>>);

/// What became of a request that was sent once.
pub(super) enum Sent {
    /// It was answered.
    Answered(Answer),
    /// The node does not have the shard. Nothing was done.
    NotThere,
    /// The node could not be reached; not a byte was sent.
    Unreached,
    /// No answer came: it may have been done, or not.
    Unknown,
    /// Too many are under way; it was not sent.
    Full,
}

impl NodeClient {
    /// A client for the thread that calls this.
    pub(crate) fn new(bounds: &NodeBounds) -> NodeClient {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(bounds.connect_timeout));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(bounds.in_flight_max)
            .build(connector);
        NodeClient(client)
    }

    /// Sends a request and waits for the answer: until its time is over, or `stays` says that the shard has gone on from
    /// there. A node that was stopped keeps its connections open, so that nothing else would tell.
    pub(super) async fn send(&self, nodes: &Nodes, to: SocketAddr, parcel: &Parcel, stays: impl Fn() -> bool) -> Sent {
        let Some(_turn) = nodes.turn() else { return Sent::Full };
        // What this node could read as an address and the client cannot write as one is nobody's.
        let Some(request) = parcel.to(to, nodes) else {
            return Sent::NotThere;
        };
        let exchange = async {
            let answer = match self.0.request(request).await {
                Ok(answer) => answer,
                Err(error) if error.is_connect() => return Sent::Unreached,
                Err(error) => {
                    tracing::debug!(%to, %error, "no answer of another node");
                    return Sent::Unknown;
                }
            };
            let (head, body) = answer.into_parts();
            match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
                // Its time was over there, too.
                Ok(_) if head.status == hyper::StatusCode::GATEWAY_TIMEOUT => Sent::Unknown,
                Ok(body) => passed_back(&head, body.to_bytes()).map_or(Sent::NotThere, Sent::Answered),
                Err(_) => Sent::Unknown,
            }
        };
        let mut exchange = std::pin::pin!(exchange);
        let mut stayed = true;
        loop {
            let left = parcel.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Sent::Unknown;
            }
            match tokio::time::timeout(left.min(LOOK_EVERY), &mut exchange).await {
                Ok(sent) => return sent,
                // Twice, so that an answer that is on its way while the map changes has its time.
                Err(_) if !stayed && !stays() => return Sent::Unknown,
                Err(_) => stayed = stays(),
            }
        }
    }
}
