//! A shard on its lane: its supervisor, what has arrived for it, and what is counted about it. All of it moves together
//! when the shard changes lanes.

use crate::clock::MachineClock;
use crate::entropy::Entropy;
use crate::hot::{HotAccount, HotAccounts};
use crate::lane::Ports;
use crate::metrics::SAMPLE_EVERY;
use crate::request::{Delivery, Refusal};
use crate::settings::ShardSettings;
use crate::shard::{Ask, Control, Inbox, Load, Outputs, Release, Sealed, Shard};
use crate::supervisor::{Supervised, Turned};
use crate::workers::group;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tollgate_domain::account::AccountKey;
use tollgate_store::{Commit, Done, Epoch, ShardId};

/// What has arrived for a shard and was not taken by a turn.
#[derive(Debug, Default)]
pub(crate) struct Post {
    inbox: Inbox,
    /// The newest incarnation that a block was refused of.
    fenced: Option<Epoch>,
    /// When the requests in the inbox were sent, and how many at a time, oldest first.
    sent: VecDeque<(Instant, usize)>,
    /// Requests since an account was last seen.
    since_seen: usize,
    /// Accounts of one in [`SAMPLE_EVERY`] requests since the last turn.
    seen: Vec<AccountKey>,
}

impl Post {
    /// A request, sent then.
    pub(crate) fn ask(&mut self, sent: Instant, ask: Ask) {
        self.since_seen += 1;
        if self.since_seen >= SAMPLE_EVERY {
            self.since_seen = 0;
            self.seen.push(ask.account());
        }
        self.inbox.work.push_back(ask);
        match self.sent.back_mut() {
            Some((at, count)) if *at == sent => *count += 1,
            _ => self.sent.push_back((sent, 1)),
        }
    }

    /// A notice.
    pub(crate) fn notice(&mut self, control: Control) {
        self.inbox.control.push_back(control);
    }

    /// A block of that incarnation was refused.
    pub(crate) fn fenced(&mut self, epoch: Epoch) {
        self.fenced = self.fenced.max(Some(epoch));
    }

    /// Puts what arrived elsewhere behind what is here.
    pub(crate) fn append(&mut self, mut later: Post) {
        self.inbox.work.append(&mut later.inbox.work);
        self.inbox.control.append(&mut later.inbox.control);
        self.sent.append(&mut later.sent);
        self.seen.append(&mut later.seen);
        self.fenced = self.fenced.max(later.fenced);
    }

    /// Requests and notices.
    pub(crate) fn len(&self) -> usize {
        self.inbox.work.len() + self.inbox.control.len()
    }

    /// The oldest `count` requests were taken: tells when each lot of them was sent.
    fn taken(&mut self, mut count: usize, mut tell: impl FnMut(Instant, usize)) {
        while count > 0 {
            let (sent, waiting) = self.sent.front_mut().expect("every request in the inbox was sent");
            let lot = count.min(*waiting);
            tell(*sent, lot);
            count -= lot;
            *waiting -= lot;
            if *waiting == 0 {
                self.sent.pop_front();
            }
        }
    }
}

/// The shard.
pub(crate) struct Host {
    supervised: Supervised,
    pub(crate) post: Post,
    /// Loads that found the readers' queue full; bounded by what the shard has inside.
    unread: VecDeque<Load>,
    /// Whether it has anything to turn for.
    pub(crate) due: bool,
    /// Since when the open block fills.
    filling: Option<Instant>,
    /// Records that went to the store since the lane last asked.
    sealed: u32,
    busy: Duration,
    turns: u64,
    requests: u64,
    /// Requests since a wait, and tasks since a service time was last recorded.
    since_wait: usize,
    since_service: usize,
    hot: HotAccounts,
    commits: Arc<Commits>,
}

/// What became durable, counted where that is known.
#[derive(Debug, Default)]
struct Commits {
    blocks: AtomicU64,
    records: AtomicU64,
    bytes: AtomicU64,
    nanos: AtomicU64,
}

/// What is known of a shard at a moment. Sums are since the process started.
#[derive(Debug, Clone, Copy)]
pub struct HostCensus {
    /// The shard.
    pub shard: ShardId,
    /// Accounts in memory; none of these three while the shard does not serve.
    pub accounts: usize,
    /// Objects in memory.
    pub objects: usize,
    /// Idempotency keys in memory.
    pub keys: usize,
    /// Requests and notices that wait for a turn.
    pub waiting: usize,
    /// Requests taken.
    pub requests: u64,
    /// Turns.
    pub turns: u64,
    /// Time spent in turns.
    pub busy: Duration,
    /// Blocks that became durable.
    pub blocks: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// Time from handing the blocks to the store until they were durable, all together.
    pub committing: Duration,
}

/// Who asks most at a shard.
#[derive(Debug, Clone)]
pub struct HotCensus {
    /// The shard.
    pub shard: ShardId,
    /// Sightings of all its accounts; one in [`SAMPLE_EVERY`] requests is one, and old ones fade.
    pub sightings: u64,
    /// Who is known, in no order.
    pub accounts: Vec<HotAccount>,
}

impl Host {
    pub(crate) fn new(supervised: Supervised) -> Host {
        Host {
            supervised,
            post: Post::default(),
            unread: VecDeque::new(),
            due: true,
            filling: None,
            sealed: 0,
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

    /// One turn, with all that it wants done outside; with `hold`, a block that has room waits for more. Tells how long it
    /// took.
    pub(crate) fn turn(&mut self, ports: &Ports, clock: &MachineClock, entropy: &mut Entropy, hold: bool) -> Duration {
        let began = Instant::now();
        self.post.inbox.hold = hold;
        self.hear_of_fence(ports, clock);
        let hot = &mut self.hot;
        self.post.seen.drain(..).for_each(|account| hot.saw(account));
        let mut out = Outputs::default();
        let before = self.post.inbox.work.len();
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
                if out.filling && self.filling.is_none() {
                    self.filling = Some(began);
                }
                if let Some(sealed) = out.sealed {
                    self.sealed += sealed.block.count;
                    let since = self.filling.take().unwrap_or(began);
                    self.filling = out.filling.then_some(began);
                    self.submit(sealed, since, ports);
                }
                self.due = out.more;
            }
            Turned::Crashed => self.recover(ports),
            Turned::Failed => {}
        }
        self.count_turn(out.handled, began.elapsed(), ports)
    }

    /// Of an incarnation that is discarded already, nothing: the one that serves now holds the fence.
    fn hear_of_fence(&mut self, ports: &Ports, clock: &MachineClock) {
        let fenced = self.post.fenced.take();
        if fenced.is_some() && self.supervised.epoch() == fenced {
            let mut out = Outputs::default();
            self.supervised.fenced(clock.now(), &mut out);
            ports.workers.deliver(out.replies);
            self.recover(ports);
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

    fn submit(&self, sealed: Sealed, filled_since: Instant, ports: &Ports) {
        let Sealed { block, release } = sealed;
        let (shard, epoch, seq, count) = (block.shard, block.epoch, block.seq, block.count);
        let bytes = block.bytes.len();
        let Release { replies, calls } = release;
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
                    ports.workers.deliver_grouped(replies);
                    ports.router.control(shard, Control::Committed { epoch, seq });
                    ports.pool.submit(calls);
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

    /// Takes the shard over again as a new incarnation, or gives it up. What was to be read is read again when needed.
    fn recover(&mut self, ports: &Ports) {
        self.unread.clear();
        self.filling = None;
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

impl Commits {
    fn add(&self, records: u32, bytes: usize, took: Duration) {
        // One block of a shard is with the store at a time, so these have one writer.
        let add = |to: &AtomicU64, more: u64| to.fetch_add(more, Ordering::Relaxed);
        add(&self.blocks, 1);
        add(&self.records, u64::from(records));
        add(&self.bytes, bytes as u64);
        add(&self.nanos, u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
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
