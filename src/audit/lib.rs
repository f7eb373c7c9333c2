//! Verify: recomputes everything from the journal alone, and names the first thing that does not agree.
//!
//! The journal is read once, block after block; the index is never asked. Every record's facts are decoded, checked
//! against what came before, and added up here: the sums are this room's own, and are compared with the books that the
//! domain's `apply` keeps. What is checked is the closed list [`Check`].
//!
//! Memory: per payment, one line for the intent (80 bytes), each charge (80), each refund (64) and each payment method
//! or customer (32); per idempotency key 25 to 60 bytes until it expires; per account its books. Balance transactions,
//! events and everything a merchant wrote are checked as they pass and not kept.
//!
//! Reading order: [`report`], `journal` (blocks and directory), `account` (one record), then what it is made of:
//! `objects`, `lines`, `movements`, `attempts`, `keys`.

mod account;
mod attempts;
mod journal;
mod keys;
mod lines;
mod movements;
mod objects;
pub mod report;

pub use report::{AgeLine, Check, Difference, Report, Uncleared};

use tollgate_domain::Secrets;
use tollgate_store::{Scan, StoreError};

/// What an audit needs to know besides the journal.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long an idempotency key keeps its outcome, in milliseconds: what the server was configured with.
    pub idempotency_ms: u64,
}

impl Default for Options {
    /// The API's own: 24 hours.
    fn default() -> Self {
        Options {
            idempotency_ms: 24 * 60 * 60 * 1000,
        }
    }
}

/// Audits a journal. With `secrets`, the hashes under which idempotency keys are found are checked as well.
///
/// The report is clean, or names the first difference; then its counts reach up to there.
///
/// # Errors
/// [`StoreError`] when the journal cannot be read: damaged bytes, a record that no release wrote or a newer one did.
pub fn verify(scan: &dyn Scan, secrets: Option<&Secrets>, options: Options) -> Result<Report, StoreError> {
    journal::Auditor::new(secrets, options).run(scan)
}
