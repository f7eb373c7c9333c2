//! Settings as the program uses them: read from [`crate::config_layers`], then checked, by themselves and against each
//! other. Code sees only [`Config`]; nothing else reads the environment or a settings file.

#[path = "limits_raw.rs"]
mod limits_raw;
#[path = "node_raw.rs"]
mod node_raw;
#[path = "config_raw.rs"]
mod raw;
#[path = "webhooks_raw.rs"]
mod webhooks_raw;

use crate::config_layers::{ConfigError, Flag, environment, layered};
use raw::{ALL_CALLS_PPM, Raw, refused};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tollgate_actors::settings::Pacing;
use toml::Table;

/// Every setting, checked.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The API's listener.
    pub api: Api,
    /// Where the admin listener binds.
    pub admin_listen: SocketAddr,
    /// This node of a cluster.
    pub node: Node,
    /// The data.
    pub store: Store,
    /// Shards and what bounds them.
    pub actors: Actors,
    /// Card networks.
    pub acquirer: Acquirer,
    /// Webhooks.
    pub webhooks: Webhooks,
    /// Rate limits.
    pub limits: tollgate_http::Rates,
    /// Logs.
    pub log: Log,
}

/// Settings of the API's listener.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    /// Where it binds.
    pub listen: SocketAddr,
    /// Where clients reach it, without a slash at the end; `None` for the address it binds.
    pub public_url: Option<String>,
    /// Worker threads.
    pub workers: usize,
    /// Bounds of requests and connections.
    pub bounds: tollgate_http::Bounds,
    /// How long admitted requests may take after a stop was asked for.
    pub stop_timeout: Duration,
}

/// Settings of webhooks.
#[derive(Clone, Debug)]
pub(crate) struct Webhooks {
    /// Most endpoints of an account in one mode.
    pub endpoints_max: usize,
    /// Threads that deliver.
    pub threads: usize,
    /// Threads that read for them.
    pub readers: usize,
    /// Connections, and deliveries under way, of all threads together.
    pub connections_max: usize,
    /// Memory for what is known of failed events of a shard, bytes.
    pub failed_bytes_per_shard: usize,
    /// How long an attempt may take where its endpoint says nothing of it.
    pub timeout: Duration,
    /// When a failed delivery is tried again where its endpoint says nothing of it.
    pub schedule: tollgate_webhooks::Schedule,
    /// Networks that may be sent to although they are not public.
    pub allow: Vec<tollgate_webhooks::egress::Network>,
    /// Authorities that are believed beside the public ones.
    pub ca_file: Option<PathBuf>,
    /// A proxy that everything goes through.
    pub proxy: Option<std::sync::Arc<str>>,
    /// Bytes that the log of attempts takes in a data directory.
    pub log_bytes_max: u64,
    /// Attempts that succeeded which are logged a second; those that failed all are.
    pub log_successes_per_s: u32,
    /// How long deliveries under way may take after a stop was asked for.
    pub stop_timeout: Duration,
}

/// Settings of the store.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// Data directory.
    pub data: PathBuf,
    /// Size of a journal file, bytes.
    pub segment_bytes: u64,
    /// Shards of newly created data.
    pub shards: u16,
    /// Hours an idempotent answer is remembered.
    pub idempotency_hours: u32,
    /// Where the journal is.
    pub kind: Kind,
    /// The cluster, if it is there.
    pub cql: Cql,
}

impl Store {
    /// The files of a data directory, instead of what the settings name.
    pub(crate) fn use_directory(&mut self, data: &Path) {
        self.kind = Kind::Embedded;
        data.clone_into(&mut self.data);
    }
}

/// Where the journal is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// In files of the data directory.
    Embedded,
    /// In a cluster.
    Cql,
}

/// Settings of the cluster store.
#[derive(Clone, Debug)]
pub(crate) struct Cql {
    /// The cluster and the keyspace.
    pub settings: tollgate_store_scylla::Settings,
    /// Memory for blocks, bytes.
    pub cache_bytes: u64,
    /// Memory for the indexes' files, bytes.
    pub index_cache_bytes: u64,
    /// How blocks of a shard follow each other.
    pub pacing: Pacing,
}

/// Settings of a node of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Its name; empty for the machine's.
    pub id: String,
    /// Where other nodes reach it.
    pub listen: SocketAddr,
    /// The address that the others are told, if it is another one.
    pub advertise: Option<SocketAddr>,
    /// How fast nodes notice each other.
    pub pace: tollgate_cluster::Pace,
    /// Bounds of what goes from node to node.
    pub bounds: tollgate_http::NodeBounds,
}

/// Settings of the shards.
#[derive(Clone, Debug)]
pub(crate) struct Actors {
    /// Lane threads.
    pub lanes: usize,
    /// Reader threads.
    pub readers: usize,
    /// Messages of a shard's turn.
    pub turn_messages: usize,
    /// Records from which a block is closed.
    pub block_records: usize,
    /// Bytes from which a block is closed.
    pub block_bytes: usize,
    /// How long blocks may wait for more records, milliseconds.
    pub block_gap_ms: u64,
    /// Requests of all shards under way.
    pub permits_per_node: u32,
    /// Requests of a shard under way.
    pub permits_per_shard: u32,
    /// Requests of an account under way.
    pub permits_per_account: u32,
    /// How long a duplicate of a key waits for the first, and a request for a busy object.
    pub key_wait: Duration,
    /// Objects of a shard kept in memory.
    pub objects_per_shard: usize,
    /// Answered idempotency keys of a shard kept in memory.
    pub keys_per_shard: usize,
    /// Accounts of a shard kept in memory.
    pub accounts_per_shard: usize,
}

/// Settings of the card networks.
#[derive(Clone, Debug)]
pub(crate) struct Acquirer {
    /// Whether cards that do not choose go to the remote network.
    pub remote: bool,
    /// When the client hears `processing`.
    pub attempt_deadline: Duration,
    /// Behaviour of the simulated remote network.
    pub simulated: SimulatedNetwork,
}

/// Behaviour of the simulated remote network; faults in calls per million.
#[derive(Clone, Debug)]
pub(crate) struct SimulatedNetwork {
    /// Fixed part of the answer time.
    pub latency: Duration,
    /// Random part of it, at most.
    pub jitter: Duration,
    /// Declined.
    pub declined_ppm: u32,
    /// The request never arrives.
    pub lost_request_ppm: u32,
    /// The answer never arrives.
    pub lost_answer_ppm: u32,
    /// The answer comes after the deadline.
    pub late_ppm: u32,
    /// Seed of its chance.
    pub seed: u64,
}

/// Settings of the logs.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    /// Whether each line is a JSON object.
    pub json: bool,
    /// Level or filter.
    pub level: String,
}

impl Config {
    /// Reads and checks the settings of all layers.
    pub(crate) fn load(file: Option<&Path>, flags: &[Flag]) -> Result<Config, ConfigError> {
        Config::of(layered(file, environment(), flags)?)
    }

    /// Checks settings that were put together.
    pub(crate) fn of(settings: Table) -> Result<Config, ConfigError> {
        let raw: Raw = settings
            .try_into()
            .map_err(|why: toml::de::Error| ConfigError::Syntax {
                place: "settings".to_owned(),
                why: why.to_string().trim_end().to_owned(),
            })?;
        raw.checked()
    }
}

/// Relations between settings, each with its reason.
fn relations(config: &Config) -> Result<(), ConfigError> {
    let actors = &config.actors;
    if actors.lanes > usize::from(config.store.shards) {
        let why = format!(
            "more lanes than shards ({}) would have nothing to run",
            config.store.shards
        );
        return Err(refused("actors.lanes", actors.lanes, &why));
    }
    if actors.permits_per_account > actors.permits_per_shard {
        let why = format!(
            "cannot exceed actors.permits_per_shard ({}), of which it is a part",
            actors.permits_per_shard
        );
        return Err(refused("actors.permits_per_account", actors.permits_per_account, &why));
    }
    let simulated = &config.acquirer.simulated;
    if simulated.latency + simulated.jitter >= config.acquirer.attempt_deadline {
        let why =
            "with acquirer.jitter_ms it reaches acquirer.attempt_deadline_ms: no payment would be answered in time";
        return Err(refused("acquirer.latency_ms", simulated.latency.as_millis(), why));
    }
    let faults = [
        simulated.declined_ppm,
        simulated.lost_request_ppm,
        simulated.lost_answer_ppm,
        simulated.late_ppm,
    ]
    .map(i64::from);
    if faults.iter().sum::<i64>() > ALL_CALLS_PPM {
        let why = "with the other faults more than a million calls of a million would fail";
        return Err(refused("acquirer.declined_ppm", simulated.declined_ppm, why));
    }
    let bounds = &config.api.bounds;
    if bounds.body_bytes_in_flight_max < bounds.body_bytes_max {
        let why = format!(
            "must hold at least one body of api.body_bytes_max ({} bytes)",
            bounds.body_bytes_max
        );
        return Err(refused(
            "api.body_bytes_in_flight_max",
            bounds.body_bytes_in_flight_max,
            &why,
        ));
    }
    if bounds.connections_max < config.api.workers {
        let why = format!(
            "must be at least api.workers ({}), or a worker could take no connection",
            config.api.workers
        );
        return Err(refused("api.connections_max", bounds.connections_max, &why));
    }
    if config.api.listen == config.admin_listen && config.api.listen.port() != 0 {
        return Err(refused(
            "admin.listen",
            config.admin_listen,
            "is the API's address; give it a port of its own",
        ));
    }
    if config.store.kind == Kind::Cql {
        return node_relations(config);
    }
    Ok(())
}

/// What holds between settings where there are other nodes.
fn node_relations(config: &Config) -> Result<(), ConfigError> {
    let node = &config.node;
    if node.advertise.is_none() && node.listen.ip().is_unspecified() {
        let why = "listens everywhere; say in node.advertise which address the other nodes connect to";
        return Err(refused("node.listen", node.listen, why));
    }
    let taken = [("api.listen", config.api.listen), ("admin.listen", config.admin_listen)];
    let same = taken
        .iter()
        .find(|(_, other)| *other == node.listen && other.port() != 0);
    if let Some((name, _)) = same {
        let why = format!("is {name} as well; give it a port of its own");
        return Err(refused("node.listen", node.listen, &why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_layers::DEFAULTS;

    fn with(overrides: &[Flag]) -> Result<Config, ConfigError> {
        let settings = layered(None, std::iter::empty(), overrides)?;
        settings
            .try_into::<Raw>()
            .expect("types are those of the defaults")
            .checked()
    }

    #[test]
    fn built_in_settings_are_complete_and_valid() {
        let config = with(&[]).unwrap();
        assert_eq!(config.api.listen.to_string(), "127.0.0.1:12111");
        assert_eq!(config.admin_listen.to_string(), "127.0.0.1:12120");
        assert_eq!(config.store.data, PathBuf::from("./data"));
        assert_eq!(config.store.idempotency_hours, 24);
    }

    #[test]
    fn every_built_in_key_is_explained() {
        let mut explained = false;
        for line in DEFAULTS.lines() {
            if line.starts_with('#') {
                explained = true;
            } else if line.is_empty() || line.starts_with('[') {
                explained = false;
            } else {
                assert!(explained, "{line} has no comment above it");
            }
        }
    }

    #[test]
    fn relations_between_limits_are_asserted_with_reasons() {
        let table: &[(&[Flag], &str)] = &[
            (
                &[("actors.lanes", "9".into())],
                "actors.lanes = 9: more lanes than shards (8)",
            ),
            (
                &[("actors.permits_per_account", "9999".into())],
                "actors.permits_per_account = 9999: cannot exceed",
            ),
            (
                &[("acquirer.latency_ms", "9950".into())],
                "acquirer.latency_ms = 9950: with",
            ),
            (
                &[
                    ("acquirer.late_ppm", "600000".into()),
                    ("acquirer.declined_ppm", "500000".into()),
                ],
                "acquirer.declined_ppm",
            ),
            (
                &[("api.body_bytes_max", "9000000000".into())],
                "api.body_bytes_max = 9000000000: must be from",
            ),
            (
                &[("store.idempotency_hours", "1".into())],
                "store.idempotency_hours = 1: must be from 24",
            ),
            (
                &[("store.kind", "memory".into())],
                "store.kind = memory: must be one of: embedded, cql",
            ),
            (
                &[("node.suspect_ms", "2000".into())],
                "node.suspect_ms = 2000: must be at least three times node.beat_ms",
            ),
            (
                &[("node.move_patience_ms", "30000".into())],
                "node.move_patience_ms = 30000: must be below node.answer_timeout_ms (30000)",
            ),
            (
                &[("node.connections_max", "2000".into())],
                "node.connections_max = 2000: must be at least node.in_flight_max (2048)",
            ),
            (
                &[("store.kind", "cql".into()), ("node.listen", "0.0.0.0:12112".into())],
                "node.listen = 0.0.0.0:12112: listens everywhere; say in node.advertise",
            ),
            (
                &[("node.advertise", "10.0.0.1:0".into())],
                "node.advertise = 10.0.0.1:0: must be an address and a port",
            ),
            (
                &[("store.kind", "cql".into()), ("node.listen", "127.0.0.1:12111".into())],
                "node.listen = 127.0.0.1:12111: is api.listen as well",
            ),
            (
                &[("api.public_url", "pay.example.com".into())],
                "api.public_url = pay.example.com: must be empty, or http:// or https:// and a host",
            ),
            (
                &[("api.listen", "nowhere".into())],
                "api.listen = nowhere: must be HOST:PORT",
            ),
            (
                &[("limits.accounts", "acct_x=5/5".into())],
                "limits.accounts = acct_x=5/5: must be ACCOUNT=TIER with a tier of",
            ),
            (
                &[("actors.block_records", "1001".into())],
                "actors.block_records = 1001: must be from 1 to 1000",
            ),
            (
                &[("admin.listen", "127.0.0.1:12111".into())],
                "admin.listen = 127.0.0.1:12111: is the API's address",
            ),
        ];
        for (overrides, expected) in table {
            let refusal = with(overrides).expect_err(expected).to_string();
            assert!(refusal.starts_with(expected), "{refusal}");
        }
    }
}
