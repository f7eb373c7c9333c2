//! Several nodes of Tollgate on three nodes of Cassandra, and plugs pulled in any order: whatever stops, dies or leaves,
//! nothing acknowledged is lost, nothing is invented, no key pays twice.
//!
//! Clients ask all nodes all the time and retry under their keys; in the end every request has its answer, and all that
//! the nodes hold is compared with what the clients know. Wants TOLLGATE_CASSANDRA_JARS, as `tests/run cql` sets it; more
//! faults by TOLLGATE_FAULTS. Reading order: [`plugs`] (what is pulled, and when), [`nodes`],
//! [`cassandra`]; and [`schema`], which many make at once.

mod cassandra;
mod nodes;
mod plugs;
mod schema;

#[path = "../harness/audit.rs"]
mod audit;
#[path = "../harness/clients.rs"]
mod clients;
#[path = "../harness/connection.rs"]
mod connection;
#[path = "../harness/keyspace.rs"]
mod keyspace;
#[path = "../harness/log.rs"]
mod log;
#[path = "../harness/random.rs"]
mod random;
#[path = "../harness/server.rs"]
mod server;
