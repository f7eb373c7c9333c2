//! Deadlines of connections, held by one tick per worker instead of a timer per request.
//!
//! A connection says in which phase it is ([`Watch`]); a patrol walks over the worker's connections every [`TICK`] and
//! wakes those whose phase has lasted too long. So a request that runs normally pays a few stores for its deadlines.

use crate::bounds::Bounds;
use crate::telemetry;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::task::{Poll, Waker};
use std::time::{Duration, SystemTime};

/// How exact deadlines are; each ends up to one tick late.
pub(crate) const TICK: Duration = Duration::from_millis(250);

/// A worker's connections are crowded above this part of those it may have, in eighths. From there on the ones that have
/// waited longest for their clients make room, so that clients who hold connections and do not use them, by fault or by
/// intent, keep nobody out: first those that do not get a head together, which fits in a packet and comes at once from
/// whoever means to ask something; then the rest, of which whoever sends at that moment hears nothing.
const CROWDED_EIGHTHS: usize = 7;

/// A connection that has waited for less is in use: it does not make room.
const IN_USE_TICKS: u32 = 4;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its first byte, for as long as a head may take. Then it is closed without a word, which a client that was about to
    /// send would take for the answer.
    New,
    /// The next request.
    Idle,
    /// The rest of a request's head.
    Head,
    /// The rest of a request's body.
    Body,
    /// The answer. The engine bounds this.
    Busy,
    /// The rest of a body that nobody reads any more: it is thrown away for as long as a head may take.
    Leftover,
}

/// One connection's phase, shared by its stream, its request handler and the patrol.
pub(crate) struct Watch {
    phase: Cell<Phase>,
    since: Cell<u32>,
    /// Tick at which the peer stopped taking bytes, if it did.
    stuck_since: Cell<Option<u32>>,
    expired: Cell<bool>,
    /// Whether the current request has a body of which there may be more to come.
    body_pending: Cell<bool>,
    /// Bytes of the current request's first line seen so far, and whether its end was.
    line: Cell<(usize, bool)>,
    waker: RefCell<Option<Waker>>,
    /// Where the peer is, where that is known.
    peer: Cell<Option<SocketAddr>>,
    patrol: Rc<Patrol>,
}

impl Watch {
    /// Registers a new connection with the worker's patrol.
    pub(crate) fn new(patrol: &Rc<Patrol>) -> Rc<Watch> {
        let watch = Rc::new(Watch {
            phase: Cell::new(Phase::New),
            since: Cell::new(patrol.tick.get()),
            stuck_since: Cell::new(None),
            expired: Cell::new(false),
            body_pending: Cell::new(false),
            line: Cell::new((0, false)),
            waker: RefCell::new(None),
            peer: Cell::new(None),
            patrol: Rc::clone(patrol),
        });
        patrol.connections.borrow_mut().push(Rc::downgrade(&watch));
        watch
    }

    /// The connection is that of this peer.
    pub(crate) fn comes_from(&self, peer: Option<SocketAddr>) {
        self.peer.set(peer);
    }

    /// Where the peer is, where that is known.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.peer.get()
    }

    /// A request has come to the handler.
    pub(crate) fn begins(&self, has_body: bool) {
        self.body_pending.set(has_body);
        self.enter(Phase::Busy);
    }

    /// A request's head has come, and not all of its body.
    pub(crate) fn waits_for_body(&self) {
        if self.phase.get() != Phase::Body {
            self.enter(Phase::Body);
        }
    }

    /// What has arrived since the last answer is read once more from its beginning.
    pub(crate) fn reads_again(&self) {
        self.line.set((0, false));
    }

    /// Whether the listener stops: answers are the last of their connections.
    pub(crate) fn stopping(&self) -> bool {
        self.patrol.stopping.get()
    }

    /// The date of answers, as HTTP writes it.
    pub(crate) fn date(&self) -> Date {
        self.patrol.date.get()
    }

    /// The handler waits for the request's body.
    pub(crate) fn reads_body(&self) {
        self.enter(Phase::Body);
    }

    /// The handler has read as much of the body as it will; `whole` if that is all of it.
    pub(crate) fn has_read_body(&self, whole: bool) {
        self.body_pending.set(!whole);
        self.enter(Phase::Busy);
    }

    /// The handler has answered; the next byte read begins a new head, or belongs to a body that was not read.
    pub(crate) fn answered(&self) {
        self.enter(if self.body_pending.get() {
            Phase::Leftover
        } else {
            Phase::Idle
        });
        self.line.set((0, false));
    }

    /// Bytes have arrived.
    pub(crate) fn has_read(&self, bytes: &[u8]) {
        if matches!(self.phase.get(), Phase::New | Phase::Idle) && !bytes.is_empty() {
            self.enter(Phase::Head);
        }
        let (seen, complete) = self.line.get();
        if self.phase.get() == Phase::Head && !complete {
            self.line.set(match bytes.iter().position(|byte| *byte == b'\n') {
                Some(at) => (seen + at, true),
                None => (seen + bytes.len(), false),
            });
        }
    }

    /// Whether the request's first line is longer than `max`, as far as it was seen.
    pub(crate) fn line_exceeds(&self, max: usize) -> bool {
        self.line.get().0 > max
    }

    /// The connection's task waits for the peer; the patrol wakes it when a deadline has passed.
    pub(crate) fn park(&self, waker: &Waker) {
        let mut kept = self.waker.borrow_mut();
        if !kept.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
            *kept = Some(waker.clone());
        }
    }

    /// The peer takes no bytes at the moment.
    pub(crate) fn is_stuck(&self) {
        if self.stuck_since.get().is_none() {
            self.stuck_since.set(Some(self.patrol.tick.get()));
        }
    }

    /// The peer has taken bytes.
    pub(crate) fn has_written(&self) {
        self.stuck_since.set(None);
    }

    /// Whether an answer lies unread.
    pub(crate) fn stuck(&self) -> bool {
        self.stuck_since.get().is_some()
    }

    /// What the connection waits for.
    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// The phase in which the connection was given up, if it was.
    pub(crate) fn expired(&self) -> Option<Phase> {
        self.expired.get().then(|| self.phase.get())
    }

    fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.since.set(self.patrol.tick.get());
    }

    fn is_late(&self, now: u32) -> bool {
        let older = |since: u32, limit: u32| now.wrapping_sub(since) > limit;
        let phase_late = match self.phase.get() {
            Phase::Busy => false,
            Phase::Idle => older(self.since.get(), self.patrol.idle_ticks),
            Phase::New | Phase::Head | Phase::Leftover => older(self.since.get(), self.patrol.head_ticks),
            Phase::Body => older(self.since.get(), self.patrol.body_ticks),
        };
        phase_late
            || self
                .stuck_since
                .get()
                .is_some_and(|since| older(since, self.patrol.write_ticks))
    }

    /// For how many ticks the connection has waited for its client; `None` while the client waits for an answer.
    fn waited(&self, now: u32) -> Option<u32> {
        match (self.phase.get(), self.stuck_since.get()) {
            (_, Some(since)) => Some(now.wrapping_sub(since)),
            (Phase::Busy, None) => None,
            (_, None) => Some(now.wrapping_sub(self.since.get())),
        }
    }

    /// Whether it waits for what takes no honest client any time.
    fn dawdles(&self) -> bool {
        !self.stuck() && matches!(self.phase.get(), Phase::New | Phase::Head | Phase::Leftover)
    }

    /// Gives the connection up: its task is woken, and ends.
    fn give_up(&self) {
        self.expired.set(true);
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

/// A date as HTTP writes it.
pub(crate) type Date = [u8; DATE_BYTES];

/// Bytes of a date, always as many.
const DATE_BYTES: usize = 29;

fn date() -> Date {
    let text = httpdate::fmt_http_date(SystemTime::now());
    text.as_bytes().try_into().expect("dates of HTTP have one length")
}

/// The connections of one worker and its clock.
pub(crate) struct Patrol {
    tick: Cell<u32>,
    stopping: Cell<bool>,
    /// The time of the last tick, to the second.
    date: Cell<Date>,
    connections: RefCell<Vec<Weak<Watch>>>,
    idle_ticks: u32,
    head_ticks: u32,
    body_ticks: u32,
    write_ticks: u32,
    /// More connections than this are a crowd.
    crowd: usize,
}

impl Patrol {
    /// Starts the patrol of the worker whose thread this is, which may have `connections_max`; it ends with the worker's
    /// runtime.
    pub(crate) fn start(bounds: &Bounds, connections_max: usize) -> Rc<Patrol> {
        let patrol = Patrol::new(bounds, connections_max);
        let walks = Rc::downgrade(&patrol);
        actix_web::rt::spawn(async move {
            let mut clock = tokio::time::interval(TICK);
            clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                clock.tick().await;
                let Some(patrol) = walks.upgrade() else { return };
                patrol.walk();
            }
        });
        patrol
    }

    fn new(bounds: &Bounds, connections_max: usize) -> Rc<Patrol> {
        let ticks = |time: Duration| u32::try_from(time.as_millis().div_ceil(TICK.as_millis())).unwrap_or(u32::MAX);
        Rc::new(Patrol {
            tick: Cell::new(0),
            stopping: Cell::new(false),
            date: Cell::new(date()),
            connections: RefCell::new(Vec::new()),
            idle_ticks: ticks(bounds.keep_alive),
            head_ticks: ticks(bounds.header_timeout),
            body_ticks: ticks(bounds.body_timeout),
            write_ticks: ticks(bounds.write_timeout),
            crowd: connections_max * CROWDED_EIGHTHS / 8,
        })
    }

    /// Tells every connection that the listener stops.
    pub(crate) fn stop(&self) {
        self.stopping.set(true);
        for connection in self.connections.borrow().iter().filter_map(Weak::upgrade) {
            if let Some(waker) = connection.waker.borrow_mut().take() {
                waker.wake();
            }
        }
    }

    /// Ends when the listener stops. Each connection's task has one, polled along with the task; the wake comes from the
    /// connection's watch, which every task that waits for its peer has parked at.
    pub(crate) async fn stopped(self: Rc<Self>) {
        poll_fn(|_| {
            if self.stopping.get() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    fn walk(&self) {
        let now = self.tick.get().wrapping_add(1);
        self.tick.set(now);
        self.date.set(date());
        // Bounded by the connections there are, each of which appears once.
        let mut staying = 0;
        self.connections.borrow_mut().retain(|connection| {
            let Some(watch) = connection.upgrade() else {
                return false;
            };
            if !watch.expired.get() {
                if watch.is_late(now) {
                    watch.give_up();
                } else {
                    staying += 1;
                }
            }
            true
        });
        if staying > self.crowd {
            self.make_room(now, staying - self.crowd);
        }
    }

    /// Gives up the `count` connections that have waited longest for their clients, or as many as wait at all; those that
    /// dawdle first.
    fn make_room(&self, now: u32, count: usize) {
        let connections = self.connections.borrow();
        let mut waiting: Vec<((bool, u32), Rc<Watch>)> = connections
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|watch| !watch.expired.get())
            .filter_map(|watch| Some((watch.waited(now)?, watch)))
            .filter(|(waited, _)| *waited >= IN_USE_TICKS)
            .map(|(waited, watch)| ((watch.dawdles(), waited), watch))
            .collect();
        let count = count.min(waiting.len());
        if count > 0 {
            waiting.select_nth_unstable_by(count - 1, |(a, _), (b, _)| b.cmp(a));
            waiting[..count].iter().for_each(|(_, watch)| watch.give_up());
            telemetry::crowded_out(count as u64);
        }
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
