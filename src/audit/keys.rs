//! Idempotency keys of an account: one outcome each within their life.

use crate::objects::{Objects, Stage};
use crate::report::{Check, Checked, ensure};
use hashbrown::HashMap;
use tollgate_domain::acquirer::AttemptId;
use tollgate_domain::secrets::Purpose;
use tollgate_domain::{Facts, OutcomeResult, Secrets, kinds};
use tollgate_resource::Id;
use tollgate_store::KeyHash;

/// Fewer keys than this are not worth looking for ended ones among them.
const SWEEP_MIN: usize = 4096;

/// A hash of a key's text under a seed of this room's own; two halves, because a whole one would take twice the room.
type Name = (u64, u64);

/// The keys that are alive at the account's time.
pub(crate) struct Keys {
    life_ms: u64,
    /// When each key with an outcome was claimed.
    settled: HashMap<Name, u64>,
    /// Keys whose outcome waits for an attempt; they do not end.
    in_flight: HashMap<Name, InFlight>,
    /// At this many settled keys the ended ones are dropped.
    sweep_at: usize,
    seed: Secrets,
}

#[derive(Clone, Copy)]
struct InFlight {
    request: Id,
    fingerprint: u128,
    created_ms: u64,
    attempt: AttemptId,
}

impl Keys {
    pub(crate) fn new(life_ms: u64) -> Self {
        Keys {
            life_ms,
            settled: HashMap::new(),
            in_flight: HashMap::new(),
            sweep_at: SWEEP_MIN,
            seed: Secrets::new([0; 32]),
        }
    }

    /// Checks the outcome of a record, if it has one. With `secrets`, also the hash it is found under.
    pub(crate) fn check(&mut self, facts: &Facts, hash: Option<&KeyHash>, secrets: Option<&Secrets>) -> Checked {
        let Some(outcome) = &facts.outcome else { return Ok(()) };
        let claim = &outcome.claim;
        // The key itself is the merchant's text and may be long: reports name the request.
        let request = claim.request.text(&kinds::REQUEST);
        if let (Some(secrets), Some(hash)) = (secrets, hash) {
            let expected = secrets
                .hash(Purpose::IdempotencyKey, claim.key.as_bytes())
                .to_le_bytes();
            ensure(Check::Envelope, *hash == expected[..hash.len()], || {
                format!("the key of {request} is filed under another key's hash")
            })?;
        }
        let name = self.seed.hash(Purpose::IdempotencyKey, claim.key.as_bytes());
        let name = ((name >> 64) as u64, name as u64);
        let in_flight = match &outcome.result {
            OutcomeResult::InFlight { attempt } => Some(*attempt),
            OutcomeResult::Object { .. } | OutcomeResult::Rejected { .. } => None,
        };
        if let Some(attempt) = in_flight {
            ensure(
                Check::Idempotency,
                facts.calls.iter().any(|call| call.attempt == attempt),
                || format!("the key of {request} waits for an attempt that the record does not make"),
            )?;
        }
        if let Some(known) = self.in_flight.remove(&name) {
            let first = known.request.text(&kinds::REQUEST);
            let same = (known.request, known.fingerprint, known.created_ms)
                == (claim.request, claim.fingerprint, claim.created_ms);
            ensure(Check::Idempotency, same && in_flight.is_none(), || {
                format!("the key of {request} is in flight for {first} and is claimed again")
            })?;
        } else if let Some(created_ms) = self.settled.get(&name) {
            let has_ended = facts.now_ms >= created_ms.saturating_add(self.life_ms);
            ensure(Check::Idempotency, has_ended, || {
                format!(
                    "the key of {request} has a second outcome; its first, of a claim at {created_ms}, is still alive"
                )
            })?;
        }
        match in_flight {
            Some(attempt) => {
                let (request, fingerprint, created_ms) = (claim.request, claim.fingerprint, claim.created_ms);
                let waiting = InFlight {
                    request,
                    fingerprint,
                    created_ms,
                    attempt,
                };
                self.in_flight.insert(name, waiting);
                self.settled.remove(&name);
            }
            None => {
                self.settled.insert(name, claim.created_ms);
                self.sweep(facts.now_ms);
            }
        }
        Ok(())
    }

    /// At the end: a key in flight waits for an attempt that is open and may still answer it.
    pub(crate) fn end(&self, objects: &Objects) -> Checked {
        for waiting in self.in_flight.values() {
            let attempt = waiting.attempt;
            let open = objects.intent(attempt.object.seq()).and_then(|intent| intent.open);
            let waits = open.is_some_and(|open| open.stage == Stage::Calling && open.number == attempt.number);
            ensure(Check::Idempotency, waits, || {
                let request = waiting.request.text(&kinds::REQUEST);
                format!(
                    "the key of {request} is in flight, but its attempt {} is settled",
                    attempt.number
                )
            })?;
        }
        Ok(())
    }

    /// Drops the keys that have ended, when as many have come as were alive the last time: so at most twice as many are
    /// kept as are alive, and each is looked at about twice.
    fn sweep(&mut self, now_ms: u64) {
        if self.settled.len() < self.sweep_at {
            return;
        }
        let life_ms = self.life_ms;
        self.settled
            .retain(|_, created_ms| now_ms < created_ms.saturating_add(life_ms));
        self.sweep_at = (self.settled.len() * 2).max(SWEEP_MIN);
    }
}
