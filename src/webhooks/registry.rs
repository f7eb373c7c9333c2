//! Who has not taken which event, for whoever shows events.

use crate::book::Book;
use crate::endpoint::EndpointKey;
use crate::filter::Patterns;
use hashbrown::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The books of all endpoints that are served here.
#[derive(Default)]
pub struct Registry {
    accounts: RwLock<HashMap<u64, Arc<[Listed]>>>,
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
    }
}

impl Listed {
    fn is_pending(&self, seq: u64) -> bool {
        self.ledger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_pending(seq)
    }
}
