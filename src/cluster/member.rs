//! One node's part in the cluster, as a plain struct: what it hears comes in as events with the time, what it wants done goes
//! out as actions. The loop in `run.rs` does them; the simulation does them in virtual time.

use crate::event::{Action, Beaten, End, Event, NotAdopted};
use crate::map::{Peer, Place};
use crate::mine::{Mine, Shards};
use crate::peers::{Peers, State};
use crate::settings::Pace;
use crate::view::{Process, ShardRow, View};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tollgate_store::ShardId;

/// Beats whose answers may be open: a statement may take longer than the pause between two.
const BEATS_IN_FLIGHT_MAX: u32 = 2;
/// Looks are at least this far apart, whoever asks for them.
const LOOKS_APART: Duration = Duration::from_millis(100);

/// Who this node is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Me {
    /// Its name, the same after each start.
    pub node: Arc<str>,
    /// This incarnation.
    pub process: Process,
}

/// A node's part in the cluster.
pub struct Member {
    pub(crate) me: Me,
    pub(crate) pace: Pace,
    /// Every shard, the directory's first.
    pub(crate) shards: Vec<ShardId>,
    pub(crate) standing: Standing,
    pub(crate) peers: Peers,
    pub(crate) mine: Shards,
    /// Shards that nobody serves, with the epoch of the last owner and how long they were seen so.
    pub(crate) orphans: BTreeMap<ShardId, (u64, Duration)>,
    /// The shards' rows as they were seen last.
    pub(crate) rows: BTreeMap<ShardId, ShardRow>,
    /// When that look began.
    pub(crate) seen_at: Duration,
    beat: u64,
    beats_in_flight: u32,
    next_beat: Duration,
    looking: bool,
    next_look: Duration,
    last_look: Option<Duration>,
    /// When a beat of this process was acknowledged last.
    last_kept: Option<Duration>,
}

/// Where this process stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It has no row yet, and watches whether its name is free.
    Outside,
    /// Its row is being written.
    Joining,
    /// It is a member, since then.
    In {
        /// When it joined.
        since: Duration,
    },
    /// It gives its shards to others.
    HandingOver,
    /// It lets the rest go.
    Leaving,
    /// It is no member any more.
    Ended,
}

impl Member {
    /// A node that is about to join a cluster with so many shards, not counting the directory's.
    pub fn new(me: Me, shards: u16, pace: Pace) -> Member {
        Member {
            me,
            pace,
            shards: std::iter::once(ShardId::DIRECTORY)
                .chain((0..shards).map(ShardId))
                .collect(),
            standing: Standing::Outside,
            peers: Peers::default(),
            mine: Shards::default(),
            orphans: BTreeMap::new(),
            rows: BTreeMap::new(),
            seen_at: Duration::ZERO,
            beat: 0,
            beats_in_flight: 0,
            next_beat: Duration::ZERO,
            looking: false,
            next_look: Duration::ZERO,
            last_look: None,
            last_kept: None,
        }
    }

    /// Takes in what happened at this time of the own steady clock, and says what is to be done.
    pub fn hear(&mut self, now: Duration, event: Event) -> Vec<Action> {
        let mut todo = Vec::new();
        if self.standing == Standing::Ended {
            return todo;
        }
        match event {
            Event::Tick => {}
            Event::Registered(done) => self.registered(now, done),
            Event::Beaten(beaten) => self.beaten(now, beaten, &mut todo),
            Event::Looked { began, view } => self.looked(now, began, view, &mut todo),
            Event::Adopted { shard, outcome } => {
                if outcome == Err(NotAdopted::Taken) {
                    self.next_look = now;
                }
                let pause = self.pace.beat;
                self.mine.adopted(shard, outcome, now, pause);
                self.plan(now, &mut todo);
            }
            Event::Offered { shard, written } => self.mine.offered(shard, written, now),
            Event::Released { shard } => self.mine.released(shard, now, &mut todo),
            Event::Freed { shard, written } => {
                self.mine.freed(shard, written, now);
                self.plan(now, &mut todo);
            }
            Event::Watched { shard, epoch, freed } => self.watched(shard, epoch, freed, now, &mut todo),
            Event::Lost { shard } => {
                self.mine.lost(shard, now);
                self.next_look = now;
            }
            Event::Refresh => self.next_look = self.next_look.min(self.seen_at + LOOKS_APART),
            Event::HandOver => self.hand_over(now, &mut todo),
            Event::Leave => self.leave(now, &mut todo),
            Event::Departed(done) => self.departed(done, &mut todo),
        }
        self.pulse(now, &mut todo);
        todo
    }

    /// When [`Event::Tick`] is due.
    pub fn wakes_at(&self) -> Duration {
        let own = self.mine.wakes_at(&self.pace);
        let next = if self.looking {
            self.next_beat
        } else {
            self.next_beat.min(self.next_look)
        };
        own.map_or(next, |own| next.min(own))
    }

    /// The name of this node.
    pub fn node(&self) -> Arc<str> {
        Arc::clone(&self.me.node)
    }

    /// Where this process stands.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether there is nothing left that another node could take.
    pub fn has_handed_over(&self) -> bool {
        let leaving = matches!(
            self.standing,
            Standing::HandingOver | Standing::Leaving | Standing::Ended
        );
        let others = self
            .peers
            .alive()
            .any(|(_, seen)| seen.process != self.me.process && !seen.leaving);
        leaving && (self.mine.is_empty() || !others)
    }

    /// How long ago the tables were read last, if ever.
    pub fn blind_for(&self, now: Duration) -> Option<Duration> {
        self.last_look.map(|last| now.saturating_sub(last))
    }

    /// Where every shard is served, as far as this node knows.
    pub fn places(&self) -> Vec<(ShardId, Place)> {
        let place = |shard: ShardId| match self.mine.get(shard) {
            Some(Mine::Serving { .. } | Mine::Offering { .. }) => Place::Here,
            Some(Mine::Adopting | Mine::Letting { .. } | Mine::Freeing { .. }) => Place::Nowhere,
            None => self.elsewhere(shard).map_or(Place::Nowhere, Place::At),
        };
        self.shards.iter().map(|&shard| (shard, place(shard))).collect()
    }

    /// The other node that serves a shard.
    fn elsewhere(&self, shard: ShardId) -> Option<Peer> {
        let row = self.rows.get(&shard).filter(|row| !row.freed)?;
        let owner = row.owner.filter(|owner| *owner != self.me.process)?;
        let (name, seen) = self.peers.by_process(owner)?;
        (seen.state == State::Alive).then(|| Peer {
            node: Arc::clone(name),
            addr: seen.addr,
        })
    }

    fn pulse(&mut self, now: Duration, todo: &mut Vec<Action>) {
        let member = matches!(
            self.standing,
            Standing::In { .. } | Standing::HandingOver | Standing::Leaving
        );
        if now >= self.next_beat {
            // Never two at once to make up for a pause.
            self.next_beat = now + self.pace.beat;
            if member && self.beats_in_flight < BEATS_IN_FLIGHT_MAX {
                self.say(todo);
            }
        }
        if now >= self.next_look && !self.looking && self.standing != Standing::Ended {
            self.next_look = now + self.pace.beat;
            self.looking = true;
            todo.push(Action::Look);
        }
        self.mine.go_on(now, &self.pace, todo);
    }

    /// Says that this node lives.
    fn say(&mut self, todo: &mut Vec<Action>) {
        self.beat += 1;
        self.beats_in_flight += 1;
        todo.push(Action::Beat {
            beat: self.beat,
            leaving: matches!(self.standing, Standing::HandingOver | Standing::Leaving),
        });
    }

    fn registered(&mut self, now: Duration, done: Option<bool>) {
        match done {
            Some(true) => {
                self.standing = Standing::In { since: now };
                self.last_kept = Some(now);
                // What is seen from now on has every node that began at the same time.
                self.next_look = now + self.pace.beat;
            }
            // The next look says whose it is.
            Some(false) | None => self.standing = Standing::Outside,
        }
    }

    fn beaten(&mut self, now: Duration, beaten: Option<Beaten>, todo: &mut Vec<Action>) {
        self.beats_in_flight = self.beats_in_flight.saturating_sub(1);
        match beaten {
            Some(Beaten::Kept) => self.last_kept = Some(now),
            Some(Beaten::Gone) if matches!(self.standing, Standing::In { .. }) => {
                self.standing = Standing::Outside;
                self.next_look = now;
            }
            Some(Beaten::Replaced) => self.end(End::Replaced, todo),
            Some(Beaten::Gone) | None => {}
        }
    }

    fn looked(&mut self, now: Duration, began: Duration, view: Option<View>, todo: &mut Vec<Action>) {
        self.looking = false;
        let Some(view) = view else { return };
        // Silence of others counts only while this node itself could speak and see.
        let sound = self.standing == Standing::Outside
            || self
                .last_kept
                .is_some_and(|kept| now.saturating_sub(kept) <= self.pace.beat * 5 / 2);
        let watched = self.last_look.map_or(Duration::ZERO, |last| now.saturating_sub(last));
        let step = if sound {
            watched.min(self.pace.step_max())
        } else {
            Duration::ZERO
        };
        (self.last_look, self.seen_at) = (Some(now), began);
        self.peers.observe(&view.nodes, step, &self.pace);
        self.rows = view.shards.into_iter().map(|row| (row.shard, row)).collect();
        if matches!(self.standing, Standing::Outside) {
            self.join(todo);
        }
        self.age_orphans(step);
        self.plan(now, todo);
    }

    /// Takes the name, if nobody who lives has it.
    fn join(&mut self, todo: &mut Vec<Action>) {
        let over = match self.peers.get(&self.me.node) {
            None => None,
            // An earlier try whose answer was lost.
            Some(seen) if seen.process == self.me.process => {
                self.standing = Standing::In { since: self.seen_at };
                self.last_kept = self.last_look;
                return;
            }
            Some(seen) if seen.state == State::Dead => Some((seen.process, seen.beat())),
            // It is about to go.
            Some(seen) if seen.leaving => return,
            Some(seen) if seen.moves > 1 => {
                let addr = seen.addr;
                return self.end(End::NameTaken { addr }, todo);
            }
            Some(_) => return,
        };
        self.standing = Standing::Joining;
        self.beat += 1;
        todo.push(Action::Register { over, beat: self.beat });
    }

    fn hand_over(&mut self, now: Duration, todo: &mut Vec<Action>) {
        match self.standing {
            Standing::In { .. } => {
                self.standing = Standing::HandingOver;
                // The others give it nothing from now on.
                self.say(todo);
                self.plan(now, todo);
            }
            Standing::Outside | Standing::Joining => self.end(End::Left, todo),
            Standing::HandingOver | Standing::Leaving | Standing::Ended => {}
        }
    }

    fn leave(&mut self, now: Duration, todo: &mut Vec<Action>) {
        self.hand_over(now, todo);
        if self.standing == Standing::HandingOver {
            self.standing = Standing::Leaving;
        }
        if self.standing == Standing::Leaving {
            self.plan(now, todo);
        }
    }

    fn departed(&mut self, done: Option<bool>, todo: &mut Vec<Action>) {
        match done {
            Some(_) => self.end(End::Left, todo),
            None => self.mine.departing = false,
        }
    }

    pub(crate) fn end(&mut self, end: End, todo: &mut Vec<Action>) {
        self.standing = Standing::Ended;
        todo.push(Action::End(end));
    }
}
