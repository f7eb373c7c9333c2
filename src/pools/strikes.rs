//! How often something fell lately.

/// So many falls within the window are one too many.
pub const STRIKES_MAX: usize = 3;
/// How long a fall counts, milliseconds.
pub const STRIKES_WINDOW_MS: u64 = 10 * 60 * 1_000;

/// Times of the last falls.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Strikes {
    at_ms: [Option<u64>; STRIKES_MAX],
}

impl Strikes {
    /// Counts one. True when it was the last that is borne.
    pub fn strike(&mut self, now_ms: u64) -> bool {
        self.at_ms.rotate_left(1);
        self.at_ms[STRIKES_MAX - 1] = Some(now_ms);
        self.at_ms[0].is_some_and(|first| now_ms.saturating_sub(first) <= STRIKES_WINDOW_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_within_the_window_is_one_too_many() {
        let mut strikes = Strikes::default();
        assert!(!strikes.strike(1_000));
        assert!(!strikes.strike(2_000));
        assert!(strikes.strike(1_000 + STRIKES_WINDOW_MS));
        let mut strikes = Strikes::default();
        for at in 0..20 {
            assert!(!strikes.strike(at * (STRIKES_WINDOW_MS / 2 + 1)), "far enough apart");
        }
    }
}
