//! Settings as they are written, and what each of them may be.

use super::limits_raw::RawLimits;
use super::node_raw::RawNode;
use super::webhooks_raw::RawWebhooks;
use super::{Acquirer, Actors, Api, Config, Cql, Kind, Log, SimulatedNetwork, Store};
use crate::config_layers::ConfigError;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tollgate_actors::settings::{
    BLOCK_BYTES_MAX, BLOCK_GAP_MS_MAX, BLOCK_GAP_RECORDS_MAX, BLOCK_RECORDS_MAX, PERMITS_PER_NODE_MAX,
    PERMITS_PER_SHARD_MAX, Pacing, TURN_MESSAGES_MAX,
};
use tollgate_store_scylla::{ClientCertificate, Login, Settings, Tls};

/// The settings as they are written; one field per key of `config/default.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    api: RawApi,
    admin: RawAdmin,
    store: RawStore,
    node: RawNode,
    actors: RawActors,
    acquirer: RawAcquirer,
    webhooks: RawWebhooks,
    limits: RawLimits,
    log: RawLog,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawApi {
    listen: String,
    public_url: String,
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
    cql: RawCql,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCql {
    contact_points: Vec<String>,
    keyspace: String,
    local_datacenter: String,
    replication_factor: i64,
    user: String,
    password: String,
    password_file: String,
    tls_ca: String,
    tls_certificate: String,
    tls_key: String,
    connections_per_node: i64,
    timeout_ms: i64,
    cache_mb: i64,
    index_cache_mb: i64,
    block_gap_ms: i64,
    block_gap_records: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawActors {
    lanes: i64,
    readers: i64,
    turn_messages: i64,
    block_records: i64,
    block_bytes: i64,
    block_gap_ms: i64,
    permits_per_node: i64,
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
struct RawLog {
    format: String,
    level: String,
}

/// Calls per million that make all of them.
pub(super) const ALL_CALLS_PPM: i64 = 1_000_000;

impl Raw {
    /// The settings, if each of them and all together make sense.
    pub(super) fn checked(self) -> Result<Config, ConfigError> {
        let config = Config {
            api: self.api.checked()?,
            admin_listen: address("admin.listen", &self.admin.listen)?,
            node: self.node.checked()?,
            store: self.store.checked()?,
            actors: self.actors.checked()?,
            acquirer: self.acquirer.checked()?,
            webhooks: self.webhooks.checked()?,
            limits: self.limits.checked()?,
            log: Log {
                json: choice("log.format", &self.log.format, &["text", "json"])? == 1,
                level: self.log.level,
            },
        };
        super::relations(&config)?;
        Ok(config)
    }
}

impl RawApi {
    fn checked(self) -> Result<Api, ConfigError> {
        Ok(Api {
            listen: address("api.listen", &self.listen)?,
            public_url: public_url(&self.public_url)?,
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
        let kind = match choice("store.kind", &self.kind, &["embedded", "cql"])? {
            0 => Kind::Embedded,
            _ => Kind::Cql,
        };
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
            kind,
            cql: self.cql.checked()?,
        })
    }
}

impl RawCql {
    fn checked(self) -> Result<Cql, ConfigError> {
        let password = password(self.password, &self.password_file)?;
        let login = (!self.user.is_empty()).then(|| Login {
            user: self.user.clone(),
            password,
        });
        let settings = Settings {
            contact_points: self.contact_points,
            keyspace: self.keyspace,
            local_datacenter: self.local_datacenter,
            replication_factor: number("store.cql.replication_factor", self.replication_factor, 1, 100)?,
            login,
            tls: tls(self.tls_ca, self.tls_certificate, self.tls_key)?,
            connections_per_node: number("store.cql.connections_per_node", self.connections_per_node, 1, 64)?,
            timeout: millis("store.cql.timeout_ms", self.timeout_ms, 100, 600_000)?,
        };
        settings
            .check()
            .map_err(|wrong| refused(wrong.name, &wrong.value, wrong.why))?;
        Ok(Cql {
            settings,
            cache_bytes: number::<u64>("store.cql.cache_mb", self.cache_mb, 1, 1 << 20)? << 20,
            index_cache_bytes: number::<u64>("store.cql.index_cache_mb", self.index_cache_mb, 1, 1 << 20)? << 20,
            pacing: Pacing::Shard {
                gap_ms: number("store.cql.block_gap_ms", self.block_gap_ms, 0, BLOCK_GAP_MS_MAX as i64)?,
                records: number(
                    "store.cql.block_gap_records",
                    self.block_gap_records,
                    1,
                    i64::from(BLOCK_GAP_RECORDS_MAX),
                )?,
            },
        })
    }
}

/// The password of the login: as it is written, or the first line of a file.
fn password(written: String, file: &str) -> Result<String, ConfigError> {
    const NAME: &str = "store.cql.password_file";
    if file.is_empty() {
        return Ok(written);
    }
    if !written.is_empty() {
        return Err(refused(
            NAME,
            file,
            "store.cql.password is set as well; give one of them",
        ));
    }
    let text = std::fs::read_to_string(file).map_err(|error| refused(NAME, file, &error.to_string()))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(refused(
            NAME,
            file,
            "its first line is empty; the password stands there",
        )),
    }
}

fn tls(authorities: String, certificate: String, key: String) -> Result<Option<Tls>, ConfigError> {
    let client = match (certificate.is_empty(), key.is_empty()) {
        (true, true) => None,
        (false, false) => Some(ClientCertificate {
            certificate: certificate.into(),
            key: key.into(),
        }),
        (false, true) => {
            return Err(refused(
                "store.cql.tls_key",
                key,
                "give the key of store.cql.tls_certificate",
            ));
        }
        (true, false) => {
            let why = "give the certificate of store.cql.tls_key";
            return Err(refused("store.cql.tls_certificate", certificate, why));
        }
    };
    match (authorities.is_empty(), client) {
        (false, client) => Ok(Some(Tls {
            authorities: authorities.into(),
            client,
        })),
        (true, None) => Ok(None),
        (true, Some(_)) => {
            let why = "name the authorities of the nodes' certificates; without them nothing is encrypted";
            Err(refused("store.cql.tls_ca", authorities, why))
        }
    }
}

impl RawActors {
    fn checked(self) -> Result<Actors, ConfigError> {
        Ok(Actors {
            lanes: number("actors.lanes", self.lanes, 1, 256)?,
            readers: number("actors.readers", self.readers, 1, 256)?,
            turn_messages: number("actors.turn_messages", self.turn_messages, 1, TURN_MESSAGES_MAX as i64)?,
            block_records: number("actors.block_records", self.block_records, 1, BLOCK_RECORDS_MAX as i64)?,
            block_bytes: number("actors.block_bytes", self.block_bytes, 1_024, BLOCK_BYTES_MAX as i64)?,
            block_gap_ms: number("actors.block_gap_ms", self.block_gap_ms, 0, BLOCK_GAP_MS_MAX as i64)?,
            permits_per_node: number(
                "actors.permits_per_node",
                self.permits_per_node,
                1,
                PERMITS_PER_NODE_MAX.into(),
            )?,
            permits_per_shard: number(
                "actors.permits_per_shard",
                self.permits_per_shard,
                1,
                PERMITS_PER_SHARD_MAX.into(),
            )?,
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

pub(super) fn refused(name: &'static str, value: impl ToString, why: &str) -> ConfigError {
    ConfigError::Value {
        name,
        value: value.to_string(),
        why: why.to_owned(),
    }
}

pub(super) fn number<N: TryFrom<i64>>(name: &'static str, value: i64, min: i64, max: i64) -> Result<N, ConfigError> {
    let bounded = || (min..=max).contains(&value).then(|| N::try_from(value).ok()).flatten();
    bounded().ok_or_else(|| refused(name, value, &format!("must be from {min} to {max}")))
}

pub(super) fn millis(name: &'static str, value: i64, min: i64, max: i64) -> Result<Duration, ConfigError> {
    number(name, value, min, max).map(Duration::from_millis)
}

fn choice(name: &'static str, value: &str, among: &[&str]) -> Result<usize, ConfigError> {
    let found = among.iter().position(|known| *known == value);
    found.ok_or_else(|| refused(name, value, &format!("must be one of: {}", among.join(", "))))
}

fn public_url(value: &str) -> Result<Option<String>, ConfigError> {
    let text = value.trim_end_matches('/');
    if text.is_empty() {
        return Ok(None);
    }
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._~:/[]%".contains(letter);
    if !host.is_some_and(|host| !host.is_empty() && host.chars().all(plain)) {
        let why = "must be empty, or http:// or https:// and a host, for example https://pay.example.com";
        return Err(refused("api.public_url", value, why));
    }
    Ok(Some(text.to_owned()))
}

pub(super) fn address(name: &'static str, value: &str) -> Result<SocketAddr, ConfigError> {
    use std::net::ToSocketAddrs;
    let why = "must be HOST:PORT, for example 127.0.0.1:12111; port 0 takes a free one";
    let found = value.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    found.ok_or_else(|| refused(name, value, why))
}
