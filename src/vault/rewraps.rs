//! Data keys that a rotation has wrapped under a newer master key. The journal is never rewritten; once a rotation has
//! ended, what the journal holds opens only through these.

use crate::VaultError;
use crate::folder::BATCH;
use crate::keep::{Keep, Token};
use std::collections::HashMap;
use std::sync::Arc;
use tollgate_domain::sealing::SEALED_TAG_LEN;

/// Most sealed numbers a rotation can take: 100 bytes of memory each.
pub const REWRAPS_MAX: usize = 50_000_000;
/// Bytes of an entry: token, number of the master key, wrapped data key, checksum.
pub(crate) const ENTRY_LEN: usize = 16 + 4 + 32 + SEALED_TAG_LEN + 4;

/// A data key under a newer master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewrap {
    /// Number of the master key.
    pub master_key: u32,
    /// The data key, wrapped.
    pub data_key: [u8; 32 + SEALED_TAG_LEN],
}

/// All of them, by the token of the sealed number.
pub struct Rewraps {
    keep: Arc<dyn Keep>,
    entries: HashMap<Token, Rewrap>,
    /// Entries that are not durable yet.
    waiting: Vec<(Token, Rewrap)>,
}

impl Rewraps {
    /// Reads them. Where a number was wrapped more than once, the newest master key counts.
    ///
    /// # Errors
    /// They cannot be read, or are too many.
    pub fn read(keep: &Arc<dyn Keep>) -> Result<Rewraps, VaultError> {
        let mut entries: HashMap<Token, Rewrap> = HashMap::new();
        keep.rewraps(&mut |token, rewrap| {
            let known = entries.entry(token).or_insert(rewrap);
            if known.master_key < rewrap.master_key {
                *known = rewrap;
            }
            if entries.len() > REWRAPS_MAX {
                return Err(VaultError::TooMany(REWRAPS_MAX));
            }
            Ok(())
        })?;
        Ok(Rewraps {
            keep: Arc::clone(keep),
            entries,
            waiting: Vec::new(),
        })
    }

    /// The newer wrap of a data key.
    pub fn get(&self, token: &Token) -> Option<&Rewrap> {
        self.entries.get(token)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn push(&mut self, token: Token, rewrap: Rewrap) -> Result<(), VaultError> {
        if self.len() >= REWRAPS_MAX {
            return Err(VaultError::TooMany(REWRAPS_MAX));
        }
        self.entries.insert(token, rewrap);
        self.waiting.push((token, rewrap));
        if self.waiting.len() == BATCH {
            self.flush()?;
        }
        Ok(())
    }

    /// Makes durable what was pushed.
    pub(crate) fn flush(&mut self) -> Result<(), VaultError> {
        self.keep.add_rewraps(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }
}

pub(crate) fn put(token: &[u8; 16], rewrap: &Rewrap, out: &mut Vec<u8>) {
    let from = out.len();
    out.extend_from_slice(token);
    out.extend_from_slice(&rewrap.master_key.to_le_bytes());
    out.extend_from_slice(&rewrap.data_key);
    let sum = crc32c::crc32c(&out[from..]);
    out.extend_from_slice(&sum.to_le_bytes());
}

pub(crate) fn parse(entry: &[u8]) -> Option<([u8; 16], Rewrap)> {
    let (body, sum) = entry.split_at(ENTRY_LEN - 4);
    if crc32c::crc32c(body).to_le_bytes() != sum {
        return None;
    }
    let (token, rest) = body.split_at(16);
    let (master_key, data_key) = rest.split_at(4);
    let rewrap = Rewrap {
        master_key: u32::from_le_bytes(master_key.try_into().ok()?),
        data_key: data_key.try_into().ok()?,
    };
    Some((token.try_into().ok()?, rewrap))
}
