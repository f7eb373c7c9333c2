//! `tollgate index rebuild`: builds indexes again from the journal. Those of a cluster while they serve, through the node that
//! has the shards; that of a data directory while no server has it.

use crate::admin_client::{address, ask};
use crate::config::Config;
use crate::exit::Failure;
use crate::output::print;
use crate::place::Place;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Weak;
use std::time::Duration;
use tollgate_store::ShardId;
use tollgate_store_embedded::{Embedded, Options};
use tollgate_store_scylla::Cluster;

/// How often a server is asked whether it has ended.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// The indexes of a running server's store, if they can be built again while it serves.
pub(crate) struct Indexes(pub(crate) Option<Weak<Cluster>>);

impl Indexes {
    /// Each index that is here: `{"indexes": […]}`.
    pub(crate) fn told(&self) -> Result<Value, String> {
        let Some(store) = self.0.as_ref().and_then(Weak::upgrade) else {
            return Err(
                "the index of a data directory is built again while no server has it: `tollgate index rebuild --data DIR`".into(),
            );
        };
        let told = store.indexes().into_iter().map(|state| {
            let shard = match state.shard {
                ShardId::DIRECTORY => "directory".into(),
                ShardId(shard) => json!(shard),
            };
            json!({
                "shard": shard,
                "blocks": state.blocks,
                "built_again": state.built,
                "rebuilding": state.rebuilding,
            })
        });
        Ok(json!({ "indexes": told.collect::<Vec<Value>>() }))
    }

    /// Begins to build the index of a shard again, or of all that are here; and how they stand.
    pub(crate) fn rebuild(&self, shard: Option<u16>) -> Result<Value, String> {
        if let Some(store) = self.0.as_ref().and_then(Weak::upgrade) {
            if shard.is_some_and(|shard| shard >= store.shards()) {
                return Err(format!("there are {} shards, numbered from 0", store.shards()));
            }
            let wanted = store.indexes().into_iter().map(|state| state.shard);
            let wanted: Vec<ShardId> = wanted
                .filter(|here| shard.is_none_or(|shard| here.0 == shard))
                .collect();
            if wanted.is_empty() {
                return Err("that shard is not served here; ask the node that has it".into());
            }
            for shard in wanted {
                store.rebuild_index(shard);
            }
        }
        self.told()
    }
}

/// Asks a running server to build indexes again, and waits until it has.
pub(crate) fn rebuild_served(admin: Option<&str>, shard: Option<u16>) -> Result<(), Failure> {
    let url = address(admin)?;
    let mut told = ask(&url, "/admin/indexes/rebuild", Some(&json!({ "shard": shard })))?;
    let named = |told: &Value| {
        let all = told["indexes"].as_array().cloned().unwrap_or_default();
        let wanted = move |index: &Value| shard.is_none_or(|shard| index["shard"] == shard);
        all.into_iter().filter(wanted).collect::<Vec<Value>>()
    };
    while named(&told).iter().any(|index| index["rebuilding"] == true) {
        std::thread::sleep(ASK_EVERY);
        told = ask(&url, "/admin/indexes", None)?;
    }
    let blocks: u64 = named(&told).iter().filter_map(|index| index["blocks"].as_u64()).sum();
    print(&format!(
        "{} indexes built again from {blocks} blocks\n",
        named(&told).len()
    ))
}

/// Builds the index of a data directory again, as the server with these settings would.
pub(crate) fn rebuild_directory(data: &Path, settings: Option<&Path>) -> Result<(), Failure> {
    Place::Directory(data.to_owned()).there()?;
    let options = options(settings)?;
    let store = Embedded::open_with_new_index(data, options).map_err(Failure::environment)?;
    let opened = store.opened();
    print(&format!(
        "the index was built again from {} blocks with {} records\n",
        opened.blocks, opened.records
    ))
}

/// How the server with these settings opens a directory. An index of keys that are kept for another time would be built again by it.
fn options(settings: Option<&Path>) -> Result<Options, Failure> {
    let store = Config::load(settings, &[])?.store;
    Ok(Options {
        segment_bytes: store.segment_bytes,
        idempotency_hours: store.idempotency_hours,
        ..Options::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_built_as_the_server_with_these_settings_builds_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("tollgate.toml");
        std::fs::write(&file, "[store]\nidempotency_hours = 2000\nsegment_mb = 8\n").expect("it is written");
        let read = options(Some(&file)).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!((read.idempotency_hours, read.segment_bytes), (2_000, 8 << 20));
    }
}
