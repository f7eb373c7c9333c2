//! Time as an input, and the alarm for a wall clock that steps.

use crate::settings::CLOCK_STEP_MAX_MS;
#[cfg(feature = "faults")]
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tollgate_breaks::broken;

/// How far off the wall clock pretends to be, milliseconds; only builds with the feature `faults` can pretend.
#[cfg(feature = "faults")]
pub static WALL_OFF_MS: AtomicI64 = AtomicI64::new(0);

/// The wall clock, milliseconds since the Unix epoch; 0 before it.
pub fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let unix_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    #[cfg(feature = "faults")]
    let unix_ms = unix_ms.saturating_add_signed(WALL_OFF_MS.load(Relaxed));
    unix_ms
}

/// By how much slower time goes while it is ahead of the wall clock.
const AHEAD_PACE: u64 = 2;

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
        Now {
            unix_ms: unix_ms(),
            steady_ms: self.start.elapsed().as_millis() as u64,
        }
    }
}

/// A shard's time: never goes back, never stands still, and knows when the wall clock has stepped.
#[derive(Clone, Debug)]
pub(crate) struct ShardClock {
    now_ms: u64,
    first: Option<Now>,
    stepped: bool,
    /// The steady clock at the last turn.
    steady_ms: u64,
    /// While time is ahead of the wall clock: the steady clock and the time when it was found ahead.
    ahead: Option<(u64, u64)>,
}

impl ShardClock {
    /// A clock that starts no earlier than the shard's newest durable block.
    pub(crate) fn not_before(now_ms: u64) -> Self {
        ShardClock {
            now_ms,
            first: None,
            stepped: false,
            steady_ms: 0,
            ahead: None,
        }
    }

    /// Moves on. Returns true when the wall clock has just been found stepped (the moment to raise the alarm).
    pub(crate) fn advance(&mut self, now: Now) -> bool {
        let first = *self.first.get_or_insert(now);
        self.steady_ms = now.steady_ms;
        let wall = i128::from(now.unix_ms) - i128::from(first.unix_ms);
        let steady = i128::from(now.steady_ms) - i128::from(first.steady_ms);
        let was = self.stepped;
        self.stepped = (wall - steady).unsigned_abs() > u128::from(CLOCK_STEP_MAX_MS);
        // A stepped clock is not followed: time never goes back, so a leap of a second would expire every key and, once
        // the clock is back and timers fire again, every authorisation. The steady clock carries on instead.
        let unix_ms = match self.stepped && !broken!(FollowRawClock) {
            true => first.unix_ms + now.steady_ms.saturating_sub(first.steady_ms),
            false => now.unix_ms,
        };
        self.now_ms = if unix_ms >= self.now_ms {
            self.ahead = None;
            unix_ms
        } else {
            // An earlier process was started by a clock that was ahead. Standing still until that moment comes would
            // stop every wait and every attempt for as long; half the pace lets them end, and the clock catch up.
            let (steady_ms, from_ms) = *self.ahead.get_or_insert((now.steady_ms, self.now_ms));
            self.now_ms
                .max(from_ms + now.steady_ms.saturating_sub(steady_ms) / AHEAD_PACE)
        };
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

    /// The steady clock at the last turn, milliseconds.
    pub(crate) fn steady_ms(&self) -> u64 {
        self.steady_ms
    }

    /// Whether the wall clock is not to be trusted. Ends when it is back near where the steady clock says it should be, or
    /// when an operator who trusts it restarts the process.
    #[cfg(test)]
    fn has_stepped(&self) -> bool {
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
        let now_ms = clock.now_ms();
        assert_eq!(now_ms, 1_000_000 + CLOCK_STEP_MAX_MS + 5, "time never goes back");
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

    #[test]
    fn time_that_is_ahead_goes_on_at_half_the_pace_until_the_wall_clock_is_there() {
        let mut clock = ShardClock::not_before(5_000);
        let mut at = |ms: u64| {
            let now = Now {
                unix_ms: 4_000 + ms,
                steady_ms: ms,
            };
            clock.advance(now);
            clock.now_ms()
        };
        assert_eq!(at(0), 5_000);
        // By single milliseconds too: halves are not lost.
        (1..100).for_each(|ms| assert_eq!(at(ms), 5_000 + ms / 2));
        assert_eq!(at(1_000), 5_500);
        assert_eq!(at(1_990), 5_990);
        assert_eq!(at(2_010), 6_010);
        assert_eq!(at(2_020), 6_020);
    }
}
