//! The running dispatcher: a hall on each of a few threads, and the handle to them.

use crate::Moved;
use crate::endpoint::EndpointKey;
use crate::hall::{
    Answered, Command, Ended, Hall, HallPorts, HallSettings, Message, Read, Refused, Reply, Ticket, What,
};
use crate::lane::{Sending, Sent, SentResult};
use crate::ports::{Delivery, Notes, Source, Transport};
use crate::registry::Registry;
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tollgate_pools::{Clock, Job, Pool, PoolSettings, Worker};

/// Messages that may wait for each thread. What shards tell does not wait here: see [`Inbox`].
const MAILBOX_LEN_MAX: usize = 1_024;
/// How often a thread's gauges are set, milliseconds.
const MEASURE_MS: u64 = 5_000;

/// How deliveries are run.
#[derive(Clone, Debug)]
pub struct DispatcherSettings {
    /// Threads that deliver.
    pub threads: usize,
    /// Deliveries that may be out at once, on all of them.
    pub in_flight_max: usize,
    /// Bytes that the failed events of one shard's endpoints may take in memory.
    pub failed_bytes_max: usize,
    /// Where random numbers begin.
    pub seed: u64,
}

/// What deliveries are run with.
#[derive(Clone)]
pub struct DispatcherPorts {
    /// Reads the journal.
    pub source: Arc<dyn Source>,
    /// Writes notes.
    pub notes: Arc<dyn Notes>,
    /// Logs attempts.
    pub trail: Arc<dyn crate::ports::Trail>,
    /// Tells accounts.
    pub alarm: Arc<dyn crate::ports::Alarm>,
    /// Sends, one for each thread.
    pub transports: Arc<dyn Fn(usize) -> Arc<dyn Transport> + Send + Sync>,
}

/// The handle to running deliveries.
pub struct Dispatcher {
    pool: Pool<Wake>,
    inboxes: Arc<Vec<Inbox>>,
    registry: Arc<Registry>,
}

impl Dispatcher {
    /// Starts the threads. No shard is served until it is adopted. `clock` is the time in milliseconds since the Unix epoch,
    /// and never goes back.
    ///
    /// # Errors
    /// When a thread cannot be started.
    ///
    /// # Panics
    /// When there are no threads, or fewer deliveries at once than threads.
    pub fn start(settings: DispatcherSettings, ports: DispatcherPorts, clock: &Clock) -> std::io::Result<Dispatcher> {
        let threads = settings.threads;
        assert!(
            threads > 0 && settings.in_flight_max >= threads,
            "deliveries want a thread, and each of those at least one at a time: {settings:?}"
        );
        let registry = Arc::new(Registry::default());
        let inboxes: Arc<Vec<Inbox>> = Arc::new((0..threads).map(|_| Inbox::default()).collect());
        let pool = PoolSettings {
            name: "webhooks",
            threads,
            mailbox_len_max: MAILBOX_LEN_MAX,
        };
        let build = {
            let (registry, inboxes, settings) = (Arc::clone(&registry), Arc::clone(&inboxes), settings.clone());
            move |thread: usize| Runner::new(thread, &settings, &ports, Arc::clone(&registry), Arc::clone(&inboxes))
        };
        let given_up = |thread: usize| tracing::error!(thread, "no webhooks are delivered by this thread any more");
        let pool = Pool::start(pool, clock, build, given_up)?;
        Ok(Dispatcher {
            pool,
            inboxes,
            registry,
        })
    }

    /// Who has not taken which event.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// The journals of these accounts of a shard went on. Short, and never blocks for long.
    pub fn moved(&self, shard: u16, moved: &[Moved]) {
        let changed = moved.iter().filter(|moved| moved.change.is_some());
        changed.for_each(|moved| self.registry.expect(moved.account));
        let thread = self.thread_of(shard);
        self.inboxes[thread].moved(shard, moved);
        self.wake(thread);
    }

    /// A shard is served here from now on, under this epoch.
    pub fn adopted(&self, shard: u16, epoch: u64) {
        self.registry.coming(shard, epoch);
        let thread = self.thread_of(shard);
        self.inboxes[thread].push(Message::Adopted { shard, epoch });
        self.wake(thread);
    }

    /// A shard leaves. `done` is called when all that is known of it was handed over to be noted.
    pub fn leaving(&self, shard: u16, done: Box<dyn FnOnce() + Send>) {
        let thread = self.thread_of(shard);
        self.inboxes[thread].push(Message::Leaving { shard, done });
        self.wake(thread);
    }

    /// A shard is another owner's now.
    pub fn lost(&self, shard: u16) {
        self.registry.gone(shard);
        let thread = self.thread_of(shard);
        self.inboxes[thread].push(Message::Lost { shard });
        self.wake(thread);
    }

    /// Hands in a command about an endpoint whose account is in this shard.
    ///
    /// # Errors
    /// Gives the command back when too many wait; none of its replies is called.
    pub fn command(&self, shard: u16, command: Command) -> Result<(), Command> {
        let sent = self.pool.tell(self.thread_of(shard), Wake::Command(command));
        sent.map_err(|back| match back {
            Wake::Command(command) => command,
            Wake::Inbox => unreachable!("a command was told"),
        })
    }

    /// Asks every thread for the lanes that are most behind; `reply` is called once for each that has room to hear it.
    pub fn lanes(&self, limit: usize, reply: impl Fn() -> Reply<Vec<crate::hall::LaneStatus>>) {
        for thread in 0..self.pool.threads() {
            let reply = reply();
            let refused = self.pool.tell(thread, Wake::Command(Command::Lanes { limit, reply }));
            if let Err(Wake::Command(Command::Lanes { reply, .. })) = refused {
                reply(Err(Refused::TooMany));
            }
        }
    }

    /// Has every account and its endpoints read again. False where a thread has no room to hear it.
    pub fn look_again(&self) -> bool {
        let mut all = true;
        for thread in 0..self.pool.threads() {
            all &= self.pool.tell(thread, Wake::Command(Command::LookAgain)).is_ok();
        }
        all
    }

    /// Comes to an end: nothing new is sent, what is out gets this long, what is known is noted. Waits for it.
    pub fn stop(self, patience: Duration) {
        self.pool.stop(patience);
    }

    /// All endpoints of a shard are on one thread, so that its notes are written by one.
    fn thread_of(&self, shard: u16) -> usize {
        self.pool.thread_of(u64::from(shard))
    }

    fn wake(&self, thread: usize) {
        // A thread whose mailbox is full is about to look into its inbox all the same.
        let _ = self.pool.tell(thread, Wake::Inbox);
    }
}

/// What waits in a thread's mailbox.
enum Wake {
    /// Something is in the inbox.
    Inbox,
    /// A command.
    Command(Command),
}

/// Accounts that moved, each with its shard.
type MovedAccounts = HashMap<u64, (u16, Moved)>;

/// What shards tell a thread: nothing of it may be lost, and whoever tells may not wait. Bounded by the shards and by the
/// accounts with endpoints, because later news of an account takes the place of earlier ones.
#[derive(Default)]
struct Inbox {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Shards that come and go, in order.
    shards: Vec<Message>,
    moved: MovedAccounts,
    /// Shards that are here, with their epochs: a hall that is started anew begins with them.
    here: BTreeMap<u16, u64>,
    /// Whether the mailbox was told since it was looked in.
    told: bool,
}

impl Inbox {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, message: Message) {
        let mut kept = self.kept();
        match message {
            Message::Adopted { shard, epoch } => {
                kept.here.insert(shard, epoch);
            }
            Message::Leaving { shard, .. } | Message::Lost { shard } => {
                kept.here.remove(&shard);
            }
            Message::Moved { .. } | Message::Command(_) => {}
        }
        kept.shards.push(message);
        kept.told = true;
    }

    fn moved(&self, shard: u16, all: &[Moved]) {
        let mut kept = self.kept();
        for moved in all {
            let (at, known) = kept.moved.entry(moved.account).or_insert((shard, *moved));
            *at = shard;
            known.upto = known.upto.max(moved.upto);
            known.change = known.change.max(moved.change);
        }
        kept.told = true;
    }

    /// Everything that has come since this was asked last: shards that come and go, and accounts that moved.
    fn take(&self) -> Option<(Vec<Message>, MovedAccounts)> {
        let mut kept = self.kept();
        if !std::mem::take(&mut kept.told) {
            return None;
        }
        Some((std::mem::take(&mut kept.shards), std::mem::take(&mut kept.moved)))
    }
}

/// A thread's hall, and what does for it what is to be done.
struct Runner {
    thread: usize,
    hall: Hall,
    inboxes: Arc<Vec<Inbox>>,
    source: Arc<dyn Source>,
    transport: Arc<dyn Transport>,
    measure_at: u64,
}

impl Runner {
    fn new(
        thread: usize,
        settings: &DispatcherSettings,
        ports: &DispatcherPorts,
        registry: Arc<Registry>,
        inboxes: Arc<Vec<Inbox>>,
    ) -> Runner {
        let transport = (ports.transports)(thread);
        let seed = settings.seed ^ (thread as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let hall = HallSettings::new(
            settings.in_flight_max / settings.threads,
            settings.failed_bytes_max,
            seed,
        );
        let ports_of_hall = HallPorts {
            notes: Arc::clone(&ports.notes),
            trail: Arc::clone(&ports.trail),
            alarm: Arc::clone(&ports.alarm),
            transport: Arc::clone(&transport),
        };
        let mut hall = Hall::new(hall, ports_of_hall, registry);
        // After a panic of the one before, its shards are begun with again.
        let here = inboxes[thread].kept().here.clone();
        for (shard, epoch) in here {
            hall.hear(0, Message::Adopted { shard, epoch });
        }
        Runner {
            thread,
            hall,
            source: Arc::clone(&ports.source),
            inboxes,
            transport,
            measure_at: 0,
        }
    }

    fn empty_inbox(&mut self, now_ms: u64) {
        let Some((shards, moved)) = self.inboxes[self.thread].take() else {
            return;
        };
        for message in shards {
            self.hall.hear(now_ms, message);
        }
        for (_, (shard, moved)) in moved {
            self.hall.hear(now_ms, Message::Moved { shard, moved });
        }
    }
}

impl Worker for Runner {
    type Message = Wake;
    type Ticket = Ticket;
    type Done = Ended;

    fn hear(&mut self, now_ms: u64, message: Wake) {
        match message {
            Wake::Inbox => self.empty_inbox(now_ms),
            Wake::Command(command) => self.hall.hear(now_ms, Message::Command(command)),
        }
    }

    fn ended(&mut self, now_ms: u64, ticket: Ticket, ended: tollgate_pools::Ended<Ended>) {
        let ended = match ended {
            tollgate_pools::Ended::Done(ended) => ended,
            tollgate_pools::Ended::Panicked(why) => Ended::Panicked(why),
        };
        self.hall.ended(now_ms, ticket, ended);
    }

    fn turn(&mut self, now_ms: u64, starts_max: usize, start: &mut Vec<(Ticket, Job<Ended>)>) -> bool {
        self.empty_inbox(now_ms);
        if now_ms >= self.measure_at && self.hall.measure(self.thread) {
            self.measure_at = now_ms + MEASURE_MS;
        }
        let mut todo = Vec::new();
        let again = self.hall.turn(now_ms, starts_max, &mut todo);
        for it in todo {
            let job: Job<Ended> = match it.what {
                What::Send(sending) => Box::pin(send(Arc::clone(&self.source), Arc::clone(&self.transport), sending)),
                What::Test(delivery) => {
                    let sent = self.transport.send(*delivery);
                    Box::pin(async move { Ended::Tested(sent.await) })
                }
                What::Read(read) => Box::pin(read_from(Arc::clone(&self.source), read)),
            };
            start.push((it.ticket, job));
        }
        again || now_ms >= self.measure_at
    }

    fn wakes_at(&mut self) -> Option<u64> {
        self.hall.wakes_at()
    }

    fn stop(&mut self, now_ms: u64) {
        self.hall.stop(now_ms);
    }

    fn has_stopped(&self) -> bool {
        self.hall.has_stopped()
    }
}

async fn send(source: Arc<dyn Source>, transport: Arc<dyn Transport>, sending: Sending) -> Ended {
    let EndpointKey { account, .. } = sending.endpoint.key;
    let version = Arc::clone(&sending.endpoint.api_version);
    let result = match source.body(account, sending.event.seq, version).await {
        Ok(Some(body)) => {
            let event_id = Arc::clone(&body.event_id);
            let delivery = Delivery {
                endpoint: sending.endpoint,
                event_id: body.event_id,
                event_seq: sending.event.seq,
                nth: sending.event.nth,
                body: body.bytes,
                attempt: sending.attempt,
                cause: sending.cause,
            };
            let outcome = transport.send(delivery).await;
            SentResult::Tried { event_id, outcome }
        }
        Ok(None) => SentResult::NotKept,
        Err(why) => SentResult::NoBody(why.0),
    };
    let token = sending.token;
    Ended::Sent(Sent { token, result })
}

async fn read_from(source: Arc<dyn Source>, read: Read) -> Ended {
    Ended::Read(match read {
        Read::Notes { shard } => Answered::Notes(source.notes(shard).await),
        Read::Page { shard, number } => Answered::Page(source.page(shard, number).await),
        Read::Account { account } => Answered::Account(source.account(account).await),
        Read::EventsAfter {
            account,
            after,
            limit,
            soon,
        } => Answered::Events(source.events_after(account, after, limit, soon).await),
        Read::Events { account, seqs } => Answered::Events(source.events(account, seqs).await),
        Read::FirstSince { account, since_ms } => Answered::FirstSince(source.first_since(account, since_ms).await),
    })
}
