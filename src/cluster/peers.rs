//! Whether other nodes live, by what is seen of them. A node is suspected when its counter stays the same for some time of
//! *this* node's steady clock; nobody's time of day is asked. Time in which this node saw or could do nothing does not count
//! against others: after a pause of its own, or of the store, everybody is as alive as before.

use crate::settings::Pace;
use crate::view::{NodeRow, Process};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A node that came back often has to be steady for so many doublings of the usual time before it is given anything.
const DOUBLINGS_MAX: u32 = 6;
/// After so long without a fall, earlier ones are forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(600);
/// Names that are remembered. Beyond that those that are gone go first; they only serve against nodes that come and go.
const NAMES_MAX: usize = 1024;

/// Every node that was seen.
#[derive(Default)]
pub(crate) struct Peers(BTreeMap<Arc<str>, Seen>);

/// What was seen of a node.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) process: Process,
    pub(crate) addr: SocketAddr,
    pub(crate) leaving: bool,
    beat: u64,
    /// How long its counter has been the same.
    pub(crate) silent: Duration,
    /// How long it has lived without a fall.
    pub(crate) alive: Duration,
    /// How often it was suspected, came back as another process, or did not take what it was given.
    pub(crate) falls: u32,
    /// How often its counter changed while it was watched. Once may be the last word of a process that is dead already.
    pub(crate) moves: u32,
    pub(crate) state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Alive,
    /// Silent for too long.
    Dead,
    /// Its row is gone.
    Gone,
}

impl Peers {
    /// Takes in what was read, `step` of watched time after the last time.
    pub(crate) fn observe(&mut self, rows: &[NodeRow], step: Duration, pace: &Pace) {
        for (name, seen) in &mut self.0 {
            if !rows.iter().any(|row| row.node == *name) {
                seen.state = State::Gone;
            }
        }
        for row in rows {
            match self.0.get_mut(&row.node) {
                Some(seen) => seen.look_at(row, step, pace),
                None => {
                    self.0.insert(Arc::clone(&row.node), Seen::first(row));
                }
            }
        }
        while self.0.len() > NAMES_MAX.max(rows.len()) {
            let gone = self.0.iter().find(|(_, seen)| seen.state == State::Gone);
            let Some(name) = gone.map(|(name, _)| Arc::clone(name)) else {
                break;
            };
            self.0.remove(&name);
        }
    }

    /// A node lives, but did not take what it was given: it is given nothing for a while.
    pub(crate) fn did_not_take(&mut self, process: Process) {
        if let Some(seen) = self.0.values_mut().find(|seen| seen.process == process) {
            seen.fell();
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Seen> {
        self.0.get(name).filter(|seen| seen.state != State::Gone)
    }

    /// Nodes whose rows are there.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Arc<str>, &Seen)> {
        self.0.iter().filter(|(_, seen)| seen.state != State::Gone)
    }

    /// Nodes that live.
    pub(crate) fn alive(&self) -> impl Iterator<Item = (&Arc<str>, &Seen)> {
        self.0.iter().filter(|(_, seen)| seen.state == State::Alive)
    }

    pub(crate) fn by_process(&self, process: Process) -> Option<(&Arc<str>, &Seen)> {
        self.all().find(|(_, seen)| seen.process == process)
    }
}

impl Seen {
    fn first(row: &NodeRow) -> Seen {
        Seen {
            process: row.process,
            addr: row.addr,
            leaving: row.leaving,
            beat: row.beat,
            silent: Duration::ZERO,
            alive: Duration::ZERO,
            falls: 0,
            moves: 0,
            state: State::Alive,
        }
    }

    fn look_at(&mut self, row: &NodeRow, step: Duration, pace: &Pace) {
        (self.addr, self.leaving) = (row.addr, row.leaving);
        let (another, came_back) = (self.process != row.process, self.state != State::Alive);
        if !another && self.beat == row.beat && self.state != State::Gone {
            self.silent += step;
            if self.silent >= pace.suspect {
                self.state = State::Dead;
            }
        } else {
            if another || came_back {
                self.fell();
            }
            self.moves = self.moves.saturating_add(1);
            (self.process, self.beat, self.silent, self.state) = (row.process, row.beat, Duration::ZERO, State::Alive);
        }
        if self.state == State::Alive {
            self.alive += step;
            if self.alive >= FORGET_AFTER {
                self.falls = 0;
            }
        }
    }

    fn fell(&mut self) {
        (self.falls, self.alive) = (self.falls.saturating_add(1), Duration::ZERO);
    }

    /// Whether it has lived long enough to be given what others serve.
    pub(crate) fn is_steady(&self, pace: &Pace) -> bool {
        let wanted = pace.steady * 2_u32.pow(self.falls.min(DOUBLINGS_MAX));
        self.state == State::Alive && self.alive >= wanted
    }

    /// The row as it was last seen.
    pub(crate) fn beat(&self) -> u64 {
        self.beat
    }
}
