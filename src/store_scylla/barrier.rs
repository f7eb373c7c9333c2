//! The read barrier: whether a shard is still here, found out by a look at its row that begins after the question. One look
//! is under way for a shard at a time; everyone who asks meanwhile shares the next one.
//!
//! Why a look at the row is enough: a claim takes the row's epoch before it raises the fence, and nobody acknowledges
//! anything under a new epoch before its claim has returned. So where the row has our epoch after the question came,
//! nothing that was acknowledged before it is missing here, however long this process was stopped.

use crate::failure::is_permanent;
use crate::link::Failed;
use crate::shard::Slot;
use crate::store::Shared;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tollgate_store::{Barrier, Epoch, ShardId, Standing, Told};

/// How long a look may take, with everything that is tried again. Whoever asked then hears that nobody knows.
const LOOK_MAX: Duration = Duration::from_secs(5);

/// Pause before a look that failed is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// Questions about one shard.
#[derive(Default)]
pub(crate) struct Questions(Mutex<Asked>);

#[derive(Default)]
struct Asked {
    /// Whom the next look is for; there is at most one for each request that was let in.
    waiting: Vec<Told>,
    /// Whether a look is under way.
    looking: bool,
}

impl Questions {
    /// Adds a question; true if a look has to begin.
    fn add(&self, told: Told) -> bool {
        let mut asked = self.lock();
        asked.waiting.push(told);
        !std::mem::replace(&mut asked.looking, true)
    }

    /// Whom the look is for that begins now; empty when nobody waits and none does.
    fn begin(&self) -> Vec<Told> {
        let mut asked = self.lock();
        asked.looking = !asked.waiting.is_empty();
        std::mem::take(&mut asked.waiting)
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The barrier of an open store.
pub(crate) struct Looks(pub(crate) Arc<Shared>);

impl Barrier for Looks {
    fn ask(&self, shard: ShardId, told: Told) {
        if !self.0.slot(shard).questions.add(told) {
            return;
        }
        let shared = Arc::clone(&self.0);
        self.0.runtime.spawn(async move {
            let slot = shared.slot(shard);
            loop {
                let asked = slot.questions.begin();
                if asked.is_empty() {
                    return;
                }
                let standing = shared.look(slot, shard).await;
                asked.into_iter().for_each(|told| told(standing));
            }
        });
    }
}

impl Shared {
    async fn look(&self, slot: &Slot, shard: ShardId) -> Standing {
        let Some(mine) = slot.serving().map(|serving| serving.epoch) else {
            return Standing::Elsewhere(None);
        };
        match tokio::time::timeout(LOOK_MAX, self.is_owner(shard, mine)).await {
            Ok(Some(true)) => Standing::Here(Epoch(mine)),
            Ok(Some(false)) => Standing::Elsewhere(Some(Epoch(mine))),
            Ok(None) | Err(_) => Standing::Unknown,
        }
    }

    /// Whether the shard's row has this epoch, by a serial read; tried again until there is an answer.
    async fn is_owner(&self, shard: ShardId, epoch: u64) -> Option<bool> {
        loop {
            match self.protocol.is_owner(shard, epoch).await {
                Ok(ours) => return Some(ours),
                Err(Failed::Statement(error)) if !is_permanent(&error) => {
                    tracing::warn!(shard = shard.0, %error, "whether a shard is still here is asked again");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => {
                    tracing::error!(shard = shard.0, %error, "whether a shard is still here cannot be asked");
                    return None;
                }
            }
        }
    }
}
