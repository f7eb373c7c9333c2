//! Appending a block, and finding out what became of it.

use super::{Mark, Owner, Pause, Protocol, mark, number, signed};
use crate::answer::{Condition, Fields};
use crate::block::{CODEC_PLAIN, Header, segment_of};
use crate::failure::{Applied, applied, failed, is_permanent};
use crate::link::Failed;
use crate::port::Port;
use tollgate_breaks::broken;
use tollgate_store::{Block, Epoch, StoreError};

/// What became of an append, once that is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Appended {
    Durable,
    /// Another owner, or another incarnation of this one, has the shard.
    Fenced,
}

impl<P: Port> Protocol<P> {
    /// Appends a block and returns when it is known what became of it, however long that takes: nobody may be told
    /// anything before. Only a statement that the server will never take is an error.
    pub(super) async fn append(&self, owner: &mut Owner, block: &Block) -> Result<Appended, StoreError> {
        let header = Header::of(block);
        let chain = header.chain(owner.chain);
        let segment = segment_of(block.seq);
        if segment > owner.segment && self.roll_over(owner, segment).await? == Appended::Fenced {
            return Ok(Appended::Fenced);
        }
        let mut mark = mark()?;
        let mut pause = Pause::new();
        loop {
            let values = (
                signed(block.epoch.0),
                &mark[..],
                signed(block.now_ms),
                block.count as i32,
                header.crc as i32,
                chain as i64,
                CODEC_PLAIN as i32,
                &block.bytes[..],
                number(block.shard),
                signed(segment),
                signed(block.seq),
                signed(block.epoch.0),
            );
            let outcome = match self.link.run(&self.append, values).await {
                Ok(answer) => match answer.condition()? {
                    Condition::Applied => Some(Appended::Durable),
                    Condition::Refused(found) => judge(&found, &mark, block.epoch),
                },
                Err(Failed::Statement(error)) if is_permanent(&error) => return Err(failed("an append", &error)),
                Err(Failed::Statement(error)) => {
                    tracing::warn!(shard = block.shard.0, seq = block.seq, %error, "what became of an append is looked up");
                    pause.wait(&*self.link).await;
                    match applied(&error) {
                        Applied::No => None,
                        Applied::Unknown if broken!(TakeUnknownForFailure) => Some(Appended::Fenced),
                        Applied::Unknown if broken!(TakeUnknownForSuccess) => Some(Appended::Durable),
                        Applied::Unknown => self.look_up(block, segment, &mark).await?,
                    }
                }
                Err(Failed::Answer(error)) => return Err(error),
            };
            if let Some(outcome) = outcome {
                if outcome == Appended::Durable {
                    (owner.last_block, owner.last_now_ms, owner.chain) = (block.seq, block.now_ms, chain);
                }
                return Ok(outcome);
            }
            if broken!(RetryAsAnother) {
                mark = super::mark()?;
            }
        }
    }

    /// What became of an append whose answer is not known; `None` when it is to be sent again.
    async fn look_up(&self, block: &Block, segment: u64, mark: &Mark) -> Result<Option<Appended>, StoreError> {
        let cell = (number(block.shard), signed(segment), signed(block.seq));
        if let Some(found) = self.again(|| self.link.run(&self.cell, cell)).await?.first() {
            return Ok(judge(&found, mark, block.epoch));
        }
        // No row: the cell is empty. The fence is in the partition's static row.
        let at = (number(block.shard), signed(segment));
        let fence = self.again(|| self.link.run(&self.fence_read, at)).await?.first();
        if fence.and_then(|row| row.unsigned("fence")) == Some(block.epoch.0) || broken!(IgnoreHigherFence) {
            return Ok(None);
        }
        // Nothing of ours lands any more, but it may have between the two reads: the new owner stands on it then.
        let found = self.again(|| self.link.run(&self.cell, cell)).await?.first();
        let landed = found.is_some_and(|found| found.bytes("block_id") == Some(&mark[..]));
        Ok(Some(if landed { Appended::Durable } else { Appended::Fenced }))
    }

    /// Goes on to the next segment: opened, then published, and only then appended to.
    async fn roll_over(&self, owner: &mut Owner, segment: u64) -> Result<Appended, StoreError> {
        assert_eq!(segment, owner.segment + 1, "segments follow each other");
        let shard = owner.shard;
        if broken!(PublishBeforeOpen) {
            self.publish(owner, segment).await?;
        }
        let open = self.again(|| self.raise_fence(shard, segment, owner.epoch)).await?;
        if !open || !(broken!(AppendUnpublished) || self.publish(owner, segment).await?) {
            return Ok(Appended::Fenced);
        }
        owner.segment = segment;
        Ok(Appended::Durable)
    }

    /// Makes the next segment the newest in the table of shards. False when another owner has the shard.
    async fn publish(&self, owner: &Owner, segment: u64) -> Result<bool, StoreError> {
        let values = (
            signed(segment),
            number(owner.shard),
            signed(owner.epoch),
            signed(owner.segment),
        );
        loop {
            let published = self.again(|| self.link.run(&self.owner_segment, values)).await?;
            match published.condition()? {
                Condition::Applied => return Ok(true),
                Condition::Refused(found) => {
                    let (epoch, at) = (found.unsigned("epoch"), found.unsigned("segment"));
                    if epoch != Some(owner.epoch) {
                        return Ok(false);
                    }
                    // An earlier try whose answer was lost.
                    if at == Some(segment) {
                        return Ok(true);
                    }
                }
            }
        }
    }
}

/// What a cell that an append did not fill says about it; `None` when it is empty under our fence: to be sent again.
fn judge(found: &Fields, mark: &Mark, epoch: Epoch) -> Option<Appended> {
    if found.bytes("block_id") == Some(&mark[..]) {
        return Some(Appended::Durable);
    }
    if found.bytes("block_id").is_none() && (found.unsigned("fence") == Some(epoch.0) || broken!(IgnoreHigherFence)) {
        return None;
    }
    // A higher fence, or a block of another incarnation in this place: either way this one is over.
    Some(Appended::Fenced)
}
