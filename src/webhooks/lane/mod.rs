//! Everything that tollgate holds of one endpoint while its shard is served here, as a plain struct: what is sent next
//! (`choose.rs`), what an outcome means (`outcome.rs`), what is put back (`parking.rs`), jobs that send a range again (`walk.rs`),
//! how it does (`recent.rs`, `lag.rs`). Time and entropy are inputs; what has to outlive it is in its book.

mod aimd;
mod breaker;
mod choose;
mod lag;
mod limiter;
mod outcome;
mod parking;
mod recent;
mod walk;
mod work;

pub use breaker::State as BreakerState;
pub use recent::RecentAttempts;
pub(crate) use work::Ask;
pub use work::{Sending, Sent, SentResult};

use crate::book::{Book, Change, Place};
use crate::endpoint::{EndpointKey, EndpointView, Status};
use crate::entropy::Entropy;
use crate::hall::Common;
use crate::ports::Event;
use aimd::Aimd;
use breaker::Breaker;
use hashbrown::{HashMap, HashSet};
use limiter::Limiter;
use recent::Recent;
use std::cell::Cell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tollgate_breaks::broken;
use walk::Walk;
use work::{Flight, Origin, Work};

/// Events of one fetch.
const FETCH_MAX: usize = 128;
/// When fewer new ones are in hand, more are fetched.
const FETCH_BELOW: usize = 64;
/// Retries in hand.
const LOAD_MAX: usize = 64;
/// Events in hand that wait for another one about their object.
const WAITING_MAX: usize = 256;
/// Events that somebody wants again and that were not sent yet.
const RESENDS_MAX: usize = 256;
/// Objects of one lane that may be blocked, with [`Ordering::Strict`]; then nothing new is fetched.
const BLOCKED_MAX: usize = 4_096;
/// What failed so long before another one was taken may still have failed because nothing was, milliseconds.
const LATELY_MS: u64 = 60_000;
/// Changes that wait to be noted; beyond, everything is noted instead.
const LOG_LEN_MAX: usize = 16 * 1024;
/// How long a lane leaves the journal alone after it gave no answer, milliseconds.
const UNREAD_PAUSE_MS: u64 = 1_000;

/// What of a lane is saved: kept by the lane, looked at by who asks what is pending.
pub(crate) type Ledger = Arc<Mutex<Book>>;

/// An event that failed.
#[derive(Clone, Copy, Debug)]
struct Failed {
    at_ms: u64,
    seq: u64,
    object: u64,
    /// Where it waits.
    place: Place,
}

/// What has changed of a book since the last note.
pub(crate) enum Changed {
    /// This, in order, and whether the cursor or what is on its way did.
    Since { log: Vec<Change>, moved: bool },
    /// So much that all of it is to be written.
    Whole,
}

/// A lane.
pub(crate) struct Lane {
    common: Rc<Common>,
    pub(crate) shard: u16,
    pub(crate) view: Arc<EndpointView>,
    pub(crate) ledger: Ledger,
    /// What has changed since the last note, in order; whether the cursor did.
    log: Vec<Change>,
    moved: bool,
    /// Whether so much changed that everything is written down instead.
    whole: bool,
    /// Whether its hall knows that something has changed, and that something was settled.
    listed: bool,
    settled: bool,
    /// Whether its shard's lanes are held, and whether its hall knows that it would send something.
    hold: Rc<Cell<bool>>,
    held: bool,
    entropy: Entropy,
    /// The account's events are durable up to here.
    upto: u64,
    /// Events up to here are in hand or settled.
    fetched: u64,
    /// The oldest event that is not read yet did not happen before this, as far as is known, where there is one.
    unread_since_ms: u64,
    fetching: Option<Fetching>,
    queue: VecDeque<Event>,
    resends: VecDeque<Work>,
    loaded: VecDeque<Work>,
    loading: Option<Vec<(u64, Origin)>>,
    /// Retries that are loading, loaded, waiting or out.
    in_hand: HashSet<u64>,
    /// Heads by when they are due.
    heads_due: BTreeSet<(u32, u64)>,
    /// Objects with something out, and what waits for them.
    keys: HashMap<u64, VecDeque<Work>>,
    waiting: usize,
    /// Those whose object is theirs now.
    freed: VecDeque<Work>,
    flights: HashMap<u64, Flight>,
    tokens: u64,
    turns: u64,
    aimd: Aimd,
    breaker: Breaker,
    limiter: Option<Limiter>,
    recent: Recent,
    /// Nothing is sent before this: the receiver asked for it, or the journal gave no answer.
    not_before_ms: u64,
    /// Until when the receiver asked to be left alone.
    asked_until_ms: u64,
    /// Since when its endpoint is to be sent to and takes events, if it was otherwise before.
    well_since_ms: u64,
    now_ms: u64,
    /// Failures since the last event that was taken, and in the moments before, and where those events wait.
    lately: VecDeque<Failed>,
    walk: Option<Walk>,
    halt: Option<Halt>,
    /// Whether it may fetch: its shard holds fewer failed events than it may.
    roomy: bool,
    serving: bool,
}

/// A read of new events that is out.
#[derive(Clone, Copy)]
struct Fetching {
    /// How far the journal had gone.
    upto: u64,
    asked_ms: u64,
}

/// Why a lane sends nothing although its endpoint is enabled, until its endpoint changes or an operator resumes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Halt {
    /// The endpoint said that it is gone for good.
    Gone,
    /// It took nothing for days.
    Dead,
}

impl Lane {
    /// A lane that goes on from its book, as if the journal ended there. What was on its way comes first.
    pub(crate) fn new(
        common: Rc<Common>,
        shard: u16,
        view: Arc<EndpointView>,
        ledger: Ledger,
        seed: u64,
        hold: Rc<Cell<bool>>,
    ) -> Lane {
        let limiter = view.rate_per_s.map(|rate| Limiter::new(rate, 0));
        let mut lane = Lane {
            common,
            shard,
            view,
            ledger,
            log: Vec::new(),
            moved: false,
            whole: false,
            listed: false,
            settled: false,
            hold,
            held: false,
            entropy: Entropy::new(seed),
            upto: 0,
            fetched: 0,
            unread_since_ms: 0,
            fetching: None,
            queue: VecDeque::new(),
            resends: VecDeque::new(),
            loaded: VecDeque::new(),
            loading: None,
            in_hand: HashSet::new(),
            heads_due: BTreeSet::new(),
            keys: HashMap::new(),
            waiting: 0,
            freed: VecDeque::new(),
            flights: HashMap::new(),
            tokens: 0,
            turns: 0,
            aimd: Aimd::new(),
            breaker: Breaker::new(),
            limiter,
            recent: Recent::new(),
            not_before_ms: 0,
            asked_until_ms: 0,
            well_since_ms: 0,
            now_ms: 0,
            lately: VecDeque::new(),
            walk: None,
            halt: None,
            roomy: true,
            serving: true,
        };
        let cursor = lane.book().cursor();
        (lane.fetched, lane.upto) = (cursor, cursor);
        let heads: Vec<(u32, u64)> = {
            let book = lane.book();
            book.blocked()
                .iter()
                .map(|(object, it)| (it.head.due_s, *object))
                .collect()
        };
        lane.heads_due.extend(heads);
        lane.park();
        lane.keep_ordering();
        lane
    }

    /// A lane in place of one that panicked: with its book, and with what it had not noted yet.
    pub(crate) fn instead_of(remains: Lane) -> Lane {
        let since_ms = remains.oldest_ms().unwrap_or(remains.now_ms);
        let Lane {
            common,
            shard,
            view,
            ledger,
            log,
            whole,
            upto,
            entropy,
            hold,
            well_since_ms,
            ..
        } = remains;
        let mut lane = Lane::new(common, shard, view, ledger, entropy.seed(), hold);
        lane.journal_at(since_ms, upto);
        lane.well_since_ms = well_since_ms;
        let later = std::mem::replace(&mut lane.log, log);
        lane.log.extend(later);
        lane.moved = true;
        lane.whole |= whole;
        (lane.listed, lane.settled) = (false, false);
        lane.list(true);
        lane
    }

    pub(crate) fn key(&self) -> EndpointKey {
        self.view.key
    }

    /// The book, for a moment. A panic with it in hand leaves it whole: each change is one step, and where an event goes from
    /// one place to another it is put there before it is taken away here.
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the account's journal has gone.
    pub(crate) fn upto(&self) -> u64 {
        self.upto
    }

    /// Deliveries that are out.
    pub(crate) fn in_flight(&self) -> usize {
        self.flights.len()
    }

    /// How many may be out.
    pub(crate) fn limit(&self) -> u32 {
        self.aimd.limit()
    }

    /// Where its breaker stands.
    pub(crate) fn breaker(&self) -> BreakerState {
        self.breaker.state()
    }

    /// Why it sends nothing, if so.
    pub(crate) fn halt(&self) -> Option<Halt> {
        self.halt
    }

    /// What its last attempts came to, if there was any.
    pub(crate) fn recent(&self) -> Option<RecentAttempts> {
        self.recent.attempts()
    }

    /// Its shard holds too many failed events to fetch more, or not any more.
    pub(crate) fn room(&mut self, roomy: bool) {
        self.roomy = roomy;
    }

    /// Whether it may fetch, as it was told last.
    pub(crate) fn has_room(&self) -> bool {
        self.roomy
    }

    /// The shard is about to leave: nothing new goes out.
    pub(crate) fn stop_serving(&mut self) {
        self.serving = false;
    }

    /// The endpoint changed.
    pub(crate) fn update(&mut self, now_ms: u64, view: Arc<EndpointView>) {
        let before = std::mem::replace(&mut self.view, view);
        if before.revision == self.view.revision {
            return;
        }
        if self.view.rate_per_s != self.limiter.as_ref().map(Limiter::rate_per_s) {
            self.limiter = self.view.rate_per_s.map(|rate| Limiter::new(rate, now_ms));
        }
        let takes = self.view.status == Status::Enabled;
        if before.status == Status::Enabled && !takes {
            self.park();
            self.common.ports.transport.forget(self.key());
        } else {
            // The patterns may be others: what is in hand was chosen by the old ones.
            self.drop_queue();
        }
        self.keep_ordering();
        if takes && (before.status != Status::Enabled || self.halt.is_some()) {
            self.well_since_ms = now_ms;
            self.resume(now_ms);
        }
    }

    /// The lanes of its shard are not held any more.
    pub(crate) fn go_on(&mut self) {
        self.held = false;
    }

    /// An operator, or the owner, says that it will take events again: it is tried at once.
    pub(crate) fn resume(&mut self, now_ms: u64) {
        if self.halt.take().is_some() || self.asked_until_ms > now_ms {
            self.well_since_ms = now_ms;
        }
        (self.not_before_ms, self.asked_until_ms) = (0, 0);
        if self.book().health().failures > 0 {
            self.change(Change::Health(crate::book::Health::default()));
        }
        if !self.breaker.is_closed() {
            self.breaker = Breaker::on_probation(now_ms);
        }
    }

    /// Somebody wants this event again. False when too many wait.
    pub(crate) fn resend(&mut self, event: Event) -> bool {
        if self.resends.len() >= RESENDS_MAX {
            return false;
        }
        let origin = Origin::Resend;
        self.resends.push_back(Work { event, origin });
        true
    }

    /// What has changed since this was asked last.
    pub(crate) fn take_log(&mut self) -> Changed {
        (self.listed, self.settled) = (false, false);
        let (log, moved) = (std::mem::take(&mut self.log), std::mem::take(&mut self.moved));
        match std::mem::take(&mut self.whole) {
            true => Changed::Whole,
            false => Changed::Since { log, moved },
        }
    }

    /// Changes the book, to be noted.
    pub(crate) fn change(&mut self, change: Change) {
        self.book().apply(&change);
        // What is only looked at, or sent for the first time, is as new when it is not noted.
        let settled = !matches!(change, Change::Cursor(_) | Change::Add(Place::Open, _));
        if matches!(
            change,
            Change::Cursor(_) | Change::Add(Place::Open, _) | Change::Remove(Place::Open, _)
        ) {
            self.moved = true;
        } else {
            self.log.push(change);
        }
        if self.log.len() >= LOG_LEN_MAX {
            self.log = Vec::new();
            self.whole = true;
        }
        self.list(settled);
    }

    /// Tells its hall that something has changed, or was settled.
    fn list(&mut self, settled: bool) {
        let tells = !std::mem::replace(&mut self.listed, true);
        let tells_settled = settled && !std::mem::replace(&mut self.settled, true);
        if tells || tells_settled {
            let mut desk = self.common.desk.borrow_mut();
            desk.changed.extend(tells.then_some((self.shard, self.view.key)));
            desk.settled.extend(tells_settled.then_some(self.shard));
        }
    }

    /// Whether its shard's lanes are held; then its hall knows that it would send something.
    fn is_held(&mut self) -> bool {
        let hold = self.hold.get();
        if hold && !std::mem::replace(&mut self.held, true) {
            self.common.desk.borrow_mut().held.push((self.shard, self.view.key));
        }
        hold
    }

    /// Whether it may send at all.
    fn takes(&self) -> bool {
        let enabled = self.view.status == Status::Enabled || broken!(SendSwitchedOff);
        self.serving && enabled && self.halt.is_none()
    }

    fn ask(&self, ask: Ask) {
        self.common.desk.borrow_mut().asks.push((self.view.key, ask));
    }
}
