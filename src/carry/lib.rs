//! Everything a store holds, carried to another: the journal's records as they are, uploaded files, the vault and the data's
//! secret, in one file (see [`archive`]) that is written by [`export`] and read by [`import`].
//!
//! Records are copied, never decided again: every id, key, answer, timer and sealed card number is what it was. The order of
//! an account's records stays; how many shards there are, and which blocks records stand in, is the target's business.
//! Because ids, client secrets and hashes of keys are made with the data's secret, the target takes it over, and so has to be
//! new. Notes of webhook delivery are divided among the target's shards. At the end the sums of both sides are compared ([`Sums`]): each account's balances, its objects, and a hash of its
//! records.

pub mod archive;
mod export;
mod import;
mod notes;
mod sums;
#[cfg(test)]
mod tests;

pub use export::{Source, export};
pub use import::{Into, KeepFile, Opened, ShardOf, open};
pub use sums::Sums;

use tollgate_store::StoreError;
use tollgate_vault::VaultError;

/// Reads the bytes of an uploaded file by their SHA-256; `None` where there are none.
pub type ReadFile<'a> = dyn Fn(&[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> + 'a;

/// Why something cannot be carried. Messages say what to do.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// A store does not do what it is asked.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// A vault does not.
    #[error("{0}")]
    Vault(#[from] VaultError),
    /// The file cannot be read or written.
    #[error("{place}: {source}")]
    Io {
        /// The file.
        place: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not what was exported.
    #[error("{place}: {what}; export again")]
    Damaged {
        /// The file.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// The file was written by a newer release.
    #[error("{0}: written by a newer release; import with that one")]
    Newer(String),
    /// The data does not allow it.
    #[error("{0}")]
    Refused(String),
    /// What arrived is not what was sent.
    #[error("what arrived differs from what was exported: {0}; nothing of the target is to be served")]
    Differs(String),
}
