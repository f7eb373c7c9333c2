//! The rate limit of an account: a token bucket in front of everything that costs, so a refused request leaves no trace.
//!
//! A bucket is one number, the time at which it would be full again (the generic cell rate algorithm), changed by
//! compare-and-swap: workers share it without a lock.

use dashmap::DashMap;
use hashbrown::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How many requests an account may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second, at least 1.
    pub per_second: u32,
    /// Requests at once after a pause, at least 1.
    pub burst: u32,
}

/// Most buckets that are kept. Beyond it, full ones are dropped: a full bucket is the same as none.
const BUCKETS_MAX: usize = 100_000;

/// How many requests accounts may make: one rate for all, and rates of their own for some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Of every account (in each mode) that has none of its own.
    pub common: Rate,
    /// Of an account in one mode, by its key.
    pub own: HashMap<u64, Rate>,
}

impl From<Rate> for Rates {
    fn from(common: Rate) -> Rates {
        Rates {
            common,
            own: HashMap::new(),
        }
    }
}

/// Every account's bucket.
#[derive(Debug)]
pub struct RateLimiter {
    began: Instant,
    rates: RwLock<Rates>,
    /// Rises when the rates change: buckets of before are no longer used.
    generation: AtomicU64,
    buckets: DashMap<u64, Arc<Bucket>>,
}

/// One account's: the time at which it would be full, and its rate as it was when the bucket was made.
#[derive(Debug)]
struct Bucket {
    full_at: AtomicU64,
    interval_ns: u64,
    burst_ns: u64,
}

impl Bucket {
    fn of(rate: Rate) -> Bucket {
        let interval_ns = 1_000_000_000 / u64::from(rate.per_second);
        Bucket {
            full_at: AtomicU64::new(0),
            interval_ns,
            burst_ns: interval_ns * u64::from(rate.burst),
        }
    }
}

impl RateLimiter {
    /// Gives accounts these rates.
    pub fn new(rates: impl Into<Rates>) -> Arc<RateLimiter> {
        Arc::new(RateLimiter {
            began: Instant::now(),
            rates: RwLock::new(checked(rates.into())),
            generation: AtomicU64::new(0),
            buckets: DashMap::new(),
        })
    }

    /// Changes the rates, if these are others. Every account starts again with a full bucket: what an old bucket says was counted at another
    /// rate.
    pub fn set(&self, rates: impl Into<Rates>) {
        let rates = checked(rates.into());
        let mut held = self.rates.write().unwrap_or_else(PoisonError::into_inner);
        if *held == rates {
            return;
        }
        *held = rates;
        self.buckets.clear();
        self.generation.fetch_add(1, Ordering::Release);
    }

    fn bucket(&self, account: u64) -> Arc<Bucket> {
        if let Some(bucket) = self.buckets.get(&account) {
            return Arc::clone(&bucket);
        }
        if self.buckets.len() >= BUCKETS_MAX {
            let now = self.now_ns(Instant::now());
            // A bucket that a worker still holds stays, so that two never count for one account.
            self.buckets
                .retain(|_, bucket| Arc::strong_count(bucket) > 1 || bucket.full_at.load(Ordering::Relaxed) > now);
        }
        // Held until the bucket stands, so that a change of the rates clears it too.
        let rates = self.rates.read().unwrap_or_else(PoisonError::into_inner);
        let rate = *rates.own.get(&account).unwrap_or(&rates.common);
        Arc::clone(
            &self
                .buckets
                .entry(account)
                .or_insert_with(|| Arc::new(Bucket::of(rate))),
        )
    }

    fn now_ns(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.began).as_nanos()).unwrap_or(u64::MAX)
    }

    fn take(&self, bucket: &Bucket, now: Instant) -> Result<(), Duration> {
        let now_ns = self.now_ns(now);
        let mut full_at = bucket.full_at.load(Ordering::Relaxed);
        loop {
            let next = full_at.max(now_ns) + bucket.interval_ns;
            let wait_ns = next.saturating_sub(now_ns + bucket.burst_ns);
            if wait_ns > 0 {
                return Err(Duration::from_nanos(wait_ns));
            }
            match bucket
                .full_at
                .compare_exchange_weak(full_at, next, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return Ok(()),
                Err(found) => full_at = found,
            }
        }
    }
}

fn checked(rates: Rates) -> Rates {
    assert!(
        rates
            .own
            .values()
            .chain([&rates.common])
            .all(|rate| rate.per_second > 0 && rate.burst > 0),
        "a rate of zero would refuse everything for ever"
    );
    rates
}

/// A worker's view of the buckets: those it uses, at hand without touching a shared map.
pub(crate) struct LocalRateLimiter {
    shared: Arc<RateLimiter>,
    /// The generation of the buckets at hand.
    generation: u64,
    known: HashMap<u64, Arc<Bucket>>,
}

impl LocalRateLimiter {
    /// A view of `shared`.
    pub(crate) fn new(shared: Arc<RateLimiter>) -> LocalRateLimiter {
        LocalRateLimiter {
            generation: shared.generation.load(Ordering::Acquire),
            shared,
            known: HashMap::new(),
        }
    }

    /// Takes a token of the account; without one, how long until there is.
    pub(crate) fn take(&mut self, account: u64, now: Instant) -> Result<(), Duration> {
        let generation = self.shared.generation.load(Ordering::Acquire);
        if generation != self.generation {
            self.generation = generation;
            self.known.clear();
        }
        if let Some(bucket) = self.known.get(&account) {
            return self.shared.take(bucket, now);
        }
        if self.known.len() >= BUCKETS_MAX {
            self.known.clear();
        }
        let bucket = self.shared.bucket(account);
        let taken = self.shared.take(&bucket, now);
        self.known.insert(account, bucket);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(per_second: u32, burst: u32) -> (LocalRateLimiter, Instant) {
        let shared = RateLimiter::new(Rate { per_second, burst });
        let began = shared.began;
        (LocalRateLimiter::new(shared), began)
    }

    #[test]
    fn burst_is_granted_then_the_rate() {
        let (mut limiter, now) = limiter(10, 3);
        assert_eq!([(); 3].map(|()| limiter.take(1, now)), [Ok(()); 3]);
        assert_eq!(limiter.take(1, now), Err(Duration::from_millis(100)));
        assert_eq!(limiter.take(1, now + Duration::from_millis(100)), Ok(()));
        assert_eq!(
            limiter.take(1, now + Duration::from_millis(100)),
            Err(Duration::from_millis(100))
        );
        assert_eq!(
            [(); 3].map(|()| limiter.take(1, now + Duration::from_secs(9))),
            [Ok(()); 3]
        );
    }

    #[test]
    fn accounts_do_not_share_a_bucket() {
        let (mut limiter, now) = limiter(1, 1);
        assert!(limiter.take(1, now).is_ok() && limiter.take(2, now).is_ok());
        assert!(limiter.take(1, now).is_err() && limiter.take(2, now).is_err());
    }

    #[test]
    fn workers_share_buckets() {
        let shared = RateLimiter::new(Rate {
            per_second: 1,
            burst: 1,
        });
        let now = shared.began;
        let mut workers = [(); 2].map(|()| LocalRateLimiter::new(Arc::clone(&shared)));
        assert!(workers[0].take(7, now).is_ok());
        assert!(workers[1].take(7, now).is_err());
    }

    #[test]
    fn changed_rates_hold_at_once_and_an_account_may_have_its_own() {
        let shared = RateLimiter::new(Rate {
            per_second: 1,
            burst: 1_000,
        });
        let now = shared.began;
        let mut worker = LocalRateLimiter::new(Arc::clone(&shared));
        (0..1_000).for_each(|_| assert!(worker.take(1, now).is_ok()));
        assert_eq!(worker.take(1, now), Err(Duration::from_secs(1)));
        let own = Rate {
            per_second: 100,
            burst: 1,
        };
        shared.set(Rates {
            common: Rate {
                per_second: 1_000,
                burst: 2,
            },
            own: HashMap::from_iter([(7, own)]),
        });
        // The debt of a thousand seconds at the old rate is forgotten.
        assert!(worker.take(1, now).is_ok() && worker.take(1, now).is_ok());
        assert_eq!(worker.take(1, now), Err(Duration::from_millis(1)));
        assert!(worker.take(7, now).is_ok());
        assert_eq!(worker.take(7, now), Err(Duration::from_millis(10)));
    }
}
