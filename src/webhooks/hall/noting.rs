//! When what a shard's lanes have done is written down, and what they may do before it is durable.
//!
//! What was taken and is not noted yet comes again after a crash. That is never more than what was out and [`PROGRESS_MS`] of
//! progress, because nothing is sent while something older is not durable: the lanes of such a shard are held. A flush is written
//! long before that, and each only when the one before is durable, so that a store that is slow gets fewer and larger ones.

use crate::endpoint::EndpointKey;
use crate::ports::{Note, Notes};
use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use tollgate_breaks::broken;

/// Nothing is sent to a shard's endpoints while something that came of an attempt so long ago is not durable, milliseconds.
pub const PROGRESS_MS: u64 = 50;
/// What comes of an attempt is written down within so many milliseconds. The rest of [`PROGRESS_MS`] is the store's.
const FLUSH_MS: u64 = 25;
/// What was only looked at, or is on its way for the first time, waits so long for company, milliseconds: without its note it is
/// looked at again, and nothing comes twice.
const LOOKED_AT_MS: u64 = 1_000;
/// How often it is looked whether notes are durable, milliseconds: where a lane is held, and where only the next flush waits.
const LOOK_HELD_MS: u64 = 5;
const LOOK_MS: u64 = 10;

/// What a shard's lanes have done and what of it is noted.
#[derive(Default)]
pub(super) struct Noting {
    /// Endpoints whose books changed since the last flush.
    dirty: Vec<EndpointKey>,
    /// Endpoints that are gone since.
    gone: Vec<EndpointKey>,
    flush_at: Option<u64>,
    /// When the first of it came of an attempt.
    since: Option<u64>,
    /// Notes of the last flush that the shard had no room for yet.
    waiting: VecDeque<Note>,
    last: Flush,
    looked_at: u64,
    /// Whether lanes are held: shared with them.
    hold: Rc<Cell<bool>>,
    /// Lanes that wanted to send meanwhile.
    held: Vec<EndpointKey>,
}

/// The last flush.
#[derive(Clone, Copy, Default)]
enum Flush {
    #[default]
    Durable,
    /// With the time at which the first of it came of an attempt.
    UnderWay(Option<u64>),
}

impl Noting {
    /// Whether there is nothing to be noted.
    pub(super) fn is_done(&self) -> bool {
        self.dirty.is_empty() && self.gone.is_empty() && self.waiting.is_empty()
    }

    /// Whether everything that was noted is handed in.
    pub(super) fn is_handed_in(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What lanes look at before they send.
    pub(super) fn hold(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.hold)
    }

    /// The endpoint's book changed.
    pub(super) fn changed(&mut self, now_ms: u64, key: EndpointKey) {
        self.dirty.push(key);
        self.flush_at.get_or_insert(now_ms + LOOKED_AT_MS);
    }

    /// Something came of an attempt, or of a job.
    pub(super) fn settled(&mut self, now_ms: u64) {
        self.since.get_or_insert(now_ms);
        self.flush_by(now_ms + FLUSH_MS);
    }

    /// The endpoint is deleted.
    pub(super) fn gone(&mut self, now_ms: u64, key: EndpointKey) {
        self.gone.push(key);
        self.flush_by(now_ms + FLUSH_MS);
    }

    /// The endpoint has something to send and may not.
    pub(super) fn held(&mut self, key: EndpointKey) {
        self.held.push(key);
    }

    /// A flush is wanted by then.
    pub(super) fn flush_by(&mut self, at_ms: u64) {
        self.flush_at = Some(self.flush_at.map_or(at_ms, |at| at.min(at_ms)));
    }

    /// Takes what changed, and what is gone, to be noted now.
    pub(super) fn take(&mut self) -> (Vec<EndpointKey>, Vec<EndpointKey>) {
        self.flush_at = None;
        let since = self.since.take();
        self.last = Flush::UnderWay(match self.last {
            Flush::UnderWay(before) => before.or(since),
            Flush::Durable => since,
        });
        (std::mem::take(&mut self.dirty), std::mem::take(&mut self.gone))
    }

    /// A note of this flush.
    pub(super) fn put(&mut self, note: Note) {
        self.waiting.push_back(note);
    }

    /// Hands in what waits, as far as there is room.
    pub(super) fn hand_in(&mut self, notes: &dyn Notes, shard: u16, epoch: u64) {
        while let Some(note) = self.waiting.pop_front() {
            if let Err(note) = notes.write(shard, epoch, note) {
                return self.waiting.push_front(note);
            }
        }
    }

    /// Looks what has become of the last flush. True when it is time for another one.
    pub(super) fn look(&mut self, now_ms: u64, notes: &dyn Notes, shard: u16, epoch: u64) -> bool {
        if matches!(self.last, Flush::UnderWay(_)) && self.looked_at < now_ms {
            self.looked_at = now_ms;
            self.hand_in(notes, shard, epoch);
            if self.waiting.is_empty() && notes.open(shard) == 0 {
                self.last = Flush::Durable;
            }
        }
        matches!(self.last, Flush::Durable) && self.flush_at.is_some_and(|at| at <= now_ms)
    }

    /// Whether lanes are held from now on, or not any more; `None` where nothing changes.
    pub(super) fn keep_up(&mut self, now_ms: u64) -> Option<bool> {
        let since = match self.last {
            Flush::UnderWay(Some(since)) => Some(since),
            Flush::UnderWay(None) | Flush::Durable => self.since,
        };
        let late = since.is_some_and(|since| since + PROGRESS_MS <= now_ms) && !broken!(SendUnnoted);
        (self.hold.replace(late) != late).then_some(late)
    }

    /// Lanes that were held.
    pub(super) fn freed(&mut self) -> Vec<EndpointKey> {
        std::mem::take(&mut self.held)
    }

    pub(super) fn wakes_at(&self) -> Option<u64> {
        match self.last {
            Flush::UnderWay(_) if !self.held.is_empty() => Some(self.looked_at + LOOK_HELD_MS),
            Flush::UnderWay(_) if !self.waiting.is_empty() => Some(self.looked_at + LOOK_MS),
            Flush::UnderWay(_) => self.flush_at.map(|at| at.max(self.looked_at + LOOK_MS)),
            Flush::Durable => self.flush_at,
        }
    }
}
