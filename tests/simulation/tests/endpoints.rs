//! Histories of webhook endpoints that take longer, or are rarer, than those of the fixed set.

use tollgate_simulation::plan::{Action, Fault, HOUR_MS, What, Wish};
use tollgate_simulation::receivers::Mood;
use tollgate_simulation::{Counts, Plan, run};

const DAY_MS: u64 = 24 * HOUR_MS;

fn ask(action: Action) -> What {
    What::Ask(Wish::of(action))
}

fn endpoint(strict: bool) -> What {
    ask(Action::CreateEndpoint {
        events: &["*", "webhook_endpoint.*"],
        strict,
    })
}

fn pay() -> What {
    ask(Action::Create {
        amount: 5_000,
        currency: "usd",
        card: Some("visa"),
        confirm: true,
        manual: false,
        customer: None,
        save: false,
    })
}

fn mood(of: usize, mood: Mood) -> What {
    What::Receiver { of, mood }
}

/// These steps, and a payment every so often from a second on until then.
fn with_payments(mut steps: Vec<(u64, What)>, every_ms: u64, until_ms: u64) -> Vec<(u64, What)> {
    let times = (1_000..until_ms).step_by(every_ms as usize);
    steps.extend(times.map(|at_ms| (at_ms, pay())));
    steps.sort_by_key(|(at_ms, _)| *at_ms);
    steps
}

#[track_caller]
fn holds(steps: Vec<(u64, What)>) -> Counts {
    match run(&Plan::written(steps)) {
        Ok((counts, _)) => counts,
        Err(failure) => panic!("{failure}"),
    }
}

#[test]
fn an_endpoint_that_is_dead_for_a_week_is_told_of_switched_off_and_gets_everything_when_it_is_back() {
    // Steps 0 and 1 make endpoints: one that dies, and its neighbour.
    let steps = vec![
        (0, endpoint(false)),
        (1, endpoint(true)),
        (HOUR_MS, mood(0, Mood::Dead)),
        (3 * DAY_MS, What::Fault(Fault::Kill { down_ms: 2_000 })),
        (4 * DAY_MS, What::Fault(Fault::HandOver { shard: 0 })),
    ];
    let counts = holds(with_payments(steps, HOUR_MS / 2, 7 * DAY_MS));
    assert_eq!((counts.seen.failing, counts.seen.given_up), (1, 1), "{counts:?}");
    assert_eq!(counts.handed_over, 1);
    // Each of both endpoints has had three events of each payment, and was told of the dead one.
    let payments = 7 * 48 - 1;
    assert!(counts.seen.delivered >= 2 * (3 * payments + 2), "{counts:?}");
}

#[test]
fn an_endpoint_that_was_just_made_is_known_after_a_kill() {
    let steps = vec![(0, endpoint(false)), (500, What::Fault(Fault::Kill { down_ms: 400 }))];
    let counts = holds(with_payments(steps, 1_000, 60_000));
    assert!(counts.seen.delivered >= 3 * 59, "{counts:?}");
}

#[test]
fn an_endpoint_that_is_gone_is_switched_off_at_once() {
    let steps = vec![(0, endpoint(false)), (HOUR_MS, mood(0, Mood::Gone))];
    let counts = holds(with_payments(steps, 60_000, 2 * HOUR_MS));
    assert_eq!((counts.seen.failing, counts.seen.given_up), (0, 1), "{counts:?}");
    assert!(counts.seen.refused < 10, "{counts:?}");
}

#[test]
fn a_planned_move_under_load_sends_nothing_twice() {
    let mut steps = vec![(0, endpoint(false)), (0, endpoint(true)), (0, mood(0, Mood::Good(300)))];
    steps.extend((1..20).map(|at| (at * 10_000, What::Fault(Fault::HandOver { shard: 0 }))));
    let counts = holds(with_payments(steps, 50, 200_000));
    assert_eq!((counts.handed_over, counts.seen.again), (19, 0), "{counts:?}");
    assert!(counts.seen.delivered > 20_000, "{counts:?}");
}

#[test]
fn a_journal_that_cannot_be_read_disturbs_no_order() {
    let mut steps = vec![(0, endpoint(false)), (0, endpoint(true)), (0, mood(0, Mood::Good(300)))];
    steps.extend((1..60).map(|at| (at * 5_000, What::Fault(Fault::Unreadable { ms: 1_500 }))));
    let counts = holds(with_payments(steps, 100, 300_000));
    assert_eq!(counts.seen.again, 0, "{counts:?}");
}
