//! The virtual world: a queue of everything that is about to happen, two clocks, and the process with its shards in the
//! middle. One thing happens at a time; what happens at the same millisecond happens in an order the seed chooses.

mod asking;
mod ending;
mod faults;

use crate::acquirer::Acquirer;
use crate::auditor::{Auditor, Failure, Seen};
use crate::clients::{Session, Stage};
use crate::merchants::{START_MS, merchant, secrets};
use crate::plan::{HOUR_MS, Ill, Plan, What};
use crate::ports::{Ports, take_panics};
use crate::trace::Trace;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::{Arc, Mutex};
use tollgate_actors::Request;
use tollgate_actors::entropy::Entropy;
use tollgate_actors::metrics::Meters;
use tollgate_actors::readers::{answer_beside, find_account, find_key, find_object};
use tollgate_actors::request::{Delivery, Refusal};
use tollgate_actors::settings::ShardSettings;
use tollgate_actors::shard::{CallOut, Control, Inbox, Load, Loaded, Outputs, Sealed, Wanted};
use tollgate_actors::supervisor::{Supervised, Turned};
use tollgate_domain::acquirer::{AttemptId, NetworkAnswer};
use tollgate_domain::{AccountKey, Profile};
use tollgate_store::memory::{Fate, Memory, Mode};
use tollgate_store::{Block, Commit, Epoch, Journal, Reads, ShardId};

/// Longest time after the last fault in which everything must come to its end, milliseconds: the clock's error, a day of
/// slowest repeats would be far too long, two hours of them are plenty.
const CALM_MS_MAX: u64 = crate::plan::CLOCK_ERROR_MS_MAX + 2 * HOUR_MS;
/// Most happenings of one run; a run that reaches it is going round in circles.
const HAPPENINGS_MAX: u64 = 200_000_000;
/// Slowest tick of an idle shard, milliseconds.
const TICK_MS_MAX: u64 = 60_000;

/// Something that is about to happen.
#[derive(Debug)]
enum Happening {
    Step(usize),
    Turn(u16),
    Load(u16, Epoch, u32, Box<Load>),
    Settle(u16, Epoch, u64),
    AnswerBlock(u16, u32),
    Send(usize),
    Impatient(usize, u32),
    Beside(u32, Arc<Request>, u32),
    AtNetwork(CallOut, u32),
    FromNetwork(AccountKey, AttemptId, NetworkAnswer, u32),
    Start,
    Restart(u32),
    ClockBack(i64),
    ReadsWork,
}

/// A position in the queue.
struct Entry {
    at_ms: u64,
    /// Drawn: decides between things of the same millisecond.
    order: u64,
    number: u64,
    what: Happening,
}

impl Entry {
    fn key(&self) -> (u64, u64, u64) {
        (self.at_ms, self.order, self.number)
    }
}
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// What `Done`s of blocks said.
#[derive(Default)]
struct Heard {
    deliveries: Vec<Delivery>,
    calls: Vec<CallOut>,
    committed: Vec<(u16, Epoch, u64)>,
    lost: Vec<(u16, Epoch, Commit)>,
}

struct Host {
    supervised: Supervised,
    inbox: Inbox,
    /// Requests inside, by slot.
    inside: BTreeSet<u32>,
    /// When its next turn is due.
    turn_ms: Option<u64>,
    /// How long it has been ticking in vain.
    tick_ms: u64,
    /// What becomes of its next block.
    ill: Option<Ill>,
    /// Whether its clock alarm was raised in this process.
    alarmed: bool,
}

/// Figures of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Requests sent.
    pub requests: u64,
    /// Answers that left.
    pub answers: u64,
    /// Records that became durable.
    pub records: u64,
    /// Times a shard was rebuilt or a process started.
    pub rebuilds: u64,
    /// Things that happened.
    pub happenings: u64,
    /// Simulated milliseconds.
    pub simulated_ms: u64,
    /// Calls that left for the network.
    pub calls: u64,
    /// What the auditor saw.
    pub seen: Seen,
}

/// The world of one run.
pub struct World<'p> {
    plan: &'p Plan,
    now_ms: u64,
    /// How far the wall clock is off.
    off_ms: i64,
    dice: Entropy,
    queue: BinaryHeap<Reverse<Entry>>,
    number: u64,
    store: Arc<Memory>,
    ports: Arc<Ports>,
    settings: Arc<ShardSettings>,
    meters: Arc<Meters>,
    hosts: Vec<Host>,
    up: bool,
    /// Which process runs.
    process: u32,
    heard: Arc<Mutex<Heard>>,
    /// Blocks with the store.
    submitted: BTreeMap<(u16, u64), Block>,
    entropy: Entropy,
    merchants: Vec<Arc<Profile>>,
    sessions: BTreeMap<usize, Session>,
    /// Session of each request.
    slots: Vec<usize>,
    acquirer: Acquirer,
    auditor: Auditor,
    stall_until_ms: u64,
    stall_ms: u64,
    outage_until_ms: u64,
    calm: bool,
    trace: Trace,
    counts: Counts,
}

impl<'p> World<'p> {
    /// A world at its beginning.
    pub fn new(plan: &'p Plan) -> World<'p> {
        let weather = &plan.weather;
        let settings = Arc::new(ShardSettings {
            objects_max: weather.objects_max,
            keys_max: weather.keys_max,
            accounts_max: weather.accounts_max,
            row_every: weather.row_every,
            ..ShardSettings::default()
        });
        let mut dice = Entropy::new(plan.seed ^ 0x776f_726c_6400);
        let store = Memory::new(Mode::Held);
        let merchants: Vec<_> = (0..weather.accounts).map(merchant).collect();
        let mut world = World {
            plan,
            now_ms: 0,
            off_ms: 0,
            entropy: Entropy::new(dice.word()),
            dice,
            queue: BinaryHeap::new(),
            number: 0,
            ports: Ports::new(Arc::clone(&store)),
            store,
            settings,
            meters: Arc::new(Meters::new()),
            hosts: Vec::new(),
            up: false,
            process: 0,
            heard: Arc::default(),
            submitted: BTreeMap::new(),
            auditor: Auditor::new(&merchants),
            merchants,
            sessions: BTreeMap::new(),
            slots: Vec::new(),
            acquirer: Acquirer::default(),
            stall_until_ms: 0,
            stall_ms: 0,
            outage_until_ms: 0,
            calm: false,
            trace: Trace::default(),
            counts: Counts::default(),
        };
        for (at, step) in plan.steps.iter().enumerate() {
            world.push(step.at_ms, Happening::Step(at));
        }
        world.start();
        world
    }

    /// Runs to the end, and audits it.
    ///
    /// # Errors
    /// The first thing that must not be.
    pub fn run(mut self) -> Result<(Counts, u64), Failure> {
        let end_ms = self.plan.length_ms;
        self.until(end_ms)?;
        self.clear_up()?;
        let bound_ms = self.now_ms + CALM_MS_MAX;
        while !self.is_settled() && self.now_ms < bound_ms {
            self.until(self.now_ms + 60_000)?;
            self.knock()?;
        }
        if !self.is_settled() {
            return Err(self.auditor.fail("liveness", self.what_is_open()));
        }
        self.read_back()?;
        self.auditor
            .end(&*self.store, &self.store.blocks(), self.acquirer.book())?;
        self.counts.simulated_ms = self.now_ms;
        self.counts.seen = self.auditor.seen();
        for block in self.store.blocks() {
            self.trace.bytes(&block.bytes);
        }
        Ok((self.counts, self.trace.sum()))
    }

    /// Lets happen what is due up to `until_ms`.
    fn until(&mut self, until_ms: u64) -> Result<(), Failure> {
        while let Some(Reverse(next)) = self.queue.peek()
            && next.at_ms <= until_ms
        {
            let Some(Reverse(entry)) = self.queue.pop() else { break };
            self.now_ms = entry.at_ms;
            self.counts.happenings += 1;
            if self.counts.happenings > HAPPENINGS_MAX {
                return Err(self.auditor.fail("liveness", "the run goes round in circles".into()));
            }
            self.auditor.tick(self.now_ms);
            self.happen(entry.what)?;
        }
        self.now_ms = self.now_ms.max(until_ms);
        Ok(())
    }

    fn happen(&mut self, what: Happening) -> Result<(), Failure> {
        match what {
            Happening::Step(at) => {
                let step = &self.plan.steps[at];
                self.trace.number(1, step.number as u64);
                match &step.what {
                    What::Ask(wish) => self.begin(step.number, wish),
                    What::Again { of } => self.again(step.number, *of),
                    What::OtherBody { of } => self.other_body(step.number, *of),
                    What::Fault(fault) => self.fault(&fault.clone()),
                }
            }
            Happening::Turn(shard) => self.turn(shard),
            Happening::Load(shard, epoch, process, load) => {
                self.load(shard, epoch, process, *load);
                Ok(())
            }
            Happening::Settle(shard, epoch, seq) => self.settle(shard, epoch, seq),
            Happening::AnswerBlock(shard, process) => {
                if process == self.process && self.store.answer(ShardId(shard)) {
                    return self.listen();
                }
                Ok(())
            }
            Happening::Send(session) => self.send(session),
            Happening::Beside(slot, request, process) => {
                if process != self.process || !self.up {
                    return Ok(());
                }
                let answer = answer_beside(&*self.store, &secrets(), &request, self.unix_ms());
                self.answered(slot, &answer)
            }
            Happening::Impatient(session, slot) => {
                let known = &self.sessions[&session];
                if known.slot == slot && known.stage == Stage::Open {
                    self.retry(session);
                }
                Ok(())
            }
            Happening::AtNetwork(call, process) => {
                self.at_network(&call, process);
                Ok(())
            }
            Happening::FromNetwork(account, attempt, answer, process) => {
                if process == self.process && self.up {
                    self.auditor.told(account, attempt, answer);
                    let shard = self.shard_of(account);
                    self.hosts[usize::from(shard)]
                        .inbox
                        .control
                        .push_back(Control::Answered {
                            account,
                            attempt,
                            answer,
                        });
                    self.wake(shard, 0);
                }
                Ok(())
            }
            Happening::Start => {
                self.start();
                Ok(())
            }
            Happening::Restart(process) if process == self.process && self.up => self.kill(1_000),
            Happening::Restart(_) => Ok(()),
            Happening::ClockBack(by_ms) => {
                self.off_ms -= by_ms;
                Ok(())
            }
            Happening::ReadsWork => {
                self.store.fail_reads(false);
                Ok(())
            }
        }
    }

    fn turn(&mut self, shard: u16) -> Result<(), Failure> {
        if !self.up || self.hosts[usize::from(shard)].turn_ms != Some(self.now_ms) {
            return Ok(());
        }
        let now = self.now();
        let host = &mut self.hosts[usize::from(shard)];
        host.turn_ms = None;
        let busy = !host.inbox.work.is_empty() || !host.inbox.control.is_empty();
        let mut out = Outputs::default();
        self.ports.turn_of(Some(ShardId(shard)));
        let turned = host.supervised.turn(now, &mut self.entropy, &mut host.inbox, &mut out);
        self.ports.turn_of(None);
        host.alarmed |= out.clock_alarm;
        if turned == Turned::Crashed {
            self.counts.rebuilds += 1;
            let panics = take_panics();
            if let Some(panic) = panics.first() {
                return Err(self.auditor.fail("a shard panicked", panic.clone()));
            }
            if self.hosts[usize::from(shard)].supervised.is_failed() {
                // The operator sees readiness go and restarts the process.
                self.push_in(1_000, Happening::Restart(self.process));
            }
        }
        self.trace.number(2, u64::from(shard) ^ self.now_ms << 8);
        let moved = busy || !out.replies.is_empty() || !out.loads.is_empty() || out.sealed.is_some();
        self.deliver(out.replies)?;
        match turned {
            Turned::Crashed => self.recover(shard),
            Turned::Failed => {}
            Turned::Fine => {
                let epoch = self.hosts[usize::from(shard)].supervised.epoch();
                for load in out.loads {
                    let delay = self.below(self.plan.weather.load_ms + 1);
                    let process = self.process;
                    let epoch = epoch.expect("a shard that turned well serves");
                    self.push_in(delay, Happening::Load(shard, epoch, process, Box::new(load)));
                }
                if let Some(sealed) = out.sealed {
                    self.submit(shard, sealed);
                }
            }
        }
        self.tick_on(shard, out.more, moved);
        self.listen()
    }

    /// Lanes tick; here the next tick that could matter is enough.
    fn tick_on(&mut self, shard: u16, more: bool, moved: bool) {
        let due = self
            .store
            .timers_due(ShardId(shard), u64::MAX, 1)
            .first()
            .map(|timer| timer.0);
        let unix_ms = self.unix_ms();
        let host = &mut self.hosts[usize::from(shard)];
        host.tick_ms = if moved {
            20
        } else {
            (host.tick_ms * 2).clamp(20, TICK_MS_MAX)
        };
        let wait_ms = if more {
            0
        } else if !host.inside.is_empty() {
            host.tick_ms.min(1_000)
        } else {
            match due {
                None => return,
                Some(due_ms) if due_ms > unix_ms => (due_ms - unix_ms).max(host.tick_ms.min(20)),
                Some(_) => host.tick_ms,
            }
        };
        let jitter = self.below(20);
        self.wake(shard, wait_ms + jitter);
    }

    fn load(&mut self, shard: u16, epoch: Epoch, process: u32, load: Load) {
        if process != self.process || !self.up {
            return;
        }
        let found = match &load.wanted {
            Wanted::Account(profile) => {
                let known = self.merchants.iter().find(|profile| profile.key == load.account);
                let profile = profile.as_ref().or(known).expect("an account of the run");
                find_account(&*self.store, profile)
            }
            Wanted::Object(seq) => find_object(&*self.store, load.account, *seq),
            Wanted::Key(hash) => find_key(&*self.store, load.account, hash),
        };
        let found = found.map_err(|error| error.to_string());
        let loaded = Box::new(Loaded { load, found });
        let host = &mut self.hosts[usize::from(shard)];
        host.inbox.control.push_back(Control::Loaded { epoch, loaded });
        self.wake(shard, 0);
    }

    fn submit(&mut self, shard: u16, sealed: Sealed) {
        let Sealed { block, release } = sealed;
        let (epoch, seq) = (block.epoch, block.seq);
        self.submitted.insert((shard, epoch.0), block.clone());
        let heard = Arc::clone(&self.heard);
        let done = Box::new(move |commit| {
            let mut heard = heard.lock().expect("not poisoned");
            if commit == Commit::Durable {
                heard.deliveries.extend(release.replies);
                heard.calls.extend(release.calls);
                heard.committed.push((shard, epoch, seq));
            } else {
                heard
                    .deliveries
                    .extend(release.replies.into_iter().map(|lost| Delivery {
                        to: lost.to,
                        answer: Err(Refusal::ShardDown),
                    }));
                heard.lost.push((shard, epoch, commit));
            }
        });
        self.store.submit(block, done);
        let stall = if self.now_ms < self.stall_until_ms {
            self.stall_ms
        } else {
            0
        };
        let delay = stall + self.below(self.plan.weather.commit_ms + 1);
        self.push_in(delay, Happening::Settle(shard, epoch, seq));
    }

    fn settle(&mut self, shard: u16, epoch: Epoch, seq: u64) -> Result<(), Failure> {
        let Some(block) = self.submitted.remove(&(shard, epoch.0)) else {
            return Ok(());
        };
        assert_eq!(block.seq, seq, "one block of a shard is with the store");
        if !self.store.waiting().contains(&(ShardId(shard), seq)) {
            // Refused meanwhile: somebody claimed the shard.
            return self.listen();
        }
        let host = &mut self.hosts[usize::from(shard)];
        let ill = host.ill.take();
        let fate = match ill {
            None => Fate::Durable,
            Some(Ill::Failed) => Fate::Failed,
            Some(Ill::WrittenButFailed) => Fate::WrittenButFailed,
            Some(Ill::Late | Ill::WrittenThenKilled) => Fate::WrittenUnanswered,
            Some(Ill::KilledBefore) => return self.kill(1_000),
        };
        self.trace.number(3, seq);
        self.store.settle(ShardId(shard), fate);
        if fate != Fate::Failed {
            self.counts.records += u64::from(block.count);
            self.auditor.durable(&block)?;
        }
        match ill {
            Some(Ill::Late) => {
                let delay = self.below(8_000);
                self.push_in(delay, Happening::AnswerBlock(shard, self.process));
            }
            Some(Ill::WrittenThenKilled) => return self.kill(1_000),
            _ => {}
        }
        self.listen()
    }

    /// Takes what `Done`s said.
    fn listen(&mut self) -> Result<(), Failure> {
        let heard = std::mem::take(&mut *self.heard.lock().expect("not poisoned"));
        self.deliver(heard.deliveries)?;
        for call in heard.calls {
            self.counts.calls += 1;
            self.auditor.called(&call)?;
            self.dispatch(call);
        }
        for (shard, epoch, seq) in heard.committed {
            let host = &mut self.hosts[usize::from(shard)];
            host.inbox.control.push_back(Control::Committed { epoch, seq });
            self.wake(shard, 0);
        }
        for (shard, epoch, commit) in heard.lost {
            if commit == Commit::Failed && self.dice.below(2) == 0 {
                // A store that cannot write is fatal for the process.
                return self.kill(1_000);
            }
            let now = self.now();
            let host = &mut self.hosts[usize::from(shard)];
            if host.supervised.epoch() == Some(epoch) {
                let mut out = Outputs::default();
                host.supervised.fenced(now, &mut out);
                self.deliver(out.replies)?;
                self.recover(shard);
            }
        }
        Ok(())
    }

    fn recover(&mut self, shard: u16) {
        self.counts.rebuilds += 1;
        if self.hosts[usize::from(shard)].supervised.is_failed() {
            // The operator sees readiness go and restarts the process.
            self.push_in(1_000, Happening::Restart(self.process));
            return;
        }
        let claimed = self.claim(shard);
        self.hosts[usize::from(shard)].supervised.rebuild(&claimed);
        self.wake(shard, 0);
    }
}

impl Counts {
    /// The sum of both.
    pub fn plus(&self, other: &Counts) -> Counts {
        Counts {
            requests: self.requests + other.requests,
            answers: self.answers + other.answers,
            records: self.records + other.records,
            rebuilds: self.rebuilds + other.rebuilds,
            happenings: self.happenings + other.happenings,
            simulated_ms: self.simulated_ms + other.simulated_ms,
            calls: self.calls + other.calls,
            seen: self.seen.plus(&other.seen),
        }
    }
}
