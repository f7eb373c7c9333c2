//! Finding the node that has a shard, also while the shard moves.

use super::Nodes;
use super::client::{NodeClient, Sent};
use super::parcel::Parcel;
use crate::answer::Answer;
use crate::telemetry::{Forward, forwarded};
use std::time::{Duration, Instant};
use tollgate_actors::ShardId;
use tollgate_cluster::Place;

/// How often a request that waits for a shard looks again, where the map does not say that something changed.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How often a request is sent again of which it is not known whether it was done.
const REPEATS_MAX: usize = 2;

/// What became of a request of another node's shard.
pub(crate) enum Delivered {
    /// It was answered.
    Answered(Box<Answer>),
    /// The shard is here now. Nothing was done elsewhere, or doing it again does no more.
    Here,
    /// No node has the shard, or none can be reached. Nothing was done.
    Nowhere,
    /// Too many requests are under way. Nothing was done.
    Full,
    /// It was sent, and nobody knows what became of it.
    Unknown,
}

impl NodeClient {
    /// Sends a request to the node that has its shard. Waits, for a bounded time and with a bounded number of others, for a
    /// shard that no node has. `is_here` says whether it is here by now.
    pub(crate) async fn deliver(
        &self,
        nodes: &Nodes,
        shard: ShardId,
        parcel: &Parcel,
        is_here: impl Fn() -> bool,
    ) -> Delivered {
        let began = Instant::now();
        let delivered = self.delivered(nodes, shard, parcel, is_here).await;
        let outcome = match &delivered {
            Delivered::Answered(_) => Forward::Answered,
            Delivered::Here => Forward::Here,
            Delivered::Nowhere => Forward::Nowhere,
            Delivered::Full => Forward::Full,
            Delivered::Unknown => Forward::Unknown,
        };
        forwarded(outcome, began.elapsed());
        delivered
    }

    async fn delivered(&self, nodes: &Nodes, shard: ShardId, parcel: &Parcel, is_here: impl Fn() -> bool) -> Delivered {
        let map = &nodes.map;
        let until = parcel.until.min(Instant::now() + nodes.bounds.move_patience);
        let mut changes = map.changes();
        let mut repeats = 0;
        let mut seat = None;
        // What was sent once may have been done, whatever hinders it now.
        let given_up = |repeats, why| if repeats > 0 { Delivered::Unknown } else { why };
        loop {
            if is_here() {
                return Delivered::Here;
            }
            changes.mark_unchanged();
            if let Place::At(peer) = map.place_of(shard)
                && peer.addr != nodes.own
            {
                let stays = || matches!(map.place_of(shard), Place::At(now) if now.addr == peer.addr);
                match self.send(nodes, peer.addr, parcel, stays).await {
                    Sent::Answered(answer) => return Delivered::Answered(Box::new(answer)),
                    Sent::NotThere | Sent::Unreached => {}
                    Sent::Unknown if parcel.repeatable && repeats < REPEATS_MAX => repeats += 1,
                    Sent::Unknown => return Delivered::Unknown,
                    Sent::Full => return given_up(repeats, Delivered::Full),
                }
            }
            map.refresh_soon();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return given_up(repeats, Delivered::Nowhere);
            }
            if seat.is_none() {
                seat = nodes.seat();
                if seat.is_none() {
                    return given_up(repeats, Delivered::Full);
                }
            }
            // Either way it looks again.
            let _ = tokio::time::timeout(left.min(LOOK_EVERY), changes.changed()).await;
        }
    }
}
