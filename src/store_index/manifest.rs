//! The manifest: up to where the journal is indexed, and which files hold the index. Replaced as a whole.
//!
//! ```text
//! "TGMANIF1" | length of the rest without the checksum (varint) | fields | crc32c of everything before (4)
//! fields = the data's name (16) | the store's checkpoint | counts, timers, files
//! ```
//! Whatever does not check out in it, or does not fit the journal, makes the index be built again: it is never trusted
//! over the journal.

use super::entries::take_u32;
use super::files::{Files, Unreadable};
use std::collections::BTreeMap;
use tollgate_resource::RecordError;
use tollgate_resource::record::{Input, put_varint};
use tollgate_store::{ShardId, StoreError};

/// The digit is the format; another one, older or newer, is rebuilt.
const MAGIC: &[u8; 8] = b"TGMANIF1";
/// Larger manifests are not ours.
pub const MANIFEST_BYTES_MAX: u64 = 64 << 20;

/// A random name of the data that the index belongs to.
pub type DataId = [u8; 16];

/// Where a journal stands after what was published: whatever a store needs to go on from there, and to recognise the
/// place. The default is the beginning of a journal.
pub trait Checkpoint: Clone + Default + PartialEq + Send + Sync + 'static {
    /// Writes it.
    fn put(&self, out: &mut Vec<u8>);

    /// Reads what [`Checkpoint::put`] wrote.
    ///
    /// # Errors
    /// When it does not read.
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError>;
}

/// A file of the index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FileEntry {
    pub(super) id: u64,
    /// How often its oldest part was merged.
    pub(super) level: u32,
    /// First hour of its generation, of a file of keys.
    pub(super) hour: u64,
    pub(super) bytes: u64,
    pub(super) tail_at: u64,
    pub(super) tail_crc: u32,
}

/// What the manifest says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Manifest<C> {
    /// Everything before it is in the files.
    pub(super) checkpoint: C,
    /// Blocks and records before it.
    pub(super) blocks: u64,
    pub(super) records: u64,
    /// Hours for which keys were kept when it was written.
    pub(super) idempotency_hours: u32,
    /// Newest time of a record, milliseconds.
    pub(super) newest_ms: u64,
    /// Timers before these times have been handled.
    pub(super) timer_floors: BTreeMap<ShardId, u64>,
    /// The id that the next file gets.
    pub(super) next_id: u64,
    /// Oldest first.
    pub(super) runs: Vec<FileEntry>,
    /// Oldest first.
    pub(super) keys: Vec<FileEntry>,
}

impl<C: Checkpoint> Manifest<C> {
    /// The manifest of an index that holds nothing yet.
    pub(super) fn empty(idempotency_hours: u32) -> Manifest<C> {
        Manifest {
            checkpoint: C::default(),
            blocks: 0,
            records: 0,
            idempotency_hours,
            newest_ms: 0,
            timer_floors: BTreeMap::new(),
            next_id: 1,
            runs: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// Replaces the manifest.
    pub(super) fn write(&self, files: &dyn Files, id: &DataId) -> Result<(), StoreError> {
        let mut fields = Vec::new();
        self.put(&mut fields, id);
        let mut bytes = MAGIC.to_vec();
        put_varint(&mut bytes, fields.len() as u64);
        bytes.extend_from_slice(&fields);
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        files.replace_manifest(&bytes)
    }

    /// Reads the manifest; `Ok(None)` where there is none, and the reason why it is not to be used as an error.
    pub(super) fn read(files: &dyn Files, id: &DataId) -> Result<Option<Manifest<C>>, Unreadable> {
        let refused = |what: &str| Unreadable::Damaged(format!("{}: {what}", files.place_of_manifest()));
        let bytes = match files.manifest() {
            Ok(None) => return Ok(None),
            Ok(Some(bytes)) => bytes,
            Err(Unreadable::Damaged(what)) => return Err(refused(&what)),
            Err(unavailable) => return Err(unavailable),
        };
        if bytes.len() as u64 > MANIFEST_BYTES_MAX {
            return Err(refused("the file is too long"));
        }
        let (body, sum) = bytes
            .split_last_chunk::<4>()
            .ok_or_else(|| refused("the file is too short"))?;
        let Some(rest) = body.strip_prefix(MAGIC) else {
            return Err(refused("it has another format than this release writes"));
        };
        if crc32c::crc32c(body).to_le_bytes() != *sum {
            return Err(refused("its checksum does not fit"));
        }
        let mut input = Input::new(rest);
        let manifest = Manifest::take(&mut input, id).map_err(|error| refused(&error.to_string()))?;
        manifest.map(Some).ok_or_else(|| refused("it belongs to other data"))
    }

    fn put(&self, out: &mut Vec<u8>, id: &DataId) {
        out.extend_from_slice(id);
        self.checkpoint.put(out);
        for value in [
            self.blocks,
            self.records,
            u64::from(self.idempotency_hours),
            self.newest_ms,
        ] {
            put_varint(out, value);
        }
        put_varint(out, self.timer_floors.len() as u64);
        for (shard, &floor) in &self.timer_floors {
            put_varint(out, u64::from(shard.0));
            put_varint(out, floor);
        }
        put_varint(out, self.next_id);
        for files in [&self.runs, &self.keys] {
            put_varint(out, files.len() as u64);
            for file in files {
                for value in [file.id, u64::from(file.level), file.hour, file.bytes, file.tail_at] {
                    put_varint(out, value);
                }
                put_varint(out, u64::from(file.tail_crc));
            }
        }
    }

    /// `None` for the manifest of other data.
    fn take(input: &mut Input<'_>, id: &DataId) -> Result<Option<Manifest<C>>, RecordError> {
        let len = input.take_varint()?;
        if len != input.rest().len() as u64 {
            return Err(RecordError::Truncated);
        }
        if input.take_bytes(id.len())? != id {
            return Ok(None);
        }
        let checkpoint = C::take(input)?;
        let (blocks, records) = (input.take_varint()?, input.take_varint()?);
        let (idempotency_hours, newest_ms) = (take_u32(input)?, input.take_varint()?);
        let mut timer_floors = BTreeMap::new();
        for _ in 0..input.take_varint()? {
            timer_floors.insert(take_shard(input)?, input.take_varint()?);
        }
        let next_id = input.take_varint()?;
        let mut take_files = || -> Result<Vec<FileEntry>, RecordError> {
            let mut files = Vec::new();
            for _ in 0..input.take_varint()? {
                files.push(FileEntry {
                    id: input.take_varint()?,
                    level: take_u32(input)?,
                    hour: input.take_varint()?,
                    bytes: input.take_varint()?,
                    tail_at: input.take_varint()?,
                    tail_crc: take_u32(input)?,
                });
            }
            Ok(files)
        };
        let (runs, keys) = (take_files()?, take_files()?);
        Ok(Some(Manifest {
            checkpoint,
            blocks,
            records,
            idempotency_hours,
            newest_ms,
            timer_floors,
            next_id,
            runs,
            keys,
        }))
    }
}

fn take_shard(input: &mut Input<'_>) -> Result<ShardId, RecordError> {
    let shard = u16::try_from(input.take_varint()?).map_err(|_| RecordError::Overflow)?;
    Ok(ShardId(shard))
}
