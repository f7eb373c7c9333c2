//! Two nodes on one keyspace: each answers requests of shards that the other one has, while that one is there, moves, is
//! silent or gone.

use super::cluster::{even, eventually, node};
use super::keyspace::Keyspace;
use super::receiver::Receiver;
use super::server::{Answer, KEY, PATIENCE, Server, tollgate};
use super::{ids, uploads};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const PAYMENT: &str = "amount=1000&currency=usd&payment_method=pm_card_visa&confirm=true";

/// Asks until it is answered so: another node learns of a revocation at its next look.
fn answered(status: u16, ask: impl Fn() -> Answer) {
    let deadline = Instant::now() + PATIENCE;
    while ask().status != status {
        assert!(Instant::now() < deadline, "it is never {status}: {:?}", ask());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Part of an address behind the server's own.
fn path_of(address: &str) -> &str {
    let at = address.find("//").map_or(0, |at| at + 2);
    &address[at + address[at..].find('/').expect("a path")..]
}

#[test]
fn what_one_node_was_told_the_other_one_knows() {
    let keyspace = Keyspace::new();
    let (a, b) = (
        Server::with(&[], &keyspace.node("a")),
        Server::with(&[], &keyspace.node("b")),
    );
    // Accounts enough that each node has some of them.
    let mut forwarded = 0.0;
    for number in 0..12 {
        let key = format!("{KEY}{number}");
        let pay = |node: &Server| {
            node.send(
                &key,
                "POST",
                "/v1/payment_intents",
                PAYMENT,
                &[("Idempotency-Key", "once")],
            )
        };
        let (first, again) = (pay(&a), pay(&b));
        assert_eq!((first.status, &first.text), (200, &again.text), "{first:?} {again:?}");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.header("original-request"), first.header("request-id"));
        let intent = format!("/v1/payment_intents/{}", first.id());
        for node in [&a, &b] {
            let read = node.send(&key, "GET", &intent, "", &[]);
            assert_eq!((read.status, read.id()), (200, first.id()));
            let listed = node.send(&key, "GET", "/v1/payment_intents", "", &[]).json();
            assert_eq!(ids(&listed), BTreeSet::from([first.id()]));
            let charge = format!(
                "/v1/charges/{}",
                first.json()["latest_charge"].as_str().expect("a charge")
            );
            let charge = node.send(&key, "GET", &charge, "", &[]).json();
            let receipt = charge["receipt_url"].as_str().expect("an address");
            assert_eq!(node.get(path_of(receipt)).status, 200, "{receipt}");
        }
        let customer = a.send(&key, "POST", "/v1/customers", "name=Jenny", &[]).id();
        let version = [("Stripe-Version", "2026-10-28.endive")];
        let form = format!("customer={customer}");
        let made = a.send(&key, "POST", "/v1/ephemeral_keys", &form, &version).json();
        let own = made["secret"].as_str().expect("a secret");
        let read = b.send(own, "GET", &format!("/v1/customers/{customer}"), "", &[]);
        assert_eq!(read.status, 200, "{read:?}");
        let must_act = "amount=1000&currency=usd&payment_method=pm_card_threeDSecure2Required&confirm=true\
                        &return_url=https://shop.test/back";
        let acts = a.send(&key, "POST", "/v1/payment_intents", must_act, &[]).json();
        let page = acts["next_action"]["redirect_to_url"]["url"].as_str().expect("a page");
        for node in [&a, &b] {
            assert_eq!(node.get(path_of(page)).status, 200, "{page}");
        }
    }
    for node in [&a, &b] {
        forwarded += node.metric("tollgate_node_forwarded_total{outcome=\"answered\"}");
    }
    assert!(forwarded > 0.0, "each node was asked for what the other one has");
    let file = uploads::upload(&a);
    assert_eq!(b.get(&format!("/v1/files/{file}")).status, 200);
    // Accounts and keys, by the node that does not lead the directory and by the one that does.
    for (here, there) in [(&a, &b), (&b, &a)] {
        let admin = format!("http://{}", here.admin);
        let created = tollgate(&["account", "create", "--json", "--admin", &admin]);
        let created: serde_json::Value = serde_json::from_slice(&created.stdout).expect("JSON");
        let key = created["keys"][0]["secret"].as_str().expect("a key").to_owned();
        let ask = |node: &Server| node.send(&key, "GET", "/v1/balance", "", &[]);
        assert_eq!((ask(here).status, ask(there).status), (200, 200), "with its first use");
        let revoked = tollgate(&["account", "keys", "revoke", &key, "--admin", &admin]);
        assert!(revoked.status.success(), "{revoked:?}");
        assert_eq!(ask(here).status, 401, "at once where it was revoked");
        answered(401, || ask(there));
    }
    drop((a, b));
    assert_eq!(keyspace.verify()["payment_intents"], 24);
}

/// Bounds so low that a request of a node that says nothing ends while the others still wait for its counter.
const SHORT: [(&str, &str); 3] = [
    ("TOLLGATE_NODE__SUSPECT_MS", "60000"),
    ("TOLLGATE_NODE__MOVE_PATIENCE_MS", "300"),
    ("TOLLGATE_NODE__ANSWER_TIMEOUT_MS", "2000"),
];

/// Merchants enough that each of two nodes has some.
fn merchants() -> Vec<String> {
    (0..12).map(|number| format!("{KEY}{number}")).collect()
}

fn pay(node: &Server, key: &str, headers: &[(&str, &str)]) -> Answer {
    node.send(key, "POST", "/v1/payment_intents", PAYMENT, headers)
}

/// What a client may rely on in an answer of 503.
fn put_off(answer: &Answer, safe: bool) {
    assert_eq!(answer.status, 503, "{answer:?}");
    let should = if safe { "true" } else { "false" };
    assert_eq!(answer.header("stripe-should-retry"), Some(should), "{answer:?}");
}

#[test]
fn a_request_of_a_node_that_says_nothing_ends_in_time_and_its_key_pays_once() {
    let keyspace = Keyspace::new();
    let start = |name| Server::with(&[], &[&keyspace.node(name)[..], &SHORT].concat());
    let (first, mut second) = (start("a"), start("b"));
    eventually("two nodes share evenly", || even(&first, &["a", "b"]));
    for merchant in merchants() {
        assert_eq!(pay(&first, &merchant, &[]).status, 200);
    }
    second.signal("STOP");
    let once = [("Idempotency-Key", "once")];
    let keyed: Vec<(String, Answer)> = merchants()
        .into_iter()
        .map(|merchant| (merchant.clone(), pay(&first, &merchant, &once)))
        .collect();
    let of_second: Vec<&String> = keyed
        .iter()
        .filter(|(_, answer)| answer.status != 200)
        .inspect(|(_, answer)| put_off(answer, true))
        .map(|(merchant, _)| merchant)
        .collect();
    assert!(
        !of_second.is_empty() && of_second.len() < keyed.len(),
        "each node has some"
    );
    // Whether it was done is not known, and a second one could pay twice.
    put_off(&pay(&first, of_second[0], &[]), false);
    second.signal("CONT");
    for (merchant, answer) in &keyed {
        let again = || pay(&first, merchant, &once);
        answered(200, again);
        let paid = again();
        assert_eq!(paid.header("idempotent-replayed"), Some("true"), "{paid:?}");
        assert!(answer.status != 200 || answer.text == paid.text, "{answer:?} {paid:?}");
        assert_eq!(pay(&second, merchant, &once).text, paid.text, "whichever node is asked");
    }
    // Nobody has the shards of a node that is gone until it counts as dead: nothing was done, and it is said so.
    second.kill();
    let gone = pay(&first, of_second[0], &[]);
    put_off(&gone, true);
    assert!(gone.header("retry-after").is_some(), "{gone:?}");
    drop((first, second));
    let made = keyspace.verify()["payment_intents"].as_u64().expect("a number");
    // One without a key may have been done when the node went on.
    assert!((24..=25).contains(&made), "{made} payments of 24 keys and requests");
}

/// Says that it is over when it is dropped.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn clients_of_the_others_hear_no_error_when_a_node_joins_or_leaves() {
    let keyspace = Keyspace::new();
    let (first, second) = (node(&keyspace, "a"), node(&keyspace, "b"));
    eventually("two nodes share evenly", || even(&first, &["a", "b"]));
    let over = AtomicBool::new(false);
    let asked = std::thread::scope(|scope| {
        // Clients end with the test, also where it fails.
        let ends = Ends(&over);
        let clients: Vec<_> = [&first, &second]
            .into_iter()
            .enumerate()
            .map(|(number, node)| {
                let over = &over;
                scope.spawn(move || {
                    let mut asked = 0;
                    while !over.load(Ordering::Relaxed) {
                        for merchant in merchants() {
                            let key = format!("{number}/{asked}");
                            let paid = pay(node, &merchant, &[("Idempotency-Key", &key)]);
                            assert_eq!(paid.status, 200, "{paid:?}");
                            let read = format!("/v1/payment_intents/{}", paid.id());
                            let read = node.send(&merchant, "GET", &read, "", &[]);
                            assert_eq!(read.status, 200, "{read:?}");
                            asked += 1;
                            std::thread::sleep(Duration::from_millis(15));
                        }
                    }
                    asked
                })
            })
            .collect();
        let mut third = node(&keyspace, "c");
        eventually("three nodes share evenly", || even(&first, &["a", "b", "c"]));
        assert_eq!(third.stop(), Some(0), "{}", third.log());
        eventually("two nodes share evenly again", || even(&first, &["a", "b"]));
        drop(ends);
        let each = clients
            .into_iter()
            .map(|client| client.join().expect("no error is heard"));
        each.sum::<u64>()
    });
    drop((first, second));
    assert_eq!(keyspace.verify()["payment_intents"], asked);
}

#[test]
fn an_operator_asks_any_node_about_an_endpoint() {
    let keyspace = Keyspace::new();
    let (first, second) = (node(&keyspace, "a"), node(&keyspace, "b"));
    eventually("two nodes share evenly", || even(&first, &["a", "b"]));
    let receiver = Receiver::start();
    let form = format!("url={}&enabled_events[]=*", receiver.url("/hooks"));
    let operate = |node: &Server, arguments: &[&str]| {
        let admin = format!("http://{}", node.admin);
        let said = tollgate(&[&["webhooks"], arguments, &["--admin", &admin, "--json"]].concat());
        let text = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
        (said.status.code(), text)
    };
    let told = |node: &Server, arguments: &[&str]| -> Value {
        let (code, text) = operate(node, arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
    };
    // Only one of the two has the merchant, so the other one sends on; merchants enough that each has some.
    let mut endpoints = Vec::new();
    for number in 0..8 {
        let merchant = format!("{KEY}{number}");
        let endpoint = first.send(&merchant, "POST", "/v1/webhook_endpoints", &form, &[]).id();
        for node in [&first, &second] {
            assert_eq!(told(node, &["show", &endpoint])["webhook_endpoint"], *endpoint);
            assert_eq!(told(node, &["test", &endpoint])["outcome"], "succeeded");
            told(node, &["recover", &endpoint, "--since", "2020-01-01"]);
            let path = format!("/v1/webhook_endpoints/{endpoint}/test");
            let test = node.send(&merchant, "POST", &path, "", &[("Idempotency-Key", "once")]);
            assert_eq!(
                (test.status, &test.json()["outcome"]),
                (200, &Value::from("succeeded")),
                "{test:?}"
            );
        }
        let jobs = told(&first, &["jobs", &endpoint]);
        assert_eq!(
            jobs["data"].as_array().map(Vec::len),
            Some(2),
            "each was begun once: {jobs}"
        );
        assert_eq!(
            told(&second, &["jobs", &endpoint])["data"].as_array().map(Vec::len),
            Some(2)
        );
        told(&second, &["pause", &endpoint]);
        assert_eq!(told(&first, &["show", &endpoint])["state"], "paused");
        told(&first, &["resume", &endpoint]);
        assert_eq!(told(&second, &["show", &endpoint])["state"], "sending");
        // A refusal comes through, too.
        let path = format!("/v1/webhook_endpoints/{endpoint}");
        for node in [&first, &second] {
            let (code, text) = operate(node, &["resend", &endpoint, "evt_nobody"]);
            assert!(code == Some(1) && text.contains("No such event"), "{text}");
            let (code, text) = operate(node, &["jobs", &endpoint, "whrec_nobody"]);
            assert!(code == Some(1) && text.contains("No such"), "{text}");
        }
        endpoints.push((merchant, path, endpoint));
    }
    for (merchant, path, endpoint) in &endpoints[..2] {
        assert_eq!(first.send(merchant, "DELETE", path, "", &[]).status, 200);
        for node in [&first, &second] {
            let (code, text) = operate(node, &["show", endpoint]);
            assert!(code == Some(1) && text.contains("No such webhook endpoint"), "{text}");
        }
    }
    // Of a node that is gone it is said which shard nobody serves, until its shards are taken over.
    let mut second = second;
    second.kill();
    let said: Vec<String> = endpoints[2..]
        .iter()
        .map(|(.., endpoint)| operate(&first, &["show", endpoint]))
        .filter(|(code, _)| *code != Some(0))
        .map(|(_, text)| text)
        .collect();
    for text in &said {
        assert!(text.contains("serves shard") || text.contains("served shard"), "{text}");
    }
    eventually("the other node takes over", || {
        endpoints[2..]
            .iter()
            .all(|(.., endpoint)| operate(&first, &["show", endpoint]).0 == Some(0))
    });
}
