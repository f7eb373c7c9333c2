use super::*;

fn slo() -> Slo {
    Slo {
        p50_ms: Some(10.0),
        p99_ms: Some(50.0),
        p99_9_ms: None,
        errors_max: 0.001,
        goodput_min: 0.99,
        offered_min: 0.95,
        refusal_p99_ms: None,
        webhook_p99_ms: None,
        lag_p99_ms: 5.0,
        discrepancies_max: 0,
        stop_early: true,
        periods: Vec::new(),
    }
}

fn fine() -> Measured {
    Measured {
        due: 10_000,
        planned: (10_100.0, 20.0),
        good: 9_995,
        failed: 5,
        p50_ms: 1.0,
        p99_ms: 20.0,
        p99_9_ms: 900.0,
        lag_p99_ms: 0.3,
        discrepancies: Some((0, String::new())),
        ..Measured::default()
    }
}

#[test]
fn a_run_is_good_only_when_everything_asked_is_met() {
    type Change = fn(&mut Measured);
    let cases: [(&str, Change, bool, bool, &str); 16] = [
        ("fine", |_| {}, true, true, "p99 20.00 ms, goodput 99.95 %, every cent"),
        (
            "not checked",
            |m| m.discrepancies = None,
            true,
            true,
            "the money was not checked",
        ),
        (
            "p50",
            |m| m.p50_ms = 10.1,
            true,
            false,
            "latency p50 10.10 ms (at most 10 ms)",
        ),
        ("p99", |m| m.p99_ms = 50.5, true, false, "latency p99 50.50 ms"),
        (
            "p99 is a failed request",
            |m| m.p99_ms = f64::INFINITY,
            true,
            false,
            "latency p99 no good answer (at most 50 ms)",
        ),
        (
            "flows that ended early",
            |m| m.planned = (10_600.0, 20.0),
            true,
            false,
            "requests due 10000 (94.34 %) (at least 95 % of 10600 planned)",
        ),
        (
            "no room",
            |m| m.not_valid = Some("3 requests had no room".into()),
            false,
            false,
            "3 requests had no room; nothing else can be judged",
        ),
        (
            "too few for a p99",
            |m| (m.due, m.good, m.failed, m.planned) = (99, 99, 0, (99.0, 0.0)),
            true,
            false,
            "latency p99 20.00 ms of 99 requests, too few to say (at most 50 ms)",
        ),
        ("p99.9 is not asked", |m| m.p99_9_ms = 1e6, true, true, ""),
        ("budget spent to the last", |m| m.failed = 10, true, true, ""),
        (
            "budget",
            |m| m.failed = 11,
            true,
            false,
            "failed requests 11 of 10000 (0.11 %)",
        ),
        (
            "goodput",
            |m| m.good = 9_800,
            true,
            false,
            "goodput 98 % (at least 99 %)",
        ),
        (
            "replays",
            |m| m.replay_differences = 1,
            true,
            false,
            "replays that differ 1 (none)",
        ),
        (
            "money",
            |m| m.discrepancies = Some((2, "x".into())),
            true,
            false,
            "differences in the money 2, first: x",
        ),
        (
            "stopped",
            |m| m.stopped = Some("y".into()),
            true,
            false,
            "stopped early: y",
        ),
        (
            "lag",
            |m| m.lag_p99_ms = 5.1,
            false,
            false,
            "the tool could not keep its schedule: own lag p99 5.10 ms",
        ),
    ];
    for (name, change, valid, good, expected) in cases {
        let mut measured = fine();
        change(&mut measured);
        let verdict = judge(&slo(), &measured);
        assert_eq!((verdict.valid, verdict.good), (valid, good), "{name}: {}", verdict.line);
        assert!(verdict.line.contains(expected), "{name}: {}", verdict.line);
    }
}

#[test]
fn parts_of_a_run_and_refusals_have_bounds_of_their_own() {
    let mut slo = slo();
    slo.refusal_p99_ms = Some(5.0);
    slo.periods = vec![crate::scenario::Period {
        name: "after".into(),
        from_s: 1.0,
        to_s: 2.0,
        p99_ms: Some(50.0),
        goodput_min: Some(0.9),
        good_per_s_min: Some(100.0),
    }];
    let came = |p99_ms, good, good_per_s, refusals| Measured {
        refusals,
        periods: vec![PeriodMeasured {
            p99_ms,
            due: 100,
            good,
            good_per_s,
        }],
        ..fine()
    };
    let good = judge(&slo, &came(50.0, 90, 100.0, (5.0, 7, 0)));
    assert!(good.good, "{}", good.line);
    let bad = judge(&slo, &came(50.1, 89, 99.0, (5.1, 7, 2)));
    for expected in [
        "after: latency p99 50.10 ms (at most 50 ms)",
        "after: goodput 89 % (at least 90 %)",
        "after: good answers 99/s (at least 100/s)",
        "refusals p99 5.10 ms of 7 (at most 5 ms)",
        "refusals without Retry-After 2 (none)",
    ] {
        assert!(!bad.good && bad.line.contains(expected), "{expected}: {}", bad.line);
    }
}

#[test]
fn a_run_without_answers_is_not_good() {
    let verdict = judge(&slo(), &Measured::default());
    assert!(
        !verdict.good && verdict.line.contains("no good answer"),
        "{}",
        verdict.line
    );
}

#[test]
fn shares_near_the_ends_do_not_look_like_the_ends() {
    let cases = [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.5, "50 %"),
        (0.0001, "0.01 %"),
        (0.999999, "99.9999 %"),
        (1.0 / 3.0, "33.33 %"),
    ];
    for (share, expected) in cases {
        assert_eq!(percent(share), expected);
    }
}

#[test]
fn webhooks_are_judged_one_by_one() {
    let mut slo = slo();
    slo.webhook_p99_ms = Some(250.0);
    let came = || {
        let mut webhooks = Delivered {
            owed: 1_000,
            received: 1_000,
            again: 10,
            ..Delivered::default()
        };
        webhooks
            .latency_us
            .record_n(249_000, 1_000)
            .expect("it grows as needed");
        webhooks
    };
    let judged = |webhooks: Delivered| {
        judge(
            &slo,
            &Measured {
                webhooks: Some(webhooks),
                ..fine()
            },
        )
    };
    let good = judged(came());
    assert!(
        good.good && good.line.ends_with(", all 1000 webhooks came"),
        "{}",
        good.line
    );
    type Change = fn(&mut Delivered);
    let cases: [(Change, &str); 7] = [
        (|w| w.missing = 1, "webhooks owed that never came 1 of 1000 (none)"),
        (|w| w.unlisted = 1, "webhooks that no list explains 1 (none)"),
        (|w| w.not_signed = 1, "webhooks without a good signature 1 (none)"),
        (|w| w.malformed = 1, "webhooks that are no events 1 (none)"),
        (|w| w.late = 1, "webhooks behind a younger one 1 (none)"),
        (|w| w.again = 11, "webhooks sent again 11 (1.1 %) (at most 1 %)"),
        (
            |w| w.latency_us.record_n(300_000, 11).expect("it grows as needed"),
            "webhook p99 30",
        ),
    ];
    for (change, expected) in cases {
        let mut webhooks = came();
        change(&mut webhooks);
        let bad = judged(webhooks);
        assert!(!bad.good && bad.line.starts_with(expected), "{expected}: {}", bad.line);
        assert_eq!(bad.checks.iter().filter(|check| !check.met).count(), 1, "{}", bad.line);
    }
}
