//! Who owns a shard: claiming it, and raising the fence against every older owner.

use super::{Pause, Protocol, mark, number, signed};
use crate::answer::Condition;
use crate::failure::{Applied, applied, failed, is_permanent};
use crate::link::Failed;
use crate::port::Port;
use std::time::{Duration, Instant};
use tollgate_breaks::broken;
use tollgate_store::{ShardId, StoreError};

/// Claims that lose to others are tried again this often. More only lose when the nodes fight each other.
const CLAIMS_MAX: u32 = 50;

/// A row of `shards`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ownership {
    pub(crate) epoch: u64,
    pub(crate) segment: u64,
    pub(crate) claim: Option<Vec<u8>>,
    pub(crate) owner: Option<String>,
    pub(crate) addr: Option<String>,
}

/// Bytes that tell a process from every other, at the beginning of the mark of each of its claims.
const PROCESS_BYTES: usize = 8;

/// Who claims: for the table, so that others know whom to ask.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Claimant {
    pub(crate) process: [u8; PROCESS_BYTES],
    pub(crate) node: String,
    pub(crate) addr: String,
}

impl Claimant {
    pub(crate) fn new(node: String, addr: String) -> Result<Claimant, StoreError> {
        let mut process = [0; PROCESS_BYTES];
        process.copy_from_slice(&mark()?[..PROCESS_BYTES]);
        Ok(Claimant { process, node, addr })
    }
}

impl<P: Port> Protocol<P> {
    /// Who owns the shard. A row is made for a shard that was never claimed.
    pub(crate) async fn ownership(&self, shard: ShardId) -> Result<Ownership, Failed> {
        loop {
            let found = self.link.run(&self.owner_read, (number(shard),)).await?.first();
            if let Some(row) = found
                && let (Some(epoch), Some(segment)) = (row.unsigned("epoch"), row.unsigned("segment"))
            {
                return Ok(Ownership {
                    epoch,
                    segment,
                    claim: row.bytes("claim").map(<[u8]>::to_vec),
                    owner: row.text("owner").map(str::to_owned),
                    addr: row.text("addr").map(str::to_owned),
                });
            }
            // Whoever makes it, the next read finds it.
            self.link.run(&self.owner_make, (number(shard),)).await?;
        }
    }

    /// Whether the shard is this epoch's, by a look that begins now.
    pub(crate) async fn is_owner(&self, shard: ShardId, epoch: u64) -> Result<bool, Failed> {
        Ok(broken!(SkipBarrier) || self.ownership(shard).await?.epoch == epoch)
    }

    /// Takes the shard over: claims the next epoch and raises the fence. When it returns, no block of an older epoch can
    /// become durable any more; the tail may be read.
    ///
    /// With `after`, only if no other process has claimed it since that epoch: one that goes by what it knows takes nothing
    /// from an owner it does not know of, or two would take the shard from each other for ever.
    pub(crate) async fn claim(
        &self,
        shard: ShardId,
        who: &Claimant,
        after: Option<u64>,
    ) -> Result<(u64, u64), StoreError> {
        let claimed = self.claim_timed(shard, who, after).await?;
        Ok((claimed.0, claimed.1))
    }

    /// As [`Protocol::claim`], with the time that raising the fence took.
    pub(crate) async fn claim_timed(
        &self,
        shard: ShardId,
        who: &Claimant,
        after: Option<u64>,
    ) -> Result<(u64, u64, Duration), StoreError> {
        let mut pause = Pause::new();
        for _ in 0..CLAIMS_MAX {
            match self.try_claim(shard, who, after).await {
                Ok(Some(claimed)) => return Ok(claimed),
                // Somebody was faster, or the owner went on to its next segment.
                Ok(None) => {}
                Err(Failed::Statement(error)) if !is_permanent(&error) => {
                    tracing::warn!(shard = shard.0, %error, "a claim is tried again");
                    pause.wait(&*self.link).await;
                }
                Err(error) => return Err(error.told("a shard cannot be claimed")),
            }
        }
        let what = format!("shard {} was claimed by others each time it was tried", shard.0);
        Err(failed("a shard cannot be claimed", &what))
    }

    async fn try_claim(
        &self,
        shard: ShardId,
        who: &Claimant,
        after: Option<u64>,
    ) -> Result<Option<(u64, u64, Duration)>, Failed> {
        let now = self.ownership(shard).await?;
        // A claim of this process that is newer is an earlier try whose answer was lost.
        let ours = now.claim.as_ref().is_some_and(|claim| claim.starts_with(&who.process));
        if after.is_some_and(|after| now.epoch != after) && !ours {
            let by = format!("node {}", now.owner.as_deref().unwrap_or("without a name"));
            return Err(Failed::Answer(StoreError::Taken { shard: shard.0, by }));
        }
        let mut mark = mark().map_err(Failed::Answer)?;
        mark[..PROCESS_BYTES].copy_from_slice(&who.process);
        let epoch = now.epoch + 1;
        let values = (
            signed(epoch),
            &who.node,
            &who.addr,
            &mark[..],
            number(shard),
            signed(now.epoch),
            signed(now.segment),
        );
        let taken = self.link.run(&self.owner_take, values).await;
        let taken = match taken {
            Ok(answer) => matches!(answer.condition().map_err(Failed::Answer)?, Condition::Applied),
            Err(Failed::Statement(_)) if broken!(TrustLostClaim) => true,
            Err(Failed::Statement(error)) if applied(&error) == Applied::Unknown => {
                // The row says whether it was this claim.
                self.ownership(shard).await?.claim.as_deref() == Some(&mark[..])
            }
            Err(error) => return Err(error),
        };
        if !taken {
            return Ok(None);
        }
        let raising = Instant::now();
        let raised = broken!(FenceAfterTail) || self.raise_fence(shard, now.segment, epoch).await?;
        Ok(raised.then(|| (epoch, now.segment, raising.elapsed())))
    }

    /// Makes the segment refuse everyone but this epoch. False when a newer epoch has it.
    pub(super) async fn raise_fence(&self, shard: ShardId, segment: u64, epoch: u64) -> Result<bool, Failed> {
        loop {
            let (at, fence) = ((number(shard), signed(segment)), signed(epoch));
            let below = if broken!(RaiseFromOneBelow) { fence - 1 } else { fence };
            let raised = self.link.run(&self.fence_raise, (fence, at.0, at.1, below)).await?;
            let found = match raised.condition().map_err(Failed::Answer)? {
                Condition::Applied => return Ok(true),
                Condition::Refused(found) => found.unsigned("fence"),
            };
            match found {
                // Ours already: an earlier try whose answer was lost.
                Some(fence) if fence == epoch => return Ok(true),
                Some(fence) if fence > epoch => return Ok(false),
                // Lower, yet refused: somebody raised it between; the next try tells.
                Some(_) => {}
                None => {
                    let made = self.link.run(&self.fence_make, (at.0, at.1, fence)).await?;
                    if matches!(made.condition().map_err(Failed::Answer)?, Condition::Applied) {
                        return Ok(true);
                    }
                }
            }
        }
    }
}
