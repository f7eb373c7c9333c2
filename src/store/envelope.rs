//! The bytes of a record and of a block of records.
//!
//! ```text
//! record = length (varint) | crc32c (4, over the rest) | head | body
//! head   = mask (varint) | the fields whose bits are set, in the order of the bits
//! ```
//! The bits are the field numbers: they are never reused, and later fields take further bits. A reader that meets a bit
//! it does not know refuses the record, because it could not even tell where the body starts. A record can be read on
//! its own, without its block, which is what lets the index point at records; its checksum is what keeps a wrong pointer
//! or a rotten sector from being served.
//!
//! A payment (seven things born, three lists, three tags, a key) has a head of about 45 bytes, 20 of which are the hashes
//! of the account and of the key. Sequence numbers are written as distances from `first_seq`, kinds below 16 in half a
//! byte, tags as positions.

mod head;

use self::head::{put_head, take_head};
use crate::{Block, Epoch, Head, ShardId, StoreError};
use tollgate_breaks::broken;
use tollgate_resource::RecordError;
use tollgate_resource::record::{Input, put_varint};

/// The version of this layout; rises when a bit is added to the mask.
pub const ENVELOPE_FORMAT: u32 = 1;
/// Most records of a block: what one turn of a busy shard decides, well above the 64 of a usual group.
pub const RECORDS_PER_BLOCK_MAX: usize = 1024;
/// A block takes no further record beyond this many bytes (what a cluster's journal cell takes); a single record may be
/// larger.
pub const BLOCK_BYTES_MAX: usize = 256 * 1024;
/// Most bytes of one record, head and all. A request body is at most 1 MiB, and facts repeat little of it.
pub const RECORD_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Kind numbers are below this, so that a set of kinds is a 64-bit mask.
pub const KINDS_MAX: u8 = 64;

/// Why bytes are not a block of records.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// The bytes end inside a record.
    #[error("the bytes end inside a record")]
    Truncated,
    /// The checksum of a record does not fit its bytes.
    #[error("the checksum of a record does not fit its bytes")]
    Checksum,
    /// A field this release does not know.
    #[error("a record's envelope has fields that this release does not know (mask {0:#x})")]
    UnknownField(u64),
    /// A value that no writer writes.
    #[error("a record's envelope has a bad {0}")]
    Invalid(&'static str),
    /// The block holds another number of records than it says.
    #[error("the block holds another number of records than it says")]
    Count,
}

impl EnvelopeError {
    /// The store's word for it, at a place.
    pub fn at(self, place: String) -> StoreError {
        match self {
            Self::UnknownField(_) => StoreError::NewerFormat {
                place,
                found: ENVELOPE_FORMAT + 1,
                known: ENVELOPE_FORMAT,
            },
            other => StoreError::Corrupt {
                place,
                what: other.to_string(),
            },
        }
    }
}

impl From<RecordError> for EnvelopeError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Overflow => Self::Invalid("number"),
            _ => Self::Truncated,
        }
    }
}

/// One record of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// Where it starts in the block's bytes.
    pub offset: u32,
    /// How many bytes it takes, with its length and checksum.
    pub len: u32,
    /// Its envelope.
    pub head: Head,
    /// Its body.
    pub body: &'a [u8],
}

/// The block has no room for the record: seal it and push again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the block is full")]
pub struct BlockFull;

/// Gathers the records of a shard's next block, on the lane.
#[derive(Debug)]
pub struct BlockBuilder {
    shard: ShardId,
    epoch: Epoch,
    now_ms: u64,
    count: u32,
    bytes: Vec<u8>,
    head: Vec<u8>,
}

impl BlockBuilder {
    /// An empty block of this incarnation of the shard. `last_now_ms` is the `now_ms` of the shard's last block
    /// (`Claimed::last_now_ms`); a block's time never goes back behind it.
    pub fn new(shard: ShardId, epoch: Epoch, last_now_ms: u64) -> Self {
        BlockBuilder {
            shard,
            epoch,
            now_ms: last_now_ms,
            count: 0,
            bytes: Vec::new(),
            head: Vec::with_capacity(64),
        }
    }

    /// The incarnation whose blocks it makes.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Appends a record.
    ///
    /// # Panics
    /// When the record is larger than [`RECORD_BYTES_MAX`] or names a kind of 64 or more: the layer above bounds both.
    pub fn push(&mut self, head: &Head, body: &[u8]) -> Result<(), BlockFull> {
        self.head.clear();
        put_head(&mut self.head, head);
        let len = self.head.len() + body.len();
        assert!(
            len <= RECORD_BYTES_MAX,
            "a record of {len} bytes exceeds {RECORD_BYTES_MAX}"
        );
        let full = self.count as usize >= RECORDS_PER_BLOCK_MAX || self.bytes.len() + len > BLOCK_BYTES_MAX;
        if full && self.count > 0 {
            return Err(BlockFull);
        }
        let start = self.bytes.len();
        put_varint(&mut self.bytes, len as u64);
        let crc = crc32c::crc32c_append(crc32c::crc32c(&self.head), body);
        self.bytes.extend_from_slice(&crc.to_le_bytes());
        self.bytes.extend_from_slice(&self.head);
        self.bytes.extend_from_slice(body);
        if broken!(ReorderBlock) {
            self.bytes.rotate_left(start);
        }
        self.count += 1;
        self.now_ms = self.now_ms.max(head.now_ms);
        Ok(())
    }

    /// Records pushed since the last seal.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether nothing was pushed since the last seal.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes gathered since the last seal.
    pub fn bytes_len(&self) -> usize {
        self.bytes.len()
    }

    /// Closes the block under its sequence number (the one after the shard's last block) and starts the next.
    ///
    /// # Panics
    /// When the block is empty: an empty block says nothing.
    pub fn seal(&mut self, seq: u64) -> Block {
        assert!(self.count > 0, "an empty block was sealed");
        // The next block will be about as large as this one.
        let next = Vec::with_capacity(self.bytes.len());
        let bytes = std::mem::replace(&mut self.bytes, next);
        let count = std::mem::take(&mut self.count);
        Block {
            shard: self.shard,
            epoch: self.epoch,
            seq,
            now_ms: self.now_ms,
            count,
            bytes,
        }
    }
}

/// The records of a block, each checked as it is reached. The first error ends it.
pub fn records(bytes: &[u8], count: u32) -> Records<'_> {
    Records {
        bytes,
        at: 0,
        left: count,
        failed: false,
    }
}

/// Iterator over the records of a block; see [`records`].
#[derive(Clone, Debug)]
pub struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
    left: u32,
    failed: bool,
}

impl<'a> Records<'a> {
    fn step(&mut self) -> Result<RecordRef<'a>, EnvelopeError> {
        let rest = &self.bytes[self.at..];
        if self.left == 0 || rest.is_empty() {
            return Err(EnvelopeError::Count);
        }
        let (len, head, body) = take_record(rest)?;
        let offset = u32::try_from(self.at).map_err(|_| EnvelopeError::Invalid("block length"))?;
        self.at += len;
        self.left -= 1;
        Ok(RecordRef {
            offset,
            len: len as u32,
            head,
            body,
        })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<RecordRef<'a>, EnvelopeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || (self.left == 0 && self.at == self.bytes.len()) {
            return None;
        }
        let record = self.step();
        self.failed = record.is_err();
        Some(record)
    }
}

/// Reads the one record that these bytes are, exactly (`RecordRef::offset` and `len` of its block).
pub fn read_record(bytes: &[u8]) -> Result<(Head, &[u8]), EnvelopeError> {
    let (len, head, body) = take_record(bytes)?;
    if len != bytes.len() {
        return Err(EnvelopeError::Invalid("length"));
    }
    Ok((head, body))
}

fn take_record(bytes: &[u8]) -> Result<(usize, Head, &[u8]), EnvelopeError> {
    let mut input = Input::new(bytes);
    let len = usize::try_from(input.take_varint()?).map_err(|_| EnvelopeError::Truncated)?;
    if len > RECORD_BYTES_MAX {
        return Err(EnvelopeError::Invalid("length"));
    }
    let crc = u32::from_le_bytes(input.take_bytes(4)?.try_into().expect("four bytes were taken"));
    let content = input.take_bytes(len)?;
    if crc32c::crc32c(content) != crc {
        return Err(EnvelopeError::Checksum);
    }
    let total = bytes.len() - input.rest().len();
    let mut input = Input::new(content);
    let head = take_head(&mut input)?;
    Ok((total, head, input.rest()))
}

#[cfg(test)]
mod tests;
