//! Several nodes on one keyspace: even shares, planned leaves, kills, pauses. Nothing is asserted of how long anything takes,
//! only that it comes within a bound that is generous.

use super::ids;
use super::keyspace::Keyspace;
use super::server::{Answer, KEY, PATIENCE, Server, binary, parse, tollgate};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Shards of newly made data, and the directory's.
const SHARDS: usize = 9;

pub(super) fn node(keyspace: &Keyspace, name: &str) -> Server {
    Server::with(&[], &keyspace.node(name))
}

/// Waits until something is so.
pub(super) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + 2 * PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not come about that {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The cluster as a node sees it, by the command.
fn status(server: &Server) -> Value {
    let said = Command::new(binary())
        .args([
            "cluster",
            "status",
            "--json",
            "--admin",
            &format!("http://{}", server.admin),
        ])
        .output()
        .expect("the binary runs");
    serde_json::from_slice(&said.stdout).unwrap_or_default()
}

/// Shards by the name of the node that serves them, where every one is served.
fn shares(server: &Server) -> Option<Vec<(String, usize)>> {
    let seen = status(server);
    let shards = seen["shards"].as_array()?;
    let served = shards.iter().filter(|shard| shard["state"] == "serving");
    let owners: Vec<&str> = served.filter_map(|shard| shard["node"].as_str()).collect();
    if owners.len() != SHARDS {
        return None;
    }
    let names: BTreeSet<&str> = owners.iter().copied().collect();
    let share = |name: &&str| owners.iter().filter(|owner| *owner == name).count();
    Some(names.iter().map(|name| ((*name).to_owned(), share(name))).collect())
}

/// Whether these nodes, and no others, share everything evenly, as this one sees it.
pub(super) fn even(server: &Server, names: &[&str]) -> bool {
    let Some(shares) = shares(server) else { return false };
    let known: Vec<&str> = shares.iter().map(|(name, _)| name.as_str()).collect();
    let (least, most) = (SHARDS / names.len(), SHARDS.div_ceil(names.len()));
    known == names && shares.iter().all(|(_, share)| (least..=most).contains(share))
}

/// Pays until it is acknowledged, at one node after another, with one key; the id.
fn pay(servers: &[&Server], number: usize) -> String {
    let form = format!(
        "amount={}&currency=usd&payment_method=pm_card_visa&confirm=true",
        1_000 + number
    );
    let key = format!("payment-{number}");
    let deadline = Instant::now() + 2 * PATIENCE;
    loop {
        for server in servers {
            let headers = [("Idempotency-Key", key.as_str())];
            let answer = server.try_send(KEY, "POST", "/v1/payment_intents", &form, &headers);
            match answer {
                Ok(answer) if answer.status == 200 => return answer.id(),
                Ok(answer) => assert!(matches!(answer.status, 409 | 429 | 503), "{answer:?}"),
                Err(_) => {}
            }
        }
        assert!(Instant::now() < deadline, "payment {number} is never acknowledged");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Everything that is listed, at whichever node answers.
fn listed(servers: &[&Server]) -> BTreeSet<String> {
    let deadline = Instant::now() + 2 * PATIENCE;
    loop {
        for server in servers {
            let answer = server.try_send(KEY, "GET", "/v1/payment_intents?limit=100", "", &[]);
            if let Ok(answer) = answer
                && answer.status == 200
            {
                return ids(&answer.json());
            }
        }
        assert!(Instant::now() < deadline, "the payments are never listed");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Pays at these nodes while something happens to another one; what was acknowledged.
fn pay_while(servers: &[&Server], happens: impl FnOnce()) -> BTreeSet<String> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let client = scope.spawn(|| {
            let mut paid = BTreeSet::new();
            for number in 0.. {
                paid.insert(pay(servers, number));
                if over.load(Ordering::Relaxed) || number > 80 {
                    break;
                }
                std::thread::sleep(Duration::from_millis(30));
            }
            paid
        });
        happens();
        over.store(true, Ordering::Relaxed);
        client.join().expect("the client is sound")
    })
}

#[test]
fn nodes_share_out_evenly_and_one_that_leaves_hands_over_first() {
    let keyspace = Keyspace::new();
    let (mut first, second) = (node(&keyspace, "a"), node(&keyspace, "b"));
    eventually("two nodes share evenly", || {
        even(&first, &["a", "b"]) && even(&second, &["a", "b"])
    });
    let third = node(&keyspace, "c");
    eventually("three nodes share evenly", || even(&third, &["a", "b", "c"]));
    let paid = pay_while(&[&second, &third], || {
        assert_eq!(first.stop(), Some(0), "{}", first.log());
        eventually("the others have it all", || {
            even(&second, &["b", "c"]) && even(&third, &["b", "c"])
        });
    });
    let log = first.log();
    assert!(!log.contains("is left behind"), "it left shards behind:\n{log}");
    assert_eq!(listed(&[&second, &third]), paid);
    let nodes = status(&second)["nodes"].as_array().map(Vec::len);
    assert_eq!(nodes, Some(2), "its row is gone");
    drop((second, third));
    assert_eq!(keyspace.verify()["payment_intents"], paid.len());
}

#[test]
fn the_shards_of_a_killed_node_are_served_by_the_others() {
    let keyspace = Keyspace::new();
    let (mut first, second) = (node(&keyspace, "a"), node(&keyspace, "b"));
    eventually("two nodes share evenly", || even(&second, &["a", "b"]));
    let before = pay(&[&first, &second], 1_000);
    first.kill();
    let mut paid = pay_while(&[&second], || {
        eventually("the other one has it all", || even(&second, &["b"]))
    });
    paid.insert(before);
    assert_eq!(listed(&[&second]), paid);
    let page = ureq::get(format!("http://{}/metrics", second.admin))
        .call()
        .expect("metrics");
    let page = page.into_body().read_to_string().expect("text");
    for part in ["detection", "claim", "fence", "tail", "warm_up"] {
        let counted = page.lines().any(|line| {
            line.starts_with("tollgate_failover_seconds_count") && line.contains(part) && !line.ends_with(" 0")
        });
        assert!(counted, "no {part} in\n{page}");
    }
    // The same name again: a new process of it joins once the old one is known to be dead, and gets its share.
    first.start_again();
    eventually("two nodes share evenly again", || even(&first, &["a", "b"]));
    assert_eq!(listed(&[&first, &second]), paid);
    drop((first, second));
    assert_eq!(keyspace.verify()["payment_intents"], paid.len());
}

/// A request that is written and not yet answered.
struct Asked(TcpStream);

impl Asked {
    fn of(server: &Server, request: &str) -> Asked {
        let mut stream = TcpStream::connect(&server.api).expect("the kernel takes the connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let head = format!("{request}\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {KEY}\r\n");
        stream
            .write_all(format!("{head}\r\n").as_bytes())
            .expect("it is written");
        Asked(stream)
    }

    fn answer(mut self) -> Option<Answer> {
        let mut bytes = Vec::new();
        let _ = self.0.read_to_end(&mut bytes);
        parse(&bytes)
    }
}

#[test]
fn a_paused_node_that_wakes_up_serves_nothing_stale_and_takes_part_again() {
    let keyspace = Keyspace::new();
    let (first, second) = (node(&keyspace, "a"), node(&keyspace, "b"));
    eventually("two nodes share evenly", || even(&first, &["a", "b"]));
    let mut paid = BTreeSet::from([pay(&[&first, &second], 0)]);
    let read_before = listed(&[&first, &second]);
    assert_eq!(read_before, paid);
    // What is asked while it is paused is read in the moment it wakes up.
    first.signal("STOP");
    eventually("the other one has it all", || even(&second, &["b"]));
    for number in 1..4 {
        paid.insert(pay(&[&second], number));
    }
    let reads: Vec<Asked> = (0..8)
        .map(|_| Asked::of(&first, "GET /v1/payment_intents?limit=100 HTTP/1.1"))
        .collect();
    let form = "amount=5000&currency=usd&payment_method=pm_card_visa&confirm=true";
    let write = format!(
        "POST /v1/payment_intents HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}",
        form.len()
    );
    let write = Asked::of(&first, &write);
    (&write.0).write_all(form.as_bytes()).expect("it is written");
    first.signal("CONT");
    for read in reads {
        // No answer is no stale one.
        let Some(answer) = read.answer() else { continue };
        match answer.status {
            200 => assert!(ids(&answer.json()).is_superset(&paid), "a stale read: {answer:?}"),
            status => assert!(matches!(status, 429 | 503), "{answer:?}"),
        }
    }
    let written = write
        .answer()
        .filter(|answer| answer.status == 200)
        .map(|answer| answer.id());
    paid.extend(written);
    eventually("it takes part again", || {
        even(&first, &["a", "b"]) && even(&second, &["a", "b"])
    });
    assert_eq!(listed(&[&second, &first]), paid);
    drop((first, second));
    assert_eq!(keyspace.verify()["payment_intents"], paid.len());
}

#[test]
fn a_second_process_with_the_same_name_ends_and_says_why() {
    let keyspace = Keyspace::new();
    let first = node(&keyspace, "a");
    let mut second = Server::not_started(&[], &keyspace.node("a"));
    assert!(!second.try_start_again(), "it must not serve");
    assert_eq!(second.wait(), Some(3), "{}", second.log());
    let log = second.log();
    assert!(
        log.contains("node.id = \"a\": another process with this name is alive"),
        "{log}"
    );
    first.pay(1_000);
}

/// Makes an account at a node; the text of its first key.
fn account(server: &Server) -> String {
    let admin = format!("http://{}", server.admin);
    let made = tollgate(&["account", "create", "--json", "--admin", &admin]);
    let made: Value = serde_json::from_slice(&made.stdout).unwrap_or_else(|error| panic!("{error}: {made:?}"));
    made["keys"][0]["secret"].as_str().expect("a key").to_owned()
}

#[test]
fn uses_of_keys_that_a_node_saw_are_written_down_when_it_leaves() {
    let keyspace = Keyspace::new();
    let nodes = ["a", "b"].map(|name| node(&keyspace, name));
    eventually("two nodes share evenly", || even(&nodes[0], &["a", "b"]));
    let shards = status(&nodes[0])["shards"].clone();
    let directory = shards
        .as_array()
        .and_then(|all| all.iter().find(|shard| shard["shard"] == "directory"));
    let leads = directory.expect("it has a shard")["node"] == "a";
    let at_b = shards.as_array().and_then(|all| {
        let mut at_b = all.iter().filter(|shard| shard["node"] == "b");
        at_b.find_map(|shard| shard["shard"].as_u64())
    });
    let (shard, admin) = (
        at_b.expect("it has some").to_string(),
        format!("http://{}", nodes[0].admin),
    );
    let moved = tollgate(&["shard", "move", &shard, "--to", "0", "--admin", &admin]);
    let told = String::from_utf8_lossy(&moved.stderr);
    assert!(
        !moved.status.success() && told.contains("does not run at this node"),
        "{told}"
    );
    let [first, second] = nodes;
    let (leader, mut other) = if leads { (first, second) } else { (second, first) };
    // Accounts enough that each node has some of them.
    const ACCOUNTS: usize = 12;
    for _ in 0..ACCOUNTS {
        let used = other.send(&account(&leader), "GET", "/v1/balance", "", &[]);
        assert_eq!(used.status, 200, "{used:?}");
    }
    assert_eq!(other.stop(), Some(0), "{}", other.log());
    let admin = format!("http://{}", leader.admin);
    let listed = tollgate(&["account", "keys", "list", "--json", "--admin", &admin]);
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let keys = listed["keys"].as_array().expect("keys");
    let used = keys.iter().filter(|key| !key["last_used"].is_null()).count();
    assert_eq!(used, ACCOUNTS, "{listed}\n{}", other.log());
}

#[test]
fn accounts_are_not_taken_from_a_node_that_lives() {
    let keyspace = Keyspace::new();
    let mut server = node(&keyspace, "a");
    let (code, told) = keyspace.tollgate(&["account", "create"]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("node \"a\"") && told.contains("--admin URL"), "{told}");
    server.pay(1_000);
    // The node may have them back before anything is written: then the command says so, and is run again.
    let told = std::iter::repeat_with(|| keyspace.tollgate(&["account", "create", "--json", "--take-over"]))
        .inspect(|(code, told)| assert!(matches!(code, Some(0 | 3)), "{told}"))
        .take(20)
        .find_map(|(code, told)| (code == Some(0)).then_some(told));
    let told = told.expect("it is faster than the node once");
    let line = told.lines().find(|line| line.contains("sk_")).expect("a key");
    let key = line.split('"').find(|word| word.starts_with("sk_")).expect("a key");
    eventually("the node has accounts and keys again", || {
        server
            .try_send(key, "GET", "/v1/balance", "", &[])
            .is_ok_and(|answer| answer.status == 200)
            && even(&server, &["a"])
    });
    account(&server);
    // A row that a dead node left holds nobody up for longer than it takes to be sure.
    server.kill();
    let (code, told) = keyspace.tollgate(&["account", "list"]);
    assert_eq!(code, Some(0), "{told}");
    // Both modes of two accounts, and a sandbox.
    assert_eq!(told.matches("acct_").count(), 2 * 2 + 1, "{told}");
}
