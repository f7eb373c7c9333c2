//! The index of a data directory: its files in `DIR/index`, its checkpoint in the manifest, and two threads of its own.

use crate::checkpoint::Mark;
use crate::frame::Kind;
use crate::index_files::IndexDir;
use crate::meta::Meta;
use crate::reader::Reader;
use crate::rebuild::{Owners, check_order, heads, place_of};
use crate::segment;
use crate::walk::{check_position, walk};
use std::ops::Deref;
use std::path::Path;
use tollgate_store::index::Place;
use tollgate_store::reads::Fetch;
use tollgate_store::{Fetched, StoreError};
use tollgate_store_index::{Agreement, Host, Journaled, StoredIndex, Unreadable, VisitBlock, Walked, compare};

/// The directory of the index.
pub(crate) const INDEX: &str = "index";

/// The index with its threads. Dropping it ends them; what is in memory is in the journal.
pub(crate) struct DiskIndex {
    /// `None` only while it is dropped.
    parts: Option<(StoredIndex<Mark>, Host)>,
}

impl DiskIndex {
    pub(crate) fn new(index: StoredIndex<Mark>, host: Host) -> DiskIndex {
        DiskIndex {
            parts: Some((index, host)),
        }
    }
}

impl Deref for DiskIndex {
    type Target = StoredIndex<Mark>;

    fn deref(&self) -> &StoredIndex<Mark> {
        let (index, _) = self.parts.as_ref().expect("it is there until it is dropped");
        index
    }
}

impl Drop for DiskIndex {
    fn drop(&mut self) {
        if let Some((index, host)) = self.parts.take() {
            drop(index);
            // The next process to open the directory must find nobody writing.
            host.join();
        }
    }
}

/// Compares the index in `dir` with the journal.
///
/// # Errors
/// When the journal cannot be read.
pub(crate) fn compare_index(dir: &Path, meta: &Meta) -> Result<Agreement, StoreError> {
    let journal = Walk {
        dir,
        meta,
        reader: Reader::new(dir.to_owned()),
    };
    compare(&IndexDir::of_an_onlooker(&dir.join(INDEX)), &meta.id.0, &journal)
}

/// The journal of a directory, for the comparison.
struct Walk<'a> {
    dir: &'a Path,
    meta: &'a Meta,
    reader: Reader,
}

impl Fetch for Walk<'_> {
    fn fetch(&self, place: Place) -> Result<Fetched, StoreError> {
        self.reader.fetch(place)
    }

    fn name(&self, place: Place) -> String {
        self.reader.name(place)
    }
}

impl Journaled<Mark> for Walk<'_> {
    fn check(&self, mark: &Mark) -> Result<(), Unreadable> {
        check_position(self.dir, &self.meta.id, &mark.position).map_err(Unreadable::Damaged)
    }

    fn walk(&self, to: &Mark, visit: &mut VisitBlock<'_>) -> Result<Mark, StoreError> {
        let mut owners = Owners::new();
        let mut records = Vec::new();
        walk(self.dir, &self.meta.id, None, true, &mut |frame| {
            let last = (to.position.segment, to.position.last_frame);
            let indexed = (frame.segment, frame.offset) <= last;
            if indexed {
                check_order(self.meta, &mut owners, frame).map_err(|what| StoreError::Corrupt {
                    place: place_of(self.dir, frame),
                    what,
                })?;
            }
            if frame.header.kind == Kind::Claim {
                return Ok(());
            }
            heads(self.dir, frame, &mut records)?;
            visit(&Walked {
                shard: frame.header.shard,
                seq: frame.header.seq,
                now_ms: frame.header.now_ms,
                indexed,
                records: &records,
            })
        })?;
        // That the position is one of this journal was checked.
        let position = to.position;
        Ok(Mark { position, owners })
    }

    fn segment_name(&self, segment: u32) -> String {
        segment::path(self.dir, segment).display().to_string()
    }
}
