//! Disks with faults.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Condvar, Mutex};
use tollgate_store_embedded::Disk;

/// A disk that does not sync: for tests in which nothing is cut.
#[derive(Default)]
pub(crate) struct Fast;

impl Disk for Fast {
    fn prepare(&self, file: &File, bytes: u64) -> io::Result<()> {
        file.set_len(bytes)
    }
    fn sync(&self, _: &File) -> io::Result<()> {
        Ok(())
    }
}

/// A disk that fails when told to, and counts.
#[derive(Default)]
pub(crate) struct Failing {
    pub(crate) syncs_fail: AtomicBool,
    pub(crate) writes_fail: AtomicBool,
    pub(crate) full: AtomicBool,
    pub(crate) syncs: AtomicU64,
    pub(crate) writes: AtomicU64,
}

impl Disk for Failing {
    fn prepare(&self, file: &File, bytes: u64) -> io::Result<()> {
        if self.full.load(SeqCst) {
            Err(ErrorKind::StorageFull.into())
        } else {
            file.set_len(bytes)
        }
    }
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.writes.fetch_add(1, SeqCst);
        if self.writes_fail.load(SeqCst) {
            // Half of it gets there.
            file.write_all_at(&bytes[..bytes.len() / 2], offset)?;
            return Err(io::Error::other("the write fails, as the test asked"));
        }
        file.write_all_at(bytes, offset)
    }
    fn sync(&self, _: &File) -> io::Result<()> {
        self.syncs.fetch_add(1, SeqCst);
        if self.syncs_fail.load(SeqCst) {
            Err(io::Error::other("the sync fails, as the test asked"))
        } else {
            Ok(())
        }
    }
}

/// A disk whose syncs wait while the gate is closed.
#[derive(Default)]
pub(crate) struct Gated {
    state: Mutex<Gate>,
    changed: Condvar,
}

#[derive(Default)]
struct Gate {
    closed: bool,
    waiting: bool,
    syncs: u64,
}

impl Gated {
    /// From now on syncs wait.
    pub(crate) fn close(&self) {
        self.state.lock().unwrap().closed = true;
    }
    /// Lets syncs go on.
    pub(crate) fn open(&self) {
        self.state.lock().unwrap().closed = false;
        self.changed.notify_all();
    }
    /// Returns once a sync waits at the gate.
    pub(crate) fn await_waiting(&self) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |gate| !gate.waiting).unwrap());
    }
    /// Syncs so far.
    pub(crate) fn syncs(&self) -> u64 {
        self.state.lock().unwrap().syncs
    }
}

impl Disk for Gated {
    fn prepare(&self, file: &File, bytes: u64) -> io::Result<()> {
        file.set_len(bytes)
    }
    fn sync(&self, _: &File) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.syncs += 1;
        state.waiting = true;
        self.changed.notify_all();
        state = self.changed.wait_while(state, |gate| gate.closed).unwrap();
        state.waiting = false;
        Ok(())
    }
}

/// What happened, in order.
#[derive(Clone, Debug)]
pub(crate) enum Happened {
    /// Bytes were handed to the system.
    Write { file: u64, offset: u64, bytes: Vec<u8> },
    /// A file was synced.
    Sync { file: u64 },
    /// A block was answered: shard and sequence.
    Answer(u16, u64),
}

/// A disk that remembers every write and sync, so that a power cut at any point can be made up.
#[derive(Default)]
pub(crate) struct Recording {
    log: Mutex<Vec<Happened>>,
}

impl Recording {
    pub(crate) fn note(&self, happened: Happened) {
        self.log.lock().unwrap().push(happened);
    }
    pub(crate) fn log(&self) -> Vec<Happened> {
        self.log.lock().unwrap().clone()
    }
}

impl Disk for Recording {
    fn prepare(&self, file: &File, bytes: u64) -> io::Result<()> {
        file.set_len(bytes)
    }
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.note(Happened::Write {
            file: file.metadata()?.ino(),
            offset,
            bytes: bytes.to_vec(),
        });
        file.write_all_at(bytes, offset)
    }
    fn sync(&self, file: &File) -> io::Result<()> {
        // Long enough for other shards to hand in, so that groups have several frames.
        std::thread::sleep(std::time::Duration::from_micros(300));
        self.note(Happened::Sync {
            file: file.metadata()?.ino(),
        });
        Ok(())
    }
}
