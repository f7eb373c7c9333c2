//! How lanes do, for operators.

use super::Hall;
use crate::endpoint::{EndpointKey, Status, SwitchedOff};
use crate::lane::{BreakerState, Halt, Lane, RecentAttempts};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// Lanes that one list gives.
const LIST_MAX: usize = 1_000;

/// How a lane does.
#[derive(Clone, Debug)]
pub struct LaneStatus {
    /// Whose it is.
    pub endpoint: EndpointKey,
    /// Its public id.
    pub id: Arc<str>,
    /// The shard of its account.
    pub shard: u16,
    /// What it is doing.
    pub state: LaneState,
    /// Deliveries that are out.
    pub in_flight: usize,
    /// How many may be.
    pub limit: u32,
    /// Events up to this number are settled or have failed.
    pub low: u64,
    /// The account's journal goes up to here.
    pub upto: u64,
    /// When the oldest event happened that is new and has no outcome yet, milliseconds since the Unix epoch. What was not read
    /// since this process has the lane may be older.
    pub oldest_ms: Option<u64>,
    /// Events that wait for another attempt.
    pub waiting: u64,
    /// Dead letters.
    pub dead: u64,
    /// Since when nothing was taken, milliseconds since the Unix epoch.
    pub failing_since_ms: Option<u64>,
    /// What its last attempts came to, if there was any since this process has the lane.
    pub recent: Option<RecentAttempts>,
}

impl LaneStatus {
    /// How far it is behind: numbers of the account that are not settled, and events that wait for another attempt.
    pub fn backlog(&self) -> u64 {
        self.upto.saturating_sub(self.low) + self.waiting
    }
}

/// What a lane is doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LaneState {
    /// It sends what there is.
    Sending,
    /// Its breaker is open, or tries whether it may close.
    Broken(BreakerState),
    /// Its owner wants it to wait.
    Paused,
    /// Its endpoint is disabled; why.
    Disabled(SwitchedOff),
    /// It waits for its endpoint to be disabled.
    Halted(Halt),
    /// It panicked too often; why.
    Quarantined(String),
}

impl LaneState {
    /// Its word.
    pub fn word(&self) -> &'static str {
        match self {
            LaneState::Sending => "sending",
            LaneState::Broken(BreakerState::Open { .. }) => "open",
            LaneState::Broken(_) => "probing",
            LaneState::Paused => "paused",
            LaneState::Disabled(_) => "disabled",
            LaneState::Halted(Halt::Gone) => "gone",
            LaneState::Halted(Halt::Dead) => "dead",
            LaneState::Quarantined(_) => "quarantined",
        }
    }
}

impl Hall {
    pub(super) fn status(&self, key: EndpointKey) -> Option<LaneStatus> {
        if let Some((lane, why)) = self.quarantined.get(&key) {
            return Some(status_of(lane, Some(why)));
        }
        let lane = *self.places.get(&key)?;
        self.floor.lane(lane).map(|lane| status_of(lane, None))
    }

    /// Those that are most behind, the worst first.
    pub(super) fn worst(&self, limit: usize) -> Vec<LaneStatus> {
        let mut worst = Worst::of(limit.min(LIST_MAX));
        let quarantined = self.quarantined.values().map(|(lane, _)| lane);
        for lane in self.placed().chain(quarantined) {
            worst.saw(lane.key(), backlog(lane));
        }
        let keys = worst.first_to_last();
        keys.into_iter().filter_map(|key| self.status(key)).collect()
    }

    /// Lanes that are served.
    pub(super) fn placed(&self) -> impl Iterator<Item = &Lane> {
        self.places.values().filter_map(|lane| self.floor.lane(*lane))
    }
}

/// The endpoints that are most behind among all that are seen, so many at most.
pub(super) struct Worst {
    most: usize,
    /// Those that are least behind come first.
    seen: BinaryHeap<Reverse<(u64, Reverse<EndpointKey>)>>,
}

impl Worst {
    pub(super) fn of(most: usize) -> Worst {
        let seen = BinaryHeap::new();
        Worst { most, seen }
    }

    pub(super) fn saw(&mut self, key: EndpointKey, backlog: u64) {
        let it = (backlog, Reverse(key));
        let full = self.seen.len() >= self.most;
        if full && self.seen.peek().is_none_or(|Reverse(least)| it <= *least) {
            return;
        }
        if full {
            self.seen.pop();
        }
        self.seen.push(Reverse(it));
    }

    /// The worst first.
    pub(super) fn first_to_last(self) -> Vec<EndpointKey> {
        let seen = self.seen.into_sorted_vec();
        seen.into_iter().map(|Reverse((_, Reverse(key)))| key).collect()
    }
}

fn backlog(lane: &Lane) -> u64 {
    let book = lane.book();
    lane.upto().saturating_sub(book.low()) + book.waiting_len()
}

fn status_of(lane: &Lane, fell: Option<&String>) -> LaneStatus {
    let book = lane.book();
    let health = book.health();
    LaneStatus {
        endpoint: lane.key(),
        id: Arc::clone(&lane.view.id),
        shard: lane.shard,
        state: state_of(lane, fell),
        in_flight: lane.in_flight(),
        limit: lane.limit(),
        low: book.low(),
        upto: lane.upto(),
        oldest_ms: lane.oldest_ms(),
        waiting: book.waiting_len(),
        dead: book.dead_len(),
        failing_since_ms: (health.failures > 0).then_some(health.failing_since_ms),
        recent: lane.recent(),
    }
}

pub(super) fn state_of(lane: &Lane, fell: Option<&String>) -> LaneState {
    if let Some(why) = fell {
        return LaneState::Quarantined(why.clone());
    }
    match lane.view.status {
        Status::Paused => return LaneState::Paused,
        Status::Disabled(why) => return LaneState::Disabled(why),
        Status::Enabled => {}
    }
    match (lane.halt(), lane.breaker()) {
        (Some(halt), _) => LaneState::Halted(halt),
        (None, BreakerState::Closed) => LaneState::Sending,
        (None, broken) => LaneState::Broken(broken),
    }
}
