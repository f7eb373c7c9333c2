//! The store on a live cluster. Wants TOLLGATE_CQL with its contact points, as `tests/run cql` sets it.

mod barrier;
mod conformance;
mod faults;
mod import;
mod index;
mod nodes;
mod ownership;
mod proxied;
mod raw;
mod schema;
mod trail;
mod uploads;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tollgate_store::{AccountRef, ShardId};
use tollgate_store_scylla::{Cluster, Limits, Options, Settings, ShardOf, apply_schema};

/// Shards of every store here.
const SHARDS: u16 = tollgate_store::conformance::SHARDS;

/// The cluster under test, with a keyspace that no other test uses.
fn settings() -> Settings {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let points = std::env::var("TOLLGATE_CQL").expect("TOLLGATE_CQL names no cluster; use `tests/run cql`");
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Settings {
        contact_points: points.split(',').map(str::to_owned).collect(),
        keyspace: format!("test_{}_{number}", std::process::id()),
        local_datacenter: "datacenter1".to_owned(),
        replication_factor: u16::try_from(points.split(',').count()).expect("few nodes"),
        login: None,
        tls: None,
        connections_per_node: 2,
        timeout: Duration::from_secs(10),
    }
}

/// A keyspace with its schema.
fn applied() -> Settings {
    let settings = settings();
    apply_schema(&settings, SHARDS).expect("the schema applies");
    settings
}

fn open_as(node: &str, settings: &Settings, shard_of: &ShardOf) -> Arc<Cluster> {
    Cluster::open(options(node, settings, shard_of)).expect("the store opens")
}

fn options(node: &str, settings: &Settings, shard_of: &ShardOf) -> Options {
    Options::new(settings.clone(), node, "127.0.0.1:1", Arc::clone(shard_of))
}

/// With an index that moves to files all the time, and files that go as soon as nothing names them.
fn restless(recent_records: u64) -> impl Fn(Options) -> Options {
    move |options| Options {
        index: Limits {
            recent_records,
            merged_runs: 3,
            ..options.index
        },
        remove_files_after: Duration::ZERO,
        ..options
    }
}

/// Every account in shard 0.
fn one_shard() -> ShardOf {
    Arc::new(|_: AccountRef, _| ShardId(0))
}
