//! What stands at the addresses of webhook endpoints.

use tollgate_actors::entropy::Entropy;
use tollgate_webhooks::ports::{Answer, Failure, Outcome};

/// How a receiver does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mood {
    /// Takes everything within so many milliseconds.
    Good(u32),
    /// Takes nothing and says nothing.
    Hangs,
    /// Takes what comes and says nothing.
    Mute,
    /// Refuses everything.
    Refuses,
    /// Is there and away in turns of so many milliseconds.
    Flaps(u64),
    /// No connection can be made.
    Dead,
    /// Refuses one object in so many, always.
    Picky(u64),
    /// Is gone for good.
    Gone,
}

impl Mood {
    /// Any.
    pub(crate) fn any(dice: &mut Entropy) -> Mood {
        match dice.below(12) {
            0 => Mood::Hangs,
            1 => Mood::Mute,
            2 => Mood::Refuses,
            3 | 4 => Mood::Flaps(500 + dice.below(120_000)),
            5 | 6 => Mood::Dead,
            7 => Mood::Picky(2 + dice.below(6)),
            8 if dice.below(3) == 0 => Mood::Gone,
            _ => Mood::Good(1 + dice.below(400) as u32),
        }
    }

    /// What comes of an attempt that begins now about this object, and whether the event is taken.
    pub(crate) fn answer(self, now_ms: u64, object: u64, timeout_ms: u32) -> (Outcome, bool) {
        let taken = |took_ms| (Outcome::of(Answer::Taken { status: 200 }, took_ms), true);
        let refused = |status| {
            let answer = Answer::Refused {
                status,
                retry_after_ms: None,
            };
            (Outcome::of(answer, 20), false)
        };
        let failed = |failure, took_ms| {
            let why = "simulated".into();
            Outcome::of(Answer::Failed { failure, why }, took_ms)
        };
        match self {
            Mood::Good(took_ms) => taken(took_ms),
            Mood::Hangs => (failed(Failure::Timeout, timeout_ms), false),
            Mood::Mute => (failed(Failure::Timeout, timeout_ms), true),
            Mood::Refuses => refused(500),
            Mood::Flaps(turn_ms) if (now_ms / turn_ms).is_multiple_of(2) => taken(15),
            Mood::Flaps(_) => refused(503),
            Mood::Dead => (failed(Failure::Connect, 5), false),
            Mood::Picky(each) if object.is_multiple_of(each) => refused(400),
            Mood::Picky(_) => taken(10),
            Mood::Gone => refused(410),
        }
    }
}
