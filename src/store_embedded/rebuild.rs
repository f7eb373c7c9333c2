//! Opening: what the index does not hold of the journal yet is walked, checked and put into it: the tail, or all of it.
//! Bodies are not decoded.

use crate::checkpoint::{Mark, Position};
use crate::frame::{HEADER, Kind};
use crate::index::DiskIndex;
use crate::meta::Meta;
use crate::segment;
use crate::walk::{End, Frame, walk};
use std::collections::BTreeMap;
use std::path::Path;
use tollgate_store::envelope::records;
use tollgate_store::index::{Index, Place};
use tollgate_store::{Head, ShardId, StoreError};
use tollgate_store_index::Known;

/// What the journal knows of a shard's owner.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) epoch: u64,
    pub(crate) last_block: u64,
    pub(crate) last_now_ms: u64,
}

pub(crate) type Owners = BTreeMap<ShardId, Owner>;

/// What is known after a walk.
pub(crate) struct Rebuilt {
    pub(crate) end: End,
    pub(crate) owners: Owners,
    /// Blocks and records of the whole journal.
    pub(crate) blocks: u64,
    pub(crate) records: u64,
    /// Of these, records that were put into the index now.
    pub(crate) walked: u64,
}

/// Walks the journal from where the index ends and publishes every record in the index.
pub(crate) fn rebuild(
    dir: &Path,
    meta: &Meta,
    index: &DiskIndex,
    known: Option<&Known<Mark>>,
) -> Result<Rebuilt, StoreError> {
    let mut owners = known.map(|known| known.checkpoint.owners.clone()).unwrap_or_default();
    let (mut blocks, indexed) = known.map_or((0, 0), |known| (known.blocks, known.records));
    let mut count = 0;
    let mut batch = Vec::new();
    let end = walk(
        dir,
        &meta.id,
        known.map(|known| &known.checkpoint.position),
        false,
        &mut |frame| {
            let corrupt = |what: String| StoreError::Corrupt {
                place: place_of(dir, frame),
                what,
            };
            check_order(meta, &mut owners, frame).map_err(corrupt)?;
            if frame.header.kind == Kind::Claim {
                return Ok(());
            }
            heads(dir, frame, &mut batch)?;
            index.admit(frame.header.shard, &batch).map_err(corrupt)?;
            index.publish(frame.header.shard, &batch);
            blocks += 1;
            count += batch.len() as u64;
            index.wait_for_room();
            index.reached(|| Mark {
                position: Position {
                    segment: frame.segment,
                    last_frame: frame.offset,
                    offset: frame.offset + frame.header.frame_len() as u32,
                    chain: frame.chain,
                },
                owners: owners.clone(),
            });
            Ok(())
        },
    )?;
    Ok(Rebuilt {
        end,
        owners,
        blocks,
        records: indexed + count,
        walked: count,
    })
}

/// Names a frame for a message.
pub(crate) fn place_of(dir: &Path, frame: &Frame<'_>) -> String {
    format!(
        "{} offset {}",
        segment::path(dir, frame.segment).display(),
        frame.offset
    )
}

/// Checks that the frame is the one that may follow in its shard, and remembers it.
pub(crate) fn check_order(meta: &Meta, owners: &mut Owners, frame: &Frame<'_>) -> Result<(), String> {
    let header = &frame.header;
    let shard = header.shard;
    if shard.0 >= meta.shards && shard != ShardId::DIRECTORY {
        return Err(format!("the frame belongs to shard {}, of {}", shard.0, meta.shards));
    }
    let owner = owners.entry(shard).or_default();
    match header.kind {
        Kind::Claim if header.epoch.0 <= owner.epoch => {
            return Err(format!(
                "epoch {} is claimed after epoch {}",
                header.epoch.0, owner.epoch
            ));
        }
        Kind::Claim => owner.epoch = header.epoch.0,
        Kind::Block if header.epoch.0 != owner.epoch => {
            return Err(format!(
                "a block of epoch {} stands in epoch {}",
                header.epoch.0, owner.epoch
            ));
        }
        Kind::Block if header.seq != owner.last_block + 1 => {
            return Err(format!(
                "block {} follows block {} of shard {}",
                header.seq, owner.last_block, shard.0
            ));
        }
        Kind::Block if header.now_ms < owner.last_now_ms => {
            return Err(format!(
                "the time of block {} lies before that of the block before",
                header.seq
            ));
        }
        Kind::Block => (owner.last_block, owner.last_now_ms) = (header.seq, header.now_ms),
    }
    Ok(())
}

/// Reads the envelopes of a block's records into `batch`.
pub(crate) fn heads(dir: &Path, frame: &Frame<'_>, batch: &mut Vec<(Place, Head)>) -> Result<(), StoreError> {
    batch.clear();
    let base = frame.offset + HEADER as u32;
    for record in records(frame.payload, frame.header.count) {
        let record = record.map_err(|error| error.at(place_of(dir, frame)))?;
        let place = Place {
            segment: frame.segment,
            offset: base + record.offset,
            len: record.len,
        };
        batch.push((place, record.head));
    }
    Ok(())
}
