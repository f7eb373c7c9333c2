//! A shard: a fixed slice of accounts, and the only place where anything about them changes.
//!
//! [`Shard::turn`] takes what arrived and gives back what is to be done outside: answers to send, records to load, a block
//! to make durable. It never waits, locks or does I/O, and draws time and randomness from its caller, so that the same
//! value serves in a lane and replays in a simulation. What has to wait (for a load, a network, another request with the
//! same key, a busy object) is kept as a value beside what it waits for; everything else goes on.
//!
//! Reading order: [`task`] (what is done), `deciding` (the way of one task), `key_actor` and `keys`, `account_actor`,
//! `recording`, [`gate`] (what waits for durability), `parking`, `loading`, `timers`, `passivation`, `answering`.

mod account_actor;
pub(crate) mod answering;
mod deciding;
pub mod gate;
mod key_actor;
mod keys;
pub mod loading;
mod parking;
mod passivation;
mod recording;
pub mod task;
mod timers;
mod ward;

pub use gate::{Release, Sealed};
pub use loading::{Found, Load, Loaded, Wanted};
pub use task::{Ask, CallOut};

use crate::clock::{Now, ShardClock};
use crate::entropy::Entropy;
use crate::fixed_hash::FixedMap;
use crate::metrics::Meters;
use crate::outbox::{Note, OpenNote, Unheard};
use crate::request::{Delivery, Refusal, ReplyTo};
use crate::settings::ShardSettings;
use account_actor::AccountSlot;
use gate::Gate;
use key_actor::{KeyActor, KeyName};
use parking::Deadlines;
use passivation::Passivation;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use task::Task;
use timers::Timers;
use tollgate_domain::account::AccountKey;
use tollgate_domain::acquirer::{AttemptId, NetworkAnswer};
use tollgate_domain::{Call, Command, Read, Secrets};
use tollgate_store::{Claimed, Epoch, Reads, ShardId};

/// Requests of a shard that are looked at together.
const LOOKED_AT_TOGETHER: usize = 32;

/// Commands that crashed the shard too often, by digest; shared with the supervisor that fills it.
pub type Quarantine = Arc<BTreeSet<u64>>;

/// What arrives at a shard. Control travels apart from work and is taken first, all of it.
#[derive(Debug, Default)]
pub struct Inbox {
    /// Notices of the engine itself.
    pub control: VecDeque<Control>,
    /// Requests; bounded by admission permits.
    pub work: VecDeque<Ask>,
    /// A block that has room and fewer records than this waits for more: its lane lets it go a moment later.
    pub hold: u32,
}

/// A notice of the engine.
#[derive(Debug)]
pub enum Control {
    /// A block is durable and its records can be read through the index.
    Committed {
        /// The incarnation that sealed it.
        epoch: Epoch,
        /// Its sequence.
        seq: u64,
    },
    /// Something asked for with a [`Load`] was read.
    Loaded {
        /// The incarnation that asked.
        epoch: Epoch,
        /// What was read.
        loaded: Box<Loaded>,
    },
    /// It is known, or not, that the shard was still here at a moment after [`Outputs::asks`].
    Stood {
        /// The incarnation that asked.
        epoch: Epoch,
        /// Whether it was; `false` when the store gave no answer.
        known: bool,
    },
    /// A network answered, or did not.
    Answered {
        /// The account that holds the attempt.
        account: AccountKey,
        /// The attempt.
        attempt: AttemptId,
        /// What came back.
        answer: NetworkAnswer,
    },
    /// Delivery wants something remembered.
    Note {
        /// The incarnation that it was noted for.
        epoch: Epoch,
        /// What.
        note: Box<Note>,
        /// Gone once it is durable, or dropped.
        open: OpenNote,
    },
    /// The engine itself wants something done about an account, which nobody waits for.
    Command {
        /// The account.
        account: AccountKey,
        /// What.
        command: Box<Command>,
    },
}

/// What a turn wants done outside. The caller empties it.
#[derive(Debug, Default)]
pub struct Outputs {
    /// Answers that may leave now.
    pub replies: Vec<Delivery>,
    /// What to read; each comes back as [`Control::Loaded`] with the shard's epoch.
    pub loads: Vec<Load>,
    /// A block for the store.
    pub sealed: Option<Sealed>,
    /// Whether the store is to be asked whose the shard is: what it says comes back as [`Control::Stood`], unless it is
    /// another's.
    pub asks: bool,
    /// Tasks that were handled: requests, answers of networks, timers, and what went on after a wait.
    pub handled: usize,
    /// Whether a block has records and was not handed out.
    pub filling: bool,
    /// Whether more work is waiting that could go on at once.
    pub more: bool,
    /// Whether the wall clock was just found stepped; time goes on by the steady clock until it is back.
    pub clock_alarm: bool,
}

/// Who was inside a shard that is given up.
#[derive(Debug, Default)]
pub struct Abandoned {
    /// Those of whose requests nothing is recorded, and nothing was done: they may be asked again anywhere.
    pub untouched: Vec<ReplyTo>,
    /// Those of whose requests something may be durable, or was answered from what may not be.
    pub begun: Vec<ReplyTo>,
    /// The digest of what was being handled, if anything was.
    pub culprit: Option<u64>,
}

/// One shard.
pub struct Shard {
    id: ShardId,
    epoch: Epoch,
    settings: Arc<ShardSettings>,
    secrets: Secrets,
    filter: Arc<dyn Reads>,
    quarantine: Quarantine,
    meters: Arc<Meters>,
    clock: ShardClock,
    accounts: FixedMap<u64, AccountSlot>,
    keys: FixedMap<KeyName, KeyActor>,
    gate: Gate,
    /// What can go on because what it waited for has happened.
    ready: VecDeque<Task>,
    deadlines: Deadlines,
    timers: Timers,
    passivation: Passivation,
    /// What is being handled, for whoever finds out what made the shard panic.
    handling: Option<Task>,
    /// Reused for encoding.
    scratch: Vec<u8>,
    /// Records appended in this turn; told to the metrics at its end, all at once.
    recorded: u64,
    /// The newest page that a note of this incarnation is; 0 for none.
    last_page: u64,
    unheard: Unheard,
    /// Whether a note of this incarnation was refused: then so are all after it, which may build on it.
    notes_refused: bool,
}

impl Shard {
    /// A shard that owns what `claimed` says, with nothing in memory yet. Of `reads` it uses only what never touches a
    /// disk: the filter of keys and the index of timers. `warded`: whether others may take the shard over, so that the
    /// store is asked before anything is answered without a block.
    #[expect(clippy::too_many_arguments, reason = "each is another thing that a shard is made of")]
    pub fn new(
        id: ShardId,
        claimed: &Claimed,
        settings: Arc<ShardSettings>,
        secrets: Secrets,
        reads: Arc<dyn Reads>,
        quarantine: Quarantine,
        meters: Arc<Meters>,
        warded: bool,
    ) -> Self {
        Shard {
            id,
            epoch: claimed.epoch,
            settings,
            secrets,
            filter: reads,
            quarantine,
            meters,
            clock: ShardClock::not_before(claimed.last_now_ms),
            accounts: FixedMap::default(),
            keys: FixedMap::default(),
            gate: Gate::new(id, claimed, warded),
            ready: VecDeque::new(),
            deadlines: Deadlines::default(),
            timers: Timers::default(),
            passivation: Passivation::default(),
            handling: None,
            scratch: Vec::with_capacity(1_024),
            recorded: 0,
            last_page: 0,
            unheard: Unheard::default(),
            notes_refused: false,
        }
    }

    /// The clocks' reading that this process's first incarnation started by; `None` before the first turn.
    pub(crate) fn clock_start(&self) -> Option<Now> {
        self.clock.start()
    }

    /// Goes on by the clock of an earlier incarnation of this process.
    pub(crate) fn follow_clock(&mut self, start: Option<Now>) {
        self.clock.follow(start);
    }

    /// From the next turn on it goes by these.
    pub fn set_settings(&mut self, settings: Arc<ShardSettings>) {
        self.settings = settings;
    }

    /// Goes on as another incarnation with the memory of this one: what no shard may do, for the build that shows it.
    pub(crate) fn go_on(&mut self, claimed: &Claimed, warded: bool) {
        self.epoch = claimed.epoch;
        self.gate = Gate::new(self.id, claimed, warded);
    }

    /// Its incarnation.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Whether nothing is waiting to become durable, and no answer for the barrier.
    pub fn is_quiet(&self) -> bool {
        self.gate.is_quiet()
    }

    /// Looks at what the first of these requests are about, without doing anything. What nobody used lately must come from
    /// memory: a look at the things of many requests lets them come at the same time, where each request by itself waits
    /// for its own.
    pub(crate) fn look_at(&self, work: &VecDeque<Ask>) -> u64 {
        let asks = work.iter().take(LOOKED_AT_TOGETHER);
        asks.fold(0, |sum, ask| {
            let Some(AccountSlot::Ready(actor)) = self.accounts.get(&ask.account().0) else {
                return sum;
            };
            let object = match ask.request.call {
                Call::Read(Read::Object(_, id, _)) => actor.objects.get(&id.seq()),
                _ => None,
            };
            let object = object.and_then(|cached| cached.object.as_ref());
            sum ^ actor.account.seq ^ object.map_or(0, |object| object.id().bits() as u64)
        })
    }

    /// Records that could go to the store now.
    pub(crate) fn ready_records(&self) -> u32 {
        self.gate.ready_records()
    }

    /// Accounts, objects and keys in memory.
    pub fn population(&self) -> (usize, usize, usize) {
        (self.accounts.len(), self.passivation.objects_len(), self.keys.len())
    }

    /// Handles every notice and a bounded number of requests, fires timers that are due, ends waits that took too long,
    /// and closes a block when none is in flight.
    pub fn turn(&mut self, now: Now, entropy: &mut Entropy, inbox: &mut Inbox, out: &mut Outputs) {
        out.clock_alarm |= self.clock.advance(now);
        while let Some(control) = inbox.control.pop_front() {
            self.control(control, out);
        }
        self.end_waits(out);
        self.fire_timers();
        for _ in 0..self.settings.turn_messages {
            if self.gate.is_full(&self.settings) {
                break;
            }
            let next = self.ready.pop_front().or_else(|| inbox.work.pop_front().map(Task::Ask));
            let Some(task) = next else { break };
            self.handling = Some(task.clone());
            self.run(task, entropy, out);
            self.handling = None;
            out.handled += 1;
        }
        self.passivate();
        if self.recorded > 0 {
            self.meters.records.increment(std::mem::take(&mut self.recorded));
        }
        let waiting = !self.ready.is_empty() || !inbox.work.is_empty();
        out.more = waiting && !self.gate.is_full(&self.settings);
        if self.gate.ready_records() >= inbox.hold || self.gate.is_full(&self.settings) {
            out.sealed = self.gate.seal();
        }
        out.filling = self.gate.is_filling();
        out.asks = self.gate.asks();
    }

    /// The part of a turn that makes durable what is decided already: notices are heard and blocks closed, nothing new is
    /// begun.
    pub(crate) fn wind_up(&mut self, now: Now, inbox: &mut Inbox, out: &mut Outputs) {
        out.clock_alarm |= self.clock.advance(now);
        while let Some(control) = inbox.control.pop_front() {
            match control {
                control @ (Control::Committed { .. } | Control::Stood { .. } | Control::Note { .. }) => {
                    self.control(control, out);
                }
                // Whoever has the shard next reads for itself, asks the network for itself, and finds out again.
                Control::Loaded { .. } | Control::Answered { .. } | Control::Command { .. } => {}
            }
        }
        out.sealed = self.gate.seal();
        out.filling = self.gate.is_filling();
        out.asks = self.gate.asks();
    }

    /// Everyone whose answer has not left or gone with a block, and the digest of what was being handled. The shard must
    /// not be used afterwards.
    pub fn abandon(&mut self) -> Abandoned {
        let culprit = self.handling.take();
        let digest = culprit.as_ref().map(|task| task.digest(&self.secrets));
        let mut tasks: Vec<Task> = culprit.into_iter().chain(self.ready.drain(..)).collect();
        let mut begun: Vec<ReplyTo> = self.gate.abandon().into_iter().map(|delivery| delivery.to).collect();
        for (_, slot) in self.accounts.drain() {
            match slot {
                AccountSlot::Loading(waiting) => tasks.extend(waiting),
                AccountSlot::Ready(mut actor) => actor.abandon(&mut tasks, &mut begun),
            }
        }
        self.keys.values_mut().for_each(|key| key.abandon(&mut tasks));
        let askers = tasks.into_iter().filter_map(|task| match task {
            Task::Ask(ask) => Some(ask.to),
            _ => None,
        });
        let mut untouched: Vec<ReplyTo> = askers.collect();
        // The order of maps does not escape, and whoever is found twice (handled and parked) is told once.
        for askers in [&mut begun, &mut untouched] {
            askers.sort_unstable();
            askers.dedup();
        }
        untouched.retain(|to| begun.binary_search(to).is_err());
        Abandoned {
            untouched,
            begun,
            culprit: digest,
        }
    }

    fn control(&mut self, control: Control, out: &mut Outputs) {
        match control {
            Control::Committed { epoch, seq } if epoch == self.epoch => {
                self.gate.committed(seq, &mut out.replies);
                self.forget_timers();
            }
            Control::Loaded { epoch, loaded } if epoch == self.epoch => self.loaded(*loaded, out),
            Control::Stood { epoch, known: true } if epoch == self.epoch => self.gate.stood(&mut out.replies),
            Control::Stood { epoch, known: false } if epoch == self.epoch => {
                self.meters.barriers_failed.increment(1);
                let unsure = self.gate.unsure().into_iter();
                out.replies.extend(unsure.map(|delivery| Delivery {
                    to: delivery.to,
                    answer: Err(Refusal::ShardDown),
                }));
            }
            Control::Note { epoch, note, open } if epoch == self.epoch => self.note(*note, open),
            // Of an incarnation that was discarded: what it waited for is read again, what it noted is found out again.
            Control::Committed { .. } | Control::Loaded { .. } | Control::Stood { .. } | Control::Note { .. } => {}
            Control::Command { account, command } => {
                let command = Arc::from(command);
                self.ready.push_back(Task::Command { account, command });
            }
            Control::Answered {
                account,
                attempt,
                answer,
            } => {
                self.ready.push_back(Task::Resolve {
                    account,
                    attempt,
                    answer,
                });
            }
        }
    }
}
