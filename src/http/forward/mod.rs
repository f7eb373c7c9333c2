//! Requests of shards that another node has: sent there whole, and its answer passed on as it came. So any node serves any
//! request.
//!
//! The node that a client reached finds out whose request it is, and where that account's shard is served; everything else
//! (versions, rates, keys, parameters, the vault) is the owner's. A request goes one hop: what comes in at `node.listen` and
//! is not for this node either is answered so, and the first node looks at the map again. What was sent and not answered is
//! sent again only if doing it twice does nothing more: reads, deletions, and what has an idempotency key.
//!
//! [`parcel`] is a request as it travels, [`client`] sends it, [`deliver`] finds the node, [`gate`] is the listener at the
//! other end, [`leader`] takes changes of accounts and keys the same way. What operators ask of deliveries goes so, too.

mod client;
mod deliver;
mod gate;
mod leader;
mod parcel;

pub(crate) use client::NodeClient;
pub(crate) use deliver::Delivered;
pub(crate) use gate::Gate;
pub use leader::DirectoryLeader;
pub(crate) use parcel::{Came, Parcel, not_here};

use crate::telemetry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tollgate_cluster::Map;
use tollgate_domain::Secrets;
use tollgate_domain::secrets::Purpose;

/// Bounds of what goes from node to node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeBounds {
    /// Connections that this node's listener takes from other nodes.
    pub connections_max: usize,
    /// Requests of this node that may be under way at other nodes; each has a connection.
    pub in_flight_max: usize,
    /// Requests that may wait for a shard that is on its way to another node.
    pub waiting_max: usize,
    /// How long such a request waits.
    pub move_patience: Duration,
    /// How long another node may take for an answer.
    pub answer_timeout: Duration,
    /// How long a connection to another node may take to be made.
    pub connect_timeout: Duration,
}

impl Default for NodeBounds {
    fn default() -> Self {
        NodeBounds {
            connections_max: 8_192,
            in_flight_max: 2_048,
            waiting_max: 4_096,
            move_patience: Duration::from_secs(2),
            answer_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_millis(500),
        }
    }
}

/// The other nodes, and what this one has under way there.
pub struct Nodes {
    pub(crate) map: Map,
    pub(crate) bounds: NodeBounds,
    /// Where this node's own listener is: what is sent there would come back.
    own: SocketAddr,
    secret: NodeSecret,
    in_flight: Semaphore,
    waiting: Semaphore,
}

impl Nodes {
    /// The nodes on a map. Their secret follows from the data's, so whoever has the data is let in.
    pub fn new(map: Map, own: SocketAddr, secrets: &Secrets, bounds: NodeBounds) -> Arc<Nodes> {
        telemetry::describe_nodes();
        Arc::new(Nodes {
            map,
            bounds,
            own,
            secret: NodeSecret::of(secrets),
            in_flight: Semaphore::new(bounds.in_flight_max),
            waiting: Semaphore::new(bounds.waiting_max),
        })
    }

    /// Sets the gauges to what is under way now.
    pub(crate) fn observe(&self) {
        let taken = |max: usize, free: &Semaphore| max.saturating_sub(free.available_permits()) as f64;
        metrics::gauge!(telemetry::FORWARDING).set(taken(self.bounds.in_flight_max, &self.in_flight));
        metrics::gauge!(telemetry::SHARD_WAITERS).set(taken(self.bounds.waiting_max, &self.waiting));
    }

    /// A place among the requests under way; `None` when all are taken.
    fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.in_flight.try_acquire().ok()
    }

    /// A place among those who wait; `None` when all are taken.
    fn seat(&self) -> Option<SemaphorePermit<'_>> {
        self.waiting.try_acquire().ok()
    }
}

/// What nodes of the same data say to each other to be let in. It cannot be printed.
struct NodeSecret(String);

impl NodeSecret {
    fn of(secrets: &Secrets) -> NodeSecret {
        let half = |which: &[u8]| secrets.hash(Purpose::Node, which);
        NodeSecret(format!("{:032x}{:032x}", half(b"first half"), half(b"second half")))
    }

    fn is(&self, given: &[u8]) -> bool {
        let right = self.0.as_bytes();
        // In a time that says nothing about where they differ.
        right.len() == given.len() && right.iter().zip(given).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_other_data_is_another() {
        let (ours, theirs) = (
            NodeSecret::of(&Secrets::new([7; 32])),
            NodeSecret::of(&Secrets::new([8; 32])),
        );
        assert_eq!(ours.0.len(), 64);
        assert!(ours.is(ours.0.as_bytes()) && !ours.is(theirs.0.as_bytes()));
        assert!(!ours.is(b"") && !ours.is(&ours.0.as_bytes()[..63]));
    }
}
