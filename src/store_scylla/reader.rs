//! Records read out of the journal: the block they stand in is fetched whole and kept for a while.

use crate::block::name;
use crate::protocol::Protocol;
use crate::runtime::Runtime;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::Arc;
use tollgate_store::envelope::read_record;
use tollgate_store::index::Place;
use tollgate_store::reads::Fetch;
use tollgate_store::{Block, Fetched, ShardId, StoreError};

/// Bytes of blocks kept in memory unless configured otherwise.
pub const CACHE_BYTES: u64 = 64 << 20;

/// What a block costs besides its bytes, about.
const BLOCK_OVERHEAD: u64 = 128;

/// Blocks lately written and read.
pub(crate) struct Blocks {
    cache: Cache<(ShardId, u64), Arc<Block>, Bytes>,
    protocol: Arc<Protocol>,
    runtime: Runtime,
}

/// Blocks weigh their bytes.
#[derive(Clone)]
struct Bytes;

impl Weighter<(ShardId, u64), Arc<Block>> for Bytes {
    fn weight(&self, _: &(ShardId, u64), block: &Arc<Block>) -> u64 {
        block.bytes.len() as u64 + BLOCK_OVERHEAD
    }
}

impl Blocks {
    pub(crate) fn new(protocol: Arc<Protocol>, runtime: Runtime, cache_bytes: u64) -> Blocks {
        // An estimate of how many there will be; blocks under load have some 30 kB.
        let items = usize::try_from(cache_bytes / (16 << 10)).unwrap_or(usize::MAX).max(16);
        Blocks {
            cache: Cache::with_weighter(items, cache_bytes, Bytes),
            protocol,
            runtime,
        }
    }

    /// Keeps a durable block: what was just written is what is read most.
    pub(crate) fn keep(&self, block: Arc<Block>) {
        self.cache.insert((block.shard, block.seq), block);
    }

    fn get(&self, shard: ShardId, seq: u64) -> Result<Arc<Block>, StoreError> {
        if let Some(block) = self.cache.get(&(shard, seq)) {
            return Ok(block);
        }
        let protocol = Arc::clone(&self.protocol);
        let read = self.runtime.wait(async move { protocol.read(shard, seq).await })??;
        let Some((block, _)) = read else {
            return Err(StoreError::Corrupt {
                place: name(&self.protocol.link.settings.keyspace, shard, seq),
                what: "the index points to a block that is not there".to_owned(),
            });
        };
        let block = Arc::new(block);
        self.keep(Arc::clone(&block));
        Ok(block)
    }

    /// Reads of one shard.
    pub(crate) fn of(&self, shard: ShardId) -> ShardBlocks<'_> {
        ShardBlocks { blocks: self, shard }
    }
}

/// Follows places into the blocks of one shard.
pub(crate) struct ShardBlocks<'a> {
    blocks: &'a Blocks,
    shard: ShardId,
}

impl Fetch for ShardBlocks<'_> {
    fn fetch(&self, place: Place) -> Result<Fetched, StoreError> {
        let block = self.blocks.get(self.shard, u64::from(place.segment))?;
        let (from, len) = (place.offset as usize, place.len as usize);
        let bytes = from.checked_add(len).and_then(|to| block.bytes.get(from..to));
        let bytes = bytes.ok_or_else(|| StoreError::Corrupt {
            place: self.name(place),
            what: "the index points beyond the end of the block".to_owned(),
        })?;
        let (head, body) = read_record(bytes).map_err(|error| error.at(self.name(place)))?;
        Ok(Fetched {
            head,
            body: body.into(),
        })
    }

    fn name(&self, place: Place) -> String {
        let keyspace = &self.blocks.protocol.link.settings.keyspace;
        format!(
            "{} offset {}",
            name(keyspace, self.shard, u64::from(place.segment)),
            place.offset
        )
    }
}
