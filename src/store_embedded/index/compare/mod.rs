//! The index against the journal: whether it holds all that the journal's envelopes say and nothing else, and the first
//! record where it does not. Nothing is changed, and a server may be at work.
//!
//! What each entry should be follows from the envelopes alone, and is added up as a hash over the whole stretch that the
//! manifest calls indexed; so is what the files hold. Sums that are equal are taken for the same entries: only what does
//! not add up is looked up entry by entry, in a second way through the journal. An entry may stand for several records
//! (an object that changed twice, a key in flight and its outcome), of which the index keeps the newest; so those are
//! looked up as well, and must be newer.
//!
//! Memory: a hundred bytes an account, twenty a timer that is still to come, and a few sums for each segment.

mod expected;
mod held;
mod lookup;
mod sums;
#[cfg(test)]
mod tests;

use super::health::Health;
use super::keyfile::KeyFile;
use super::manifest::{self, Manifest};
use super::opening::{INDEX, span};
use super::run::Run;
use crate::meta::Meta;
use crate::segment;
use crate::walk::check_position;
use expected::Expected;
use held::Held;
use lookup::Lookup;
use std::path::Path;
use std::sync::Arc;
use sums::Sums;
use tollgate_store::StoreError;

/// How often the files are opened again when a server replaced some of them meanwhile.
const OPEN_AGAIN_MAX: u32 = 16;

/// How the index stands to the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// There is no index: the next start builds one.
    Absent,
    /// A start would not use it and build it again, for this reason.
    Unusable(String),
    /// It holds what the journal says, up to where it reaches: so many records. Those behind are read at a start.
    Agrees {
        /// Records that it holds.
        records: u64,
    },
    /// A start would believe it, and it does not hold what the journal says.
    Differs(Disagreement),
}

/// The first place where the index does not hold what the journal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// File and offset of the record in the journal; of the index, where it cannot be read or holds too much.
    pub place: String,
    /// What does not agree.
    pub what: String,
    /// Shard and block of the record, if it is one's.
    pub block: Option<(u16, u64)>,
}

/// Why a comparison ends early.
enum End {
    Differs(Disagreement),
    Failed(StoreError),
}

/// The files of an index, open.
struct View {
    manifest: Manifest,
    runs: Vec<Arc<Run>>,
    keys: Vec<Arc<KeyFile>>,
}

/// Compares the index in `dir` with the journal.
///
/// # Errors
/// When the journal cannot be read.
pub(crate) fn compare(dir: &Path, meta: &Meta) -> Result<Agreement, StoreError> {
    let view = match View::open(&dir.join(INDEX), meta) {
        Ok(Some(view)) => view,
        Ok(None) => return Ok(Agreement::Absent),
        Err(why) => return Ok(Agreement::Unusable(why)),
    };
    if let Err(why) = check_position(dir, &meta.id, &view.manifest.position) {
        return Ok(Agreement::Unusable(why));
    }
    match compare_view(dir, meta, &view) {
        Ok(()) => Ok(Agreement::Agrees {
            records: view.manifest.records,
        }),
        Err(End::Differs(disagreement)) => Ok(Agreement::Differs(disagreement)),
        Err(End::Failed(error)) => Err(error),
    }
}

fn compare_view(dir: &Path, meta: &Meta, view: &View) -> Result<(), End> {
    let manifest = &view.manifest;
    let span = span(manifest.idempotency_hours);
    let mut held = Held::read(view).map_err(in_index)?;
    let expected = Expected::read(dir, meta, manifest, span, &mut held.timers)?;
    let counted = (expected.blocks, expected.records);
    if (manifest.blocks, manifest.records) != counted || manifest.owners != expected.owners {
        return Err(End::Differs(Disagreement {
            place: dir.join(INDEX).join(manifest::NAME).display().to_string(),
            what: format!(
                "it counts {} blocks and {} records of {} shards, the journal holds {} and {} of {} up to there",
                manifest.blocks,
                manifest.records,
                manifest.owners.len(),
                counted.0,
                counted.1,
                expected.owners.len()
            ),
            block: None,
        }));
    }
    let oldest =
        (expected.newest_key_ms / tollgate_store::index::HOUR_MS).saturating_sub(u64::from(manifest.idempotency_hours));
    let mut lookup = Lookup::new(view, span, oldest, expected.sums.differing(&held.sums, oldest));
    if !lookup.is_needless() {
        lookup.walk(dir, meta, manifest)?;
    }
    let surplus = |place: String, what: &str| {
        Err(End::Differs(Disagreement {
            place,
            what: format!("the index holds {what} that the journal does not"),
            block: None,
        }))
    };
    let index = dir.join(INDEX).display().to_string();
    if let Some(number) = lookup.surplus_of_segment(&expected.sums, &held.sums) {
        let place = segment::path(dir, number).display().to_string();
        return surplus(place, "something of this segment");
    }
    if Sums::lists_exceed(&expected.sums, &held.sums) {
        return surplus(index, "members of a list");
    }
    if held.timers.unmatched() > 0 {
        return surplus(index, "a timer");
    }
    if let Some(account) = held.differing_account(&expected.ends) {
        let what = format!("how far account {account:#018x} has come is not what the journal says");
        return Err(End::Differs(Disagreement {
            place: index,
            what,
            block: None,
        }));
    }
    Ok(())
}

impl View {
    /// Opens the files that the manifest names; `Ok(None)` where there is none, and why it cannot be used as an error.
    fn open(index: &Path, meta: &Meta) -> Result<Option<View>, String> {
        let mut before: Option<Manifest> = None;
        let mut attempts = 0;
        loop {
            let Some(manifest) = Manifest::read(index, &meta.id)? else {
                return Ok(None);
            };
            match View::of(index, manifest.clone()) {
                Ok(view) => return Ok(Some(view)),
                // Files that a merge replaced go after the manifest that named them.
                Err(_) if before.as_ref() != Some(&manifest) && attempts < OPEN_AGAIN_MAX => {
                    before = Some(manifest);
                    attempts += 1;
                }
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    fn of(index: &Path, manifest: Manifest) -> Result<View, StoreError> {
        let health = Arc::new(Health::of_an_onlooker());
        let runs = manifest
            .runs
            .iter()
            .map(|&entry| Run::open(index, entry, &health).map(Arc::new));
        let runs = runs.collect::<Result<_, StoreError>>()?;
        let keys = manifest
            .keys
            .iter()
            .map(|&entry| KeyFile::open(index, entry, &health).map(Arc::new));
        let keys = keys.collect::<Result<_, StoreError>>()?;
        Ok(View { manifest, runs, keys })
    }
}

/// A file of the index that does not read is a difference like any other.
fn in_index(error: StoreError) -> End {
    match error {
        StoreError::Body { place, what } => End::Differs(Disagreement {
            place,
            what,
            block: None,
        }),
        other => End::Failed(other),
    }
}
