//! Many nodes and one pair of tables in virtual time. Statements take a while to arrive and their answers a while to come
//! back; a node may be paused, killed and started again; the store may be slow, or away.

use crate::chance::Chance;
use crate::tables::Row;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;
use tollgate_cluster::{Action, End, Event, Me, Member, NodeRow, Pace, Place, Process, Standing};
use tollgate_store::ShardId;

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

pub(crate) enum Happens {
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
    pub(crate) refused: BTreeSet<(Process, ShardId, u64)>,
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

    pub(crate) fn put(&mut self, after: Duration, what: Happens) {
        self.count += 1;
        self.queue.push(Reverse((self.now + after, self.count)));
        self.happens.insert(self.count, what);
    }

    pub(crate) fn way(&mut self) -> Duration {
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

    pub(crate) fn answer(&mut self, process: Process, event: Event) {
        let after = self.way();
        self.put(after, Happens::Heard { process, event });
    }

    fn warm(&mut self, process: Process, shard: ShardId, epoch: u64) {
        if let Some(node) = self.nodes.get_mut(&process) {
            node.serving.insert(shard, epoch);
        }
        let outcome = Ok(epoch);
        self.hear(process, Event::Adopted { shard, outcome });
    }
}
