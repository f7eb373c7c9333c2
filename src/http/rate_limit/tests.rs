//! Limits under a driven clock.

use super::*;

fn rate(per_second: u32, burst: u32) -> Rate {
    Rate { per_second, burst }
}

fn tiered(per_second: u32, burst: u32) -> Rates {
    Rates {
        common: Allowance {
            rate: rate(per_second, burst),
            tier: Some("starter".into()),
        },
        ..Rates::from(rate(1, 1))
    }
}

fn limiter(rates: impl Into<Rates>) -> (LocalRateLimiter, Instant) {
    let shared = RateLimiter::new(rates);
    let began = shared.began;
    (LocalRateLimiter::new(shared), began)
}

fn later(now: Instant, millis: u64) -> Instant {
    now + Duration::from_millis(millis)
}

/// The layer that refuses and for how long, or `None`.
fn refused(taken: Result<Taken, Limited>) -> Option<(Layer, u128)> {
    taken.err().map(|limited| (limited.layer, limited.wait.as_millis()))
}

#[test]
fn burst_is_granted_then_the_rate() {
    let (mut limiter, now) = limiter(rate(10, 3));
    let mut take = |now| refused(limiter.take(1, Class::Write, now));
    assert_eq!(
        [(); 4].map(|()| take(now)),
        [None, None, None, Some((Layer::Account, 100))]
    );
    assert_eq!(take(later(now, 100)), None);
    assert_eq!(take(later(now, 100)), Some((Layer::Account, 100)));
    assert_eq!([(); 3].map(|()| take(later(now, 9_000))), [None; 3]);
}

#[test]
fn accounts_do_not_share_a_bucket_and_workers_do() {
    let shared = RateLimiter::new(rate(1, 1));
    let now = shared.began;
    let mut workers = [(); 2].map(|()| LocalRateLimiter::new(Arc::clone(&shared)));
    assert!(workers[0].take(7, Class::Read, now).is_ok());
    assert!(workers[0].take(8, Class::Read, now).is_ok());
    assert!(workers[1].take(7, Class::Read, now).is_err());
    assert!(workers[1].take(8, Class::Read, now).is_err());
}

#[test]
fn changed_rates_hold_at_once_and_an_account_may_have_its_own() {
    let shared = RateLimiter::new(rate(1, 1_000));
    let now = shared.began;
    let mut worker = LocalRateLimiter::new(Arc::clone(&shared));
    let mut take = |account| refused(worker.take(account, Class::Read, now));
    (0..1_000).for_each(|_| assert_eq!(take(1), None));
    assert_eq!(take(1), Some((Layer::Account, 1_000)));
    let own = Allowance {
        rate: rate(100, 1),
        tier: None,
    };
    shared.set(Rates {
        own: HashMap::from_iter([(7, own)]),
        ..Rates::from(rate(1_000, 2))
    });
    // The debt of a thousand seconds at the old rate is forgotten.
    assert_eq!([take(1), take(1), take(1)], [None, None, Some((Layer::Account, 1))]);
    assert_eq!([take(7), take(7)], [None, Some((Layer::Account, 10))]);
}

#[test]
fn the_node_bounds_all_accounts_together() {
    let (mut limiter, now) = limiter(Rates {
        node: Some(rate(10, 5)),
        ..Rates::from(rate(1_000, 1_000))
    });
    for account in 0..5 {
        assert_eq!(refused(limiter.take(account, Class::Write, now)), None);
    }
    assert_eq!(refused(limiter.take(9, Class::Write, now)), Some((Layer::Node, 100)));
    assert_eq!(refused(limiter.take(9, Class::Write, later(now, 100))), None);
}

#[test]
fn a_batch_of_the_nodes_tokens_lies_with_each_worker_and_no_more_are_granted_than_there_are() {
    let shared = RateLimiter::new(Rates {
        node: Some(rate(1, 640)),
        ..Rates::from(rate(1_000_000, 1_000_000))
    });
    let now = shared.began;
    let mut workers = [(); 3].map(|()| LocalRateLimiter::new(Arc::clone(&shared)));
    let mut granted = 0;
    for turn in 0..3_000 {
        granted += u32::from(workers[turn % 3].take(1, Class::Write, now).is_ok());
    }
    assert_eq!(granted, 640);
}

#[test]
fn what_a_lower_layer_refuses_is_given_back_to_the_upper_ones() {
    let mut rates = Rates {
        node: Some(rate(1, 10)),
        ..tiered(1, 10)
    };
    rates.classes[Class::Search as usize] = ClassLimit {
        cost: 2,
        rate: Some(rate(1, 4)),
    };
    let (mut limiter, now) = limiter(rates);
    let left = |taken: Result<Taken, Limited>| taken.expect("granted").expect("told").remaining;
    assert_eq!(left(limiter.take(1, Class::Search, now)), 8);
    assert_eq!(left(limiter.take(1, Class::Search, now)), 6);
    for _ in 0..50 {
        let limited = limiter.take(1, Class::Search, now).expect_err("the class is used up");
        assert_eq!((limited.layer, limited.wait), (Layer::Class, Duration::from_secs(2)));
        assert_eq!(limited.left.map(|left| (left.limit, left.remaining)), Some((4, 0)));
    }
    // Neither the account's six nor the node's are gone.
    for remaining in (0..6).rev() {
        assert_eq!(left(limiter.take(1, Class::Read, now)), remaining);
    }
    // The account is used up, and what it was refused stays with the node: it had ten, and all were used.
    assert_eq!(refused(limiter.take(1, Class::Read, now)), Some((Layer::Node, 1_000)));
    let (mut limiter, now) = super::tests::limiter(Rates {
        node: Some(rate(1, 10)),
        ..tiered(1, 1)
    });
    assert_eq!(refused(limiter.take(1, Class::Read, now)), None);
    for _ in 0..50 {
        assert_eq!(
            refused(limiter.take(1, Class::Read, now)),
            Some((Layer::Account, 1_000))
        );
    }
    for account in 2..11 {
        assert_eq!(
            refused(limiter.take(account, Class::Read, now)),
            None,
            "account {account}"
        );
    }
}

#[test]
fn a_surge_makes_requests_dearer_for_tiers_and_asks_for_a_minute() {
    let surging = |tier: bool| {
        let mut rates = tiered(100, 100);
        rates.surge_max = 8;
        if !tier {
            rates.common.tier = None;
        }
        let (mut limiter, now) = limiter(rates);
        let mut at = now;
        for second in 1..=10 {
            limiter.shared.overloaded();
            at = later(now, second * 1_000);
            assert!(limiter.take(1, Class::Write, at).is_ok());
        }
        let at = later(at, 900);
        let granted = (0..200)
            .take_while(|_| limiter.take(2, Class::Write, at).is_ok())
            .count();
        (granted, refused(limiter.take(2, Class::Write, at)))
    };
    let (granted, refusal) = surging(true);
    assert_eq!(
        (granted, refusal),
        (12, Some((Layer::Surge, 60_000))),
        "eight times as dear"
    );
    let (granted, refusal) = surging(false);
    assert_eq!(
        (granted, refusal),
        (100, Some((Layer::Account, 10))),
        "no tier, no surge"
    );
}

#[test]
fn what_is_left_is_told_to_tiers_only_and_a_dear_request_is_granted_from_a_full_bucket() {
    let (mut limiter, now) = limiter(tiered(2, 4));
    let left = limiter.take(1, Class::Read, now).expect("granted").expect("told");
    assert_eq!((left.limit, left.remaining, left.full_in_s), (4, 3, 1));
    let (mut plain, now) = super::tests::limiter(rate(2, 4));
    assert_eq!(plain.take(1, Class::Read, now), Ok(None));
    let mut rates = Rates::from(rate(1, 2));
    rates.classes[Class::Upload as usize].cost = 5;
    let (mut dear, now) = super::tests::limiter(rates);
    assert_eq!(refused(dear.take(1, Class::Upload, now)), None);
    assert!(dear.take(1, Class::Upload, later(now, 4_000)).is_err());
    assert_eq!(refused(dear.take(1, Class::Upload, later(now, 5_000))), None);
}
