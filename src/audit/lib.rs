//! Verify: recomputes everything from the journal alone, and names the first thing that does not agree. The bytes of
//! uploaded files, which lie beside it, are held against what it says of them.
//!
//! The journal is read block after block; the index is never asked. Every record's facts are decoded, checked against
//! what came before, and added up here: the sums are this room's own, and are compared with the books that the domain's
//! `apply` keeps. What is checked is the closed list [`Check`].
//!
//! Memory: per payment, one line for the intent (48 bytes), each charge (80), each refund (64), each customer (32)
//! and each payment method (16), and per idempotency key about 40 bytes until it expires. When these come to more than
//! [`Options::memory_bytes`], one half of the payments is forgotten and the journal is read once more for it, as often as
//! it takes: memory stays bounded, and time grows. Besides that bound there are the books of each account (about a
//! kilobyte) and whatever waits for a network. Balance transactions, events and everything a merchant wrote are checked
//! as they pass and not kept.
//!
//! Reading order: [`report`], `journal` (blocks and directory), `account` (what one record says, and the books), `history`
//! (what came before), then what that is made of: `objects`, `movements`, `attempts`, `keys`, `files`, `part`, `lines`.

mod account;
mod attempts;
mod files;
mod history;
mod journal;
mod keys;
mod lines;
mod movements;
mod objects;
mod part;
pub mod report;

pub use files::{FilesStanding, Uploads};
pub use report::{AgeLine, Check, Difference, IndexStanding, Report, Uncleared};

use tollgate_domain::Secrets;
use tollgate_store::{Scan, StoreError};

/// What an audit needs to know besides the journal.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long an idempotency key keeps its outcome, in milliseconds: what the server was configured with.
    pub idempotency_ms: u64,
    /// Bytes that lines about payments and keys may take before the journal is read once more instead; see the head of
    /// the crate.
    pub memory_bytes: usize,
}

/// What [`Options::memory_bytes`] is unless asked for otherwise: 3 million payments in one pass.
pub const MEMORY_BYTES: usize = 512 << 20;

impl Default for Options {
    /// The API's own life of keys, 24 hours, and [`MEMORY_BYTES`].
    fn default() -> Self {
        Options {
            idempotency_ms: 24 * 60 * 60 * 1000,
            memory_bytes: MEMORY_BYTES,
        }
    }
}

/// Audits a journal, whose data has these secrets.
///
/// The report is clean, or names the first difference; then its counts reach up to there.
///
/// # Errors
/// [`StoreError`] when the journal cannot be read: damaged bytes, a record that no release wrote or a newer one did.
pub fn verify(scan: &dyn Scan, secrets: &Secrets, options: Options) -> Result<Report, StoreError> {
    journal::Auditor::new(secrets, options, None).run(scan)
}

/// The same, and the bytes of uploaded files. What the journal contradicts of itself is told before what is wrong with
/// bytes.
///
/// # Errors
/// As [`verify`], and when bytes that are there cannot be read.
pub fn verify_with_uploads(
    scan: &dyn Scan,
    uploads: &dyn Uploads,
    secrets: &Secrets,
    options: Options,
) -> Result<Report, StoreError> {
    journal::Auditor::new(secrets, options, Some(uploads)).run(scan)
}
