//! Every block of the journal, for audit and for copies. Takes no shard over; owners may be at work.

use crate::block::{Header, name};
use crate::compare::Comparison;
use crate::import;
use crate::link::Link;
use crate::protocol::Protocol;
use crate::runtime::Runtime;
use crate::schema::{self, About};
use crate::settings::Settings;
use crate::store::ShardOf;
use crate::uploads::Uploads;
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::{Arc, mpsc};
use tollgate_store::{Block, Scan, ShardId, StoreError, StoredBlock};
use tollgate_store_index::Agreement;

/// Blocks that are asked for before they are needed.
const READ_AHEAD: usize = 16;

/// The blocks of a cluster's journal: the directory's first, then shard by shard. Checks that no block is missing and that
/// each follows from the one before it.
pub struct Scanner {
    about: About,
    uploads: Uploads,
    protocol: Arc<Protocol>,
    runtime: Runtime,
}

impl Scanner {
    /// Connects to the cluster.
    ///
    /// # Errors
    /// When it cannot be reached, or has no data, or only part of what an import brings.
    pub fn open(settings: &Settings) -> Result<Scanner, StoreError> {
        Scanner::open_for(settings, false)
    }

    /// Connects to a cluster whose import is about to end.
    ///
    /// # Errors
    /// When it cannot be reached, or has no data.
    pub fn open_imported(settings: &Settings) -> Result<Scanner, StoreError> {
        Scanner::open_for(settings, true)
    }

    fn open_for(settings: &Settings, importing: bool) -> Result<Scanner, StoreError> {
        let runtime = Runtime::start()?;
        let settings = settings.clone();
        let speaking = runtime.clone();
        let (about, uploads, protocol) = runtime.wait(async move {
            let link = Arc::new(Link::connect(&settings).await?);
            let about = schema::check(&link).await?;
            if !importing {
                import::is_over(&link).await?;
            }
            // It keeps nothing, so no account is asked for its shard.
            let nobody: (_, ShardOf) = (about.shards, Arc::new(|_, _| ShardId::DIRECTORY));
            let uploads = Uploads::prepare(Arc::clone(&link), speaking, [0; 8], nobody).await?;
            Ok::<_, StoreError>((about, uploads, Arc::new(Protocol::prepare(link).await?)))
        })??;
        Ok(Scanner {
            about,
            uploads,
            protocol,
            runtime,
        })
    }

    /// What the data says about itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The bytes of uploaded files, to be read.
    pub fn uploads(&self) -> &Uploads {
        &self.uploads
    }

    /// Compares each shard's index with its journal: every entry, up to where the index says it reaches.
    ///
    /// # Errors
    /// When the journal cannot be read, or nobody knows what the files of an index hold.
    pub fn index(&self) -> Result<Agreement, StoreError> {
        let (protocol, runtime) = (Arc::clone(&self.protocol), self.runtime.clone());
        let comparison = self
            .runtime
            .wait(async move { Comparison::prepare(protocol, runtime).await })??;
        let shards = (0..self.about.shards).map(ShardId);
        comparison.all(&self.about.id, shards.chain([ShardId::DIRECTORY]))
    }

    fn shard(
        &self,
        shard: ShardId,
        visit: &mut dyn FnMut(StoredBlock) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let (mut chain, mut last): (u64, Option<Block>) = (0, None);
        let mut ahead = Ahead::new(&self.protocol, &self.runtime, shard, 1..=u64::MAX);
        loop {
            let seq = last.as_ref().map_or(1, |block| block.seq + 1);
            let Some((block, chained)) = ahead.next()? else {
                return self.ends_here(shard, seq - 1);
            };
            let place = name(&self.protocol.link.settings.keyspace, shard, seq);
            let follows = last
                .as_ref()
                .is_none_or(|last| last.epoch <= block.epoch && last.now_ms <= block.now_ms);
            chain = Header::of(&block).chain(chain);
            if !follows || chain != chained {
                return Err(StoreError::Corrupt {
                    place,
                    what: "the block does not follow from the one before it".to_owned(),
                });
            }
            visit(StoredBlock {
                block: block.clone(),
                place,
            })?;
            last = Some(block);
        }
    }

    /// Makes sure that the journal ends where the scan did: an owner may have appended meanwhile, but a gap is damage.
    fn ends_here(&self, shard: ShardId, last: u64) -> Result<(), StoreError> {
        let protocol = Arc::clone(&self.protocol);
        let newest = self.runtime.wait(async move {
            let now = protocol.again(|| protocol.ownership(shard)).await?;
            let newest = protocol.newest(shard, now.segment).await?.seq;
            // What was appended since the scan's last look is there to be read.
            let next = protocol.read(shard, last + 1).await?;
            Ok::<_, StoreError>((newest, next.is_some()))
        })??;
        if newest.0 > last && !newest.1 {
            return Err(StoreError::Corrupt {
                place: name(&self.protocol.link.settings.keyspace, shard, last + 1),
                what: format!("the block is missing; the journal goes on to {}", newest.0),
            });
        }
        Ok(())
    }
}

/// Reads the blocks of a shard in order, some before they are asked for.
pub(crate) struct Ahead<'a> {
    protocol: &'a Arc<Protocol>,
    runtime: &'a Runtime,
    shard: ShardId,
    /// Blocks that were not asked for yet.
    wanted: RangeInclusive<u64>,
    waiting: VecDeque<mpsc::Receiver<BlockRead>>,
}

/// A block and its chain, if it is there.
type BlockRead = Result<Option<(Block, u64)>, StoreError>;

impl<'a> Ahead<'a> {
    /// Of these blocks.
    pub(crate) fn new(
        protocol: &'a Arc<Protocol>,
        runtime: &'a Runtime,
        shard: ShardId,
        wanted: RangeInclusive<u64>,
    ) -> Self {
        Ahead {
            protocol,
            runtime,
            shard,
            wanted,
            waiting: VecDeque::new(),
        }
    }

    /// The next block and its chain; `None` after the last, and for one that is missing.
    pub(crate) fn next(&mut self) -> BlockRead {
        while self.waiting.len() < READ_AHEAD
            && let Some(seq) = self.wanted.next()
        {
            let (sender, receiver) = mpsc::sync_channel(1);
            let (protocol, shard) = (Arc::clone(self.protocol), self.shard);
            self.runtime.spawn(async move {
                // Nobody listens any more where the reader has ended.
                let _ = sender.send(protocol.read(shard, seq).await);
            });
            self.waiting.push_back(receiver);
        }
        match self.waiting.pop_front() {
            Some(next) => next.recv().map_err(|_| StoreError::Stopped)?,
            None => Ok(None),
        }
    }
}

impl Scan for Scanner {
    fn scan(&self, visit: &mut dyn FnMut(StoredBlock) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.shard(ShardId::DIRECTORY, visit)?;
        (0..self.about.shards).try_for_each(|shard| self.shard(ShardId(shard), visit))
    }
}
