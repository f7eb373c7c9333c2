//! Random choices that follow from a seed.

use std::time::Duration;

/// A stream of numbers (SplitMix64).
#[derive(Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xd1b5_4a32_d192_ed03)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below this one.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "there is no number below zero");
        self.next() % bound
    }

    /// True in so many of a thousand cases.
    pub(super) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of them.
    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    /// A time below this one, in microseconds.
    pub(super) fn time(&mut self, below: Duration) -> Duration {
        Duration::from_micros(self.below(below.as_micros() as u64))
    }

    /// Mostly a few milliseconds, sometimes seconds, now and then minutes.
    pub(super) fn long_time(&mut self) -> Duration {
        let below = self.pick(&[20, 200, 3_000, 3_000, 20_000, 600_000]);
        self.time(Duration::from_millis(below))
    }
}
