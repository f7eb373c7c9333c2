//! Webhooks of a cluster: the cursors of a shard go with it, whether its node hands it over or is killed.

use super::checks::{self, all_in_order, doubled};
use super::keyspace::Keyspace;
use super::receiver::Receiver;
use super::server::{KEY, PATIENCE, Server};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Deliveries of one endpoint that can be under way when its node is killed.
const IN_FLIGHT_MAX: usize = 64;

/// Asks one node after the other until one answers with 200.
fn asked(nodes: &[&Server], method: &str, path: &str, form: &str, headers: &[(&str, &str)]) -> serde_json::Value {
    let deadline = Instant::now() + 2 * PATIENCE;
    loop {
        for node in nodes {
            if let Ok(answer) = node.try_send(KEY, method, path, form, headers)
                && answer.status == 200
            {
                return answer.json();
            }
        }
        assert!(Instant::now() < deadline, "{method} {path} is never answered");
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// Ids of all events, oldest first.
fn events(nodes: &[&Server], filter: &str) -> Vec<String> {
    checks::events(|path| asked(nodes, "GET", path, "", &[]), filter)
}

/// Pays with one key each until `over`, at whichever node answers.
fn pay(nodes: &[&Server], round: usize, over: &AtomicBool, paid: &AtomicU64) {
    let form = "amount=1000&currency=usd&payment_method=pm_card_visa&confirm=true";
    for number in 0..400 {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let key = format!("{round}/{number}");
        asked(nodes, "POST", "/v1/payment_intents", form, &[("Idempotency-Key", &key)]);
        paid.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn every_event_comes_in_order_while_its_shard_moves_and_its_node_dies() {
    let keyspace = Keyspace::new();
    let mut nodes = ["a", "b"].map(|name| Server::with(&[], &keyspace.node(name)));
    let receiver = Receiver::start();
    let form = format!("url={}&enabled_events[]=*", receiver.url("/hooks"));
    asked(&[&nodes[0]], "POST", "/v1/webhook_endpoints", &form, &[]);
    // Either of them has the shard, and each ends once by being asked and once by being killed.
    let mut killed_bound = 0;
    for (round, (at, kill)) in [(0, false), (1, false), (0, true), (1, true)].into_iter().enumerate() {
        let (over, paid) = (AtomicBool::new(false), AtomicU64::new(0));
        let before = doubled(&receiver.came("/hooks"));
        let (ends, stays) = {
            let [a, b] = &mut nodes;
            if at == 0 { (a, &*b) } else { (b, &*a) }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| pay(&[stays], round, &over, &paid));
            while paid.load(Ordering::Relaxed) < 15 {
                std::thread::sleep(Duration::from_millis(20));
            }
            if kill {
                let lately = receiver.came("/hooks").len();
                std::thread::sleep(Duration::from_millis(500));
                ends.kill();
                killed_bound += receiver.came("/hooks").len() - lately + IN_FLIGHT_MAX;
            } else {
                assert_eq!(ends.stop(), Some(0), "{}", ends.log());
            }
            let so_far = paid.load(Ordering::Relaxed);
            while paid.load(Ordering::Relaxed) < so_far + 15 {
                std::thread::sleep(Duration::from_millis(20));
            }
            over.store(true, Ordering::Relaxed);
        });
        let all = events(&[stays], "");
        let came = receiver.until("/hooks", &format!("all events, round {round}"), |came| {
            came.len() - doubled(came) >= all.len()
        });
        all_in_order(&came, &all);
        if !kill {
            assert_eq!(
                doubled(&receiver.came("/hooks")),
                before,
                "a planned move sends nothing twice"
            );
        }
        ends.start_again();
    }
    let [a, b] = &nodes;
    let deadline = Instant::now() + 2 * PATIENCE;
    while !events(&[a, b], "&delivery_success=false").is_empty() {
        assert!(Instant::now() < deadline, "something stays pending");
        std::thread::sleep(Duration::from_millis(100));
    }
    let doubled = doubled(&receiver.came("/hooks"));
    assert!(doubled <= killed_bound, "{doubled} came twice, {killed_bound} may");
    drop(nodes);
    keyspace.verify();
}
