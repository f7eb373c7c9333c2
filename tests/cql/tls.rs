//! A server whose way to a live cluster is encrypted, with certificates on both sides and a login. Wants TOLLGATE_CQL_TLS with
//! what `tests/cql/cassandra.py --tls` says, as `tests/run cql` sets it.

#[path = "../harness/server.rs"]
mod server;

use serde_json::Value;
use server::{Server, binary};
use std::process::Command;

type Settings = Vec<(String, String)>;

/// Settings of a cluster that is reached by these means, and the folder of its certificates.
fn settings(keyspace: &str) -> Settings {
    let said = std::env::var("TOLLGATE_CQL_TLS").expect("TOLLGATE_CQL_TLS names no cluster; use `tests/run cql`");
    let said: Value = serde_json::from_str(&said).expect("JSON");
    let dir = said["dir"].as_str().expect("a directory");
    let points: Vec<&str> = said["contact_points"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let password = format!("{dir}/password");
    std::fs::write(&password, "cassandra\n").expect("written");
    let cql = |name: &str, value: String| (format!("TOLLGATE_STORE__CQL__{name}"), value);
    vec![
        ("TOLLGATE_STORE__KIND".to_owned(), "cql".to_owned()),
        cql("CONTACT_POINTS", points.join(",")),
        cql("KEYSPACE", keyspace.to_owned()),
        cql("REPLICATION_FACTOR", "1".to_owned()),
        cql("USER", "cassandra".to_owned()),
        cql("PASSWORD_FILE", password),
        cql("TLS_CA", format!("{dir}/ca.pem")),
        cql("TLS_CERTIFICATE", format!("{dir}/client.pem")),
        cql("TLS_KEY", format!("{dir}/client.pem")),
        cql("INDEX_CACHE_MB", "8".to_owned()),
    ]
}

/// The same with other values; an empty one is as good as none.
fn with(settings: &Settings, others: &[(&str, &str)]) -> Settings {
    let mut settings = settings.clone();
    for (name, value) in others {
        let setting = settings.iter_mut().find(|(known, _)| known.ends_with(name));
        setting.expect("a setting").1 = (*value).to_owned();
    }
    settings
}

fn apply(settings: &Settings) -> (Option<i32>, String) {
    let said = Command::new(binary())
        .args(["schema", "apply"])
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .output()
        .expect("the binary runs");
    let text = [said.stdout, said.stderr].concat();
    (said.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn payments_go_through_an_encrypted_way() {
    let settings = settings("encrypted");
    let (code, text) = apply(&settings);
    assert_eq!(code, Some(0), "{text}");
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (&name[..], &value[..])).collect();
    let mut server = Server::with(&[], &settings);
    assert_eq!(server.pay(1_000)["status"], "succeeded");
    assert_eq!(server.stop(), Some(0), "{}", server.log());
}

/// Settings that are other than they should be, how the command ends, and a word of why.
type Refused<'a> = (&'a [(&'a str, &'a str)], i32, &'a str);

#[test]
fn whoever_is_not_let_in_is_told_why() {
    let settings = settings("refused");
    let client = settings
        .iter()
        .find(|(name, _)| name.ends_with("TLS_KEY"))
        .expect("a key")
        .1
        .clone();
    let table: [Refused<'_>; 8] = [
        (
            &[("TLS_CA", ""), ("TLS_CERTIFICATE", ""), ("TLS_KEY", "")],
            3,
            "lets us in",
        ),
        (&[("TLS_CA", &client)], 3, "certificate"),
        (&[("TLS_CERTIFICATE", ""), ("TLS_KEY", "")], 3, "lets us in"),
        (&[("TLS_CA", "nowhere.pem")], 3, "store.cql.tls_ca"),
        (&[("TLS_KEY", "")], 2, "store.cql.tls_key"),
        (&[("TLS_CA", "")], 2, "store.cql.tls_ca"),
        (&[("PASSWORD_FILE", "nowhere")], 2, "store.cql.password_file"),
        (&[("PASSWORD_FILE", &client)], 3, "lets us in"),
    ];
    for (others, exit, why) in table {
        let (code, text) = apply(&with(&settings, others));
        assert_eq!(code, Some(exit), "{others:?}: {text}");
        assert!(text.contains(why), "{others:?}: {text}");
    }
}
