//! The trail in files: the suite of promises, what a crash leaves, what is dropped and when.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};
use tollgate_store::StoreError;
use tollgate_store::trail::{Counts, Entry, KEPT_MS, Position, Query, Trail, conformance};
use tollgate_store_embedded::{Disk, FileTrail, TrailOptions};

const START_MS: u64 = 1_790_000_000_000;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A trail and the directory it lives in.
struct Held {
    trail: FileTrail,
    _dir: tempfile::TempDir,
}

impl Trail for Held {
    fn append(&self, entry: Entry) {
        self.trail.append(entry);
    }

    fn read(&self, query: &Query) -> Result<Vec<Entry>, StoreError> {
        self.trail.read(query)
    }

    fn flush(&self) {
        self.trail.flush();
    }

    fn counts(&self) -> Counts {
        self.trail.counts()
    }
}

/// Segments that are sealed all the time, and room for everything.
fn small() -> TrailOptions {
    TrailOptions {
        segment_bytes: 16 << 10,
        bytes_max: 1 << 30,
        reserve_bytes: 0,
        ..TrailOptions::default()
    }
}

fn open(dir: &Path, options: TrailOptions) -> FileTrail {
    FileTrail::open(dir, options).expect("the trail opens")
}

fn entry(subject: u64, n: u64, at_ms: u64) -> Entry {
    Entry {
        subject,
        second: n,
        at: Position { at_ms, id: n },
        bytes: vec![n as u8; 200],
    }
}

fn append(trail: &FileTrail, entries: impl IntoIterator<Item = Entry>) {
    entries.into_iter().for_each(|entry| trail.append(entry));
    trail.flush();
}

fn numbers(trail: &FileTrail, subject: u64, until_ms: u64) -> Vec<u64> {
    let read = trail.read(&Query::newest(subject, until_ms, 1_000)).expect("readable");
    read.iter().map(|entry| entry.second).collect()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("trail")).expect("a directory");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

#[test]
fn the_trail_in_files_keeps_every_promise() {
    conformance::run(&|| {
        let dir = tempfile::tempdir().expect("a directory");
        let options = TrailOptions {
            reserve_bytes: 0,
            ..TrailOptions::default()
        };
        Box::new(Held {
            trail: open(dir.path(), options),
            _dir: dir,
        })
    });
}

#[test]
fn the_trail_in_files_keeps_every_promise_while_its_segments_are_sealed() {
    conformance::run(&|| {
        let dir = tempfile::tempdir().expect("a directory");
        Box::new(Held {
            trail: open(dir.path(), small()),
            _dir: dir,
        })
    });
}

#[test]
fn a_restart_forgets_nothing_that_was_flushed() {
    let dir = tempfile::tempdir().expect("a directory");
    for round in 0..5 {
        let trail = open(dir.path(), small());
        append(
            &trail,
            (0..50).map(|n| entry(n % 3, round * 50 + n, START_MS + round * 50 + n)),
        );
    }
    assert!(files(dir.path()).len() > 2, "several segments");
    let trail = open(dir.path(), small());
    let mut all: Vec<u64> = (0..3)
        .flat_map(|subject| numbers(&trail, subject, START_MS + DAY_MS))
        .collect();
    all.sort_unstable();
    assert_eq!(all, (0..250).collect::<Vec<u64>>());
    assert_eq!(trail.damaged(), 0);
}

#[test]
fn what_waits_is_written_when_the_trail_is_closed() {
    let dir = tempfile::tempdir().expect("a directory");
    let trail = open(dir.path(), small());
    trail.append(entry(1, 7, START_MS));
    assert_eq!(numbers(&trail, 1, START_MS), [7], "and read before it is");
    drop(trail);
    assert_eq!(numbers(&open(dir.path(), small()), 1, START_MS), [7]);
}

#[test]
fn a_torn_end_is_cut_off_at_any_byte_and_writing_goes_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = || TrailOptions {
        segment_bytes: 1 << 20,
        ..small()
    };
    let trail = open(dir.path(), options());
    append(&trail, [entry(1, 1, START_MS)]);
    let whole = fs::metadata(&files(dir.path())[0]).expect("a file").len();
    append(&trail, [entry(1, 2, START_MS + 1)]);
    drop(trail);
    let path = files(dir.path()).remove(0);
    let bytes = fs::read(&path).expect("readable");
    for cut in [whole, whole + 1, whole + 15, whole + 40, bytes.len() as u64 - 1] {
        fs::write(&path, &bytes[..cut as usize]).expect("written");
        let trail = open(dir.path(), options());
        assert_eq!(numbers(&trail, 1, START_MS + DAY_MS), [1], "cut at {cut}");
        append(&trail, [entry(1, 3, START_MS + 2)]);
        drop(trail);
        let trail = open(dir.path(), options());
        assert_eq!(numbers(&trail, 1, START_MS + DAY_MS), [3, 1], "cut at {cut}");
    }
}

#[test]
fn a_file_that_is_no_segment_and_a_seal_that_is_torn_do_not_stop_a_start() {
    let dir = tempfile::tempdir().expect("a directory");
    let trail = open(dir.path(), small());
    append(&trail, (0..100).map(|n| entry(1, n, START_MS + n)));
    append(&trail, [entry(1, 100, START_MS + 100)]);
    drop(trail);
    let paths = files(dir.path());
    assert_eq!(paths.len(), 2);
    // The first one's seal loses its end, and a third file was only just made.
    let sealed = fs::read(&paths[0]).expect("readable");
    fs::write(&paths[0], &sealed[..sealed.len() - 10]).expect("written");
    fs::write(dir.path().join("trail/00000003.trail"), b"").expect("written");
    let trail = open(dir.path(), small());
    assert_eq!(
        numbers(&trail, 1, START_MS + DAY_MS),
        (0..=100).rev().collect::<Vec<u64>>()
    );
    append(&trail, [entry(1, 101, START_MS + 101)]);
    assert_eq!(numbers(&trail, 1, START_MS + DAY_MS).len(), 102);
}

#[test]
fn a_damaged_block_is_passed_over_and_counted() {
    let dir = tempfile::tempdir().expect("a directory");
    let trail = open(dir.path(), small());
    append(&trail, [entry(1, 1, START_MS)]);
    append(&trail, [entry(1, 2, START_MS + 1)]);
    let path = files(dir.path()).remove(0);
    let file = OpenOptions::new().write(true).open(&path).expect("a file");
    let end = fs::metadata(&path).expect("a file").len();
    file.write_all_at(b"!", end - 5).expect("written");
    assert_eq!(numbers(&trail, 1, START_MS + DAY_MS), [1]);
    assert_eq!(trail.damaged(), 1);
}

#[test]
fn the_oldest_segments_go_when_the_trail_takes_too_much() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = TrailOptions {
        bytes_max: 64 << 10,
        ..small()
    };
    let trail = open(dir.path(), options);
    for round in 0..40 {
        append(
            &trail,
            (0..20).map(|n| entry(1, round * 20 + n, START_MS + round * 20 + n)),
        );
        let kept: u64 = files(dir.path())
            .iter()
            .map(|path| fs::metadata(path).expect("a file").len())
            .sum();
        assert!(kept <= 64 << 10, "{kept} bytes");
        assert_eq!(trail.counts().bytes, kept);
    }
    let left = numbers(&trail, 1, START_MS + DAY_MS);
    assert!((100..800).contains(&left.len()), "{} are left", left.len());
    let newest: Vec<u64> = (0..800).rev().take(left.len()).collect();
    assert_eq!(left, newest, "the newest are");
}

#[test]
fn entries_are_forgotten_after_thirty_days_by_the_segment() {
    let dir = tempfile::tempdir().expect("a directory");
    let trail = open(dir.path(), small());
    for day in 0..40 {
        append(&trail, [entry(1, day, START_MS + day * DAY_MS)]);
    }
    let left = numbers(&trail, 1, START_MS + 39 * DAY_MS);
    assert!(
        left.starts_with(&[39, 38, 37]) && left.contains(&(39 - KEPT_MS / DAY_MS)),
        "{left:?}"
    );
    // A segment ends once it spans more than a day, so two of these entries share one.
    let files = files(dir.path()).len();
    assert!(files <= 17, "what is older is gone: {files}");
    assert!(!left.contains(&5), "{left:?}");
}

/// A disk that is full on request.
#[derive(Default)]
struct FullDisk(AtomicBool);

impl Disk for FullDisk {
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        if !self.0.load(Relaxed) {
            return file.write_all_at(bytes, offset);
        }
        // As a disk does that is full in the middle.
        file.write_all_at(&bytes[..bytes.len() / 2], offset)?;
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[test]
fn a_full_disk_drops_and_counts_and_recovers() {
    let dir = tempfile::tempdir().expect("a directory");
    let (disk, (sender, told)) = (Arc::new(FullDisk::default()), mpsc::channel());
    let options = TrailOptions {
        disk: Arc::clone(&disk) as _,
        on_trouble: Box::new(move |error| sender.send(error.map(ToString::to_string)).expect("somebody listens")),
        ..small()
    };
    let trail = open(dir.path(), options);
    append(&trail, [entry(1, 1, START_MS)]);
    disk.0.store(true, Relaxed);
    append(&trail, (2..5).map(|n| entry(1, n, START_MS + n)));
    append(&trail, [entry(1, 5, START_MS + 5)]);
    disk.0.store(false, Relaxed);
    append(&trail, [entry(1, 6, START_MS + 6)]);
    assert_eq!(numbers(&trail, 1, START_MS + DAY_MS), [6, 1]);
    assert_eq!((trail.counts().taken, trail.counts().dropped_failed), (6, 4));
    let told: Vec<Option<String>> = told.try_iter().collect();
    assert!(
        told.len() == 2 && told[0].as_ref().is_some_and(|text| text.contains("cannot write")) && told[1].is_none(),
        "{told:?}"
    );
}

#[test]
fn what_the_file_system_has_left_belongs_to_the_journal() {
    let dir = tempfile::tempdir().expect("a directory");
    let trail = open(dir.path(), small());
    append(&trail, (0..200).map(|n| entry(1, n, START_MS + n)));
    append(&trail, (200..400).map(|n| entry(1, n, START_MS + n)));
    drop(trail);
    let before = files(dir.path()).len();
    let (sender, told) = mpsc::channel();
    let options = TrailOptions {
        reserve_bytes: u64::MAX,
        on_trouble: Box::new(move |error| sender.send(error.map(ToString::to_string)).expect("somebody listens")),
        ..small()
    };
    let trail = open(dir.path(), options);
    append(&trail, [entry(1, 900, START_MS + 900)]);
    assert_eq!(trail.counts().dropped_failed, 1);
    assert_eq!(
        files(dir.path()).len(),
        before - 1,
        "the oldest segment gave its room back"
    );
    let told = told.try_recv().ok().flatten().expect("it says so");
    assert!(
        told.contains("left to the journal") && told.contains("make room"),
        "{told}"
    );
}

/// Lets the writer go on only when it may, and tells when it has come.
struct HeldDisk {
    hold: Mutex<()>,
    reached: Mutex<mpsc::Receiver<()>>,
    tells: mpsc::Sender<()>,
}

impl Default for HeldDisk {
    fn default() -> Self {
        let (tells, reached) = mpsc::channel();
        HeldDisk {
            hold: Mutex::default(),
            tells,
            reached: Mutex::new(reached),
        }
    }
}

impl Disk for HeldDisk {
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.tells.send(()).expect("the test lives");
        drop(self.hold.lock().expect("no test panics in here"));
        file.write_all_at(bytes, offset)
    }
}

#[test]
fn appending_never_waits_and_drops_what_is_too_much() {
    let dir = tempfile::tempdir().expect("a directory");
    let disk = Arc::new(HeldDisk::default());
    let options = TrailOptions {
        disk: Arc::clone(&disk) as _,
        segment_bytes: 64 << 20,
        ..small()
    };
    let trail = open(dir.path(), options);
    let held = disk.hold.lock().expect("nobody panicked");
    let large = |n| Entry {
        bytes: vec![1; 8 << 10],
        ..entry(1, n, START_MS + n)
    };
    // With the disk held, this ends only because it does not wait.
    (0..4_000).for_each(|n| trail.append(large(n)));
    let counts = trail.counts();
    assert!(counts.dropped_full > 1_000, "{counts:?}");
    assert_eq!(counts.taken + counts.dropped_full, 4_000);
    drop(held);
    trail.flush();
    assert_eq!(trail.counts().dropped_failed, 0);
    assert_eq!(
        trail
            .read(&Query::newest(1, START_MS + DAY_MS, 3))
            .expect("readable")
            .len(),
        3
    );
}

#[test]
fn the_newest_hundred_of_one_subject_touch_little() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = TrailOptions {
        segment_bytes: 1 << 20,
        ..small()
    };
    let trail = open(dir.path(), options);
    // A busy endpoint, and many others beside it.
    for round in 0..100 {
        let busy = (0..200).map(|n| entry(1, round * 200 + n, START_MS + round * 1_000 + n));
        let others = (0..200).map(|n| entry(1_000 + n, n, START_MS + round * 1_000 + n));
        append(&trail, busy.chain(others));
    }
    assert!(files(dir.path()).len() > 5);
    let before = read_bytes();
    let newest = trail.read(&Query::newest(1, START_MS + DAY_MS, 100)).expect("readable");
    let touched = read_bytes() - before;
    assert_eq!(newest.len(), 100);
    assert!(touched < 64 << 10, "{touched} bytes were read for a hundred entries");
}

#[test]
fn one_event_among_many_touches_little() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = TrailOptions {
        segment_bytes: 1 << 20,
        ..small()
    };
    let trail = open(dir.path(), options);
    append(&trail, (0..10_000).map(|n| entry(1, n, START_MS + n)));
    let before = read_bytes();
    let found = trail
        .read(&Query::newest(1, START_MS + DAY_MS, 100).of(77))
        .expect("readable");
    let touched = read_bytes() - before;
    assert_eq!(found.len(), 1);
    // All of it is 2 MB.
    assert!(touched < 400 << 10, "{touched} bytes were read for one entry");
}

#[test]
fn what_is_being_written_is_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let disk = Arc::new(HeldDisk::default());
    let options = TrailOptions {
        disk: Arc::clone(&disk) as _,
        ..small()
    };
    let trail = open(dir.path(), options);
    let held = disk.hold.lock().expect("nobody panicked");
    trail.append(entry(1, 7, START_MS));
    // The writer has it, and waits for the disk.
    disk.reached.lock().expect("nobody panicked").recv().expect("it comes");
    assert_eq!(numbers(&trail, 1, START_MS), [7]);
    drop(held);
    trail.flush();
    assert_eq!(numbers(&trail, 1, START_MS), [7]);
}

/// Bytes that this thread has read from files, as the kernel counts them.
fn read_bytes() -> u64 {
    let io = fs::read_to_string("/proc/thread-self/io").expect("the kernel counts");
    let line = io
        .lines()
        .find_map(|line| line.strip_prefix("rchar: "))
        .expect("bytes read");
    line.parse().expect("a number")
}
