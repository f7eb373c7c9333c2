//! How long an unused connection is worth keeping: shorter than the receiver keeps it, which it says in a header or shows by
//! closing. A request on a connection that the receiver is just closing has to be sent twice.

use std::time::Duration;

/// The shortest time an unused connection is kept.
pub const IDLE_MIN: Duration = Duration::from_secs(4);
/// The longest.
pub const IDLE_MAX: Duration = Duration::from_secs(60);
/// Before anything is known.
const IDLE_START: Duration = Duration::from_secs(30);
/// How much sooner than the receiver says it is given up.
const SOONER: Duration = Duration::from_secs(1);

/// What was learned of one receiver.
#[derive(Clone, Copy, Debug)]
pub(super) struct IdleLimit {
    limit: Duration,
    /// Whether the receiver said it, so that nothing has to be guessed.
    told: bool,
}

impl IdleLimit {
    pub(super) fn new() -> Self {
        Self {
            limit: IDLE_START,
            told: false,
        }
    }

    pub(super) fn get(self) -> Duration {
        self.limit
    }

    /// The receiver said how long it keeps one.
    pub(super) fn told(&mut self, kept: Duration) {
        self.limit = kept.saturating_sub(SOONER).clamp(IDLE_MIN, IDLE_MAX);
        self.told = true;
    }

    /// The receiver closed one that had been unused for so long.
    pub(super) fn closed_after(&mut self, unused: Duration) {
        let shorter = (unused * 3 / 4).clamp(IDLE_MIN, IDLE_MAX);
        self.limit = self.limit.min(shorter);
        self.told = false;
    }

    /// One that had been unused for so long was still good.
    pub(super) fn good_after(&mut self, unused: Duration) {
        if !self.told && unused * 4 >= self.limit * 3 {
            self.limit = (self.limit * 5 / 4).min(IDLE_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_a_receiver_says_counts_within_bounds() {
        for (said, kept) in [(5, 4), (1, 4), (20, 19), (600, 60)] {
            let mut limit = IdleLimit::new();
            limit.told(s(said));
            limit.good_after(s(said));
            assert_eq!(limit.get(), s(kept), "{said}");
        }
    }

    #[test]
    fn closing_shortens_and_lasting_lengthens() {
        let mut limit = IdleLimit::new();
        limit.closed_after(s(10));
        assert_eq!(limit.get(), Duration::from_millis(7_500));
        limit.closed_after(s(1));
        assert_eq!(limit.get(), IDLE_MIN);
        limit.good_after(s(1));
        assert_eq!(limit.get(), IDLE_MIN, "too short to say anything");
        limit.good_after(s(3));
        assert_eq!(limit.get(), s(5));
        for _ in 0..32 {
            limit.good_after(s(60));
        }
        assert_eq!(limit.get(), IDLE_MAX);
    }
}
