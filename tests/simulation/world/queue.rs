//! What is about to happen, in the order in which it will.

use super::deliveries::Doing;
use std::sync::Arc;
use tollgate_actors::Request;
use tollgate_actors::shard::{CallOut, Load};
use tollgate_domain::AccountKey;
use tollgate_domain::acquirer::{AttemptId, NetworkAnswer};
use tollgate_store::Epoch;
use tollgate_webhooks::hall::Ticket;

/// Something that is about to happen.
#[derive(Debug)]
pub(super) enum Happening {
    Step(usize),
    Turn(u16),
    Load(u16, Epoch, u32, Box<Load>),
    Settle(u16, Epoch, u64),
    AnswerBlock(u16, u32),
    Send(usize),
    Impatient(usize, u32),
    Beside(u32, Arc<Request>, u32),
    AtNetwork(CallOut, u32),
    FromNetwork(AccountKey, AttemptId, NetworkAnswer, u32),
    /// The hall of a process has its turns.
    Deliver(u32),
    /// Something that the hall of a process wanted done has ended.
    Delivered(u32, Ticket, Box<Doing>),
    /// A shard whose delivery came to a rest may move.
    Rested(u16, u32),
    Start,
    Restart(u32),
    ClockBack(i64),
    ReadsWork,
}

/// A position in the queue.
pub(super) struct Entry {
    pub(super) at_ms: u64,
    /// Drawn: decides between things of the same millisecond.
    pub(super) order: u64,
    pub(super) number: u64,
    pub(super) what: Happening,
}

impl Entry {
    fn key(&self) -> (u64, u64, u64) {
        (self.at_ms, self.order, self.number)
    }
}
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}
