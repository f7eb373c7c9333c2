//! The thread that keeps one segment ready ahead of need, which takes long and must never be waited for by the committer.

use crate::disk::Disk;
use crate::meta::DataId;
use crate::segment::{self, SEGMENT_BYTES_MAX, Segment};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tollgate_store::StoreError;

/// Called on the preparer's thread when the next segment could not be made, and with `None` once it could again.
pub type OnSpace = Box<dyn Fn(Option<&StoreError>) + Send + Sync>;

/// How often a failed preparation is tried again.
const TICK: Duration = Duration::from_secs(1);

/// What the preparer works with.
pub(crate) struct Preparer {
    pub(crate) dir: PathBuf,
    pub(crate) id: DataId,
    pub(crate) disk: Arc<dyn Disk>,
    /// Size of a segment.
    pub(crate) segment_bytes: u64,
    /// Number of the next segment.
    pub(crate) next: u32,
    /// Highest number of a segment that exists already.
    pub(crate) existing: u32,
    /// Why no segment is ready, for the operator.
    pub(crate) warning: Arc<Mutex<Option<StoreError>>>,
    pub(crate) on_space: OnSpace,
}

/// The committer's side: asks for segments. When it goes, the thread ends.
pub(crate) struct Segments {
    asks: Sender<Ask>,
}

struct Ask {
    bytes_min: u64,
    answer: Sender<Result<Segment, StoreError>>,
}

impl Segments {
    /// The next segment, of at least `bytes_min`. Comes at once unless the disk is slower than the payments, or the
    /// last preparation failed; then it is tried once more.
    pub(crate) fn next(&self, bytes_min: u64) -> Result<Segment, StoreError> {
        let (answer, segment) = bounded(1);
        self.asks
            .send(Ask { bytes_min, answer })
            .map_err(|_| StoreError::Stopped)?;
        segment.recv().map_err(|_| StoreError::Stopped)?
    }
}

impl Preparer {
    /// Starts the thread.
    pub(crate) fn start(self) -> std::io::Result<(Segments, JoinHandle<()>)> {
        // The committer is the only one to ask, and waits for the answer.
        let (asks, asked) = bounded(1);
        let name = "tollgate-segments".to_owned();
        let thread = std::thread::Builder::new().name(name).spawn(move || self.run(&asked))?;
        Ok((Segments { asks }, thread))
    }

    fn run(mut self, asked: &Receiver<Ask>) {
        let mut ready = self.prepare(self.segment_bytes);
        loop {
            match asked.recv_timeout(TICK) {
                Ok(ask) => {
                    let fits = ready.take().filter(|segment| segment.bytes >= ask.bytes_min);
                    let answer = match fits {
                        Some(segment) => Ok(segment),
                        None => self.make(ask.bytes_min.max(self.segment_bytes)),
                    };
                    if answer.is_ok() {
                        self.next += 1;
                    }
                    // A committer that no longer waits has stopped.
                    let gone = ask.answer.send(answer).is_err();
                    if !gone {
                        ready = self.prepare(self.segment_bytes);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    if ready.is_none() {
                        ready = self.prepare(self.segment_bytes);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn prepare(&mut self, bytes: u64) -> Option<Segment> {
        let made = self.make(bytes);
        let error = made.as_ref().err();
        let mut warning = self.warning.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *warning, error.cloned());
        drop(warning);
        // Before the committer can ask for the segment that is missing: whoever is told of the end was warned of it.
        if before.is_some() != error.is_some() {
            (self.on_space)(error);
        }
        made.ok()
    }

    /// Opens segment `next` if it exists and is large enough, else makes it.
    fn make(&mut self, bytes: u64) -> Result<Segment, StoreError> {
        assert!(bytes <= SEGMENT_BYTES_MAX, "a block needs a segment of {bytes} bytes");
        if self.next <= self.existing {
            let segment = Segment::open(&self.dir, self.next)?;
            if segment.bytes >= bytes {
                return Ok(segment);
            }
        }
        let segment = Segment::create(&self.dir, &*self.disk, &self.id, self.next, bytes)?;
        self.existing = self.existing.max(self.next);
        Ok(segment)
    }
}

/// Removes the segments after the spare one; they hold no frames, and only a crash at a bad moment leaves any.
pub(crate) fn remove_surplus(dir: &std::path::Path, current: u32, last: u32) -> Result<u32, StoreError> {
    for number in (current + 2..=last).rev() {
        segment::remove(dir, number)?;
    }
    Ok(last.min(current + 1))
}
