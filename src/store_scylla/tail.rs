//! A shard's journal as somebody reads it who does not own it: straight from the table, as far as it goes.

use crate::block::segment_of;
use crate::link::Link;
use crate::protocol::{number, signed};
use crate::store::Cluster;
use scylla::statement::prepared::PreparedStatement;
use std::sync::Arc;
use tollgate_store::{Block, ShardId, StoreError, Tail};

/// The statement, prepared.
pub(crate) struct Tails {
    behind: PreparedStatement,
}

impl Tails {
    pub(crate) async fn prepare(link: &Link) -> Result<Tails, StoreError> {
        let behind = link
            .plain(
                "SELECT seq, epoch, now_ms, n, crc, chain, codec, block FROM $.journal \
                 WHERE shard = ? AND segment = ? AND seq > ? LIMIT ?",
            )
            .await?;
        Ok(Tails { behind })
    }
}

impl Tail for Cluster {
    fn blocks_after(&self, shard: ShardId, after: u64, limit: usize) -> Result<Vec<Block>, StoreError> {
        let shared = Arc::clone(&self.shared);
        // What lies in the next segment is read by the next call.
        let segment = segment_of(after + 1);
        let limit = i32::try_from(limit).unwrap_or(i32::MAX);
        shared.runtime.clone().wait(async move {
            let values = (number(shard), signed(segment), signed(after), limit);
            let protocol = &shared.protocol;
            // Once: whoever follows a journal looks again anyway, and must not wait here for a cluster that is away.
            let answer = protocol.link.run(&shared.tails.behind, values).await;
            let answer = answer.map_err(|error| error.told("a journal cannot be followed"))?;
            let rows = answer.each();
            rows.map(|row| Ok(protocol.block_of(shard, &row)?.0)).collect()
        })?
    }
}
