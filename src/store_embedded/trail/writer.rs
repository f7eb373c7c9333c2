//! The thread that writes the trail: gathers, writes, seals, and drops what is too old or too much.

use super::bytes::frame;
use super::segment::Active;
use super::{FLUSH_BYTES, Shared, TrailOptions};
use crate::files::io_error;
use rustix::fs::statvfs;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tollgate_store::StoreError;
use tollgate_store::trail::{Entry, KEPT_MS};

/// How long entries gather before they are written, at most: what a crash of the process loses.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Time between the oldest and the newest entry of a segment at which it is sealed: entries are forgotten by the segment.
const SEGMENT_SPAN_MS: u64 = 24 * 60 * 60 * 1_000;

pub(super) struct Writer {
    dir: PathBuf,
    shared: Arc<Shared>,
    options: TrailOptions,
    /// Number of the next segment.
    next: u64,
    /// The newest time that an entry had: the trail's clock.
    newest_ms: u64,
    /// Whether the last entries could not be written.
    in_trouble: bool,
}

impl Writer {
    pub(super) fn new(dir: PathBuf, shared: Arc<Shared>, options: TrailOptions, next: u64) -> Writer {
        let newest_ms = {
            let segments = shared.segments();
            let sealed = segments.sealed.iter().map(|sealed| sealed.footer.max_ms);
            let active = segments.active.iter().map(|active| active.max_ms);
            sealed.chain(active).max().unwrap_or(0)
        };
        let writer = Writer {
            dir,
            shared,
            options,
            next,
            newest_ms,
            in_trouble: false,
        };
        writer.count_bytes();
        writer
    }

    pub(super) fn run(mut self) {
        let _ended = Ended(Arc::clone(&self.shared));
        while let Some((entries, asked)) = self.gather() {
            if !entries.is_empty() {
                let written = self.write(&entries);
                if written.is_err() {
                    self.shared.dropped_failed.fetch_add(entries.len() as u64, Relaxed);
                }
                self.tell(written);
            }
            let mut waiting = self.shared.waiting();
            waiting.writing = Arc::default();
            waiting.done = asked;
            drop(waiting);
            self.shared.flushed.notify_all();
        }
    }

    /// Waits for entries worth writing, and for whom they are flushed; `None` when the trail is closed and all is written.
    fn gather(&self) -> Option<(Arc<Vec<Entry>>, u64)> {
        let mut waiting = self.shared.waiting();
        let mut since = None;
        loop {
            let now = waiting.stop || waiting.asked > waiting.done || waiting.bytes >= FLUSH_BYTES;
            if now {
                break;
            }
            if waiting.entries.is_empty() {
                waiting = self.shared.wake.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let left = FLUSH_EVERY.saturating_sub(since.get_or_insert_with(Instant::now).elapsed());
            if left.is_zero() {
                break;
            }
            let woken = self.shared.wake.wait_timeout(waiting, left);
            waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        if waiting.stop && waiting.entries.is_empty() && waiting.asked == waiting.done {
            return None;
        }
        let entries = Arc::new(std::mem::take(&mut waiting.entries));
        waiting.bytes = 0;
        waiting.writing = Arc::clone(&entries);
        Some((entries, waiting.asked))
    }

    fn write(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        self.make_room()?;
        let newest = entries.iter().map(|entry| entry.at.at_ms).max().unwrap_or(0);
        self.newest_ms = self.newest_ms.max(newest);
        let (file, path, end) = self.place()?;
        let (bytes, rows) = frame(entries.iter().collect(), end as u32);
        let disk = &self.options.disk;
        disk.write_at(&file, &bytes, end)
            .map_err(|error| io_error(&path, "write", &error))?;
        if let Some(active) = &mut self.shared.segments().active {
            active.extend(rows, bytes.len() as u64);
        }
        self.forget();
        self.count_bytes();
        Ok(())
    }

    /// Where the next frame goes: in the present segment, or in a new one.
    fn place(&mut self) -> Result<(Arc<fs::File>, PathBuf, u64), StoreError> {
        let mut segments = self.shared.segments();
        let full = segments.active.as_ref().filter(|active| {
            let aged = self.newest_ms.saturating_sub(active.min_ms) > SEGMENT_SPAN_MS;
            active.end >= self.options.segment_bytes || aged
        });
        if let Some(active) = full {
            // Readers wait for this write: some megabytes at most, about once a day or for every 64 MB.
            let sealed = active.seal(&*self.options.disk);
            let sealed = sealed.map_err(|error| io_error(&active.path, "write", &error))?;
            segments.sealed.push(Arc::new(sealed));
            segments.active = None;
        }
        if segments.active.is_none() {
            // Nobody else makes one meanwhile, and readers need not wait for it.
            drop(segments);
            let made = Active::create(&self.dir, self.next, &*self.options.disk);
            let made = made.map_err(|error| io_error(&self.dir, "make a segment", &error))?;
            self.next += 1;
            segments = self.shared.segments();
            segments.active = Some(made);
        }
        let active = segments.active.as_ref().expect("there is one now");
        Ok((Arc::clone(&active.file), active.path.clone(), active.end))
    }

    /// Gives room back to the journal where the file system has hardly any: the oldest segment goes, and if that is not
    /// enough nothing is written.
    fn make_room(&mut self) -> Result<(), StoreError> {
        if self.free()? >= self.options.reserve_bytes {
            return Ok(());
        }
        self.drop_oldest();
        self.count_bytes();
        let free = self.free()?;
        if free >= self.options.reserve_bytes {
            return Ok(());
        }
        let what = format!(
            "only {} MB are free, and {} MB are left to the journal; make room, attempts are not logged until then",
            free >> 20,
            self.options.reserve_bytes >> 20
        );
        Err(StoreError::Io {
            place: self.dir.display().to_string(),
            what,
        })
    }

    fn free(&self) -> Result<u64, StoreError> {
        let system =
            statvfs(&self.dir).map_err(|error| io_error(&self.dir, "look at the file system", &error.into()))?;
        Ok(system.f_bavail.saturating_mul(system.f_frsize))
    }

    /// Drops segments that are too old, and the oldest where all take too much.
    fn forget(&mut self) {
        let too_old = |newest: u64, max_ms: u64| newest.saturating_sub(max_ms) > KEPT_MS;
        loop {
            let (bytes, oldest) = {
                let segments = self.shared.segments();
                let Some(oldest) = segments.sealed.first() else { return };
                (self.bytes_of(&segments), oldest.footer.max_ms)
            };
            if bytes <= self.options.bytes_max && !too_old(self.newest_ms, oldest) {
                return;
            }
            self.drop_oldest();
        }
    }

    fn drop_oldest(&self) {
        let mut segments = self.shared.segments();
        if !segments.sealed.is_empty() {
            let oldest = segments.sealed.remove(0);
            drop(segments);
            // What cannot be removed now is found at the next start, and goes then.
            let _ = fs::remove_file(&oldest.path);
        }
    }

    fn bytes_of(&self, segments: &super::Segments) -> u64 {
        let sealed: u64 = segments.sealed.iter().map(|sealed| sealed.bytes).sum();
        sealed + segments.active.as_ref().map_or(0, |active| active.end)
    }

    fn count_bytes(&self) {
        let bytes = self.bytes_of(&self.shared.segments());
        self.shared.bytes.store(bytes, Relaxed);
    }

    /// Tells of trouble when it begins and when it is over.
    fn tell(&mut self, written: Result<(), StoreError>) {
        match written {
            Err(error) if !self.in_trouble => (self.options.on_trouble)(Some(&error)),
            Ok(()) if self.in_trouble => (self.options.on_trouble)(None),
            _ => return,
        }
        self.in_trouble = !self.in_trouble;
    }
}

/// Says that the writer is gone, however it went.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.waiting().ended = true;
        self.0.flushed.notify_all();
    }
}
