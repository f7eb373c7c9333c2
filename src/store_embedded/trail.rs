//! The trail in local files: what may be forgotten, beside the journal and never in its way.
//!
//! ```text
//! DIR/trail/00000001.trail       blocks of entries by subject, and what says where they are (see `bytes.rs`)
//! ```
//! Entries gather in memory and are written about once a second, those of one subject side by side, with a row for each
//! block of some 4 KiB: so a read of one subject's newest hundred looks at as many blocks as they are spread over, and at a page
//! of rows a segment. The rows of the segment that is being written are in memory; a segment that is full, or a day old, is
//! sealed with its rows at its end. Segments are dropped whole: when their newest entry is too old, when the trail takes more
//! than it may, and, oldest first, when the file system has hardly any room left, which then belongs to the journal.
//!
//! Nothing is synced: what the system had not written when the power failed is lost, which shows as a torn end and is cut off
//! at the next start, or as blocks with a wrong checksum, which are passed over. Only whoever holds the lock of the data
//! directory may open its trail.

mod bytes;
mod gather;
mod segment;
mod writer;

use crate::disk::{Disk, LocalDisk};
use crate::files::{create_dir, io_error};
use gather::Gather;
use segment::{Active, EXTENSION, Found, Sealed};
use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tollgate_store::StoreError;
use tollgate_store::trail::{Counts, ENTRY_BYTES_MAX, Entry, Query, Trail};
use writer::Writer;

/// Bytes of a segment unless configured otherwise.
pub const TRAIL_SEGMENT_BYTES: u64 = 64 << 20;
/// Bytes that a trail takes at most unless configured otherwise.
pub const TRAIL_BYTES: u64 = 4 << 30;
/// Bytes that the file system keeps free of the trail: four segments of the journal.
pub const TRAIL_RESERVE_BYTES: u64 = 256 << 20;
/// Bytes of entries that may wait to be written; what comes then is dropped.
const WAITING_BYTES_MAX: usize = 8 << 20;
/// Bytes of entries that are written at once, without waiting for more.
const FLUSH_BYTES: usize = 1 << 20;

/// Told when the trail cannot be written, and when it can again.
pub type OnTrouble = Box<dyn Fn(Option<&StoreError>) + Send>;

/// How a trail works.
pub struct TrailOptions {
    /// Bytes of a segment, about.
    pub segment_bytes: u64,
    /// Bytes that all segments take at most; two segments at least.
    pub bytes_max: u64,
    /// Bytes that the file system keeps free: below that nothing is written, and the oldest segments go.
    pub reserve_bytes: u64,
    /// The disk; tests bring one with faults.
    pub disk: Arc<dyn Disk>,
    /// Called on the writer's thread.
    pub on_trouble: OnTrouble,
}

impl Default for TrailOptions {
    fn default() -> Self {
        TrailOptions {
            segment_bytes: TRAIL_SEGMENT_BYTES,
            bytes_max: TRAIL_BYTES,
            reserve_bytes: TRAIL_RESERVE_BYTES,
            disk: Arc::new(LocalDisk),
            on_trouble: Box::new(|_| {}),
        }
    }
}

/// The trail of a data directory. Dropping it writes what waits.
pub struct FileTrail {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

/// What callers and the writer's thread share.
#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// There is something to write, or a reason to write it now.
    wake: Condvar,
    /// A flush that was asked for is done.
    flushed: Condvar,
    segments: Mutex<Segments>,
    taken: AtomicU64,
    dropped_full: AtomicU64,
    dropped_failed: AtomicU64,
    bytes: AtomicU64,
    damaged: AtomicU64,
}

/// Entries on their way to the file.
#[derive(Default)]
struct Waiting {
    entries: Vec<Entry>,
    bytes: usize,
    /// What is being written, until it can be read from the file.
    writing: Arc<Vec<Entry>>,
    /// Number of the newest flush asked for, and of the newest that is done.
    asked: u64,
    done: u64,
    stop: bool,
    /// The writer's thread is gone; nothing is written any more.
    ended: bool,
}

/// The files. Only the writer changes them.
#[derive(Default)]
struct Segments {
    /// Oldest first.
    sealed: Vec<Arc<Sealed>>,
    active: Option<Active>,
}

impl FileTrail {
    /// Opens the trail of the data in `dir`. A segment that a crash left is cut off where its last whole frame ends.
    ///
    /// # Errors
    /// When the directory or its files cannot be read.
    pub fn open(dir: &Path, options: TrailOptions) -> Result<FileTrail, StoreError> {
        assert!(
            options.bytes_max >= 2 * options.segment_bytes && options.segment_bytes <= u64::from(u32::MAX) / 2,
            "a trail has room for two segments, whose offsets fit 32 bits"
        );
        let dir = dir.join("trail");
        create_dir(&dir)?;
        let (segments, next) = found(&dir, &*options.disk)?;
        let shared = Arc::new(Shared {
            segments: Mutex::new(segments),
            ..Shared::default()
        });
        let writer = Writer::new(dir.clone(), Arc::clone(&shared), options, next);
        let thread = std::thread::Builder::new().name("tollgate-trail".to_owned());
        let thread = thread.spawn(move || writer.run());
        let thread = thread.map_err(|error| io_error(&dir, "start the thread that writes", &error))?;
        Ok(FileTrail {
            shared,
            writer: Some(thread),
        })
    }

    /// Blocks and pages that reads found damaged since the trail was opened.
    pub fn damaged(&self) -> u64 {
        self.shared.damaged.load(Relaxed)
    }
}

impl Drop for FileTrail {
    fn drop(&mut self) {
        self.shared.waiting().stop = true;
        self.shared.wake.notify_all();
        if let Some(writer) = self.writer.take() {
            // A panic of it has lost entries of a trail, which is no reason for another.
            let _ = writer.join();
        }
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn segments(&self) -> MutexGuard<'_, Segments> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trail for FileTrail {
    fn append(&self, entry: Entry) {
        assert!(
            entry.bytes.len() <= ENTRY_BYTES_MAX,
            "an entry of {} bytes",
            entry.bytes.len()
        );
        let weight = bytes::weight(&entry);
        let mut waiting = self.shared.waiting();
        if waiting.bytes + weight > WAITING_BYTES_MAX || waiting.ended {
            self.shared.dropped_full.fetch_add(1, Relaxed);
            return;
        }
        let before = waiting.bytes;
        waiting.entries.push(entry);
        waiting.bytes += weight;
        let wake = before == 0 || (before < FLUSH_BYTES && waiting.bytes >= FLUSH_BYTES);
        drop(waiting);
        self.shared.taken.fetch_add(1, Relaxed);
        if wake {
            self.shared.wake.notify_one();
        }
    }

    fn read(&self, query: &Query) -> Result<Vec<Entry>, StoreError> {
        let mut gather = Gather::new(query);
        // In the order in which entries move on, so that none is missed; one that is met twice counts once.
        let writing = {
            let waiting = self.shared.waiting();
            waiting.entries.iter().for_each(|entry| gather.take(entry));
            Arc::clone(&waiting.writing)
        };
        writing.iter().for_each(|entry| gather.take(entry));
        let (active, mut sealed) = {
            let segments = self.shared.segments();
            let rows = segments.active.as_ref().and_then(|active| {
                let rows = active.rows.get(&query.subject)?.clone();
                Some((Arc::clone(&active.file), rows))
            });
            (rows, segments.sealed.clone())
        };
        if let Some((file, mut rows)) = active {
            rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.max_ms));
            rows.iter().for_each(|row| gather.look(&file, row));
        }
        sealed.sort_by_key(|segment| std::cmp::Reverse(segment.footer.max_ms));
        for segment in sealed {
            look(&segment, &mut gather)?;
        }
        self.shared.damaged.fetch_add(gather.damaged, Relaxed);
        Ok(gather.done())
    }

    fn flush(&self) {
        let mut waiting = self.shared.waiting();
        waiting.asked += 1;
        let asked = waiting.asked;
        self.shared.wake.notify_one();
        while waiting.done < asked && !waiting.ended {
            waiting = self
                .shared
                .flushed
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn counts(&self) -> Counts {
        Counts {
            taken: self.shared.taken.load(Relaxed),
            dropped_full: self.shared.dropped_full.load(Relaxed),
            dropped_failed: self.shared.dropped_failed.load(Relaxed),
            bytes: self.shared.bytes.load(Relaxed),
        }
    }
}

/// Takes what is wanted of a sealed segment, if it is still there.
fn look(segment: &Sealed, gather: &mut Gather) -> Result<(), StoreError> {
    if !gather.wants_span(segment.footer.min_ms, segment.footer.max_ms) {
        return Ok(());
    }
    let failed = |error: std::io::Error| io_error(&segment.path, "read", &error);
    let file = match File::open(&segment.path) {
        Ok(file) => file,
        // It was dropped a moment ago.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let subject = gather.query().subject;
    let read = segment.each_row(&file, subject, &mut |row| {
        // Rows come by their newest entry: behind one that is too old all are.
        let goes_on = gather.wants_span(0, row.max_ms);
        gather.look(&file, row);
        goes_on
    });
    gather.damaged += read.map_err(failed)?;
    Ok(())
}

/// The segments of a directory, and the number of the next. All but the newest are sealed.
fn found(dir: &Path, disk: &dyn Disk) -> Result<(Segments, u64), StoreError> {
    let entries = fs::read_dir(dir).map_err(|error| io_error(dir, "read", &error))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut numbers: Vec<u64> = paths.filter_map(|path| number_of(&path)).collect();
    numbers.sort_unstable();
    let (mut segments, newest) = (Segments::default(), numbers.last().copied());
    for &number in &numbers {
        let path = segment::path(dir, number);
        let failed = |error| io_error(&path, "read", &error);
        match segment::open(dir, number).map_err(failed)? {
            Found::Sealed(sealed) => segments.sealed.push(Arc::new(sealed)),
            Found::Active(active) if Some(number) == newest => segments.active = Some(active),
            Found::Active(active) => match active.seal(disk) {
                Ok(sealed) => segments.sealed.push(Arc::new(sealed)),
                // A full disk is no reason not to start: what may be forgotten is.
                Err(_) => fs::remove_file(&path).map_err(|error| io_error(&path, "remove", &error))?,
            },
            Found::Unusable => fs::remove_file(&path).map_err(|error| io_error(&path, "remove", &error))?,
        }
    }
    Ok((segments, newest.unwrap_or(0) + 1))
}

fn number_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(EXTENSION)?.strip_suffix('.')?.parse().ok()
}
