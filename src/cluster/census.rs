//! What a node thinks of the cluster, for people and for readiness.

use crate::map::Place;
use crate::member::{Member, Standing};
use crate::mine::Mine;
use crate::peers::State;
use crate::view::Process;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tollgate_store::ShardId;

/// The cluster as this node sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Census {
    /// Where this node stands.
    pub standing: Standing,
    /// How long ago it read the tables; `None` if it never did.
    pub blind_for: Option<Duration>,
    /// Whether there is nothing left here that another node could take.
    pub handed_over: bool,
    /// Every node with a row, by name.
    pub nodes: Vec<NodeCensus>,
    /// Every shard, the directory's first.
    pub shards: Vec<ShardCensus>,
}

/// A node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeCensus {
    /// Its name.
    pub node: Arc<str>,
    /// Its incarnation.
    pub process: Process,
    /// Where other nodes reach it.
    pub addr: SocketAddr,
    /// Whether it is this one.
    pub here: bool,
    /// `alive`, `leaving` or `dead`.
    pub state: &'static str,
    /// Whether it was heard of since this node looks. One that was not may be dead as well.
    pub heard: bool,
    /// How long its counter has been the same.
    pub silent: Duration,
    /// How long it has lived without a fall, as far as it was watched.
    pub alive: Duration,
    /// Shards that it serves.
    pub shards: usize,
}

/// A shard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShardCensus {
    /// Which.
    pub shard: ShardId,
    /// The epoch of its owner; 0 when it was never owned.
    pub epoch: u64,
    /// Where it is served.
    pub place: Place,
    /// The name of the node that has it, if it is known.
    pub node: Option<Arc<str>>,
    /// `serving`, `adopting`, `offered` (served, and promised to another node), `releasing`, or `nowhere`.
    pub state: &'static str,
}

impl Census {
    /// Whether this node takes part: it is a member, and has looked at the cluster lately.
    pub fn takes_part(&self, patience: Duration) -> bool {
        let sees = self.blind_for.is_some_and(|blind| blind <= patience);
        matches!(self.standing, Standing::In { .. }) && sees
    }

    /// Whether a node that has started can serve every request: it takes part, and every shard has a place that was heard
    /// of. One without shards is ready as soon as it can send requests on.
    pub fn is_ready(&self, patience: Duration) -> bool {
        let heard = |node: &Arc<str>| self.nodes.iter().any(|known| known.node == *node && known.heard);
        let has_place = |shard: &ShardCensus| match &shard.place {
            Place::Here => true,
            Place::At(peer) => heard(&peer.node),
            Place::Nowhere => false,
        };
        self.takes_part(patience) && self.shards.iter().all(has_place)
    }
}

impl Member {
    /// The cluster as this node sees it now.
    pub fn census(&self, now: Duration) -> Census {
        let shards: Vec<ShardCensus> = self
            .places()
            .into_iter()
            .map(|(shard, place)| self.shard(shard, place))
            .collect();
        let mut counts: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        for node in shards.iter().filter_map(|shard| shard.node.as_ref()) {
            *counts.entry(Arc::clone(node)).or_default() += 1;
        }
        let node = |(name, seen): (&Arc<str>, &crate::peers::Seen)| NodeCensus {
            node: Arc::clone(name),
            process: seen.process,
            addr: seen.addr,
            here: seen.process == self.me.process,
            state: match seen.state {
                State::Alive if seen.leaving => "leaving",
                State::Alive => "alive",
                State::Dead | State::Gone => "dead",
            },
            heard: seen.moves > 0,
            silent: seen.silent,
            alive: seen.alive,
            shards: counts.get(name).copied().unwrap_or(0),
        };
        Census {
            standing: self.standing(),
            blind_for: self.blind_for(now),
            handed_over: self.has_handed_over(),
            nodes: self.peers.all().map(node).collect(),
            shards,
        }
    }

    fn shard(&self, shard: ShardId, place: Place) -> ShardCensus {
        let mine = self.mine.get(shard);
        let read = self.rows.get(&shard).map_or(0, |row| row.epoch);
        let (state, epoch) = match mine {
            Some(Mine::Adopting) => ("adopting", read),
            Some(Mine::Serving { epoch }) => ("serving", epoch),
            Some(Mine::Offering { epoch, .. }) => ("offered", epoch),
            Some(Mine::Letting { epoch, .. } | Mine::Freeing { epoch, .. }) => ("releasing", epoch),
            None if place == Place::Nowhere => ("nowhere", read),
            None => ("serving", read),
        };
        let node = match &place {
            Place::At(peer) => Some(Arc::clone(&peer.node)),
            Place::Here => Some(Arc::clone(&self.me.node)),
            Place::Nowhere => mine.map(|_| Arc::clone(&self.me.node)),
        };
        ShardCensus {
            shard,
            epoch,
            place,
            node,
            state,
        }
    }
}
