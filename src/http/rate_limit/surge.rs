//! The adaptive surge: while the node refuses requests for want of room, a request of an account in a tier costs more
//! tokens, so that its rate falls before the node's work does.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// How often the multiplier is looked at, in nanoseconds.
const WINDOW_NS: u64 = 1_000_000_000;
/// Most windows without requests that are made up for: the multiplier is back at one long before.
const WINDOWS_MAX: u64 = 32;
/// The multiplier that changes nothing, in hundredths.
pub(super) const NO_SURGE: u32 = 100;

/// The multiplier, and what it follows from.
#[derive(Debug)]
pub(super) struct Surge {
    /// Highest multiplier, in hundredths.
    max: AtomicU32,
    now: AtomicU32,
    window_ends_ns: AtomicU64,
    /// Requests the node had no room for in this window.
    refused: AtomicU32,
}

impl Surge {
    /// No surge, and at most this one, in hundredths.
    pub(super) fn new(max: u32) -> Surge {
        Surge {
            max: AtomicU32::new(max),
            now: AtomicU32::new(NO_SURGE),
            window_ends_ns: AtomicU64::new(WINDOW_NS),
            refused: AtomicU32::new(0),
        }
    }

    /// Bounds it anew.
    pub(super) fn set_max(&self, max: u32) {
        self.max.store(max, Ordering::Relaxed);
    }

    /// The node had no room for a request.
    pub(super) fn overloaded(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// The multiplier now, in hundredths: half as much again for every second with refusals, a fifth less for every one
    /// without.
    pub(super) fn multiplier(&self, now_ns: u64) -> u32 {
        let ends = self.window_ends_ns.load(Ordering::Relaxed);
        if now_ns >= ends {
            let passed = (now_ns - ends) / WINDOW_NS;
            let next = ends + (passed + 1) * WINDOW_NS;
            let first = self
                .window_ends_ns
                .compare_exchange(ends, next, Ordering::Relaxed, Ordering::Relaxed);
            // One thread steps, the others see what it found a moment later.
            if first.is_ok() {
                self.step(passed.min(WINDOWS_MAX));
            }
        }
        self.now.load(Ordering::Relaxed)
    }

    fn step(&self, quiet_windows: u64) {
        let max = self.max.load(Ordering::Relaxed);
        let mut multiplier = self.now.load(Ordering::Relaxed);
        if self.refused.swap(0, Ordering::Relaxed) > 0 {
            multiplier = multiplier * 3 / 2;
        } else {
            multiplier = multiplier * 4 / 5;
        }
        for _ in 0..quiet_windows {
            multiplier = multiplier * 4 / 5;
        }
        self.now.store(multiplier.max(NO_SURGE).min(max), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rises_with_refusals_and_falls_without() {
        let surge = Surge::new(400);
        let second = |number: u64| number * WINDOW_NS;
        assert_eq!(surge.multiplier(0), 100);
        let mut seen = Vec::new();
        for number in 1..=5 {
            surge.overloaded();
            seen.push(surge.multiplier(second(number)));
        }
        assert_eq!(seen, [150, 225, 337, 400, 400], "half as much again, up to the bound");
        assert_eq!(surge.multiplier(second(5) + 1), 400, "within a second it stays");
        assert_eq!(surge.multiplier(second(6)), 320);
        assert_eq!(surge.multiplier(second(60)), 100, "seconds without requests count");
        surge.overloaded();
        surge.set_max(100);
        assert_eq!(surge.multiplier(second(61)), 100, "a bound of one turns it off");
    }
}
