//! Writing the file.

use crate::archive::{Kind, Writer};
use crate::{CarryError, ReadFile, Sums};
use std::path::Path;
use std::sync::Arc;
use tollgate_store::{Scan, StoreError};
use tollgate_vault::{Keep, KeyRing};

/// Bytes of a piece of an uploaded file.
const PIECE_BYTES: usize = 1 << 20;

/// What is exported. Nobody may write to it meanwhile.
pub struct Source<'a> {
    /// The data's secret.
    pub secret: [u8; 32],
    /// Its journal.
    pub journal: &'a dyn Scan,
    /// Bytes of its uploaded files.
    pub files: &'a ReadFile<'a>,
    /// Its vault.
    pub vault: &'a Arc<dyn Keep>,
}

/// Writes everything to a file that is not there yet, and tells the sums. What was written so far stays when it fails, and
/// is no export.
///
/// # Errors
/// When something cannot be read or written, is not sound, or changed meanwhile.
pub fn export(source: &Source<'_>, path: &Path) -> Result<Sums, CarryError> {
    let sums = Sums::of(source.journal)?;
    let mut out = Writer::create(path)?;
    out.frame(Kind::Secret, &[&source.secret])?;
    for digest in &sums.files {
        files(source, digest, &mut out)?;
    }
    vault(source.vault, &mut out)?;
    let mut again = Sums::default();
    let mut ended = None;
    let scanned = source.journal.scan(&mut |stored| {
        again.add(&stored)?;
        let block = &stored.block;
        let (shard, count) = (block.shard.0.to_le_bytes(), block.count.to_le_bytes());
        out.frame(Kind::Block, &[&shard, &count, &block.bytes])
            .map_err(|error| {
                ended = Some(error);
                StoreError::Stopped
            })
    });
    if let Some(error) = ended {
        return Err(error);
    }
    scanned?;
    if !again.lines().eq(sums.lines()) {
        let why = "the data changed while it was exported; stop every server that has it, and export again";
        return Err(CarryError::Refused(why.into()));
    }
    for line in sums.lines() {
        out.frame(Kind::Sum, &[line.as_bytes()])?;
    }
    out.finish()?;
    Ok(sums)
}

fn files(source: &Source<'_>, digest: &[u8; 32], out: &mut Writer) -> Result<(), CarryError> {
    let bytes = (source.files)(digest)?.ok_or_else(|| {
        CarryError::Refused("the bytes of an uploaded file are missing; `tollgate verify` names it".into())
    })?;
    let count = bytes.len().div_ceil(PIECE_BYTES).max(1);
    for at in 0..count {
        let piece = &bytes[at * PIECE_BYTES..bytes.len().min((at + 1) * PIECE_BYTES)];
        let last = u8::from(at + 1 == count);
        out.frame(Kind::Piece, &[digest, &[last], piece])?;
    }
    Ok(())
}

fn vault(vault: &Arc<dyn Keep>, out: &mut Writer) -> Result<(), CarryError> {
    let Some(keys) = vault.keys()? else { return Ok(()) };
    // Keys that do not check out are not to be carried.
    KeyRing::open(vault)?;
    let mut ended = None;
    let read = vault.rewraps(&mut |token, rewrap| {
        let parts: [&[u8]; 3] = [&token, &rewrap.master_key.to_le_bytes(), &rewrap.data_key];
        out.frame(Kind::Rewrap, &parts).map_err(|error| {
            ended = Some(error);
            tollgate_vault::VaultError::Raced(vault.place())
        })
    });
    if let Some(error) = ended {
        return Err(error);
    }
    read?;
    for access in vault.accesses()? {
        out.frame(Kind::Access, &[access.line().as_bytes()])?;
    }
    out.frame(Kind::Keys, &[&keys])
}
