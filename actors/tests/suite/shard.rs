//! One shard: payments, the output gate, reads, refunds, passivation, rows, restarts.

use crate::driver::Driver;
use crate::office::{
    Desk, cancel, capture, customer, expanding, hold, merchant, object, pay, pay_by, refund, reject, rendered, short,
};
use std::sync::Arc;
use tollgate_actors::settings::ShardSettings;
use tollgate_domain::kinds;
use tollgate_domain::object::Object;
use tollgate_resource::Version;
use tollgate_store::memory::Fate;

fn one() -> (Driver, Desk) {
    (Driver::new(ShardSettings::default()), Desk::of(merchant(1)))
}

/// Brings the account into memory, so that what follows needs no load.
fn warmed() -> (Driver, Desk) {
    let (mut driver, mut desk) = one();
    let balance = desk.balance();
    driver.call(balance);
    (driver, desk)
}

#[test]
fn a_payment_is_answered_when_its_block_is_durable() {
    let (mut driver, mut desk) = warmed();
    let asked = driver.ask(desk.write(pay(2_000, "visa")));
    driver.turn();
    driver.turn();
    assert!(!driver.answers.contains_key(&asked), "answered before it was durable");
    assert!(driver.settle(Fate::Durable));
    assert_eq!(short(&driver.answers[&asked]), "200 succeeded");
    assert_eq!(driver.facts(desk.profile.key).len(), 1);
}

#[test]
fn what_depends_on_the_block_in_flight_waits_for_it() {
    let (mut driver, mut desk) = warmed();
    let first = driver.ask(desk.keyed("a", pay(2_000, "visa")));
    driver.turn();
    // The block of `first` is in flight; these only read what it changed.
    let balance = driver.ask(desk.balance());
    let replay = driver.ask(desk.keyed("a", pay(2_000, "visa")));
    let mismatch = driver.ask(desk.keyed("a", pay(2_001, "visa")));
    let missing = driver.ask(desk.get(&kinds::CUSTOMER, tollgate_resource::Id::new(&kinds::CUSTOMER, 0, 1, 1)));
    driver.turn();
    driver.turn();
    assert!(
        [first, balance, replay, mismatch, missing]
            .iter()
            .all(|asked| !driver.answers.contains_key(asked))
    );
    driver.settle(Fate::Durable);
    driver.turn();
    let all = [first, balance, replay, mismatch, missing].map(|asked| short(&driver.answers[&asked]));
    assert_eq!(
        all,
        [
            "200 succeeded",
            "200 balance",
            "200 succeeded",
            "400 -",
            "404 resource_missing"
        ]
    );
}

#[test]
fn reads_of_durable_state_are_answered_at_once() {
    let (mut driver, mut desk) = warmed();
    let paid = driver.call(desk.write(pay(2_000, "visa")));
    let intent = object(&paid).id();
    let mut other = Desk::of(merchant(2));
    driver.call(other.balance());
    driver.ask(other.write(pay(700, "visa")));
    driver.turn();
    let read = driver.ask(desk.get(&kinds::PAYMENT_INTENT, intent));
    driver.turn();
    assert_eq!(
        short(&driver.answers[&read]),
        "200 succeeded",
        "another account's block was waited for"
    );
}

#[test]
fn a_refused_block_is_retried_by_the_client_and_not_half_done() {
    let (mut driver, mut desk) = warmed();
    let asked = driver.ask(desk.keyed("a", pay(2_000, "visa")));
    driver.turn();
    driver.settle(Fate::Failed);
    assert_eq!(short(&driver.answers[&asked]), "the account's shard is not serving");
    let again = driver.call(desk.keyed("a", pay(2_000, "visa")));
    assert_eq!(short(&Ok(again.clone())), "200 succeeded");
    assert_eq!(again.replayed, None);
    assert_eq!(driver.facts(desk.profile.key).len(), 1);
}

#[test]
fn everything_is_there_after_a_kill() {
    let (mut driver, mut desk) = warmed();
    let paid = driver.call(desk.keyed("a", pay(2_000, "visa")));
    let intent = object(&paid).id();
    let before = rendered(&driver.call(desk.get(&kinds::PAYMENT_INTENT, intent)));
    let mut driver = driver.kill();
    let after = driver.call(desk.get(&kinds::PAYMENT_INTENT, intent));
    assert_eq!(rendered(&after), before);
    let replay = driver.call(desk.keyed("a", pay(2_000, "visa")));
    assert_eq!(rendered(&replay), rendered(&paid));
    assert_eq!(
        replay.replayed,
        Some(driver.facts(desk.profile.key)[0].request.expect("asked by a request"))
    );
    let refunded = driver.call(desk.write(refund(intent, Some(500))));
    assert_eq!(object(&refunded).kind(), &kinds::REFUND);
}

#[test]
fn holds_are_captured_in_part_and_cancelled() {
    let (mut driver, mut desk) = warmed();
    let held = object(&driver.call(desk.write(hold(2_000, "visa")))).id();
    let captured = driver.call(desk.write(capture(held, Some(500))));
    assert_eq!(short(&Ok(captured)), "200 succeeded");
    let other = object(&driver.call(desk.write(hold(900, "visa")))).id();
    assert_eq!(short(&Ok(driver.call(desk.write(cancel(other))))), "200 canceled");
    let again = driver.call(desk.keyed("k", cancel(other)));
    assert_eq!(reject(&again).code.as_deref(), Some("payment_intent_unexpected_state"));
    assert!(
        again.attached.iter().any(|object| object.id() == other),
        "the error embeds the intent"
    );
    let replay = driver.call(desk.keyed("k", cancel(other)));
    assert_eq!(rendered(&replay), rendered(&again), "a business refusal is remembered");
    assert!(replay.replayed.is_some());
}

#[test]
fn a_parameter_error_is_not_remembered() {
    let (mut driver, mut desk) = warmed();
    let small = driver.call(desk.keyed("k", pay(1, "visa")));
    assert_eq!(reject(&small).code.as_deref(), Some("amount_too_small"));
    let fixed = driver.call(desk.keyed("k", pay(100, "visa")));
    assert_eq!(short(&Ok(fixed)), "200 succeeded");
}

#[test]
fn a_thousand_refunds_never_exceed_the_charge() {
    let (mut driver, mut desk) = warmed();
    let intent = object(&driver.call(desk.write(pay(10_000, "visa")))).id();
    let asked: Vec<u32> = (0..1_000)
        .map(|n| driver.ask(desk.keyed(&format!("r{n}"), refund(intent, Some(25)))))
        .collect();
    driver.run();
    let outcomes: Vec<String> = asked.iter().map(|asked| short(&driver.answers[asked])).collect();
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "200 refund").count(), 400);
    assert!(
        outcomes[400..]
            .iter()
            .all(|outcome| outcome == "400 charge_already_refunded"),
        "{:?}",
        &outcomes[400..410]
    );
    let account = driver.replayed(&desk.profile);
    assert_eq!(account.books.imbalance(), None);
}

#[test]
fn expanded_objects_are_loaded_and_repeated_as_they_were() {
    let (mut driver, mut desk) = warmed();
    let payer = object(&driver.call(desk.write(customer()))).id();
    // A restart, so that the customer is not in memory when the payment wants to show it.
    let mut driver = driver.kill();
    let ask = |desk: &mut Desk| {
        expanding(
            desk.keyed("k", pay_by(payer, 2_000)),
            &["customer", "latest_charge.balance_transaction"],
        )
    };
    let paid = driver.call(ask(&mut desk));
    let mut shown: Vec<&str> = paid.attached.iter().map(|object| object.kind().object).collect();
    shown.sort_unstable();
    assert_eq!(shown, ["balance_transaction", "charge", "customer"]);
    let mut driver = driver.kill();
    let replay = driver.call(ask(&mut desk));
    assert_eq!(rendered(&replay), rendered(&paid));
}

#[test]
fn old_versions_get_their_included_lists() {
    let (mut driver, mut desk) = warmed();
    let intent = object(&driver.call(desk.write(pay(2_000, "visa")))).id();
    let mut driver = driver.kill();
    let mut old = desk.get(&kinds::PAYMENT_INTENT, intent);
    old.version = Version(20200827);
    let answer = driver.call(old);
    assert!(
        answer.attached.iter().any(|object| object.kind() == &kinds::CHARGE),
        "{:?}",
        answer.attached
    );
    let newest = driver.call(desk.get(&kinds::PAYMENT_INTENT, intent));
    assert!(newest.attached.is_empty());
}

#[test]
fn foreign_and_future_ids_name_nothing() {
    let (mut driver, mut desk) = warmed();
    let mut other = Desk::of(merchant(2));
    let intent = object(&driver.call(desk.write(pay(2_000, "visa")))).id();
    assert_eq!(
        short(&Ok(driver.call(other.get(&kinds::PAYMENT_INTENT, intent)))),
        "404 resource_missing"
    );
    let future = tollgate_resource::Id::new(&kinds::CHARGE, driver.now.unix_ms, 9_999, desk.profile.key.tag());
    assert_eq!(
        short(&Ok(driver.call(desk.get(&kinds::CHARGE, future)))),
        "404 resource_missing"
    );
    let wrong = tollgate_resource::Id::new(&kinds::CHARGE, intent.unix_ms(), intent.seq(), desk.profile.key.tag());
    assert_eq!(
        short(&Ok(driver.call(desk.get(&kinds::CHARGE, wrong)))),
        "404 resource_missing",
        "a sequence of another kind"
    );
}

#[test]
fn memory_stays_within_its_budget_and_nothing_is_forgotten() {
    let settings = ShardSettings {
        objects_max: 64,
        keys_max: 16,
        accounts_max: 3,
        ..ShardSettings::default()
    };
    let mut driver = Driver::new(settings);
    let mut desks: Vec<Desk> = (1..=8).map(|number| Desk::of(merchant(number))).collect();
    let mut paid = Vec::new();
    for round in 0..20 {
        for (at, desk) in desks.iter_mut().enumerate() {
            let key = format!("{round}");
            let answer = driver.call(desk.keyed(&key, pay(1_000 + round, "visa")));
            paid.push((at, round, key, object(&answer).id(), rendered(&answer)));
        }
    }
    driver.pass(1_000);
    (0..200).for_each(|_| driver.turn());
    let (accounts, objects, keys) = driver.population();
    assert!(
        accounts <= 4 && objects <= 64 && keys <= 16,
        "{accounts} accounts, {objects} objects, {keys} keys"
    );
    for (at, round, key, intent, first) in paid {
        let desk = &mut desks[at];
        let read = driver.call(desk.get(&kinds::PAYMENT_INTENT, intent));
        let Object::PaymentIntent(found) = object(&read) else {
            panic!("an intent")
        };
        assert_eq!(found.amount, 1_000 + round);
        let replay = driver.call(desk.keyed(&key, pay(1_000 + round, "visa")));
        assert_eq!(rendered(&replay), first);
        assert!(replay.replayed.is_some());
    }
}

#[test]
fn what_is_asked_for_again_and_again_stays_in_memory() {
    let mut driver = Driver::new(ShardSettings {
        objects_max: 64,
        ..ShardSettings::default()
    });
    let mut desk = Desk::of(merchant(1));
    let polled = object(&driver.call(desk.write(pay(1_000, "visa")))).id();
    // Each is asked for once a round, later than what an object may stay for in any case; a hundred rounds bring six times what
    // there is room for.
    for _ in 0..100 {
        let asked = driver.ask(desk.get(&kinds::PAYMENT_INTENT, polled));
        driver.turn();
        assert!(driver.loads.is_empty(), "it had to be read");
        driver.answer(asked);
        driver.pass(1_500);
        driver.call(desk.write(pay(1_000, "visa")));
    }
    let (_, objects, _) = driver.population();
    assert!(objects <= 64, "{objects} objects");
}

#[test]
fn where_everything_is_asked_for_again_the_budget_still_holds() {
    let mut driver = Driver::new(ShardSettings {
        objects_max: 64,
        ..ShardSettings::default()
    });
    let mut desk = Desk::of(merchant(1));
    let intents: Vec<_> = (0..200)
        .map(|_| {
            driver.pass(1_000);
            object(&driver.call(desk.write(pay(1_000, "visa")))).id()
        })
        .collect();
    for _ in 0..5 {
        for intent in &intents {
            driver.ask(desk.get(&kinds::PAYMENT_INTENT, *intent));
        }
        driver.run();
        let (_, objects, _) = driver.population();
        assert!(objects >= intents.len(), "{objects} objects");
        // As many turns as it takes to pass all of them once, when they are no longer needed.
        driver.pass(1_500);
        (0..3).for_each(|_| driver.turn());
        let (_, objects, _) = driver.population();
        assert!(objects <= 64 + 64 / 16, "{objects} objects");
    }
}

#[test]
fn full_turns_do_not_outrun_the_budget() {
    let settings = ShardSettings {
        objects_max: 64,
        keys_max: 64,
        ..ShardSettings::default()
    };
    let mut driver = Driver::new(settings);
    let mut desk = Desk::of(merchant(1));
    driver.call(desk.write(pay(1_000, "visa")));
    // Each round is a turn full of payments, four objects and a key each, and ends when they may be forgotten.
    for round in 0..20 {
        for at in 0..200 {
            driver.ask(desk.keyed(&format!("{round}-{at}"), pay(1_000, "visa")));
        }
        driver.run();
        driver.pass(1_000);
    }
    driver.run();
    let (_, objects, keys) = driver.population();
    let round = 200 * 4 + 64;
    assert!(
        objects <= round && keys <= 264,
        "{objects} objects, {keys} keys after 20 rounds"
    );
}

#[test]
fn loading_starts_at_the_newest_row_and_gives_the_same_state() {
    let settings = ShardSettings {
        row_every: 5,
        ..ShardSettings::default()
    };
    let mut driver = Driver::new(settings);
    let mut desk = Desk::of(merchant(1));
    for amount in 0..23 {
        driver.call(desk.write(pay(1_000 + amount, "visa")));
    }
    let rows = driver
        .store
        .blocks()
        .iter()
        .map(|block| block.count as usize)
        .sum::<usize>()
        - 23;
    assert_eq!(rows, 4);
    let found = tollgate_actors::readers::find_account(&*driver.store, &desk.profile).expect("readable");
    let tollgate_actors::shard::Found::Account(loaded, since_row) = found else {
        panic!("an account")
    };
    assert_eq!(since_row, 3);
    assert_eq!(*loaded, driver.replayed(&desk.profile));
    let balance = rendered(&driver.call(desk.balance()));
    let mut driver = driver.kill();
    assert_eq!(rendered(&driver.call(desk.balance())), balance);
}

#[test]
fn unreadable_data_is_an_error_and_not_an_absence() {
    let (mut driver, mut desk) = warmed();
    let intent = object(&driver.call(desk.keyed("k", pay(2_000, "visa")))).id();
    let mut driver = driver.kill();
    driver.call(desk.get(&kinds::CUSTOMER, tollgate_resource::Id::new(&kinds::CUSTOMER, 0, 1, 1)));
    driver.store.fail_reads(true);
    assert_eq!(
        short(&Ok(driver.call(desk.get(&kinds::PAYMENT_INTENT, intent)))),
        "500 -"
    );
    assert_eq!(
        short(&Ok(driver.call(desk.keyed("k", pay(2_000, "visa"))))),
        "500 -",
        "a key that cannot be read is not new"
    );
    driver.store.fail_reads(false);
    assert_eq!(
        short(&Ok(driver.call(desk.get(&kinds::PAYMENT_INTENT, intent)))),
        "200 succeeded"
    );
    assert!(driver.call(desk.keyed("k", pay(2_000, "visa"))).replayed.is_some());
}

#[test]
fn a_turn_is_bounded() {
    let (mut driver, mut desk) = warmed();
    let asked: Vec<u32> = (0..2_000).map(|_| driver.ask(desk.balance())).collect();
    driver.turn();
    let answered = asked.iter().filter(|asked| driver.answers.contains_key(asked)).count();
    assert_eq!(answered, driver.settings.turn_messages);
    driver.run();
    assert!(asked.iter().all(|asked| driver.answers.contains_key(asked)));
}

#[test]
fn a_full_block_waits_for_the_one_in_flight() {
    let (mut driver, mut desk) = warmed();
    let asked: Vec<u32> = (0..3_000)
        .map(|n| driver.ask(desk.keyed(&n.to_string(), pay(2_000, "visa"))))
        .collect();
    (0..100).for_each(|_| driver.turn());
    let before = driver.store.blocks().len();
    driver.run();
    let blocks = driver.store.blocks();
    assert!(blocks.len() > before + 2);
    assert!(blocks.iter().all(|block| block.bytes.len() <= 256 * 1024));
    assert!(
        asked
            .iter()
            .all(|asked| short(&driver.answers[asked]) == "200 succeeded")
    );
    assert_eq!(Arc::clone(&desk.profile).key, desk.profile.key);
}

#[test]
fn a_held_block_leaves_when_it_is_full_or_let_go() {
    let settings = ShardSettings {
        block_records: 3,
        ..ShardSettings::default()
    };
    let mut driver = Driver::new(settings);
    let mut desk = Desk::of(merchant(1));
    driver.call(desk.write(pay(2_000, "visa")));
    let before = driver.store.blocks().len();
    driver.hold(true);
    let mut asked: Vec<u32> = (0..2).map(|_| driver.ask(desk.write(pay(2_000, "visa")))).collect();
    let read = driver.ask(desk.balance());
    driver.run();
    assert_eq!(driver.store.blocks().len(), before);
    assert!(asked.iter().all(|asked| !driver.answers.contains_key(asked)));
    assert!(
        !driver.answers.contains_key(&read),
        "what was read is not durable either"
    );
    asked.push(driver.ask(desk.write(pay(2_000, "visa"))));
    driver.run();
    let blocks = driver.store.blocks();
    assert_eq!((blocks.len(), blocks[before].count), (before + 1, 3));
    assert!(
        asked
            .iter()
            .all(|asked| short(&driver.answers[asked]) == "200 succeeded")
    );
    assert_eq!(short(&driver.answers[&read]), "200 balance");
    let last = driver.ask(desk.write(pay(2_000, "visa")));
    driver.run();
    assert!(!driver.answers.contains_key(&last));
    driver.hold(false);
    driver.run();
    assert_eq!(short(&driver.answers[&last]), "200 succeeded");
}
