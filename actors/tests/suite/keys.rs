//! Idempotency keys.

use crate::driver::Driver;
use crate::office::{Desk, START_MS, capture, hold, key_hash_of, merchant, object, pay, reject, rendered, short};
use tollgate_actors::settings::{KEY_WAITERS_MAX, ShardSettings};

const HOUR_MS: u64 = 3_600_000;

fn one() -> (Driver, Desk) {
    (Driver::new(ShardSettings::default()), Desk::of(merchant(1)))
}

#[test]
fn one_key_at_once_from_many_pays_once() {
    let (mut driver, mut desk) = one();
    let asked: Vec<u32> = (0..500)
        .map(|_| driver.ask(desk.keyed("k", pay(2_000, "visa"))))
        .collect();
    driver.run();
    let first = driver.answer(asked[0]);
    assert_eq!(first.replayed, None);
    for asked in &asked[1..] {
        let again = driver.answer(*asked);
        assert_eq!(rendered(&again), rendered(&first));
        assert!(again.replayed.is_some());
    }
    assert_eq!(driver.facts(desk.profile.key).len(), 1);
}

#[test]
fn a_key_fits_one_request_only() {
    let (mut driver, mut desk) = one();
    let held = object(&driver.call(desk.keyed("k", hold(2_000, "visa")))).id();
    let other = driver.call(desk.keyed("k", hold(2_001, "visa")));
    assert!(
        reject(&other)
            .message
            .starts_with("Keys for idempotent requests can only be used with the same parameters")
    );
    assert!(!other.began);
    let elsewhere = driver.call(desk.keyed("k", capture(held, None)));
    assert!(
        reject(&elsewhere)
            .message
            .contains("for the same endpoint they were first used for ('/v1/CreatePaymentIntent')"),
        "{}",
        reject(&elsewhere).message
    );
    let mut driver = driver.kill();
    let after = driver.call(desk.keyed("k", hold(2_001, "visa")));
    assert_eq!(
        reject(&after).message,
        reject(&other).message,
        "also from the record, after a restart"
    );
}

#[test]
fn keys_of_two_accounts_have_nothing_to_do_with_each_other() {
    let (mut driver, mut desk) = one();
    let mut other = Desk::of(merchant(2));
    driver.call(desk.keyed("k", pay(2_000, "visa")));
    let theirs = driver.call(other.keyed("k", pay(9_900, "visa")));
    assert_eq!(
        (short(&Ok(theirs.clone())).as_str(), theirs.replayed),
        ("200 succeeded", None)
    );
}

#[test]
fn a_key_is_new_again_after_its_time() {
    for in_memory in [true, false] {
        let (mut driver, mut desk) = one();
        let first = driver.call(desk.keyed("k", pay(2_000, "visa")));
        driver.pass(24 * HOUR_MS - 1);
        assert_eq!(
            rendered(&driver.call(desk.keyed("k", pay(2_000, "visa")))),
            rendered(&first)
        );
        driver.pass(1);
        if !in_memory {
            driver = driver.kill();
        }
        let fresh = driver.call(desk.keyed_at("k", pay(2_000, "visa"), START_MS + 24 * HOUR_MS));
        assert_ne!(object(&fresh).id(), object(&first).id());
        let again = driver.call(desk.keyed_at("k", pay(2_000, "visa"), START_MS + 25 * HOUR_MS));
        assert_eq!(rendered(&again), rendered(&fresh), "the newest outcome is repeated");
    }
}

#[test]
fn a_filter_that_is_wrong_costs_a_look_and_nothing_else() {
    let (mut driver, mut desk) = one();
    driver.suspect(key_hash_of("k"));
    let asked: Vec<u32> = (0..20)
        .map(|_| driver.ask(desk.keyed("k", pay(2_000, "visa"))))
        .collect();
    let other = driver.ask(desk.keyed("k", pay(1_999, "visa")));
    driver.run();
    let first = driver.answer(asked[0]);
    assert_eq!(
        (short(&Ok(first.clone())).as_str(), first.replayed),
        ("200 succeeded", None)
    );
    assert!(
        asked[1..]
            .iter()
            .all(|asked| rendered(&driver.answer(*asked)) == rendered(&first))
    );
    assert_eq!(short(&driver.answers[&other]), "400 -");
    assert_eq!(driver.facts(desk.profile.key).len(), 1);
}

#[test]
fn a_duplicate_waits_and_then_hears_that_the_key_is_in_use() {
    let (mut driver, mut desk) = one();
    driver.ask(desk.keyed("k", pay(2_000, "tollgate_remoteSilent")));
    driver.run();
    let again = driver.ask(desk.keyed("k", pay(2_000, "tollgate_remoteSilent")));
    driver.run();
    driver.pass(4_999);
    driver.run();
    assert!(!driver.answers.contains_key(&again));
    driver.pass(1);
    driver.run();
    assert_eq!(short(&driver.answers[&again]), "409 idempotency_key_in_use");
    assert!(!driver.answer(again).began);
    assert_eq!(driver.facts(desk.profile.key).len(), 1);
}

#[test]
fn duplicates_of_a_key_in_flight_are_bounded() {
    let (mut driver, mut desk) = one();
    driver.ask(desk.keyed("k", pay(2_000, "tollgate_remoteSilent")));
    driver.run();
    let asked: Vec<u32> = (0..=KEY_WAITERS_MAX)
        .map(|_| driver.ask(desk.keyed("k", pay(2_000, "tollgate_remoteSilent"))))
        .collect();
    driver.run();
    let at_once: Vec<&u32> = asked
        .iter()
        .filter(|asked| driver.answers.contains_key(asked))
        .collect();
    assert_eq!(
        at_once,
        [&asked[KEY_WAITERS_MAX]],
        "only the one too many is answered at once"
    );
}

#[test]
fn whoever_waits_tries_itself_when_the_first_is_not_remembered() {
    let (mut driver, mut desk) = one();
    // Busy with its network: a second command on the intent parks, holding its key, and is refused unremembered.
    driver.ask(desk.keyed("pay", pay(2_000, "tollgate_remoteSilent")));
    driver.run();
    let intent = driver.calls[0].call.attempt.object;
    let first = driver.ask(desk.keyed("k", capture(intent, None)));
    driver.run();
    driver.pass(2_000);
    let second = driver.ask(desk.keyed("k", capture(intent, None)));
    driver.run();
    driver.pass(3_000);
    driver.run();
    assert_eq!(short(&driver.answers[&first]), "429 lock_timeout");
    assert!(
        !driver.answers.contains_key(&second),
        "it holds the key now and waits for the intent"
    );
    driver.pass(2_000);
    driver.run();
    assert_eq!(short(&driver.answers[&second]), "429 lock_timeout");
}
