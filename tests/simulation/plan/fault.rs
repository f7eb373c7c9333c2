//! What goes wrong, and how often.

use super::author::Author;
use super::{CLOCK_ERROR_MS_MAX, CLOCK_LEAP_MS_MAX, HOUR_MS};

/// Something that goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The process is killed, and started again after a while.
    Kill {
        /// How long it is down, milliseconds.
        down_ms: u64,
    },
    /// The shard panics when it next asks the store for this.
    Panic {
        /// The shard.
        shard: u16,
        /// Where.
        place: Place,
    },
    /// Another owner takes the shard's next epoch and does nothing with it.
    Claim {
        /// The shard.
        shard: u16,
    },
    /// The shard is dropped where it is and started as a new incarnation.
    Move {
        /// The shard.
        shard: u16,
    },
    /// Delivery of the shard's events comes to a rest, notes what it knows, and then the shard moves.
    HandOver {
        /// The shard.
        shard: u16,
    },
    /// What becomes of the shard's next block.
    Commit {
        /// The shard.
        shard: u16,
        /// What.
        ill: Ill,
    },
    /// Commits take this much longer for a while.
    Stall {
        /// How much, milliseconds.
        ms: u64,
    },
    /// Reads that need the journal fail for a while.
    Unreadable {
        /// How long, milliseconds.
        ms: u64,
    },
    /// The wall clock steps, and steps back later.
    Clock {
        /// By how much, milliseconds.
        by_ms: i64,
        /// For how long, milliseconds.
        ms: u64,
    },
    /// No message to or from the network arrives for a while.
    Outage {
        /// How long, milliseconds.
        ms: u64,
    },
}

/// Where a shard panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// While it admits a key.
    Keys,
    /// While it looks for timers.
    TimersDue,
    /// While it forgets timers, right after a commit.
    TimersDone,
}

/// What becomes of a block that has no luck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ill {
    /// Not written; its owner is told.
    Failed,
    /// Written; its owner is told that it failed.
    WrittenButFailed,
    /// Written; the answer comes seconds later.
    Late,
    /// Written; the process is killed before the answer.
    WrittenThenKilled,
    /// The process is killed before it is written.
    KilledBefore,
}

impl Author {
    pub(super) fn fault(&mut self) -> Fault {
        let shard = self.dice.below(u64::from(self.weather.shards)) as u16;
        match self.dice.below(16) {
            0..2 => Fault::Kill {
                down_ms: self.dice.below(20_000),
            },
            2..5 => Fault::Panic {
                shard,
                place: [Place::Keys, Place::TimersDue, Place::TimersDone][self.dice.below(3) as usize],
            },
            5..7 => Fault::Claim { shard },
            7 => Fault::Move { shard },
            8..12 => Fault::Commit {
                shard,
                ill: [
                    Ill::Failed,
                    Ill::WrittenButFailed,
                    Ill::Late,
                    Ill::WrittenThenKilled,
                    Ill::KilledBefore,
                ][self.dice.below(5) as usize],
            },
            12 => Fault::Stall {
                ms: self.dice.below(4_000),
            },
            13 => Fault::Unreadable {
                ms: self.dice.below(5_000),
            },
            14 => self.clock_fault(),
            _ => Fault::Outage {
                ms: self.dice.below(120_000),
            },
        }
    }

    /// A small step, one of hours, or (for a short while) one of weeks, either way.
    fn clock_fault(&mut self) -> Fault {
        let (most_ms, ms_max) = match self.dice.below(3) {
            0 => (CLOCK_ERROR_MS_MAX / 30, HOUR_MS),
            1 => (CLOCK_ERROR_MS_MAX, HOUR_MS),
            _ => (CLOCK_LEAP_MS_MAX, 60_000),
        };
        let by_ms = self.dice.below(most_ms) as i64;
        Fault::Clock {
            by_ms: if self.dice.below(2) == 0 { by_ms } else { -by_ms },
            ms: self.dice.below(ms_max),
        }
    }
}
