//! The index of each shard against its journal: for audit. Nothing is claimed or changed, and owners may be at work.

use crate::block::{Header, heads, name};
use crate::index::Reached;
use crate::index_files::Finished;
use crate::manifests::Manifests;
use crate::pieces::{FileId, INDEX_CACHE_BYTES, Pieces};
use crate::protocol::Protocol;
use crate::reader::{Blocks, CACHE_BYTES};
use crate::runtime::Runtime;
use crate::scan::Ahead;
use std::sync::Arc;
use tollgate_store::index::Place;
use tollgate_store::reads::Fetch;
use tollgate_store::{Fetched, ShardId, StoreError};
use tollgate_store_index::{
    Agreement, DataId, Disagreement, FileName, Files, Journaled, Sink, Source, Unreadable, VisitBlock, Walked, compare,
};

/// How often a shard is compared again because its owner wrote another manifest meanwhile, whose files may have replaced
/// those that were read.
const AGAIN_MAX: u32 = 3;

/// What the comparisons of all shards read.
pub(crate) struct Comparison {
    pub(crate) protocol: Arc<Protocol>,
    pub(crate) runtime: Runtime,
    pieces: Arc<Pieces>,
    manifests: Arc<Manifests>,
    blocks: Blocks,
}

impl Comparison {
    pub(crate) async fn prepare(protocol: Arc<Protocol>, runtime: Runtime) -> Result<Comparison, StoreError> {
        let link = &protocol.link;
        let pieces = Pieces::prepare(Arc::clone(link), runtime.clone(), INDEX_CACHE_BYTES).await?;
        let manifests = Manifests::prepare(Arc::clone(link)).await?;
        Ok(Comparison {
            pieces: Arc::new(pieces),
            manifests: Arc::new(manifests),
            blocks: Blocks::new(Arc::clone(&protocol), runtime.clone(), CACHE_BYTES),
            protocol,
            runtime,
        })
    }

    /// Compares the indexes of these shards, until one differs.
    pub(crate) fn all(&self, id: &DataId, shards: impl Iterator<Item = ShardId>) -> Result<Agreement, StoreError> {
        let mut agreed = None;
        for shard in shards {
            match self.shard(id, shard)? {
                Agreement::Absent => {}
                Agreement::Agrees { records } => *agreed.get_or_insert(0) += records,
                Agreement::Unusable(why) => return Ok(Agreement::Unusable(format!("shard {}: {why}", shard.0))),
                Agreement::Differs(found) => {
                    return Ok(Agreement::Differs(Disagreement {
                        what: format!("shard {}: {}", shard.0, found.what),
                        ..found
                    }));
                }
            }
        }
        Ok(agreed.map_or(Agreement::Absent, |records| Agreement::Agrees { records }))
    }

    fn shard(&self, id: &DataId, shard: ShardId) -> Result<Agreement, StoreError> {
        let mut newest = self.newest(shard)?;
        for _ in 0..AGAIN_MAX {
            let files = Onlooker {
                pieces: Arc::clone(&self.pieces),
                shard,
                manifest: newest.clone(),
            };
            let compared = compare(&files, id, &ShardJournal { of: self, shard })?;
            if matches!(compared, Agreement::Absent | Agreement::Agrees { .. }) {
                return Ok(compared);
            }
            let now = self.newest(shard)?;
            if now == newest {
                return Ok(compared);
            }
            newest = now;
        }
        let place = format!("shard {}", shard.0);
        let what = "its index changed each time it was compared; try again with less load".to_owned();
        Err(StoreError::Io { place, what })
    }

    fn newest(&self, shard: ShardId) -> Result<Option<Vec<u8>>, StoreError> {
        let manifests = Arc::clone(&self.manifests);
        self.runtime.wait(async move { manifests.newest(shard).await })?
    }
}

/// The files of an index as somebody sees them who does not own it.
struct Onlooker {
    pieces: Arc<Pieces>,
    shard: ShardId,
    manifest: Option<Vec<u8>>,
}

impl Files for Onlooker {
    fn place(&self) -> String {
        self.pieces.place(self.shard)
    }

    fn place_of(&self, name: FileName) -> String {
        format!("{} file {name}", self.place())
    }

    fn place_of_manifest(&self) -> String {
        self.pieces.place_of_manifest(self.shard)
    }

    fn manifest(&self) -> Result<Option<Vec<u8>>, Unreadable> {
        Ok(self.manifest.clone())
    }

    fn replace_manifest(&self, _: &[u8]) -> Result<(), StoreError> {
        Err(StoreError::Stopped)
    }

    fn remove_manifest(&self) {}

    fn create(&self, _: FileName) -> Result<Box<dyn Sink>, StoreError> {
        Err(StoreError::Stopped)
    }

    fn settle(&self) -> Result<(), StoreError> {
        Err(StoreError::Stopped)
    }

    fn open(&self, name: FileName, bytes: u64) -> Result<(Arc<dyn Source>, u64), Unreadable> {
        let file = FileId {
            shard: self.shard,
            number: name.id,
        };
        Ok((Arc::new(Finished::new(Arc::clone(&self.pieces), file)), bytes))
    }

    fn remove(&self, _: FileName) {}

    fn keep_only(&self, _: Option<&[FileName]>) -> Result<(), StoreError> {
        Err(StoreError::Stopped)
    }
}

/// The journal of one shard.
struct ShardJournal<'a> {
    of: &'a Comparison,
    shard: ShardId,
}

impl ShardJournal<'_> {
    fn place(&self, seq: u64) -> String {
        name(&self.of.protocol.link.settings.keyspace, self.shard, seq)
    }
}

impl Fetch for ShardJournal<'_> {
    fn fetch(&self, place: Place) -> Result<Fetched, StoreError> {
        self.of.blocks.of(self.shard).fetch(place)
    }

    fn name(&self, place: Place) -> String {
        self.of.blocks.of(self.shard).name(place)
    }
}

impl Journaled<Reached> for ShardJournal<'_> {
    fn check(&self, reached: &Reached) -> Result<(), Unreadable> {
        let (protocol, shard, seq) = (Arc::clone(&self.of.protocol), self.shard, reached.block);
        let read = self
            .of
            .runtime
            .wait(async move { protocol.read(shard, seq.max(1)).await });
        let read = read.and_then(|read| read).map_err(Unreadable::Unavailable)?;
        if seq > 0 && read.map(|(_, chain)| chain) == Some(reached.chain) {
            return Ok(());
        }
        let what = format!(
            "the journal does not have {} as the index was written for it",
            self.place(seq)
        );
        Err(Unreadable::Damaged(what))
    }

    fn walk(&self, to: &Reached, visit: &mut VisitBlock<'_>) -> Result<Reached, StoreError> {
        let mut reached = Reached::default();
        let mut chain = 0;
        let mut ahead = Ahead::new(&self.of.protocol, &self.of.runtime, self.shard, 1..=u64::MAX);
        while let Some((block, _)) = ahead.next()? {
            chain = Header::of(&block).chain(chain);
            let indexed = block.seq <= to.block;
            if indexed {
                reached = Reached {
                    block: block.seq,
                    chain,
                };
            }
            let records = heads(&block, &self.place(block.seq))?;
            visit(&Walked {
                shard: self.shard,
                seq: block.seq,
                now_ms: block.now_ms,
                indexed,
                records: &records,
            })?;
        }
        Ok(reached)
    }

    fn segment_name(&self, segment: u32) -> String {
        self.place(u64::from(segment))
    }
}
