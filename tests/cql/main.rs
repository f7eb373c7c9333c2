//! A server on a live cluster: payments, kills, another node on the same keyspace, the audit. Wants TOLLGATE_CQL with the
//! cluster's contact points, as `tests/run cql` sets it.

mod carry;
mod cluster;
mod deliveries;
mod forwarding;
mod handover;
mod uploads;
mod vault;

#[path = "../deliveries/checks.rs"]
mod checks;
#[path = "../harness/keyspace.rs"]
mod keyspace;
#[path = "../deliveries/receiver.rs"]
mod receiver;
#[path = "../harness/server.rs"]
mod server;

use keyspace::Keyspace;
use serde_json::Value;
use server::Server;
use std::collections::BTreeSet;

fn ids(list: &Value) -> BTreeSet<String> {
    let rows = list["data"].as_array().expect("a list");
    rows.iter()
        .map(|row| row["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn payments_survive_kills_and_the_audit_is_clean() {
    let keyspace = Keyspace::new();
    let mut server = Server::with(&[], &keyspace.settings());
    let mut paid = BTreeSet::new();
    for round in 0..3 {
        for amount in 0..10 {
            paid.insert(
                server.pay(1_000 + round * 100 + amount)["id"]
                    .as_str()
                    .expect("an id")
                    .to_owned(),
            );
        }
        server.kill_and_restart();
        assert_eq!(
            ids(&server.get("/v1/payment_intents?limit=100").json()),
            paid,
            "round {round}"
        );
    }
    assert_eq!(server.stop(), Some(0), "{}", server.log());
    assert_eq!(keyspace.verify()["payment_intents"], 30);
}

#[test]
fn an_index_is_built_again_while_its_shards_serve_and_audited() {
    let keyspace = Keyspace::new();
    let server = Server::with(&[], &keyspace.settings());
    let paid: BTreeSet<String> = (0..10)
        .map(|_| server.pay(1_000)["id"].as_str().expect("an id").to_owned())
        .collect();
    let (code, text) = keyspace.tollgate(&["index", "rebuild", "--admin", &format!("http://{}", server.admin)]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("9 indexes built again from"), "{text}");
    assert_eq!(ids(&server.get("/v1/payment_intents?limit=100").json()), paid);
    let report = keyspace.verify();
    // What is in files agrees; an index this small may be in memory alone.
    let standing = report["index"]["state"].as_str();
    assert!(matches!(standing, Some("agrees" | "absent")), "{report}");
}

#[test]
fn a_key_is_remembered_by_the_next_process() {
    let keyspace = Keyspace::new();
    let mut server = Server::with(&[], &keyspace.settings());
    let ask = |server: &Server| {
        let form = "amount=1000&currency=usd&payment_method=pm_card_visa&confirm=true";
        server.send(
            server::KEY,
            "POST",
            "/v1/payment_intents",
            form,
            &[("Idempotency-Key", "once")],
        )
    };
    let first = ask(&server);
    server.kill_and_restart();
    let again = ask(&server);
    assert_eq!(first.text, again.text);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(ids(&server.get("/v1/payment_intents").json()).len(), 1);
}
