//! Everything a vault holds, taken to another place.

use crate::folder::BATCH;
use crate::keep::Keep;
use crate::{KeyRing, VaultError};
use std::sync::Arc;

/// Copies data keys, accesses and, last, the master keys to a place that has no keys yet. Interrupted, it is to be run again
/// from the start: what is there already becomes the same again, but for accesses, which may stand there twice.
///
/// # Errors
/// There are keys at the target, or none at the source; or something cannot be read or written.
pub fn carry(from: &Arc<dyn Keep>, to: &Arc<dyn Keep>) -> Result<(), VaultError> {
    let Some(keys) = from.keys()? else {
        return KeyRing::open(from).map(drop);
    };
    KeyRing::open(from)?;
    if to.keys()?.is_some() {
        return Err(VaultError::Raced(to.place()));
    }
    let mut some = Vec::with_capacity(BATCH);
    from.rewraps(&mut |token, rewrap| {
        some.push((token, rewrap));
        if some.len() == BATCH {
            to.add_rewraps(&some)?;
            some.clear();
        }
        Ok(())
    })?;
    if !some.is_empty() {
        to.add_rewraps(&some)?;
    }
    let known = to.accesses()?;
    for access in from.accesses()?.iter().filter(|access| !known.contains(access)) {
        to.record(access)?;
    }
    if !to.replace_keys(None, &keys)? {
        return Err(VaultError::Raced(to.place()));
    }
    Ok(())
}
