//! A shard on its lane: its supervisor, what has arrived for it, and what is counted about it. All of it moves together
//! when the shard changes lanes.

use crate::census::{Commits, HostCensus, HotCensus};
use crate::clock::MachineClock;
use crate::entropy::Entropy;
use crate::hot::HotAccounts;
use crate::lane::Ports;
use crate::metrics::SAMPLE_EVERY;
use crate::passage::Passage;
use crate::post::Post;
use crate::request::{Delivery, Refusal};
use crate::settings::{GAP_QUIET, GAP_RECORDS_FEW, ShardSettings};
use crate::shard::{Control, Load, Outputs, Release, Sealed, Shard};
use crate::supervisor::{Supervised, Turned};
use crate::workers::group;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tollgate_store::{Commit, Done, ShardId, Standing, Told};

/// The shard.
pub(crate) struct Host {
    pub(crate) supervised: Supervised,
    pub(crate) post: Post,
    pub(crate) passage: Passage,
    /// Loads that found the readers' queue full; bounded by what the shard has inside.
    unread: VecDeque<Load>,
    /// Whether it has anything to turn for.
    pub(crate) due: bool,
    /// Since when the open block fills.
    filling: Option<Instant>,
    /// Records that went to the store since the lane last asked.
    sealed: u32,
    /// When a block last went to the store, and its records.
    last_sealed: Option<(Instant, u32)>,
    /// When requests last came.
    last_asked: Instant,
    busy: Duration,
    turns: u64,
    requests: u64,
    /// Requests since a wait, and tasks since a service time was last recorded.
    since_wait: usize,
    since_service: usize,
    hot: HotAccounts,
    commits: Arc<Commits>,
}

impl Host {
    pub(crate) fn new(supervised: Supervised) -> Host {
        Host {
            supervised,
            post: Post::default(),
            passage: Passage::default(),
            unread: VecDeque::new(),
            due: true,
            filling: None,
            sealed: 0,
            last_sealed: None,
            last_asked: Instant::now(),
            busy: Duration::ZERO,
            turns: 0,
            requests: 0,
            since_wait: 0,
            since_service: 0,
            hot: HotAccounts::default(),
            commits: Arc::default(),
        }
    }

    /// The accounts that ask most, and the sightings of all.
    pub(crate) fn hot(&self) -> HotCensus {
        HotCensus {
            shard: self.id(),
            sightings: self.hot.sightings(),
            accounts: self.hot.known(),
        }
    }

    pub(crate) fn id(&self) -> ShardId {
        self.supervised.id()
    }

    /// From the next turn on it goes by these.
    pub(crate) fn set_settings(&mut self, settings: &Arc<ShardSettings>) {
        self.supervised.set_settings(settings);
    }

    pub(crate) fn census(&self) -> HostCensus {
        let (accounts, objects, keys) = self.supervised.shard().map_or((0, 0, 0), |shard| shard.population());
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        HostCensus {
            shard: self.id(),
            accounts,
            objects,
            keys,
            waiting: self.post.len(),
            requests: self.requests,
            turns: self.turns,
            busy: self.busy,
            blocks: count(&self.commits.blocks),
            records: count(&self.commits.records),
            bytes: count(&self.commits.bytes),
            committing: Duration::from_nanos(count(&self.commits.nanos)),
        }
    }

    /// Records that went to the store since this was last asked.
    pub(crate) fn take_sealed(&mut self) -> u32 {
        std::mem::take(&mut self.sealed)
    }

    /// Looks at what the requests of the next turn are about.
    pub(crate) fn look_ahead(&self) -> u64 {
        let shard = self.supervised.shard();
        shard.map_or(0, |shard| shard.look_at(&self.post.inbox.work))
    }

    /// Records that could go to the store now.
    pub(crate) fn ready_records(&self) -> u32 {
        self.supervised.shard().map_or(0, Shard::ready_records)
    }

    /// How long its block may still wait for more records: until the last one lies `gap` back, if that one had records enough
    /// to expect more; and where all `inside` are in the block, only as long as others keep coming.
    pub(crate) fn may_wait(&self, gap: Duration, inside: u32) -> Duration {
        let left = match self.last_sealed {
            Some((at, records)) if records >= GAP_RECORDS_FEW => gap.saturating_sub(at.elapsed()),
            _ => return Duration::ZERO,
        };
        if self.ready_records() < inside {
            return left;
        }
        left.min(GAP_QUIET.saturating_sub(self.last_asked.elapsed()))
    }

    /// One turn, with all that it wants done outside; a block that has room and fewer records than `hold` waits for more.
    /// Tells how long it took.
    pub(crate) fn turn(&mut self, ports: &Ports, clock: &MachineClock, entropy: &mut Entropy, hold: u32) -> Duration {
        let began = Instant::now();
        if !self.pass(ports, clock) {
            self.due = false;
            return self.count_turn(0, began.elapsed(), ports);
        }
        self.post.inbox.hold = hold;
        let hot = &mut self.hot;
        self.post.seen.drain(..).for_each(|account| hot.saw(account));
        let mut out = Outputs::default();
        let before = self.post.inbox.work.len();
        if before > 0 {
            self.last_asked = began;
        }
        let turned = self
            .supervised
            .turn(clock.now(), entropy, &mut self.post.inbox, &mut out);
        self.count_waits(before - self.post.inbox.work.len(), began, ports);
        if out.clock_alarm {
            ports.meters.clock_alarms.increment(1);
            tracing::error!(
                shard = self.id().0,
                "wall clock stepped by more than five minutes; time goes on without it until it is back or the process is restarted"
            );
        }
        ports.workers.deliver(out.replies);
        match turned {
            Turned::Fine => {
                self.unread.extend(out.loads);
                self.read(ports);
                if out.asks {
                    self.ask(ports);
                }
                if out.filling && self.filling.is_none() {
                    self.filling = Some(began);
                }
                if let Some(sealed) = out.sealed {
                    self.last_sealed = Some((began, sealed.block.count));
                    self.hand_over(sealed, out.filling, ports);
                }
                self.due = out.more;
            }
            Turned::Crashed => self.recover(ports),
            Turned::Vacant => self.due = false,
        }
        self.count_turn(out.handled, began.elapsed(), ports)
    }

    /// Notes that there is something to turn for, as time goes by, wherever a shard serves or comes and goes.
    pub(crate) fn tick(&mut self) {
        let idle = self.supervised.epoch().is_none() && matches!(self.passage, Passage::Staying);
        self.due |= !idle || !self.post.is_empty();
    }

    /// What was to be read is not wanted any more.
    pub(crate) fn forget_wishes(&mut self) {
        self.unread.clear();
        self.filling = None;
    }

    /// Asks the store whose the shard is.
    pub(crate) fn ask(&self, ports: &Ports) {
        let (Some(barrier), Some(epoch)) = (&ports.barrier, self.supervised.epoch()) else {
            panic!("a shard asks only where there is a barrier, while it serves");
        };
        let (shard, router, meters) = (self.id(), Arc::clone(&ports.router), Arc::clone(&ports.meters));
        let since = Instant::now();
        let told: Told = Box::new(move |standing| {
            meters.barriers.increment(1);
            meters.barrier_seconds.record(since.elapsed());
            match standing {
                Standing::Here(now) if now == epoch => router.control(shard, Control::Stood { epoch, known: true }),
                // Another incarnation of this process can only be a newer one.
                Standing::Here(_) | Standing::Elsewhere(_) => router.fenced(shard, epoch),
                Standing::Unknown => router.control(shard, Control::Stood { epoch, known: false }),
            }
        });
        barrier.ask(shard, told);
    }

    /// Hands a block to the store.
    pub(crate) fn hand_over(&mut self, sealed: Sealed, filling: bool, ports: &Ports) {
        self.sealed += sealed.block.count;
        let now = Instant::now();
        let since = self.filling.take().unwrap_or(now);
        self.filling = filling.then_some(now);
        self.submit(sealed, since, ports);
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

    fn submit(&self, sealed: Sealed, filled_since: Instant, ports: &Ports) {
        let Sealed { block, release } = sealed;
        let (shard, epoch, seq, count) = (block.shard, block.epoch, block.seq, block.count);
        let bytes = block.bytes.len();
        let Release {
            replies,
            calls,
            moved,
            notes,
        } = release;
        // Sorted here, so that the committer's thread only sends.
        let replies = group(replies);
        let (ports_of_done, since) = (ports.clone(), Instant::now());
        let commits = Arc::clone(&self.commits);
        ports.meters.stage_fill.record(since - filled_since);
        ports.meters.block_bytes.record(bytes as f64);
        let done: Done = Box::new(move |commit| {
            let ports = ports_of_done;
            match commit {
                Commit::Durable => {
                    // Before the answers: whoever hears that an endpoint is made may ask what is pending there.
                    if !moved.is_empty() {
                        ports.outbox.moved(shard, &moved);
                    }
                    ports.workers.deliver_grouped(replies);
                    ports.router.control(shard, Control::Committed { epoch, seq });
                    ports.pool.submit(calls);
                    drop(notes);
                    let took = since.elapsed();
                    commits.add(count, bytes, took);
                    ports.meters.blocks.increment(1);
                    ports.meters.block_records.record(f64::from(count));
                    ports.meters.commit_seconds.record(took);
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

    /// The oldest `taken` requests were taken by the turn that began then.
    fn count_waits(&mut self, taken: usize, began: Instant, ports: &Ports) {
        self.requests += taken as u64;
        let since_wait = &mut self.since_wait;
        self.post.taken(taken, |sent, lot| {
            *since_wait += lot;
            if *since_wait >= SAMPLE_EVERY {
                *since_wait %= SAMPLE_EVERY;
                ports.meters.stage_mailbox.record(began.saturating_duration_since(sent));
            }
        });
    }

    fn count_turn(&mut self, handled: usize, took: Duration, ports: &Ports) -> Duration {
        self.turns += 1;
        self.busy += took;
        self.since_service += handled;
        if handled > 0 && self.since_service >= SAMPLE_EVERY {
            self.since_service %= SAMPLE_EVERY;
            ports.meters.stage_service.record(took / handled as u32);
        }
        took
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
