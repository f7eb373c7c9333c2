//! The cluster store: the journal in ScyllaDB or Apache Cassandra. Nothing depends on clocks or luck: a block is appended by
//! one conditional write that the shard's fence guards, and one whose outcome is unknown is looked up before anybody is
//! told anything (see `protocol`).
//!
//! What always holds: a block is answered `Durable` only after a quorum has it, in its place, under the fence of the epoch
//! that wrote it; once a claim has returned, no block of an older epoch becomes durable.
//!
//! Each shard has an index of its own (the room store_index), whose files are rows of the cluster as well: whoever takes a
//! shard over reads the newest manifest and the journal's tail behind it. It is never trusted over the journal: an index
//! that does not check out, at the start or later, is built again from the blocks.

mod answer;
mod barrier;
mod block;
mod compare;
mod failure;
mod import;
mod index;
mod index_files;
mod link;
mod manifests;
mod nodes;
mod pieces;
mod port;
mod protocol;
mod reader;
mod retry;
mod runtime;
mod scan;
mod schema;
mod schema_lock;
mod server;
mod settings;
mod shard;
#[cfg(test)]
mod simulation;
mod store;
mod tail;
mod takeover;
mod tls;
mod trail;
mod uploads;
mod vault;

pub use block::SEGMENT_BLOCKS;
pub use import::{ImportError, begin_import, finish_import};
pub use nodes::{Beat, NodeRow, Nodes, OwnerRow, ProcessMark};
pub use pieces::INDEX_CACHE_BYTES;
pub use reader::CACHE_BYTES;
pub use scan::Scanner;
pub use schema::{About, Outcome, SCHEMA};
pub use settings::{Login, Settings, Wrong};
pub use shard::{IndexState, Taken};
pub use store::{BeforeServing, Cluster, Options, ShardOf};
pub use tls::{ClientCertificate, Tls};
pub use trail::TableTrail;
pub use uploads::{PendingUpload, UploadReader, Uploads};
pub use vault::{KeptRewrap, VaultTables};

use tollgate_store::StoreError;
pub use tollgate_store_index::{Agreement, Limits};

/// Makes the keyspace and its tables where they are missing, with this number of shards when the data is new. Safe to run
/// from many nodes at the same time, and to run again.
///
/// # Errors
/// When the cluster cannot be reached, refuses, or holds a schema newer than this release's.
pub fn apply_schema(settings: &Settings, shards: u16) -> Result<(Outcome, About), StoreError> {
    let runtime = runtime::Runtime::start()?;
    let settings = settings.clone();
    runtime.wait(async move {
        let link = link::Link::connect(&settings).await?;
        schema::apply(&link, shards).await
    })?
}
