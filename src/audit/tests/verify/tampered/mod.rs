//! For each check, journals that were broken for it.

mod blocks;
mod facts;
mod setups;
mod whole;

use crate::audit;
use crate::journal::{Blocks, Journal};
use tollgate_audit::Check;

/// Audits, and expects this check to find this word.
fn expect(name: &str, check: Check, word: &str, journal: &Journal, blocks: &Blocks) {
    let difference = audit(journal, blocks)
        .difference
        .unwrap_or_else(|| panic!("{name}: not found"));
    assert!(
        difference.check == check && difference.what.contains(word),
        "{name}: {difference}"
    );
}
