//! What came of a lane's last attempts, and how long they took.

/// Attempts that are remembered: a bit each in two words, and a byte each for the time.
const REMEMBERED: usize = 64;
/// One that takes longer than this is slow, milliseconds.
const SLOW_MS: u32 = 2_000;
/// Times up to here are kept as they are, milliseconds; longer ones as one of so many steps between two powers of two.
const STEPS: u32 = 16;
/// Longer ones count as this, milliseconds: the last that a byte can say.
const TOOK_MAX_MS: u32 = (1 << 19) - 1;

/// The last attempts of one lane: 88 bytes, and a few instructions for each attempt. What is asked of them is worked out when
/// it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Recent {
    /// The newest is the lowest bit.
    taken: u64,
    slow: u64,
    /// How long each took, as a code; where the next one goes.
    took: [u8; REMEMBERED],
    next: u8,
    known: u8,
}

/// What an endpoint's last attempts came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecentAttempts {
    /// How many there are: the last 64 at most, since the lane is here.
    pub attempts: u32,
    /// In how many of them the event was taken.
    pub taken: u32,
    /// Half of them took no longer, milliseconds. Both are right to a thirty-second part.
    pub p50_ms: u32,
    /// Of twenty, nineteen took no longer, milliseconds.
    pub p95_ms: u32,
}

impl Recent {
    pub(crate) fn new() -> Recent {
        Recent {
            taken: 0,
            slow: 0,
            took: [0; REMEMBERED],
            next: 0,
            known: 0,
        }
    }

    /// There was another one.
    pub(crate) fn tried(&mut self, taken: bool, took_ms: u32) {
        self.taken = self.taken << 1 | u64::from(taken);
        self.slow = self.slow << 1 | u64::from(took_ms > SLOW_MS);
        self.took[usize::from(self.next) % REMEMBERED] = code(took_ms);
        self.next = (self.next + 1) % REMEMBERED as u8;
        self.known = (self.known + 1).min(REMEMBERED as u8);
    }

    /// Whether more than one in twenty took long.
    pub(crate) fn is_slow(&self) -> bool {
        self.slow.count_ones() * 20 > u32::from(self.known)
    }

    /// What they came to; `None` if there was none.
    pub(crate) fn attempts(&self) -> Option<RecentAttempts> {
        let attempts = u32::from(self.known);
        // Until all places are taken, the first ones are.
        let mut took = self.took;
        let took = &mut took[..usize::from(self.known)];
        took.sort_unstable();
        let percentile = |share: u32| {
            let rank = (attempts * share).div_ceil(100) as usize;
            took.get(rank.checked_sub(1)?).map(|code| milliseconds(*code))
        };
        Some(RecentAttempts {
            attempts,
            taken: self.taken.count_ones(),
            p50_ms: percentile(50)?,
            p95_ms: percentile(95)?,
        })
    }
}

/// A time as a byte: below 16 ms itself, beyond that the power of two below it and which of the 16 steps to the next.
fn code(took_ms: u32) -> u8 {
    let took_ms = took_ms.min(TOOK_MAX_MS);
    match took_ms.checked_ilog2() {
        Some(power @ 4..) => ((power - 3) * STEPS + (took_ms >> (power - 4)) % STEPS) as u8,
        _ => took_ms as u8,
    }
}

/// The middle of the times that have this code.
fn milliseconds(code: u8) -> u32 {
    let code = u32::from(code);
    match code / STEPS {
        0 => code,
        power => {
            let step = 1 << (power - 1);
            (STEPS + code % STEPS) * step + (step - 1) / 2
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_one_in_twenty_makes_a_lane_slow_until_they_are_forgotten() {
        let mut recent = Recent::new();
        assert!(!recent.is_slow());
        recent.tried(true, SLOW_MS + 1);
        assert!(recent.is_slow(), "all there is");
        (0..18).for_each(|_| recent.tried(true, SLOW_MS));
        assert!(recent.is_slow());
        recent.tried(true, 1);
        assert!(!recent.is_slow());
        (0..4).for_each(|_| recent.tried(true, 10_000));
        assert!(recent.is_slow());
        (0..REMEMBERED).for_each(|_| recent.tried(true, 1));
        assert!(!recent.is_slow());
    }

    #[test]
    fn the_last_attempts_are_counted_and_older_ones_are_forgotten() {
        let mut recent = Recent::new();
        assert_eq!(recent.attempts(), None);
        recent.tried(false, 7);
        let one = RecentAttempts {
            attempts: 1,
            taken: 0,
            p50_ms: 7,
            p95_ms: 7,
        };
        assert_eq!(recent.attempts(), Some(one));
        // 1 to 20 ms in some order: half took 10 at most, nineteen of them 19.
        let mut recent = Recent::new();
        (0..20).for_each(|at| recent.tried(at % 4 != 0, at * 7 % 20 + 1));
        let twenty = RecentAttempts {
            attempts: 20,
            taken: 15,
            p50_ms: 10,
            p95_ms: 19,
        };
        assert_eq!(recent.attempts(), Some(twenty));
        // 64 more, of which the first six are refused and take long.
        (0..64).for_each(|at| recent.tried(at >= 6, if at < 6 { 5_000 } else { 3 }));
        let all = recent.attempts().expect("attempts");
        assert_eq!((all.attempts, all.taken, all.p50_ms), (64, 58, 3));
        assert!((4_844..=5_156).contains(&all.p95_ms), "{all:?}");
        // With three of 64 slow ones left, 95 of a hundred are quick.
        (0..3).for_each(|_| recent.tried(true, 3));
        assert_eq!(recent.attempts().map(|it| (it.taken, it.p95_ms)), Some((61, 3)));
    }

    #[test]
    fn a_byte_says_a_time_to_a_thirty_second_part_and_in_order() {
        let mut before = 0;
        for took_ms in (0..40_000).chain([65_535, 300_000, TOOK_MAX_MS]) {
            let code = code(took_ms);
            assert!(code >= before, "{took_ms}");
            before = code;
            let said = milliseconds(code);
            assert!(said.abs_diff(took_ms) * 32 <= took_ms, "{took_ms} is said as {said}");
        }
        assert_eq!(code(u32::MAX), u8::MAX);
    }

    #[test]
    fn a_hundred_thousand_endpoints_remember_in_nine_megabytes() {
        assert!(size_of::<Recent>() * 100_000 < 9_000_000);
    }
}
