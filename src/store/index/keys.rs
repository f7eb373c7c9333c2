//! Idempotency keys in hourly generations. A generation is dropped whole, a while after every key in it has expired;
//! dropping only unhooks it, because freeing millions of keys takes long enough to be felt.

use super::Place;
use super::hashing::{Map, slot};
use crate::KeyHash;
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError, RwLock};

/// Independent tables, so that none is large when it has to grow under its lock (20 M keys an hour: 20,000 each).
const TABLES: usize = 1024;
/// Milliseconds of a generation of idempotency keys.
pub const HOUR_MS: u64 = 3_600_000;

/// Every key of the last hours, with the record that holds its newest outcome.
#[derive(Debug)]
pub(super) struct Keys {
    tables: Box<[RwLock<Table>]>,
    hours: u64,
    newest_hour: AtomicU64,
    retired: Mutex<Vec<Generation>>,
}

type Generation = Map<Key, Place>;

/// Generations of one table, oldest first, each with its hour since the Unix epoch.
type Table = VecDeque<(u64, Generation)>;

/// The account (8 bytes) and the key's hash; as 32-bit words, so that it is not padded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Key([u32; 5]);

impl Key {
    fn new(account: u64, hash: &KeyHash) -> Key {
        let word = |at: usize| u32::from_le_bytes(hash[at..at + 4].try_into().expect("four bytes"));
        Key([account as u32, (account >> 32) as u32, word(0), word(4), word(8)])
    }
    fn parts(&self) -> (u64, KeyHash) {
        let mut hash = KeyHash::default();
        for (bytes, word) in hash.chunks_exact_mut(4).zip(&self.0[2..]) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        (u64::from(self.0[1]) << 32 | u64::from(self.0[0]), hash)
    }
    fn slot(&self) -> usize {
        slot(u64::from(self.0[2]) << 32 | u64::from(self.0[3]), TABLES)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.0[0]) << 32 | u64::from(self.0[4]));
        state.write_u64(u64::from(self.0[3]) << 32 | u64::from(self.0[2]));
    }
}

impl Keys {
    /// Keys are found for at least `hours` after they were published, at most one hour longer.
    pub(super) fn new(hours: u32) -> Self {
        Keys {
            tables: (0..TABLES).map(|_| RwLock::default()).collect(),
            hours: u64::from(hours),
            newest_hour: AtomicU64::new(0),
            retired: Mutex::default(),
        }
    }

    /// Remembers that the account's record at `place`, decided at `now_ms`, holds the newest outcome of the key.
    pub(super) fn insert(&self, account: u64, hash: &KeyHash, now_ms: u64, place: Place) {
        let hour = now_ms / HOUR_MS;
        self.advance(hour);
        if self.expired(hour) {
            return;
        }
        let key = Key::new(account, hash);
        let mut table = self.tables[key.slot()].write().unwrap_or_else(PoisonError::into_inner);
        let at = table.partition_point(|&(other, _)| other < hour);
        if table.get(at).is_none_or(|&(other, _)| other != hour) {
            table.insert(at, (hour, Generation::default()));
        }
        table[at].1.insert(key, place);
    }

    /// The record with the newest outcome of the key, of those of this hour or later.
    pub(super) fn get(&self, account: u64, hash: &KeyHash, since: u64) -> Option<Place> {
        let key = Key::new(account, hash);
        let table = self.tables[key.slot()].read().unwrap_or_else(PoisonError::into_inner);
        table
            .iter()
            .rev()
            .take_while(|&&(hour, _)| hour >= since)
            .find_map(|(_, generation)| generation.get(&key))
            .copied()
    }

    /// Every key: hour, account, hash, place.
    pub(super) fn for_each(&self, visit: &mut dyn FnMut(u64, u64, KeyHash, Place)) {
        for table in &self.tables {
            let table = table.read().unwrap_or_else(PoisonError::into_inner);
            for (hour, generation) in table.iter() {
                for (key, &place) in generation {
                    let (account, hash) = key.parts();
                    visit(*hour, account, hash, place);
                }
            }
        }
    }

    /// Frees the generations that were dropped.
    pub(super) fn reclaim(&self) {
        let retired = std::mem::take(&mut *self.retired.lock().unwrap_or_else(PoisonError::into_inner));
        drop(retired);
    }

    /// Generations dropped and not freed yet.
    #[cfg(test)]
    pub(super) fn retired(&self) -> usize {
        self.retired.lock().expect("no test panics under this lock").len()
    }

    fn expired(&self, hour: u64) -> bool {
        hour + self.hours < self.newest_hour.load(Relaxed)
    }

    /// Unhooks what has expired when an hour begins.
    fn advance(&self, hour: u64) {
        if hour <= self.newest_hour.load(Relaxed) {
            return;
        }
        self.newest_hour.store(hour, Relaxed);
        let mut unhooked = Vec::new();
        for table in &self.tables {
            let mut table = table.write().unwrap_or_else(PoisonError::into_inner);
            while table.front().is_some_and(|&(oldest, _)| self.expired(oldest)) {
                unhooked.extend(table.pop_front().map(|(_, generation)| generation));
            }
        }
        self.retired
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(unhooked);
    }
}
