//! Deliveries in virtual time: processes that crash, shards that move, lanes that panic, receivers of every sort. What has to
//! hold all the time is watched by the auditor; what has to hold in the end is checked when everybody is well again.

mod asking;
mod auditor;
mod chance;
mod jobs;
mod journal;
mod neighbours;
mod receivers;
mod seeing;
mod storm;
mod week;
mod world;

use std::sync::Once;
use world::PANIC;

/// Seeds of every run of the tests; `TOLLGATE_SEEDS=N` for more.
const SEEDS: u64 = 8;

pub(crate) fn seeds() -> std::ops::RangeInclusive<u64> {
    let wanted = std::env::var("TOLLGATE_SEEDS").ok().and_then(|text| text.parse().ok());
    1..=wanted.unwrap_or(SEEDS)
}

/// Panics that are meant are not printed.
pub(crate) fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload_as_str() != Some(PANIC) {
                usual(info);
            }
        }));
    });
}
