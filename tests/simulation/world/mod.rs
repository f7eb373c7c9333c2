//! The virtual world: a queue of everything that is about to happen, two clocks, and the process with its shards in the
//! middle. One thing happens at a time; what happens at the same millisecond happens in an order the seed chooses.

mod asking;
mod counts;
mod deliveries;
mod ending;
mod faults;
mod queue;
mod reading;
mod sending;
mod turns;

pub use self::counts::Counts;
use self::deliveries::Post;
use self::queue::{Entry, Happening};
use crate::acquirer::Acquirer;
use crate::auditor::{Auditor, Failure};
use crate::clients::{Session, Stage};
use crate::merchants::{START_MS, merchant, secrets};
use crate::plan::{HOUR_MS, Ill, Plan, What};
use crate::ports::Ports;
use crate::receivers::Mood;
use crate::trace::Trace;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::{Arc, Mutex};
use tollgate_actors::entropy::Entropy;
use tollgate_actors::metrics::Meters;
use tollgate_actors::outbox::Moved;
use tollgate_actors::readers::answer_beside;
use tollgate_actors::request::Delivery;
use tollgate_actors::settings::ShardSettings;
use tollgate_actors::shard::{CallOut, Control, Inbox};
use tollgate_actors::supervisor::Supervised;
use tollgate_domain::Profile;
use tollgate_store::memory::{Memory, Mode};
use tollgate_store::{AccountRef, Block, Commit, Epoch, ShardId, envelope};

/// Longest time after the last fault in which everything must come to its end, milliseconds: the clock's error, a day of
/// slowest repeats would be far too long, two hours of them are plenty.
const CALM_MS_MAX: u64 = crate::plan::CLOCK_ERROR_MS_MAX + 2 * HOUR_MS;
/// Most happenings of one run; a run that reaches it is going round in circles.
const HAPPENINGS_MAX: u64 = 200_000_000;
/// Slowest tick of an idle shard, milliseconds.
const TICK_MS_MAX: u64 = 60_000;

/// What `Done`s of blocks said.
#[derive(Default)]
struct Heard {
    deliveries: Vec<Delivery>,
    calls: Vec<CallOut>,
    committed: Vec<(u16, Epoch, u64)>,
    /// Accounts with endpoints that have something new, by block.
    moved: Vec<(u16, Vec<Moved>)>,
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
    /// Delivery of webhooks, while the process runs.
    post: Option<Post>,
    /// How receivers do, by the step that made their endpoint.
    moods: BTreeMap<usize, Mood>,
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
            post: None,
            moods: BTreeMap::new(),
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
        self.deliver_rest()?;
        self.read_back()?;
        self.auditor
            .end(&*self.store, &self.store.blocks(), self.acquirer.book())?;
        self.counts.simulated_ms = self.now_ms;
        self.counts.seen = self.auditor.seen();
        for block in self.store.blocks() {
            let records = envelope::records(&block.bytes, block.count).map(|record| record.expect("it was audited"));
            // In a note, what does not depend on each other stands in any order.
            for record in records.filter(|record| AccountRef(record.head.account).notes().is_none()) {
                self.trace.bytes(record.body);
            }
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
                    What::Receiver { of, mood } => {
                        self.moods.insert(*of, *mood);
                        Ok(())
                    }
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
            Happening::Deliver(process) => self.deliver_events(process),
            Happening::Delivered(process, ticket, doing) => {
                self.delivered(process, ticket, *doing);
                Ok(())
            }
            Happening::Rested(shard, process) => self.rested(shard, process),
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
}
