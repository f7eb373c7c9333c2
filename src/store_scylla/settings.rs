//! Where the cluster is, and how it is spoken to.

use crate::tls::Tls;
use std::time::Duration;

/// The cluster and the keyspace. Its password does not print.
#[derive(Clone, Debug)]
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
    /// How the way there is encrypted, if it is.
    pub tls: Option<Tls>,
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

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login")
    }
}

/// Longest name of a keyspace, as the servers take it.
const KEYSPACE_MAX: usize = 48;

/// A setting that cannot be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{name} = {value:?}: {why}")]
pub struct Wrong {
    /// The setting.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// Why not, and what would do.
    pub why: &'static str,
}

impl Settings {
    /// Why these cannot be used, if so.
    ///
    /// # Errors
    /// The first setting that is wrong by itself.
    pub fn check(&self) -> Result<(), Wrong> {
        let wrong = |name, value: &str, why| {
            let value = value.to_owned();
            Err(Wrong { name, value, why })
        };
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let begins = self
            .keyspace
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_lowercase());
        if !begins || !self.keyspace.bytes().all(letters) || self.keyspace.len() > KEYSPACE_MAX {
            let why = "a letter, then letters, digits and underscores, in lower case, at most 48";
            return wrong("store.cql.keyspace", &self.keyspace, why);
        }
        if self.contact_points.is_empty() {
            return wrong(
                "store.cql.contact_points",
                "",
                "give \"HOST:PORT\" of at least one node",
            );
        }
        let odd = self.local_datacenter.contains(['\'', '\\', '"']);
        if self.local_datacenter.is_empty() || odd {
            let why = "the name of the datacenter that is near, as the cluster has it";
            return wrong("store.cql.local_datacenter", &self.local_datacenter, why);
        }
        Ok(())
    }
}
