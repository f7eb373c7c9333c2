//! What the lanes of one thread come to, for its gauges.

use super::status::{Worst, state_of};
use super::{Hall, LaneStatus};
use crate::endpoint::Status;
use crate::lane::Lane;
use crate::metrics::{
    BOOK_BYTES, IN_FLIGHT, LANES, OLDEST, READY, RETRIES, WORST_BACKLOG, WORST_LAG, WORST_TAKEN, WORST_TOOK,
};
use metrics::gauge;

/// Endpoints of a thread that have gauges of their own: those that are furthest behind. By their rank, not by their names, so
/// that there are never more series than this, and no series goes on about an endpoint that is behind no more.
pub const WORST_MAX: usize = 10;

/// Lanes that one turn looks at.
const LOOK_MAX: usize = 256;
/// Where the lanes are counted of which there is no more to say, and those that are off the floor.
const STOPPED: usize = 3;
const QUARANTINED: usize = 4;

/// What the lanes of one thread come to.
#[derive(Clone, Debug)]
pub struct Figures {
    /// How many do what.
    pub lanes: [(&'static str, u32); 5],
    /// Deliveries that are out.
    pub in_flight: usize,
    /// Lanes that wait for their turn.
    pub ready: usize,
    /// Events that wait for another attempt.
    pub retries: u64,
    /// Bytes of books.
    pub book_bytes: usize,
    /// How long a new event has been kept waiting at most by an endpoint that does well, milliseconds.
    pub oldest_ms: u64,
    /// Endpoints that are sent to and are behind, the worst first, [`WORST_MAX`] at most.
    pub worst: Vec<LaneStatus>,
}

/// A look at all lanes, in parts.
pub(super) struct Look {
    /// The next place.
    next: usize,
    figures: Figures,
    oldest: Option<u64>,
    worst: Worst,
}

impl Hall {
    /// What its lanes come to.
    pub fn figures(&self) -> Figures {
        let mut look = Look::new();
        self.see(&mut look, usize::MAX);
        self.seen(look)
    }

    /// Looks at so many lanes more, and tells what all come to when the last one was seen. The next look begins anew then.
    pub fn look(&mut self, most: usize) -> Option<Figures> {
        let mut look = self.look.take().unwrap_or_else(Look::new);
        if self.see(&mut look, most) {
            return Some(self.seen(look));
        }
        self.look = Some(look);
        None
    }

    /// Looks at some lanes more, and sets the gauges of this thread when all have been seen. False when there are more: they are
    /// for another turn, because a hundred thousand take as long as thousands of deliveries.
    pub fn measure(&mut self, thread: usize) -> bool {
        let figures = self.look(LOOK_MAX);
        let done = figures.is_some();
        if let Some(figures) = figures {
            figures.set(thread, self.now_ms);
        }
        done
    }

    /// True when the last one was seen.
    fn see(&self, look: &mut Look, most: usize) -> bool {
        let Some(lanes) = self.floor.lanes_from(look.next, most) else {
            return true;
        };
        look.next = look.next.saturating_add(most);
        for (lane, ready) in lanes {
            look.saw(lane, ready);
        }
        self.floor.lanes_from(look.next, 1).is_none()
    }

    fn seen(&self, look: Look) -> Figures {
        let worst = look.worst.first_to_last();
        let mut figures = Figures {
            in_flight: self.floor.slots().taken(),
            oldest_ms: look.oldest.map_or(0, |oldest| self.now_ms.saturating_sub(oldest)),
            worst: worst.into_iter().filter_map(|key| self.status(key)).collect(),
            ..look.figures
        };
        figures.lanes[QUARANTINED].1 = self.quarantined.len() as u32;
        figures
    }
}

impl Look {
    fn new() -> Look {
        let lanes = ["sending", "open", "probing", "stopped", "quarantined"].map(|state| (state, 0));
        Look {
            next: 0,
            figures: Figures {
                lanes,
                in_flight: 0,
                ready: 0,
                retries: 0,
                book_bytes: 0,
                oldest_ms: 0,
                worst: Vec::new(),
            },
            oldest: None,
            worst: Worst::of(WORST_MAX),
        }
    }

    fn saw(&mut self, lane: &Lane, ready: bool) {
        let figures = &mut self.figures;
        let word = state_of(lane, None).word();
        let at = figures.lanes.iter().position(|(state, _)| *state == word);
        figures.lanes[at.unwrap_or(STOPPED)].1 += 1;
        let (waiting, low) = {
            let book = lane.book();
            figures.book_bytes += book.bytes();
            (book.waiting_len(), book.low())
        };
        figures.ready += usize::from(ready);
        figures.retries += waiting;
        self.oldest = self.oldest.into_iter().chain(lane.kept_waiting_since_ms()).min();
        let backlog = lane.upto().saturating_sub(low) + waiting;
        if backlog > 0 && lane.view.status == Status::Enabled {
            self.worst.saw(lane.key(), backlog);
        }
    }
}

impl Figures {
    fn set(&self, thread: usize, now_ms: u64) {
        let thread = thread.to_string();
        for (state, number) in self.lanes {
            gauge!(LANES, "thread" => thread.clone(), "state" => state).set(f64::from(number));
        }
        gauge!(IN_FLIGHT, "thread" => thread.clone()).set(self.in_flight as f64);
        gauge!(READY, "thread" => thread.clone()).set(self.ready as f64);
        gauge!(RETRIES, "thread" => thread.clone()).set(self.retries as f64);
        gauge!(BOOK_BYTES, "thread" => thread.clone()).set(self.book_bytes as f64);
        gauge!(OLDEST, "thread" => thread.clone()).set(seconds(self.oldest_ms));
        for rank in 0..WORST_MAX {
            let it = self.worst.get(rank);
            let recent = it.and_then(|it| it.recent);
            let lag_ms = it
                .and_then(|it| it.oldest_ms)
                .map_or(0, |oldest| now_ms.saturating_sub(oldest));
            let rank = (rank + 1).to_string();
            let labels = [("thread", thread.clone()), ("rank", rank)];
            gauge!(WORST_BACKLOG, &labels).set(it.map_or(0, LaneStatus::backlog) as f64);
            gauge!(WORST_LAG, &labels).set(seconds(lag_ms));
            // Of an endpoint that is not there, or was not tried, there is nothing to say.
            let taken = recent.map_or(f64::NAN, |it| f64::from(it.taken) / f64::from(it.attempts));
            gauge!(WORST_TAKEN, &labels).set(taken);
            for (quantile, took_ms) in [
                ("0.5", recent.map(|it| it.p50_ms)),
                ("0.95", recent.map(|it| it.p95_ms)),
            ] {
                let [thread, rank] = labels.clone();
                let labels = [thread, rank, ("quantile", quantile.to_owned())];
                gauge!(WORST_TOOK, &labels).set(took_ms.map_or(f64::NAN, |ms| seconds(u64::from(ms))));
            }
        }
    }
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}
