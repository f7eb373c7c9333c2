//! A journal in memory that several processes share, for tests of what happens between them.
//!
//! Each [`Member`] is one process: it appends under the epochs it claimed, and answers reads from an index of its own, which
//! holds what the journal held when it claimed the shard and what it has appended since. So a member that was overtaken
//! and does not know it answers from before, as a node of a cluster would.

use crate::index::{IDEMPOTENCY_HOURS, Index, SimpleIndex};
use crate::memory::Memory;
use crate::reads::View;
use crate::{
    AccountRef, Barrier, Block, Claimed, Commit, Done, Epoch, Fetched, Journal, KeyHash, PageQuery, Reads, ShardId,
    Standing, StoreError, Told,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Which shard an account belongs to.
pub type ShardOf = Arc<dyn Fn(AccountRef) -> ShardId + Send + Sync>;

/// The account of the directory's records.
const DIRECTORY_ACCOUNT: AccountRef = AccountRef(0);

/// One process that shares the journal with others.
pub struct Member {
    journal: Arc<Memory>,
    shard_of: ShardOf,
    owned: Arc<RwLock<BTreeMap<ShardId, Arc<Owned>>>>,
    gate: Arc<Gate>,
}

/// Tells how it stands with shards, at once or when the driver lets it.
struct Gate {
    journal: Arc<Memory>,
    owned: Arc<RwLock<BTreeMap<ShardId, Arc<Owned>>>>,
    /// Questions that wait, oldest first; `None` while they are answered at once.
    held: Mutex<Option<Vec<(ShardId, Told)>>>,
}

impl Gate {
    fn stands(&self, shard: ShardId) -> Standing {
        let mine = read(&self.owned).get(&shard).map(|owned| owned.epoch);
        match mine {
            Some(mine) if self.journal.epoch(shard) == Some(mine) => Standing::Here(mine),
            mine => Standing::Elsewhere(mine),
        }
    }
}

impl Barrier for Gate {
    fn ask(&self, shard: ShardId, told: Told) {
        if let Some(held) = &mut *lock(&self.held) {
            return held.push((shard, told));
        }
        told(self.stands(shard));
    }
}

/// A shard as a member claimed it.
struct Owned {
    epoch: Epoch,
    index: SimpleIndex,
}

impl Member {
    /// A process that owns nothing yet.
    pub fn new(journal: &Arc<Memory>, shard_of: ShardOf) -> Arc<Member> {
        let owned: Arc<RwLock<BTreeMap<_, _>>> = Arc::default();
        let gate = Arc::new(Gate {
            journal: Arc::clone(journal),
            owned: Arc::clone(&owned),
            held: Mutex::default(),
        });
        Arc::new(Member {
            journal: Arc::clone(journal),
            shard_of,
            owned,
            gate,
        })
    }

    /// From now on whoever asks how it stands with a shard hears it when the driver says so.
    pub fn hold_barriers(&self) {
        lock(&self.gate.held).get_or_insert_default();
    }

    /// How many wait to hear how it stands with a shard.
    pub fn asking(&self) -> usize {
        lock(&self.gate.held).as_ref().map_or(0, Vec::len)
    }

    /// Tells everybody who waits how it stands now, or, when it cannot be known, that.
    pub fn tell(&self, known: bool) {
        let asking = lock(&self.gate.held).as_mut().map(std::mem::take);
        for (shard, told) in asking.into_iter().flatten() {
            told(if known {
                self.gate.stands(shard)
            } else {
                Standing::Unknown
            });
        }
    }

    /// The shards that it would answer for, by its own knowledge.
    pub fn owned(&self) -> Vec<(ShardId, Epoch)> {
        let owned = read(&self.owned);
        owned.iter().map(|(shard, owned)| (*shard, owned.epoch)).collect()
    }

    fn of(&self, shard: ShardId) -> Result<Arc<Owned>, StoreError> {
        let owned = read(&self.owned).get(&shard).cloned();
        owned.ok_or(StoreError::NotHere { shard: shard.0 })
    }

    fn read<T>(
        &self,
        account: AccountRef,
        look: impl FnOnce(View<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let owned = self.of(self.shard_of(account))?;
        look(View {
            index: &owned.index,
            journal: &*self.journal,
        })
    }

    fn shard_of(&self, account: AccountRef) -> ShardId {
        match account {
            DIRECTORY_ACCOUNT => ShardId::DIRECTORY,
            account => (self.shard_of)(account),
        }
    }

    /// Builds the index of a shard that was just claimed.
    fn stand(&self, shard: ShardId, claimed: Claimed) -> Claimed {
        let index = SimpleIndex::new(IDEMPOTENCY_HOURS);
        for seq in 1..=claimed.last_block {
            let heads = self.journal.heads(shard, seq).expect("a durable block is there");
            index.admit(shard, &heads).expect("it was admitted before");
            index.publish(shard, &heads);
        }
        let epoch = claimed.epoch;
        write(&self.owned).insert(shard, Arc::new(Owned { epoch, index }));
        claimed
    }
}

impl Journal for Member {
    fn claim(&self, shard: ShardId) -> Result<Claimed, StoreError> {
        Ok(self.stand(shard, self.journal.claim(shard)?))
    }

    fn claim_after(&self, shard: ShardId, epoch: Epoch) -> Result<Claimed, StoreError> {
        match self.journal.take_over(shard, Some(epoch)) {
            Some(claimed) => Ok(self.stand(shard, claimed?)),
            None => {
                write(&self.owned).remove(&shard);
                let by = "another member".to_owned();
                Err(StoreError::Taken { shard: shard.0, by })
            }
        }
    }

    fn release(&self, shard: ShardId, epoch: Epoch) {
        let mut owned = write(&self.owned);
        if owned.get(&shard).is_some_and(|owned| owned.epoch == epoch) {
            owned.remove(&shard);
        }
    }

    fn barrier(&self) -> Option<Arc<dyn Barrier>> {
        Some(Arc::clone(&self.gate) as _)
    }

    fn submit(&self, block: Block, done: Done) {
        let (shard, epoch, seq) = (block.shard, block.epoch, block.seq);
        let (journal, owned) = (Arc::clone(&self.journal), Arc::clone(&self.owned));
        let done: Done = Box::new(move |commit| {
            let ours = read(&owned).get(&shard).filter(|owned| owned.epoch == epoch).cloned();
            match (commit, ours) {
                (Commit::Durable, Some(ours)) => {
                    let heads = journal.heads(shard, seq).expect("a durable block is there");
                    ours.index.publish(shard, &heads);
                }
                (Commit::Fenced, Some(_)) => drop(write(&owned).remove(&shard)),
                _ => {}
            }
            done(commit);
        });
        self.journal.submit(block, done);
    }
}

impl Reads for Member {
    fn newest(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError> {
        self.read(account, |view| view.newest(account, seq))
    }

    fn birth(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError> {
        self.read(account, |view| view.birth(account, seq))
    }

    fn key_may_exist(&self, account: AccountRef, key: &KeyHash) -> bool {
        let owned = self.of(self.shard_of(account));
        // Where it is not known, whoever looks is told so.
        owned.map_or(true, |owned| owned.index.key_may_exist(account, key))
    }

    fn by_key(&self, account: AccountRef, key: &KeyHash) -> Result<Option<Fetched>, StoreError> {
        self.read(account, |view| view.by_key(account, key))
    }

    fn page(
        &self,
        query: &PageQuery<'_>,
        accept: &mut dyn FnMut(u64, &Fetched) -> bool,
    ) -> Result<Vec<u64>, StoreError> {
        self.read(query.account, |view| view.page(query, accept))
    }

    fn replay_account(
        &self,
        account: AccountRef,
        visit: &mut dyn FnMut(&Fetched) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.read(account, |view| view.replay_account(account, visit))
    }

    fn timers_due(&self, shard: ShardId, until_ms: u64, limit: usize) -> Vec<(u64, AccountRef, u64)> {
        let due = |owned: Arc<Owned>| owned.index.timers_due(shard, until_ms, limit);
        self.of(shard).map(due).unwrap_or_default()
    }

    fn timers_done(&self, shard: ShardId, timers: &[(u64, AccountRef, u64)]) {
        if let Ok(owned) = self.of(shard) {
            owned.index.timers_done(shard, timers);
        }
    }

    fn accounts(&self, shard: ShardId) -> Vec<(AccountRef, u64)> {
        let accounts = |owned: Arc<Owned>| owned.index.accounts(shard);
        self.of(shard).map(accounts).unwrap_or_default()
    }
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
