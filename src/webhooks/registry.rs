//! Who has not taken which event, for whoever shows events.

use crate::book::Book;
use crate::endpoint::EndpointKey;
use crate::filter::Patterns;
use hashbrown::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tollgate_breaks::broken;

/// The books of all endpoints that are served here.
#[derive(Default)]
pub struct Registry {
    accounts: RwLock<HashMap<u64, Arc<[Listed]>>>,
    unread: Mutex<Unread>,
}

/// What is here and not listed yet.
#[derive(Default)]
struct Unread {
    /// Shards whose notes are being read, with the epoch they came under.
    shards: HashMap<u16, u64>,
    /// Accounts that are to be read because their shard came, or an endpoint of theirs changed.
    accounts: HashSet<u64>,
}

/// An endpoint's book, and which events are in it.
#[derive(Clone)]
pub(crate) struct Listed {
    pub(crate) key: EndpointKey,
    pub(crate) filter: Patterns,
    pub(crate) ledger: Arc<Mutex<Book>>,
}

impl Registry {
    /// How many endpoints want an event and have not taken it: those that are older than it and not deleted, whether they
    /// are enabled or not. 0 of an account whose shard is not served here.
    pub fn pending(&self, account: u64, event_seq: u64, kind: &str) -> u32 {
        self.pending_at(account, event_seq, kind).len() as u32
    }

    /// The endpoints of the account that want an event and have not taken it.
    pub fn pending_at(&self, account: u64, event_seq: u64, kind: &str) -> Vec<EndpointKey> {
        let all = self.of(account);
        let pending = all
            .iter()
            .filter(|it| it.key.seq < event_seq && it.filter.want(kind) && it.is_pending(event_seq));
        pending.map(|it| it.key).collect()
    }

    /// Whether the account has an endpoint, as far as is known here.
    pub fn watches(&self, account: u64) -> bool {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.contains_key(&account)
    }

    /// Whether everything is listed that there is to be of this account of a shard. For a moment after its shard came, or an
    /// endpoint changed, it is not.
    pub fn is_settled(&self, shard: u16, account: u64) -> bool {
        let unread = self.unread();
        !unread.shards.contains_key(&shard) && !unread.accounts.contains(&account)
    }

    /// A shard comes: its notes are to be read.
    pub(crate) fn coming(&self, shard: u16, epoch: u64) {
        self.unread().shards.insert(shard, epoch);
    }

    /// The notes of a shard that came under this epoch are read; they name these accounts.
    pub(crate) fn came(&self, shard: u16, epoch: u64, accounts: impl Iterator<Item = u64>) {
        let mut unread = self.unread();
        unread.accounts.extend(accounts);
        if unread.shards.get(&shard) == Some(&epoch) {
            unread.shards.remove(&shard);
        }
    }

    /// A shard goes.
    pub(crate) fn gone(&self, shard: u16) {
        self.unread().shards.remove(&shard);
    }

    /// An account is to be read.
    pub(crate) fn expect(&self, account: u64) {
        self.unread().accounts.insert(account);
    }

    fn unread(&self) -> MutexGuard<'_, Unread> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copied out, so that nobody waits for a book with the whole map in hand.
    fn of(&self, account: u64) -> Arc<[Listed]> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.get(&account).cloned().unwrap_or_else(|| Arc::new([]))
    }

    pub(crate) fn set(&self, account: u64, listed: Vec<Listed>) {
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        if listed.is_empty() {
            accounts.remove(&account);
        } else {
            accounts.insert(account, listed.into());
        }
        drop(accounts);
        self.unread().accounts.remove(&account);
    }
}

impl Listed {
    fn is_pending(&self, seq: u64) -> bool {
        if broken!(ForgetPending) {
            return false;
        }
        self.ledger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_pending(seq)
    }
}
