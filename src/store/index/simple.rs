//! The index in memory.

use super::account::AccountIndex;
use super::hashing::{Map, slot};
use super::keys::Keys;
use super::timers::Timers;
use super::{Candidates, Index, Place, Step};
use crate::{AccountRef, Head, KeyHash, PageQuery, ShardId, StoreError};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// Parts with a lock each, so that a publish and the readers seldom meet.
const PARTS: usize = 64;

/// An index that is rebuilt from the journal at every start and lives in memory.
///
/// Locks are held for one record (publishing) or one bounded step (reading), never across I/O.
#[derive(Debug)]
pub struct SimpleIndex {
    pub(super) parts: Box<[RwLock<Part>]>,
    pub(super) keys: Keys,
    timers: Timers,
}

pub(super) type Part = Map<u64, Box<AccountIndex>>;

impl SimpleIndex {
    /// An empty index that finds idempotency keys for at least this many hours.
    pub fn new(idempotency_hours: u32) -> Self {
        SimpleIndex {
            parts: (0..PARTS).map(|_| RwLock::default()).collect(),
            keys: Keys::new(idempotency_hours),
            timers: Timers::default(),
        }
    }

    pub(super) fn part(&self, account: AccountRef) -> RwLockReadGuard<'_, Part> {
        self.parts[slot(account.0, PARTS)]
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn with<T>(&self, account: AccountRef, read: impl FnOnce(&AccountIndex) -> T) -> Option<T> {
        self.part(account).get(&account.0).map(|index| read(index))
    }
}

impl Index for SimpleIndex {
    fn admit(&self, shard: ShardId, records: &[(Place, Head)]) -> Result<(), String> {
        self.admit_after(shard, records, &|_| None)
    }

    fn publish(&self, shard: ShardId, records: &[(Place, Head)]) {
        self.publish_after(shard, records, &|_| None);
        for (_, head) in records {
            self.timers.add(shard, head.account, &head.timers);
        }
    }

    fn newest(&self, account: AccountRef, seq: u64) -> Result<Option<Place>, StoreError> {
        Ok(self.with(account, |index| index.newest(seq)).flatten())
    }

    fn birth(&self, account: AccountRef, seq: u64) -> Result<Option<Place>, StoreError> {
        Ok(self.with(account, |index| index.birth(seq)).flatten())
    }

    fn key_may_exist(&self, account: AccountRef, key: &KeyHash) -> bool {
        self.keys.get(account.0, key, 0).is_some()
    }

    fn by_key(&self, account: AccountRef, key: &KeyHash) -> Result<Option<Place>, StoreError> {
        Ok(self.key_since(account, key, 0))
    }

    fn candidates(&self, query: &PageQuery<'_>, step: Step) -> Result<Candidates, StoreError> {
        Ok(self
            .with(query.account, |index| index.candidates(query, step))
            .unwrap_or_default())
    }

    fn replay_start(&self, account: AccountRef) -> u64 {
        self.with(account, AccountIndex::replay_start).unwrap_or(0)
    }

    fn records(&self, account: AccountRef, from: u64, max: usize) -> Result<Vec<Place>, StoreError> {
        Ok(self.with(account, |index| index.places(from, max)).unwrap_or_default())
    }

    fn timers_due(&self, shard: ShardId, until_ms: u64, limit: usize) -> Vec<(u64, AccountRef, u64)> {
        self.timers.due(shard, until_ms, limit)
    }

    fn timers_done(&self, shard: ShardId, timers: &[(u64, AccountRef, u64)]) {
        self.timers.done(shard, timers);
    }

    fn accounts(&self, shard: ShardId) -> Vec<(AccountRef, u64)> {
        let mut accounts = Vec::new();
        for part in &self.parts {
            let part = part.read().unwrap_or_else(PoisonError::into_inner);
            let of_shard = part.iter().filter(|(_, index)| index.shard == shard);
            accounts.extend(of_shard.map(|(&account, index)| (AccountRef(account), index.timeline.len() as u64)));
        }
        // The order of a hash map must not escape.
        accounts.sort_unstable();
        accounts
    }

    fn reclaim(&self) {
        self.keys.reclaim();
    }
}
