//! Form-encoded bodies and query strings, read into typed parameters.
//!
//! A form goes three short ways: it is unescaped once into a reused buffer ([`Pairs`]); each name is matched against the
//! compiled parameters ([`Table`]), which tells unknown ones; then a [`Filling`] walks the pairs in declaration order and
//! hands each value to its typed parameter. There is no map of strings and no tree in between.

mod filling;
mod fingerprint;
mod pairs;
mod paths;
mod table;
#[cfg(test)]
mod tests;

pub use filling::Filling;
pub use pairs::{KEY_LEN_MAX, PAIRS_MAX, Pairs, escape};
pub use paths::UNKNOWN_MAX;
pub use table::{DEPTH_MAX, EXPAND_MAX, Table};

use paths::Places;
use std::cell::Cell;
use tollgate_resource::Version;
use tollgate_resource::operation::Refused;
use zeroize::Zeroize;

/// Bytes of buffers that a thread keeps for its next request.
const KEPT_BYTES: usize = 64 * 1024;

/// A form that has been split, and the memory for it.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The pairs as sent (or as a version change has rewritten them).
    pub pairs: Pairs,
    places: Places,
    bytes: Vec<u8>,
}

thread_local! {
    static SPARE: Cell<Option<Box<Decoded>>> = const { Cell::new(None) };
}

impl Decoded {
    /// Memory that this thread used before, if it is free.
    pub fn take() -> Box<Decoded> {
        SPARE.take().unwrap_or_default()
    }

    /// Gives the memory back for the next request of this thread.
    ///
    /// What a request with a secret parameter left in it is overwritten first.
    pub fn give_back(mut self: Box<Self>) {
        if self.places.secret {
            self.pairs.overwrite();
            self.bytes.zeroize();
        }
        self.pairs.shrink(KEPT_BYTES);
        self.places.clear();
        if self.bytes.capacity() > KEPT_BYTES {
            self.bytes = Vec::new();
        }
        SPARE.set(Some(self));
    }

    /// Whether a card number is among the placed pairs.
    pub fn brings_card_number(&self) -> bool {
        self.places.card_number
    }

    /// Matches the pairs against what the operation takes.
    ///
    /// # Errors
    /// `Refused::Unknown` or `Refused::Malformed`; wrong values are told later, in declaration order.
    pub fn place(&mut self, table: &Table, version: Version) -> Result<(), Refused> {
        self.places.find(table, &self.pairs, version)
    }
}
