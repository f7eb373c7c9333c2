//! A keyspace of its own on a cluster, with its schema, and the settings that point to it.
// Several suites include this file, and none uses all of it.
#![allow(dead_code)]

use crate::server::binary;
use serde_json::Value;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

const KIND: &str = "TOLLGATE_STORE__KIND";
const POINTS: &str = "TOLLGATE_STORE__CQL__CONTACT_POINTS";
const KEYSPACE: &str = "TOLLGATE_STORE__CQL__KEYSPACE";
const REPLICAS: &str = "TOLLGATE_STORE__CQL__REPLICATION_FACTOR";

/// A keyspace with its schema.
pub(crate) struct Keyspace {
    points: String,
    name: String,
    replicas: String,
}

impl Keyspace {
    /// On the cluster that the environment names; one replica.
    pub(crate) fn new() -> Keyspace {
        let points = std::env::var("TOLLGATE_CQL").expect("TOLLGATE_CQL names no cluster; use `tests/run cql`");
        Keyspace::on(points, 1)
    }

    /// On this cluster.
    pub(crate) fn on(points: String, replicas: usize) -> Keyspace {
        let keyspace = Keyspace::unmade(points, replicas);
        let (code, text) = keyspace.tollgate(&["schema", "apply"]);
        assert_eq!(code, Some(0), "{text}");
        keyspace
    }

    /// A name that no other test has; nothing is made yet.
    pub(crate) fn unmade(points: String, replicas: usize) -> Keyspace {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Keyspace {
            points,
            replicas: replicas.to_string(),
            name: format!("served_{}_{number}", std::process::id()),
        }
    }

    /// The same keyspace, spoken to through these contact points at first.
    pub(crate) fn through(&self, points: &str) -> Keyspace {
        Keyspace {
            points: points.to_owned(),
            replicas: self.replicas.clone(),
            name: self.name.clone(),
        }
    }

    /// For the environment of a server or a command.
    pub(crate) fn settings(&self) -> Vec<(&str, &str)> {
        self.node("node")
    }

    /// For the environment of a node with this name. Nodes of the tests notice each other sooner than by default.
    pub(crate) fn node<'a>(&'a self, name: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            (KIND, "cql"),
            (POINTS, &self.points),
            (KEYSPACE, &self.name),
            (REPLICAS, &self.replicas),
            ("TOLLGATE_NODE__ID", name),
            ("TOLLGATE_NODE__LISTEN", "127.0.0.1:0"),
            ("TOLLGATE_NODE__BEAT_MS", "250"),
            ("TOLLGATE_NODE__SUSPECT_MS", "1500"),
            ("TOLLGATE_NODE__STEADY_MS", "500"),
        ]
    }

    /// Runs a command with these settings; its exit code and all it said.
    pub(crate) fn tollgate(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let said = Command::new(binary()).args(arguments).envs(self.settings()).output();
        let said = said.expect("the binary runs");
        let text = [said.stdout, said.stderr].concat();
        (said.status.code(), String::from_utf8_lossy(&text).into_owned())
    }

    /// Audits the journal, whether or not nodes are at work on it, and asserts that it is clean; the report.
    pub(crate) fn verify(&self) -> Value {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let name = file.path().to_str().expect("UTF-8");
        let said = Command::new(binary())
            .args(["verify", "--json", "--config", name])
            .envs(self.settings())
            .output()
            .expect("the binary runs");
        let text = String::from_utf8_lossy(&said.stdout);
        let errors = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(0), "{text}{errors}");
        serde_json::from_str(&text).expect("a report")
    }
}
