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

use super::files::{Files, Unreadable};
use super::health::Health;
use super::keyfile::KeyFile;
use super::manifest::{Checkpoint, DataId, Manifest};
use super::opening::span;
use super::run::Run;
use expected::Expected;
use held::Held;
use lookup::Lookup;
use std::sync::Arc;
use sums::Sums;
use tollgate_store::index::{HOUR_MS, Place};
use tollgate_store::reads::Fetch;
use tollgate_store::{Head, ShardId, StoreError};

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

/// A journal, as a comparison reads it.
pub trait Journaled<C>: Fetch {
    /// Says why a checkpoint is not one of this journal.
    ///
    /// # Errors
    /// When it is none, or nobody knows.
    fn check(&self, checkpoint: &C) -> Result<(), Unreadable>;

    /// Shows every block in order, and tells what a checkpoint at this place should be.
    ///
    /// # Errors
    /// When the journal cannot be read, and what `visit` fails with.
    fn walk(&self, to: &C, visit: &mut VisitBlock<'_>) -> Result<C, StoreError>;

    /// Names a segment of the journal, for messages.
    fn segment_name(&self, segment: u32) -> String;
}

/// Takes a block; its error ends the walk.
pub type VisitBlock<'a> = dyn FnMut(&Walked<'_>) -> Result<(), StoreError> + 'a;

/// A block of a journal that is walked.
#[derive(Clone, Copy, Debug)]
pub struct Walked<'a> {
    /// Its shard.
    pub shard: ShardId,
    /// Its number.
    pub seq: u64,
    /// Its time, milliseconds.
    pub now_ms: u64,
    /// Whether it lies before the checkpoint.
    pub indexed: bool,
    /// Where its records are, and their envelopes.
    pub records: &'a [(Place, Head)],
}

/// Why a comparison ends early.
enum End {
    Differs(Disagreement),
    Failed(StoreError),
}

/// The files of an index, open.
struct View<C> {
    manifest: Manifest<C>,
    runs: Vec<Arc<Run>>,
    keys: Vec<Arc<KeyFile>>,
}

/// Compares the index in `files`, of the data with this name, with its journal.
///
/// # Errors
/// When the journal cannot be read, or nobody knows what the files hold.
pub fn compare<C: Checkpoint>(
    files: &dyn Files,
    id: &DataId,
    journal: &dyn Journaled<C>,
) -> Result<Agreement, StoreError> {
    let view = View::open(files, id).and_then(|view| {
        let Some(view) = view else { return Ok(None) };
        journal.check(&view.manifest.checkpoint)?;
        Ok(Some(view))
    });
    let view = match view {
        Ok(Some(view)) => view,
        Ok(None) => return Ok(Agreement::Absent),
        Err(Unreadable::Damaged(why)) => return Ok(Agreement::Unusable(why)),
        Err(Unreadable::Unavailable(error)) => return Err(error),
    };
    match compare_view(files, journal, &view) {
        Ok(()) => Ok(Agreement::Agrees {
            records: view.manifest.records,
        }),
        Err(End::Differs(disagreement)) => Ok(Agreement::Differs(disagreement)),
        Err(End::Failed(error)) => Err(error),
    }
}

fn compare_view<C: Checkpoint>(files: &dyn Files, journal: &dyn Journaled<C>, view: &View<C>) -> Result<(), End> {
    let manifest = &view.manifest;
    let span = span(manifest.idempotency_hours);
    let mut held = Held::read(view).map_err(in_index)?;
    let (expected, checkpoint) = Expected::read(journal, manifest, span, &mut held.timers)?;
    let counted = (expected.blocks, expected.records);
    let same_owners = checkpoint == manifest.checkpoint;
    if (manifest.blocks, manifest.records) != counted || !same_owners {
        return Err(End::Differs(Disagreement {
            place: files.place_of_manifest(),
            what: format!(
                "it counts {} blocks and {} records, the journal holds {} and {}{} up to there",
                manifest.blocks,
                manifest.records,
                counted.0,
                counted.1,
                if same_owners { "" } else { " of other owners" },
            ),
            block: None,
        }));
    }
    let oldest = (expected.newest_key_ms / HOUR_MS).saturating_sub(u64::from(manifest.idempotency_hours));
    let mut lookup = Lookup::new(view, span, oldest, expected.sums.differing(&held.sums, oldest));
    if !lookup.is_needless() {
        lookup.walk(journal, manifest)?;
    }
    let surplus = |place: String, what: &str| {
        Err(End::Differs(Disagreement {
            place,
            what: format!("the index holds {what} that the journal does not"),
            block: None,
        }))
    };
    let index = files.place();
    if let Some(number) = lookup.surplus_of_segment(&expected.sums, &held.sums) {
        return surplus(journal.segment_name(number), "something of this segment");
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

impl<C: Checkpoint> View<C> {
    /// Opens the files that the manifest names; `Ok(None)` where there is none, and why it cannot be used as an error.
    fn open(files: &dyn Files, id: &DataId) -> Result<Option<View<C>>, Unreadable> {
        let mut before: Option<Manifest<C>> = None;
        let mut attempts = 0;
        loop {
            let Some(manifest) = Manifest::read(files, id)? else {
                return Ok(None);
            };
            match View::of(files, manifest.clone()) {
                Ok(view) => return Ok(Some(view)),
                // Files that a merge replaced go after the manifest that named them.
                Err(_) if before.as_ref() != Some(&manifest) && attempts < OPEN_AGAIN_MAX => {
                    before = Some(manifest);
                    attempts += 1;
                }
                Err(error @ StoreError::Body { .. }) => return Err(Unreadable::Damaged(error.to_string())),
                Err(other) => return Err(Unreadable::Unavailable(other)),
            }
        }
    }

    fn of(files: &dyn Files, manifest: Manifest<C>) -> Result<View<C>, StoreError> {
        let health = Arc::new(Health::of_an_onlooker());
        let runs = manifest
            .runs
            .iter()
            .map(|&entry| Run::open(files, entry, &health).map(Arc::new));
        let runs = runs.collect::<Result<_, StoreError>>()?;
        let keys = manifest
            .keys
            .iter()
            .map(|&entry| KeyFile::open(files, entry, &health).map(Arc::new));
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
