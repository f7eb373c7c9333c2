//! Which shard, which lane, and the way of notices to them.

use crate::lane::{Lane, ToLane};
use crate::shard::Control;
use actix::Addr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use tollgate_domain::account::AccountKey;
use tollgate_store::{Epoch, ShardId};

/// The shard of an account. Part of the data's layout: it never changes for data that exists.
pub fn shard_of(account: AccountKey, shards: u16) -> ShardId {
    // The key is a hash, but its low half is the tag in public ids: mixing keeps the shard from being read off an id.
    let mut x = account.0;
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ShardId(((x ^ (x >> 31)) % u64::from(shards)) as u16)
}

/// Knows where shards run. Read without a lock on every request.
pub struct Router {
    lane_of: Box<[AtomicU16]>,
    serving: Box<[AtomicBool]>,
    lanes: OnceLock<Vec<Addr<Lane>>>,
}

impl Router {
    /// Spreads shards over lanes, in turn.
    pub(crate) fn new(shards: u16, lanes: usize) -> Self {
        Router {
            lane_of: (0..shards).map(|shard| AtomicU16::new(shard % lanes as u16)).collect(),
            serving: (0..shards).map(|_| AtomicBool::new(true)).collect(),
            lanes: OnceLock::new(),
        }
    }

    /// The lanes, once they run.
    pub(crate) fn open(&self, lanes: Vec<Addr<Lane>>) {
        assert!(self.lanes.set(lanes).is_ok(), "lanes start once");
    }

    /// Number of shards.
    pub fn shards(&self) -> u16 {
        self.lane_of.len() as u16
    }

    /// The shard of an account.
    pub fn shard_of(&self, account: AccountKey) -> ShardId {
        shard_of(account, self.shards())
    }

    /// The lane a shard runs on.
    pub fn lane_of(&self, shard: ShardId) -> usize {
        usize::from(self.lane_of[usize::from(shard.0)].load(Ordering::Relaxed))
    }

    /// Whether a shard serves.
    pub fn is_serving(&self, shard: ShardId) -> bool {
        self.serving[usize::from(shard.0)].load(Ordering::Relaxed)
    }

    /// Whether every shard serves.
    pub fn all_serving(&self) -> bool {
        self.serving.iter().all(|serving| serving.load(Ordering::Relaxed))
    }

    /// A shard stopped serving for good.
    pub(crate) fn set_failed(&self, shard: ShardId) {
        self.serving[usize::from(shard.0)].store(false, Ordering::Relaxed);
    }

    /// Sends a message to a lane. Lanes outlive the router's users; a stopped lane swallows it.
    pub(crate) fn send(&self, lane: usize, message: ToLane) {
        let lanes = self.lanes.get().expect("nothing is sent before the lanes run");
        lanes[lane].do_send(message);
    }

    /// Sends a notice to a shard.
    pub(crate) fn control(&self, shard: ShardId, control: Control) {
        self.send(self.lane_of(shard), ToLane::Control(shard, control));
    }

    /// Tells a shard's lane that a block of `epoch` was refused.
    pub(crate) fn fenced(&self, shard: ShardId, epoch: Epoch) {
        self.send(self.lane_of(shard), ToLane::Fenced(shard, epoch));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_an_account_is_fixed() {
        let places = [1, 2, 3, 0xdead_beef, u64::MAX].map(|key| shard_of(AccountKey(key), 8).0);
        assert_eq!(
            places,
            [5, 2, 0, 2, 3],
            "data that exists would be looked for in the wrong shard"
        );
    }

    #[test]
    fn accounts_spread_over_shards() {
        let mut counts = [0; 8];
        (0..8_000u64).for_each(|key| counts[usize::from(shard_of(AccountKey(key << 32 | 5), 8).0)] += 1);
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
    }
}
