//! How lanes do, for operators.

use super::Hall;
use crate::endpoint::{EndpointKey, Status};
use crate::lane::{BreakerState, Halt, Lane};
use crate::metrics::{BOOK_BYTES, LANES, OLDEST, RETRIES};
use metrics::gauge;
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
    /// When the oldest event in hand happened, milliseconds since the Unix epoch.
    pub oldest_ms: Option<u64>,
    /// Events that wait for another attempt.
    pub waiting: u64,
    /// Dead letters.
    pub dead: u64,
    /// Since when nothing was taken, milliseconds since the Unix epoch.
    pub failing_since_ms: Option<u64>,
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
    /// Its endpoint is disabled.
    Disabled,
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
            LaneState::Disabled => "disabled",
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
        let fallen = self.quarantined.values().map(|(lane, why)| status_of(lane, Some(why)));
        let placed = self.places.values().filter_map(|lane| self.floor.lane(*lane));
        let mut all: Vec<LaneStatus> = fallen.chain(placed.map(|lane| status_of(lane, None))).collect();
        all.sort_by_key(|it| {
            (
                std::cmp::Reverse(it.upto.saturating_sub(it.low) + it.waiting),
                it.endpoint,
            )
        });
        all.truncate(limit.min(LIST_MAX));
        all
    }

    /// Sets the gauges of this thread. Looks at every lane, so not too often.
    pub fn measure(&self, thread: usize) {
        let thread = thread.to_string();
        let mut states = [
            ("sending", 0_u32),
            ("open", 0),
            ("probing", 0),
            ("stopped", 0),
            ("quarantined", 0),
        ];
        let (mut retries, mut bytes, mut oldest) = (0, 0, None::<u64>);
        for lane in self.places.values().filter_map(|lane| self.floor.lane(*lane)) {
            let word = state_of(lane, None).word();
            let at = states.iter().position(|(state, _)| *state == word).unwrap_or(3);
            states[at].1 += 1;
            let book = lane.book();
            retries += book.waiting_len();
            bytes += book.bytes();
            drop(book);
            if word == "sending" {
                oldest = oldest.into_iter().chain(lane.oldest_ms()).min();
            }
        }
        states[4].1 = self.quarantined.len() as u32;
        for (state, number) in states {
            gauge!(LANES, "thread" => thread.clone(), "state" => state).set(f64::from(number));
        }
        let age_ms = oldest.map_or(0, |oldest| self.now_ms.saturating_sub(oldest));
        gauge!(RETRIES, "thread" => thread.clone()).set(retries as f64);
        gauge!(BOOK_BYTES, "thread" => thread.clone()).set(bytes as f64);
        gauge!(OLDEST, "thread" => thread).set(age_ms as f64 / 1_000.0);
    }
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
    }
}

fn state_of(lane: &Lane, fell: Option<&String>) -> LaneState {
    if let Some(why) = fell {
        return LaneState::Quarantined(why.clone());
    }
    match lane.view.status {
        Status::Paused => return LaneState::Paused,
        Status::Disabled => return LaneState::Disabled,
        Status::Enabled => {}
    }
    match (lane.halt(), lane.breaker()) {
        (Some(halt), _) => LaneState::Halted(halt),
        (None, BreakerState::Closed) => LaneState::Sending,
        (None, broken) => LaneState::Broken(broken),
    }
}
