//! Where each account stands after the records on disk, in memory: the publisher must know it without reading a file.
//! About 70 bytes an account, which is the one thing here that grows with the number of accounts.

use std::sync::{PoisonError, RwLock};
use tollgate_store::index::{AccountEnd, Map, slot};
use tollgate_store::{AccountRef, ShardId};

/// Parts with a lock each, so that none is large when it has to grow under its lock.
const PARTS: usize = 256;

/// Every account that has records on disk.
pub(super) struct Ends {
    parts: Box<[RwLock<Map<u64, AccountEnd>>]>,
}

impl Ends {
    pub(super) fn new() -> Ends {
        Ends {
            parts: (0..PARTS).map(|_| RwLock::default()).collect(),
        }
    }

    pub(super) fn get(&self, account: AccountRef) -> Option<AccountEnd> {
        let part = self.parts[slot(account.0, PARTS)].read();
        part.unwrap_or_else(PoisonError::into_inner).get(&account.0).copied()
    }

    /// Held by its lock for this one account.
    pub(super) fn set(&self, account: AccountRef, end: AccountEnd) {
        let part = self.parts[slot(account.0, PARTS)].write();
        part.unwrap_or_else(PoisonError::into_inner).insert(account.0, end);
    }

    /// The accounts of a shard, in no order that means anything, with the number of their records on disk.
    pub(super) fn of_shard(&self, shard: ShardId) -> Vec<(AccountRef, u64)> {
        let mut accounts = Vec::new();
        for part in &self.parts {
            let part = part.read().unwrap_or_else(PoisonError::into_inner);
            let of_shard = part.iter().filter(|(_, end)| end.shard == shard);
            accounts.extend(of_shard.map(|(&account, end)| (AccountRef(account), end.records)));
        }
        accounts
    }
}
