//! Reads of single records: one `pread` each, checked on arrival.

use crate::files::io_error;
use crate::segment;
use rustix::process::{Resource, getrlimit};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use tollgate_store::envelope::{RECORD_BYTES_MAX, read_record};
use tollgate_store::index::Place;
use tollgate_store::reads::Fetch;
use tollgate_store::{Fetched, StoreError};

/// Most segments kept open for reading: 16 GB of journal at the usual size.
const HANDLES_MAX: usize = 256;
/// And no more than this part of the files that the process may have open, or the next segment could not be.
const PART_OF_LIMIT: u64 = 8;

/// Follows places into the segments of a directory.
#[derive(Debug)]
pub(crate) struct Reader {
    dir: PathBuf,
    handles: RwLock<BTreeMap<u32, Arc<File>>>,
    handles_max: usize,
}

impl Reader {
    pub(crate) fn new(dir: PathBuf) -> Reader {
        Reader {
            dir,
            handles: RwLock::default(),
            handles_max: getrlimit(Resource::Nofile).current.map_or(HANDLES_MAX, |limit| {
                (limit / PART_OF_LIMIT).min(HANDLES_MAX as u64) as usize
            }),
        }
    }

    fn handle(&self, number: u32) -> Result<Arc<File>, StoreError> {
        let known = self
            .handles
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&number)
            .cloned();
        if let Some(file) = known {
            return Ok(file);
        }
        let path = segment::path(&self.dir, number);
        let file = Arc::new(File::open(&path).map_err(|error| io_error(&path, "open", &error))?);
        let mut handles = self.handles.write().unwrap_or_else(PoisonError::into_inner);
        if handles.len() >= self.handles_max {
            // Most reads want something recent. A thread that still reads from it keeps its own hold on it.
            let oldest = handles.keys().copied().find(|&other| other != number);
            oldest.and_then(|oldest| handles.remove(&oldest));
        }
        handles.insert(number, Arc::clone(&file));
        Ok(file)
    }
}

impl Fetch for Reader {
    fn fetch(&self, place: Place) -> Result<Fetched, StoreError> {
        // A record's length and checksum come on top of its bytes.
        if place.len as usize > RECORD_BYTES_MAX + 16 {
            let what = "the index points to more bytes than a record may have".to_owned();
            return Err(StoreError::Corrupt {
                place: self.name(place),
                what,
            });
        }
        let file = self.handle(place.segment)?;
        let mut bytes = vec![0; place.len as usize];
        file.read_exact_at(&mut bytes, u64::from(place.offset))
            .map_err(|error| StoreError::Io {
                place: self.name(place),
                what: format!("cannot read a record: {error}"),
            })?;
        let (head, body) = read_record(&bytes).map_err(|error| error.at(self.name(place)))?;
        Ok(Fetched {
            head,
            body: body.into(),
        })
    }

    fn name(&self, place: Place) -> String {
        format!(
            "{} offset {}",
            segment::path(&self.dir, place.segment).display(),
            place.offset
        )
    }
}
