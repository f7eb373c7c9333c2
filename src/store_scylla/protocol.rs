//! The fenced protocol: who may append to a shard's journal, and what became of an append. Each step is one conditional
//! write or one serial read, so that nothing depends on clocks, and every rule here closes a way to lose or double a block:
//!
//! - An epoch is one incarnation of an owner. A claim takes the next one on the condition that epoch *and* segment are
//!   what was read: an owner that goes on to its next segment meanwhile makes the claim start again.
//! - The fence of the newest segment is raised to the epoch before the tail is read, on the condition that it is lower, so
//!   that a claimant which died half-way blocks nobody.
//! - The next segment is opened under the owner's fence, then published, and only then appended to.
//! - An append whose outcome is unknown is looked up. It is sent again only with the same identity.

use crate::answer::{Condition, Fields};
use crate::block::{CODEC_PLAIN, Header, checked, name, segment_of};
use crate::failure::{Applied, applied, failed, is_permanent};
use crate::link::{Failed, Link};
use scylla::statement::prepared::PreparedStatement;
use std::sync::Arc;
use std::time::Duration;
use tollgate_store::{Block, Epoch, ShardId, StoreError};

/// Pause before a statement is tried again: doubled from the first to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Claims that lose to others are tried again this often. More only lose when the nodes fight each other.
const CLAIMS_MAX: u32 = 50;

/// Random bytes that tell one append, or one claim, from every other.
pub(crate) type Mark = [u8; 16];

/// The statements, prepared.
pub(crate) struct Protocol {
    pub(crate) link: Arc<Link>,
    owner_read: PreparedStatement,
    owner_make: PreparedStatement,
    owner_take: PreparedStatement,
    owner_segment: PreparedStatement,
    fence_make: PreparedStatement,
    fence_raise: PreparedStatement,
    fence_read: PreparedStatement,
    append: PreparedStatement,
    cell: PreparedStatement,
    last: PreparedStatement,
    block: PreparedStatement,
}

/// A shard as its owner sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Owner {
    pub(crate) shard: ShardId,
    pub(crate) epoch: u64,
    /// The newest segment.
    pub(crate) segment: u64,
    /// Newest block; 0 for none.
    pub(crate) last_block: u64,
    pub(crate) last_now_ms: u64,
    pub(crate) chain: u64,
}

/// What became of an append, once that is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Appended {
    Durable,
    /// Another owner, or another incarnation of this one, has the shard.
    Fenced,
}

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

impl Protocol {
    pub(crate) async fn prepare(link: Arc<Link>) -> Result<Protocol, StoreError> {
        let l = &*link;
        Ok(Protocol {
            owner_read: l
                .serial("SELECT epoch, segment, claim, owner, addr FROM $.shards WHERE shard = ?")
                .await?,
            owner_make: l
                .conditional("INSERT INTO $.shards (shard, epoch, segment) VALUES (?, 0, 1) IF NOT EXISTS")
                .await?,
            owner_take: l
                .conditional(
                    "UPDATE $.shards SET epoch = ?, owner = ?, addr = ?, claim = ? WHERE shard = ? IF epoch = ? AND segment = ?",
                )
                .await?,
            owner_segment: l
                .conditional("UPDATE $.shards SET segment = ? WHERE shard = ? IF epoch = ? AND segment = ?")
                .await?,
            fence_make: l
                .conditional("INSERT INTO $.journal (shard, segment, fence) VALUES (?, ?, ?) IF NOT EXISTS")
                .await?,
            fence_raise: l
                .conditional("UPDATE $.journal SET fence = ? WHERE shard = ? AND segment = ? IF fence < ?")
                .await?,
            fence_read: l
                .serial("SELECT fence FROM $.journal WHERE shard = ? AND segment = ? LIMIT 1")
                .await?,
            append: l
                .conditional(
                    "UPDATE $.journal SET epoch = ?, block_id = ?, now_ms = ?, n = ?, crc = ?, chain = ?, codec = ?, block = ? \
                     WHERE shard = ? AND segment = ? AND seq = ? IF fence = ? AND block_id = null",
                )
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

    /// Takes the shard over: claims the next epoch and raises the fence. When it returns, no block of an older epoch can
    /// become durable any more; the tail may be read.
    ///
    /// A process that held the shard before takes it back only from itself: after a panic, not when another node has it,
    /// or the two would take it from each other for ever.
    pub(crate) async fn claim(&self, shard: ShardId, who: &Claimant, held: bool) -> Result<(u64, u64), StoreError> {
        let mut pause = Pause::new();
        for _ in 0..CLAIMS_MAX {
            match self.try_claim(shard, who, held).await {
                Ok(Some(claimed)) => return Ok(claimed),
                // Somebody was faster, or the owner went on to its next segment.
                Ok(None) => {}
                Err(Failed::Statement(error)) if !is_permanent(&error) => {
                    tracing::warn!(shard = shard.0, %error, "a claim is tried again");
                    pause.wait().await;
                }
                Err(error) => return Err(error.told("a shard cannot be claimed")),
            }
        }
        let what = format!("shard {} was claimed by others each time it was tried", shard.0);
        Err(failed("a shard cannot be claimed", &what))
    }

    async fn try_claim(&self, shard: ShardId, who: &Claimant, held: bool) -> Result<Option<(u64, u64)>, Failed> {
        let now = self.ownership(shard).await?;
        let ours = |claim: &Vec<u8>| claim.starts_with(&who.process);
        if held && !now.claim.as_ref().is_some_and(ours) {
            let what = format!(
                "shard {} was taken over by node {}",
                shard.0,
                now.owner.as_deref().unwrap_or("without a name")
            );
            return Err(Failed::Answer(failed("a shard cannot be claimed", &what)));
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
            Err(Failed::Statement(error)) if applied(&error) == Applied::Unknown => {
                // The row says whether it was this claim.
                self.ownership(shard).await?.claim.as_deref() == Some(&mark[..])
            }
            Err(error) => return Err(error),
        };
        if !taken {
            return Ok(None);
        }
        let raised = self.raise_fence(shard, now.segment, epoch).await?;
        Ok(raised.then_some((epoch, now.segment)))
    }

    /// Makes the segment refuse everyone but this epoch. False when a newer epoch has it.
    async fn raise_fence(&self, shard: ShardId, segment: u64, epoch: u64) -> Result<bool, Failed> {
        loop {
            let (at, fence) = ((number(shard), signed(segment)), signed(epoch));
            let raised = self.link.run(&self.fence_raise, (fence, at.0, at.1, fence)).await?;
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

    /// What the new owner of an epoch stands on. Only after [`Protocol::claim`].
    pub(crate) async fn stand(&self, shard: ShardId, epoch: u64, segment: u64) -> Result<Owner, StoreError> {
        let mut owner = Owner {
            shard,
            epoch,
            segment,
            last_block: 0,
            last_now_ms: 0,
            chain: 0,
        };
        // A segment that was opened and not written to yet: the newest block is the last of the one before.
        for segment in [segment, segment - 1] {
            if segment == 0 {
                break;
            }
            let values = (number(shard), signed(segment));
            let last = self.again(|| self.link.run(&self.last, values)).await?.first();
            if let Some(row) = last
                && let Some(seq) = row.unsigned("seq")
            {
                let missing = || StoreError::Corrupt {
                    place: name(&self.link.settings.keyspace, shard, seq),
                    what: "a column of the newest block is missing".to_owned(),
                };
                owner.last_block = seq;
                owner.last_now_ms = row.unsigned("now_ms").ok_or_else(missing)?;
                owner.chain = bits(row.number("chain").ok_or_else(missing)?);
                break;
            }
        }
        Ok(owner)
    }

    /// Appends a block and returns when it is known what became of it, however long that takes: nobody may be told
    /// anything before. Only a statement that the server will never take is an error.
    pub(crate) async fn append(&self, owner: &mut Owner, block: &Block) -> Result<Appended, StoreError> {
        let header = Header::of(block);
        let chain = header.chain(owner.chain);
        let segment = segment_of(block.seq);
        if segment > owner.segment && self.roll_over(owner, segment).await? == Appended::Fenced {
            return Ok(Appended::Fenced);
        }
        let mark = mark()?;
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
                    pause.wait().await;
                    match applied(&error) {
                        Applied::No => None,
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
        if fence.and_then(|row| row.unsigned("fence")) == Some(block.epoch.0) {
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
        let open = self.again(|| self.raise_fence(shard, segment, owner.epoch)).await?;
        if !open {
            return Ok(Appended::Fenced);
        }
        let values = (
            signed(segment),
            number(shard),
            signed(owner.epoch),
            signed(owner.segment),
        );
        loop {
            let published = self.again(|| self.link.run(&self.owner_segment, values)).await?;
            match published.condition()? {
                Condition::Applied => break,
                Condition::Refused(found) => {
                    let (epoch, at) = (found.unsigned("epoch"), found.unsigned("segment"));
                    if epoch != Some(owner.epoch) {
                        return Ok(Appended::Fenced);
                    }
                    // An earlier try whose answer was lost.
                    if at == Some(segment) {
                        break;
                    }
                }
            }
        }
        owner.segment = segment;
        Ok(Appended::Durable)
    }

    /// A block; `None` where there is none.
    pub(crate) async fn read(&self, shard: ShardId, seq: u64) -> Result<Option<(Block, u64)>, StoreError> {
        let at = (number(shard), signed(segment_of(seq)), signed(seq));
        let row = self.again(|| self.link.run(&self.block, at)).await?.first();
        row.map(|row| self.block_of(shard, &row)).transpose()
    }

    /// The block of a row, and its chain.
    pub(crate) fn block_of(&self, shard: ShardId, row: &Fields) -> Result<(Block, u64), StoreError> {
        let seq = row.unsigned("seq").unwrap_or(0);
        let place = name(&self.link.settings.keyspace, shard, seq);
        let corrupt = |what: &str| StoreError::Corrupt {
            place: place.clone(),
            what: what.to_owned(),
        };
        let missing = || corrupt("a column of the block is missing");
        let codec = row.number("codec").ok_or_else(missing)?;
        if codec != CODEC_PLAIN {
            return Err(StoreError::NewerFormat {
                place,
                found: u32::try_from(codec).unwrap_or(u32::MAX),
                known: CODEC_PLAIN as u32,
            });
        }
        let header = Header {
            shard,
            seq,
            epoch: row.unsigned("epoch").ok_or_else(missing)?,
            now_ms: row.unsigned("now_ms").ok_or_else(missing)?,
            count: row
                .unsigned("n")
                .and_then(|n| u32::try_from(n).ok())
                .ok_or_else(missing)?,
            // Stored in the column's signed four bytes.
            crc: row.number("crc").ok_or_else(missing)? as i32 as u32,
        };
        let bytes = row.bytes("block").ok_or_else(missing)?.to_vec();
        let chain = bits(row.number("chain").ok_or_else(missing)?);
        Ok((checked(header, bytes, &place)?, chain))
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
                    pause.wait().await;
                }
                Err(error) => return Err(error.told("a statement of the cluster store")),
            }
        }
    }
}

/// What a cell that an append did not fill says about it; `None` when it is empty under our fence: to be sent again.
fn judge(found: &Fields, mark: &Mark, epoch: Epoch) -> Option<Appended> {
    if found.bytes("block_id") == Some(&mark[..]) {
        return Some(Appended::Durable);
    }
    if found.bytes("block_id").is_none() && found.unsigned("fence") == Some(epoch.0) {
        return None;
    }
    // A higher fence, or a block of another incarnation in this place: either way this one is over.
    Some(Appended::Fenced)
}

/// A pause that grows.
struct Pause(Duration);

impl Pause {
    fn new() -> Pause {
        Pause(PAUSES.0)
    }

    async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(PAUSES.1);
    }
}

fn mark() -> Result<Mark, StoreError> {
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

/// A hash from its signed column.
fn bits(value: i64) -> u64 {
    value as u64
}
