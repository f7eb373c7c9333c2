//! Where each shard is served.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{Notify, watch};
use tollgate_store::ShardId;

/// Another node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Its name.
    pub node: Arc<str>,
    /// Where other nodes reach it.
    pub addr: SocketAddr,
}

/// Where a shard is served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// By this node.
    Here,
    /// By another one, when it was last looked. It may have moved on since.
    At(Peer),
    /// By none that is known: it is being taken over, or moves.
    Nowhere,
}

/// Where each shard is served, as far as this node knows. It is right about this node, and a look behind (a second, by
/// default) about the others; whoever was sent to the wrong one asks for a fresh look. Clones are handles to the same one.
#[derive(Clone)]
pub struct Map(Arc<Inner>);

struct Inner {
    /// Every shard; the last one is the directory's.
    places: RwLock<Box<[Place]>>,
    changes: watch::Sender<u64>,
    wanted: Notify,
}

impl Map {
    /// A map on which no shard is known yet.
    pub fn new(shards: u16) -> Map {
        Map::filled(shards, Place::Nowhere)
    }

    /// The map of a node that serves everything, always.
    pub fn alone(shards: u16) -> Map {
        Map::filled(shards, Place::Here)
    }

    fn filled(shards: u16, place: Place) -> Map {
        Map(Arc::new(Inner {
            places: RwLock::new(vec![place; usize::from(shards) + 1].into()),
            changes: watch::Sender::new(0),
            wanted: Notify::new(),
        }))
    }

    /// Where a shard is served.
    ///
    /// # Panics
    /// When there is no such shard.
    pub fn place_of(&self, shard: ShardId) -> Place {
        let places = self.0.places.read().unwrap_or_else(PoisonError::into_inner);
        places[at(&places, shard)].clone()
    }

    /// The node that serves a shard, if it is another one and known.
    ///
    /// # Panics
    /// When there is no such shard.
    pub fn address_of(&self, shard: ShardId) -> Option<SocketAddr> {
        match self.place_of(shard) {
            Place::At(peer) => Some(peer.addr),
            Place::Here | Place::Nowhere => None,
        }
    }

    /// Whether this node serves a shard.
    ///
    /// # Panics
    /// When there is no such shard.
    pub fn is_here(&self, shard: ShardId) -> bool {
        self.place_of(shard) == Place::Here
    }

    /// Asks for a look at who owns what, soon; many who ask at once get one look. Does nothing on a node that is alone.
    pub fn refresh_soon(&self) {
        self.0.wanted.notify_one();
    }

    /// Waits until somebody asked for a look.
    pub async fn refresh_wanted(&self) {
        self.0.wanted.notified().await;
    }

    /// Counts changes: whoever waits for a shard to appear looks again after each.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Puts shards where they are now.
    ///
    /// # Panics
    /// When one of them does not exist.
    pub fn put(&self, found: impl IntoIterator<Item = (ShardId, Place)>) {
        let mut changed = false;
        {
            let mut places = self.0.places.write().unwrap_or_else(PoisonError::into_inner);
            for (shard, place) in found {
                let at = at(&places, shard);
                if places[at] != place {
                    places[at] = place;
                    changed = true;
                }
            }
        }
        if changed {
            self.0.changes.send_modify(|count| *count += 1);
        }
    }

    /// Every shard and where it is, the directory's last.
    pub fn all(&self) -> Vec<(ShardId, Place)> {
        let places = self.0.places.read().unwrap_or_else(PoisonError::into_inner);
        let last = places.len() - 1;
        let shard = |at: usize| match at {
            at if at == last => ShardId::DIRECTORY,
            at => ShardId(at as u16),
        };
        places
            .iter()
            .enumerate()
            .map(|(at, place)| (shard(at), place.clone()))
            .collect()
    }
}

fn at(places: &[Place], shard: ShardId) -> usize {
    let last = places.len() - 1;
    let known = usize::from(shard.0) < last || shard == ShardId::DIRECTORY;
    assert!(known, "shard {} of {last}", shard.0);
    usize::from(shard.0).min(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(port: u16) -> Peer {
        Peer {
            node: format!("node-{port}").into(),
            addr: SocketAddr::from(([127, 0, 0, 1], port)),
        }
    }

    #[test]
    fn a_node_alone_has_everything() {
        let map = Map::alone(3);
        assert!(map.is_here(ShardId(2)) && map.is_here(ShardId::DIRECTORY));
        assert_eq!(map.address_of(ShardId(0)), None);
    }

    #[test]
    fn the_directory_has_a_place_of_its_own() {
        let map = Map::new(2);
        map.put([(ShardId::DIRECTORY, Place::At(peer(7))), (ShardId(1), Place::Here)]);
        assert_eq!(map.address_of(ShardId::DIRECTORY), Some(peer(7).addr));
        assert!(map.is_here(ShardId(1)) && !map.is_here(ShardId(0)));
        let shards: Vec<ShardId> = map.all().into_iter().map(|(shard, _)| shard).collect();
        assert_eq!(shards, [ShardId(0), ShardId(1), ShardId::DIRECTORY]);
    }

    #[tokio::test]
    async fn who_waits_hears_of_changes_only() {
        let map = Map::new(2);
        let mut changes = map.changes();
        map.put([(ShardId(0), Place::Nowhere)]);
        assert!(!changes.has_changed().unwrap(), "nothing changed");
        map.put([(ShardId(0), Place::Here)]);
        changes.changed().await.unwrap();
        assert!(map.is_here(ShardId(0)));
    }

    #[tokio::test]
    async fn a_wish_for_a_look_is_kept_until_it_is_heard() {
        let map = Map::new(1);
        map.refresh_soon();
        map.refresh_soon();
        map.refresh_wanted().await;
        let again = tokio::time::timeout(std::time::Duration::ZERO, map.refresh_wanted()).await;
        assert!(again.is_err(), "two wishes are one look");
    }
}
