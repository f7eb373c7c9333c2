//! One idempotency key: loading, in flight, or done. It lives only while it is in flight or was touched lately; whether a
//! key was ever seen is the store's filter's knowledge.

use super::task::{Ask, Task};
use crate::refusals;
use crate::request::Request;
use std::collections::VecDeque;
use std::sync::Arc;
use tollgate_breaks::broken;
use tollgate_domain::facts::OutcomeResult;
use tollgate_domain::{Claim, Facts, Outcome, Reject};
use tollgate_store::KeyHash;

/// A key of an account: (account, keyed hash of the key).
pub(crate) type KeyName = (u64, KeyHash);

/// The actor of one key.
#[derive(Debug)]
pub(crate) enum KeyActor {
    /// The filter says it may have been seen; the store is asked. These wait, the first of them being the first to ask.
    Loading(VecDeque<Ask>),
    /// Its first request is not decided yet; these duplicates wait for the answer.
    InFlight {
        /// Whose claim holds the key.
        held: Held,
        /// Duplicates, in order of arrival.
        waiting: VecDeque<Ask>,
    },
    /// Its outcome.
    Done(Remembered),
}

/// Where the claim of a key in flight is.
#[derive(Debug)]
pub(crate) enum Held {
    /// With the request being decided.
    Request(Arc<Request>),
    /// In the record of an attempt that was made before a restart.
    Record(Arc<Facts>),
}

/// An outcome in memory.
#[derive(Debug)]
pub(crate) struct Remembered {
    /// The record that holds it.
    pub(crate) facts: Arc<Facts>,
    /// That record's block; 0 when it was loaded.
    pub(crate) block: u64,
    /// Whether it was asked for since passivation last came by.
    pub(crate) touched: bool,
}

impl Remembered {
    pub(crate) fn outcome(&self) -> &Outcome {
        outcome_of(&self.facts)
    }
}

impl Held {
    pub(crate) fn claim(&self) -> &Claim {
        match self {
            Held::Request(request) => {
                let (_, claim) = request.claim.as_ref().expect("only a request with a claim holds a key");
                claim
            }
            Held::Record(facts) => &outcome_of(facts).claim,
        }
    }
}

impl KeyActor {
    /// The actor of a key whose newest outcome the store found.
    pub(crate) fn from_record(facts: Arc<Facts>) -> KeyActor {
        match outcome_of(&facts).result {
            OutcomeResult::InFlight { .. } => KeyActor::InFlight {
                held: Held::Record(facts),
                waiting: VecDeque::new(),
            },
            _ => KeyActor::Done(Remembered {
                facts,
                block: 0,
                touched: true,
            }),
        }
    }

    /// The record that holds its outcome, as far as it is in memory.
    pub(crate) fn facts(&self) -> Option<&Facts> {
        match self {
            KeyActor::Done(remembered) => Some(&remembered.facts),
            KeyActor::Loading(_) | KeyActor::InFlight { .. } => None,
        }
    }

    /// Whether something is under way, so that the key and its account must stay in memory.
    pub(crate) fn is_under_way(&self) -> bool {
        !matches!(self, KeyActor::Done(_))
    }

    /// Takes everyone who waits.
    pub(crate) fn take_waiting(&mut self) -> VecDeque<Ask> {
        match self {
            KeyActor::Loading(waiting) | KeyActor::InFlight { waiting, .. } => std::mem::take(waiting),
            KeyActor::Done(_) => VecDeque::new(),
        }
    }

    /// Moves everyone who waits out of it.
    pub(crate) fn abandon(&mut self, to: &mut Vec<Task>) {
        to.extend(self.take_waiting().into_iter().map(Task::Ask));
    }
}

/// Why `again` may not be answered from `first`, if it may not.
pub(crate) fn mismatch(first: &Claim, again: &Claim) -> Option<Reject> {
    if broken!(IgnoreMismatch) {
        return None;
    }
    if first.endpoint != again.endpoint {
        return Some(refusals::other_endpoint(&again.key, &first.path));
    }
    // The top 8 bits are the version of the scheme. Fingerprints of two schemes cannot be compared; a retry across an
    // upgrade is believed, since it names the key and the endpoint.
    let same_scheme = first.fingerprint >> 120 == again.fingerprint >> 120;
    (same_scheme && first.fingerprint != again.fingerprint).then(|| refusals::other_parameters(&again.key))
}

/// Whether an outcome is too old to be repeated: its key counts as never seen.
pub(crate) fn is_expired(outcome: &Outcome, now_ms: u64, keep_ms: u64) -> bool {
    let settled = !matches!(outcome.result, OutcomeResult::InFlight { .. });
    // The claim's time is the edge's wall clock, which may have been behind for a moment; the shard's time does not step.
    let since_ms = outcome.claim.created_ms.max(outcome.clock_ms);
    settled && now_ms >= since_ms.saturating_add(keep_ms) && !broken!(ReplayExpired)
}

fn outcome_of(facts: &Facts) -> &Outcome {
    facts.outcome.as_ref().expect("the record of a key holds its outcome")
}
