//! An attempt at a remote network: recorded before the call leaves, settled by an answer, an inquiry or a reversal. The
//! object it is for (a payment intent, a charge without one, a setup intent) says what follows.

use crate::acquirer::{Ask, Asked, AttemptId, CardMoney, NetworkAnswer, NetworkCall, Said};
use crate::decision::{Case, Reply, Settled};
use crate::draft::Draft;
use crate::facts::Claim;
use crate::kinds;
use crate::money::Currency;
use crate::payments::authentication::ThreeDSecureResult;
use crate::payments::payment_method::{Decline, Instrument, declines};
use std::sync::Arc;
use tollgate_breaks::broken;
use tollgate_resource::{Id, Kind, Record};

/// One attempt whose outcome is not known yet.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Attempt {
    /// Its number among the object's attempts, from 1.
    #[record(1)]
    pub number: u32,
    /// How much is authorised, bought or captured, in minor units.
    #[record(2)]
    pub amount: i64,
    /// The idempotency claim of the request that waits for it; `None` once the request is answered, or had no key.
    #[record(3)]
    pub claim: Option<Arc<Claim>>,
    /// How far finding out has come.
    #[record(4)]
    pub phase: Phase,
    /// How 3D Secure ended before the network was asked, if it was tried.
    #[record(5)]
    pub three_d_secure: Option<ThreeDSecureResult>,
    /// The charge that answers the request instead of the object, where the request was about the charge.
    #[record(6)]
    pub answered_by: Option<Id>,
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

/// What an answer means for an open attempt.
pub(crate) enum Meaning {
    /// It was carried out.
    Done,
    /// It was refused, or has been undone.
    Failed(&'static Decline),
    /// The network does not know it. It may still be under way, so it is reversed until that is acknowledged.
    Unknown,
    /// Nothing new. A timer goes on.
    Nothing,
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

/// An amount on a card, for a remote network.
///
/// # Panics
/// When it is no card: remote networks are asked about nothing else.
pub(crate) fn card_money(instrument: &Instrument, amount: i64, currency: Currency) -> CardMoney {
    let card = instrument.card().expect("remote networks take cards");
    CardMoney {
        amount,
        currency,
        test_card: card.test_card,
    }
}

impl Attempt {
    /// Begins attempt `number` of `object`: the call is made once the record is durable.
    pub(crate) fn begin(
        case: &Case<'_>,
        draft: &mut Draft,
        (object, number): (Id, u32),
        amount: i64,
        ask: Ask,
    ) -> Attempt {
        let deadline_ms = draft.now_ms() + case.inputs.attempt_deadline_ms;
        let attempt = Attempt {
            number,
            amount,
            claim: case.claim.cloned(),
            phase: Phase::Calling { deadline_ms },
            three_d_secure: None,
            answered_by: None,
        };
        draft.call(NetworkCall {
            attempt: attempt.id(object),
            ask,
            deadline_ms,
        });
        draft.timer(deadline_ms, object);
        attempt
    }

    /// Begins to undo attempt `authorised`, which holds `amount` for nobody any more. No request waits for it.
    pub(crate) fn release(draft: &mut Draft, object: Id, authorised: AttemptId, amount: i64) -> Attempt {
        let next_ms = draft.now_ms() + repeat_after_ms(1);
        draft.call(NetworkCall {
            attempt: authorised,
            ask: Ask::Reverse,
            deadline_ms: next_ms,
        });
        draft.timer(next_ms, object);
        Attempt {
            number: authorised.number,
            amount,
            claim: None,
            phase: Phase::Reversing { tries: 1, next_ms },
            three_d_secure: None,
            answered_by: None,
        }
    }

    /// Records that the network is asked once more, and when it will be asked again: the attempt from then on.
    ///
    /// # Panics
    /// When it is asked anything but an inquiry or a reversal: the rest is sent once.
    pub(crate) fn again(&self, draft: &mut Draft, object: Id, ask: Ask) -> Attempt {
        assert!(
            matches!(ask, Ask::Inquire | Ask::Reverse),
            "{ask:?} is sent once for an attempt"
        );
        let reverse = ask == Ask::Reverse;
        let tries = match self.phase {
            Phase::Inquiring { tries, .. } if !reverse => tries.saturating_add(1),
            Phase::Reversing { tries, .. } if reverse => tries.saturating_add(1),
            _ => 1,
        };
        let next_ms = draft.now_ms() + repeat_after_ms(tries);
        let phase = if reverse {
            Phase::Reversing { tries, next_ms }
        } else {
            Phase::Inquiring { tries, next_ms }
        };
        draft.call(NetworkCall {
            attempt: self.id(object),
            ask,
            deadline_ms: next_ms,
        });
        draft.timer(next_ms, object);
        // Whoever waited is answered by now, so the claim is no longer needed.
        Attempt {
            number: self.number,
            amount: self.amount,
            claim: None,
            phase,
            three_d_secure: self.three_d_secure,
            answered_by: None,
        }
    }

    /// What is asked when nobody has answered in time.
    pub(crate) fn next_ask(&self) -> Ask {
        match self.phase {
            Phase::Reversing { .. } => Ask::Reverse,
            Phase::Calling { .. } | Phase::Inquiring { .. } => Ask::Inquire,
        }
    }

    /// What an answer means for the attempt.
    pub(crate) fn meaning(&self, answer: NetworkAnswer) -> Meaning {
        match (self.phase, answer.to, answer.said) {
            // Being reversed: nothing but the acknowledgement counts, least of all a late approval.
            (Phase::Reversing { .. }, Asked::Reversal, Said::Acknowledged) => {
                Meaning::Failed(&declines::PROCESSING_ERROR)
            }
            (Phase::Reversing { .. }, _, Said::Approved) if broken!(TakeLateApproval) => Meaning::Done,
            (Phase::Reversing { .. }, ..) => Meaning::Nothing,
            (_, Asked::Request | Asked::Inquiry, Said::Approved) => Meaning::Done,
            (_, Asked::Request | Asked::Inquiry, Said::Declined { decline }) => {
                // A number that only a newer network knows is a refusal all the same.
                Meaning::Failed(Decline::by_number(decline).unwrap_or(&declines::GENERIC))
            }
            (Phase::Inquiring { .. }, Asked::Inquiry, Said::NotFound) if broken!(TrustNotFound) => {
                Meaning::Failed(&declines::PROCESSING_ERROR)
            }
            (Phase::Inquiring { .. }, Asked::Inquiry, Said::NotFound) => Meaning::Unknown,
            _ => Meaning::Nothing,
        }
    }

    /// The answer to the request that waits for the attempt, if one still does.
    pub(crate) fn settled(&self, object: Id, reply: Reply) -> Option<Settled> {
        self.is_calling().then(|| Settled {
            attempt: self.id(object),
            claim: self.claim.clone(),
            reply,
        })
    }

    /// The object that answers the request: `object` of `kind`, or the charge the request was about.
    pub(crate) fn reply(&self, kind: &'static Kind, object: Id) -> Reply {
        match self.answered_by {
            Some(charge) => Reply::Object(&kinds::CHARGE, charge),
            None => Reply::Object(kind, object),
        }
    }

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
