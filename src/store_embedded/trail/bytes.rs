//! The bytes of a trail's segment.
//!
//! ```text
//! header    magic, number                                            16 bytes
//! frame     magic, rows u32, payload u32, crc, rows…, blocks…        one a flush; as many as there are
//! pages     all rows of the segment, by subject and time             when it is sealed; 4,096 bytes each, with a checksum
//! fences    the subject that each page begins with                   8 bytes each
//! trailer   where the pages are, the span of time, checksums         56 bytes
//! ```
//! A row says where a block of one subject's entries is, from when to when they are, and which second keys may be among
//! them. All numbers are little-endian.

use tollgate_store::trail::{ENTRY_BYTES_MAX, Entry, Position};

/// Begins a segment; the last byte is the format's number.
const HEADER: [u8; 8] = *b"TGTRAIL1";
const TRAILER: [u8; 8] = *b"TGTRAILX";
const FRAME: u32 = 0x4c52_5454;
/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = 16;
/// Bytes of a frame's head.
pub(super) const FRAME_BYTES: usize = 16;
/// Bytes of a row.
pub(super) const ROW_BYTES: usize = 56;
/// Bytes of a page of rows.
pub(super) const PAGE_BYTES: usize = 4096;
/// Rows of a page; the last four bytes are its checksum.
pub(super) const PAGE_ROWS: usize = (PAGE_BYTES - 4) / ROW_BYTES;
/// Bytes of the trailer.
pub(super) const TRAILER_BYTES: usize = 56;
/// Bytes of an entry besides its own.
pub(super) const ENTRY_OVERHEAD: usize = 26;
/// A block that has this many bytes gets no further entry: what a look at one entry reads.
const BLOCK_BYTES: usize = 4096;

/// Where some entries of a subject are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Row {
    pub(super) subject: u64,
    /// Offset in the file.
    pub(super) at: u32,
    pub(super) bytes: u32,
    /// Time of the oldest and of the newest of them.
    pub(super) min_ms: u64,
    pub(super) max_ms: u64,
    /// Bits of their second keys.
    pub(super) filter: u128,
    pub(super) crc: u32,
    pub(super) entries: u32,
}

/// The bits of a second key: three of 128, so that of the blocks without it one in sixty is looked at.
pub(super) fn bits_of(second: u64) -> u128 {
    // Numbers of events follow each other, so they are scattered first.
    let hash = second.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash = (hash ^ hash >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    [hash, hash >> 21, hash >> 42]
        .iter()
        .fold(0, |bits, part| bits | 1 << (part & 127))
}

impl Row {
    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.subject.to_le_bytes());
        to.extend_from_slice(&self.at.to_le_bytes());
        to.extend_from_slice(&self.bytes.to_le_bytes());
        to.extend_from_slice(&self.min_ms.to_le_bytes());
        to.extend_from_slice(&self.max_ms.to_le_bytes());
        to.extend_from_slice(&self.filter.to_le_bytes());
        to.extend_from_slice(&self.crc.to_le_bytes());
        to.extend_from_slice(&self.entries.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Row {
        Row {
            subject: u64_at(bytes, 0),
            at: u32_at(bytes, 8),
            bytes: u32_at(bytes, 12),
            min_ms: u64_at(bytes, 16),
            max_ms: u64_at(bytes, 24),
            filter: u128::from_le_bytes(bytes[32..48].try_into().expect("16 bytes")),
            crc: u32_at(bytes, 48),
            entries: u32_at(bytes, 52),
        }
    }
}

pub(super) fn header(number: u64) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(&HEADER);
    bytes[8..].copy_from_slice(&number.to_le_bytes());
    bytes
}

/// What the entries take in a frame, about; for deciding when to write.
pub(super) fn weight(entry: &Entry) -> usize {
    entry.bytes.len() + ENTRY_OVERHEAD + ROW_BYTES
}

/// A frame with these entries, to stand at `offset` of its file, and its rows.
pub(super) fn frame(mut entries: Vec<&Entry>, offset: u32) -> (Vec<u8>, Vec<Row>) {
    entries.sort_unstable_by_key(|entry| (entry.subject, entry.at));
    let mut payload = Vec::with_capacity(entries.iter().map(|entry| weight(entry)).sum());
    let mut rows: Vec<Row> = Vec::new();
    let mut start = 0;
    for entry in entries {
        let fits = payload.len() - start < BLOCK_BYTES;
        if !fits || rows.last().is_none_or(|row| row.subject != entry.subject) {
            start = payload.len();
            rows.push(Row {
                subject: entry.subject,
                at: start as u32,
                bytes: 0,
                min_ms: entry.at.at_ms,
                max_ms: entry.at.at_ms,
                filter: 0,
                crc: 0,
                entries: 0,
            });
        }
        payload.extend_from_slice(&entry.second.to_le_bytes());
        payload.extend_from_slice(&entry.at.at_ms.to_le_bytes());
        payload.extend_from_slice(&entry.at.id.to_le_bytes());
        payload.extend_from_slice(&(entry.bytes.len() as u16).to_le_bytes());
        payload.extend_from_slice(&entry.bytes);
        let row = rows.last_mut().expect("one was just begun");
        row.bytes = (payload.len() - start) as u32;
        row.max_ms = entry.at.at_ms;
        row.filter |= bits_of(entry.second);
        row.entries += 1;
    }
    let blocks_at = offset + (FRAME_BYTES + rows.len() * ROW_BYTES) as u32;
    let mut index = Vec::with_capacity(rows.len() * ROW_BYTES);
    for row in &mut rows {
        row.crc = crc32c::crc32c(&payload[row.at as usize..(row.at + row.bytes) as usize]);
        row.at += blocks_at;
        row.write(&mut index);
    }
    let mut frame = Vec::with_capacity(FRAME_BYTES + index.len() + payload.len());
    frame.extend_from_slice(&FRAME.to_le_bytes());
    frame.extend_from_slice(&(rows.len() as u32).to_le_bytes());
    frame.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    let crc = crc32c::crc32c_append(crc32c::crc32c(&frame[..12]), &index);
    frame.extend_from_slice(&crc.to_le_bytes());
    frame.extend_from_slice(&index);
    frame.extend_from_slice(&payload);
    (frame, rows)
}

/// What a frame's head says: number of rows and bytes of the payload. `None` where no frame begins.
pub(super) fn frame_head(head: &[u8; FRAME_BYTES]) -> Option<(usize, usize)> {
    (u32_at(head, 0) == FRAME).then(|| (u32_at(head, 4) as usize, u32_at(head, 8) as usize))
}

/// The rows of a frame, if they are what its head was written with.
pub(super) fn frame_rows(head: &[u8; FRAME_BYTES], index: &[u8]) -> Option<Vec<Row>> {
    let crc = crc32c::crc32c_append(crc32c::crc32c(&head[..12]), index);
    (crc == u32_at(head, 12)).then(|| index.chunks_exact(ROW_BYTES).map(Row::read).collect())
}

/// The entries of a block; `None` where they are not what was written.
pub(super) fn entries_of(row: &Row, block: &[u8]) -> Option<Vec<Entry>> {
    if crc32c::crc32c(block) != row.crc {
        return None;
    }
    let mut entries = Vec::new();
    let mut rest = block;
    while !rest.is_empty() {
        let (head, behind) = rest.split_at_checked(ENTRY_OVERHEAD)?;
        let len = usize::from(u16::from_le_bytes([head[24], head[25]]));
        let (bytes, behind) = behind.split_at_checked(len).filter(|_| len <= ENTRY_BYTES_MAX)?;
        entries.push(Entry {
            subject: row.subject,
            second: u64_at(head, 0),
            at: Position {
                at_ms: u64_at(head, 8),
                id: u64_at(head, 16),
            },
            bytes: bytes.to_vec(),
        });
        rest = behind;
    }
    Some(entries)
}

/// What ends a sealed segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Footer {
    /// The subject that each page of rows begins with.
    pub(super) fences: Vec<u64>,
    /// Where the pages are.
    pub(super) pages_at: u64,
    /// Time of the oldest and of the newest entry.
    pub(super) min_ms: u64,
    pub(super) max_ms: u64,
}

/// A footer for these rows, to stand at an offset, and its bytes.
pub(super) fn seal(mut rows: Vec<Row>, pages_at: u64) -> (Footer, Vec<u8>) {
    rows.sort_unstable_by_key(|row| (row.subject, row.max_ms, row.at));
    let footer = Footer {
        fences: rows.chunks(PAGE_ROWS).map(|page| page[0].subject).collect(),
        pages_at,
        min_ms: rows.iter().map(|row| row.min_ms).min().unwrap_or(0),
        max_ms: rows.iter().map(|row| row.max_ms).max().unwrap_or(0),
    };
    let mut bytes = Vec::new();
    for rows in rows.chunks(PAGE_ROWS) {
        let start = bytes.len();
        rows.iter().for_each(|row| row.write(&mut bytes));
        bytes.resize(start + PAGE_BYTES - 4, 0);
        let crc = crc32c::crc32c(&bytes[start..]);
        bytes.extend_from_slice(&crc.to_le_bytes());
    }
    let fences_at = bytes.len();
    for fence in &footer.fences {
        bytes.extend_from_slice(&fence.to_le_bytes());
    }
    let fences_crc = crc32c::crc32c(&bytes[fences_at..]);
    let trailer_at = bytes.len();
    bytes.extend_from_slice(&TRAILER);
    bytes.extend_from_slice(&pages_at.to_le_bytes());
    bytes.extend_from_slice(&(footer.fences.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&footer.min_ms.to_le_bytes());
    bytes.extend_from_slice(&footer.max_ms.to_le_bytes());
    bytes.extend_from_slice(&fences_crc.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[trailer_at..]);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes.resize(trailer_at + TRAILER_BYTES, 0);
    (footer, bytes)
}

/// What a trailer at the end of a file of this length says, without the fences: these, where they stand, and their
/// checksum. `None` where there is no trailer.
pub(super) fn trailer(bytes: &[u8; TRAILER_BYTES], file_bytes: u64) -> Option<(Footer, u64, u32)> {
    if bytes[..8] != TRAILER || crc32c::crc32c(&bytes[..44]) != u32_at(bytes, 44) {
        return None;
    }
    let (pages_at, pages) = (u64_at(bytes, 8), u64_at(bytes, 16));
    let fences_at = pages.checked_mul(PAGE_BYTES as u64)?.checked_add(pages_at)?;
    let end = pages.checked_mul(8)?.checked_add(fences_at)?;
    if end.checked_add(TRAILER_BYTES as u64)? != file_bytes {
        return None;
    }
    let footer = Footer {
        fences: Vec::new(),
        pages_at,
        min_ms: u64_at(bytes, 24),
        max_ms: u64_at(bytes, 32),
    };
    Some((footer, fences_at, u32_at(bytes, 40)))
}

/// Reads the fences of a footer.
pub(super) fn fences(bytes: &[u8], crc: u32) -> Option<Vec<u64>> {
    let read = || bytes.chunks_exact(8).map(|bytes| u64_at(bytes, 0)).collect();
    (crc32c::crc32c(bytes) == crc).then(read)
}

/// The rows of a page about a subject, in the order they stand in; `None` where it is not what was written.
pub(super) fn page_rows(page: &[u8], subject: u64) -> Option<Vec<Row>> {
    if crc32c::crc32c(&page[..PAGE_BYTES - 4]) != u32_at(page, PAGE_BYTES - 4) {
        return None;
    }
    // What fills the last page has no entries.
    let rows = page[..PAGE_ROWS * ROW_BYTES].chunks_exact(ROW_BYTES).map(Row::read);
    Some(rows.filter(|row| row.subject == subject && row.entries > 0).collect())
}

/// Whether a segment begins like that.
pub(super) fn is_header(bytes: &[u8; HEADER_BYTES], number: u64) -> bool {
    *bytes == header(number)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}
