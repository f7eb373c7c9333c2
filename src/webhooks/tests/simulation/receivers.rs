//! What stands at an endpoint's URL.

use crate::chance::Chance;
use tollgate_webhooks::ports::{Answer, Event, Failure, Outcome};

/// How a receiver behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Receiver {
    /// Takes everything within so many milliseconds.
    Good(u32),
    /// Takes nothing and says nothing.
    Hangs,
    /// Takes what comes and says nothing.
    Mute,
    /// Refuses everything.
    Fails,
    /// Is there and away in turns of so many milliseconds.
    Flaps(u64),
    /// Takes so many a second and wants to be left alone for some seconds otherwise.
    Limits(u32),
    /// No connection can be made.
    Dead,
    /// Refuses one object in so many, always.
    Picky(u64),
    /// Is gone for good.
    Gone,
}

impl Receiver {
    /// Any of those that come and go.
    pub(crate) fn any(chance: &mut Chance) -> Receiver {
        match chance.of(0..10) {
            0 => Receiver::Hangs,
            1 => Receiver::Mute,
            2 => Receiver::Fails,
            3 => Receiver::Flaps(chance.of(500..120_000)),
            4 => Receiver::Limits(chance.of(1..20) as u32),
            5 => Receiver::Dead,
            6 => Receiver::Picky(chance.of(2..8)),
            7 if chance.once_in(4) => Receiver::Gone,
            _ => Receiver::Good(chance.of(1..400) as u32),
        }
    }

    /// What comes of an attempt that begins now, of which `lately` came before within a second; and whether it takes the event.
    pub(crate) fn answer(self, now_ms: u64, event: &Event, lately: u32, timeout_ms: u32) -> (Outcome, bool) {
        let taken = |took_ms| (Outcome::of(Answer::Taken { status: 200 }, took_ms), true);
        let refused = |status, retry_after_ms| {
            let answer = Answer::Refused { status, retry_after_ms };
            (Outcome::of(answer, 20), false)
        };
        let failed = |failure, took_ms| {
            let why = "simulated".into();
            Outcome::of(Answer::Failed { failure, why }, took_ms)
        };
        match self {
            Receiver::Good(took_ms) => taken(took_ms),
            Receiver::Hangs => (failed(Failure::Timeout, timeout_ms), false),
            Receiver::Mute => (failed(Failure::Timeout, timeout_ms), true),
            Receiver::Fails => refused(500, None),
            Receiver::Flaps(turn_ms) if (now_ms / turn_ms).is_multiple_of(2) => taken(15),
            Receiver::Flaps(_) => refused(503, None),
            Receiver::Limits(most) if lately < most => taken(5),
            Receiver::Limits(_) => refused(429, Some(3_000)),
            Receiver::Dead => (failed(Failure::Connect, 5), false),
            Receiver::Picky(each) if event.object.is_multiple_of(each) => refused(400, None),
            Receiver::Picky(_) => taken(10),
            Receiver::Gone => refused(410, None),
        }
    }
}
