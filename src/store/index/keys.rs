//! Idempotency keys in hourly generations. A generation is dropped whole, a while after every key in it has expired;
//! dropping only unhooks it, because freeing millions of keys takes long enough to be felt.

use super::Place;
use super::hashing::{Map, slot};
use crate::KeyHash;
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError, RwLock};

/// Independent tables, so that none is large when it has to grow under its lock (a layer of 262,144 records: 1,024 keys
/// each), and few enough that all of them stay near to whoever writes.
const TABLES: usize = 256;
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

/// Generations of one table, each with its hour since the Unix epoch.
#[derive(Debug, Default)]
struct Table {
    /// The newest, which nearly every key is looked for and kept in: in place, because each further step to it would wait
    /// for memory.
    hour: u64,
    newest: Generation,
    /// Those before it, oldest first.
    older: VecDeque<(u64, Generation)>,
}

impl Table {
    /// The generation of that hour.
    fn of_hour(&mut self, hour: u64) -> &mut Generation {
        if hour > self.hour {
            let before = std::mem::take(&mut self.newest);
            if !before.is_empty() {
                self.older.push_back((self.hour, before));
            }
            self.hour = hour;
        }
        if hour == self.hour {
            return &mut self.newest;
        }
        let at = self.older.partition_point(|&(other, _)| other < hour);
        if self.older.get(at).is_none_or(|&(other, _)| other != hour) {
            self.older.insert(at, (hour, Generation::default()));
        }
        &mut self.older[at].1
    }

    /// All of them, newest first.
    fn generations(&self) -> impl Iterator<Item = (u64, &Generation)> {
        let older = self.older.iter().rev();
        std::iter::once((self.hour, &self.newest)).chain(older.map(|(hour, generation)| (*hour, generation)))
    }

    /// Moves the generations out whose hour has `expired`.
    fn unhook(&mut self, expired: impl Fn(u64) -> bool, into: &mut Vec<Generation>) {
        while self.older.front().is_some_and(|&(hour, _)| expired(hour)) {
            into.extend(self.older.pop_front().map(|(_, generation)| generation));
        }
        if expired(self.hour) && !self.newest.is_empty() {
            into.push(std::mem::take(&mut self.newest));
        }
    }
}

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
        table.of_hour(hour).insert(key, place);
    }

    /// The record with the newest outcome of the key, of those of this hour or later.
    pub(super) fn get(&self, account: u64, hash: &KeyHash, since: u64) -> Option<Place> {
        let key = Key::new(account, hash);
        let table = self.tables[key.slot()].read().unwrap_or_else(PoisonError::into_inner);
        let mut generations = table.generations().take_while(|&(hour, _)| hour >= since);
        generations.find_map(|(_, generation)| generation.get(&key)).copied()
    }

    /// Every key: hour, account, hash, place.
    pub(super) fn for_each(&self, visit: &mut dyn FnMut(u64, u64, KeyHash, Place)) {
        for table in &self.tables {
            let table = table.read().unwrap_or_else(PoisonError::into_inner);
            for (hour, generation) in table.generations() {
                for (key, &place) in generation {
                    let (account, hash) = key.parts();
                    visit(hour, account, hash, place);
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
            table.unhook(|hour| self.expired(hour), &mut unhooked);
        }
        self.retired
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(unhooked);
    }
}
