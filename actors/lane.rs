//! A lane: an actix actor on a thread of its own that feeds some shards. A thin shell: it moves messages into inboxes, lets
//! shards turn, and carries out what they want done.

use crate::clock::MachineClock;
use crate::entropy::Entropy;
use crate::metrics::Meters;
use crate::pool::Pool;
use crate::readers::Readers;
use crate::request::{Delivery, Refusal};
use crate::router::Router;
use crate::settings::LANE_TICK_MS;
use crate::shard::{Ask, Control, Inbox, Load, Outputs, Release, Sealed};
use crate::supervisor::{Supervised, Turned};
use crate::workers::{Workers, group};
use actix::{Actor, AsyncContext, Context, Handler, Message};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tollgate_store::{Commit, Done, Epoch, Journal, ShardId};

/// A message to a lane.
#[derive(Message)]
#[rtype(result = "()")]
pub enum ToLane {
    /// Requests that one worker gathered in one turn of its loop.
    Work(Vec<(ShardId, Ask)>),
    /// A notice to a shard.
    Control(ShardId, Control),
    /// A block of that incarnation was refused: somebody else owns the shard.
    Fenced(ShardId, Epoch),
    /// The lane's note to itself, behind what has arrived: let the shards turn.
    Turn,
}

/// What a lane reaches of the world outside.
#[derive(Clone)]
pub(crate) struct Ports {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) workers: Arc<Workers>,
    pub(crate) readers: Readers,
    pub(crate) pool: Pool,
    pub(crate) router: Arc<Router>,
    pub(crate) meters: Arc<Meters>,
    pub(crate) on_fatal: Arc<dyn Fn(&str) + Send + Sync>,
}

/// The actor.
pub struct Lane {
    hosts: Vec<Host>,
    /// Place of each shard in `hosts`.
    places: Vec<Option<usize>>,
    ports: Ports,
    clock: MachineClock,
    entropy: Entropy,
    /// Whether a [`ToLane::Turn`] is under way.
    noted: bool,
}

struct Host {
    supervised: Supervised,
    inbox: Inbox,
    /// Loads that found the readers' queue full; bounded by what the shard has inside.
    unread: VecDeque<Load>,
    /// Whether it has anything to turn for.
    due: bool,
}

impl Lane {
    pub(crate) fn new(shards: Vec<Supervised>, all: u16, ports: Ports, clock: MachineClock, entropy: Entropy) -> Self {
        let mut places = vec![None; usize::from(all)];
        for (at, shard) in shards.iter().enumerate() {
            places[usize::from(shard.id().0)] = Some(at);
        }
        let host = |supervised| Host {
            supervised,
            inbox: Inbox::default(),
            unread: VecDeque::new(),
            due: true,
        };
        let hosts = shards.into_iter().map(host).collect();
        Lane {
            hosts,
            places,
            ports,
            clock,
            entropy,
            noted: false,
        }
    }

    fn host(&mut self, shard: ShardId) -> &mut Host {
        let at = self.places[usize::from(shard.0)].expect("a message came to the lane that runs its shard");
        let host = &mut self.hosts[at];
        host.due = true;
        host
    }

    fn note(&mut self, context: &mut Context<Self>) {
        if !self.noted {
            self.noted = true;
            // Behind everything that is in the mailbox already, so that a turn sees all of it.
            context.notify(ToLane::Turn);
        }
    }

    fn turn(&mut self) {
        for host in &mut self.hosts {
            if std::mem::take(&mut host.due) {
                host.turn(&self.ports, &self.clock, &mut self.entropy);
            }
        }
    }
}

impl Actor for Lane {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(Duration::from_millis(LANE_TICK_MS), |lane, context| {
            lane.hosts.iter_mut().for_each(|host| host.due = true);
            lane.note(context);
        });
    }
}

impl Handler<ToLane> for Lane {
    type Result = ();

    fn handle(&mut self, message: ToLane, context: &mut Self::Context) {
        match message {
            ToLane::Work(batch) => {
                for (shard, ask) in batch {
                    self.host(shard).inbox.work.push_back(ask);
                }
            }
            ToLane::Control(shard, control) => self.host(shard).inbox.control.push_back(control),
            ToLane::Fenced(shard, epoch) => {
                let (ports, now) = (self.ports.clone(), self.clock.now());
                let host = self.host(shard);
                // Of an incarnation that is discarded already: the one that serves now holds the fence.
                if host.supervised.epoch() == Some(epoch) {
                    let mut out = Outputs::default();
                    host.supervised.fenced(now, &mut out);
                    ports.workers.deliver(out.replies);
                    host.recover(&ports);
                }
            }
            ToLane::Turn => {
                self.noted = false;
                self.turn();
                if !self.hosts.iter().any(|host| host.due) {
                    return;
                }
            }
        }
        self.note(context);
    }
}

impl Host {
    fn turn(&mut self, ports: &Ports, clock: &MachineClock, entropy: &mut Entropy) {
        let now = clock.now();
        let mut out = Outputs::default();
        let turned = self.supervised.turn(now, entropy, &mut self.inbox, &mut out);
        if out.clock_alarm {
            ports.meters.clock_alarms.increment(1);
            tracing::error!(
                shard = self.supervised.id().0,
                "wall clock stepped by more than five minutes; timers rest until it is back or the process is restarted"
            );
        }
        ports.workers.deliver(out.replies);
        match turned {
            Turned::Fine => {
                self.unread.extend(out.loads);
                self.read(ports);
                if let Some(sealed) = out.sealed {
                    self.submit(sealed, ports);
                }
                self.due = out.more;
            }
            Turned::Crashed => self.recover(ports),
            Turned::Failed => {}
        }
    }

    fn read(&mut self, ports: &Ports) {
        let Some(epoch) = self.supervised.epoch() else { return };
        while let Some(load) = self.unread.pop_front() {
            if let Err(load) = ports.readers.load(self.supervised.id(), epoch, load) {
                // Full: what is being read comes back as a notice, and then there is room.
                return self.unread.push_front(load);
            }
        }
    }

    fn submit(&self, sealed: Sealed, ports: &Ports) {
        let Sealed { block, release } = sealed;
        let (shard, epoch, seq, count) = (block.shard, block.epoch, block.seq, block.count);
        let Release { replies, calls } = release;
        // Sorted here, so that the committer's thread only sends.
        let replies = group(replies);
        let (ports_of_done, since) = (ports.clone(), Instant::now());
        let done: Done = Box::new(move |commit| {
            let ports = ports_of_done;
            match commit {
                Commit::Durable => {
                    ports.workers.deliver_grouped(replies);
                    ports.router.control(shard, Control::Committed { epoch, seq });
                    ports.pool.submit(calls);
                    ports.meters.blocks.increment(1);
                    ports.meters.block_records.record(f64::from(count));
                    ports.meters.commit_seconds.record(since.elapsed());
                }
                Commit::Fenced => {
                    ports.workers.deliver(lost(replies));
                    ports.router.fenced(shard, epoch);
                }
                Commit::Failed => {
                    ports.workers.deliver(lost(replies));
                    (ports.on_fatal)("the store can no longer write");
                }
            }
        });
        ports.journal.submit(block, done);
    }

    /// Takes the shard over again as a new incarnation, or gives it up. What was to be read is read again when needed.
    fn recover(&mut self, ports: &Ports) {
        self.unread.clear();
        if !self.supervised.is_failed() {
            match ports.journal.claim(self.supervised.id()) {
                Ok(claimed) => self.supervised.rebuild(&claimed),
                Err(failure) => self.supervised.fail(&failure.to_string()),
            }
        }
        if self.supervised.is_failed() {
            ports.router.set_failed(self.supervised.id());
        }
        self.due = true;
    }
}

/// The answers of a block that did not become durable.
fn lost(replies: Vec<(u16, Vec<Delivery>)>) -> Vec<Delivery> {
    let replies = replies.into_iter().flat_map(|(_, answers)| answers);
    replies
        .map(|delivery| Delivery {
            to: delivery.to,
            answer: Err(Refusal::ShardDown),
        })
        .collect()
}
