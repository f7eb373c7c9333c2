//! The rate limit of an account: a token bucket in front of everything that costs, so a refused request leaves no trace.
//!
//! A bucket is one number, the time at which it would be full again (the generic cell rate algorithm), changed by
//! compare-and-swap: workers share it without a lock.

use dashmap::DashMap;
use hashbrown::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many requests an account may make.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Requests a second, at least 1.
    pub per_second: u32,
    /// Requests at once after a pause, at least 1.
    pub burst: u32,
}

/// Most buckets that are kept. Beyond it, full ones are dropped: a full bucket is the same as none.
const BUCKETS_MAX: usize = 100_000;

/// Every account's bucket.
#[derive(Debug)]
pub struct RateLimiter {
    interval_ns: u64,
    burst_ns: u64,
    began: Instant,
    buckets: DashMap<u64, Arc<AtomicU64>>,
}

impl RateLimiter {
    /// Gives every account (in each mode) this rate.
    pub fn new(rate: Rate) -> Arc<RateLimiter> {
        assert!(
            rate.per_second > 0 && rate.burst > 0,
            "a rate of zero would refuse everything for ever"
        );
        let interval_ns = 1_000_000_000 / u64::from(rate.per_second);
        Arc::new(RateLimiter {
            interval_ns,
            burst_ns: interval_ns * u64::from(rate.burst),
            began: Instant::now(),
            buckets: DashMap::new(),
        })
    }

    fn bucket(&self, account: u64) -> Arc<AtomicU64> {
        if let Some(bucket) = self.buckets.get(&account) {
            return Arc::clone(&bucket);
        }
        if self.buckets.len() >= BUCKETS_MAX {
            let now = self.now_ns(Instant::now());
            // A bucket that a worker still holds stays, so that two never count for one account.
            self.buckets
                .retain(|_, bucket| Arc::strong_count(bucket) > 1 || bucket.load(Ordering::Relaxed) > now);
        }
        Arc::clone(&self.buckets.entry(account).or_default())
    }

    fn now_ns(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.began).as_nanos()).unwrap_or(u64::MAX)
    }

    fn take(&self, bucket: &AtomicU64, now: Instant) -> Result<(), Duration> {
        let now_ns = self.now_ns(now);
        let mut full_at = bucket.load(Ordering::Relaxed);
        loop {
            let next = full_at.max(now_ns) + self.interval_ns;
            let wait_ns = next.saturating_sub(now_ns + self.burst_ns);
            if wait_ns > 0 {
                return Err(Duration::from_nanos(wait_ns));
            }
            match bucket.compare_exchange_weak(full_at, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(found) => full_at = found,
            }
        }
    }
}

/// A worker's view of the buckets: those it uses, at hand without touching a shared map.
pub(crate) struct LocalRateLimiter {
    shared: Arc<RateLimiter>,
    known: HashMap<u64, Arc<AtomicU64>>,
}

impl LocalRateLimiter {
    /// A view of `shared`.
    pub(crate) fn new(shared: Arc<RateLimiter>) -> LocalRateLimiter {
        LocalRateLimiter {
            shared,
            known: HashMap::new(),
        }
    }

    /// Takes a token of the account; without one, how long until there is.
    pub(crate) fn take(&mut self, account: u64, now: Instant) -> Result<(), Duration> {
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
}
