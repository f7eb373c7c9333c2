//! Many nodes and one pair of tables in virtual time. Statements take a while to arrive and their answers a while to come
//! back; a node may be paused, killed and started again; the store may be slow, or away.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tollgate_cluster::{
    Action, Beaten, End, Event, Me, Member, NodeRow, NotAdopted, Pace, Place, Process, ShardRow, Standing, View,
};
use tollgate_store::ShardId;

/// Chance, from a seed.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound.max(1)
    }

    pub(crate) fn ms(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from + 1))
    }

    pub(crate) fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
}

/// A row of `shards`, as the table has it.
#[derive(Clone, Default)]
pub(crate) struct Row {
    pub(crate) epoch: u64,
    pub(crate) owner: Option<Process>,
    /// With the epoch in which it was named.
    heir: Option<(Process, u64)>,
    freed: Option<u64>,
}

pub(crate) struct Node {
    pub(crate) member: Member,
    pub(crate) process: Process,
    /// What is served here, with its epoch.
    pub(crate) serving: BTreeMap<ShardId, u64>,
    pub(crate) ended: Option<End>,
    paused: bool,
    /// What comes while it is paused.
    waiting: Vec<Event>,
    /// Its steady clock stands at zero here.
    pub(crate) born: Duration,
    ticks: u64,
}

enum Happens {
    Tick {
        process: Process,
        number: u64,
    },
    /// A statement arrives at the store.
    Arrives {
        process: Process,
        action: Action,
        began: Duration,
    },
    /// Something is heard by a process.
    Heard {
        process: Process,
        event: Event,
    },
    /// A shard can be served now.
    Warm {
        process: Process,
        shard: ShardId,
        epoch: u64,
    },
}

pub(crate) struct World {
    pub(crate) now: Duration,
    pub(crate) chance: Chance,
    pub(crate) pace: Pace,
    pub(crate) shards: u16,
    pub(crate) rows: BTreeMap<ShardId, Row>,
    pub(crate) members: BTreeMap<Arc<str>, NodeRow>,
    pub(crate) nodes: BTreeMap<Process, Node>,
    /// Claims that were granted: when, what, by whom.
    pub(crate) claims: Vec<(Duration, ShardId, Process)>,
    /// Adoptions that were begun, granted or not.
    pub(crate) tries: usize,
    /// Claims that a process was told to be another's: nobody tries one of these again.
    refused: BTreeSet<(Process, ShardId, u64)>,
    queue: BinaryHeap<Reverse<(Duration, u64)>>,
    happens: BTreeMap<u64, Happens>,
    count: u64,
    /// Slowest way to the store and back, milliseconds.
    pub(crate) slow_ms: u64,
    pub(crate) store_away: bool,
    /// Conditional writes get no answer and are not done; reads are answered.
    pub(crate) writes_away: bool,
    /// One adoption in so many fails after its claim.
    pub(crate) adoptions_fail: Option<u64>,
    /// Every adoption of this one does.
    pub(crate) cannot_adopt: Option<Process>,
}

impl World {
    pub(crate) fn new(seed: u64, shards: u16, pace: Pace) -> World {
        World {
            now: Duration::ZERO,
            chance: Chance::new(seed),
            pace,
            shards,
            rows: BTreeMap::new(),
            members: BTreeMap::new(),
            nodes: BTreeMap::new(),
            claims: Vec::new(),
            tries: 0,
            refused: BTreeSet::new(),
            queue: BinaryHeap::new(),
            happens: BTreeMap::new(),
            count: 0,
            slow_ms: 20,
            store_away: false,
            writes_away: false,
            adoptions_fail: None,
            cannot_adopt: None,
        }
    }

    /// Starts a process with this name.
    pub(crate) fn start(&mut self, name: &str) -> Process {
        let process = Process(1_000 + self.count);
        let me = Me {
            node: name.into(),
            process,
        };
        let node = Node {
            member: Member::new(me, self.shards, self.pace),
            process,
            serving: BTreeMap::new(),
            ended: None,
            paused: false,
            waiting: Vec::new(),
            born: self.now,
            ticks: 0,
        };
        self.nodes.insert(process, node);
        self.hear(process, Event::Tick);
        process
    }

    /// The process is gone from one moment to the next; what it sent still arrives.
    pub(crate) fn kill(&mut self, process: Process) {
        self.nodes.remove(&process);
    }

    pub(crate) fn pause(&mut self, process: Process) {
        if let Some(node) = self.nodes.get_mut(&process) {
            node.paused = true;
        }
    }

    pub(crate) fn resume(&mut self, process: Process) {
        let Some(node) = self.nodes.get_mut(&process) else {
            return;
        };
        node.paused = false;
        for event in std::mem::take(&mut node.waiting) {
            self.hear(process, event);
        }
        self.hear(process, Event::Tick);
    }

    pub(crate) fn say(&mut self, process: Process, event: Event) {
        self.hear(process, event);
    }

    /// The processes that run, by the name of their node.
    pub(crate) fn running(&self) -> Vec<Process> {
        let running = self.nodes.values().filter(|node| node.ended.is_none());
        running.map(|node| node.process).collect()
    }

    pub(crate) fn run_until(&mut self, until: Duration) {
        while let Some(&Reverse((at, number))) = self.queue.peek() {
            if at > until {
                break;
            }
            self.queue.pop();
            self.now = at;
            match self.happens.remove(&number).expect("it was put there") {
                Happens::Tick { process, number } => {
                    if self.nodes.get(&process).is_some_and(|node| node.ticks == number) {
                        self.hear(process, Event::Tick);
                    }
                }
                Happens::Heard { process, event } => self.hear(process, event),
                Happens::Arrives { process, action, began } => self.arrives(process, action, began),
                Happens::Warm { process, shard, epoch } => self.warm(process, shard, epoch),
            }
        }
        self.now = until;
    }

    /// Shards with an owner that lives and serves them.
    pub(crate) fn served(&self) -> BTreeMap<ShardId, Process> {
        let mut served = BTreeMap::new();
        for (shard, row) in &self.rows {
            let owner = row.owner.and_then(|owner| self.nodes.get(&owner));
            let Some(owner) = owner.filter(|owner| owner.ended.is_none() && !owner.paused) else {
                continue;
            };
            if owner.serving.get(shard) == Some(&row.epoch) {
                served.insert(*shard, owner.process);
            }
        }
        served
    }

    /// What does not hold in a cluster that was left in peace for a while.
    pub(crate) fn complaints(&self, quiet_since: Duration) -> Vec<String> {
        let mut complaints = Vec::new();
        let running = self.running();
        let served = self.served();
        let all = usize::from(self.shards) + 1;
        if !running.is_empty() && served.len() != all {
            complaints.push(format!("{} of {all} shards are served", served.len()));
        }
        let mut least_and_most = (usize::MAX, 0);
        for process in &running {
            let node = &self.nodes[process];
            if !matches!(node.member.standing(), Standing::In { .. }) {
                complaints.push(format!("{process:?} is {:?}", node.member.standing()));
            }
            let has = served.values().filter(|owner| *owner == process).count();
            least_and_most = (least_and_most.0.min(has), least_and_most.1.max(has));
            if node.serving.len() != has {
                complaints.push(format!(
                    "{process:?} believes that it serves {}, not {has}",
                    node.serving.len()
                ));
            }
            for (shard, place) in node.member.places() {
                let right = match (&place, served.get(&shard)) {
                    (Place::Here, Some(owner)) => owner == process,
                    (Place::At(peer), Some(owner)) => {
                        let row = self.members.get(&peer.node);
                        owner != process && row.is_some_and(|row| row.process == *owner && row.addr == peer.addr)
                    }
                    _ => false,
                };
                if !right {
                    complaints.push(format!("{process:?} has {shard:?} at {place:?}"));
                }
            }
        }
        if !running.is_empty() && least_and_most.1 - least_and_most.0 > 1 {
            complaints.push(format!("shares are from {} to {}", least_and_most.0, least_and_most.1));
        }
        if let Some((at, shard, process)) = self.claims.last().filter(|(at, ..)| *at > quiet_since) {
            complaints.push(format!("{process:?} still claimed {shard:?} at {at:?}"));
        }
        complaints
    }

    fn put(&mut self, after: Duration, what: Happens) {
        self.count += 1;
        self.queue.push(Reverse((self.now + after, self.count)));
        self.happens.insert(self.count, what);
    }

    fn way(&mut self) -> Duration {
        let slow = self.slow_ms;
        self.chance.ms(1, slow.max(2) / 2)
    }

    fn hear(&mut self, process: Process, event: Event) {
        let Some(node) = self.nodes.get_mut(&process) else {
            return;
        };
        if node.ended.is_some() {
            return;
        }
        if node.paused {
            if event != Event::Tick {
                node.waiting.push(event);
            }
            return;
        }
        let clock = self.now - node.born;
        let todo = node.member.hear(clock, event);
        node.ticks += 1;
        let (number, wakes_at) = (node.ticks, node.member.wakes_at());
        let after = wakes_at.saturating_sub(clock).max(Duration::from_millis(1));
        self.put(after, Happens::Tick { process, number });
        for action in todo {
            self.act(process, action, clock);
        }
    }

    fn act(&mut self, process: Process, action: Action, began: Duration) {
        let node = self.nodes.get_mut(&process).expect("it has just spoken");
        match action {
            Action::End(end) => node.ended = Some(end),
            Action::Forget { shard } => {
                node.serving.remove(&shard);
            }
            Action::Release { shard } => {
                node.serving.remove(&shard);
                let after = self.chance.ms(1, 300);
                self.put(
                    after,
                    Happens::Heard {
                        process,
                        event: Event::Released { shard },
                    },
                );
            }
            action => {
                self.tries += usize::from(matches!(action, Action::Adopt { .. }));
                let after = self.way();
                self.put(after, Happens::Arrives { process, action, began });
            }
        }
    }

    fn answer(&mut self, process: Process, event: Event) {
        let after = self.way();
        self.put(after, Happens::Heard { process, event });
    }

    /// A statement that gets no answer: it times out.
    fn no_answer(action: &Action, began: Duration) -> Option<Event> {
        Some(match action {
            Action::Register { .. } => Event::Registered(None),
            Action::Beat { .. } => Event::Beaten(None),
            Action::Look => Event::Looked { began, view: None },
            Action::Adopt { shard, .. } => Event::Adopted {
                shard: *shard,
                outcome: Err(NotAdopted::Failed),
            },
            Action::Offer { shard, .. } => Event::Offered {
                shard: *shard,
                written: None,
            },
            Action::Watch { shard, epoch } => Event::Watched {
                shard: *shard,
                epoch: *epoch,
                freed: false,
            },
            Action::Free { shard, .. } => Event::Freed {
                shard: *shard,
                written: None,
            },
            Action::Depart => Event::Departed(None),
            Action::Release { .. } | Action::Forget { .. } | Action::Remove { .. } | Action::End(_) => return None,
        })
    }

    fn arrives(&mut self, process: Process, action: Action, began: Duration) {
        let writes = !matches!(action, Action::Look | Action::Watch { .. });
        let lost = self.no_answer_wanted();
        if self.writes_away && writes {
            if let Some(event) = World::no_answer(&action, began) {
                self.answer(process, event);
            }
            return;
        }
        if self.store_away || lost {
            // It may have been done all the same.
            if !self.store_away && self.chance.one_in(2) {
                self.done(process, action.clone(), began);
            }
            if let Some(event) = World::no_answer(&action, began) {
                let after = self.chance.ms(500, 2_000);
                self.put(after, Happens::Heard { process, event });
            }
            return;
        }
        let asked = match action {
            Action::Adopt { shard, from, .. } => Some((process, shard, from)),
            _ => None,
        };
        if let Some(event) = self.done(process, action, began) {
            if let (
                Some(asked),
                Event::Adopted {
                    outcome: Err(NotAdopted::Taken),
                    ..
                },
            ) = (asked, &event)
            {
                let first = self.refused.insert(asked);
                assert!(first, "{asked:?} was tried again after it was told to be taken");
            }
            self.answer(process, event);
        }
    }

    /// Where the store is slow, answers get lost as well.
    fn no_answer_wanted(&mut self) -> bool {
        self.slow_ms > 500 && self.chance.one_in(10)
    }

    /// Does a statement at the store; what its sender hears.
    fn done(&mut self, process: Process, action: Action, began: Duration) -> Option<Event> {
        let name = self.name_of(process)?;
        Some(match action {
            Action::Register { over, beat } => {
                let found = self.members.get(&name).map(|row| (row.process, row.beat));
                let free = found == over || found.is_some_and(|(known, _)| known == process);
                if free {
                    let row = self.row_of(&name, process, beat);
                    self.members.insert(name, row);
                }
                Event::Registered(Some(free))
            }
            Action::Beat { beat, leaving } => Event::Beaten(Some(match self.members.get_mut(&name) {
                None => Beaten::Gone,
                Some(row) if row.process != process => Beaten::Replaced,
                Some(row) => {
                    (row.beat, row.leaving) = (beat, leaving);
                    Beaten::Kept
                }
            })),
            Action::Look => Event::Looked {
                began,
                view: Some(self.view()),
            },
            Action::Adopt { shard, from, .. } => return self.claim(process, shard, from),
            Action::Offer { shard, epoch, heir } => Event::Offered {
                shard,
                written: Some(self.write(shard, epoch, |row| row.heir = Some((heir, epoch)))),
            },
            Action::Free { shard, epoch } => Event::Freed {
                shard,
                written: Some(self.write(shard, epoch, |row| row.freed = Some(epoch))),
            },
            Action::Watch { shard, epoch } => {
                let row = self.rows.get(&shard).cloned().unwrap_or_default();
                let freed = row.freed == Some(epoch) && row.epoch == epoch && row.heir == Some((process, epoch));
                let watching = self.now - self.nodes.get(&process)?.born - began;
                if row.epoch == epoch && !freed && watching < Duration::from_secs(5) {
                    // It looks again.
                    let action = Action::Watch { shard, epoch };
                    self.put(Duration::from_millis(50), Happens::Arrives { process, action, began });
                    return None;
                }
                Event::Watched { shard, epoch, freed }
            }
            Action::Remove { node, process, beat } => {
                if self
                    .members
                    .get(&node)
                    .is_some_and(|row| (row.process, row.beat) == (process, beat))
                {
                    self.members.remove(&node);
                }
                return None;
            }
            Action::Depart => {
                if self.members.get(&name).is_some_and(|row| row.process == process) {
                    self.members.remove(&name);
                }
                Event::Departed(Some(true))
            }
            Action::Release { .. } | Action::Forget { .. } | Action::End(_) => return None,
        })
    }

    fn claim(&mut self, process: Process, shard: ShardId, from: u64) -> Option<Event> {
        let row = self.rows.entry(shard).or_default();
        if row.epoch != from {
            let outcome = Err(NotAdopted::Taken);
            return Some(Event::Adopted { shard, outcome });
        }
        (row.epoch, row.owner) = (from + 1, Some(process));
        let epoch = row.epoch;
        self.claims.push((self.now, shard, process));
        let fails = self.adoptions_fail.is_some_and(|of| self.chance.one_in(of));
        if fails || self.cannot_adopt == Some(process) {
            let outcome = Err(NotAdopted::Failed);
            return Some(Event::Adopted { shard, outcome });
        }
        let after = self.chance.ms(10, 400);
        self.put(after, Happens::Warm { process, shard, epoch });
        None
    }

    fn warm(&mut self, process: Process, shard: ShardId, epoch: u64) {
        if let Some(node) = self.nodes.get_mut(&process) {
            node.serving.insert(shard, epoch);
        }
        let outcome = Ok(epoch);
        self.hear(process, Event::Adopted { shard, outcome });
    }

    fn write(&mut self, shard: ShardId, epoch: u64, change: impl FnOnce(&mut Row)) -> bool {
        let row = self.rows.entry(shard).or_default();
        let applies = row.epoch == epoch;
        if applies {
            change(row);
        }
        applies
    }

    fn view(&self) -> View {
        let shard = |(shard, row): (&ShardId, &Row)| ShardRow {
            shard: *shard,
            epoch: row.epoch,
            owner: row.owner,
            heir: row.heir.filter(|(_, epoch)| *epoch == row.epoch).map(|(heir, _)| heir),
            freed: row.freed == Some(row.epoch),
        };
        View {
            shards: self.rows.iter().map(shard).collect(),
            nodes: self.members.values().cloned().collect(),
        }
    }

    fn name_of(&self, process: Process) -> Option<Arc<str>> {
        self.nodes.get(&process).map(|node| node.member.node())
    }

    fn row_of(&self, name: &Arc<str>, process: Process, beat: u64) -> NodeRow {
        NodeRow {
            node: Arc::clone(name),
            process,
            addr: SocketAddr::from(([127, 0, 0, 1], (process.0 % 50_000) as u16 + 1)),
            beat,
            leaving: false,
        }
    }
}
