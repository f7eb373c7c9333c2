//! Idempotency keys of an account: one outcome each within their life.

use crate::objects::{Objects, Stage};
use crate::report::{Check, Checked, ensure};
use hashbrown::HashMap;
use std::collections::VecDeque;
use tollgate_domain::acquirer::AttemptId;
use tollgate_domain::secrets::Purpose;
use tollgate_domain::{Facts, OutcomeResult, Secrets, kinds};
use tollgate_resource::Id;
use tollgate_store::KeyHash;

/// The keys that are alive at the account's time.
pub(crate) struct Keys {
    life_ms: u64,
    /// By a hash of the key's text, under a seed of this room's own.
    alive: HashMap<u128, Alive>,
    /// When each ends, oldest first.
    ends: VecDeque<(u64, u128)>,
    seed: Secrets,
}

#[derive(Clone, Copy)]
struct Alive {
    request: Id,
    fingerprint: u128,
    created_ms: u64,
    /// The attempt its outcome waits for; such a key does not end.
    in_flight: Option<AttemptId>,
}

impl Alive {
    fn has_ended(&self, now_ms: u64, life_ms: u64) -> bool {
        self.in_flight.is_none() && now_ms >= self.created_ms.saturating_add(life_ms)
    }
}

impl Keys {
    pub(crate) fn new(life_ms: u64) -> Self {
        Keys {
            life_ms,
            alive: HashMap::new(),
            ends: VecDeque::new(),
            seed: Secrets::new([0; 32]),
        }
    }

    /// Checks the outcome of a record, if it has one. With `secrets`, also the hash it is found under.
    pub(crate) fn check(&mut self, facts: &Facts, hash: Option<&KeyHash>, secrets: Option<&Secrets>) -> Checked {
        self.drop_ended(facts.now_ms);
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
        if let Some(known) = self
            .alive
            .get(&name)
            .filter(|known| !known.has_ended(facts.now_ms, self.life_ms))
        {
            let first = known.request.text(&kinds::REQUEST);
            ensure(Check::Idempotency, known.in_flight.is_some(), || {
                format!("the key of {request} has a second outcome; its first, of {first}, is still alive")
            })?;
            let same = (known.request, known.fingerprint, known.created_ms)
                == (claim.request, claim.fingerprint, claim.created_ms);
            ensure(Check::Idempotency, same && in_flight.is_none(), || {
                format!("the key of {request} is in flight for {first} and is claimed again")
            })?;
        }
        let alive = Alive {
            request: claim.request,
            fingerprint: claim.fingerprint,
            created_ms: claim.created_ms,
            in_flight,
        };
        self.alive.insert(name, alive);
        if in_flight.is_none() {
            self.ends
                .push_back((claim.created_ms.saturating_add(self.life_ms), name));
        }
        Ok(())
    }

    /// At the end: a key in flight waits for an attempt that is open and may still answer it.
    pub(crate) fn end(&self, objects: &Objects) -> Checked {
        for alive in self.alive.values() {
            let Some(attempt) = alive.in_flight else { continue };
            let open = objects.intent(attempt.object.seq()).and_then(|intent| intent.open);
            let waits = open.is_some_and(|open| open.stage == Stage::Calling && open.number == attempt.number);
            ensure(Check::Idempotency, waits, || {
                let request = alive.request.text(&kinds::REQUEST);
                format!(
                    "the key of {request} is in flight, but its attempt {} is settled",
                    attempt.number
                )
            })?;
        }
        Ok(())
    }

    fn drop_ended(&mut self, now_ms: u64) {
        // Outcomes are pushed as they are settled, so ends are nearly in order: the front holds up what little is behind.
        while let Some(&(end_ms, name)) = self.ends.front() {
            if now_ms < end_ms {
                return;
            }
            self.ends.pop_front();
            // A key that was claimed anew meanwhile has an end of its own.
            if self
                .alive
                .get(&name)
                .is_some_and(|alive| alive.has_ended(now_ms, self.life_ms))
            {
                self.alive.remove(&name);
            }
        }
    }
}
