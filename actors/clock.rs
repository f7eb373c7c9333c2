//! Time as an input, and the alarm for a wall clock that steps.

use crate::settings::CLOCK_STEP_MAX_MS;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The two clocks a turn is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Wall clock, milliseconds since the Unix epoch.
    pub unix_ms: u64,
    /// Steady clock, milliseconds since some start; never steps.
    pub steady_ms: u64,
}

/// Reads the machine's clocks; only the edges (lanes, readers, directory) have one.
#[derive(Clone, Copy, Debug)]
pub struct MachineClock {
    start: Instant,
}

impl MachineClock {
    /// A clock whose steady time starts now.
    pub fn start() -> Self {
        MachineClock { start: Instant::now() }
    }

    /// Both clocks.
    pub fn now(&self) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            unix_ms: unix.as_millis() as u64,
            steady_ms: self.start.elapsed().as_millis() as u64,
        }
    }
}

/// A shard's time: never goes back, and knows when the wall clock has stepped.
#[derive(Clone, Debug)]
pub(crate) struct ShardClock {
    now_ms: u64,
    first: Option<Now>,
    stepped: bool,
}

impl ShardClock {
    /// A clock that starts no earlier than the shard's newest durable block.
    pub(crate) fn not_before(now_ms: u64) -> Self {
        ShardClock {
            now_ms,
            first: None,
            stepped: false,
        }
    }

    /// Moves on. Returns true when the wall clock has just been found stepped (the moment to raise the alarm).
    pub(crate) fn advance(&mut self, now: Now) -> bool {
        let first = *self.first.get_or_insert(now);
        let wall = i128::from(now.unix_ms) - i128::from(first.unix_ms);
        let steady = i128::from(now.steady_ms) - i128::from(first.steady_ms);
        let was = self.stepped;
        self.stepped = (wall - steady).unsigned_abs() > u128::from(CLOCK_STEP_MAX_MS);
        // A stepped clock is not followed: time never goes back, so a leap of a second would expire every key and, once
        // the clock is back and timers fire again, every authorisation. The steady clock carries on instead.
        let unix_ms = match self.stepped {
            true => first.unix_ms + now.steady_ms.saturating_sub(first.steady_ms),
            false => now.unix_ms,
        };
        self.now_ms = self.now_ms.max(unix_ms);
        self.stepped && !was
    }

    /// The reading it started by; `None` before the first turn.
    pub(crate) fn start(&self) -> Option<Now> {
        self.first
    }

    /// Goes on from the reading that an earlier incarnation in this process started by, so that a panic does not make a
    /// stepped clock a trusted one.
    pub(crate) fn follow(&mut self, start: Option<Now>) {
        self.first = start;
    }

    /// `max(previous now, clock)`, milliseconds since the Unix epoch; while the wall clock is stepped, the steady clock
    /// counts on from where it started.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Whether timers must rest: a wrong clock may not expire every authorisation. Ends when the wall clock is back
    /// near where the steady clock says it should be, or when an operator who trusts it restarts the process.
    pub(crate) fn has_stepped(&self) -> bool {
        self.stepped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_beyond_five_minutes_raises_the_alarm_once_and_heals() {
        let mut clock = ShardClock::not_before(0);
        let at = |unix_ms, steady_ms| Now { unix_ms, steady_ms };
        assert!(!clock.advance(at(1_000_000, 0)));
        assert!(
            !clock.advance(at(1_000_000 + CLOCK_STEP_MAX_MS, 0)),
            "five minutes are tolerated"
        );
        assert!(clock.advance(at(1_000_001 + CLOCK_STEP_MAX_MS, 0)));
        assert!(
            !clock.advance(at(1_000_002 + CLOCK_STEP_MAX_MS, 1)) && clock.has_stepped(),
            "one alarm"
        );
        assert!(
            !clock.advance(at(1_000_010, 10)) && !clock.has_stepped(),
            "the clock came back"
        );
        assert_eq!(clock.now_ms(), 1_000_000 + CLOCK_STEP_MAX_MS, "time never goes back");
    }

    #[test]
    fn a_stepped_clock_is_not_followed_and_a_new_incarnation_does_not_trust_it() {
        let at = |unix_ms, steady_ms| Now { unix_ms, steady_ms };
        let mut clock = ShardClock::not_before(0);
        clock.advance(at(1_000_000, 0));
        clock.advance(at(9_000_000_000, 10));
        assert_eq!(clock.now_ms(), 1_000_010, "the steady clock carries on");
        let mut next = ShardClock::not_before(1_000_010);
        next.follow(clock.start());
        next.advance(at(9_000_000_010, 20));
        assert!(next.has_stepped());
        next.advance(at(1_000_030, 30));
        assert!(!next.has_stepped() && next.now_ms() == 1_000_030, "the clock came back");
    }

    #[test]
    fn time_starts_no_earlier_than_the_last_block() {
        let mut clock = ShardClock::not_before(5_000);
        clock.advance(Now {
            unix_ms: 4_000,
            steady_ms: 0,
        });
        assert_eq!(clock.now_ms(), 5_000);
    }
}
