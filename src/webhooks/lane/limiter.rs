//! So many a second, where an endpoint's owner wants no more.

/// A token bucket that holds what a second gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limiter {
    rate_per_s: u32,
    /// In thousandths of a delivery.
    tokens: u64,
    at_ms: u64,
}

impl Limiter {
    pub(crate) fn new(rate_per_s: u32, now_ms: u64) -> Limiter {
        let rate_per_s = rate_per_s.max(1);
        Limiter {
            rate_per_s,
            tokens: u64::from(rate_per_s) * 1_000,
            at_ms: now_ms,
        }
    }

    pub(crate) fn rate_per_s(&self) -> u32 {
        self.rate_per_s
    }

    /// When the next one may go.
    pub(crate) fn free_at(&mut self, now_ms: u64) -> u64 {
        let rate = u64::from(self.rate_per_s);
        let gained = now_ms.saturating_sub(self.at_ms).saturating_mul(rate);
        self.tokens = self.tokens.saturating_add(gained).min(rate * 1_000);
        self.at_ms = self.at_ms.max(now_ms);
        let missing = 1_000_u64.saturating_sub(self.tokens);
        now_ms + missing.div_ceil(rate)
    }

    /// One goes.
    pub(crate) fn take(&mut self) {
        self.tokens = self.tokens.saturating_sub(1_000);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_any_ten_seconds_there_are_ten_times_the_rate_and_one_burst() {
        let mut limiter = Limiter::new(7, 0);
        let mut sent = 0;
        for now in 0..10_000 {
            while limiter.free_at(now) <= now {
                limiter.take();
                sent += 1;
            }
        }
        assert_eq!(sent, 7 + 69, "a burst, and what ten seconds less a millisecond give");
    }
}
