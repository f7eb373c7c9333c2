//! Where the cluster is, and how it is spoken to.

use std::time::Duration;

/// The cluster and the keyspace. Its password does not print.
#[derive(Clone)]
pub struct Settings {
    /// `host:port` of some nodes; the others are found through them.
    pub contact_points: Vec<String>,
    /// The keyspace that holds everything.
    pub keyspace: String,
    /// The datacenter whose quorums count.
    pub local_datacenter: String,
    /// Replicas in it, where the keyspace is created here.
    pub replication_factor: u16,
    /// Name and password, where the cluster asks for them.
    pub login: Option<Login>,
    /// Connections to each node (to each of its shards, with ScyllaDB).
    pub connections_per_node: usize,
    /// How long a statement may take before its outcome counts as unknown.
    pub timeout: Duration,
}

/// Name and password. It does not print.
#[derive(Clone)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

/// Longest name of a keyspace, as the servers take it.
const KEYSPACE_MAX: usize = 48;

impl Settings {
    /// Why these cannot be used, if so.
    pub(crate) fn check(&self) -> Result<(), String> {
        let letters = |text: &str| {
            text.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        let begins = self.keyspace.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if !begins || !letters(&self.keyspace) || self.keyspace.len() > KEYSPACE_MAX {
            return Err(format!(
                "store.cql.keyspace = {:?}: a letter, then letters, digits and underscores, in lower case, at most {KEYSPACE_MAX}",
                self.keyspace
            ));
        }
        if self.contact_points.is_empty() {
            return Err("store.cql.contact_points names no node; give \"host:port\" of at least one".to_owned());
        }
        if self.local_datacenter.is_empty() || self.local_datacenter.contains(['\'', '\\']) {
            return Err(format!(
                "store.cql.local_datacenter = {:?} is no name of a datacenter",
                self.local_datacenter
            ));
        }
        Ok(())
    }
}
