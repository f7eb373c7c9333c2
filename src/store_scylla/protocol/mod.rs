//! The fenced protocol: who may append to a shard's journal, and what became of an append. Each step is one conditional
//! write or one serial read, so that nothing depends on clocks, and every rule here closes a way to lose or double a block:
//!
//! - An epoch is one incarnation of an owner. A claim takes the next one on the condition that epoch *and* segment are
//!   what was read: an owner that goes on to its next segment meanwhile makes the claim start again.
//! - The fence of the newest segment is raised to the epoch before the tail is read, on the condition that it is lower, so
//!   that a claimant which died half-way blocks nobody.
//! - The next segment is opened under the owner's fence, then published, and only then appended to.
//! - An append whose outcome is unknown is looked up. It is sent again only with the same identity.

mod append;
mod ownership;
mod seat;
mod tail;

pub(crate) use append::Appended;
pub(crate) use ownership::Claimant;
pub(crate) use seat::{Seat, Turn, Vacant};
pub(crate) use tail::Owner;

use crate::failure::{failed, is_permanent};
use crate::link::{Failed, Link};
use crate::port::Port;
use std::sync::Arc;
use std::time::Duration;
use tollgate_breaks::broken;
use tollgate_store::{ShardId, StoreError};

/// Pause before a statement is tried again: doubled from the first to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Random bytes that tell one append, or one claim, from every other.
pub(crate) type Mark = [u8; 16];

/// The statements, prepared.
pub(crate) struct Protocol<P: Port = Link> {
    pub(crate) link: Arc<P>,
    owner_read: P::Statement,
    owner_make: P::Statement,
    owner_take: P::Statement,
    owner_segment: P::Statement,
    fence_make: P::Statement,
    fence_raise: P::Statement,
    fence_read: P::Statement,
    append: P::Statement,
    cell: P::Statement,
    last: P::Statement,
    block: P::Statement,
}

impl<P: Port> Protocol<P> {
    pub(crate) async fn prepare(link: Arc<P>) -> Result<Self, StoreError> {
        let l = &*link;
        let segment = if broken!(ClaimAnySegment) { ">=" } else { "=" };
        let lower = if broken!(RaiseFromOneBelow) { "=" } else { "<" };
        let fence = if broken!(AppendUnfenced) { ">=" } else { "=" };
        Ok(Protocol {
            owner_read: l
                .serial("SELECT epoch, segment, claim, owner, addr FROM $.shards WHERE shard = ?")
                .await?,
            owner_make: l
                .conditional("INSERT INTO $.shards (shard, epoch, segment) VALUES (?, 0, 1) IF NOT EXISTS")
                .await?,
            owner_take: l
                .conditional(&format!(
                    "UPDATE $.shards SET epoch = ?, owner = ?, addr = ?, claim = ? WHERE shard = ? IF epoch = ? AND segment {segment} ?",
                ))
                .await?,
            owner_segment: l
                .conditional("UPDATE $.shards SET segment = ? WHERE shard = ? IF epoch = ? AND segment = ?")
                .await?,
            fence_make: l
                .conditional("INSERT INTO $.journal (shard, segment, fence) VALUES (?, ?, ?) IF NOT EXISTS")
                .await?,
            fence_raise: l
                .conditional(&format!("UPDATE $.journal SET fence = ? WHERE shard = ? AND segment = ? IF fence {lower} ?"))
                .await?,
            fence_read: l
                .serial("SELECT fence FROM $.journal WHERE shard = ? AND segment = ? LIMIT 1")
                .await?,
            append: l
                .conditional(&format!(
                    "UPDATE $.journal SET epoch = ?, block_id = ?, now_ms = ?, n = ?, crc = ?, chain = ?, codec = ?, block = ? \
                     WHERE shard = ? AND segment = ? AND seq = ? IF fence {fence} ? AND block_id = null",
                ))
                .await?,
            cell: l
                .serial("SELECT fence, block_id FROM $.journal WHERE shard = ? AND segment = ? AND seq = ?")
                .await?,
            last: l
                .serial(
                    "SELECT seq, now_ms, chain FROM $.journal WHERE shard = ? AND segment = ? ORDER BY seq DESC LIMIT 1",
                )
                .await?,
            block: l
                .plain(
                    "SELECT seq, epoch, now_ms, n, crc, chain, codec, block FROM $.journal \
                     WHERE shard = ? AND segment = ? AND seq = ?",
                )
                .await?,
            link,
        })
    }

    /// Runs something repeatable until it gives an answer, or never can.
    pub(crate) async fn again<T, F>(&self, run: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failed>>,
    {
        let mut pause = Pause::new();
        loop {
            match run().await {
                Ok(answer) => return Ok(answer),
                Err(Failed::Statement(error)) if !is_permanent(&error) => {
                    tracing::warn!(%error, "a statement of the cluster store is tried again");
                    pause.wait(&*self.link).await;
                }
                Err(error) => return Err(error.told("a statement of the cluster store")),
            }
        }
    }
}

/// A pause that grows.
struct Pause(Duration);

impl Pause {
    fn new() -> Pause {
        Pause(PAUSES.0)
    }

    async fn wait(&mut self, port: &impl Port) {
        port.pause(self.0).await;
        self.0 = (self.0 * 2).min(PAUSES.1);
    }
}

pub(crate) fn mark() -> Result<Mark, StoreError> {
    let mut mark = [0; 16];
    getrandom::fill(&mut mark).map_err(|error| failed("the system gives no random bytes", &error))?;
    Ok(mark)
}

/// The column of a shard.
pub(crate) fn number(shard: ShardId) -> i32 {
    i32::from(shard.0)
}

/// A column of an epoch, a segment, a sequence number or a time, all far from the end of the range.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).expect("no counter gets this far")
}
