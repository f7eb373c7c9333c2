//! The index in memory.

use super::account::AccountIndex;
use super::hashing::{Map, slot};
use super::keys::Keys;
use super::timers::Timers;
use super::{Candidates, Index, Place, Step};
use crate::{AccountRef, Head, KeyHash, PageQuery, ShardId};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// Parts with a lock each, so that a publish and the readers seldom meet.
const PARTS: usize = 64;

/// An index that is rebuilt from the journal at every start and lives in memory.
///
/// Locks are held for one record (publishing) or one bounded step (reading), never across I/O.
#[derive(Debug)]
pub struct SimpleIndex {
    parts: Box<[RwLock<Part>]>,
    keys: Keys,
    timers: Timers,
}

type Part = Map<u64, Box<AccountIndex>>;

impl SimpleIndex {
    /// An empty index that finds idempotency keys for at least this many hours.
    pub fn new(idempotency_hours: u32) -> Self {
        SimpleIndex {
            parts: (0..PARTS).map(|_| RwLock::default()).collect(),
            keys: Keys::new(idempotency_hours),
            timers: Timers::default(),
        }
    }

    fn part(&self, account: AccountRef) -> RwLockReadGuard<'_, Part> {
        self.parts[slot(account.0, PARTS)]
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, account: AccountRef, read: impl FnOnce(&AccountIndex) -> T) -> Option<T> {
        self.part(account).get(&account.0).map(|index| read(index))
    }
}

impl Index for SimpleIndex {
    fn admit(&self, shard: ShardId, records: &[(Place, Head)]) -> Result<(), String> {
        // The lowest free sequence number of each account, after the records of this block so far.
        let mut reached: Map<u64, u64> = Map::default();
        for (_, head) in records {
            let account = AccountRef(head.account);
            let known = reached.get(&account.0).map(|&next_seq| (shard, next_seq));
            let known = known.or_else(|| self.with(account, |index| (index.shard, index.timeline.next_seq())));
            let (owner, next_seq) = known.unwrap_or((shard, 0));
            let name = format_args!("account {:#018x}", account.0);
            if owner != shard {
                return Err(format!("{name} belongs to shard {}, not to {}", owner.0, shard.0));
            }
            let born = head.born.len() as u64;
            if born > 0 && head.first_seq < next_seq {
                return Err(format!(
                    "{name}: sequence {} was given before, {next_seq} is free",
                    head.first_seq
                ));
            }
            reached.insert(account.0, if born > 0 { head.first_seq + born } else { next_seq });
        }
        Ok(())
    }

    fn publish(&self, shard: ShardId, records: &[(Place, Head)]) {
        for (place, head) in records {
            let number = {
                let part = &self.parts[slot(head.account, PARTS)];
                let mut part = part.write().unwrap_or_else(PoisonError::into_inner);
                let account = part
                    .entry(head.account)
                    .or_insert_with(|| Box::new(AccountIndex::new(shard)));
                account.push(head, *place)
            };
            if let Some(key) = &head.key {
                self.keys.insert(head.account, key, head.now_ms, number);
            }
            self.timers.add(shard, head.account, &head.timers);
        }
    }

    fn newest(&self, account: AccountRef, seq: u64) -> Option<Place> {
        self.with(account, |index| index.newest(seq))?
    }

    fn birth(&self, account: AccountRef, seq: u64) -> Option<Place> {
        self.with(account, |index| index.birth(seq))?
    }

    fn key_may_exist(&self, account: AccountRef, key: &KeyHash) -> bool {
        self.keys.get(account.0, key).is_some()
    }

    fn by_key(&self, account: AccountRef, key: &KeyHash) -> Option<Place> {
        let number = self.keys.get(account.0, key)?;
        self.with(account, |index| index.timeline.get(number).place)
    }

    fn candidates(&self, query: &PageQuery<'_>, step: Step) -> Candidates {
        self.with(query.account, |index| index.candidates(query, step))
            .unwrap_or_default()
    }

    fn replay_start(&self, account: AccountRef) -> u64 {
        self.with(account, AccountIndex::replay_start).unwrap_or(0)
    }

    fn records(&self, account: AccountRef, from: u64, max: usize) -> Vec<Place> {
        self.with(account, |index| index.timeline.places(from, max))
            .unwrap_or_default()
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
