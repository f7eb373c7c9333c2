//! A block as a row of the journal: its checksum, its place in the chain, and where it stands.

use siphasher::sip::SipHasher24;
use std::hash::Hasher;
use tollgate_store::envelope::records;
use tollgate_store::index::Place;
use tollgate_store::{Block, Epoch, Head, ShardId, StoreError};

/// Blocks of a segment, which is one partition: at the usual 30 kB a block some 15 MB. The number is part of the format,
/// because a block's segment follows from its sequence number.
pub const SEGMENT_BLOCKS: u64 = 512;

/// Bytes stored as they are. Other codecs may follow; a reader refuses those it does not know.
pub(crate) const CODEC_PLAIN: i64 = 0;

/// The segment that a block stands in. The first block is 1, and so is the first segment.
pub(crate) fn segment_of(seq: u64) -> u64 {
    assert!(seq > 0, "blocks are counted from one");
    (seq - 1) / SEGMENT_BLOCKS + 1
}

/// What is known of a block besides its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) shard: ShardId,
    pub(crate) seq: u64,
    pub(crate) epoch: u64,
    pub(crate) now_ms: u64,
    pub(crate) count: u32,
    /// CRC-32C of the bytes.
    pub(crate) crc: u32,
}

impl Header {
    pub(crate) fn of(block: &Block) -> Header {
        Header {
            shard: block.shard,
            seq: block.seq,
            epoch: block.epoch.0,
            now_ms: block.now_ms,
            count: block.count,
            crc: crc32c::crc32c(&block.bytes),
        }
    }

    /// Hash of this header and all before it: an archive that lacks a block, or has another in its place, shows it.
    pub(crate) fn chain(&self, before: u64) -> u64 {
        let mut hasher = SipHasher24::new();
        for value in [
            before,
            u64::from(self.shard.0),
            self.seq,
            self.epoch,
            self.now_ms,
            u64::from(self.count),
            u64::from(self.crc),
        ] {
            hasher.write_u64(value);
        }
        hasher.finish()
    }
}

/// Names a block for a message.
pub(crate) fn name(keyspace: &str, shard: ShardId, seq: u64) -> String {
    format!(
        "{keyspace}.journal shard {} segment {} seq {seq}",
        shard.0,
        segment_of(seq.max(1))
    )
}

/// The block of a row, checked.
pub(crate) fn checked(header: Header, bytes: Vec<u8>, place: &str) -> Result<Block, StoreError> {
    if crc32c::crc32c(&bytes) != header.crc {
        return Err(StoreError::Corrupt {
            place: place.to_owned(),
            what: "the checksum of the block does not fit its bytes".to_owned(),
        });
    }
    Ok(Block {
        shard: header.shard,
        epoch: Epoch(header.epoch),
        seq: header.seq,
        now_ms: header.now_ms,
        count: header.count,
        bytes,
    })
}

/// Envelopes of a block's records, with their places: a place's segment is the number of the block.
pub(crate) fn heads(block: &Block, place: &str) -> Result<Vec<(Place, Head)>, StoreError> {
    let number = u32::try_from(block.seq).map_err(|_| StoreError::Corrupt {
        place: place.to_owned(),
        what: "the shard has more blocks than places can name".to_owned(),
    })?;
    records(&block.bytes, block.count)
        .map(|record| {
            let record = record.map_err(|error| error.at(place.to_owned()))?;
            let place = Place {
                segment: number,
                offset: record.offset,
                len: record.len,
            };
            Ok((place, record.head))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_follow_from_sequence_numbers() {
        assert_eq!(segment_of(1), 1);
        assert_eq!(segment_of(SEGMENT_BLOCKS), 1);
        assert_eq!(segment_of(SEGMENT_BLOCKS + 1), 2);
    }

    #[test]
    fn the_chain_depends_on_every_field_and_on_what_was_before() {
        let header = Header {
            shard: ShardId(1),
            seq: 2,
            epoch: 3,
            now_ms: 4,
            count: 5,
            crc: 6,
        };
        let changed = [
            Header {
                shard: ShardId(9),
                ..header
            },
            Header { seq: 9, ..header },
            Header { epoch: 9, ..header },
            Header { now_ms: 9, ..header },
            Header { count: 9, ..header },
            Header { crc: 9, ..header },
        ];
        let chain = header.chain(7);
        assert_ne!(chain, header.chain(8));
        for other in changed {
            assert_ne!(chain, other.chain(7), "{other:?}");
        }
    }
}
