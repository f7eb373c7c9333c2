//! The remote network: attempts recorded before the call, silence as a state, resolution by inquiry and reversal.

use crate::server::{Answer, KEY, Server};
use serde_json::Value;
use std::time::{Duration, Instant};

/// A short deadline, so that silence is reached within a test.
const QUICK: &[(&str, &str)] = &[("TOLLGATE_ACQUIRER__ATTEMPT_DEADLINE_MS", "300")];

fn pay(server: &Server, card: &str, key: &str) -> Answer {
    let form = format!("amount=1000&currency=usd&payment_method=pm_card_tollgate_{card}&confirm=true");
    server.send(KEY, "POST", "/v1/payment_intents", &form, &[("idempotency-key", key)])
}

/// Polls the intent until its status is no longer `processing`.
fn settled(server: &Server, id: &str) -> Value {
    let deadline = Instant::now() + crate::server::PATIENCE;
    loop {
        let intent = server.get(&format!("/v1/payment_intents/{id}")).json();
        if intent["status"] != "processing" {
            return intent;
        }
        assert!(Instant::now() < deadline, "{id} is still processing");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Polls a charge without an intent, or a setup, until the network's word about it is known.
fn decided(server: &Server, path: &str) -> Value {
    let deadline = Instant::now() + crate::server::PATIENCE;
    loop {
        let object = server.get(path).json();
        if !["pending", "processing"].contains(&object["status"].as_str().expect("a status")) {
            return object;
        }
        assert!(Instant::now() < deadline, "{path} is still open");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_charge_without_an_intent_waits_for_the_network() {
    let server = Server::with(&[], QUICK);
    let charge = |card: &str| {
        let form = format!("amount=1000&currency=usd&source=tok_tollgate_{card}");
        server.post("/v1/charges", &form)
    };
    assert_eq!(charge("remote").json()["status"], "succeeded");
    let declined = charge("remoteDecline");
    assert_eq!(
        (declined.status, declined.json()["error"]["code"].as_str()),
        (402, Some("card_declined")),
        "{declined:?}"
    );
    for (card, becomes) in [("remoteSilent", "failed"), ("remoteLostAnswer", "succeeded")] {
        let pending = charge(card);
        let shown = pending.json();
        assert_eq!(
            (shown["status"].as_str(), &shown["paid"], &shown["outcome"]),
            (Some("pending"), &Value::Bool(false), &Value::Null),
            "{pending:?}"
        );
        let charge = decided(&server, &format!("/v1/charges/{}", pending.id()));
        assert_eq!(charge["status"], becomes, "{card}");
    }
    let form = "amount=1000&currency=usd&source=tok_tollgate_remote&capture=false";
    let hold = server.post("/v1/charges", form).id();
    let captured = server.post(&format!("/v1/charges/{hold}/capture"), "amount=600").json();
    assert_eq!(captured["amount_captured"], 600);
    let released = server.post("/v1/charges", form).id();
    let refund = server.post("/v1/refunds", &format!("charge={released}"));
    assert_eq!(refund.json()["status"], "succeeded", "{refund:?}");
    server.verify();
}

#[test]
fn a_hold_of_an_intent_is_captured_by_its_charge() {
    let server = Server::start();
    let form = "amount=1000&currency=usd&payment_method=pm_card_tollgate_remote&confirm=true&capture_method=manual";
    let intent = server.post("/v1/payment_intents", form).json();
    let charge = intent["latest_charge"].as_str().expect("a charge");
    let captured = server
        .post(&format!("/v1/charges/{charge}/capture"), "amount=600")
        .json();
    assert_eq!(
        (captured["object"].as_str(), captured["amount_captured"].as_i64()),
        (Some("charge"), Some(600)),
        "{captured}"
    );
    server.verify();
}

#[test]
fn a_setup_waits_for_the_network() {
    let server = Server::with(&[], QUICK);
    let set_up = |card: &str| {
        let form = format!("payment_method=pm_card_tollgate_{card}&confirm=true");
        server.post("/v1/setup_intents", &form)
    };
    assert_eq!(set_up("remote").json()["status"], "succeeded");
    assert_eq!(set_up("remoteDecline").status, 402);
    for (card, becomes) in [
        ("remoteSilent", "requires_payment_method"),
        ("remoteLostAnswer", "succeeded"),
    ] {
        let asked = set_up(card);
        assert_eq!(asked.json()["status"], "processing", "{asked:?}");
        let setup = decided(&server, &format!("/v1/setup_intents/{}", asked.id()));
        assert_eq!(setup["status"], becomes, "{card}");
    }
    server.verify();
}

#[test]
fn an_approval_and_a_decline_come_back_as_answers() {
    let server = Server::start();
    assert_eq!(pay(&server, "remote", "a").json()["status"], "succeeded");
    assert_eq!(pay(&server, "remoteDecline", "b").status, 402);
    assert_eq!(pay(&server, "remoteSlow", "c").json()["status"], "succeeded");
    server.verify();
}

#[test]
fn silence_is_processing_then_reversed() {
    let server = Server::with(&[], QUICK);
    let answer = pay(&server, "remoteSilent", "quiet");
    assert_eq!(
        (answer.status, answer.json()["status"].as_str()),
        (200, Some("processing")),
        "{answer:?}"
    );
    let id = answer.id();
    assert_eq!(
        pay(&server, "remoteSilent", "quiet").text,
        answer.text,
        "the replay repeats what was recorded"
    );
    let intent = settled(&server, &id);
    assert_eq!(intent["status"], "requires_payment_method");
    assert_eq!(intent["amount_received"], 0);
    assert_eq!(
        pay(&server, "remoteSilent", "quiet").text,
        answer.text,
        "even after it was resolved"
    );
    server.verify();
}

#[test]
fn a_lost_answer_is_found_by_inquiry() {
    let server = Server::with(&[], QUICK);
    let answer = pay(&server, "remoteLostAnswer", "lost");
    assert_eq!(answer.json()["status"], "processing");
    assert_eq!(settled(&server, &answer.id())["amount_received"], 1000);
    server.verify();
}

#[test]
fn a_late_answer_settles_once() {
    let server = Server::with(&[], QUICK);
    let answer = pay(&server, "remoteLate", "late");
    assert_eq!(answer.json()["status"], "processing");
    let intent = settled(&server, &answer.id());
    let charges = server
        .get(&format!("/v1/charges?payment_intent={}", answer.id()))
        .json();
    assert_eq!(charges["data"].as_array().map(Vec::len), Some(1), "{intent} {charges}");
    server.verify();
}

#[test]
fn while_processing_nothing_else_is_done_to_it() {
    // The network answers nothing, no inquiry either, so the intent stays in processing.
    let lost = ("TOLLGATE_ACQUIRER__LOST_REQUEST_PPM", "1000000");
    let server = Server::with(&[], &[QUICK, &[lost]].concat());
    let id = pay(&server, "remoteSilent", "busy").id();
    for verb in ["capture", "cancel", "confirm"] {
        let refused = server.post(&format!("/v1/payment_intents/{id}/{verb}"), "");
        assert_eq!(
            (refused.status, refused.json()["error"]["code"].as_str()),
            (400, Some("payment_intent_unexpected_state")),
            "{verb}: {refused:?}"
        );
    }
}

#[test]
fn an_attempt_outlives_a_crash_and_is_never_sent_again() {
    for (path, form) in [
        (
            "/v1/payment_intents",
            "amount=1000&currency=usd&payment_method=pm_card_tollgate_remote&confirm=true",
        ),
        ("/v1/charges", "amount=1000&currency=usd&source=tok_tollgate_remote"),
        (
            "/v1/setup_intents",
            "payment_method=pm_card_tollgate_remote&confirm=true",
        ),
    ] {
        outlives_a_crash(path, form);
    }
}

/// The server is killed while its network has been asked for what `form` wants, and started again.
fn outlives_a_crash(path: &str, form: &str) {
    let mut server = Server::with(
        &[],
        &[
            ("TOLLGATE_ACQUIRER__ATTEMPT_DEADLINE_MS", "12000"),
            ("TOLLGATE_ACQUIRER__LATENCY_MS", "10000"),
        ],
    );
    let lost = std::thread::scope(|scope| {
        let server = &server;
        let asked = scope.spawn(move || server.try_send(KEY, "POST", path, form, &[("idempotency-key", "cut")]));
        // The attempt is recorded and called, and its answer is far away.
        let deadline = Instant::now() + crate::server::PATIENCE;
        while server.metric("tollgate_network_calls_in_flight") < 1.0 {
            assert!(Instant::now() < deadline, "no call is made");
            std::thread::sleep(Duration::from_millis(10));
        }
        server.signal("KILL");
        asked.join().expect("the client")
    });
    assert!(lost.is_err(), "{lost:?}");
    server.set_environment(QUICK);
    server.kill_and_restart();
    // The network lived in the process and knows nothing now: inquiry, at the deadline that was recorded, says not found,
    // and a reversal closes the attempt.
    let deadline = Instant::now() + 2 * crate::server::PATIENCE;
    let answer = loop {
        let answer = server.send(KEY, "POST", path, form, &[("idempotency-key", "cut")]);
        if answer.status != 409 {
            break answer;
        }
        assert!(Instant::now() < deadline, "the key stays in use");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(answer.status, 200, "{answer:?}");
    let became = decided(&server, &format!("{path}/{}", answer.id()));
    assert!(
        ["failed", "requires_payment_method"].contains(&became["status"].as_str().expect("a status")),
        "{became}"
    );
    let all = server.get(path).json();
    assert_eq!(all["data"].as_array().map(Vec::len), Some(1), "{all}");
    server.verify();
}

#[test]
fn the_whole_thread_runs_on_the_remote_network() {
    let server = Server::with(
        &[],
        &[
            ("TOLLGATE_ACQUIRER__NETWORK", "remote"),
            ("TOLLGATE_ACQUIRER__LATENCY_MS", "5"),
        ],
    );
    let intent = server.pay(2500);
    assert_eq!(intent["status"], "succeeded");
    let refund = server.post(
        "/v1/refunds",
        &format!("payment_intent={}&amount=500", intent["id"].as_str().expect("an id")),
    );
    assert_eq!(refund.status, 200, "{refund:?}");
    let hold = server.post(
        "/v1/payment_intents",
        "amount=700&currency=usd&payment_method=pm_card_visa&confirm=true&capture_method=manual",
    );
    assert_eq!(hold.json()["status"], "requires_capture");
    assert_eq!(
        server
            .post(&format!("/v1/payment_intents/{}/capture", hold.id()), "")
            .json()["status"],
        "succeeded"
    );
    let charge = server.post("/v1/charges", "amount=900&currency=usd&source=tok_visa");
    assert_eq!(charge.json()["status"], "succeeded", "{charge:?}");
    let setup = server.post("/v1/setup_intents", "payment_method=pm_card_visa&confirm=true");
    assert_eq!(setup.json()["status"], "succeeded", "{setup:?}");
    server.verify();
}
