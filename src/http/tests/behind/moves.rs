//! Shards that move while requests run, and nodes that do not answer.

use crate::edge::{Answer, KEY, PAYMENT, Setup, exchange, request};
use crate::node::{Node, SHARDS, Shape, at, every, wait};
use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tollgate_actors::ShardId;
use tollgate_cluster::Place;
use tollgate_http::{NodeBounds, Rate};
use tollgate_store::memory::{Memory, Mode};

/// The first one owns everything.
fn two(setup: &Setup) -> [Node; 2] {
    let (store, drawer) = (Memory::new(Mode::Immediate), Arc::default());
    let [owner, guest] = [(); 2].map(|()| Node::start(setup.clone(), &store, &drawer, Shape::Member));
    owner.owns_everything();
    guest.sends_everything_to(&owner);
    [owner, guest]
}

fn impatient() -> Setup {
    Setup {
        nodes: NodeBounds {
            move_patience: Duration::from_millis(300),
            answer_timeout: Duration::from_millis(600),
            ..NodeBounds::default()
        },
        ..Setup::default()
    }
}

fn ask(to: SocketAddr, method: &str, path: &str, key: Option<&str>, body: &str) -> Answer {
    let bearer = format!("Bearer {KEY}");
    let mut headers = vec![("authorization", &bearer[..])];
    headers.extend(key.map(|key| ("idempotency-key", key)));
    exchange(to, &request(method, path, &headers, body))
}

fn pay(to: SocketAddr, key: Option<&str>) -> Answer {
    ask(to, "POST", "/v1/payment_intents", key, PAYMENT)
}

/// Status, when to come back, and whether that is safe.
fn verdict(answer: &Answer) -> (u16, Option<&str>, Option<&str>) {
    (
        answer.status,
        answer.header("retry-after"),
        answer.header("stripe-should-retry"),
    )
}

#[test]
fn a_key_that_was_used_on_one_node_is_known_on_the_other() {
    let [owner, guest] = two(&Setup::default());
    let (first, again) = (pay(owner.api, Some("once")), pay(guest.api, Some("once")));
    assert_eq!((first.status, &first.text), (200, &again.text));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("original-request"), first.header("request-id"));
    assert_eq!(again.header("stripe-version"), first.header("stripe-version"));
    let path = format!("/v1/payment_intents/{}", first.json()["id"].as_str().expect("an id"));
    assert_eq!(
        ask(guest.api, "GET", &path, None, "").text,
        ask(owner.api, "GET", &path, None, "").text
    );
    let head = ask(guest.api, "HEAD", &path, None, "");
    assert_eq!((head.status, &head.text[..]), (200, ""));
}

#[test]
fn a_request_costs_what_it_costs_where_its_shard_is() {
    let generous = Setup::default();
    let [owner, guest] = {
        let (store, drawer) = (Memory::new(Mode::Immediate), Arc::default());
        let stingy = Setup {
            rate: Rate {
                per_second: 1,
                burst: 1,
            }
            .into(),
            ..Setup::default()
        };
        let owner = Node::start(generous, &store, &drawer, Shape::Member);
        let guest = Node::start(stingy, &store, &drawer, Shape::Member);
        owner.owns_everything();
        guest.sends_everything_to(&owner);
        [owner, guest]
    };
    for _ in 0..20 {
        assert_eq!(pay(guest.api, None).status, 200);
    }
    drop(owner);
}

#[test]
fn clients_see_nothing_of_a_planned_move() {
    let nodes = two(&Setup::default());
    assert_eq!(pay(nodes[1].api, None).status, 200, "the sandbox is open");
    let (over, number) = (AtomicBool::new(false), AtomicU32::new(0));
    let paid = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|client| {
                let (over, number, api) = (&over, &number, nodes[client % 2].api);
                scope.spawn(move || {
                    let mut paid = 0;
                    while !over.load(Ordering::Relaxed) {
                        let key = number.fetch_add(1, Ordering::Relaxed).to_string();
                        let answer = pay(api, Some(&key));
                        assert_eq!(answer.status, 200, "{answer:?}");
                        let path = format!("/v1/payment_intents/{}", answer.json()["id"].as_str().expect("an id"));
                        let read = ask(api, "GET", &path, None, "");
                        assert_eq!(read.status, 200, "{read:?}");
                        paid += 1;
                    }
                    paid
                })
            })
            .collect();
        for round in 0..6 {
            let (from, to) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
            // The directory, too.
            from.map.put([(ShardId::DIRECTORY, Place::Nowhere)]);
            wait(from.engine.directory().follow());
            wait(to.engine.directory().lead()).expect("it leads");
            for shard in (0..SHARDS).map(ShardId) {
                from.map.put([(shard, Place::Nowhere)]);
                wait(from.engine.release(shard, Duration::from_secs(5))).expect("released");
                wait(to.engine.adopt(shard)).expect("adopted");
                to.map.put([(shard, Place::Here)]);
                from.map.put([(shard, to.place())]);
            }
            to.map.put([(ShardId::DIRECTORY, Place::Here)]);
            from.map.put([(ShardId::DIRECTORY, to.place())]);
            std::thread::sleep(Duration::from_millis(50));
        }
        over.store(true, Ordering::Relaxed);
        clients
            .into_iter()
            .map(|client| client.join().expect("no answer was wrong"))
            .sum::<usize>()
    });
    let mut listed = 0;
    let mut path = "/v1/payment_intents?limit=100".to_owned();
    loop {
        let page = ask(nodes[1].api, "GET", &path, None, "").json();
        let rows = page["data"].as_array().expect("a list");
        listed += rows.len();
        if page["has_more"] != true {
            break;
        }
        let last = rows[rows.len() - 1]["id"].as_str().expect("an id");
        path = format!("/v1/payment_intents?limit=100&starting_after={last}");
    }
    assert_eq!(listed, paid + 1, "none is missing, none doubled");
}

#[test]
fn a_shard_that_no_node_has_is_waited_for_and_then_refused() {
    let [owner, guest] = two(&impatient());
    assert_eq!(pay(guest.api, None).status, 200, "the sandbox is open");
    let refused = (503, Some("1"), Some("true"));
    guest.map.put(every().map(|shard| (shard, Place::Nowhere)));
    assert_eq!(verdict(&pay(guest.api, None)), refused);
    // Each of two nodes takes the other one for the owner.
    for shard in (0..SHARDS).map(ShardId) {
        wait(owner.engine.release(shard, Duration::ZERO)).expect("released");
    }
    owner.sends_everything_to(&guest);
    guest.sends_everything_to(&owner);
    for node in [&owner, &guest] {
        assert_eq!(verdict(&pay(node.api, None)), refused);
        assert_eq!(verdict(&ask(node.api, "GET", "/v1/balance", None, "")), refused);
    }
    // It comes while it is waited for.
    let waiting = std::thread::spawn({
        let api = guest.api;
        move || (0..40).map(|_| pay(api, None).status).find(|status| *status == 200)
    });
    for shard in (0..SHARDS).map(ShardId) {
        wait(guest.engine.adopt(shard)).expect("adopted");
    }
    assert_eq!(waiting.join().expect("no panic"), Some(200));
}

#[test]
fn a_node_that_cannot_be_reached_was_sent_nothing() {
    let [_owner, guest] = two(&impatient());
    assert_eq!(pay(guest.api, None).status, 200, "the sandbox is open");
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = closed.local_addr().expect("an address");
    drop(closed);
    guest.map.put(every().map(|shard| (shard, at(addr))));
    assert_eq!(verdict(&pay(guest.api, None)), (503, Some("1"), Some("true")));
}

#[test]
fn a_node_that_does_not_answer_may_have_done_it() {
    let [_owner, guest] = two(&impatient());
    assert_eq!(pay(guest.api, None).status, 200, "the sandbox is open");
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = silent.local_addr().expect("an address");
    guest.map.put(every().map(|shard| (shard, at(addr))));
    let safe = (503, Some("1"), Some("true"));
    assert_eq!(verdict(&pay(guest.api, Some("once"))), safe, "the key tells");
    assert_eq!(verdict(&ask(guest.api, "GET", "/v1/balance", None, "")), safe);
    let unsafe_to_repeat = pay(guest.api, None);
    assert_eq!(
        verdict(&unsafe_to_repeat),
        (503, None, Some("false")),
        "{unsafe_to_repeat:?}"
    );
    assert!(unsafe_to_repeat.message().contains("not known"), "{unsafe_to_repeat:?}");
}

#[test]
fn what_was_sent_is_not_said_to_be_undone_because_too_many_wait() {
    let setup = Setup {
        nodes: NodeBounds {
            waiting_max: 0,
            ..NodeBounds::default()
        },
        ..Setup::default()
    };
    let [_owner, guest] = two(&setup);
    assert_eq!(pay(guest.api, None).status, 200, "the sandbox is open");
    guest.map.put(every().map(|shard| (shard, Place::Nowhere)));
    assert_eq!(pay(guest.api, Some("never sent")).status, 429, "nobody may wait");
    // It takes a request and breaks off.
    let breaking = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = breaking.local_addr().expect("an address");
    std::thread::spawn(move || {
        for connection in breaking.incoming() {
            let _ = connection.and_then(|mut stream| stream.read(&mut [0; 1024]));
        }
    });
    guest.map.put(every().map(|shard| (shard, at(addr))));
    assert_eq!(verdict(&pay(guest.api, Some("sent"))), (503, Some("1"), Some("true")));
}
