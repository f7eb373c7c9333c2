//! Reading a journal without the right to write: for audit, and for copies.

use crate::frame::Kind;
use crate::index::compare_index;
use crate::meta::{self, Meta, Secret};
use crate::rebuild::{Owners, check_order, place_of};
use crate::walk::walk;
use std::path::{Path, PathBuf};
use tollgate_store::{Block, Scan, StoreError, StoredBlock};
use tollgate_store_index::Agreement;

/// The blocks of a data directory, straight from its segments. Takes no lock and changes nothing: the directory may be
/// a copy, or in use. It ends before a torn tail.
#[derive(Clone, Debug)]
pub struct Scanner {
    dir: PathBuf,
    meta: Meta,
}

impl Scanner {
    pub(crate) fn open(dir: &Path) -> Result<Scanner, StoreError> {
        Ok(Scanner {
            dir: dir.to_owned(),
            meta: meta::read(dir)?,
        })
    }

    /// What the data says about itself.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The secret of the data, to check what is hashed with it.
    ///
    /// # Errors
    /// When its file is missing, or belongs to other data.
    pub fn secret(&self) -> Result<Secret, StoreError> {
        meta::read_secret(&self.dir, &self.meta)
    }

    /// Compares the index with the journal: every entry, up to where the index says it reaches. Changes nothing, and
    /// takes no lock: a server may be at work.
    ///
    /// # Errors
    /// When the journal cannot be read. Files of the index that do not read are a difference.
    pub fn index(&self) -> Result<Agreement, StoreError> {
        compare_index(&self.dir, &self.meta)
    }
}

impl Scan for Scanner {
    fn scan(&self, visit: &mut dyn FnMut(StoredBlock) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut owners = Owners::new();
        walk(&self.dir, &self.meta.id, None, true, &mut |frame| {
            let place = place_of(&self.dir, frame);
            check_order(&self.meta, &mut owners, frame).map_err(|what| StoreError::Corrupt {
                place: place.clone(),
                what,
            })?;
            let header = &frame.header;
            if header.kind == Kind::Claim {
                return Ok(());
            }
            let block = Block {
                shard: header.shard,
                epoch: header.epoch,
                seq: header.seq,
                now_ms: header.now_ms,
                count: header.count,
                bytes: frame.payload.to_vec(),
            };
            visit(StoredBlock { block, place })
        })?;
        Ok(())
    }
}
