//! Where the journal stands after what was indexed, as the index keeps it in its manifest.

use crate::rebuild::{Owner, Owners};
use tollgate_resource::RecordError;
use tollgate_resource::record::{Input, put_varint};
use tollgate_store::ShardId;
use tollgate_store_index::Checkpoint;

/// A place between two frames of the journal, and how to recognise it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    pub(crate) segment: u32,
    /// Offset of the last frame before it, in the same segment.
    pub(crate) last_frame: u32,
    /// Where the next frame stands.
    pub(crate) offset: u32,
    /// Hash of the last frame's header.
    pub(crate) chain: u64,
}

/// Where the journal stands, and what it knows of the owners there.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    pub(crate) position: Position,
    pub(crate) owners: Owners,
}

impl Checkpoint for Mark {
    fn put(&self, out: &mut Vec<u8>) {
        for value in [self.position.segment, self.position.last_frame, self.position.offset] {
            put_varint(out, u64::from(value));
        }
        out.extend_from_slice(&self.position.chain.to_le_bytes());
        put_varint(out, self.owners.len() as u64);
        for (shard, owner) in &self.owners {
            for value in [u64::from(shard.0), owner.epoch, owner.last_block, owner.last_now_ms] {
                put_varint(out, value);
            }
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Mark, RecordError> {
        let position = Position {
            segment: take_u32(input)?,
            last_frame: take_u32(input)?,
            offset: take_u32(input)?,
            chain: u64::from_le_bytes(input.take_bytes(8)?.try_into().expect("eight bytes")),
        };
        let mut owners = Owners::new();
        for _ in 0..input.take_varint()? {
            let shard = u16::try_from(input.take_varint()?).map_err(|_| RecordError::Overflow)?;
            let owner = Owner {
                epoch: input.take_varint()?,
                last_block: input.take_varint()?,
                last_now_ms: input.take_varint()?,
            };
            owners.insert(ShardId(shard), owner);
        }
        Ok(Mark { position, owners })
    }
}

fn take_u32(input: &mut Input<'_>) -> Result<u32, RecordError> {
    u32::try_from(input.take_varint()?).map_err(|_| RecordError::Overflow)
}
