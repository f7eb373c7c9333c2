//! Panics, lost fences, restarts.

use crate::driver::{Driver, SHARD};
use crate::office::{Desk, key_hash_of, merchant, pay, rendered, short};
use tollgate_actors::settings::{RESTART_WINDOW_MS, RESTARTS_MAX, ShardSettings};
use tollgate_store::Journal;
use tollgate_store::memory::Fate;

const DOWN: &str = "the account's shard is not serving";

fn warmed() -> (Driver, Desk) {
    let (mut driver, mut desk) = (Driver::new(ShardSettings::default()), Desk::of(merchant(1)));
    driver.call(desk.balance());
    (driver, desk)
}

#[test]
fn a_panic_discards_what_is_not_durable_and_the_retry_succeeds() {
    let (mut driver, mut desk) = warmed();
    let durable = driver.call(desk.keyed("durable", pay(2_000, "visa")));
    driver.set_trap(key_hash_of("trap"));
    let (before, trap, behind) = (
        driver.ask(desk.keyed("before", pay(2_000, "visa"))),
        driver.ask(desk.keyed("trap", pay(2_000, "visa"))),
        driver.ask(desk.keyed("behind", pay(2_000, "visa"))),
    );
    driver.run();
    assert_eq!(driver.rebuilds, 1);
    assert_eq!([before, trap].map(|asked| short(&driver.answers[&asked])), [DOWN, DOWN]);
    assert_eq!(
        short(&driver.answers[&behind]),
        "200 succeeded",
        "what was not handled yet is handled by the new one"
    );
    let retry = driver.call(desk.keyed("before", pay(2_000, "visa")));
    assert_eq!(
        (short(&Ok(retry.clone())).as_str(), retry.replayed),
        ("200 succeeded", None)
    );
    assert_eq!(
        rendered(&driver.call(desk.keyed("durable", pay(2_000, "visa")))),
        rendered(&durable)
    );
    assert_eq!(driver.facts(desk.profile.key).len(), 3);
}

#[test]
fn answers_travel_with_their_block_through_a_panic() {
    let (mut driver, mut desk) = warmed();
    let paid = driver.ask(desk.keyed("k", pay(2_000, "visa")));
    driver.turn();
    // The block is written; its answer is late.
    driver.settle(Fate::WrittenUnanswered);
    driver.set_trap(key_hash_of("trap"));
    driver.ask(desk.keyed("trap", pay(1_000, "visa")));
    driver.turn();
    assert_eq!(driver.rebuilds, 1);
    driver.answer_block();
    driver.run();
    assert_eq!(short(&driver.answers[&paid]), "200 succeeded");
    assert_eq!(
        rendered(&driver.call(desk.keyed("k", pay(2_000, "visa")))),
        rendered(&driver.answer(paid))
    );
}

#[test]
fn a_command_that_crashes_twice_is_set_aside() {
    let (mut driver, mut desk) = warmed();
    driver.set_trap(key_hash_of("trap"));
    let mut heard = Vec::new();
    for _ in 0..4 {
        let asked = driver.ask(desk.keyed("trap", pay(666, "visa")));
        driver.run();
        heard.push(short(&driver.answers[&asked]));
    }
    assert_eq!(heard, [DOWN, DOWN, "500 -", "500 -"]);
    assert_eq!(driver.rebuilds, 2);
    assert_eq!(
        short(&Ok(driver.call(desk.keyed("other", pay(2_000, "visa"))))),
        "200 succeeded"
    );
}

#[test]
fn too_many_restarts_fail_the_shard() {
    let (mut driver, mut desk) = warmed();
    driver.set_trap(key_hash_of("trap"));
    for round in 0..=RESTARTS_MAX as i64 {
        assert!(!driver.supervised().is_failed());
        driver.ask(desk.keyed("trap", pay(1_000 + round, "visa")));
        driver.run();
    }
    assert!(driver.supervised().is_failed());
    let asked = driver.ask(desk.balance());
    driver.run();
    assert_eq!(short(&driver.answers[&asked]), DOWN);
}

#[test]
fn restarts_far_apart_are_forgiven() {
    let (mut driver, mut desk) = warmed();
    driver.set_trap(key_hash_of("trap"));
    for round in 0..4 * RESTARTS_MAX as i64 {
        driver.ask(desk.keyed("trap", pay(1_000 + round, "visa")));
        driver.run();
        driver.pass(RESTART_WINDOW_MS / 4);
    }
    assert!(!driver.supervised().is_failed());
}

#[test]
fn a_lost_fence_discards_the_memory() {
    let (mut driver, mut desk) = warmed();
    let durable = driver.call(desk.keyed("durable", pay(2_000, "visa")));
    let asked = driver.ask(desk.keyed("lost", pay(2_000, "visa")));
    driver.turn();
    driver.store.claim(SHARD).expect("another owner takes over");
    driver.run();
    assert_eq!(driver.rebuilds, 1);
    assert_eq!(short(&driver.answers[&asked]), DOWN);
    assert_eq!(
        rendered(&driver.call(desk.keyed("durable", pay(2_000, "visa")))),
        rendered(&durable)
    );
    assert_eq!(driver.facts(desk.profile.key).len(), 1);
}

#[test]
fn notices_of_a_discarded_incarnation_are_ignored() {
    let (mut driver, mut desk) = warmed();
    let mut other = Desk::of(merchant(2));
    let waiting = driver.ask(other.balance());
    driver.turn();
    assert!(driver.load_next(), "the other account is being read");
    driver.set_trap(key_hash_of("trap"));
    // The panic comes in the same turn as the notice for the old incarnation would have been taken.
    driver.ask(desk.keyed("trap", pay(1_000, "visa")));
    driver.turn();
    driver.run();
    assert!(driver.answers.contains_key(&waiting));
    assert_eq!(short(&Ok(driver.call(other.balance()))), "200 balance");
}
