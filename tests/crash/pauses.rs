//! The process is stopped for a while and goes on: a suspended machine, a debugger, a host that is out of breath.

use crate::audit;
use crate::clients::{CLIENTS, await_asked, while_asking};
use crate::log::Log;
use crate::random::{Random, seed};
use crate::server::Server;
use std::time::Duration;

/// How long the process is stopped, in seconds: longer than any timeout of a request. Another length by `TOLLGATE_STOP_S`.
const STOP_S: u64 = 30;
/// How long an attempt may take, in seconds: every one that is under way runs into it during a stop, and none otherwise,
/// however slow the machine is.
const DEADLINE_S: u64 = 10;
/// Requests before the stop, and after it.
const REQUESTS_AROUND: u64 = 200;

#[test]
fn a_process_that_is_stopped_for_a_while_goes_on_where_it_was() {
    let stop_s: u64 = std::env::var("TOLLGATE_STOP_S")
        .ok()
        .map_or(STOP_S, |text| text.parse().expect("seconds"));
    // Attempts run into their deadline while the process is stopped, and the network would have approved each of them.
    let deadline_ms = (DEADLINE_S * 1000).to_string();
    let network = [
        ("TOLLGATE_ACQUIRER__ATTEMPT_DEADLINE_MS", deadline_ms.as_str()),
        ("TOLLGATE_ACQUIRER__LATENCY_MS", "200"),
        ("TOLLGATE_ACQUIRER__JITTER_MS", "100"),
    ];
    let mut random = Random::new(seed());
    let log = Log::default();
    let server = Server::with(&[], &network);
    while_asking(&server, &log, &mut random, || {
        await_asked(&server, &log, REQUESTS_AROUND);
        server.signal("STOP");
        std::thread::sleep(Duration::from_secs(stop_s));
        server.signal("CONT");
        await_asked(&server, &log, log.asked() + REQUESTS_AROUND);
    });
    // Whoever waits for a key or an object is told to come again after `actors.key_wait_ms`, pause or not; who is told
    // so asks again, which is no new wait.
    let put_off = log.counts().put_off;
    assert!(
        put_off <= 2 * CLIENTS as u64,
        "{put_off} clients were told to come again"
    );
    audit::settle(&server, &log);
    audit::compare(&server, &log);
    // A pause is no refusal: nobody whom the network would approve hears one. A call that was about to leave when the
    // process was stopped may lose the race against its own inquiry afterwards; then it is undone, and its client has
    // heard `processing`.
    let mut undone = 0;
    for answered in log.answered() {
        let form = &answered.request.form;
        if !form.contains("pm_card_tollgate_remote&") || !form.contains("confirm=true") {
            continue;
        }
        assert_eq!(answered.status, 200, "a refusal: {answered:?}");
        let told = answered.json();
        let path = format!("/v1/payment_intents/{}", told["id"].as_str().expect("an id"));
        let intent = server.send(&answered.request.account, "GET", &path, "", &[]).json();
        if intent["status"] == "requires_payment_method" {
            assert_eq!(told["status"], "processing", "{answered:?}");
            undone += 1;
        }
    }
    assert!(undone <= CLIENTS, "{undone} payments were undone by one pause");
    server.verify();
}
