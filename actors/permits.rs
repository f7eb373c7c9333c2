//! Admission permits: how many requests may be inside, per shard and per account. Our own counters, because an actix
//! mailbox is bounded per clone of its address and so bounds nothing. None free: refused at once.

use crate::fixed_hash::mix;
use crate::settings::ACCOUNT_COUNTERS;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tollgate_domain::account::AccountKey;
use tollgate_store::ShardId;

/// The counters.
#[derive(Debug)]
pub struct Permits {
    shards: Box<[AtomicU32]>,
    /// Accounts share a counter when their hashes meet: a fixed table needs no lock, and two accounts that both fill up
    /// at the same time in the same of 4,096 places are refused a little early, never admitted too much.
    accounts: Box<[AtomicU32]>,
    per_node: AtomicU32,
    per_shard: AtomicU32,
    per_account: AtomicU32,
}

/// One thread's way to the permits. What it gives out counts this, and not the `Arc`, whose count lies beside the numbers
/// that every request reads and would take them from one thread to the other each time.
#[derive(Debug)]
pub struct ThreadPermits(Arc<Permits>);

/// Which permits were used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsedUp {
    /// The shard's.
    Shard,
    /// The account's.
    Account,
}

/// The right of one request to be inside; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    permits: Rc<ThreadPermits>,
    shard: u16,
    account: u16,
}

impl Permits {
    /// Counters that all stand at zero.
    pub fn new(shards: u16, per_node: u32, per_shard: u32, per_account: u32) -> Arc<Self> {
        let zeros = |count: usize| (0..count).map(|_| AtomicU32::new(0)).collect();
        Arc::new(Permits {
            shards: zeros(usize::from(shards)),
            accounts: zeros(ACCOUNT_COUNTERS),
            per_node: AtomicU32::new(per_node),
            per_shard: AtomicU32::new(per_shard),
            per_account: AtomicU32::new(per_account),
        })
    }

    /// Changes how many may be inside. Who is inside stays; with fewer permits nobody comes in until enough have left.
    pub fn set(&self, per_node: u32, per_shard: u32, per_account: u32) {
        self.per_node.store(per_node, Ordering::Relaxed);
        self.per_shard.store(per_shard, Ordering::Relaxed);
        self.per_account.store(per_account, Ordering::Relaxed);
    }

    /// Requests that may be inside together. Whoever asks holds it against a sum it took a moment ago, because a counter that
    /// every request changes would be fought over by all threads.
    pub fn per_node(&self) -> u64 {
        u64::from(self.per_node.load(Ordering::Relaxed))
    }

    /// Permits of a shard that are taken now.
    pub fn inside_of(&self, shard: ShardId) -> u32 {
        self.shards[usize::from(shard.0)].load(Ordering::Relaxed)
    }

    /// Requests inside now.
    pub fn inside(&self) -> u64 {
        self.shards
            .iter()
            .map(|count| u64::from(count.load(Ordering::Relaxed)))
            .sum()
    }
}

impl ThreadPermits {
    /// The way of the thread that keeps it.
    pub fn new(permits: &Arc<Permits>) -> Rc<Self> {
        Rc::new(ThreadPermits(Arc::clone(permits)))
    }

    /// A permit of the shard and of the account, if both have one.
    pub fn take(self: &Rc<Self>, shard: ShardId, account: AccountKey) -> Result<Permit, UsedUp> {
        let permits = &self.0;
        let at = (mix(account.0) % ACCOUNT_COUNTERS as u64) as usize;
        if !up(
            &permits.shards[usize::from(shard.0)],
            permits.per_shard.load(Ordering::Relaxed),
        ) {
            return Err(UsedUp::Shard);
        }
        if !up(&permits.accounts[at], permits.per_account.load(Ordering::Relaxed)) {
            down(&permits.shards[usize::from(shard.0)]);
            return Err(UsedUp::Account);
        }
        Ok(Permit {
            permits: Rc::clone(self),
            shard: shard.0,
            account: at as u16,
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let permits = &self.permits.0;
        down(&permits.shards[usize::from(self.shard)]);
        down(&permits.accounts[usize::from(self.account)]);
    }
}

fn up(count: &AtomicU32, max: u32) -> bool {
    // A short overshoot by threads that are about to step back is harmless; the bound holds for whoever is admitted.
    let admitted = count.fetch_add(1, Ordering::Relaxed) < max;
    if !admitted {
        down(count);
    }
    admitted
}

fn down(count: &AtomicU32) {
    let before = count.fetch_sub(1, Ordering::Relaxed);
    assert!(before > 0, "a permit was given back that was never taken");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_bounded_and_come_back() {
        let all = Permits::new(2, 100, 3, 2);
        let permits = ThreadPermits::new(&all);
        let (shard, account) = (ShardId(1), AccountKey(7));
        let one = permits.take(shard, account);
        let two = permits.take(shard, account);
        assert!(one.is_ok() && two.is_ok());
        assert_eq!(permits.take(shard, account).err(), Some(UsedUp::Account));
        let three = permits.take(shard, AccountKey(8));
        assert!(three.is_ok());
        assert_eq!(permits.take(shard, AccountKey(9)).err(), Some(UsedUp::Shard));
        drop(one);
        assert!(permits.take(shard, account).is_ok());
        drop((two, three));
        assert_eq!(all.inside(), 0);
    }

    #[test]
    fn fewer_permits_let_nobody_in_until_enough_have_left() {
        let all = Permits::new(1, 100, 4, 4);
        let permits = ThreadPermits::new(&all);
        let (shard, account) = (ShardId(0), AccountKey(7));
        let mut inside: Vec<_> = (0..4).map(|_| permits.take(shard, account).expect("free")).collect();
        all.set(100, 2, 2);
        for _ in 0..2 {
            assert_eq!(permits.take(shard, account).err(), Some(UsedUp::Shard));
            inside.pop();
        }
        assert!(permits.take(shard, account).is_err());
        inside.pop();
        assert!(permits.take(shard, account).is_ok());
        all.set(100, 5, 5);
        inside.extend((0..4).map(|_| permits.take(shard, account).expect("more are free at once")));
        assert_eq!(all.inside_of(shard), 5);
    }
}
