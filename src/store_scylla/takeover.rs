//! Taking a shard over: claim, fence, the newest manifest, the tail of the journal. And building an index again beside the
//! one that turned out to be damaged, while that one serves what is sound of it.

use crate::block::{Header, heads, name};
use crate::index::Reached;
use crate::index_files::{REBUILDS_MAX, ShardFiles, first_file};
use crate::protocol::{Owner, Vacant};
use crate::scan::Ahead;
use crate::shard::{Serving, Slot, Taken};
use crate::store::Shared;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak, mpsc};
use std::time::{Duration, Instant};
use tollgate_store::index::Index;
use tollgate_store::{Claimed, Epoch, ShardId, StoreError};
use tollgate_store_index::{Opened, Opening, Unreadable};

/// Pause before a damaged index is tried to be built again once more.
const REBUILD_PAUSE: Duration = Duration::from_secs(2);

impl Shared {
    /// Takes a shard over, with `after` only if nobody else has since that epoch; the calling thread waits.
    pub(crate) fn take_over(self: &Arc<Self>, shard: ShardId, after: Option<Epoch>) -> Result<Claimed, StoreError> {
        let (slot, began) = (self.slot(shard), Instant::now());
        let (this, after) = (Arc::clone(self), after.map(|epoch| epoch.0));
        let claimed = self
            .runtime
            .wait(async move { this.protocol.claim_timed(shard, &this.claimant, after).await })?;
        // Whoever has it now, it is not known to be this process.
        let (epoch, segment, fence) = claimed.inspect_err(|_| slot.serve(None))?;
        let claimed = Instant::now();
        let this = Arc::clone(self);
        let now = self
            .runtime
            .wait(async move { crate::schema::data(&this.protocol.link).await })?;
        if now.inspect_err(|_| slot.serve(None))?.secret != self.secret {
            slot.serve(None);
            return Err(StoreError::Io {
                place: format!("keyspace {}", self.keyspace()),
                what: "other data was imported since this process started; start it again".to_owned(),
            });
        }
        if let Some(work) = self.before_serving.get() {
            work().inspect_err(|_| slot.serve(None))?;
        }
        let seat = slot.seat.clone();
        let vacant = self.runtime.wait(async move { seat.vacate().await })?;
        // Whatever another owner may do where this fails, nothing here would notice.
        let taken = self.stand(slot, vacant, shard, (epoch, segment), (began, claimed, fence));
        let owner = taken.inspect_err(|_| slot.serve(None))?;
        Ok(Claimed {
            epoch: Epoch(epoch),
            last_block: owner.last_block,
            last_now_ms: owner.last_now_ms,
        })
    }

    /// Forgets a shard that this process owns as that incarnation; the calling thread waits for a block in flight.
    pub(crate) fn give_up(&self, shard: ShardId, epoch: Epoch) {
        let slot = self.slot(shard);
        let seat = slot.seat.clone();
        if self.runtime.wait(async move { seat.leave(epoch.0).await }).is_err() {
            // The store is closing; nothing is kept of it anyway.
            return;
        }
        if slot.serving().is_some_and(|serving| serving.epoch == epoch.0) {
            slot.serve(None);
        }
    }

    /// Finds out where the journal ends and makes the index that answers for the shard; when its claim
    /// began and ended is for whoever wants to know.
    fn stand(
        self: &Arc<Self>,
        slot: &Slot,
        vacant: Vacant,
        shard: ShardId,
        (epoch, segment): (u64, u64),
        (began, claimed, fence): (Instant, Instant, Duration),
    ) -> Result<Owner, StoreError> {
        let this = Arc::clone(self);
        let (vacant, owner, rows) = self.runtime.wait(async move {
            let owner = vacant.stand(&this.protocol, shard, (epoch, segment)).await?;
            let rows = this.manifests.take(shard, epoch).await?;
            Ok::<_, StoreError>((vacant, owner, rows))
        })??;
        let (tail, known) = (claimed.elapsed(), Instant::now());
        let tables = (&self.pieces, &self.manifests);
        let on_damage = self.on_damage(shard);
        let files = ShardFiles::new(tables, (shard, epoch), rows, self.remove_files_after, on_damage);
        let opened = self.open_index(&files, &owner, 0)?;
        let from = opened
            .known
            .as_ref()
            .map_or_else(Reached::default, |known| known.checkpoint);
        self.replay(shard, &opened, from, owner.last_block)?;
        let taken = Taken {
            blocks: owner.last_block,
            read: owner.last_block - from.block,
            index_rebuilt: opened.refused,
            claim: (claimed - began).saturating_sub(fence),
            fence,
            tail,
            warm_up: known.elapsed(),
        };
        if let Some(why) = &taken.index_rebuilt {
            tracing::warn!(shard = shard.0, %why, "the index was built again from the journal");
        }
        tracing::info!(
            shard = shard.0,
            epoch,
            blocks = taken.blocks,
            read = taken.read,
            claim_ms = taken.claim.as_millis() as u64,
            tail_ms = taken.tail.as_millis() as u64,
            warm_up_ms = taken.warm_up.as_millis() as u64,
            "a shard was taken over"
        );
        files.release();
        slot.serve(Some(Arc::new(Serving {
            index: opened.index,
            epoch,
            built: 0,
            indexed: AtomicU64::new(owner.last_block),
            taken,
        })));
        vacant.sit(owner);
        Ok(owner)
    }

    fn open_index(&self, files: &Arc<ShardFiles>, owner: &Owner, built: u64) -> Result<Opened<Reached>, StoreError> {
        let opening = Opening {
            files: Arc::clone(files) as _,
            host: &self.host,
            id: self.id,
            shards: 1,
            first_file: first_file(owner.epoch, built),
            idempotency_hours: self.idempotency_hours,
            limits: self.index_limits,
        };
        opening.open(|reached| self.fits(owner, reached))
    }

    /// Says why the journal does not have this place.
    fn fits(&self, owner: &Owner, reached: &Reached) -> Result<(), Unreadable> {
        let chain = if reached.block > owner.last_block || reached.block == 0 {
            None
        } else if reached.block == owner.last_block {
            Some(owner.chain)
        } else {
            let (protocol, shard, seq) = (Arc::clone(&self.protocol), owner.shard, reached.block);
            let read = self.runtime.wait(async move { protocol.read(shard, seq).await });
            let read = read.and_then(|read| read).map_err(Unreadable::Unavailable)?;
            read.map(|(_, chain)| chain)
        };
        if chain == Some(reached.chain) {
            return Ok(());
        }
        let place = name(self.keyspace(), owner.shard, reached.block);
        let what = format!("the journal does not have {place} as the index was written for it");
        Err(Unreadable::Damaged(what))
    }

    /// Puts the blocks behind `from`, up to this one, into the index.
    fn replay(&self, shard: ShardId, opened: &Opened<Reached>, from: Reached, to: u64) -> Result<Reached, StoreError> {
        let (index, mut reached) = (&opened.index, from);
        let mut ahead = Ahead::new(&self.protocol, &self.runtime, shard, from.block + 1..=to);
        while reached.block < to {
            let read = ahead.next()?;
            // Nor is anything to be kept in memory for an index that another owner has.
            if self.closing.load(Relaxed) || matches!(index.warning(), Some(StoreError::Stopped)) {
                return Err(StoreError::Stopped);
            }
            let place = name(self.keyspace(), shard, reached.block + 1);
            let corrupt = |what: String| StoreError::Corrupt {
                place: place.clone(),
                what,
            };
            let (block, chain) = read.ok_or_else(|| corrupt("a block of the journal is missing".to_owned()))?;
            if Header::of(&block).chain(reached.chain) != chain {
                return Err(corrupt("the block does not follow from the one before it".to_owned()));
            }
            let heads = heads(&block, &place)?;
            index.admit(shard, &heads).map_err(corrupt)?;
            index.publish(shard, &heads);
            reached = Reached {
                block: block.seq,
                chain,
            };
            index.wait_for_room();
            index.reached(|| reached);
        }
        Ok(reached)
    }

    fn on_damage(&self, shard: ShardId) -> Box<dyn Fn() + Send + Sync> {
        let damaged = self.damaged.clone();
        // There is room for every shard; each index says it once.
        Box::new(move || {
            let _ = damaged.try_send(shard);
        })
    }

    /// Builds the index of a shard again if it is damaged.
    fn rebuild(self: &Arc<Self>, shard: ShardId) -> Result<(), StoreError> {
        let slot = self.slot(shard);
        let wanted = slot.rebuild_wanted.load(Relaxed);
        let damaged = slot.serving().filter(|serving| wanted || serving.index.is_condemned());
        let Some(damaged) = damaged else { return Ok(()) };
        let (epoch, built) = (damaged.epoch, damaged.built + 1);
        if built > REBUILDS_MAX {
            tracing::error!(
                shard = shard.0,
                "the index is damaged again and again; it stays as it is"
            );
            return Ok(());
        }
        tracing::warn!(
            shard = shard.0,
            damaged = damaged.index.is_condemned(),
            "the index is built again from the journal"
        );
        // Its manifests would name files that are about to go.
        damaged.index.stop_writing();
        let (this, started) = (Arc::clone(self), Instant::now());
        let mut rows = self
            .runtime
            .wait(async move { this.manifests.take(shard, epoch).await })??;
        if rows.fenced {
            return Ok(());
        }
        // None of them is to be used.
        rows.newest = None;
        let tables = (&self.pieces, &self.manifests);
        let on_damage = self.on_damage(shard);
        let files = ShardFiles::new(tables, (shard, epoch), rows, self.remove_files_after, on_damage);
        let mut owner = Owner {
            shard,
            epoch,
            segment: 0,
            last_block: damaged.indexed.load(Relaxed),
            last_now_ms: 0,
            chain: 0,
        };
        let opened = self.open_index(&files, &owner, built)?;
        let reached = self.replay(shard, &opened, Reached::default(), owner.last_block)?;
        // Nothing is appended from here on, so that the last blocks are in it as well.
        let seat = slot.seat.clone();
        let Some(resting) = self.runtime.wait(async move { seat.rest(epoch).await })? else {
            // Whoever took the shard over has looked at the index itself.
            return Ok(());
        };
        owner = resting.owner;
        self.replay(shard, &opened, reached, owner.last_block)?;
        let taken = Taken {
            blocks: owner.last_block,
            read: owner.last_block,
            index_rebuilt: damaged.index.warning().map(|error| error.to_string()),
            claim: Duration::ZERO,
            fence: Duration::ZERO,
            tail: Duration::ZERO,
            warm_up: started.elapsed(),
        };
        files.release();
        slot.serve(Some(Arc::new(Serving {
            index: opened.index,
            epoch,
            built,
            indexed: AtomicU64::new(owner.last_block),
            taken,
        })));
        Ok(())
    }
}

/// Builds indexes again that turned out to be damaged, one after another, until the store is gone.
pub(crate) fn rebuild_damaged(shared: &Weak<Shared>, damaged: &mpsc::Receiver<ShardId>) {
    let mut waiting: VecDeque<ShardId> = VecDeque::new();
    loop {
        let next = match waiting.pop_front() {
            Some(shard) => {
                std::thread::sleep(REBUILD_PAUSE);
                Some(shard)
            }
            None => damaged.recv().ok(),
        };
        let (Some(shard), Some(shared)) = (next, shared.upgrade()) else {
            return;
        };
        match shared.rebuild(shard) {
            Ok(()) => shared.slot(shard).rebuild_wanted.store(false, Relaxed),
            Err(error) => {
                tracing::error!(shard = shard.0, %error, "the index cannot be built again; it is tried once more");
                waiting.extend(std::iter::once(shard).chain(damaged.try_iter()));
            }
        }
    }
}
