//! Faults on request, for tests: a disk that fails, stalls or lies, and a process that is killed, or loses power, at a
//! named point of the commit path. Only builds with the feature `faults` have any of this; a release has not.
//!
//! The environment variable `TOLLGATE_FAULTS` says what happens, as a list of `ACTION@POINT:NTH[:MS]`:
//!
//! ```text
//! TOLLGATE_FAULTS=kill@synced:40             SIGKILL when the 40th sync has returned
//! TOLLGATE_FAULTS=stall@sync:10:2000         the 10th sync takes two seconds longer
//! TOLLGATE_FAULTS=lie@sync:0,lose@sync:60    no sync does anything, and the power fails at the 60th
//! ```
//! | point | when |
//! |---|---|
//! | `prepare` | before a segment is given its space |
//! | `write` | before a group is written |
//! | `torn` | when half of a group is written |
//! | `sync` | when a group is written, before it is synced |
//! | `synced` | when it is synced, before the index is told |
//! | `published` | when the index shows a block, before it is answered |
//!
//! `NTH` counts from 1; 0 means each time. Actions: `kill` (SIGKILL; what was written stays, as the system has it),
//! `power` (the same, and of what was not synced each sector is lost or not, by chance), `lose` (the same, and all of it
//! is lost), `fail` (the call fails), `stall` (it takes `MS` milliseconds longer), `lie` (a sync that says yes and is
//! none).

use crate::disk::{Disk, LocalDisk};
use rustix::process::{Signal, getpid, kill_process};
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where the faults are asked for.
pub const VARIABLE: &str = "TOLLGATE_FAULTS";

/// Most writes whose sectors can be lost; older ones count as synced.
const UNSYNCED_MAX: usize = 100_000;
const SECTOR: u64 = 512;

/// The disk with the faults that the environment asks for.
///
/// # Panics
/// When it asks for something that there is not.
pub fn disk() -> Arc<dyn Disk> {
    let asked = std::env::var(VARIABLE).unwrap_or_default();
    let wrong = |text: &str| panic!("{VARIABLE}: {text} is not ACTION@POINT:NTH[:MS]");
    let faults = asked
        .split(',')
        .filter(|text| !text.is_empty())
        .map(|text| Fault::parse(text).unwrap_or_else(|| wrong(text)))
        .collect();
    Arc::new(FaultyDisk {
        faults,
        counts: Default::default(),
        unsynced: Mutex::default(),
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    Prepare,
    Write,
    Torn,
    Sync,
    Synced,
    Published,
}

const POINTS: [(&str, Point); 6] = [
    ("prepare", Point::Prepare),
    ("write", Point::Write),
    ("torn", Point::Torn),
    ("sync", Point::Sync),
    ("synced", Point::Synced),
    ("published", Point::Published),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Kill,
    Power,
    Lose,
    Fail,
    Stall(Duration),
    Lie,
}

#[derive(Clone, Copy, Debug)]
struct Fault {
    action: Action,
    point: Point,
    nth: u64,
}

impl Fault {
    fn parse(text: &str) -> Option<Fault> {
        let (action, rest) = text.split_once('@')?;
        let mut parts = rest.split(':');
        let name = parts.next()?;
        let nth = parts.next()?.parse().ok()?;
        let action = match (action, parts.next()) {
            ("kill", None) => Action::Kill,
            ("power", None) => Action::Power,
            ("lose", None) => Action::Lose,
            ("fail", None) => Action::Fail,
            ("stall", Some(ms)) => Action::Stall(Duration::from_millis(ms.parse().ok()?)),
            ("lie", None) => Action::Lie,
            _ => return None,
        };
        let (_, point) = *POINTS.iter().find(|(known, _)| *known == name)?;
        Some(Fault { action, point, nth })
    }
}

/// A write that no sync has made durable.
struct Unsynced {
    file: File,
    offset: u64,
    len: u64,
}

struct FaultyDisk {
    faults: Vec<Fault>,
    /// How often each point was come to, in the order of [`POINTS`].
    counts: [AtomicU64; POINTS.len()],
    unsynced: Mutex<VecDeque<Unsynced>>,
}

impl FaultyDisk {
    /// Comes to a point: does what is asked for there. Gives whether a sync lies.
    fn reach(&self, point: Point) -> io::Result<bool> {
        let count = self.counts[point as usize].fetch_add(1, SeqCst) + 1;
        let mut lies = false;
        let due = |fault: &&Fault| fault.point == point && (fault.nth == 0 || fault.nth == count);
        for fault in self.faults.iter().filter(due) {
            match fault.action {
                Action::Kill => die(),
                Action::Power => self.cut_power(|chance| chance % 2 == 0),
                Action::Lose => self.cut_power(|_| true),
                Action::Fail if point == Point::Prepare => return Err(io::ErrorKind::StorageFull.into()),
                Action::Fail => return Err(io::Error::other("a fault that the test asked for")),
                Action::Stall(time) => std::thread::sleep(time),
                Action::Lie => lies = true,
            }
        }
        Ok(lies)
    }

    /// Gives back to zeros, which every segment consists of before it is written, what never reached the disk.
    fn cut_power(&self, lost: impl Fn(u64) -> bool) -> ! {
        let mut random = getrandom::u64().expect("the system gives random bytes");
        for write in self.unsynced.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let (mut at, end) = (write.offset, write.offset + write.len);
            while at < end {
                let next = ((at / SECTOR + 1) * SECTOR).min(end);
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                if lost(random >> 33) {
                    let zeros = [0; SECTOR as usize];
                    // The power is gone: nobody is left to hear about an error.
                    let _ = write.file.write_all_at(&zeros[..(next - at) as usize], at);
                }
                at = next;
            }
        }
        die()
    }

    fn remember(&self, file: &File, offset: u64, len: usize) -> io::Result<()> {
        let mut unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        if unsynced.len() == UNSYNCED_MAX {
            unsynced.pop_front();
        }
        let (file, len) = (file.try_clone()?, len as u64);
        unsynced.push_back(Unsynced { file, offset, len });
        Ok(())
    }
}

impl Disk for FaultyDisk {
    fn prepare(&self, file: &File, bytes: u64) -> io::Result<()> {
        self.reach(Point::Prepare)?;
        LocalDisk.prepare(file, bytes)
    }

    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.reach(Point::Write)?;
        let (first, second) = bytes.split_at(bytes.len() / 2);
        self.remember(file, offset, bytes.len())?;
        LocalDisk.write_at(file, first, offset)?;
        self.reach(Point::Torn)?;
        LocalDisk.write_at(file, second, offset + first.len() as u64)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if self.reach(Point::Sync)? {
            return Ok(());
        }
        LocalDisk.sync(file)?;
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.reach(Point::Synced).map(drop)
    }

    fn published(&self) {
        // Nothing can fail here; what can happen is the end.
        let _ = self.reach(Point::Published);
    }
}

/// Ends the process as SIGKILL does: nothing is flushed, nobody is told.
fn die() -> ! {
    let _ = kill_process(getpid(), Signal::KILL);
    loop {
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read() {
        let fault = Fault::parse("stall@sync:10:2000").expect("a fault");
        let expected = (Action::Stall(Duration::from_secs(2)), Point::Sync, 10);
        assert_eq!((fault.action, fault.point, fault.nth), expected);
        for wrong in [
            "kill",
            "kill@nowhere:1",
            "kill@sync",
            "kill@sync:x",
            "stall@sync:1",
            "kill@sync:1:5",
        ] {
            assert!(Fault::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn points_are_in_the_order_of_their_counters() {
        for (at, (_, point)) in POINTS.iter().enumerate() {
            assert_eq!(*point as usize, at);
        }
    }
}
