//! A lane: an actix actor on a thread of its own that feeds some shards. A thin shell: it moves messages into inboxes, lets
//! shards turn, and hands a shard on to another lane when it is told to.

use crate::census::{HostCensus, HotCensus};
use crate::claims::Claims;
use crate::clock::MachineClock;
use crate::entropy::Entropy;
use crate::host::Host;
use crate::metrics::Meters;
use crate::outbox::Outbox;
use crate::passage::Notice;
use crate::permits::Permits;
use crate::pool::Pool;
use crate::post::Post;
use crate::readers::Readers;
use crate::router::{Moved, Moving, Router};
use crate::settings::{Begin, GAP_RECORDS_ENOUGH, GAP_RECORDS_FEW, LANE_TICK_MS, LEAVE_LOOK, Pacing, ShardSettings};
use crate::shard::{Ask, Control};
use crate::workers::Workers;
use actix::{Actor, AsyncContext, Context, Handler, Message};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tollgate_store::{Barrier, Epoch, Journal, ShardId};

/// A message to a lane.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) enum ToLane {
    /// Requests that one worker gathered in one turn of its loop, and when it sent them.
    Work(Instant, Vec<(ShardId, Ask)>),
    /// A notice to a shard.
    Control(ShardId, Control),
    /// A block of that incarnation was refused: somebody else owns the shard.
    Fenced(ShardId, Epoch),
    /// The shard comes to this node, or leaves it.
    Passing(ShardId, Notice),
    /// Hand the shard on; nothing is sent to it here any more.
    Give(ShardId, Moving),
    /// A shard from another lane.
    Take(Box<Host>, Moving),
    /// Settings of all shards have changed.
    Settings(Arc<ShardSettings>),
    /// How are the shards?
    Census(oneshot::Sender<LaneCensus>),
    /// Who asks most?
    Hot(oneshot::Sender<Vec<HotCensus>>),
    /// The lane's note to itself, behind what has arrived: let the shards turn.
    Turn,
}

/// What a lane tells of itself and its shards.
#[derive(Debug)]
pub(crate) struct LaneCensus {
    /// Time the lane spent with its shards since it started.
    pub(crate) busy: Duration,
    /// The shards that run there.
    pub(crate) hosts: Vec<HostCensus>,
}

/// What a lane reaches of the world outside.
#[derive(Clone)]
pub(crate) struct Ports {
    pub(crate) journal: Arc<dyn Journal>,
    /// Asked before anything is answered without a block, where others may take shards over.
    pub(crate) barrier: Option<Arc<dyn Barrier>>,
    pub(crate) workers: Arc<Workers>,
    pub(crate) readers: Readers,
    pub(crate) pool: Pool,
    pub(crate) router: Arc<Router>,
    pub(crate) permits: Arc<Permits>,
    pub(crate) meters: Arc<Meters>,
    pub(crate) claims: Claims,
    pub(crate) begin: Begin,
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) on_fatal: Arc<dyn Fn(&str) + Send + Sync>,
}

/// The actor.
pub struct Lane {
    hosts: Vec<Host>,
    /// Of every shard there is.
    places: Vec<Place>,
    ports: Ports,
    clock: MachineClock,
    entropy: Entropy,
    settings: Arc<ShardSettings>,
    busy: Duration,
    /// Whether a [`ToLane::Turn`] is under way.
    noted: bool,
    /// Whether a shard may be leaving, and whether a look at that is under way.
    leaving: bool,
    looking: bool,
    pace: Pace,
}

/// When blocks went to the store, so that the next may wait for more records.
struct Pace {
    /// When the last ones went, and how many records they had together.
    last: Instant,
    records: u32,
    /// When the turn that lets waiting blocks go comes, if it is on its way.
    awaited: Option<Instant>,
}

/// Where a shard is, as a lane sees it.
enum Place {
    Elsewhere,
    /// At this place in `hosts`.
    Here(usize),
    /// On its way to here, with what has arrived before it. Bounded as any inbox is: by permits, and by the few notices
    /// that a shard can have under way.
    Coming(Box<Post>),
}

impl Lane {
    pub(crate) fn new(
        hosts: Vec<Host>,
        all: u16,
        ports: Ports,
        clock: MachineClock,
        entropy: Entropy,
        settings: Arc<ShardSettings>,
    ) -> Self {
        let mut places: Vec<Place> = (0..all).map(|_| Place::Elsewhere).collect();
        for (at, host) in hosts.iter().enumerate() {
            places[usize::from(host.id().0)] = Place::Here(at);
        }
        Lane {
            hosts,
            places,
            ports,
            clock,
            entropy,
            settings,
            busy: Duration::ZERO,
            noted: false,
            leaving: false,
            looking: false,
            pace: Pace {
                last: Instant::now(),
                records: 0,
                awaited: None,
            },
        }
    }

    /// Where something for a shard is put: with the shard, or where it waits for the shard to come. The router sends
    /// nothing to a lane that the shard is neither on nor on its way to.
    fn post(&mut self, shard: ShardId) -> &mut Post {
        let place = &mut self.places[usize::from(shard.0)];
        if let Place::Elsewhere = place {
            *place = Place::Coming(Box::default());
        }
        match place {
            Place::Here(at) => {
                let host = &mut self.hosts[*at];
                host.due = true;
                &mut host.post
            }
            Place::Coming(post) => post,
            Place::Elsewhere => unreachable!("it was just made to be expected"),
        }
    }

    /// Notes a turn if any shard has something to turn for.
    fn note_due(&mut self, context: &mut Context<Self>) {
        if self.hosts.iter().any(|host| host.due) {
            self.note(context);
        }
    }

    fn note(&mut self, context: &mut Context<Self>) {
        if !self.noted {
            self.noted = true;
            // Behind everything that is in the mailbox already, so that a turn sees all of it.
            context.notify(ToLane::Turn);
        }
    }

    /// Lets the shards turn that have something to turn for.
    fn turn(&mut self, context: &mut Context<Self>) {
        let gap = Duration::from_millis(self.settings.pacing.gap_ms());
        match self.settings.pacing {
            Pacing::Lane { .. } => self.turn_together(gap, context),
            Pacing::Shard { records, .. } => self.turn_each(gap, records, context),
        }
    }

    /// Where payments come close together their blocks wait until the last ones lie `gap` back or enough has come, and go
    /// together: a sync costs the same for a few as for many.
    fn turn_together(&mut self, gap: Duration, context: &mut Context<Self>) {
        let wait = if gap.is_zero() || self.pace.records < GAP_RECORDS_FEW {
            Duration::ZERO
        } else {
            gap.saturating_sub(self.pace.last.elapsed())
        };
        let hold = if wait.is_zero() { 0 } else { u32::MAX };
        self.turn_due(|_, _| hold);
        if !wait.is_zero() {
            let ready: u32 = self.hosts.iter().map(Host::ready_records).sum();
            // Where everybody waits for these blocks, nobody is there who could add to them.
            let inside = self.hosts.iter().map(|host| self.ports.permits.inside_of(host.id()));
            if ready >= GAP_RECORDS_ENOUGH || ready >= inside.sum() {
                self.let_go();
            } else if ready > 0 && self.pace.awaited.is_none() {
                self.pace.awaited = Some(Instant::now() + wait);
                context.run_later(wait, |lane, context| {
                    lane.pace.awaited = None;
                    lane.let_go();
                    lane.note_due(context);
                });
            }
        }
    }

    /// The same for blocks that are written each by itself: a shard's block waits for so many records, or until its last
    /// one lies `gap` back, or until it holds everybody who is inside and nobody comes.
    fn turn_each(&mut self, gap: Duration, records: u32, context: &mut Context<Self>) {
        let may_wait = |host: &Host, ports: &Ports| host.may_wait(gap, ports.permits.inside_of(host.id()));
        self.turn_due(|host, ports| match may_wait(host, ports) {
            Duration::ZERO => 0,
            _ => records,
        });
        let waiting = self.hosts.iter().filter(|host| host.ready_records() > 0);
        let Some(wait) = waiting.map(|host| may_wait(host, &self.ports)).min() else {
            return;
        };
        let due = Instant::now() + wait;
        if self.pace.awaited.is_none_or(|at| due < at) {
            self.pace.awaited = Some(due);
            context.run_later(wait, move |lane, context| {
                // A later one may have been noted since; this turn is then one too many, and does no harm.
                lane.pace.awaited = lane.pace.awaited.filter(|at| *at != due);
                for host in &mut lane.hosts {
                    host.due |= host.ready_records() > 0;
                }
                lane.note_due(context);
            });
        }
    }

    /// A shard that leaves waits for permits that are given back elsewhere: looks again soon.
    fn look_soon(&mut self, context: &mut Context<Self>) {
        self.leaving = self.hosts.iter().any(Host::is_leaving);
        if self.leaving && !self.looking {
            self.looking = true;
            context.run_later(LEAVE_LOOK, |lane, context| {
                lane.looking = false;
                let leaving = lane.hosts.iter_mut().filter(|host| host.is_leaving());
                leaving.for_each(|host| host.due = true);
                lane.note_due(context);
            });
        }
    }

    /// Lets go what waits.
    fn let_go(&mut self) {
        for host in &mut self.hosts {
            host.due |= host.ready_records() > 0;
        }
        self.turn_due(|_, _| 0);
    }

    fn turn_due(&mut self, hold: impl Fn(&Host, &Ports) -> u32) {
        let due = self.hosts.iter().filter(|host| host.due);
        black_box(due.fold(0, |sum, host| sum ^ host.look_ahead()));
        let mut sealed = 0;
        for host in &mut self.hosts {
            if std::mem::take(&mut host.due) {
                let hold = hold(host, &self.ports);
                self.busy += host.turn(&self.ports, &self.clock, &mut self.entropy, hold);
                sealed += host.take_sealed();
            }
        }
        if sealed > 0 {
            self.pace.last = Instant::now();
            self.pace.records = sealed;
        }
    }

    /// Hands a shard on as it is, with its memory and all that waits for it. A block in flight or a read under way need
    /// not be waited for: they come back as notices, and the router sends those to the new lane already.
    fn give(&mut self, shard: ShardId, moving: Moving) {
        let place = std::mem::replace(&mut self.places[usize::from(shard.0)], Place::Elsewhere);
        let Place::Here(at) = place else {
            panic!("shard {} was asked of a lane that does not run it", shard.0)
        };
        let host = self.hosts.swap_remove(at);
        if let Some(other) = self.hosts.get(at) {
            self.places[usize::from(other.id().0)] = Place::Here(at);
        }
        let lane = moving.lane.clone();
        lane.do_send(ToLane::Take(Box::new(host), moving));
    }

    /// Takes a shard up: first what the old lane had for it, then what has arrived here since.
    fn take(&mut self, mut host: Box<Host>, moving: Moving) {
        let shard = host.id();
        let came = match std::mem::replace(&mut self.places[usize::from(shard.0)], Place::Here(self.hosts.len())) {
            Place::Elsewhere => Post::default(),
            Place::Coming(post) => *post,
            Place::Here(_) => panic!("shard {} came to a lane that runs it", shard.0),
        };
        let waited = came.len();
        host.post.append(came);
        // It may be on its way to another node, too.
        self.leaving = true;
        host.set_settings(&self.settings);
        self.busy += host.turn(&self.ports, &self.clock, &mut self.entropy, 0);
        self.hosts.push(*host);
        let pause = moving.since.elapsed();
        self.ports.meters.shard_moves.increment(1);
        self.ports.meters.move_seconds.record(pause);
        self.ports.router.arrived(shard);
        let moved = Moved {
            from: moving.from,
            to: moving.to,
            pause_us: u64::try_from(pause.as_micros()).unwrap_or(u64::MAX),
            waited,
        };
        tracing::info!(
            shard = shard.0,
            from = moved.from,
            to = moved.to,
            pause_us = moved.pause_us,
            waited,
            "shard moved"
        );
        // Whoever asked for the move may have gone.
        let _ = moving.arrived.send(moved);
    }
}

impl Actor for Lane {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(Duration::from_millis(LANE_TICK_MS), |lane, context| {
            lane.hosts.iter_mut().for_each(Host::tick);
            lane.note_due(context);
        });
    }
}

impl Handler<ToLane> for Lane {
    type Result = ();

    fn handle(&mut self, message: ToLane, context: &mut Self::Context) {
        match message {
            ToLane::Work(sent, batch) => {
                for (shard, ask) in batch {
                    self.post(shard).ask(sent, ask);
                }
            }
            ToLane::Control(shard, control) => self.post(shard).notice(control),
            ToLane::Fenced(shard, epoch) => self.post(shard).fenced(epoch),
            ToLane::Passing(shard, notice) => {
                self.leaving |= matches!(notice, Notice::Leave(_));
                self.post(shard).passing.push(notice);
            }
            ToLane::Give(shard, moving) => self.give(shard, moving),
            ToLane::Take(host, moving) => self.take(host, moving),
            ToLane::Settings(settings) => {
                self.hosts.iter_mut().for_each(|host| host.set_settings(&settings));
                self.settings = settings;
            }
            ToLane::Census(ask) => {
                let hosts = self.hosts.iter().map(Host::census).collect();
                // Whoever asked may have lost patience.
                let _ = ask.send(LaneCensus { busy: self.busy, hosts });
                return;
            }
            ToLane::Hot(ask) => {
                let _ = ask.send(self.hosts.iter().map(Host::hot).collect());
                return;
            }
            ToLane::Turn => {
                self.noted = false;
                self.turn(context);
                if self.leaving {
                    self.look_soon(context);
                }
            }
        }
        self.note_due(context);
    }
}
