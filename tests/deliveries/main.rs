//! Webhooks end to end: the built binary, real receivers, and SIGKILL while payments run.

mod asking;
mod checks;
mod receiver;
mod repairing;
mod seeing;

#[path = "../harness/random.rs"]
mod random;
#[path = "../harness/server.rs"]
mod server;

use checks::{all_in_order, all_signed, firsts, in_order};
use random::{Random, seed};
use receiver::{Delivery, Receiver};
use server::Server;
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Kills of one run; more by `TOLLGATE_KILLS`.
const KILLS: u64 = 8;
/// Failed deliveries come again soon.
const SOON: (&str, &str) = ("TOLLGATE_WEBHOOKS__RETRY_DELAYS_S", "1,1,1");

/// Registers an endpoint for all events; its id.
fn register(server: &Server, url: &str, more: &str) -> String {
    register_signed(server, url, more).0
}

/// Registers an endpoint for all events; its id and its secret.
fn register_signed(server: &Server, url: &str, more: &str) -> (String, String) {
    let form = format!("url={url}&enabled_events[]=*{more}");
    let made = server.post("/v1/webhook_endpoints", &form);
    assert_eq!(made.status, 200, "{made:?}");
    let secret = made.json()["secret"].as_str().expect("a secret").to_owned();
    (made.id(), secret)
}

/// Ids of all events that the server lists, oldest first.
fn events(server: &Server, filter: &str) -> Vec<String> {
    let get = |path: &str| {
        let page = server.get(path);
        assert_eq!(page.status, 200, "{page:?}");
        page.json()
    };
    checks::events(get, filter)
}

/// Waits until nothing is pending any more.
fn until_all_taken(server: &Server) {
    for _ in 0..600 {
        if events(server, "&delivery_success=false").is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("still pending: {:?}", events(server, "&delivery_success=false"));
}

#[test]
fn every_event_comes_signed_in_order_and_is_taken() {
    let server = Server::with(&[], &[]);
    let receiver = Receiver::start();
    let before = server.pay(900);
    let (endpoint, secret) = register_signed(&server, &receiver.url("/hooks"), "");
    for amount in 0..20 {
        server.pay(1_000 + amount);
        let hold = "currency=usd&payment_method=pm_card_visa&confirm=true&capture_method=manual&amount=5000";
        let held = server.post("/v1/payment_intents", hold).id();
        server.post(&format!("/v1/payment_intents/{held}/capture"), "");
        server.post("/v1/refunds", &format!("payment_intent={held}&amount=700"));
    }
    let all = events(&server, "");
    let of_before = before["id"].as_str().expect("an id");
    let came = receiver.until("/hooks", "all events", |came| came.len() + 3 >= all.len());
    until_all_taken(&server);
    let came_ids: BTreeSet<&str> = came.iter().map(|delivery| &*delivery.event).collect();
    // What had happened before the endpoint was made is not its own.
    assert_eq!(came_ids.len(), all.len() - 3);
    assert!(came.iter().all(|delivery| delivery.object != of_before));
    assert!(all[3..].iter().all(|event| came_ids.contains(&**event)));
    assert_eq!(receiver.came("/hooks").len(), came_ids.len(), "nothing came twice");
    all_signed(&came, &secret);
    in_order(&came);
    // Sequence numbers are the events' own: whoever sorts by them has the order in which things happened.
    let mut sorted: Vec<&Delivery> = came.iter().collect();
    sorted.sort_by_key(|delivery| delivery.sequence);
    assert!(sorted.iter().map(|delivery| &delivery.event).eq(&all[3..]));
    for event in [&all[0], &all[10]] {
        let shown = server.get(&format!("/v1/events/{event}")).json();
        assert_eq!(shown["pending_webhooks"], 0, "{shown}");
    }
    // What a deleted endpoint has not taken is pending no more.
    server.send(
        server::KEY,
        "DELETE",
        &format!("/v1/webhook_endpoints/{endpoint}"),
        "",
        &[],
    );
    server.pay(950);
    until_all_taken(&server);
    server.verify();
}

#[test]
fn what_is_refused_is_pending_and_comes_again() {
    let server = Server::with(&[], &[SOON]);
    // Every fifth event is refused twice.
    let receiver = Receiver::answering(|delivery, before| match delivery.sequence % 5 {
        0 if before < 2 => 500,
        _ => 200,
    });
    let refuses = Receiver::answering(|_, _| 503);
    register(&server, &receiver.url("/hooks"), "");
    // A strict one keeps the order of an object whatever happens.
    register(&server, &receiver.url("/strict"), "&delivery[order]=strict");
    let dead = register(&server, &refuses.url("/dead"), "");
    for amount in 0..12 {
        server.pay(1_000 + amount);
    }
    let all = events(&server, "");
    for path in ["/hooks", "/strict"] {
        let taken = |came: &[Delivery]| {
            let taken: BTreeSet<&str> = came.iter().filter(|it| it.status == 200).map(|it| &*it.event).collect();
            taken.len() == all.len()
        };
        let came = receiver.until(path, "all events are taken", taken);
        for delivery in firsts(&came) {
            let times = came.iter().filter(|other| other.event == delivery.event).count();
            let expected = if delivery.sequence % 5 == 0 { 3 } else { 1 };
            assert_eq!(times, expected, "{path} {delivery:?}");
        }
    }
    in_order(&receiver.came("/strict"));
    // One has taken nothing: every event waits for it alone.
    let refused = refuses.until("/dead", "something is refused", |came| !came.is_empty());
    assert!(refused.iter().all(|delivery| delivery.status == 503));
    assert_eq!(events(&server, "&delivery_success=false"), all);
    assert_eq!(events(&server, "&delivery_success=true"), [""; 0]);
    let shown = server.get(&format!("/v1/events/{}", all[4])).json();
    assert_eq!(shown["pending_webhooks"], 1, "{shown}");
    server.send(server::KEY, "DELETE", &format!("/v1/webhook_endpoints/{dead}"), "", &[]);
    until_all_taken(&server);
    server.verify();
}

#[test]
fn what_is_pending_is_told_right_after_an_endpoint_is_made_and_after_each_start() {
    let mut server = Server::with(&[], &[]);
    let refuses = Receiver::answering(|_, _| 500);
    for round in 1..=4 {
        register(&server, &refuses.url(&format!("/{round}")), "");
        let paid = server.pay(1_000 + round);
        let of_payment = format!("/v1/events?related_object={}", paid["id"].as_str().expect("an id"));
        let pending = |server: &Server| {
            let listed = server.get(&of_payment).json();
            let events = listed["data"].as_array().expect("a list").clone();
            assert_eq!(events.len(), 2);
            events.into_iter().map(|event| event["pending_webhooks"].clone())
        };
        assert!(pending(&server).all(|count| count == round), "round {round}");
        server.kill_and_restart();
        assert!(
            pending(&server).all(|count| count == round),
            "round {round}, after a start"
        );
        assert_eq!(events(&server, "&delivery_success=true"), [""; 0]);
    }
    server.verify();
}

#[test]
fn a_stop_waits_for_deliveries_and_nothing_comes_twice() {
    let mut server = Server::with(&[], &[]);
    let receiver = Receiver::answering(|_, _| {
        std::thread::sleep(Duration::from_millis(3));
        200
    });
    register(&server, &receiver.url("/hooks"), "");
    for round in 0..3 {
        for amount in 0..30 {
            server.pay(1_000 + amount);
        }
        assert_eq!(server.stop(), Some(0), "round {round}");
        server.start_again();
    }
    let all = events(&server, "");
    let came = receiver.until("/hooks", "all events", |came| came.len() >= all.len());
    until_all_taken(&server);
    assert_eq!(receiver.came("/hooks").len(), came.len());
    assert_eq!(firsts(&came).len(), came.len(), "something came twice");
    assert_eq!(came.len(), all.len());
    in_order(&came);
    server.verify();
}

#[test]
fn whatever_the_moment_of_a_kill_every_event_comes_in_order_and_few_come_twice() {
    let kills: u64 = std::env::var("TOLLGATE_KILLS")
        .ok()
        .map_or(KILLS, |text| text.parse().expect("a number of kills"));
    let seed = seed();
    let mut random = Random::new(seed);
    let mut server = Server::with(&[], &[]);
    let receiver = Receiver::start();
    for path in ["/one", "/other"] {
        register(&server, &receiver.url(path), "");
    }
    let mut doubled_max = 0;
    for kill in 0..kills {
        let (over, paid) = (AtomicBool::new(false), AtomicU64::new(0));
        let pause = Duration::from_millis(100 + random.below(900));
        std::thread::scope(|scope| {
            for client in 0..4 {
                let (server, over, paid) = (&server, &over, &paid);
                scope.spawn(move || {
                    let form = "amount=1000&currency=usd&payment_method=pm_card_visa&confirm=true";
                    while !over.load(Ordering::Relaxed) {
                        let key = format!("{kill}/{client}/{}", paid.fetch_add(1, Ordering::Relaxed));
                        let headers = [("idempotency-key", &*key)];
                        // The server may be gone in the middle of it.
                        let _ = server.try_send(server::KEY, "POST", "/v1/payment_intents", form, &headers);
                    }
                });
            }
            while paid.load(Ordering::Relaxed) < 40 {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(pause);
            server.signal("KILL");
            over.store(true, Ordering::Relaxed);
        });
        server.wait();
        doubled_max += receiver.may_come_again();
        server.start_again();
    }
    let all = events(&server, "");
    assert!(all.len() as u64 > kills * 30, "seed {seed}: {} events", all.len());
    let mut doubled = 0;
    for path in ["/one", "/other"] {
        let came = receiver.until(path, &format!("all events, seed {seed}"), |came| {
            firsts(came).len() >= all.len()
        });
        all_in_order(&came, &all);
    }
    until_all_taken(&server);
    for path in ["/one", "/other"] {
        doubled += checks::doubled(&receiver.came(path));
    }
    assert!(
        doubled <= doubled_max,
        "seed {seed}: {doubled} came twice, {doubled_max} may"
    );
    tell(&format!(
        "{kills} kills, {} events to 2 endpoints, {doubled} came twice of at most {doubled_max}",
        all.len()
    ));
    server.verify();
}

#[test]
fn cursors_come_along_to_a_store_with_other_shards() {
    let mut server = Server::with(&[], &[]);
    // Until it is told otherwise, every third event is refused.
    let refuses = Arc::new(AtomicBool::new(true));
    let receiver = Receiver::answering({
        let refuses = Arc::clone(&refuses);
        move |delivery, _| match delivery.sequence % 3 {
            0 if refuses.load(Ordering::Relaxed) => 500,
            _ => 200,
        }
    });
    // Merchants in several shards.
    let merchants: Vec<String> = (0..6)
        .map(|at| format!("sk_test_moves{at}0123456789abcdefghijk"))
        .collect();
    let paths: Vec<String> = (0..merchants.len()).map(|at| format!("/{at}")).collect();
    for (key, path) in merchants.iter().zip(&paths) {
        let form = format!(
            "url={}&enabled_events[]=*&delivery[retry_delays][]=3&delivery[retry_delays][]=3",
            receiver.url(path)
        );
        let made = server.send(key, "POST", "/v1/webhook_endpoints", &form, &[]);
        assert_eq!(made.status, 200, "{made:?}");
        for amount in 0..4 {
            let form = format!(
                "amount={}&currency=usd&payment_method=pm_card_visa&confirm=true",
                1_000 + amount
            );
            assert_eq!(server.send(key, "POST", "/v1/payment_intents", &form, &[]).status, 200);
        }
        receiver.until(path, "each event once", |came| firsts(came).len() >= 12);
    }
    assert_eq!(server.stop(), Some(0));
    let before: Vec<Vec<Delivery>> = paths.iter().map(|path| receiver.came(path)).collect();
    refuses.store(false, Ordering::Relaxed);
    let file = server.data().with_file_name("export");
    let file = file.to_str().expect("UTF-8");
    let exported = server::tollgate(&["export", "--data", server.data().to_str().expect("UTF-8"), file]);
    assert!(exported.status.success(), "{exported:?}");
    let mut target = Server::on(&[("TOLLGATE_STORE__SHARDS", "3")], |data| {
        let imported = std::process::Command::new(server::binary())
            .args(["import", file, "--data", data.to_str().expect("UTF-8")])
            .env("TOLLGATE_STORE__SHARDS", "3")
            .output()
            .expect("the binary runs");
        assert!(imported.status.success(), "{imported:?}");
    });
    for (path, before) in paths.iter().zip(&before) {
        let taken: BTreeSet<&str> = before
            .iter()
            .filter(|it| it.status == 200)
            .map(|it| &*it.event)
            .collect();
        let refused: BTreeSet<&str> = before
            .iter()
            .map(|it| &*it.event)
            .filter(|it| !taken.contains(it))
            .collect();
        assert!(!refused.is_empty() && !taken.is_empty());
        // Only what was refused comes again, and is taken.
        let came = receiver.until(path, "what was refused", |came| {
            let later = came[before.len()..].iter().map(|delivery| &*delivery.event);
            later.collect::<BTreeSet<&str>>().is_superset(&refused)
        });
        let later: BTreeSet<&str> = came[before.len()..].iter().map(|delivery| &*delivery.event).collect();
        assert_eq!(later, refused);
        assert_eq!(came.len() - before.len(), later.len(), "nothing came twice");
    }
    assert_eq!(target.stop(), Some(0));
    target.start_again();
    target.verify();
}

/// What a run came to, for whoever looks at it.
fn tell(what: &str) {
    // Nobody may be looking.
    let _ = writeln!(std::io::stderr(), "{what}");
}
