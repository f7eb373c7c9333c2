//! Everything that one delivery thread holds: the shards that are served here, their accounts and lanes, and what is on its
//! way between them and the rest. A plain struct; `dispatcher.rs` runs one on each thread, and the simulation runs them in
//! virtual time.

mod accounts;
mod commands;
mod errands;
mod figures;
mod flush;
mod noting;
mod shards;
mod status;

pub use crate::lane::RecentAttempts;
pub use commands::{Command, DeadLetter, Letters, Refused, Reply, Tested};
pub use errands::{Answered, Read};
pub use figures::{Figures, WORST_MAX};
pub use noting::PROGRESS_MS;
pub use status::{LaneState, LaneStatus};

use crate::Moved;
use crate::endpoint::EndpointKey;
use crate::entropy::Entropy;
use crate::lane::{Ask, Lane, Sending, Sent};
use crate::metrics::Meters;
use crate::ports::{Alarm, Alert, Notes, Outcome, Trail, Transport};
use crate::registry::Registry;
use accounts::Account;
use errands::Errands;
use hashbrown::HashMap;
use shards::Shard;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use tollgate_pools::{Fallen, Floor, LaneId, Limits, Verdict};

/// How one thread's hall is made.
#[derive(Clone, Debug)]
pub struct HallSettings {
    /// Deliveries that may be out at once.
    pub in_flight_max: usize,
    /// Bytes that the failed events of one shard's endpoints may take in memory; when there are more, the lanes that have more
    /// than an even share of half of it look at nothing new until there are fewer.
    pub failed_bytes_max: usize,
    /// A shard's row is written when the notes behind the last one are larger than it, and at least this, bytes.
    pub row_after_bytes: usize,
    /// A note, or a part of a row, takes no further entry beyond this many bytes.
    pub note_bytes: usize,
    /// Where random numbers begin.
    pub seed: u64,
}

impl HallSettings {
    /// The usual ones.
    pub fn new(in_flight_max: usize, failed_bytes_max: usize, seed: u64) -> HallSettings {
        HallSettings {
            in_flight_max,
            failed_bytes_max,
            row_after_bytes: 64 * 1024,
            note_bytes: 192 * 1024,
            seed,
        }
    }
}

/// What a hall works with, beside what is read.
#[derive(Clone)]
pub struct HallPorts {
    /// Where notes go.
    pub notes: Arc<dyn Notes>,
    /// Where attempts are logged.
    pub trail: Arc<dyn Trail>,
    /// Where alerts go.
    pub alarm: Arc<dyn Alarm>,
    /// Told of endpoints to which nothing more goes.
    pub transport: Arc<dyn Transport>,
}

/// What all lanes of a thread share.
pub(crate) struct Common {
    pub(crate) ports: HallPorts,
    pub(crate) meters: Meters,
    pub(crate) desk: RefCell<Desk>,
}

/// What lanes leave for their hall, in the middle of a turn.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) asks: Vec<(EndpointKey, Ask)>,
    /// Endpoints whose books changed.
    pub(crate) changed: Vec<(u16, EndpointKey)>,
    /// Shards of endpoints of which something was settled.
    pub(crate) settled: Vec<u16>,
    /// Endpoints that are held.
    pub(crate) held: Vec<(u16, EndpointKey)>,
}

/// What a hall is told.
pub enum Message {
    /// A shard is served here from now on, under this epoch.
    Adopted {
        /// The shard.
        shard: u16,
        /// Its epoch.
        epoch: u64,
    },
    /// A shard leaves: what is known of it is to be noted, and then `done` is called.
    Leaving {
        /// The shard.
        shard: u16,
        /// Called once.
        done: Box<dyn FnOnce() + Send>,
    },
    /// A shard is another owner's: nothing of it may be done here any more.
    Lost {
        /// The shard.
        shard: u16,
    },
    /// The journal of an account with endpoints went on.
    Moved {
        /// Its shard.
        shard: u16,
        /// How far.
        moved: Moved,
    },
    /// Somebody wants something.
    Command(Command),
}

/// Something that is to be done outside.
#[derive(Debug)]
pub struct Todo {
    /// Goes back to [`Hall::ended`].
    pub ticket: Ticket,
    /// What.
    pub what: What,
}

/// Names what was begun.
#[derive(Debug)]
pub struct Ticket(Named);

#[derive(Debug)]
enum Named {
    Send(tollgate_pools::Ticket),
    Test(u64),
    Read(u64),
}

/// See [`Todo`].
#[derive(Debug)]
pub enum What {
    /// Make a delivery; its end is an [`Ended::Sent`].
    Send(Sending),
    /// Send this to an endpoint, which is no event: a test. Its end is an [`Ended::Tested`].
    Test(Box<crate::ports::Delivery>),
    /// Read something; its end is an [`Ended::Read`].
    Read(Read),
}

/// What came of it.
#[derive(Debug)]
pub enum Ended {
    /// A delivery.
    Sent(Sent),
    /// A test.
    Tested(Outcome),
    /// A read.
    Read(Answered),
    /// It panicked, and said this.
    Panicked(String),
}

/// See the module.
pub struct Hall {
    common: Rc<Common>,
    settings: HallSettings,
    registry: Arc<Registry>,
    entropy: Entropy,
    now_ms: u64,
    floor: Floor<Lane>,
    places: HashMap<EndpointKey, LaneId>,
    keys: HashMap<LaneId, EndpointKey>,
    /// Lanes that fell too often, with why.
    quarantined: HashMap<EndpointKey, (Lane, String)>,
    accounts: HashMap<u64, Account>,
    shards: HashMap<u16, Shard>,
    errands: Errands,
    tests: HashMap<u64, commands::Test>,
    /// A look at all lanes that has begun.
    look: Option<figures::Look>,
    stopping: bool,
}

impl Hall {
    /// A hall without shards.
    pub fn new(settings: HallSettings, ports: HallPorts, registry: Arc<Registry>) -> Hall {
        let limits = Limits::quarters(settings.in_flight_max);
        let common = Common {
            ports,
            meters: Meters::new(),
            desk: RefCell::default(),
        };
        Hall {
            common: Rc::new(common),
            entropy: Entropy::new(settings.seed),
            settings,
            registry,
            now_ms: 0,
            floor: Floor::new(limits),
            places: HashMap::new(),
            keys: HashMap::new(),
            quarantined: HashMap::new(),
            accounts: HashMap::new(),
            shards: HashMap::new(),
            errands: Errands::default(),
            tests: HashMap::new(),
            look: None,
            stopping: false,
        }
    }

    /// Hears something.
    pub fn hear(&mut self, now_ms: u64, message: Message) {
        self.now_ms = self.now_ms.max(now_ms);
        match message {
            Message::Adopted { shard, epoch } => self.adopt(shard, epoch),
            Message::Leaving { shard, done } => self.leave(shard, done),
            Message::Lost { shard } => self.lose(shard),
            Message::Moved { shard, moved } => self.moved(shard, moved),
            Message::Command(command) => self.command(command),
        }
        self.raise_fallen();
    }

    /// Something that was to be done has ended.
    pub fn ended(&mut self, now_ms: u64, ticket: Ticket, ended: Ended) {
        self.now_ms = self.now_ms.max(now_ms);
        let now_ms = self.now_ms;
        match (ticket.0, ended) {
            (Named::Send(ticket), Ended::Sent(sent)) => self.floor.done(now_ms, ticket, sent),
            (Named::Send(ticket), Ended::Panicked(why)) => self.floor.job_panicked(now_ms, ticket, &why),
            (Named::Test(test), Ended::Tested(outcome)) => self.tested(test, Some(outcome)),
            (Named::Test(test), _) => self.tested(test, None),
            (Named::Read(read), Ended::Read(answered)) => self.answered(read, Some(answered)),
            (Named::Read(read), _) => self.answered(read, None),
            (Named::Send(..), Ended::Tested(_) | Ended::Read(_)) => {
                unreachable!("a delivery ends as one that was sent, or panics")
            }
        }
        self.raise_fallen();
    }

    /// Gives everyone their turn: appends what is to be done outside, some `sends_max` deliveries at most. True when another
    /// turn is wanted without waiting.
    pub fn turn(&mut self, now_ms: u64, sends_max: usize, out: &mut Vec<Todo>) -> bool {
        self.now_ms = self.now_ms.max(now_ms);
        self.see_to_notes();
        let mut started = Vec::new();
        let again = self.floor.turn(self.now_ms, sends_max, &mut started);
        out.extend(started.into_iter().map(|started| {
            let ticket = Ticket(Named::Send(started.ticket));
            let what = What::Send(started.job);
            Todo { ticket, what }
        }));
        self.raise_fallen();
        self.clear_desk();
        self.watch_leaving();
        self.start_tests(out);
        self.errands.start(self.now_ms, out);
        again
    }

    /// When a turn is wanted although nothing was heard.
    pub fn wakes_at(&mut self) -> Option<u64> {
        let flush = self.shards.values().filter_map(|shard| shard.wakes_at()).min();
        let floor = self.floor.wakes_at();
        flush.into_iter().chain(floor).chain(self.errands.wakes_at()).min()
    }

    /// Nothing new is begun from now on.
    pub fn stop(&mut self, now_ms: u64) {
        self.now_ms = self.now_ms.max(now_ms);
        self.stopping = true;
        let lanes: Vec<LaneId> = self.places.values().copied().collect();
        for lane in lanes {
            self.floor.tell(now_ms, lane, Lane::stop_serving);
        }
        self.raise_fallen();
        self.clear_desk();
        for here in self.shards.values_mut().filter(|here| !here.noting.is_done()) {
            here.noting.flush_by(now_ms);
        }
    }

    /// Whether everything has ended, and all that is known is noted.
    pub fn has_stopped(&self) -> bool {
        self.stopping && self.floor.slots().taken() == 0 && self.shards.values().all(|here| here.noting.is_done())
    }

    /// What lanes left: reads, what is to be noted, and who is held.
    fn clear_desk(&mut self) {
        let desk = std::mem::take(&mut *self.common.desk.borrow_mut());
        for (key, ask) in desk.asks {
            self.errands.of_lane(key, ask);
        }
        let now_ms = self.now_ms;
        for (shard, key) in desk.changed {
            if let Some(here) = self.shards.get_mut(&shard) {
                here.noting.changed(now_ms, key);
            }
        }
        for shard in desk.settled {
            if let Some(here) = self.shards.get_mut(&shard) {
                here.noting.settled(now_ms);
            }
        }
        for (shard, key) in desk.held {
            if let Some(here) = self.shards.get_mut(&shard) {
                here.noting.held(key);
            }
        }
    }

    /// Lanes that fell: a new one takes the place, with the same book; or nobody does, until an operator says so. At the end of
    /// whatever may let one fall: its place may be another's once its endpoint is gone, or its shard.
    fn raise_fallen(&mut self) {
        for fallen in self.floor.fallen() {
            let Fallen {
                lane,
                remains,
                message,
                verdict,
            } = fallen;
            let key = remains.key();
            if self.places.get(&key) != Some(&lane) {
                // It fell and was taken away at once.
                continue;
            }
            metrics::counter!(tollgate_pools::metrics::PANICS, "pool" => "webhooks").increment(1);
            if verdict == Verdict::Restart {
                tracing::error!(endpoint = %remains.view.id, why = message, "a lane panicked; it goes on from its book");
                let next = Lane::instead_of(remains);
                self.floor.put_back(lane, next);
                continue;
            }
            metrics::counter!(tollgate_pools::metrics::QUARANTINES, "pool" => "webhooks").increment(1);
            tracing::error!(endpoint = %remains.view.id, why = message,
                "a lane panicked too often; nothing is sent to this endpoint until it is resumed");
            self.common.ports.alarm.raise(remains.shard, key, Alert::Quarantined);
            self.common.ports.transport.forget(key);
            self.floor.remove(lane);
            self.places.remove(&key);
            self.keys.remove(&lane);
            self.quarantined.insert(key, (remains, message));
        }
    }
}
