//! Timers by shard, soonest first. A timer is a hint: after a restart every one ever set is back until it is found stale.

use crate::{AccountRef, ShardId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError, RwLock};

/// (due at in milliseconds, account, sequence number).
type Due = BTreeSet<(u64, u64, u64)>;

/// The timers of all shards; a lock for each, so that lanes do not wait for each other.
#[derive(Debug, Default)]
pub(super) struct Timers {
    shards: RwLock<BTreeMap<ShardId, Mutex<Due>>>,
}

impl Timers {
    pub(super) fn add(&self, shard: ShardId, account: u64, timers: &[(u64, u64)]) {
        if timers.is_empty() {
            return;
        }
        let add = |due: &Mutex<Due>| {
            let mut due = due.lock().unwrap_or_else(PoisonError::into_inner);
            due.extend(timers.iter().map(|&(at_ms, seq)| (at_ms, account, seq)));
        };
        let shards = self.shards.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(due) = shards.get(&shard) {
            return add(due);
        }
        drop(shards);
        add(self
            .shards
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(shard)
            .or_default());
    }

    pub(super) fn due(&self, shard: ShardId, until_ms: u64, limit: usize) -> Vec<(u64, AccountRef, u64)> {
        let shards = self.shards.read().unwrap_or_else(PoisonError::into_inner);
        let Some(due) = shards.get(&shard) else {
            return Vec::new();
        };
        let due = due.lock().unwrap_or_else(PoisonError::into_inner);
        let until = ..=(until_ms, u64::MAX, u64::MAX);
        due.range(until)
            .take(limit)
            .map(|&(at_ms, account, seq)| (at_ms, AccountRef(account), seq))
            .collect()
    }

    pub(super) fn done(&self, shard: ShardId, timers: &[(u64, AccountRef, u64)]) {
        let shards = self.shards.read().unwrap_or_else(PoisonError::into_inner);
        let Some(due) = shards.get(&shard) else { return };
        let mut due = due.lock().unwrap_or_else(PoisonError::into_inner);
        for &(at_ms, account, seq) in timers {
            due.remove(&(at_ms, account.0, seq));
        }
    }
}
