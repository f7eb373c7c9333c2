//! Shards that come to this node and leave it while it serves. Who has which is decided elsewhere; here it happens.

use crate::claims::Adopting;
use crate::engine::Engine;
use crate::lane::ToLane;
use crate::passage::{Leaving, Notice};
use crate::router::ShardState;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tollgate_store::{Epoch, ShardId, StoreError};

/// A shard that serves here now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adopted {
    /// The shard.
    pub shard: ShardId,
    /// The incarnation that serves.
    pub epoch: Epoch,
    /// Its newest block; 0 for none.
    pub last_block: u64,
    /// How long the store took to claim it; what of it was the claim, the fence and the journal's tail, the store knows.
    pub claiming: Duration,
    /// How long all of it took, until the shard served.
    pub took: Duration,
}

/// A shard that is not here any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Released {
    /// The shard.
    pub shard: ShardId,
    /// Requests that were inside and did not end in time, or came too late to be taken: all were told to come again.
    pub refused: usize,
    /// Whether another owner took it over before it was given up.
    pub lost: bool,
    /// How long it went on serving whoever was inside.
    pub draining: Duration,
    /// How long all of it took, until the store had forgotten it.
    pub took: Duration,
    pub(crate) since: Instant,
}

/// Why a shard did not come or go.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PassageError {
    /// No such shard.
    #[error("there is no shard {0}")]
    NoShard(u16),
    /// It is in a state that it does not come, or go, from.
    #[error("shard {} is {state:?}", .shard.0)]
    State {
        /// The shard.
        shard: ShardId,
        /// Its state.
        state: ShardState,
    },
    /// The store did not let this node have it.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl Engine {
    /// Takes a shard over that is elsewhere, and resolves when it serves here. It claims on a thread of its own kind, so
    /// nothing else waits. Dropping the future changes nothing.
    ///
    /// # Errors
    /// When the shard is not elsewhere, or the store refuses; then it may be tried again.
    pub async fn adopt(&self, shard: ShardId) -> Result<Adopted, PassageError> {
        self.adopt_if(shard, None).await
    }

    /// As [`Engine::adopt`], unless another owner has claimed the shard after this epoch: whoever goes by what it has read
    /// takes nothing from an owner that it does not know of.
    ///
    /// # Errors
    /// The same, and [`StoreError::Taken`].
    pub async fn adopt_after(&self, shard: ShardId, after: Epoch) -> Result<Adopted, PassageError> {
        self.adopt_if(shard, Some(after)).await
    }

    async fn adopt_if(&self, shard: ShardId, after: Option<Epoch>) -> Result<Adopted, PassageError> {
        self.begin_passage(shard, &[ShardState::Elsewhere], ShardState::Coming)?;
        let (said, hear) = oneshot::channel();
        let since = Instant::now();
        let adopting = Adopting {
            after,
            since,
            claimed: since,
            said,
        };
        self.shared.forge.claims().adopt(shard, adopting);
        // Its lane has ended where nobody answers: the process is stopping.
        hear.await.unwrap_or(Err(StoreError::Stopped.into()))
    }

    /// Gives a shard up. From now on requests for it are refused with [`Refusal::Elsewhere`](crate::Refusal); those that
    /// are inside are answered as ever, for at most `patience`, and the rest is refused. Resolves when everything that
    /// was decided is durable, its memory is gone and the store has forgotten it: the next owner finds nothing under way.
    /// That takes as long as the store takes for the block in flight. Dropping the future changes nothing.
    ///
    /// # Errors
    /// When the shard neither serves nor is failed here.
    pub async fn release(&self, shard: ShardId, patience: Duration) -> Result<Released, PassageError> {
        self.begin_passage(shard, &[ShardState::Serving, ShardState::Failed], ShardState::Leaving)?;
        let (said, hear) = oneshot::channel();
        let since = Instant::now();
        let leaving = Leaving {
            said,
            since,
            until: since + patience,
            refused: 0,
            flushing: false,
        };
        let notice = Notice::Leave(leaving);
        self.shared.router.tell(shard, ToLane::Passing(shard, notice));
        hear.await.map_err(|_| StoreError::Stopped.into())
    }

    /// The shards that serve here.
    pub fn serving(&self) -> Vec<ShardId> {
        self.shared.router.all_in(ShardState::Serving).collect()
    }

    /// Whether a shard is here; `None` when there is no such shard.
    pub fn shard_state(&self, shard: ShardId) -> Option<ShardState> {
        let router = &self.shared.router;
        (shard.0 < router.shards()).then(|| router.state(shard))
    }

    fn begin_passage(&self, shard: ShardId, from: &[ShardState], to: ShardState) -> Result<(), PassageError> {
        let router = &self.shared.router;
        if shard.0 >= router.shards() {
            return Err(PassageError::NoShard(shard.0));
        }
        let passed = from.iter().any(|from| router.pass(shard, *from, to).is_ok());
        if passed {
            return Ok(());
        }
        let state = router.state(shard);
        Err(PassageError::State { shard, state })
    }
}
