//! Real crashes: SIGKILL at random moments under load, then every unanswered request again with its key.

use crate::server::{KEY, PATIENCE, Server};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Kills of one run; more by `TOLLGATE_KILLS`.
const KILLS: u64 = 8;
const CLIENTS: u64 = 8;

#[test]
fn nothing_acknowledged_is_lost_and_no_key_charges_twice() {
    // A short deadline: what a crash leaves in flight at the remote network is resolved while the test runs.
    let mut server = Server::with(
        &[],
        &[
            ("TOLLGATE_ACQUIRER__ATTEMPT_DEADLINE_MS", "400"),
            ("TOLLGATE_ACQUIRER__LATENCY_MS", "5"),
        ],
    );
    let kills: u64 = std::env::var("TOLLGATE_KILLS")
        .ok()
        .map_or(KILLS, |text| text.parse().expect("a number of kills"));
    let acknowledged: Mutex<BTreeMap<String, String>> = Mutex::default();
    let unanswered: Mutex<Vec<String>> = Mutex::default();
    let next = AtomicU64::new(0);
    let pay = |server: &Server, key: &str| {
        let remote = key.ends_with('7');
        let card = if remote {
            "pm_card_tollgate_remote"
        } else {
            "pm_card_visa"
        };
        let form = format!("amount=1000&currency=usd&payment_method={card}&confirm=true");
        server.try_send(KEY, "POST", "/v1/payment_intents", &form, &[("idempotency-key", key)])
    };
    for kill in 0..kills {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let key = unanswered
                            .lock()
                            .expect("lock")
                            .pop()
                            .unwrap_or_else(|| format!("key-{}", next.fetch_add(1, Ordering::Relaxed)));
                        match pay(&server, &key) {
                            Ok(answer) if answer.status == 200 => {
                                let before = acknowledged
                                    .lock()
                                    .expect("lock")
                                    .insert(key.clone(), answer.text.clone());
                                assert!(
                                    before.is_none_or(|before| before == answer.text),
                                    "{key} was answered twice, differently"
                                );
                            }
                            // 409: the attempt of before the crash is still being resolved; the key stays unanswered.
                            Ok(answer) if matches!(answer.status, 409 | 429 | 503) => {
                                unanswered.lock().expect("lock").push(key)
                            }
                            Ok(answer) => panic!("{key}: {answer:?}"),
                            Err(_) => unanswered.lock().expect("lock").push(key),
                        }
                    }
                });
            }
            // Spread over the commit path without a random source: a different moment each time.
            std::thread::sleep(Duration::from_millis(150 + (kill * 73) % 190));
            std::process::Command::new("kill")
                .args(["-KILL", &server.pid().to_string()])
                .status()
                .expect("kill runs");
            stop.store(true, Ordering::Relaxed);
        });
        server.kill_and_restart();
    }
    let mut left = std::mem::take(&mut *unanswered.lock().expect("lock"));
    for _ in 0..200 {
        let Some(key) = left.pop() else { break };
        match pay(&server, &key).expect("an answer") {
            answer if answer.status == 200 => drop(acknowledged.lock().expect("lock").insert(key, answer.text)),
            answer => {
                assert_eq!(answer.status, 409, "{key}: {answer:?}");
                left.insert(0, key);
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
    assert!(left.is_empty(), "never answered: {left:?}");
    let acknowledged = acknowledged.into_inner().expect("lock");
    assert!(
        acknowledged.len() as u64 > kills * 20,
        "only {} payments: the run proves little",
        acknowledged.len()
    );
    for (key, text) in &acknowledged {
        assert_eq!(
            &pay(&server, key).expect("an answer").text,
            text,
            "the replay of {key} differs"
        );
    }
    // One intent a key. Attempts that a crash cut off settle by inquiry and reversal; then the balance is the sum of
    // what was paid, and everything acknowledged as paid is.
    let deadline = Instant::now() + PATIENCE;
    let intents = loop {
        let intents = all(&server, "payment_intents");
        if intents.iter().all(|intent| intent["status"] != "processing") {
            break intents;
        }
        assert!(Instant::now() < deadline, "attempts stay in processing");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(intents.len(), acknowledged.len());
    let paid: BTreeSet<&str> = intents
        .iter()
        .filter(|intent| intent["status"] == "succeeded")
        .filter_map(|intent| intent["id"].as_str())
        .collect();
    for text in acknowledged.values() {
        let intent: Value = serde_json::from_str(text).expect("JSON");
        assert!(
            intent["status"] == "processing" || paid.contains(intent["id"].as_str().expect("an id")),
            "{text}"
        );
    }
    let charges = all(&server, "charges");
    assert_eq!(
        charges.iter().filter(|charge| charge["paid"] == true).count(),
        paid.len()
    );
    let balance = server.get("/v1/balance").json();
    let total: i64 = ["pending", "available"]
        .iter()
        .flat_map(|part| balance[part].as_array().expect("a list"))
        .filter_map(|part| part["amount"].as_i64())
        .sum();
    assert_eq!(total, 941 * paid.len() as i64);
    server.verify();
}

/// Every object of a list, by paging.
fn all(server: &Server, what: &str) -> Vec<Value> {
    let (mut rows, mut after) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("/v1/{what}?limit=100{after}")).json();
        rows.extend_from_slice(page["data"].as_array().expect("a list"));
        match rows.last() {
            Some(last) if page["has_more"] == true => {
                after = format!("&starting_after={}", last["id"].as_str().expect("an id"))
            }
            _ => return rows,
        }
    }
}

#[test]
fn a_stop_under_load_answers_what_it_admitted() {
    let mut server = Server::start();
    let intent = server.pay(1000);
    assert_eq!(server.stop(), Some(0));
    server.start_again();
    assert_eq!(
        server
            .get(&format!(
                "/v1/payment_intents/{}",
                intent["id"].as_str().expect("an id")
            ))
            .json(),
        intent
    );
}

#[test]
fn a_second_process_on_the_same_data_is_refused_by_name() {
    let server = Server::start();
    let data = server.data();
    let second = crate::server::tollgate(&[
        "serve",
        "--data",
        data.to_str().expect("UTF-8"),
        "--listen",
        "127.0.0.1:0",
        "--admin-listen",
        "127.0.0.1:0",
    ]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(3), "{said}");
    assert!(
        said.contains(data.to_str().expect("UTF-8")) && said.contains(&server.pid().to_string()),
        "{said}"
    );
}
