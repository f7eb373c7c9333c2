//! Idempotency keys of an account: one outcome each within their life.

use crate::part::Part;
use crate::report::{Check, Checked, ensure};
use hashbrown::HashMap;
use tollgate_domain::acquirer::AttemptId;
use tollgate_domain::secrets::Purpose;
use tollgate_domain::{Facts, OutcomeResult, Secrets, kinds};
use tollgate_resource::Id;
use tollgate_store::KeyHash;

/// Fewer keys than this are not worth looking for ended ones among them.
const SWEEP_MIN: usize = 4096;
/// Bytes of a settled key: its entry, and the room a hash map keeps free, which is half of it at most.
const KEY_BYTES: usize = 2 * size_of::<(KeyHash, Claimed)>();

/// When a key was claimed, milliseconds; two halves, because a whole one would take room for nothing.
type Claimed = [u32; 2];

/// The keys that are alive at the account's time, each by the hash it is filed under.
pub(crate) struct Keys {
    life_ms: u64,
    settled: HashMap<KeyHash, Claimed>,
    /// Keys whose outcome waits for an attempt; they do not end.
    in_flight: HashMap<KeyHash, InFlight>,
    /// At this many settled keys the ended ones are dropped.
    sweep_at: usize,
}

/// A key whose outcome waits for an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InFlight {
    pub(crate) request: Id,
    pub(crate) attempt: AttemptId,
    fingerprint: u128,
    created_ms: u64,
}

/// Whether a key belongs to the part.
pub(crate) fn is_in(part: Part, key: &KeyHash) -> bool {
    let (word, _) = key.split_first_chunk::<8>().expect("twelve bytes");
    part.holds(u64::from_le_bytes(*word))
}

/// The hash that a key is filed under.
pub(crate) fn hash_of(key: &str, secrets: &Secrets) -> KeyHash {
    let whole = secrets.hash(Purpose::IdempotencyKey, key.as_bytes()).to_le_bytes();
    *whole.first_chunk().expect("twelve of sixteen bytes")
}

impl Keys {
    pub(crate) fn new(life_ms: u64) -> Self {
        Keys {
            life_ms,
            settled: HashMap::new(),
            in_flight: HashMap::new(),
            sweep_at: SWEEP_MIN,
        }
    }

    /// Checks the outcome of a record, if it has one and its key belongs to the part. That the key is filed under its
    /// own hash is checked elsewhere.
    pub(crate) fn check(&mut self, facts: &Facts, filed: Option<&KeyHash>, part: Part) -> Checked {
        let (Some(outcome), Some(&key)) = (&facts.outcome, filed) else {
            return Ok(());
        };
        if !is_in(part, &key) {
            return Ok(());
        }
        let claim = &outcome.claim;
        // The key itself is the merchant's text and may be long: reports name the request.
        let request = claim.request.text(&kinds::REQUEST);
        let in_flight = match &outcome.result {
            OutcomeResult::InFlight { attempt } => Some(*attempt),
            OutcomeResult::Object { .. } | OutcomeResult::Rejected { .. } | OutcomeResult::Handed => None,
        };
        if let Some(attempt) = in_flight {
            ensure(
                Check::Idempotency,
                facts.calls.iter().any(|call| call.attempt == attempt),
                || format!("the key of {request} waits for an attempt that the record does not make"),
            )?;
        }
        if let Some(known) = self.in_flight.remove(&key) {
            let first = known.request.text(&kinds::REQUEST);
            let same = (known.request, known.fingerprint, known.created_ms)
                == (claim.request, claim.fingerprint, claim.created_ms);
            ensure(Check::Idempotency, same && in_flight.is_none(), || {
                format!("the key of {request} is in flight for {first} and is claimed again")
            })?;
        } else if let Some(created_ms) = self.settled.get(&key).map(|halves| milliseconds(*halves)) {
            let has_ended = facts.now_ms >= created_ms.saturating_add(self.life_ms);
            ensure(Check::Idempotency, has_ended, || {
                format!(
                    "the key of {request} has a second outcome; its first, of a claim at {created_ms}, is still alive"
                )
            })?;
        }
        match in_flight {
            Some(attempt) => {
                let waiting = InFlight {
                    request: claim.request,
                    attempt,
                    fingerprint: claim.fingerprint,
                    created_ms: claim.created_ms,
                };
                self.in_flight.insert(key, waiting);
                self.settled.remove(&key);
            }
            None => {
                self.settled.insert(key, halves(claim.created_ms));
                self.sweep(facts.now_ms);
            }
        }
        Ok(())
    }

    /// The keys whose outcome waits.
    pub(crate) fn in_flight(&self) -> impl Iterator<Item = InFlight> {
        self.in_flight.values().copied()
    }

    /// Forgets the keys that do not belong to the part.
    pub(crate) fn keep_only(&mut self, part: Part) {
        self.settled.retain(|key, _| is_in(part, key));
        self.settled.shrink_to_fit();
        self.in_flight.retain(|key, _| is_in(part, key));
    }

    /// Bytes of the keys kept, about.
    pub(crate) fn bytes(&self) -> usize {
        self.settled.len() * KEY_BYTES + self.in_flight.len() * 2 * size_of::<(KeyHash, InFlight)>()
    }

    /// Drops the keys that have ended, when as many have come as were alive the last time: so at most twice as many are
    /// kept as are alive, and each is looked at about twice.
    fn sweep(&mut self, now_ms: u64) {
        if self.settled.len() < self.sweep_at {
            return;
        }
        let life_ms = self.life_ms;
        self.settled
            .retain(|_, halves| now_ms < milliseconds(*halves).saturating_add(life_ms));
        self.sweep_at = (self.settled.len() * 2).max(SWEEP_MIN);
    }
}

fn halves(ms: u64) -> Claimed {
    [(ms >> 32) as u32, ms as u32]
}

fn milliseconds([high, low]: Claimed) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}
