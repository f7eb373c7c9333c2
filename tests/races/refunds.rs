//! Races whose outcome can be counted: so many refunds fit into a capture, one of two ends wins a hold, one confirmation
//! pays.

use crate::server::{Answer, PATIENCE, Server};
use serde_json::Value;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// Everything over the remote network, soon.
const REMOTE: &[(&str, &str)] = &[
    ("TOLLGATE_ACQUIRER__NETWORK", "remote"),
    ("TOLLGATE_ACQUIRER__LATENCY_MS", "5"),
];

/// Runs `count` requests from `threads` threads that start together; the answers in no particular order.
pub(crate) fn together<T: Send>(threads: usize, count: usize, request: impl Fn(usize) -> T + Sync) -> Vec<T> {
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

/// Asks until the answer is not that the key is in use.
pub(crate) fn patiently(ask: impl Fn() -> Answer) -> Answer {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = ask();
        if answer.status != 409 {
            return answer;
        }
        assert!(Instant::now() < deadline, "the key stays in use: {answer:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_thousand_concurrent_refunds_give_back_the_capture_and_no_more() {
    refunds_stop_at_the_capture(&[]);
}

#[test]
fn a_thousand_concurrent_refunds_on_the_remote_network_do_too() {
    refunds_stop_at_the_capture(REMOTE);
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
    assert_eq!(charge_of(&server, &intent)["amount_refunded"], 10_000);
    server.verify();
}

#[test]
fn refunds_of_uneven_parts_stop_short_of_the_capture() {
    for settings in [&[][..], REMOTE] {
        let server = Server::with(&[], settings);
        // Parts that do not add up to the capture, while it is still being captured.
        let hold = hold(&server, 5_000);
        let id = hold["id"].as_str().expect("an id");
        let answers = together(16, 64, |at| match at {
            0 => server.post(&format!("/v1/payment_intents/{id}/capture"), "amount_to_capture=4000"),
            _ => server.post("/v1/refunds", &format!("payment_intent={id}&amount={}", 900 + at)),
        });
        let of = |object: &'static str| {
            let made = answers.iter().filter(|answer| answer.status == 200).map(Answer::json);
            made.filter(move |json| json["object"] == object)
        };
        assert_eq!(of("payment_intent").count(), 1);
        let given: i64 = of("refund")
            .map(|refund| refund["amount"].as_i64().expect("an amount"))
            .sum();
        assert!(given <= 4_000, "{given} of 4000 were given back");
        let charge = charge_of(&server, &hold);
        assert_eq!(
            (&charge["amount_captured"], &charge["amount_refunded"]),
            (&4_000.into(), &given.into())
        );
        server.verify();
    }
}

#[test]
fn capture_and_cancel_of_one_hold_have_one_winner() {
    for settings in [&[][..], REMOTE] {
        let server = Server::with(&[], settings);
        for _ in 0..12 {
            let hold = hold(&server, 5_000);
            let id = hold["id"].as_str().expect("an id");
            let answers = together(4, 8, |at| {
                let verb = if at % 2 == 0 { "capture" } else { "cancel" };
                server.post(&format!("/v1/payment_intents/{id}/{verb}"), "")
            });
            let won = one_winner(&answers);
            let charge = charge_of(&server, &hold);
            assert_eq!(charge["captured"], won["status"] == "succeeded", "{won} {charge}");
            assert_eq!(charge["refunded"], won["status"] == "canceled", "{won} {charge}");
        }
        server.verify();
    }
}

#[test]
fn confirmations_of_one_intent_pay_once() {
    for (settings, card) in [
        (&[][..], "pm_card_visa"),
        (REMOTE, "pm_card_visa"),
        (&[], "pm_card_tollgate_remote"),
    ] {
        let server = Server::with(&[], settings);
        for _ in 0..4 {
            let intent = server.post("/v1/payment_intents", "amount=5000&currency=usd").json();
            let id = intent["id"].as_str().expect("an id");
            let form = format!("payment_method={card}");
            let answers = together(8, 8, |_| {
                server.post(&format!("/v1/payment_intents/{id}/confirm"), &form)
            });
            assert_eq!(one_winner(&answers)["status"], "succeeded");
            let charges = server.get(&format!("/v1/charges?payment_intent={id}")).json();
            assert_eq!(charges["data"].as_array().map(Vec::len), Some(1), "{charges}");
        }
        server.verify();
    }
}

fn hold(server: &Server, amount: i64) -> Value {
    let form = format!("amount={amount}&currency=usd&payment_method=pm_card_visa&confirm=true&capture_method=manual");
    let answer = server.post("/v1/payment_intents", &form);
    assert_eq!(answer.json()["status"], "requires_capture", "{answer:?}");
    answer.json()
}

fn charge_of(server: &Server, intent: &Value) -> Value {
    let id = intent["latest_charge"].as_str().expect("a charge");
    server.get(&format!("/v1/charges/{id}")).json()
}

/// The one answer that is not a refusal by state.
#[track_caller]
fn one_winner(answers: &[Answer]) -> Value {
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(won.len(), 1, "{answers:?}");
    for answer in lost {
        assert_eq!(
            answer.json()["error"]["code"],
            "payment_intent_unexpected_state",
            "{answer:?}"
        );
    }
    won[0].json()
}
