//! A shard as this process has it: who it is there, and the index that answers for it.

use crate::barrier::Questions;
use crate::index::ShardIndex;
use crate::protocol::Seat;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tollgate_store::{Epoch, ShardId};

/// A shard of the data, claimed here or not.
#[derive(Default)]
pub(crate) struct Slot {
    /// Who this process is there.
    pub(crate) seat: Seat,
    /// Whether an operator wants its index built again.
    pub(crate) rebuild_wanted: AtomicBool,
    /// Whoever waits to hear whether this process still owns it.
    pub(crate) questions: Questions,
    /// The incarnation that has a block in flight.
    in_flight: Mutex<Option<Epoch>>,
    serving: RwLock<Option<Arc<Serving>>>,
}

/// The index that answers for a shard.
pub(crate) struct Serving {
    pub(crate) index: ShardIndex,
    pub(crate) epoch: u64,
    /// How often it was built anew in this epoch.
    pub(crate) built: u64,
    /// Newest block that is in it.
    pub(crate) indexed: AtomicU64,
    pub(crate) taken: Taken,
}

/// What taking a shard over was like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Blocks that the shard has.
    pub blocks: u64,
    /// Of these, blocks that were read because the index did not hold them.
    pub read: u64,
    /// Why the index that was there could not be used and was built again, if so.
    pub index_rebuilt: Option<String>,
    /// How long it took until the epoch was claimed.
    pub claim: Duration,
    /// From then until the fence was raised.
    pub fence: Duration,
    /// From then until it was known where the journal ends: no block of an older owner was under way, the newest block and
    /// the newest manifest were read.
    pub tail: Duration,
    /// From then until the index held everything: it was opened, and the blocks behind it were read.
    pub warm_up: Duration,
}

/// The index of a shard that is served here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IndexState {
    /// The shard.
    pub shard: ShardId,
    /// Newest block that is in it.
    pub blocks: u64,
    /// How often it was built again since the shard was taken over.
    pub built: u64,
    /// Whether it is to be built again, or is being built.
    pub rebuilding: bool,
}

impl Slot {
    pub(crate) fn serving(&self) -> Option<Arc<Serving>> {
        self.serving.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets another index answer from now on, or none.
    pub(crate) fn serve(&self, serving: Option<Arc<Serving>>) {
        let before = {
            let mut now = self.serving.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *now, serving)
        };
        // What it holds in memory may take long to free.
        drop(before);
    }

    pub(crate) fn in_flight(&self) -> MutexGuard<'_, Option<Epoch>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
