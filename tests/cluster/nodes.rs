//! Nodes of Tollgate on one keyspace, and whatever of them answers just now.

use crate::audit::Served;
use crate::keyspace::Keyspace;
use crate::server::Server;
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// Clients rest so long: it is about plugs, not about speed, and all of it is read again in the end.
const REST: Duration = Duration::from_millis(150);

/// The nodes as clients see them: addresses, in turn.
pub(crate) struct Nodes {
    keyspace: Keyspace,
    addresses: Mutex<Vec<String>>,
    turn: AtomicUsize,
}

impl Nodes {
    /// Starts so many nodes on a new keyspace.
    pub(crate) fn start(count: usize, keyspace: Keyspace, environment: &[(&str, &str)]) -> (Nodes, Vec<Server>) {
        let start = |number: usize| {
            let name = format!("node{number}");
            let own = [
                ("TOLLGATE_NODE__ID", name.as_str()),
                ("TOLLGATE_NODE__LISTEN", "127.0.0.1:0"),
            ];
            let own = &own[..if count == 1 { 1 } else { 2 }];
            Server::with(&[], &[&keyspace.settings()[..], own, environment].concat())
        };
        let servers: Vec<Server> = (0..count).map(start).collect();
        let nodes = Nodes {
            keyspace,
            addresses: Mutex::new(Vec::new()),
            turn: AtomicUsize::new(0),
        };
        nodes.meet(&servers);
        (nodes, servers)
    }

    /// From now on these are asked.
    pub(crate) fn meet(&self, servers: &[Server]) {
        *self.addresses() = servers.iter().map(|server| server.api.clone()).collect();
    }

    fn addresses(&self) -> MutexGuard<'_, Vec<String>> {
        self.addresses.lock().expect("nobody panics with it")
    }
}

impl Served for Nodes {
    fn api(&self) -> String {
        let addresses = self.addresses();
        addresses[self.turn.fetch_add(1, Relaxed) % addresses.len()].clone()
    }

    fn audited(&self) -> Value {
        self.keyspace.verify()
    }

    fn has_ended(&self) -> bool {
        false
    }

    fn moves(&self) -> bool {
        true
    }

    fn rest(&self) -> Duration {
        REST
    }
}
