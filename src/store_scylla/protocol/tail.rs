//! Reading the journal: what a new owner stands on, and single blocks.

use super::{Protocol, number, signed};
use crate::answer::Fields;
use crate::block::{CODEC_PLAIN, Header, checked, name, segment_of};
use crate::port::Port;
use tollgate_breaks::broken;
use tollgate_store::{Block, ShardId, StoreError};

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

/// The newest block; zeros where there is none.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Newest {
    pub(crate) seq: u64,
    now_ms: u64,
    chain: u64,
}

impl<P: Port> Protocol<P> {
    /// What the new owner of an epoch stands on. Only after [`Protocol::claim`].
    pub(super) async fn stand(&self, shard: ShardId, epoch: u64, segment: u64) -> Result<Owner, StoreError> {
        let newest = self.newest(shard, segment).await?;
        if broken!(FenceAfterTail) {
            self.again(|| self.raise_fence(shard, segment, epoch)).await?;
        }
        Ok(Owner {
            shard,
            epoch,
            segment,
            last_block: newest.seq,
            last_now_ms: newest.now_ms,
            chain: newest.chain,
        })
    }

    /// The newest block of a journal with this newest segment. Where somebody owns the shard it may be older by now.
    pub(crate) async fn newest(&self, shard: ShardId, segment: u64) -> Result<Newest, StoreError> {
        // A segment that was opened and not written to yet: the newest block is the last of the one before.
        let newest = segment;
        for segment in [newest, newest - 1] {
            if segment == 0 || (broken!(ForgetFullSegment) && segment < newest) {
                break;
            }
            let values = (number(shard), signed(segment));
            let last = self.again(|| self.link.run(&self.last, values)).await?.first();
            if let Some(row) = last
                && let Some(seq) = row.unsigned("seq")
            {
                let missing = || StoreError::Corrupt {
                    place: name(self.link.keyspace(), shard, seq),
                    what: "a column of the newest block is missing".to_owned(),
                };
                return Ok(Newest {
                    seq,
                    now_ms: row.unsigned("now_ms").ok_or_else(missing)?,
                    chain: bits(row.number("chain").ok_or_else(missing)?),
                });
            }
        }
        Ok(Newest::default())
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
        let place = name(self.link.keyspace(), shard, seq);
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
}

/// A hash from its signed column.
fn bits(value: i64) -> u64 {
    value as u64
}
