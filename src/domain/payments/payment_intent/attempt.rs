//! An attempt at a remote network: recorded before the call leaves, settled by an answer, an inquiry or a reversal.

use crate::acquirer::AttemptId;
use crate::facts::Claim;
use crate::payments::authentication::ThreeDSecureResult;
use tollgate_resource::{Id, Record};

/// One attempt whose outcome is not known yet.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Attempt {
    /// Its number among the intent's attempts, from 1.
    #[record(1)]
    pub number: u32,
    /// How much is authorised, bought or captured, in minor units.
    #[record(2)]
    pub amount: i64,
    /// The idempotency claim of the request that waits for it; `None` once the request is answered, or had no key.
    #[record(3)]
    pub claim: Option<Box<Claim>>,
    /// How far finding out has come.
    #[record(4)]
    pub phase: Phase,
    /// How 3D Secure ended before the network was asked, if it was tried.
    #[record(5)]
    pub three_d_secure: Option<ThreeDSecureResult>,
}

/// How far finding out what became of an attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub enum Phase {
    /// The network was called; the request waits.
    #[record(1)]
    Calling {
        /// When the request stops waiting, milliseconds since the Unix epoch.
        #[record(1)]
        deadline_ms: u64,
    },
    /// The request was answered without an outcome; the network is asked what became of the attempt.
    #[record(2)]
    Inquiring {
        /// Inquiries made so far.
        #[record(1)]
        tries: u32,
        /// When the next one is made, milliseconds since the Unix epoch.
        #[record(2)]
        next_ms: u64,
    },
    /// The network does not know the attempt, or it is to be undone: reversed until that is acknowledged.
    #[record(3)]
    Reversing {
        /// Reversals sent so far.
        #[record(1)]
        tries: u32,
        /// When the next one is sent, milliseconds since the Unix epoch.
        #[record(2)]
        next_ms: u64,
    },
}

/// Shortest time between two inquiries, reversals or refund advices, in milliseconds.
pub const REPEAT_MS_MIN: u64 = 1_000;
/// Longest time between two of them; they go on at this interval for ever, because an unknown outcome must resolve.
pub const REPEAT_MS_MAX: u64 = 60_000;

/// How long to wait after `tries` calls without an outcome, in milliseconds: doubling, within bounds.
pub fn repeat_after_ms(tries: u32) -> u64 {
    let doublings = tries.saturating_sub(1).min(16);
    (REPEAT_MS_MIN << doublings).min(REPEAT_MS_MAX)
}

impl Attempt {
    /// The attempt's id, given the object it is for.
    pub fn id(&self, object: Id) -> AttemptId {
        AttemptId {
            object,
            number: self.number,
        }
    }

    /// When something is to be done about it next, milliseconds since the Unix epoch.
    pub fn due_ms(&self) -> u64 {
        match self.phase {
            Phase::Calling { deadline_ms } => deadline_ms,
            Phase::Inquiring { next_ms, .. } | Phase::Reversing { next_ms, .. } => next_ms,
        }
    }

    /// Whether a request may still be waiting for the answer.
    pub fn is_calling(&self) -> bool {
        matches!(self.phase, Phase::Calling { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_slow_down_to_a_bound() {
        let waits: Vec<u64> = (1..=8).map(repeat_after_ms).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
        assert_eq!(repeat_after_ms(u32::MAX), REPEAT_MS_MAX);
    }
}
