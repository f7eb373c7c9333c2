//! The index of a shard: up to which block it reaches, and when it moves from memory to files.

use tollgate_resource::RecordError;
use tollgate_resource::record::{Input, put_varint};
use tollgate_store_index::{Checkpoint, Limits, StoredIndex};

/// The index of one shard.
pub(crate) type ShardIndex = StoredIndex<Reached>;

/// A place in a shard's journal: behind this block.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Reached {
    pub(crate) block: u64,
    /// The block's chain, which no other block has.
    pub(crate) chain: u64,
}

impl Checkpoint for Reached {
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.block);
        out.extend_from_slice(&self.chain.to_le_bytes());
    }

    fn take(input: &mut Input<'_>) -> Result<Reached, RecordError> {
        Ok(Reached {
            block: input.take_varint()?,
            chain: u64::from_le_bytes(input.take_bytes(8)?.try_into().expect("eight bytes")),
        })
    }
}

/// A node has many shards, and whoever takes one over reads its tail: so there is less in memory than one big journal
/// would have. A file is one partition, so it stays below some 64 MB.
pub(crate) const LIMITS: Limits = Limits {
    recent_records: 10_000,
    recent_bytes: 8 << 20,
    merged_runs: 8,
    generation_records: 1 << 20,
};
