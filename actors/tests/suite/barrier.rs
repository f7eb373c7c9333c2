//! What is answered without a block waits until it is known that the shard is still here.

use crate::driver::{Driver, SHARD};
use crate::office::{Desk, capture, hold, key_hash_of, merchant, object, pay, refund, short};
use tollgate_actors::settings::ShardSettings;
use tollgate_domain::kinds;
use tollgate_resource::Id;
use tollgate_store::Journal;
use tollgate_store::memory::Fate;

const DOWN: &str = "the account's shard is not serving";

/// A shard that others may take over, with its account in memory.
fn warmed() -> (Driver, Desk) {
    let (mut driver, mut desk) = (Driver::warded(ShardSettings::default()), Desk::of(merchant(1)));
    let balance = desk.balance();
    driver.call(balance);
    (driver, desk)
}

/// What a request hears, asserted to be nothing before the shard is known to be here.
fn heard(driver: &mut Driver, asked: u32) -> String {
    driver.run_unknown();
    assert!(
        !driver.answers.contains_key(&asked),
        "answered before it was known whose the shard is: {:?}",
        driver.answers[&asked]
    );
    assert!(driver.stand(true), "the store was not asked");
    driver.turn();
    short(&driver.answers[&asked])
}

#[test]
fn every_answer_without_a_block_waits_until_the_shard_is_known_to_be_here() {
    let (mut driver, mut desk) = warmed();
    let paid = object(&driver.call(desk.keyed("paid", pay(2_000, "visa")))).id();
    let held = object(&driver.call(desk.write(hold(2_000, "visa")))).id();
    let nobody = Id::new(&kinds::CUSTOMER, 0, 1, 1);
    // From memory: objects, what is computed, what is not there.
    let asked = driver.ask(desk.get(&kinds::PAYMENT_INTENT, paid));
    assert_eq!(heard(&mut driver, asked), "200 succeeded");
    let asked = driver.ask(desk.balance());
    assert_eq!(heard(&mut driver, asked), "200 balance");
    let asked = driver.ask(desk.get(&kinds::CUSTOMER, nobody));
    assert_eq!(heard(&mut driver, asked), "404 resource_missing");
    // Writes that are refused by what the account is, and change nothing.
    let asked = driver.ask(desk.write(capture(paid, None)));
    assert_eq!(heard(&mut driver, asked), "400 payment_intent_unexpected_state");
    let asked = driver.ask(desk.write(refund(held, None)));
    assert_eq!(heard(&mut driver, asked), "400 -");
    // Keys: repeated, and used for something else.
    let asked = driver.ask(desk.keyed("paid", pay(2_000, "visa")));
    assert_eq!(heard(&mut driver, asked), "200 succeeded");
    let asked = driver.ask(desk.keyed("paid", pay(2_001, "visa")));
    assert_eq!(heard(&mut driver, asked), "400 -");
    // The same from the store, after a start with nothing in memory.
    let mut driver = driver.kill();
    let asked = driver.ask(desk.keyed("paid", pay(2_000, "visa")));
    assert_eq!(heard(&mut driver, asked), "200 succeeded");
    let asked = driver.ask(desk.get(&kinds::PAYMENT_INTENT, held));
    assert_eq!(heard(&mut driver, asked), "200 requires_capture");
    // What the engine itself refuses.
    driver.store.fail_reads(true);
    let refunds = driver.ask(desk.get(&kinds::CHARGE, Id::new(&kinds::CHARGE, 0, 2, desk.profile.key.tag())));
    assert_eq!(heard(&mut driver, refunds), "500 -");
    driver.store.fail_reads(false);
    for _ in 0..2 {
        driver.set_trap(key_hash_of("trap"));
        driver.ask(desk.keyed("trap", pay(666, "visa")));
        driver.run();
    }
    let asked = driver.ask(desk.keyed("trap", pay(666, "visa")));
    assert_eq!(heard(&mut driver, asked), "500 -", "set aside");
}

#[test]
fn waits_that_took_too_long_end_with_an_answer_only_while_the_shard_is_here() {
    let (mut driver, mut desk) = warmed();
    driver.ask(desk.keyed("k", pay(2_000, "tollgate_remoteSilent")));
    driver.run();
    let intent = driver.calls[0].call.attempt.object;
    let locked = driver.ask(desk.write(capture(intent, None)));
    let in_use = driver.ask(desk.keyed("k", pay(2_000, "tollgate_remoteSilent")));
    driver.run_unknown();
    driver.pass(5_000);
    driver.run_unknown();
    assert!(!driver.answers.contains_key(&locked) && !driver.answers.contains_key(&in_use));
    assert!(driver.stand(true));
    driver.turn();
    assert_eq!(short(&driver.answers[&locked]), "429 lock_timeout");
    assert_eq!(short(&driver.answers[&in_use]), "409 idempotency_key_in_use");
}

#[test]
fn a_look_counts_for_those_that_came_before_it() {
    let (mut driver, mut desk) = warmed();
    let first = driver.ask(desk.balance());
    driver.turn();
    assert!(driver.asking.is_some(), "the look has begun");
    let late = driver.ask(desk.balance());
    driver.turn();
    assert!(driver.stand(true));
    driver.turn();
    assert!(driver.answers.contains_key(&first) && !driver.answers.contains_key(&late));
    assert!(driver.asking.is_some(), "the next look has begun for the late one");
    assert!(driver.stand(true));
    driver.turn();
    assert!(driver.answers.contains_key(&late));
    assert!(!driver.stand(true), "nobody waits any more");
}

#[test]
fn an_append_that_begins_later_is_as_good_as_a_look_and_one_before_is_not() {
    let (mut driver, mut desk) = warmed();
    let paid = driver.ask(desk.write(pay(2_000, "visa")));
    driver.turn();
    // The append of the payment's block has begun; this needs it, and a look as well.
    let read = driver.ask(desk.balance());
    driver.turn();
    assert!(driver.asking.is_some());
    driver.settle(Fate::Durable);
    driver.turn();
    assert!(driver.answers.contains_key(&paid) && !driver.answers.contains_key(&read));
    driver.stand(true);
    driver.turn();
    assert!(driver.answers.contains_key(&read));
    // This one comes together with a payment, whose append begins afterwards.
    let read = driver.ask(desk.balance());
    let paid = driver.ask(desk.write(pay(2_000, "visa")));
    driver.turn();
    assert!(driver.asking.is_none(), "a look that nobody needs");
    assert!(!driver.answers.contains_key(&read));
    driver.settle(Fate::Durable);
    driver.turn();
    assert!(driver.answers.contains_key(&paid) && driver.answers.contains_key(&read));
    // A look that is known before the block it also needs lets nothing out.
    driver.ask(desk.write(pay(2_000, "visa")));
    driver.turn();
    let read = driver.ask(desk.balance());
    driver.turn();
    driver.stand(true);
    driver.turn();
    assert!(!driver.answers.contains_key(&read));
    driver.settle(Fate::Durable);
    driver.turn();
    assert!(driver.answers.contains_key(&read));
    // And an append that was begun after a read answers it before its look comes back.
    let read = driver.ask(desk.balance());
    driver.turn();
    assert!(driver.asking.is_some());
    driver.ask(desk.write(pay(2_000, "visa")));
    driver.turn();
    driver.settle(Fate::Durable);
    driver.turn();
    assert!(driver.answers.contains_key(&read));
    assert!(driver.stand(true));
    driver.turn();
}

#[test]
fn where_nobody_knows_whose_the_shard_is_clients_are_told_to_come_again() {
    let (mut driver, mut desk) = warmed();
    let asked = driver.ask(desk.balance());
    driver.run_unknown();
    driver.stand(false);
    driver.turn();
    assert_eq!(short(&driver.answers[&asked]), DOWN);
    assert_eq!(
        short(&Ok(driver.call(desk.balance()))),
        "200 balance",
        "the shard goes on"
    );
}

#[test]
fn what_waited_at_an_owner_that_was_overtaken_is_thrown_away() {
    let (mut driver, mut desk) = warmed();
    driver.call(desk.keyed("k", pay(2_000, "visa")));
    let stale = [
        driver.ask(desk.balance()),
        driver.ask(desk.keyed("k", pay(2_000, "visa"))),
        driver.ask(desk.keyed("k", pay(2_001, "visa"))),
    ];
    driver.turn();
    driver.store.claim(SHARD).expect("another owner takes over");
    // A block of the old one tells it.
    let lost = driver.ask(desk.write(pay(2_000, "visa")));
    driver.run_unknown();
    for asked in stale.into_iter().chain([lost]) {
        assert_eq!(short(&driver.answers[&asked]), DOWN);
    }
}
