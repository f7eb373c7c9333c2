//! The world: accounts whose journals go on, processes that deliver for them, receivers, and a queue of what happens when.

mod accounts;
mod outside;
mod ports;

use crate::auditor::Auditor;
use crate::chance::Chance;
use crate::journal::Shard;
use crate::receivers::Receiver;
use accounts::Account;
use ports::Ports;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use tollgate_webhooks::hall::{Command, Ended, Hall, HallPorts, HallSettings, Message, Ticket};
use tollgate_webhooks::ports::Alert;
use tollgate_webhooks::{EndpointKey, Registry, Status, SwitchedOff};

/// When worlds begin.
pub(crate) const BEGIN_MS: u64 = 1_800_000_000_000;
pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;
/// What a panic of a lane says here.
pub(crate) const PANIC: &str = "simulated panic";
/// Longest time from writing a note until it is durable, as a rule and where the store is slow.
pub(crate) const DURABLE_MAX_MS: u64 = 10;
pub(crate) const SLOW_MAX_MS: u64 = 400;

/// A process, alive or not.
pub(crate) struct Process {
    pub(crate) hall: Option<Hall>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) ports: Ports,
    /// Counts its lives.
    pub(crate) life: u64,
    wakes_at: Option<u64>,
}

enum Action {
    /// Something that a hall wanted done has ended.
    Ended(usize, u64, Ticket, Box<Ended>, Option<u64>),
    /// A process hears something.
    Tell(usize, u64, Message),
    Wake(usize),
    /// A shard that was let go, or lost, is adopted by this process.
    Adopt(u16, usize),
    /// A process starts again.
    Start(usize),
}

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) chance: Chance,
    pub(crate) now: u64,
    pub(crate) shards: Vec<Shard>,
    pub(crate) accounts: BTreeMap<u64, Account>,
    pub(crate) receivers: BTreeMap<EndpointKey, Receiver>,
    pub(crate) processes: Vec<Process>,
    pub(crate) auditor: Auditor,
    pub(crate) alerts: Vec<(u64, EndpointKey, Alert)>,
    /// Lanes that panicked.
    pub(crate) panics: u64,
    /// Deliveries that may be out at once in a process.
    in_flight_max: usize,
    pub(crate) failed_bytes_max: usize,
    /// Longest time from writing a note until it is durable.
    pub(crate) durable_max: u64,
    /// One read in so many fails; 0 for none.
    pub(crate) unread_in: u64,
    lately: BTreeMap<EndpointKey, (u64, u32)>,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    actions: BTreeMap<u64, Action>,
    numbers: u64,
}

impl World {
    pub(crate) fn new(seed: u64, processes: usize, shards: u16, in_flight_max: usize) -> World {
        let mut world = World {
            seed,
            chance: Chance::new(seed),
            now: BEGIN_MS,
            shards: (0..shards).map(|_| Shard::default()).collect(),
            accounts: BTreeMap::new(),
            receivers: BTreeMap::new(),
            processes: Vec::new(),
            auditor: Auditor::new(seed),
            alerts: Vec::new(),
            panics: 0,
            in_flight_max,
            failed_bytes_max: 1 << 20,
            durable_max: DURABLE_MAX_MS,
            unread_in: 0,
            lately: BTreeMap::new(),
            queue: BinaryHeap::new(),
            actions: BTreeMap::new(),
            numbers: 0,
        };
        for _ in 0..processes {
            world.processes.push(Process {
                hall: None,
                registry: Arc::default(),
                ports: Ports::default(),
                life: 0,
                wakes_at: None,
            });
        }
        (0..processes).for_each(|process| world.start(process));
        for shard in 0..shards {
            world.adopt(shard, usize::from(shard) % processes);
        }
        world
    }

    /// A process hears a command.
    pub(crate) fn command(&mut self, account: u64, command: Command) -> bool {
        let shard = self.accounts[&account].shard;
        let owner = self.shards[usize::from(shard)].owner;
        let Some(owner) = owner.filter(|owner| self.processes[*owner].hall.is_some()) else {
            return false;
        };
        self.tell(owner, Message::Command(command));
        true
    }

    /// Kills a process. What it had in hand is gone, and of the tails of its journals some.
    pub(crate) fn crash(&mut self, process: usize) {
        let dead = &mut self.processes[process];
        if dead.hall.take().is_none() {
            return;
        }
        dead.life += 1;
        dead.wakes_at = None;
        let mine: Vec<u16> = self.owned_by(process);
        for shard in &mine {
            self.auditor.owner_gone(self.now, 3 * SLOW_MAX_MS, |key| {
                self.accounts[&key.account].shard == *shard
            });
            self.shards[usize::from(*shard)].keep(self.now);
            let tail = self.shards[usize::from(*shard)].tail_len() as u64;
            let kept = self.chance.of(0..tail + 1) as usize;
            self.shards[usize::from(*shard)].take_over(kept);
            let to = self.chance.of(0..self.processes.len() as u64) as usize;
            let after = self.chance.of(500..8_000);
            self.at(after, Action::Adopt(*shard, to));
        }
        let after = self.chance.of(500..5_000);
        self.at(after, Action::Start(process));
    }

    /// A delivery of the shard ends, and before anything else is done the shard is found to be another's.
    pub(crate) fn lose_as_one_ends(&mut self, shard: u16) {
        let number = self.actions.iter().find_map(|(number, action)| match action {
            Action::Ended(.., Some(_)) => Some(*number),
            _ => None,
        });
        let action = number.and_then(|number| self.actions.remove(&number));
        let Some(Action::Ended(process, life, ticket, ended, Some(flight))) = action else {
            panic!("a delivery is out")
        };
        self.auditor
            .landed(self.now, flight, self.processes[process].life == life);
        let hall = self.processes[process].hall.as_mut().expect("it serves the shard");
        hall.ended(self.now, ticket, *ended);
        hall.hear(self.now, Message::Lost { shard });
        self.auditor.owner_gone(self.now, 3 * SLOW_MAX_MS, |key| {
            self.accounts[&key.account].shard == shard
        });
        self.shards[usize::from(shard)].take_over(usize::MAX);
        self.at(SECOND, Action::Adopt(shard, process));
        self.turn(process);
    }

    /// Moves a shard to another process, by the will of its owner.
    pub(crate) fn hand_over(&mut self, shard: u16) {
        let Some(owner) = self.shards[usize::from(shard)].owner else {
            return;
        };
        let ports = self.processes[owner].ports.clone();
        let done = Box::new(move || ports.heard().left.push(shard));
        self.tell(owner, Message::Leaving { shard, done });
    }

    /// Goes on until then.
    pub(crate) fn run_until(&mut self, until: u64) {
        while let Some(&Reverse((at, number))) = self.queue.peek()
            && at <= until
        {
            self.queue.pop();
            self.now = self.now.max(at);
            let now = self.now;
            self.shards.iter_mut().for_each(|shard| shard.keep(now));
            if let Some(action) = self.actions.remove(&number) {
                self.act(action);
            }
        }
        self.now = until;
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Ended(process, life, ticket, ended, flight) => {
                if let Some(flight) = flight {
                    self.auditor
                        .landed(self.now, flight, self.processes[process].life == life);
                }
                if self.processes[process].life == life
                    && let Some(hall) = &mut self.processes[process].hall
                {
                    hall.ended(self.now, ticket, *ended);
                    self.turn(process);
                }
            }
            Action::Tell(process, life, message) if self.processes[process].life == life => self.tell(process, message),
            Action::Tell(..) => {}
            Action::Wake(process) => {
                self.processes[process].wakes_at = None;
                self.turn(process);
            }
            Action::Adopt(shard, process) => match self.processes[process].hall {
                Some(_) => self.adopt(shard, process),
                None => self.at(1_000, Action::Adopt(shard, process)),
            },
            Action::Start(process) => self.start(process),
        }
    }

    fn start(&mut self, process: usize) {
        // Small, so that rows and their pages are written in every world.
        let settings = HallSettings {
            row_after_bytes: 2_000,
            note_bytes: 300,
            ..HallSettings::new(self.in_flight_max, self.failed_bytes_max, self.chance.next())
        };
        let registry = Arc::new(Registry::default());
        let ports = Ports::default();
        let all = HallPorts {
            notes: Arc::new(ports.clone()),
            trail: Arc::new(ports.clone()),
            alarm: Arc::new(ports.clone()),
            transport: Arc::new(ports.clone()),
        };
        let hall = Hall::new(settings, all, Arc::clone(&registry));
        let new = &mut self.processes[process];
        new.registry = registry;
        new.ports = ports;
        new.hall = Some(hall);
    }

    fn adopt(&mut self, shard: u16, process: usize) {
        let it = &mut self.shards[usize::from(shard)];
        if it.owner.is_some() {
            return;
        }
        let epoch = it.take_over(0);
        it.owner = Some(process);
        self.tell(process, Message::Adopted { shard, epoch });
    }

    fn tell_later(&mut self, process: usize, after: u64, message: Message) {
        let life = self.processes[process].life;
        self.at(after, Action::Tell(process, life, message));
    }

    fn tell(&mut self, process: usize, message: Message) {
        if let Some(hall) = &mut self.processes[process].hall {
            hall.hear(self.now, message);
            self.turn(process);
        }
    }

    /// Lets a hall have its turns, and does what it wants done.
    fn turn(&mut self, process: usize) {
        let mut again = true;
        let mut turns = 0;
        while again {
            turns += 1;
            assert!(turns < 10_000, "seed {}: a hall never comes to rest", self.seed);
            let Some(hall) = &mut self.processes[process].hall else {
                return;
            };
            let mut todo = Vec::new();
            again = hall.turn(self.now, 128, &mut todo);
            for it in todo {
                self.begin(process, it);
            }
            self.hear_out(process);
        }
        let hall = self.processes[process].hall.as_mut();
        let wakes_at = hall.and_then(Hall::wakes_at).map(|at| at.max(self.now + 1));
        if let Some(at) = wakes_at
            && self.processes[process].wakes_at.is_none_or(|before| at < before)
        {
            self.processes[process].wakes_at = Some(at);
            self.at(at - self.now, Action::Wake(process));
        }
    }

    /// What a hall said to its ports.
    fn hear_out(&mut self, process: usize) {
        let mut heard = self.processes[process].ports.heard();
        let notes = std::mem::take(&mut heard.notes);
        let alerts = std::mem::take(&mut heard.alerts);
        let left = std::mem::take(&mut heard.left);
        let panicked = std::mem::take(&mut heard.panicked);
        drop(heard);
        for key in panicked {
            self.panics += 1;
            self.auditor.panicked(key);
        }
        for (shard, epoch, note, open) in notes {
            let durable_at = self.now + self.chance.of(1..self.durable_max);
            self.shards[usize::from(shard)].write(epoch, note, durable_at, open);
        }
        for (_, key, alert) in alerts {
            self.alerts.push((self.now, key, alert));
            let off = match alert {
                Alert::Gone => SwitchedOff::Gone,
                Alert::Dead { .. } => SwitchedOff::Failing,
                Alert::Failing { .. } | Alert::Recovered | Alert::Quarantined => continue,
            };
            self.change(key, |view| view.status = Status::Disabled(off));
        }
        for shard in &left {
            let it = &mut self.shards[usize::from(*shard)];
            let all = it.tail_len();
            it.take_over(all);
            // What is still out is not told to anybody any more.
            self.auditor.moved(|key| self.accounts[&key.account].shard == *shard);
            let to = self.chance.of(0..self.processes.len() as u64) as usize;
            let after = self.chance.of(10..1_000);
            self.at(after, Action::Adopt(*shard, to));
        }
    }

    pub(crate) fn owned_by(&self, process: usize) -> Vec<u16> {
        let owned = self
            .shards
            .iter()
            .enumerate()
            .filter(|(_, shard)| shard.owner == Some(process));
        owned.map(|(shard, _)| shard as u16).collect()
    }

    fn at(&mut self, after: u64, action: Action) {
        self.numbers += 1;
        self.queue.push(Reverse((self.now + after, self.numbers)));
        self.actions.insert(self.numbers, action);
    }
}
