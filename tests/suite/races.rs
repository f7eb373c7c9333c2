//! Many clients at once on one object or one key.

use crate::server::{KEY, Server};
use std::collections::BTreeSet;
use std::sync::Barrier;

/// Runs `count` requests from `threads` threads that start together; the answers in no particular order.
fn together<T: Send>(threads: usize, count: usize, request: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(threads);
    let (start, request) = (&start, &request);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    start.wait();
                    (thread..count).step_by(threads).map(request).collect::<Vec<T>>()
                })
            })
            .collect();
        runs.into_iter()
            .flat_map(|run| run.join().expect("a client thread"))
            .collect()
    })
}

#[test]
fn a_thousand_concurrent_refunds_give_back_the_capture_and_no_more() {
    refunds_stop_at_the_capture(&[]);
}

#[test]
fn a_thousand_concurrent_refunds_on_the_remote_network_do_too() {
    refunds_stop_at_the_capture(&[
        ("TOLLGATE_ACQUIRER__NETWORK", "remote"),
        ("TOLLGATE_ACQUIRER__LATENCY_MS", "5"),
    ]);
}

fn refunds_stop_at_the_capture(settings: &[(&str, &str)]) {
    let server = Server::with(&[], settings);
    let intent = server.pay(10_000);
    let form = format!(
        "charge={}&amount=100",
        intent["latest_charge"].as_str().expect("a charge")
    );
    let answers = together(50, 1000, |_| server.post("/v1/refunds", &form));
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 100);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(
            (refused.status, refused.json()["error"]["code"].as_str()),
            (400, Some("charge_already_refunded")),
            "{refused:?}"
        );
    }
    let charge = server
        .get(&format!(
            "/v1/charges/{}",
            intent["latest_charge"].as_str().expect("a charge")
        ))
        .json();
    assert_eq!(charge["amount_refunded"], 10_000);
    server.verify();
}

#[test]
fn one_key_from_many_connections_charges_once() {
    let server = Server::start();
    let form = "amount=1000&currency=usd&payment_method=pm_card_visa&confirm=true";
    let answers = together(50, 500, |_| {
        server.send(
            KEY,
            "POST",
            "/v1/payment_intents",
            form,
            &[("idempotency-key", "the-one")],
        )
    });
    let bodies: BTreeSet<&str> = answers.iter().map(|answer| answer.text.as_str()).collect();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert_eq!(
        answers
            .iter()
            .filter(|answer| answer.header("idempotent-replayed").is_none())
            .count(),
        1
    );
    assert_eq!(
        server.get("/v1/charges").json()["data"].as_array().map(Vec::len),
        Some(1)
    );
    server.verify();
}

#[test]
fn one_key_on_a_slow_network_waits_for_the_first_answer() {
    let server = Server::start();
    let form = "amount=1000&currency=usd&payment_method=pm_card_tollgate_remoteSlow&confirm=true";
    let answers = together(20, 20, |_| {
        server.send(KEY, "POST", "/v1/payment_intents", form, &[("idempotency-key", "slow")])
    });
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 200 || answer.status == 409),
        "{answers:?}"
    );
    let bodies: BTreeSet<&str> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .map(|answer| answer.text.as_str())
        .collect();
    assert_eq!(bodies.len(), 1);
    assert_eq!(
        server.get("/v1/charges").json()["data"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn capture_and_cancel_of_one_hold_have_one_winner() {
    let server = Server::start();
    for _ in 0..20 {
        let hold = server
            .post(
                "/v1/payment_intents",
                "amount=5000&currency=usd&payment_method=pm_card_visa&confirm=true&capture_method=manual",
            )
            .id();
        let answers = together(4, 8, |at| {
            let verb = if at % 2 == 0 { "capture" } else { "cancel" };
            server.post(&format!("/v1/payment_intents/{hold}/{verb}"), "")
        });
        assert_eq!(
            answers.iter().filter(|answer| answer.status == 200).count(),
            1,
            "{answers:?}"
        );
        let lost = answers.iter().filter(|answer| answer.status != 200);
        lost.for_each(|answer| assert_eq!(answer.json()["error"]["code"], "payment_intent_unexpected_state"));
    }
    server.verify();
}
