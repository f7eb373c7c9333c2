//! Delivery of webhooks: a hall in each process, told what became durable, which reads the journal, notes its progress in it and
//! sends to receivers. Joined to the shards as the server joins them.
//!
//! It draws no dice: when something of it ends follows from what it is, so that the order in which a hall does things of the
//! same moment does not matter to the world.

use super::sending::identity;
use super::{Happening, World};
use crate::auditor::Failure;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tollgate_actors::outbox::{self, OpenNote, OpenNotes, Records};
use tollgate_actors::shard::Control;
use tollgate_domain::{AccountKey, Command};
use tollgate_relay::told::{moved_as, report_of};
use tollgate_resource::Id;
use tollgate_store::{Epoch, ShardId};
use tollgate_webhooks::hall::{self, Ended, Hall, HallPorts, HallSettings, Letters, Message, Read, Ticket};
use tollgate_webhooks::ports::{Alarm, Alert, Attempt, BoxFuture, Delivery, Note, Notes, Outcome, Trail, Transport};
use tollgate_webhooks::{EndpointKey, Registry, Sent};

/// Deliveries that may be out at once: so many that no endpoint waits for another one.
const IN_FLIGHT_MAX: usize = 4_096;
/// Memory for what failed: more than a run fills.
const FAILED_BYTES_MAX: usize = 256 << 20;
/// Rows are written early, so that each longer run has some.
const ROW_AFTER_BYTES: usize = 2_000;
/// How often it is looked whether a shard whose delivery rests can move, milliseconds.
const REST_LOOK_MS: u64 = 50;
/// Turns of a hall at one moment; one that takes more goes round in circles.
const TURNS_MAX: usize = 10_000;

/// Delivery of webhooks in one process.
pub(super) struct Post {
    hall: Hall,
    registry: Arc<Registry>,
    said: Said,
    /// By the wall clock when the process started, and when that was: it goes on by the steady clock.
    since_unix_ms: u64,
    began_ms: u64,
    wakes_at: Option<u64>,
    /// Shards that are here.
    here: BTreeSet<u16>,
    /// Shards whose delivery rests, so that they can move.
    resting: BTreeSet<u16>,
    /// Records that were read lately.
    records: Arc<Records>,
    /// Ids of the endpoints that were read.
    ids: BTreeMap<EndpointKey, Id>,
    /// Events whose outcome was heard and not compared yet.
    heard: Vec<(u64, u64)>,
}

/// What is on its way back to a hall.
#[derive(Debug)]
pub(super) enum Doing {
    Send(Sent, u64),
    Read(Read),
}

/// What a hall says in the middle of a turn.
#[derive(Clone)]
struct Said {
    open: OpenNotes,
    said: Arc<Mutex<Words>>,
}

#[derive(Default)]
struct Words {
    notes: Vec<(u16, u64, Note, OpenNote)>,
    alerts: Vec<(EndpointKey, Alert)>,
    /// Shards whose delivery has come to a rest, with the incarnation that was to leave.
    resting: Vec<(u16, Epoch)>,
}

impl Said {
    fn words(&self) -> MutexGuard<'_, Words> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notes for Said {
    fn write(&self, shard: u16, epoch: u64, note: Note) -> Result<(), Note> {
        let Some(open) = self.open.open(ShardId(shard)) else {
            return Err(note);
        };
        self.words().notes.push((shard, epoch, note, open));
        Ok(())
    }
    fn open(&self, shard: u16) -> usize {
        self.open.of(ShardId(shard))
    }
}

impl Trail for Said {
    fn attempt(&self, _: Attempt) {}
}

impl Alarm for Said {
    fn raise(&self, _: u16, endpoint: EndpointKey, alert: Alert) {
        self.words().alerts.push((endpoint, alert));
    }
}

impl Transport for Said {
    fn send(&self, _: Delivery) -> BoxFuture<Outcome> {
        unreachable!("the world sends")
    }
    fn forget(&self, _: EndpointKey) {}
}

impl Post {
    fn new(seed: u64, shards: u16, since_unix_ms: u64, began_ms: u64) -> Post {
        let settings = HallSettings {
            row_after_bytes: ROW_AFTER_BYTES,
            ..HallSettings::new(IN_FLIGHT_MAX, FAILED_BYTES_MAX, seed)
        };
        let said = Said {
            open: OpenNotes::new(shards),
            said: Arc::default(),
        };
        let ports = HallPorts {
            notes: Arc::new(said.clone()),
            trail: Arc::new(said.clone()),
            alarm: Arc::new(said.clone()),
            transport: Arc::new(said.clone()),
        };
        let registry = Arc::<Registry>::default();
        Post {
            hall: Hall::new(settings, ports, Arc::clone(&registry)),
            registry,
            said,
            since_unix_ms,
            began_ms,
            wakes_at: None,
            here: BTreeSet::new(),
            resting: BTreeSet::new(),
            records: Arc::default(),
            ids: BTreeMap::new(),
            heard: Vec::new(),
        }
    }

    /// Remembers the id of an endpoint that was read.
    pub(super) fn knows(&mut self, endpoint: EndpointKey, id: Id) {
        self.ids.insert(endpoint, id);
    }

    pub(super) fn records(&self) -> Arc<Records> {
        Arc::clone(&self.records)
    }

    fn unix_ms(&self, now_ms: u64) -> u64 {
        self.since_unix_ms + now_ms - self.began_ms
    }
}

impl World<'_> {
    /// A process begins to deliver.
    pub(super) fn open_post(&mut self) {
        let seed = self.plan.seed ^ u64::from(self.process) << 32;
        let shards = self.plan.weather.shards;
        self.post = Some(Post::new(seed, shards, self.unix_ms(), self.now_ms));
        (0..shards).for_each(|shard| self.post_adopts(shard));
    }

    /// The shard serves as another incarnation: what was known of its deliveries is read again.
    pub(super) fn post_adopts(&mut self, shard: u16) {
        let Some(epoch) = self.hosts[usize::from(shard)].supervised.epoch() else {
            return self.post_loses(shard);
        };
        if let Some(post) = &mut self.post {
            post.resting.remove(&shard);
            post.here.insert(shard);
        }
        self.tell_post(Message::Adopted { shard, epoch: epoch.0 });
    }

    /// The shard is gone, and with it what was not noted yet.
    pub(super) fn post_loses(&mut self, shard: u16) {
        let Some(post) = &mut self.post else { return };
        post.resting.remove(&shard);
        post.here.remove(&shard);
        self.auditor
            .lost(|account| self.plan.weather.shard_of(account) == shard);
        self.tell_post(Message::Lost { shard });
    }

    /// Accounts with endpoints have something new that is durable.
    pub(super) fn post_moved(&mut self, shard: u16, moved: &[outbox::Moved]) {
        for moved in moved {
            let moved = moved_as(moved);
            self.tell_post(Message::Moved { shard, moved });
        }
    }

    /// Delivery of a shard's events is to come to a rest; then it moves.
    pub(super) fn rest(&mut self, shard: u16) {
        let Some(post) = self.post.as_ref().filter(|post| post.here.contains(&shard)) else {
            return;
        };
        let Some(epoch) = self.hosts[usize::from(shard)].supervised.epoch() else {
            return;
        };
        let said = post.said.clone();
        let done = Box::new(move || said.words().resting.push((shard, epoch)));
        self.tell_post(Message::Leaving { shard, done });
    }

    /// Moves a shard whose delivery rests, once everything that was noted is durable.
    pub(super) fn rested(&mut self, shard: u16, process: u32) -> Result<(), Failure> {
        let Some(post) = self.post.as_ref().filter(|post| post.resting.contains(&shard)) else {
            return Ok(());
        };
        if process != self.process {
            return Ok(());
        }
        if post.said.open.of(ShardId(shard)) > 0 || !self.may_move() {
            self.push_in(REST_LOOK_MS, Happening::Rested(shard, process));
            return Ok(());
        }
        self.counts.handed_over += 1;
        self.move_shard(shard)
    }

    /// A hall has its turns, and what it wants done is begun.
    pub(super) fn deliver_events(&mut self, process: u32) -> Result<(), Failure> {
        let now_ms = self.now_ms;
        let Some(post) = self.post.as_mut().filter(|post| post.wakes_at == Some(now_ms)) else {
            return Ok(());
        };
        if process != self.process {
            return Ok(());
        }
        post.wakes_at = None;
        let unix_ms = post.unix_ms(now_ms);
        let mut todo = Vec::new();
        let mut turns = 0;
        while post.hall.turn(unix_ms, usize::MAX, &mut todo) {
            turns += 1;
            assert!(turns < TURNS_MAX, "a hall never comes to rest");
        }
        let heard = std::mem::take(&mut post.heard);
        todo.sort_by_cached_key(|todo| identity(&todo.what));
        for todo in todo {
            self.begin_delivery(todo)?;
        }
        self.hear_post();
        for (account, seq) in heard {
            self.compare_pending(account, seq)?;
        }
        let Some(post) = &mut self.post else { return Ok(()) };
        if let Some(at) = post.hall.wakes_at() {
            let wait_ms = at.saturating_sub(unix_ms).max(1);
            self.wake_post(wait_ms);
        }
        Ok(())
    }

    /// Something that was begun has ended.
    pub(super) fn delivered(&mut self, process: u32, ticket: Ticket, doing: Doing) {
        if process != self.process || self.post.is_none() {
            return;
        }
        let ended = match doing {
            Doing::Send(sent, flight) => {
                let heard = self.auditor.landed(flight);
                if let Some(post) = &mut self.post {
                    post.heard.extend(heard);
                }
                Ended::Sent(sent)
            }
            Doing::Read(read) => Ended::Read(self.read_for_post(read)),
        };
        let now_ms = self.now_ms;
        if let Some(post) = &mut self.post {
            let unix_ms = post.unix_ms(now_ms);
            post.hall.ended(unix_ms, ticket, ended);
        }
        self.wake_post(0);
    }

    /// An operator has what was given up sent again, and what stands still go on.
    pub(super) fn repair(&mut self, endpoint: EndpointKey) {
        let command = hall::Command::Resume {
            endpoint,
            reply: Box::new(drop),
        };
        self.tell_post(Message::Command(command));
        let letters = Letters::Between {
            since_ms: 0,
            until_ms: u64::MAX >> 1,
        };
        let command = hall::Command::Replay {
            endpoint,
            letters,
            reply: Box::new(drop),
        };
        self.tell_post(Message::Command(command));
    }

    /// Whether no shard is on its way elsewhere.
    pub(super) fn post_is_quiet(&self) -> bool {
        self.post
            .as_ref()
            .is_some_and(|post| post.resting.is_empty() && post.here.len() == usize::from(self.plan.weather.shards))
    }

    /// What is said to be pending of an event is what is.
    pub(super) fn compare_pending(&self, account: u64, seq: u64) -> Result<(), Failure> {
        let Some(post) = &self.post else { return Ok(()) };
        let shard = self.plan.weather.shard_of(account);
        // For a moment nobody knows, and whoever wants to know waits.
        if !post.here.contains(&shard) || post.resting.contains(&shard) || !post.registry.is_settled(shard, account) {
            return Ok(());
        }
        let Some(kind) = self.auditor.event_kind(account, seq) else {
            return Ok(());
        };
        let pending = post.registry.pending_at(account, seq, kind);
        self.auditor.pending(account, seq, &pending)
    }

    fn tell_post(&mut self, message: Message) {
        let now_ms = self.now_ms;
        if let Some(post) = &mut self.post {
            let unix_ms = post.unix_ms(now_ms);
            post.hall.hear(unix_ms, message);
            self.wake_post(0);
        }
    }

    fn wake_post(&mut self, wait_ms: u64) {
        let at_ms = self.now_ms + wait_ms;
        let process = self.process;
        let Some(post) = &mut self.post else { return };
        if post.wakes_at.is_none_or(|wakes_at| at_ms < wakes_at) {
            post.wakes_at = Some(at_ms);
            self.push_undrawn(at_ms, 0, Happening::Deliver(process));
        }
    }

    /// What the hall said to its ports.
    fn hear_post(&mut self) {
        let Some(post) = &self.post else { return };
        let mut words = std::mem::take(&mut *post.said.words());
        words.notes.sort_by_key(|(shard, ..)| *shard);
        for (shard, epoch, note, open) in words.notes {
            self.counts.note_rows += u64::from(matches!(note, Note::Row { .. }));
            let (epoch, note) = (Epoch(epoch), Box::new(note));
            self.notice(shard, Control::Note { epoch, note, open });
        }
        words.alerts.sort_by_key(|(endpoint, _)| *endpoint);
        for (endpoint, alert) in words.alerts {
            self.report(endpoint, alert);
        }
        for (shard, epoch) in words.resting {
            // One that was lost meanwhile leaves no more, and whoever says so later is not heard.
            if self.hosts[usize::from(shard)].supervised.epoch() != Some(epoch) {
                continue;
            }
            let process = self.process;
            if let Some(post) = &mut self.post {
                post.here.remove(&shard);
                post.resting.insert(shard);
            }
            self.auditor
                .rests(|account| self.plan.weather.shard_of(account) == shard);
            self.push_in(REST_LOOK_MS, Happening::Rested(shard, process));
        }
    }

    /// What became of an endpoint is the domain's to decide.
    fn report(&mut self, endpoint: EndpointKey, alert: Alert) {
        let Some(report) = report_of(alert) else { return };
        let known = self.post.as_ref().and_then(|post| post.ids.get(&endpoint).copied());
        let Some(id) = known else { return };
        let account = AccountKey(endpoint.account);
        self.auditor.reported(endpoint, report);
        let command = Box::new(Command::ReportWebhookEndpoint(id, report));
        let shard = self.shard_of(account);
        self.notice(shard, Control::Command { account, command });
    }

    fn notice(&mut self, shard: u16, control: Control) {
        if let Some(host) = self.hosts.get_mut(usize::from(shard)) {
            host.inbox.control.push_back(control);
            self.wake(shard, 0);
        }
    }
}
