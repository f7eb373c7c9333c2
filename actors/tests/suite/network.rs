//! Attempts on a remote network, driven by the shard's timers.

use crate::driver::Driver;
use crate::office::{Desk, capture, merchant, object, pay, refund, rendered, short};
use tollgate_actors::settings::{CLOCK_STEP_MAX_MS, ShardSettings};
use tollgate_actors::shard::CallOut;
use tollgate_domain::acquirer::{Ask, Asked, NetworkAnswer, Said};
use tollgate_domain::kinds;
use tollgate_store::memory::Fate;

fn one() -> (Driver, Desk) {
    (Driver::new(ShardSettings::default()), Desk::of(merchant(1)))
}

fn says(driver: &mut Driver, call: CallOut, to: Asked, said: Said) {
    driver.network_says(call.account, call.call.attempt, NetworkAnswer { to, said });
    driver.run();
}

/// Passes time a little at a time and answers whatever is called, until nothing has been called for two minutes.
fn resolve(driver: &mut Driver, answer: impl Fn(Ask) -> Option<(Asked, Said)>) {
    let mut quiet = 0;
    while quiet < 240 {
        driver.pass(500);
        driver.run();
        quiet += 1;
        for call in std::mem::take(&mut driver.calls) {
            quiet = 0;
            if let Some((to, said)) = answer(call.call.ask) {
                says(driver, call, to, said);
            }
        }
    }
}

#[test]
fn the_call_leaves_when_its_attempt_is_durable_and_its_answer_settles_the_request() {
    let (mut driver, mut desk) = one();
    driver.call(desk.balance());
    let asked = driver.ask(desk.keyed("k", pay(2_000, "tollgate_remote")));
    driver.turn();
    driver.turn();
    assert!(driver.calls.is_empty(), "called before the attempt was durable");
    driver.settle(Fate::Durable);
    let call = driver.calls[0];
    assert!(matches!(call.call.ask, Ask::Purchase(_)));
    let again = driver.ask(desk.keyed("k", pay(2_000, "tollgate_remote")));
    driver.run();
    assert!(!driver.answers.contains_key(&asked) && !driver.answers.contains_key(&again));
    says(&mut driver, call, Asked::Request, Said::Approved);
    assert_eq!(short(&driver.answers[&asked]), "200 succeeded");
    assert_eq!(rendered(&driver.answer(again)), rendered(&driver.answer(asked)));
    assert!(driver.answer(again).replayed.is_some());
    let mut driver = driver.kill();
    let replay = driver.call(desk.keyed("k", pay(2_000, "tollgate_remote")));
    assert_eq!(rendered(&replay), rendered(&driver.answer(asked)));
}

#[test]
fn at_the_deadline_the_answer_is_processing_and_stays_so() {
    let (mut driver, mut desk) = one();
    let asked = driver.ask(desk.keyed("k", pay(2_000, "tollgate_remoteLostAnswer")));
    driver.run();
    let purchase = driver.calls.remove(0);
    driver.pass(9_000);
    driver.run();
    assert!(!driver.answers.contains_key(&asked));
    driver.pass(1_500);
    driver.run();
    assert_eq!(short(&driver.answers[&asked]), "200 processing");
    let first = driver.answer(asked);
    assert_eq!(driver.calls.len(), 1);
    assert_eq!(driver.calls[0].call.ask, Ask::Inquire);
    resolve(&mut driver, |ask| {
        (ask == Ask::Inquire).then_some((Asked::Inquiry, Said::Approved))
    });
    let intent = purchase.call.attempt.object;
    assert_eq!(
        short(&Ok(driver.call(desk.get(&kinds::PAYMENT_INTENT, intent)))),
        "200 succeeded"
    );
    assert_eq!(
        rendered(&driver.call(desk.keyed("k", pay(2_000, "tollgate_remoteLostAnswer")))),
        rendered(&first)
    );
}

#[test]
fn silence_is_resolved_by_reversal_and_the_call_is_never_made_again() {
    let (mut driver, mut desk) = one();
    driver.ask(desk.keyed("k", pay(2_000, "tollgate_remoteSilent")));
    driver.run();
    let purchase = driver.calls.remove(0);
    let mut later = driver.kill();
    resolve(&mut later, |ask| match ask {
        Ask::Inquire => Some((Asked::Inquiry, Said::NotFound)),
        Ask::Reverse => Some((Asked::Reversal, Said::Acknowledged)),
        other => panic!("{other:?} was sent again"),
    });
    let intent = purchase.call.attempt.object;
    let found = later.call(desk.get(&kinds::PAYMENT_INTENT, intent));
    assert_eq!(short(&Ok(found)), "200 requires_payment_method");
}

#[test]
fn a_retry_after_a_restart_waits_for_the_attempt_made_before() {
    let (mut driver, mut desk) = one();
    driver.ask(desk.keyed("k", pay(2_000, "tollgate_remote")));
    driver.run();
    let call = driver.calls.remove(0);
    let mut driver = driver.kill();
    let retry = driver.ask(desk.keyed("k", pay(2_000, "tollgate_remote")));
    let other = driver.ask(desk.keyed("k", pay(2_001, "tollgate_remote")));
    driver.run();
    assert!(
        !driver.answers.contains_key(&retry) && driver.calls.is_empty(),
        "the attempt is not made again"
    );
    assert_eq!(short(&driver.answers[&other]), "400 -");
    says(&mut driver, call, Asked::Request, Said::Approved);
    assert_eq!(short(&driver.answers[&retry]), "200 succeeded");
    assert!(driver.answer(retry).replayed.is_some());
    let charges = driver
        .facts(desk.profile.key)
        .iter()
        .flat_map(|facts| facts.born().cloned())
        .filter(|object| object.kind() == &kinds::CHARGE)
        .count();
    assert_eq!(charges, 1);
}

#[test]
fn commands_on_a_busy_intent_wait_for_its_network() {
    let (mut driver, mut desk) = one();
    driver.ask(desk.write(pay(2_000, "tollgate_remote")));
    driver.run();
    let call = driver.calls.remove(0);
    let intent = call.call.attempt.object;
    let refunds: Vec<u32> = (0..3)
        .map(|_| driver.ask(desk.write(refund(intent, Some(900)))))
        .collect();
    let read = driver.ask(desk.get(&kinds::PAYMENT_INTENT, intent));
    let elsewhere = driver.ask(desk.write(pay(100, "visa")));
    driver.run();
    assert!(refunds.iter().all(|asked| !driver.answers.contains_key(asked)));
    assert_eq!(short(&driver.answers[&elsewhere]), "200 succeeded", "others go on");
    assert!(driver.answers.contains_key(&read), "reads do not wait for a network");
    says(&mut driver, call, Asked::Request, Said::Approved);
    let words: Vec<String> = refunds.iter().map(|asked| short(&driver.answers[asked])).collect();
    assert_eq!(words, ["200 refund", "200 refund", "400 -"]);
}

#[test]
fn a_busy_intent_is_not_waited_for_beyond_the_limit() {
    let (mut driver, mut desk) = one();
    driver.ask(desk.write(pay(2_000, "tollgate_remoteSilent")));
    driver.run();
    let intent = driver.calls[0].call.attempt.object;
    let asked = driver.ask(desk.write(capture(intent, None)));
    driver.run();
    driver.pass(5_000);
    driver.run();
    assert_eq!(short(&driver.answers[&asked]), "429 lock_timeout");
}

#[test]
fn a_stepped_clock_fires_no_timer_until_it_is_back() {
    let (mut driver, mut desk) = one();
    let asked = driver.ask(desk.write(pay(2_000, "tollgate_remoteSilent")));
    driver.run();
    driver.now.unix_ms += CLOCK_STEP_MAX_MS + 60_000;
    driver.run();
    assert!(!driver.answers.contains_key(&asked), "a wrong clock expired an attempt");
    driver.now.steady_ms += CLOCK_STEP_MAX_MS;
    driver.run();
    assert_eq!(short(&driver.answers[&asked]), "200 processing");
}

#[test]
fn a_refund_on_the_network_is_repeated_until_acknowledged() {
    let (mut driver, mut desk) = one();
    let asked = driver.ask(desk.write(pay(2_000, "tollgate_remote")));
    driver.run();
    let call = driver.calls.remove(0);
    says(&mut driver, call, Asked::Request, Said::Approved);
    let intent = object(&driver.answer(asked)).id();
    let refunded = driver.call(desk.write(refund(intent, None)));
    assert_eq!(short(&Ok(refunded)), "200 refund");
    let advice = driver.calls.remove(0);
    assert!(matches!(advice.call.ask, Ask::Refund { .. }));
    says(&mut driver, advice, Asked::Request, Said::Silence);
    let mut driver = driver.kill();
    let times = std::cell::Cell::new(0);
    resolve(&mut driver, |ask| {
        assert!(matches!(ask, Ask::Refund { .. }));
        times.set(times.get() + 1);
        Some((
            Asked::Request,
            if times.get() < 3 { Said::Silence } else { Said::Approved },
        ))
    });
    assert_eq!(times.get(), 3);
    let account = driver.replayed(&desk.profile);
    assert_eq!(account.books.imbalance(), None);
}
