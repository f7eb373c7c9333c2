//! What stands between shards and the store in memory: traps that make a shard panic where a fault says so, and the hook
//! that tells such a panic from one that nobody ordered.

use crate::plan::Place;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, Once, PoisonError};
use tollgate_store::memory::Memory;
use tollgate_store::{AccountRef, Fetched, KeyHash, PageQuery, Reads, ShardId, StoreError};

/// What an ordered panic says.
const ORDERED: &str = "a panic that the simulation ordered";

thread_local! {
    /// Panics of this thread since they were last taken; `None` outside of a simulation.
    static PANICS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Collects this thread's panics instead of printing them.
pub fn collect_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let text = info.to_string();
            let collected = PANICS.with_borrow_mut(|panics| match panics {
                Some(panics) => {
                    panics.push(text);
                    true
                }
                None => false,
            });
            if !collected {
                usual(info);
            }
        }));
    });
    PANICS.set(Some(Vec::new()));
}

/// Panics of this thread are printed again: whoever ran the simulation may want to say what it found by one.
pub fn print_panics() {
    PANICS.set(None);
}

/// Panics since the last call that nobody ordered.
pub fn take_panics() -> Vec<String> {
    let panics = PANICS.with_borrow_mut(|panics| panics.as_mut().map(std::mem::take));
    let mut panics = panics.unwrap_or_default();
    panics.retain(|text| !text.contains(ORDERED));
    panics
}

/// The store as one process's shards see it.
pub struct Ports {
    store: Arc<Memory>,
    traps: Mutex<Vec<(ShardId, Place)>>,
    /// Which shard is having its turn.
    turning: Mutex<Option<ShardId>>,
}

impl Ports {
    /// A way to the store without traps.
    pub fn new(store: Arc<Memory>) -> Arc<Ports> {
        Arc::new(Ports {
            store,
            traps: Mutex::default(),
            turning: Mutex::default(),
        })
    }

    /// The shard panics when it next comes by this place.
    pub fn set_trap(&self, shard: ShardId, place: Place) {
        lock(&self.traps).push((shard, place));
    }

    /// No trap is left.
    pub fn clear_traps(&self) {
        lock(&self.traps).clear();
    }

    /// Whose turn it is: what is asked meanwhile is asked by this shard.
    pub fn turn_of(&self, shard: Option<ShardId>) {
        *lock(&self.turning) = shard;
    }

    fn pass(&self, place: Place) {
        let shard = *lock(&self.turning);
        let mut traps = lock(&self.traps);
        let Some(at) = traps.iter().position(|trap| Some(trap.0) == shard && trap.1 == place) else {
            return;
        };
        traps.swap_remove(at);
        drop(traps);
        panic!("{ORDERED}");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reads for Ports {
    fn newest(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError> {
        self.store.newest(account, seq)
    }
    fn birth(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError> {
        self.store.birth(account, seq)
    }
    fn key_may_exist(&self, account: AccountRef, key: &KeyHash) -> bool {
        self.pass(Place::Keys);
        self.store.key_may_exist(account, key)
    }
    fn by_key(&self, account: AccountRef, key: &KeyHash) -> Result<Option<Fetched>, StoreError> {
        self.store.by_key(account, key)
    }
    fn page(
        &self,
        query: &PageQuery<'_>,
        accept: &mut dyn FnMut(u64, &Fetched) -> bool,
    ) -> Result<Vec<u64>, StoreError> {
        self.store.page(query, accept)
    }
    fn replay_account(
        &self,
        account: AccountRef,
        visit: &mut dyn FnMut(&Fetched) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store.replay_account(account, visit)
    }
    fn timers_due(&self, shard: ShardId, until_ms: u64, limit: usize) -> Vec<(u64, AccountRef, u64)> {
        self.pass(Place::TimersDue);
        self.store.timers_due(shard, until_ms, limit)
    }
    fn timers_done(&self, shard: ShardId, timers: &[(u64, AccountRef, u64)]) {
        self.pass(Place::TimersDone);
        self.store.timers_done(shard, timers);
    }
    fn accounts(&self, shard: ShardId) -> Vec<(AccountRef, u64)> {
        self.store.accounts(shard)
    }
}
