//! What the answers said about money: the record that the server's books are held against.

use super::task::Id;
use std::time::Instant;

/// Most movements kept over all threads; 64 bytes each.
const MOVEMENTS_MAX: usize = 50_000_000;

/// Money that an acknowledged answer says has moved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Movement {
    /// Whose.
    pub(crate) merchant: u32,
    /// The charge or refund that a balance transaction will name as its source; a payment intent while it is open.
    pub(crate) source: Id,
    /// Gross amount, minor units; refunds are below 0.
    pub(crate) amount: i64,
}

/// All of a thread or a run.
#[derive(Debug, Default)]
pub(crate) struct Movements {
    /// Acknowledged as done.
    pub(crate) done: Vec<Movement>,
    /// Acknowledged as `processing`: the source is the payment intent.
    pub(crate) open: Vec<Movement>,
    /// Authenticated, and so acknowledged as paid, but not seen afterwards: the source is the payment intent.
    pub(crate) authenticated: Vec<Movement>,
    /// Asked for, but never answered: it may have moved or not. The source is empty.
    pub(crate) unknown: Vec<Movement>,
    /// Where webhooks are checked: payments that were paid, by the name that the sink gives them, and when the request that
    /// paid was sent.
    pub(crate) paid: Vec<(u64, Instant)>,
    /// Movements that were not kept because there were too many.
    pub(crate) dropped: u64,
}

impl Movements {
    /// Keeps a movement that is done.
    pub(crate) fn done(&mut self, movement: Movement) {
        if self.done.len() < MOVEMENTS_MAX {
            self.done.push(movement);
        } else {
            self.dropped += 1;
        }
    }

    /// Adds another thread's.
    pub(crate) fn append(&mut self, other: Movements) {
        self.dropped += other.dropped;
        other.done.into_iter().for_each(|movement| self.done(movement));
        self.open.extend(other.open);
        self.authenticated.extend(other.authenticated);
        self.unknown.extend(other.unknown);
        self.paid.extend(other.paid);
    }
}
