//! The world: accounts whose journals go on, processes that deliver for them, receivers, and a queue of what happens when.

use crate::auditor::Auditor;
use crate::chance::Chance;
use crate::journal::Shard;
use crate::receivers::Receiver;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{Arc, Mutex, MutexGuard};
use tollgate_webhooks::hall::{
    Answered, Command, Ended, Hall, HallPorts, HallSettings, Message, Read, Ticket, Todo, What,
};
use tollgate_webhooks::ports::{
    AccountView, Alarm, Alert, Attempt, BoxFuture, Delivery, Event, Note, Notes, Outcome, SourceError, Trail, Transport,
};
use tollgate_webhooks::{
    ActiveSecret, EndpointKey, EndpointView, Moved, Ordering, Patterns, Registry, Schedule, Secret, Sending, Sent,
    SentResult, Status,
};

/// When worlds begin.
pub(crate) const BEGIN_MS: u64 = 1_800_000_000_000;
pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;
/// What a panic of a lane says here.
pub(crate) const PANIC: &str = "simulated panic";
/// Longest time from writing a note until it is durable.
const DURABLE_MAX_MS: u64 = 30;
/// What was taken so long before a crash is noted: what is flushed every 50 ms, and becomes durable.
pub(crate) const NOTED_MS: u64 = 50 + DURABLE_MAX_MS;
const KINDS: [&str; 3] = ["payment_intent.succeeded", "charge.refunded", "charge.updated"];

/// An account: a log of events, with gaps where objects are.
pub(crate) struct Account {
    pub(crate) shard: u16,
    pub(crate) seq: u64,
    pub(crate) events: BTreeMap<u64, Event>,
    nth: BTreeMap<u64, u64>,
    pub(crate) endpoints: BTreeMap<u64, EndpointView>,
}

/// What a process hands out in the middle of a turn.
#[derive(Default)]
pub(crate) struct Heard {
    notes: Vec<(u16, u64, Note)>,
    alerts: Vec<(u16, EndpointKey, Alert)>,
    /// The next attempt of this endpoint that is logged panics.
    pub(crate) panics: Option<EndpointKey>,
    panicked: Vec<EndpointKey>,
    left: Vec<u16>,
}

#[derive(Clone, Default)]
pub(crate) struct Ports(Arc<Mutex<Heard>>);

impl Ports {
    pub(crate) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Notes for Ports {
    fn write(&self, shard: u16, epoch: u64, note: Note) {
        self.heard().notes.push((shard, epoch, note));
    }
}

impl Trail for Ports {
    fn attempt(&self, attempt: Attempt) {
        let mut heard = self.heard();
        if let Some(key) = heard.panics.take_if(|key| *key == attempt.endpoint) {
            heard.panicked.push(key);
            drop(heard);
            panic!("{PANIC}");
        }
    }
}

impl Alarm for Ports {
    fn raise(&self, shard: u16, endpoint: EndpointKey, alert: Alert) {
        self.heard().alerts.push((shard, endpoint, alert));
    }
}

impl Transport for Ports {
    fn send(&self, _: Delivery) -> BoxFuture<Outcome> {
        unreachable!("deliveries are made by the world")
    }

    fn forget(&self, _: EndpointKey) {}
}

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

    /// A new account, whose number says its shard.
    pub(crate) fn open_account(&mut self) -> u64 {
        let account = self.accounts.len() as u64 + 1;
        let shard = (account % self.shards.len() as u64) as u16;
        let account_of = Account {
            shard,
            seq: 0,
            events: BTreeMap::new(),
            nth: BTreeMap::new(),
            endpoints: BTreeMap::new(),
        };
        self.accounts.insert(account, account_of);
        account
    }

    /// A new endpoint of an account.
    pub(crate) fn register(
        &mut self,
        account: u64,
        ordering: Ordering,
        receiver: Receiver,
        patterns: &[&str],
    ) -> EndpointKey {
        let known = self.accounts.get_mut(&account).expect("an account");
        known.seq += 1;
        let key = EndpointKey {
            account,
            seq: known.seq,
        };
        let secret = ActiveSecret {
            secret: Secret::new("whsec_simulated".into()),
            until_s: None,
        };
        let view = EndpointView {
            key,
            id: format!("we_{account}_{}", key.seq).into(),
            revision: 1,
            livemode: false,
            url: "http://receiver.invalid/".into(),
            filter: Patterns::new(patterns.iter().copied()).expect("patterns"),
            api_version: "2026-01-01".into(),
            status: Status::Enabled,
            secrets: vec![secret],
            ordering,
            timeout_ms: 10_000,
            rate_per_s: None,
            schedule: Schedule::default(),
            standard_headers: false,
        };
        known.endpoints.insert(key.seq, view);
        self.receivers.insert(key, receiver);
        self.endpoint_changed(key);
        key
    }

    /// Changes an endpoint.
    pub(crate) fn change(&mut self, key: EndpointKey, change: impl FnOnce(&mut EndpointView)) {
        let known = self.accounts.get_mut(&key.account).expect("an account");
        let Some(view) = known.endpoints.get_mut(&key.seq) else {
            return;
        };
        change(view);
        view.revision += 1;
        self.endpoint_changed(key);
    }

    pub(crate) fn delete(&mut self, key: EndpointKey) {
        let known = self.accounts.get_mut(&key.account).expect("an account");
        if known.endpoints.remove(&key.seq).is_some() {
            self.auditor.deleted(self.now, key);
            self.endpoint_changed(key);
        }
    }

    fn endpoint_changed(&mut self, key: EndpointKey) {
        let shard = self.accounts[&key.account].shard;
        let number = self.shards[usize::from(shard)].changed(key.account, key.seq);
        self.moved(key.account, Some(number));
    }

    /// An event about an object happens; objects themselves take numbers too.
    pub(crate) fn happens(&mut self, account: u64, object: u64) {
        let gap = self.chance.of(1..5);
        let kind = KINDS[self.chance.of(0..3) as usize];
        let known = self.accounts.get_mut(&account).expect("an account");
        known.seq += gap;
        let nth = known.nth.entry(object).or_default();
        *nth += 1;
        let event = Event {
            seq: known.seq,
            kind,
            created_ms: self.now,
            object,
            nth: *nth,
        };
        known.events.insert(event.seq, event);
        self.moved(account, None);
    }

    fn moved(&mut self, account: u64, change: Option<u64>) {
        let (shard, upto) = (self.accounts[&account].shard, self.accounts[&account].seq);
        let moved = Moved { account, upto, change };
        if let Some(owner) = self.shards[usize::from(shard)].owner {
            let after = self.chance.of(0..5);
            self.tell_later(owner, after, Message::Moved { shard, moved });
        }
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
            self.auditor
                .owner_gone(self.now, |key| self.accounts[&key.account].shard == *shard);
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
            again = hall.turn(self.now, &mut todo);
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
        for (shard, epoch, note) in notes {
            let durable_at = self.now + self.chance.of(1..DURABLE_MAX_MS);
            self.shards[usize::from(shard)].write(epoch, note, durable_at);
        }
        for (_, key, alert) in alerts {
            self.alerts.push((self.now, key, alert));
            if matches!(alert, Alert::Gone | Alert::Dead { .. }) {
                self.change(key, |view| view.status = Status::Disabled);
            }
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

    fn begin(&mut self, process: usize, todo: Todo) {
        let life = self.processes[process].life;
        let (ended, after, flight) = match todo.what {
            What::Send(sending) => self.send(process, &sending),
            What::Test(_) => (
                Ended::Tested(Outcome::of(tollgate_webhooks::ports::Answer::Taken { status: 200 }, 1)),
                1,
                None,
            ),
            What::Read(read) => (Ended::Read(self.read(read)), self.chance.of(0..8), None),
        };
        self.at(
            after,
            Action::Ended(process, life, todo.ticket, Box::new(ended), flight),
        );
    }

    fn send(&mut self, process: usize, sending: &Sending) -> (Ended, u64, Option<u64>) {
        let key = sending.endpoint.key;
        let (second, lately) = self.lately.entry(key).or_default();
        if *second != self.now / SECOND {
            (*second, *lately) = (self.now / SECOND, 0);
        }
        *lately += 1;
        let receiver = self.receivers[&key];
        let (outcome, taken) = receiver.answer(self.now, &sending.event, *lately - 1, sending.endpoint.timeout_ms);
        let acknowledged = outcome.answer.is_taken();
        let owner = (
            process,
            self.processes[process].life,
            self.shards[usize::from(self.accounts[&key.account].shard)].epoch,
        );
        let flight = self.auditor.sent(self.now, owner, sending, taken, acknowledged);
        let after = u64::from(outcome.took_ms);
        let result = SentResult::Tried {
            event_id: "evt_simulated".into(),
            outcome,
        };
        let token = sending.token;
        (Ended::Sent(Sent { token, result }), after, Some(flight))
    }

    fn read(&mut self, read: Read) -> Answered {
        let unread = self.unread_in > 0 && self.chance.once_in(self.unread_in);
        let error = || SourceError("simulated".into());
        let now = self.now;
        self.shards.iter_mut().for_each(|shard| shard.keep(now));
        match read {
            Read::Notes { .. } if unread => Answered::Notes(Err(error())),
            Read::Notes { shard } => Answered::Notes(Ok(self.shards[usize::from(shard)].notes())),
            Read::Page { .. } if unread => Answered::Page(Err(error())),
            Read::Page { shard, number } => Answered::Page(Ok(self.shards[usize::from(shard)].page(number))),
            Read::Account { .. } if unread => Answered::Account(Err(error())),
            Read::Account { account } => {
                let known = &self.accounts[&account];
                Answered::Account(Ok(AccountView {
                    upto: known.seq,
                    endpoints: known.endpoints.values().cloned().collect(),
                }))
            }
            Read::EventsAfter { .. } | Read::Events { .. } if unread => Answered::Events(Err(error())),
            Read::EventsAfter { account, after, limit } => {
                let events = self.accounts[&account].events.range(after + 1..).take(limit);
                Answered::Events(Ok(events.map(|(_, event)| event.clone()).collect()))
            }
            Read::Events { account, seqs } => {
                let events = &self.accounts[&account].events;
                Answered::Events(Ok(seqs.iter().filter_map(|seq| events.get(seq).cloned()).collect()))
            }
            Read::FirstSince { account, since_ms } => {
                let known = &self.accounts[&account];
                let first = known.events.values().find(|event| event.created_ms >= since_ms);
                Answered::FirstSince(Ok(first.map_or(known.seq, |event| event.seq)))
            }
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

    /// Every endpoint that was not deleted.
    pub(crate) fn endpoints(&self) -> Vec<EndpointView> {
        self.accounts
            .values()
            .flat_map(|account| account.endpoints.values().cloned())
            .collect()
    }

    /// The events that an endpoint is to have.
    pub(crate) fn wanted<'a>(&'a self, view: &'a EndpointView) -> impl Iterator<Item = &'a Event> {
        let events = self.accounts[&view.key.account].events.range(view.key.seq + 1..);
        events
            .map(|(_, event)| event)
            .filter(|event| view.filter.want(event.kind))
    }

    /// How many endpoints have not taken an event, as the owner of its shard says.
    pub(crate) fn pending_at(&self, account: u64, seq: u64, kind: &str) -> Vec<EndpointKey> {
        let shard = &self.shards[usize::from(self.accounts[&account].shard)];
        let owner = shard.owner.expect("somebody serves the shard");
        self.processes[owner].registry.pending_at(account, seq, kind)
    }

    fn at(&mut self, after: u64, action: Action) {
        self.numbers += 1;
        self.queue.push(Reverse((self.now + after, self.numbers)));
        self.actions.insert(self.numbers, action);
    }
}
