//! A token bucket as one number: the time at which it would be full again (the generic cell rate algorithm). It is changed
//! by compare-and-swap, so workers share it without a lock.

use super::Rate;
use std::sync::atomic::{AtomicU64, Ordering};

/// One bucket. Times are nanoseconds since the limiter began.
#[derive(Debug)]
pub(super) struct Bucket {
    full_at: AtomicU64,
    rate: Rate,
    interval_ns: u64,
    burst_ns: u64,
}

/// What a bucket holds, for whoever is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// Tokens it holds when it is full.
    pub(crate) limit: u32,
    /// Tokens it holds now.
    pub(crate) remaining: u32,
    /// Whole seconds until it is full again.
    pub(crate) full_in_s: u32,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn of(rate: Rate) -> Bucket {
        let interval_ns = 1_000_000_000 / u64::from(rate.per_second);
        Bucket {
            full_at: AtomicU64::new(0),
            rate,
            interval_ns,
            burst_ns: interval_ns * u64::from(rate.burst),
        }
    }

    /// Takes tokens, counted in hundredths; without enough, how many nanoseconds until there are.
    pub(super) fn take(&self, hundredths: u64, now_ns: u64) -> Result<(), u64> {
        let cost_ns = self.cost_ns(hundredths);
        let mut full_at = self.full_at.load(Ordering::Relaxed);
        loop {
            let next = full_at.max(now_ns) + cost_ns;
            // What costs more than a full bucket holds is granted from a full one, or it would never be.
            let allowed = now_ns + self.burst_ns.max(cost_ns);
            if next > allowed {
                return Err(next - allowed);
            }
            match self
                .full_at
                .compare_exchange_weak(full_at, next, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return Ok(()),
                Err(found) => full_at = found,
            }
        }
    }

    /// Whether tokens could be taken.
    pub(super) fn could_take(&self, hundredths: u64, now_ns: u64) -> bool {
        let cost_ns = self.cost_ns(hundredths);
        self.full_at.load(Ordering::Relaxed).max(now_ns) + cost_ns <= now_ns + self.burst_ns.max(cost_ns)
    }

    /// Gives tokens back that were taken a moment ago.
    pub(super) fn give_back(&self, hundredths: u64) {
        // They were added before, so this never goes below zero.
        self.full_at.fetch_sub(self.cost_ns(hundredths), Ordering::Relaxed);
    }

    /// Whether it is full: the same as none.
    pub(super) fn is_full(&self, now_ns: u64) -> bool {
        self.full_at.load(Ordering::Relaxed) <= now_ns
    }

    /// What it holds.
    pub(super) fn left(&self, now_ns: u64) -> Left {
        let missing_ns = self.full_at.load(Ordering::Relaxed).saturating_sub(now_ns);
        let tokens = self.burst_ns.saturating_sub(missing_ns) / self.interval_ns;
        Left {
            limit: self.rate.burst,
            remaining: u32::try_from(tokens).unwrap_or(u32::MAX),
            full_in_s: u32::try_from(missing_ns.div_ceil(1_000_000_000)).unwrap_or(u32::MAX),
        }
    }

    /// Its rate.
    pub(super) fn rate(&self) -> Rate {
        self.rate
    }

    fn cost_ns(&self, hundredths: u64) -> u64 {
        self.interval_ns * hundredths / 100
    }
}
