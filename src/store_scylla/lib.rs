//! The cluster store: the journal in ScyllaDB or Apache Cassandra. Nothing depends on clocks or luck: a block is appended by
//! one conditional write that the shard's fence guards, and one whose outcome is unknown is looked up before anybody is
//! told anything (see `protocol.rs`).
//!
//! What always holds: a block is answered `Durable` only after a quorum has it, in its place, under the fence of the epoch
//! that wrote it; once a claim has returned, no block of an older epoch becomes durable.

mod answer;
mod block;
mod failure;
mod link;
mod protocol;
mod reader;
mod runtime;
mod scan;
mod schema;
mod settings;
mod store;

pub use block::SEGMENT_BLOCKS;
pub use reader::CACHE_BYTES;
pub use scan::Scanner;
pub use schema::{About, Outcome, SCHEMA};
pub use settings::{Login, Settings, Wrong};
pub use store::{Cluster, Options, ShardOf};

use tollgate_store::StoreError;

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
