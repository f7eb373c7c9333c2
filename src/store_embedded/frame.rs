//! Frames: what the journal's segments consist of.
//!
//! ```text
//!  0 magic "TGF" and the frame format (1)     32 sequence number of the block (8)
//!  4 kind: 1 block, 2 claim; 5 zero           40 time of the block, milliseconds (8)
//!  6 shard (2)                                48 hash of the previous frame's header (8)
//!  8 length of the payload (4)                56 crc32c of payload and padding (4)
//! 12 number of records (4)                    60 crc32c of the data's id and bytes 0 to 59 (4)
//! 16 offset of the group's first frame (4)    64 payload, then 1 to 8 bytes 0xff up to a multiple of 8
//! 20 zero (4)
//! 24 epoch (8)                                (numbers little endian)
//! ```
//! The second checksum protects the header, and through the first one the payload. The hash chains every frame to the
//! one before, across segments, so that a missing, doubled or foreign frame shows. The data's id in the header's
//! checksum makes it impossible to smuggle in a header through a payload.
//!
//! A *group* is what one sync covers. Everything before `group` was durable when the frame was written, which is what
//! tells a torn tail from damage. The padding is never zero, so that a part of a frame that never reached the disk
//! (preallocated zeros) shows as such.

use crate::meta::DataId;
use siphasher::sip::SipHasher24;
use std::hash::Hasher;
use tollgate_breaks::broken;
use tollgate_store::envelope::{BLOCK_BYTES_MAX, RECORD_BYTES_MAX};
use tollgate_store::{Block, Epoch, ShardId};

/// Bytes of a frame before its payload.
pub(crate) const HEADER: usize = 64;
/// Frames start at multiples of this.
pub(crate) const ALIGN: usize = 8;
/// Most bytes of a payload: a block that one large record overfills, with the record's length and checksum.
pub(crate) const PAYLOAD_MAX: usize = BLOCK_BYTES_MAX + RECORD_BYTES_MAX + 16;

const MAGIC: [u8; 4] = *b"TGF\x01";
const PADDING: u8 = 0xff;

/// What a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A block of records.
    Block = 1,
    /// A new owner of the shard; no payload. `seq` and `now_ms` repeat those of the shard's last block.
    Claim = 2,
}

/// A frame's header, without the checksums.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) shard: ShardId,
    pub(crate) len: u32,
    pub(crate) count: u32,
    /// Offset in this segment of the first frame of the group.
    pub(crate) group: u32,
    pub(crate) epoch: Epoch,
    pub(crate) seq: u64,
    pub(crate) now_ms: u64,
    pub(crate) previous: u64,
}

impl Header {
    /// Bytes of the whole frame.
    pub(crate) fn frame_len(&self) -> usize {
        frame_len(self.len as usize)
    }

    /// The header of a block's frame; `group` and `previous` are the writer's to fill in.
    pub(crate) fn of_block(block: &Block) -> Header {
        assert!(
            block.bytes.len() <= PAYLOAD_MAX,
            "a block of {} bytes exceeds {PAYLOAD_MAX}",
            block.bytes.len()
        );
        Header {
            kind: Kind::Block,
            shard: block.shard,
            len: block.bytes.len() as u32,
            count: block.count,
            group: 0,
            epoch: block.epoch,
            seq: block.seq,
            now_ms: block.now_ms,
            previous: 0,
        }
    }
}

/// Bytes of a frame with that much payload.
pub(crate) fn frame_len(payload: usize) -> usize {
    (HEADER + payload + 1).next_multiple_of(ALIGN)
}

/// Writes and checks the frames of one data directory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Codec {
    seed: u32,
    chain: SipHasher24,
}

impl Codec {
    pub(crate) fn new(id: &DataId) -> Codec {
        Codec {
            seed: crc32c::crc32c(&id.0),
            chain: SipHasher24::new_with_key(&id.0),
        }
    }

    /// What the first frame of all has for the hash of the previous one.
    pub(crate) const FIRST: u64 = 0;

    /// Appends a frame and returns the hash of its header.
    pub(crate) fn put(&self, out: &mut Vec<u8>, header: &Header, payload: &[u8]) -> u64 {
        let start = out.len();
        out.extend_from_slice(&[0; HEADER]);
        out.extend_from_slice(payload);
        out.resize(start + header.frame_len(), PADDING);
        let crc = crc32c::crc32c(&out[start + HEADER..]);
        let head = &mut out[start..start + HEADER];
        head[0..4].copy_from_slice(&MAGIC);
        head[4] = header.kind as u8;
        head[6..8].copy_from_slice(&header.shard.0.to_le_bytes());
        head[8..12].copy_from_slice(&header.len.to_le_bytes());
        head[12..16].copy_from_slice(&header.count.to_le_bytes());
        head[16..20].copy_from_slice(&header.group.to_le_bytes());
        head[24..32].copy_from_slice(&header.epoch.0.to_le_bytes());
        head[32..40].copy_from_slice(&header.seq.to_le_bytes());
        head[40..48].copy_from_slice(&header.now_ms.to_le_bytes());
        head[48..56].copy_from_slice(&header.previous.to_le_bytes());
        head[56..60].copy_from_slice(&crc.to_le_bytes());
        let seal = crc32c::crc32c_append(self.seed, &head[..60]);
        head[60..64].copy_from_slice(&seal.to_le_bytes());
        self.hash(head)
    }

    /// The header at the start of `bytes`, if its checksum holds.
    pub(crate) fn header(&self, bytes: &[u8]) -> Option<Header> {
        let head = bytes.get(..HEADER)?;
        if head[0..4] != MAGIC || crc32c::crc32c_append(self.seed, &head[..60]) != word(head, 60) {
            return None;
        }
        let kind = match head[4] {
            1 => Kind::Block,
            2 => Kind::Claim,
            _ => return None,
        };
        Some(Header {
            kind,
            shard: ShardId(u16::from_le_bytes([head[6], head[7]])),
            len: word(head, 8),
            count: word(head, 12),
            group: word(head, 16),
            epoch: Epoch(long(head, 24)),
            seq: long(head, 32),
            now_ms: long(head, 40),
            previous: long(head, 48),
        })
    }

    /// The payload of the frame at the start of `bytes`, whose header was read before.
    pub(crate) fn payload<'a>(&self, header: &Header, bytes: &'a [u8]) -> Result<&'a [u8], &'static str> {
        if header.len as usize > PAYLOAD_MAX {
            return Err("a frame is longer than any frame may be");
        }
        let content = bytes
            .get(HEADER..header.frame_len())
            .ok_or("a frame runs past the end of its segment")?;
        if crc32c::crc32c(content) != word(bytes, 56) && !broken!(TrustPayload) {
            return Err("the checksum of a frame does not fit its payload");
        }
        Ok(&content[..header.len as usize])
    }

    /// The hash that the next frame must name.
    pub(crate) fn hash(&self, header_bytes: &[u8]) -> u64 {
        let mut hasher = self.chain;
        hasher.write(&header_bytes[..HEADER]);
        hasher.finish()
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(len: u32) -> Header {
        let (shard, epoch) = (ShardId(7), Epoch(3));
        Header {
            kind: Kind::Block,
            shard,
            len,
            count: 2,
            group: 64,
            epoch,
            seq: 9,
            now_ms: 77,
            previous: 0x1234,
        }
    }

    #[test]
    fn a_frame_reads_back_and_ends_aligned_with_bytes_that_are_not_zero() {
        let codec = Codec::new(&DataId([5; 16]));
        for len in 0..40u32 {
            let mut bytes = Vec::new();
            let payload = vec![0; len as usize];
            let hash = codec.put(&mut bytes, &header(len), &payload);
            assert_eq!(codec.header(&bytes), Some(header(len)));
            assert_eq!(codec.payload(&header(len), &bytes), Ok(&payload[..]));
            assert_eq!(codec.hash(&bytes), hash);
            assert_eq!((bytes.len() % ALIGN, bytes.last()), (0, Some(&PADDING)));
        }
    }

    #[test]
    fn every_flipped_bit_of_a_frame_is_noticed() {
        let codec = Codec::new(&DataId([5; 16]));
        let mut bytes = Vec::new();
        codec.put(&mut bytes, &header(21), b"twenty-one bytes here");
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let sound = codec
                .header(&bytes)
                .is_some_and(|header| codec.payload(&header, &bytes).is_ok());
            assert!(!sound, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_frame_of_other_data_is_no_frame() {
        let mut bytes = Vec::new();
        Codec::new(&DataId([5; 16])).put(&mut bytes, &header(3), b"abc");
        assert_eq!(Codec::new(&DataId([6; 16])).header(&bytes), None);
    }
}
