//! A shard as this process has it: which incarnation sits there, if one does. One block at a time is appended, for as long
//! as its outcome is unknown, and an incarnation reads the tail only when no older one's block is under way here.

use super::{Appended, Owner, Protocol};
use crate::port::Port;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tollgate_store::{Block, ShardId, StoreError};

/// Empty unless this process owns the shard, as far as it knows. Clones are the same seat.
#[derive(Clone, Default)]
pub(crate) struct Seat(Arc<Mutex<Option<Owner>>>);

impl Seat {
    /// The turn of a block, when the one before it has ended. `None` unless it is the next one of the incarnation that sits
    /// here.
    pub(crate) async fn turn(&self, block: &Block) -> Option<Turn> {
        let mut seat = Arc::clone(&self.0).lock_owned().await;
        let next = |owner: &mut Owner| owner.epoch == block.epoch.0 && owner.last_block + 1 == block.seq;
        let owner = seat.take_if(next)?;
        Some(Turn { seat, owner })
    }

    /// Empties the seat for the next incarnation, when a block of an older one has ended: by now it is durable, or refused
    /// by the fence.
    pub(crate) async fn vacate(&self) -> Vacant {
        let mut seat = Arc::clone(&self.0).lock_owned().await;
        *seat = None;
        Vacant(seat)
    }

    /// Ends this incarnation, if it is the one that sits here, when its block has ended.
    pub(crate) async fn leave(&self, epoch: u64) {
        self.0.lock().await.take_if(|owner| owner.epoch == epoch);
    }

    /// Keeps blocks from being appended. `None` unless this incarnation sits here.
    pub(crate) async fn rest(&self, epoch: u64) -> Option<Resting> {
        let seat = Arc::clone(&self.0).lock_owned().await;
        let owner = (*seat).filter(|owner| owner.epoch == epoch)?;
        Some(Resting { owner, _seat: seat })
    }
}

/// A block that is being appended. Unless it ends with [`Turn::keep`], nobody sits there any more.
pub(crate) struct Turn {
    seat: OwnedMutexGuard<Option<Owner>>,
    owner: Owner,
}

impl Turn {
    /// See [`Protocol::append`].
    pub(crate) async fn append<P: Port>(
        &mut self,
        protocol: &Protocol<P>,
        block: &Block,
    ) -> Result<Appended, StoreError> {
        protocol.append(&mut self.owner, block).await
    }

    /// The incarnation, as the block has left it.
    pub(crate) fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The block is durable: the next one may come.
    pub(crate) fn keep(mut self) {
        *self.seat = Some(self.owner);
    }
}

/// A seat that is kept for the next incarnation.
pub(crate) struct Vacant(OwnedMutexGuard<Option<Owner>>);

impl Vacant {
    /// What that incarnation stands on, once it has claimed the shard.
    pub(crate) async fn stand<P: Port>(
        &self,
        protocol: &Protocol<P>,
        shard: ShardId,
        (epoch, segment): (u64, u64),
    ) -> Result<Owner, StoreError> {
        protocol.stand(shard, epoch, segment).await
    }

    /// It sits there now.
    pub(crate) fn sit(mut self, owner: Owner) {
        *self.0 = Some(owner);
    }
}

/// An incarnation none of whose blocks is appended as long as this is there.
pub(crate) struct Resting {
    pub(crate) owner: Owner,
    _seat: OwnedMutexGuard<Option<Owner>>,
}
