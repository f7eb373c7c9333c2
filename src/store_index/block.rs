//! Sections: sorted entries in checked blocks, and a small index of the blocks that stays in memory.
//!
//! ```text
//! block = entries, each written as its difference from the one before | crc32c of them and of the offset (4)
//! ```
//! A block is read with one `pread`, checked, and decoded whole: at most [`BLOCK_ENTRIES`] entries, a few microseconds.
//! The offset in the checksum tells a block that stands in the wrong place.

use super::file::{FileWriter, IndexFile};
use std::sync::Arc;
use tollgate_resource::RecordError;
use tollgate_resource::record::{Input, put_varint};
use tollgate_store::StoreError;

/// Most entries of a block.
const BLOCK_ENTRIES: usize = 128;
/// A block that has reached this size takes no further entry.
const BLOCK_BYTES: usize = 4096;
/// Larger blocks are not ours: one entry of the largest record there may be, and some more.
const BLOCK_BYTES_MAX: usize = 8 << 20;
/// Bytes of a block's checksum.
const CRC: usize = 4;

/// What a section consists of.
pub(super) trait Entry: Clone {
    /// What the entries are sorted by, and all that the index of blocks knows of a block's first entry.
    type Key: Copy + Ord;
    /// What the index of blocks knows of all entries of a block.
    type Note: Copy + Default;

    fn key(&self) -> Self::Key;
    /// Adds what the note should tell of this entry, the next of its block.
    fn note(&self, _note: &mut Self::Note) {}
    /// Writes the entry, given the one before in its block.
    fn put(&self, previous: Option<&Self>, out: &mut Vec<u8>);
    /// Reads what `put` wrote.
    fn take(input: &mut Input<'_>, previous: Option<&Self>) -> Result<Self, RecordError>;
    fn put_key(key: &Self::Key, out: &mut Vec<u8>);
    fn take_key(input: &mut Input<'_>) -> Result<Self::Key, RecordError>;
    fn put_note(_note: &Self::Note, _out: &mut Vec<u8>) {}
    fn take_note(_input: &mut Input<'_>) -> Result<Self::Note, RecordError> {
        Ok(Self::Note::default())
    }
}

/// A block as the index of blocks knows it.
#[derive(Clone, Copy)]
pub(super) struct BlockRef<E: Entry> {
    /// Key of its first entry.
    pub(super) first: E::Key,
    pub(super) note: E::Note,
    offset: u64,
    len: u32,
}

/// The index of a section's blocks.
pub(super) struct Blocks<E: Entry> {
    refs: Vec<BlockRef<E>>,
    entries: u64,
}

impl<E: Entry> Blocks<E> {
    /// Writes it, to be read by [`Blocks::take`].
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.entries);
        put_varint(out, self.refs.len() as u64);
        put_varint(out, self.refs.first().map_or(0, |first| first.offset));
        for block in &self.refs {
            put_varint(out, u64::from(block.len));
            E::put_key(&block.first, out);
            E::put_note(&block.note, out);
        }
    }

    pub(super) fn take(input: &mut Input<'_>) -> Result<Blocks<E>, RecordError> {
        let entries = input.take_varint()?;
        let count = usize::try_from(input.take_varint()?).map_err(|_| RecordError::Overflow)?;
        let mut offset = input.take_varint()?;
        // Every block takes at least a byte, so a wrong count cannot ask for much.
        let mut refs = Vec::with_capacity(count.min(input.rest().len()));
        for _ in 0..count {
            let len = u32::try_from(input.take_varint()?).map_err(|_| RecordError::Overflow)?;
            let first = E::take_key(input)?;
            let note = E::take_note(input)?;
            refs.push(BlockRef {
                first,
                note,
                offset,
                len,
            });
            offset = offset.checked_add(u64::from(len)).ok_or(RecordError::Overflow)?;
        }
        Ok(Blocks { refs, entries })
    }
}

/// Writes a section; entries come sorted.
pub(super) struct SectionWriter<E: Entry> {
    blocks: Blocks<E>,
    bytes: Vec<u8>,
    pending: usize,
    first: Option<E::Key>,
    note: E::Note,
    previous: Option<E>,
}

impl<E: Entry> SectionWriter<E> {
    pub(super) fn new() -> Self {
        SectionWriter {
            blocks: Blocks {
                refs: Vec::new(),
                entries: 0,
            },
            bytes: Vec::with_capacity(2 * BLOCK_BYTES),
            pending: 0,
            first: None,
            note: E::Note::default(),
            previous: None,
        }
    }

    pub(super) fn push(&mut self, file: &mut FileWriter<'_>, entry: E) -> Result<(), StoreError> {
        if self.pending == BLOCK_ENTRIES || self.bytes.len() >= BLOCK_BYTES {
            self.seal(file)?;
        }
        let key = entry.key();
        self.first.get_or_insert(key);
        entry.put(self.previous.as_ref(), &mut self.bytes);
        entry.note(&mut self.note);
        self.previous = Some(entry);
        self.pending += 1;
        self.blocks.entries += 1;
        Ok(())
    }

    pub(super) fn finish(mut self, file: &mut FileWriter<'_>) -> Result<Blocks<E>, StoreError> {
        self.seal(file)?;
        Ok(self.blocks)
    }

    fn seal(&mut self, file: &mut FileWriter<'_>) -> Result<(), StoreError> {
        let Some(first) = self.first.take() else {
            return Ok(());
        };
        let offset = file.offset();
        self.bytes.extend_from_slice(&crc(&self.bytes, offset).to_le_bytes());
        file.append(&self.bytes)?;
        self.blocks.refs.push(BlockRef {
            first,
            note: std::mem::take(&mut self.note),
            offset,
            len: self.bytes.len() as u32,
        });
        self.bytes.clear();
        self.previous = None;
        self.pending = 0;
        Ok(())
    }
}

fn crc(bytes: &[u8], offset: u64) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(bytes), &offset.to_le_bytes())
}

/// A section that is read.
pub(super) struct Section<E: Entry> {
    file: Arc<IndexFile>,
    blocks: Blocks<E>,
}

impl<E: Entry> Section<E> {
    pub(super) fn new(file: &Arc<IndexFile>, blocks: Blocks<E>) -> Self {
        Section {
            file: Arc::clone(file),
            blocks,
        }
    }

    /// Number of entries.
    pub(super) fn len(&self) -> u64 {
        self.blocks.entries
    }

    /// The blocks, in order.
    pub(super) fn blocks(&self) -> &[BlockRef<E>] {
        &self.blocks.refs
    }

    /// The entries of a block.
    pub(super) fn load(&self, block: usize) -> Result<Vec<E>, StoreError> {
        let bytes = self.read(block)?;
        let mut input = Input::new(&bytes);
        let mut entries: Vec<E> = Vec::with_capacity(BLOCK_ENTRIES);
        while !input.is_empty() {
            let entry = self.entry(block, &mut input, entries.last())?;
            entries.push(entry);
        }
        if entries.is_empty() {
            return Err(self.file.damaged(self.blocks.refs[block].offset, "a block is empty"));
        }
        Ok(entries)
    }

    /// The entry with this key.
    pub(super) fn find(&self, key: &E::Key) -> Result<Option<E>, StoreError> {
        let last = self.last_within(|other| other <= key)?;
        Ok(last.filter(|entry| entry.key() == *key))
    }

    /// The last entry for which `within` holds; it must hold for a beginning of the section. Decodes no more of its
    /// block than it must.
    pub(super) fn last_within(&self, within: impl Fn(&E::Key) -> bool) -> Result<Option<E>, StoreError> {
        let after = self.blocks.refs.partition_point(|block| within(&block.first));
        let Some(block) = after.checked_sub(1) else {
            return Ok(None);
        };
        let bytes = self.read(block)?;
        let mut input = Input::new(&bytes);
        let mut last = None;
        while !input.is_empty() {
            let entry = self.entry(block, &mut input, last.as_ref())?;
            if !within(&entry.key()) {
                break;
            }
            last = Some(entry);
        }
        Ok(last)
    }

    fn entry(&self, block: usize, input: &mut Input<'_>, previous: Option<&E>) -> Result<E, StoreError> {
        let damaged = |_| {
            self.file
                .damaged(self.blocks.refs[block].offset, "a block holds what no writer writes")
        };
        E::take(input, previous).map_err(damaged)
    }

    /// The bytes of a block's entries, checked.
    fn read(&self, block: usize) -> Result<Vec<u8>, StoreError> {
        let block = &self.blocks.refs[block];
        let damaged = |what: &str| self.file.damaged(block.offset, what);
        if (block.len as usize) < CRC || block.len as usize > BLOCK_BYTES_MAX {
            return Err(damaged("a block has an impossible length"));
        }
        let mut bytes = vec![0; block.len as usize];
        self.file.read(&mut bytes, block.offset)?;
        let sum = bytes.split_off(bytes.len() - CRC);
        if crc(&bytes, block.offset).to_le_bytes() != sum[..] {
            return Err(damaged("the checksum of a block does not fit"));
        }
        Ok(bytes)
    }

    /// Where the entries begin for which `below` no longer holds; it must hold for a beginning of the section.
    pub(super) fn seek(&self, below: impl Fn(&E::Key) -> bool) -> Result<Cursor<'_, E>, StoreError> {
        let after = self.blocks.refs.partition_point(|block| below(&block.first));
        let Some(block) = after.checked_sub(1) else {
            return Ok(self.cursor_at(0, Vec::new(), 0));
        };
        let entries = self.load(block)?;
        let at = entries.partition_point(|entry| below(&entry.key()));
        Ok(self.cursor_at(block + 1, entries, at))
    }

    /// From the first entry on.
    pub(super) fn start(&self) -> Cursor<'_, E> {
        self.cursor_at(0, Vec::new(), 0)
    }

    fn cursor_at(&self, next: usize, entries: Vec<E>, at: usize) -> Cursor<'_, E> {
        Cursor {
            section: self,
            next,
            entries,
            at,
        }
    }
}

/// A place between two entries of a section. It holds the entries of one block.
pub(super) struct Cursor<'a, E: Entry> {
    section: &'a Section<E>,
    /// The block after the one whose entries are held.
    next: usize,
    entries: Vec<E>,
    at: usize,
}

impl<E: Entry> Cursor<'_, E> {
    /// The entry after the place.
    pub(super) fn peek(&mut self) -> Result<Option<&E>, StoreError> {
        if self.at == self.entries.len() {
            if self.next == self.section.blocks().len() {
                return Ok(None);
            }
            self.entries = self.section.load(self.next)?;
            self.next += 1;
            self.at = 0;
        }
        Ok(self.entries.get(self.at))
    }

    /// Goes past the entry after the place and returns it.
    pub(super) fn forth(&mut self) -> Result<Option<E>, StoreError> {
        let entry = self.peek()?.cloned();
        if entry.is_some() {
            self.at += 1;
        }
        Ok(entry)
    }

    /// Goes before the entry before the place and returns it.
    pub(super) fn back(&mut self) -> Result<Option<E>, StoreError> {
        if self.at == 0 {
            // `next - 1` is the block held, if any is.
            let held = usize::from(!self.entries.is_empty());
            let Some(before) = self.next.checked_sub(1 + held) else {
                return Ok(None);
            };
            self.entries = self.section.load(before)?;
            self.next = before + 1;
            self.at = self.entries.len();
        }
        self.at -= 1;
        Ok(Some(self.entries[self.at].clone()))
    }
}

/// Joins sorted sections into one sorted stream, oldest section first; of equal keys all come, the oldest first.
pub(super) struct Merge<'a, E: Entry> {
    cursors: Vec<Cursor<'a, E>>,
    /// The key each cursor stands at.
    heads: Vec<Option<E::Key>>,
}

impl<'a, E: Entry> Merge<'a, E> {
    pub(super) fn new(mut cursors: Vec<Cursor<'a, E>>) -> Result<Self, StoreError> {
        let heads: Result<Vec<_>, _> = cursors
            .iter_mut()
            .map(|cursor| cursor.peek().map(|entry| entry.map(Entry::key)))
            .collect();
        Ok(Merge { cursors, heads: heads? })
    }

    pub(super) fn next(&mut self) -> Result<Option<E>, StoreError> {
        let heads = self.heads.iter().enumerate();
        let first = heads
            .filter_map(|(at, key)| Some(((*key)?, at)))
            .min_by_key(|&(key, at)| (key, at));
        let Some((_, at)) = first else { return Ok(None) };
        let entry = self.cursors[at].forth()?;
        self.heads[at] = self.cursors[at].peek()?.map(Entry::key);
        Ok(entry)
    }
}
