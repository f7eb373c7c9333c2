//! Settings as the program uses them: read from [`crate::config_layers`], then checked, by themselves and against each
//! other. Code sees only [`Config`]; nothing else reads the environment or a settings file.

use crate::config_layers::{ConfigError, Flag, layered};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Every setting, checked.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The API's listener.
    pub api: Api,
    /// Where the admin listener binds.
    pub admin_listen: SocketAddr,
    /// The data.
    pub store: Store,
    /// Shards and what bounds them.
    pub actors: Actors,
    /// Card networks.
    pub acquirer: Acquirer,
    /// Rate limits.
    pub limits: RateLimits,
    /// Logs.
    pub log: Log,
}

/// Settings of the API's listener.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    /// Where it binds.
    pub listen: SocketAddr,
    /// Worker threads.
    pub workers: usize,
    /// Bounds of requests and connections.
    pub bounds: tollgate_http::Bounds,
    /// How long admitted requests may take after a stop was asked for.
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
}

/// Settings of the shards.
#[derive(Clone, Debug)]
pub(crate) struct Actors {
    /// Lane threads.
    pub lanes: usize,
    /// Reader threads.
    pub readers: usize,
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

/// The rate limit of an account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateLimits {
    /// Requests a second.
    pub per_second: u32,
    /// Requests at once after a pause.
    pub burst: u32,
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
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
        let settings = layered(file, environment, flags)?;
        let raw: Raw = settings
            .try_into()
            .map_err(|why: toml::de::Error| ConfigError::Syntax {
                place: "settings".to_owned(),
                why: why.to_string().trim_end().to_owned(),
            })?;
        raw.checked()
    }
}

/// The settings as they are written; one field per key of `config/default.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    api: RawApi,
    admin: RawAdmin,
    store: RawStore,
    actors: RawActors,
    acquirer: RawAcquirer,
    limits: RawLimits,
    log: RawLog,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawApi {
    listen: String,
    workers: i64,
    connections_max: i64,
    body_bytes_max: i64,
    body_bytes_in_flight_max: i64,
    line_bytes_max: i64,
    header_timeout_ms: i64,
    body_timeout_ms: i64,
    write_timeout_ms: i64,
    keep_alive_s: i64,
    stop_timeout_s: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAdmin {
    listen: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStore {
    kind: String,
    data: String,
    segment_mb: i64,
    shards: i64,
    idempotency_hours: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawActors {
    lanes: i64,
    readers: i64,
    permits_per_shard: i64,
    permits_per_account: i64,
    key_wait_ms: i64,
    objects_per_shard: i64,
    keys_per_shard: i64,
    accounts_per_shard: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAcquirer {
    network: String,
    attempt_deadline_ms: i64,
    latency_ms: i64,
    jitter_ms: i64,
    declined_ppm: i64,
    lost_request_ppm: i64,
    lost_answer_ppm: i64,
    late_ppm: i64,
    seed: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    account_requests_per_s: i64,
    account_burst: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLog {
    format: String,
    level: String,
}

/// Calls per million that make all of them.
const ALL_CALLS_PPM: i64 = 1_000_000;

impl Raw {
    fn checked(self) -> Result<Config, ConfigError> {
        let config = Config {
            api: self.api.checked()?,
            admin_listen: address("admin.listen", &self.admin.listen)?,
            store: self.store.checked()?,
            actors: self.actors.checked()?,
            acquirer: self.acquirer.checked()?,
            limits: RateLimits {
                per_second: number(
                    "limits.account_requests_per_s",
                    self.limits.account_requests_per_s,
                    1,
                    10_000_000,
                )?,
                burst: number("limits.account_burst", self.limits.account_burst, 1, 10_000_000)?,
            },
            log: Log {
                json: choice("log.format", &self.log.format, &["text", "json"])? == 1,
                level: self.log.level,
            },
        };
        relations(&config)?;
        Ok(config)
    }
}

impl RawApi {
    fn checked(self) -> Result<Api, ConfigError> {
        Ok(Api {
            listen: address("api.listen", &self.listen)?,
            workers: number("api.workers", self.workers, 1, 256)?,
            bounds: tollgate_http::Bounds {
                connections_max: number("api.connections_max", self.connections_max, 1, 1_000_000)?,
                body_bytes_max: number("api.body_bytes_max", self.body_bytes_max, 1024, 16 << 20)?,
                body_bytes_in_flight_max: number(
                    "api.body_bytes_in_flight_max",
                    self.body_bytes_in_flight_max,
                    1 << 20,
                    1 << 40,
                )?,
                line_bytes_max: number("api.line_bytes_max", self.line_bytes_max, 256, 32_768)?,
                header_timeout: millis("api.header_timeout_ms", self.header_timeout_ms, 1_000, 600_000)?,
                body_timeout: millis("api.body_timeout_ms", self.body_timeout_ms, 100, 600_000)?,
                write_timeout: millis("api.write_timeout_ms", self.write_timeout_ms, 1_000, 600_000)?,
                keep_alive: Duration::from_secs(number("api.keep_alive_s", self.keep_alive_s, 1, 3_600)?),
            },
            stop_timeout: Duration::from_secs(number("api.stop_timeout_s", self.stop_timeout_s, 1, 600)?),
        })
    }
}

impl RawStore {
    fn checked(self) -> Result<Store, ConfigError> {
        choice("store.kind", &self.kind, &["embedded"])?;
        if self.data.is_empty() {
            return Err(refused(
                "store.data",
                &self.data,
                "name a directory, for example ./data",
            ));
        }
        Ok(Store {
            data: PathBuf::from(self.data),
            segment_bytes: number::<u64>("store.segment_mb", self.segment_mb, 1, 1024)? << 20,
            shards: number("store.shards", self.shards, 1, 1024)?,
            idempotency_hours: number("store.idempotency_hours", self.idempotency_hours, 24, 24 * 365 * 100)?,
        })
    }
}

impl RawActors {
    fn checked(self) -> Result<Actors, ConfigError> {
        Ok(Actors {
            lanes: number("actors.lanes", self.lanes, 1, 256)?,
            readers: number("actors.readers", self.readers, 1, 256)?,
            permits_per_shard: number("actors.permits_per_shard", self.permits_per_shard, 1, 1 << 20)?,
            permits_per_account: number("actors.permits_per_account", self.permits_per_account, 1, 1 << 20)?,
            key_wait: millis("actors.key_wait_ms", self.key_wait_ms, 1, 60_000)?,
            objects_per_shard: number("actors.objects_per_shard", self.objects_per_shard, 64, 1 << 30)?,
            keys_per_shard: number("actors.keys_per_shard", self.keys_per_shard, 1, 1 << 30)?,
            accounts_per_shard: number("actors.accounts_per_shard", self.accounts_per_shard, 1, 1 << 30)?,
        })
    }
}

impl RawAcquirer {
    fn checked(self) -> Result<Acquirer, ConfigError> {
        let ppm = |name, value| number(name, value, 0, ALL_CALLS_PPM);
        Ok(Acquirer {
            remote: choice("acquirer.network", &self.network, &["instant", "remote"])? == 1,
            attempt_deadline: millis("acquirer.attempt_deadline_ms", self.attempt_deadline_ms, 10, 70_000)?,
            simulated: SimulatedNetwork {
                latency: millis("acquirer.latency_ms", self.latency_ms, 0, 60_000)?,
                jitter: millis("acquirer.jitter_ms", self.jitter_ms, 0, 60_000)?,
                declined_ppm: ppm("acquirer.declined_ppm", self.declined_ppm)?,
                lost_request_ppm: ppm("acquirer.lost_request_ppm", self.lost_request_ppm)?,
                lost_answer_ppm: ppm("acquirer.lost_answer_ppm", self.lost_answer_ppm)?,
                late_ppm: ppm("acquirer.late_ppm", self.late_ppm)?,
                seed: number("acquirer.seed", self.seed, 0, i64::MAX)?,
            },
        })
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
    Ok(())
}

fn refused(name: &'static str, value: impl ToString, why: &str) -> ConfigError {
    ConfigError::Value {
        name,
        value: value.to_string(),
        why: why.to_owned(),
    }
}

fn number<N: TryFrom<i64>>(name: &'static str, value: i64, min: i64, max: i64) -> Result<N, ConfigError> {
    let bounded = || (min..=max).contains(&value).then(|| N::try_from(value).ok()).flatten();
    bounded().ok_or_else(|| refused(name, value, &format!("must be from {min} to {max}")))
}

fn millis(name: &'static str, value: i64, min: i64, max: i64) -> Result<Duration, ConfigError> {
    number(name, value, min, max).map(Duration::from_millis)
}

fn choice(name: &'static str, value: &str, among: &[&str]) -> Result<usize, ConfigError> {
    let found = among.iter().position(|known| *known == value);
    found.ok_or_else(|| refused(name, value, &format!("must be one of: {}", among.join(", "))))
}

fn address(name: &'static str, value: &str) -> Result<SocketAddr, ConfigError> {
    use std::net::ToSocketAddrs;
    let why = "must be HOST:PORT, for example 127.0.0.1:12111; port 0 takes a free one";
    let found = value.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    found.ok_or_else(|| refused(name, value, why))
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
                &[("store.kind", "cql".into())],
                "store.kind = cql: must be one of: embedded",
            ),
            (
                &[("api.listen", "nowhere".into())],
                "api.listen = nowhere: must be HOST:PORT",
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
