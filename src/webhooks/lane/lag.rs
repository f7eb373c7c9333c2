//! How far a lane is behind, and whether that is its receiver's doing.

use super::outcome::FAILURES_MIN;
use super::{Lane, Origin, Work};
use crate::endpoint::Status;

impl Lane {
    /// When the oldest event happened that is new and has no outcome: it is out for the first time, in hand, or not read yet (of
    /// those it is only known that they are no older than this). Not what failed and waits, nor what somebody wants again.
    pub(crate) fn oldest_ms(&self) -> Option<u64> {
        let new = |work: &Work| (work.origin == Origin::Fresh).then_some(work.event.created_ms);
        let out = self.flights.values().filter_map(|flight| new(&flight.work));
        let put_aside = self.keys.values().flatten().chain(&self.freed).filter_map(new);
        let queued = self.queue.front().map(|event| event.created_ms);
        let unread = (self.fetched < self.upto).then_some(self.unread_since_ms);
        out.chain(put_aside).chain(queued).chain(unread).min()
    }

    /// Since when the oldest new event has waited, where its endpoint does well: nothing that is the receiver's doing, or its
    /// owner's, keeps it from going there. It is not stopped, its breaker is closed (and would be if it were remembered since before
    /// a start), and its owner has set no limit that it may be up against. The time before it did well does not count, nor the
    /// pause that it asked for, which may end later than now.
    pub(crate) fn kept_waiting_since_ms(&self) -> Option<u64> {
        let wanted = self.view.status == Status::Enabled && self.halt.is_none();
        let takes = self.breaker.is_closed() && self.book().health().failures < FAILURES_MIN;
        if !wanted || !takes || self.limiter.is_some() {
            return None;
        }
        let oldest_ms = self.oldest_ms()?;
        Some(oldest_ms.max(self.well_since_ms).max(self.asked_until_ms))
    }

    /// The account's journal went on.
    pub(crate) fn journal_at(&mut self, now_ms: u64, upto: u64) {
        if upto <= self.upto {
            return;
        }
        if self.fetched >= self.upto {
            self.unread_since_ms = now_ms;
        }
        self.upto = upto;
    }
}
