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

const ACCOUNT: u64 = 1 << 0;
const NOW: u64 = 1 << 1;
const FIRST_SEQ: u64 = 1 << 2;
const BORN: u64 = 1 << 3;
const KEY: u64 = 1 << 4;
const TAGS: u64 = 1 << 5;
const LISTS: u64 = 1 << 6;
const CHANGED: u64 = 1 << 7;
const TIMERS: u64 = 1 << 8;
const ROW: u64 = 1 << 9;
const KNOWN: u64 = (1 << 10) - 1;

/// More tags than this are written as eight bytes, which is then shorter.
const TAG_POSITIONS_MAX: u32 = 7;

fn put_head(out: &mut Vec<u8>, head: &Head) {
    let bit = |present: bool, bit: u64| if present { bit } else { 0 };
    let mask = bit(head.account != 0, ACCOUNT)
        | bit(head.now_ms != 0, NOW)
        | bit(head.first_seq != 0, FIRST_SEQ)
        | bit(!head.born.is_empty(), BORN)
        | bit(head.key.is_some(), KEY)
        | bit(head.tags != 0, TAGS)
        | bit(!head.lists.is_empty(), LISTS)
        | bit(!head.changed.is_empty(), CHANGED)
        | bit(!head.timers.is_empty(), TIMERS)
        | bit(head.row, ROW);
    put_varint(out, mask);
    if mask & ACCOUNT != 0 {
        out.extend_from_slice(&head.account.to_le_bytes());
    }
    if mask & NOW != 0 {
        put_varint(out, head.now_ms);
    }
    if mask & FIRST_SEQ != 0 {
        put_varint(out, head.first_seq);
    }
    if mask & BORN != 0 {
        put_born(out, &head.born);
    }
    if let Some(key) = &head.key {
        out.extend_from_slice(key);
    }
    if mask & TAGS != 0 {
        put_tags(out, head.tags);
    }
    if mask & LISTS != 0 {
        put_lists(out, head);
    }
    if mask & CHANGED != 0 {
        put_varint(out, head.changed.len() as u64);
        for &seq in &head.changed {
            put_distance(out, head.first_seq, seq);
        }
    }
    if mask & TIMERS != 0 {
        put_varint(out, head.timers.len() as u64);
        for &(due_ms, seq) in &head.timers {
            put_distance(out, due_ms, head.now_ms);
            put_distance(out, head.first_seq, seq);
        }
    }
}

fn take_head(input: &mut Input<'_>) -> Result<Head, EnvelopeError> {
    let mask = input.take_varint()?;
    if mask & !KNOWN != 0 {
        return Err(EnvelopeError::UnknownField(mask));
    }
    let mut head = Head {
        row: mask & ROW != 0,
        ..Head::default()
    };
    if mask & ACCOUNT != 0 {
        head.account = take_u64(input)?;
    }
    if mask & NOW != 0 {
        head.now_ms = input.take_varint()?;
    }
    if mask & FIRST_SEQ != 0 {
        head.first_seq = input.take_varint()?;
    }
    if mask & BORN != 0 {
        take_born(input, &mut head)?;
    }
    if mask & KEY != 0 {
        head.key = Some(input.take_bytes(12)?.try_into().expect("twelve bytes were taken"));
    }
    if mask & TAGS != 0 {
        head.tags = take_tags(input)?;
    }
    if mask & LISTS != 0 {
        take_lists(input, &mut head)?;
    }
    if mask & CHANGED != 0 {
        for _ in 0..take_count(input)? {
            head.changed.push(take_distance(input, head.first_seq)?);
        }
    }
    if mask & TIMERS != 0 {
        for _ in 0..take_count(input)? {
            let due_ms = head.now_ms.wrapping_add(unzigzag(input.take_varint()?) as u64);
            head.timers.push((due_ms, take_distance(input, head.first_seq)?));
        }
    }
    Ok(head)
}

/// `count << 1 | wide`, then a byte each, or half a byte each when every kind is below 16.
fn put_born(out: &mut Vec<u8>, born: &[u8]) {
    assert!(born.iter().all(|&kind| kind < KINDS_MAX), "a kind number of 64 or more");
    let wide = born.iter().any(|&kind| kind >= 16);
    put_varint(out, (born.len() as u64) << 1 | u64::from(wide));
    if wide {
        out.extend_from_slice(born);
    } else {
        out.extend(
            born.chunks(2)
                .map(|pair| pair[0] | pair.get(1).copied().unwrap_or(0) << 4),
        );
    }
}

fn take_born(input: &mut Input<'_>, head: &mut Head) -> Result<(), EnvelopeError> {
    let code = input.take_varint()?;
    let count = usize::try_from(code >> 1).map_err(|_| EnvelopeError::Truncated)?;
    if code & 1 != 0 {
        let kinds = input.take_bytes(count)?;
        if kinds.iter().any(|&kind| kind >= KINDS_MAX) {
            return Err(EnvelopeError::Invalid("kind"));
        }
        head.born.extend_from_slice(kinds);
    } else {
        for &pair in input.take_bytes(count.div_ceil(2))? {
            head.born.push(pair & 15);
            if head.born.len() < count {
                head.born.push(pair >> 4);
            } else if pair >> 4 != 0 {
                return Err(EnvelopeError::Invalid("kind"));
            }
        }
    }
    // Everything later may add to sequence numbers without looking.
    if head.first_seq.checked_add(head.born.len() as u64).is_none() {
        return Err(EnvelopeError::Invalid("sequence"));
    }
    Ok(())
}

fn put_tags(out: &mut Vec<u8>, tags: u64) {
    if tags.count_ones() > TAG_POSITIONS_MAX {
        out.push(TAG_POSITIONS_MAX as u8 + 1);
        out.extend_from_slice(&tags.to_le_bytes());
        return;
    }
    out.push(tags.count_ones() as u8);
    let mut left = tags;
    while left != 0 {
        out.push(left.trailing_zeros() as u8);
        left &= left - 1;
    }
}

fn take_tags(input: &mut Input<'_>) -> Result<u64, EnvelopeError> {
    let count = u32::from(input.take_bytes(1)?[0]);
    if count == TAG_POSITIONS_MAX + 1 {
        return take_u64(input);
    }
    if count > TAG_POSITIONS_MAX {
        return Err(EnvelopeError::Invalid("tag count"));
    }
    let mut tags = 0;
    for &position in input.take_bytes(count as usize)? {
        tags |= 1u64
            .checked_shl(u32::from(position))
            .ok_or(EnvelopeError::Invalid("tag"))?;
    }
    Ok(tags)
}

/// `count << 1 | kinds follow`, then for each the child's and the parent's distance from `first_seq`, and the child's
/// kind unless every child is one of those born here, whose kind is known.
fn put_lists(out: &mut Vec<u8>, head: &Head) {
    let kinds_follow = head
        .lists
        .iter()
        .any(|&(_, kind, child)| born_kind(head, child) != Some(kind));
    put_varint(out, (head.lists.len() as u64) << 1 | u64::from(kinds_follow));
    for &(parent, kind, child) in &head.lists {
        assert!(kind < KINDS_MAX, "a kind number of 64 or more");
        put_distance(out, head.first_seq, child);
        put_distance(out, head.first_seq, parent);
        if kinds_follow {
            out.push(kind);
        }
    }
}

fn take_lists(input: &mut Input<'_>, head: &mut Head) -> Result<(), EnvelopeError> {
    let code = input.take_varint()?;
    if code >> 1 > input.rest().len() as u64 {
        return Err(EnvelopeError::Truncated);
    }
    for _ in 0..code >> 1 {
        let child = take_distance(input, head.first_seq)?;
        let parent = take_distance(input, head.first_seq)?;
        let kind = if code & 1 != 0 {
            Some(input.take_bytes(1)?[0])
        } else {
            born_kind(head, child)
        };
        let kind = kind
            .filter(|&kind| kind < KINDS_MAX)
            .ok_or(EnvelopeError::Invalid("list"))?;
        head.lists.push((parent, kind, child));
    }
    Ok(())
}

fn born_kind(head: &Head, seq: u64) -> Option<u8> {
    let at = usize::try_from(seq.checked_sub(head.first_seq)?).ok()?;
    head.born.get(at).copied()
}

fn take_count(input: &mut Input<'_>) -> Result<u64, EnvelopeError> {
    let count = input.take_varint()?;
    // Each item takes at least a byte, so a hostile count cannot make the reader loop.
    if count > input.rest().len() as u64 {
        return Err(EnvelopeError::Truncated);
    }
    Ok(count)
}

fn take_u64(input: &mut Input<'_>) -> Result<u64, EnvelopeError> {
    Ok(u64::from_le_bytes(
        input.take_bytes(8)?.try_into().expect("eight bytes were taken"),
    ))
}

/// `from - value`, signed: most values are a little smaller than `from`.
fn put_distance(out: &mut Vec<u8>, from: u64, value: u64) {
    put_varint(out, zigzag(from.wrapping_sub(value) as i64));
}

fn take_distance(input: &mut Input<'_>, from: u64) -> Result<u64, EnvelopeError> {
    Ok(from.wrapping_sub(unzigzag(input.take_varint()?) as u64))
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests;
