//! Whether a lane's deliveries take long.

/// One that takes longer than this is slow, milliseconds.
const SLOW_MS: u32 = 2_000;
/// Outcomes that are remembered.
const REMEMBERED: u32 = 64;

/// The last outcomes, a bit each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slowness {
    slow: u64,
    known: u32,
}

impl Slowness {
    pub(crate) fn took(&mut self, took_ms: u32) {
        self.slow = self.slow << 1 | u64::from(took_ms > SLOW_MS);
        self.known = (self.known + 1).min(REMEMBERED);
    }

    /// Whether more than one in twenty took long.
    pub(crate) fn is_slow(self) -> bool {
        self.slow.count_ones() * 20 > self.known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_one_in_twenty_makes_a_lane_slow_until_they_are_forgotten() {
        let mut slowness = Slowness::default();
        assert!(!slowness.is_slow());
        slowness.took(SLOW_MS + 1);
        assert!(slowness.is_slow(), "all there is");
        (0..18).for_each(|_| slowness.took(SLOW_MS));
        assert!(slowness.is_slow());
        slowness.took(1);
        assert!(!slowness.is_slow());
        (0..4).for_each(|_| slowness.took(10_000));
        assert!(slowness.is_slow());
        (0..REMEMBERED).for_each(|_| slowness.took(1));
        assert!(!slowness.is_slow());
    }
}
