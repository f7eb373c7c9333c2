//! Webhooks of a cluster: the cursors of a shard go with it, and what waits for another attempt, whether its node hands it over
//! or is killed.

use super::checks::{self, all_in_order, doubled};
use super::cluster::{even, eventually, node};
use super::keyspace::Keyspace;
use super::receiver::{Delivery, Receiver};
use super::server::{KEY, PATIENCE, Server, tollgate};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const HOOKS: &str = "/hooks";
/// The picky receiver refuses one in so many, but nothing twice: too few for its endpoint's breaker.
const REFUSED_IN: u64 = 8;

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

/// Pays once, under this key, at whichever node answers.
pub(super) fn pay(nodes: &[&Server], key: &str) {
    let form = "amount=1000&currency=usd&payment_method=pm_card_visa&confirm=true";
    asked(nodes, "POST", "/v1/payment_intents", form, &[("Idempotency-Key", key)]);
}

/// Pays until `over`, and counts.
fn pay_until(over: &AtomicBool, paid: &AtomicU64, nodes: &[&Server], round: usize) {
    for number in 0..400 {
        if over.load(Ordering::Relaxed) {
            return;
        }
        pay(nodes, &format!("{round}/{number}"));
        paid.fetch_add(1, Ordering::Relaxed);
    }
}

/// Which of the nodes delivers to this endpoint: the only one that lists it.
fn owner(nodes: &[Server; 2], endpoint: &str) -> usize {
    let has = |node: &Server| {
        let said = tollgate(&[
            "webhooks",
            "list",
            "--json",
            "--admin",
            &format!("http://{}", node.admin),
        ]);
        let said: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap_or_default();
        let lanes = said["lanes"].as_array();
        lanes.is_some_and(|lanes| lanes.iter().any(|lane| lane["endpoint"] == *endpoint))
    };
    let deadline = Instant::now() + 2 * PATIENCE;
    loop {
        match [has(&nodes[0]), has(&nodes[1])] {
            [true, false] => return 0,
            [false, true] => return 1,
            _ => assert!(Instant::now() < deadline, "nobody delivers to {endpoint}, or both do"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What was taken, and not refused.
fn taken(came: &[Delivery]) -> Vec<Delivery> {
    came.iter().filter(|delivery| delivery.status == 200).cloned().collect()
}

/// How many events were refused and have not been taken since.
fn refused(came: &[Delivery]) -> usize {
    let events = |status: u16| -> BTreeSet<&str> {
        let these = came.iter().filter(|delivery| delivery.status == status);
        these.map(|delivery| &*delivery.event).collect()
    };
    events(500).difference(&events(200)).count()
}

/// A merchant's two servers: one that takes everything, and one that refuses something now and then.
struct Receivers {
    good: Receiver,
    picky: Receiver,
    /// How much of what they took may come to them again.
    twice_max: [usize; 2],
}

impl Receivers {
    fn start() -> Receivers {
        let number = AtomicU64::new(0);
        let refuses = move |_: &Delivery, before| {
            let number = number.fetch_add(1, Ordering::Relaxed);
            before == 0 && number.is_multiple_of(REFUSED_IN)
        };
        Receivers {
            good: Receiver::start(),
            picky: Receiver::answering(move |delivery, before| if refuses(delivery, before) { 500 } else { 200 }),
            twice_max: [0, 0],
        }
    }

    fn register(&self, server: &Server) -> String {
        let register = |receiver: &Receiver, more: &str| {
            let form = format!("url={}&enabled_events[]=*{more}", receiver.url(HOOKS));
            let made = asked(&[server], "POST", "/v1/webhook_endpoints", &form, &[]);
            made["id"].as_str().expect("an id").to_owned()
        };
        register(&self.picky, "&delivery[retry_delays][]=2");
        register(&self.good, "")
    }

    /// Whoever sends to them is killed now.
    fn killed(&mut self) {
        self.twice_max[0] += self.good.may_come_again();
        self.twice_max[1] += self.picky.may_come_again();
    }

    /// Nothing of what came so far is lost with the next one that is killed.
    fn forget(&self) {
        self.good.may_come_again();
        self.picky.may_come_again();
    }

    /// How often something that was taken came again.
    fn twice(&self) -> [usize; 2] {
        [&self.good, &self.picky].map(|receiver| doubled(&taken(&receiver.came(HOOKS))))
    }

    /// Waits until everything was taken, and the nodes know it.
    fn took_all(&self, nodes: &[&Server], when: &str) {
        let all = events(nodes, "");
        for receiver in [&self.good, &self.picky] {
            let came = receiver.until(HOOKS, &format!("all events, {when}"), |came| {
                checks::firsts(&taken(came)).len() >= all.len()
            });
            // What is refused comes later: then only the first attempts are in order.
            all_in_order(&came, &all);
        }
        eventually(&format!("nothing is pending, {when}"), || {
            events(nodes, "&delivery_success=false").is_empty()
        });
    }
}

#[test]
fn every_event_comes_in_order_while_its_shard_moves_and_its_node_dies() {
    let keyspace = Keyspace::new();
    let mut nodes = ["a", "b"].map(|name| node(&keyspace, name));
    let share_evenly = |nodes: &[&Server]| {
        eventually("two nodes share evenly", || {
            nodes.iter().all(|node| even(node, &["a", "b"]))
        });
    };
    share_evenly(&[&nodes[0], &nodes[1]]);
    let mut receivers = Receivers::start();
    let endpoint = receivers.register(&nodes[0]);
    for (round, kill) in [false, true].into_iter().enumerate() {
        let (over, paid) = (AtomicBool::new(false), AtomicU64::new(0));
        let at = owner(&nodes, &endpoint);
        let (ends, stays) = {
            let [a, b] = &mut nodes;
            if at == 0 { (a, &*b) } else { (b, &*a) }
        };
        let more = || {
            let wanted = paid.load(Ordering::Relaxed) + 15;
            eventually("payments go on", || paid.load(Ordering::Relaxed) >= wanted);
        };
        let mut before = receivers.twice();
        std::thread::scope(|scope| {
            scope.spawn(|| pay_until(&over, &paid, &[stays], round));
            more();
            // Whoever is next has something to try again.
            let what = "something waits for another attempt";
            receivers.picky.until(HOOKS, what, |came| refused(came) > 0);
            if kill {
                ends.kill();
                receivers.killed();
            } else {
                assert_eq!(ends.stop(), Some(0), "{}", ends.log());
            }
            more();
            over.store(true, Ordering::Relaxed);
        });
        receivers.took_all(&[stays], &format!("round {round}"));
        if kill {
            before = receivers.twice();
        }
        // The other one comes back, and some shards go to it, this one among them or not.
        ends.start_again();
        share_evenly(&[stays, ends]);
        pay(&[stays], &format!("after {round}"));
        receivers.took_all(&[stays], &format!("after round {round}"));
        assert_eq!(receivers.twice(), before, "a planned move sends nothing twice");
        receivers.forget();
    }
    let (twice, most) = (receivers.twice(), receivers.twice_max);
    assert!(
        twice[0] <= most[0] && twice[1] <= most[1],
        "{twice:?} came twice, {most:?} may"
    );
    drop(nodes);
    keyspace.verify();
}
