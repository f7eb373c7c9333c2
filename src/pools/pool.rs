//! A few threads, each with a worker on a runtime of its own.

use crate::metrics::{JOBS, MAILBOX_FULL, WORKER_PANICS};
use crate::strikes::Strikes;
use hashbrown::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};

/// Messages heard, and jobs taken back, before the worker has its turn.
const BATCH_MAX: usize = 512;
/// Jobs started in one turn. The next ones are started when the thread has come to the last of these: more would only wait for
/// each other, with their memory and whatever else they hold.
const STARTS_MAX: usize = 128;
/// The longest sleep of a thread that has nothing to do, so that a clock that stood still is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// How long jobs that are aborted get to go.
const ABORT_MAX: Duration = Duration::from_secs(1);

/// Time in milliseconds that never goes back.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What a thread of a pool runs.
pub trait Worker: 'static {
    /// What it is told.
    type Message: Send + 'static;
    /// Names a job until it has ended.
    type Ticket: 'static;
    /// What comes of a job.
    type Done: Send + 'static;

    /// Hears a message.
    fn hear(&mut self, now_ms: u64, message: Self::Message);

    /// A job has ended.
    fn ended(&mut self, now_ms: u64, ticket: Self::Ticket, ended: Ended<Self::Done>);

    /// Its turn, after whatever it heard and when it wanted to wake: appends the jobs that are to be started, as many as its
    /// own limits allow, and of those that there is no end of no more than `starts_max`, which may be 0. True when it wants
    /// another turn without waiting.
    fn turn(&mut self, now_ms: u64, starts_max: usize, start: &mut Vec<(Self::Ticket, Job<Self::Done>)>) -> bool;

    /// When it wants a turn although nothing was heard.
    fn wakes_at(&mut self) -> Option<u64>;

    /// It is to come to an end: start nothing new, save what is to be saved.
    fn stop(&mut self, now_ms: u64);

    /// Whether it has.
    fn has_stopped(&self) -> bool;
}

/// What a job does, as a future of its own.
pub type Job<D> = Pin<Box<dyn Future<Output = D> + Send>>;

/// How a job ended.
#[derive(Debug)]
pub enum Ended<D> {
    /// It came to this.
    Done(D),
    /// It panicked, and said this.
    Panicked(String),
}

/// How a pool is made.
#[derive(Clone, Debug)]
pub struct PoolSettings {
    /// Its name, for threads, logs and metrics.
    pub name: &'static str,
    /// How many threads.
    pub threads: usize,
    /// Messages that may wait for each.
    pub mailbox_len_max: usize,
}

/// A running pool, whose workers hear messages of type `M`.
pub struct Pool<M> {
    name: &'static str,
    mailboxes: Vec<mpsc::Sender<M>>,
    stop: watch::Sender<Option<Duration>>,
    threads: Vec<JoinHandle<()>>,
}

impl<M: Send + 'static> Pool<M> {
    /// Starts the threads. `build` makes the worker of each, on it, and makes another one when that one panics outside its
    /// lanes; when it does so too often, the thread ends and `given_up` is called.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start<W: Worker<Message = M>>(
        settings: PoolSettings,
        clock: &Clock,
        build: impl Fn(usize) -> W + Clone + Send + 'static,
        given_up: impl Fn(usize) + Clone + Send + 'static,
    ) -> std::io::Result<Pool<M>> {
        let (stop, stopping) = watch::channel(None);
        let mut pool = Pool {
            name: settings.name,
            mailboxes: Vec::new(),
            stop,
            threads: Vec::new(),
        };
        for at in 0..settings.threads {
            let (mailbox, heard) = mpsc::channel(settings.mailbox_len_max);
            let (build, given_up) = (build.clone(), given_up.clone());
            let (clock, stopping) = (Arc::clone(clock), stopping.clone());
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let thread = std::thread::Builder::new().name(format!("tollgate-{}-{at}", settings.name));
            let thread = thread.spawn(move || {
                let site = Site {
                    name: settings.name,
                    at,
                    clock,
                    heard,
                    stopping,
                    tasks: JoinSet::new(),
                    tickets: HashMap::new(),
                    behind: Arc::default(),
                };
                let whole = runtime.block_on(site.run(&build));
                if !whole {
                    given_up(at);
                }
                // Whatever is still out does not keep the process from ending.
                runtime.shutdown_timeout(ABORT_MAX);
            })?;
            pool.mailboxes.push(mailbox);
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// How many threads it has.
    pub fn threads(&self) -> usize {
        self.mailboxes.len()
    }

    /// Which thread a key belongs to: for every key the same one, and when there is a thread more, only those keys change
    /// theirs that go to it.
    pub fn thread_of(&self, key: u64) -> usize {
        rendezvous(key, self.mailboxes.len())
    }

    /// Tells a thread's worker something. Never blocks.
    ///
    /// # Errors
    /// Gives the message back when the mailbox is full or its thread has ended.
    pub fn tell(&self, thread: usize, message: M) -> Result<(), M> {
        self.mailboxes[thread]
            .try_send(message)
            .map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(message) => {
                    metrics::counter!(MAILBOX_FULL, "pool" => self.name).increment(1);
                    message
                }
                mpsc::error::TrySendError::Closed(message) => message,
            })
    }

    /// Lets every worker come to an end, for at most this long; what is out then is aborted. Waits for the threads.
    pub fn stop(self, patience: Duration) {
        self.stop.send_replace(Some(patience));
        for thread in self.threads {
            // A thread that panicked has said so already.
            let _ = thread.join();
        }
    }
}

/// The highest random weight of a key among so many.
fn rendezvous(key: u64, among: usize) -> usize {
    let weight = |at: usize| mix(key ^ mix(at as u64 + 1));
    (0..among).max_by_key(|at| weight(*at)).unwrap_or(0)
}

/// Scatters a number (the finisher of SplitMix64).
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// What a thread works with.
struct Site<W: Worker> {
    name: &'static str,
    at: usize,
    clock: Clock,
    heard: mpsc::Receiver<W::Message>,
    stopping: watch::Receiver<Option<Duration>>,
    tasks: JoinSet<W::Done>,
    tickets: HashMap<Id, W::Ticket>,
    /// Whether the thread has yet to come to a job that was started.
    behind: Arc<AtomicBool>,
}

/// Goes with the last job of a turn; dropped when the thread comes to it.
struct Behind(Arc<AtomicBool>);

impl Behind {
    fn new(behind: &Arc<AtomicBool>) -> Behind {
        behind.store(true, Relaxed);
        Behind(Arc::clone(behind))
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        self.0.store(false, Relaxed);
    }
}

impl<W: Worker> Site<W> {
    /// Runs workers, one after the other if they panic. False when the last one panicked.
    async fn run(mut self, build: &impl Fn(usize) -> W) -> bool {
        let mut strikes = Strikes::default();
        loop {
            let at = self.at;
            let ran = match catch_unwind(AssertUnwindSafe(|| build(at))) {
                Ok(worker) => self.run_one(worker).await,
                Err(_) => Err(()),
            };
            if ran.is_ok() {
                return true;
            }
            metrics::counter!(WORKER_PANICS, "pool" => self.name).increment(1);
            // Nobody knows of its jobs any more.
            self.tasks.abort_all();
            self.tickets.clear();
            self.tasks = JoinSet::new();
            self.behind = Arc::default();
            if strikes.strike((self.clock)()) {
                tracing::error!(
                    pool = self.name,
                    thread = at,
                    "worker panicked too often; its thread ends"
                );
                return false;
            }
            tracing::error!(pool = self.name, thread = at, "worker panicked; it is started anew");
        }
    }

    async fn run_one(&mut self, mut worker: W) -> Result<(), ()> {
        let in_flight = metrics::gauge!(JOBS, "pool" => self.name, "thread" => self.at.to_string());
        let mut start = Vec::new();
        let mut give_up_at: Option<tokio::time::Instant> = None;
        loop {
            let now_ms = (self.clock)();
            // Without a handle nobody can tell it anything any more.
            let orphaned = self.stopping.has_changed().is_err();
            let stop = match orphaned {
                true => Some(Duration::ZERO),
                false => *self.stopping.borrow_and_update(),
            };
            let told = give_up_at.is_some();
            let turn = catch_unwind(AssertUnwindSafe(|| {
                if stop.is_some() && !told {
                    worker.stop(now_ms);
                }
                self.hear_all(&mut worker, now_ms);
                let starts_max = if self.behind.load(Relaxed) { 0 } else { STARTS_MAX };
                let again = worker.turn(now_ms, starts_max, &mut start);
                (again, worker.wakes_at(), worker.has_stopped())
            }));
            let Ok((again, wakes_at, stopped)) = turn else {
                return Err(());
            };
            if let (Some(patience), None) = (stop, give_up_at) {
                give_up_at = Some(tokio::time::Instant::now() + patience);
            }
            let mut last = (!start.is_empty()).then(|| Behind::new(&self.behind));
            let started = start.len();
            for (at, (ticket, job)) in start.drain(..).enumerate() {
                let behind = last.take_if(|_| at + 1 == started);
                let job = async move {
                    drop(behind);
                    job.await
                };
                let task = self.tasks.spawn(job).id();
                self.tickets.insert(task, ticket);
            }
            in_flight.set(self.tasks.len() as f64);
            let late = give_up_at.is_some_and(|at| at <= tokio::time::Instant::now());
            if give_up_at.is_some() && (stopped || late) {
                if late && !stopped {
                    tracing::warn!(
                        pool = self.name,
                        jobs = self.tasks.len(),
                        "stopped while jobs were still out"
                    );
                }
                self.tasks.abort_all();
                return Ok(());
            }
            if again {
                tokio::task::yield_now().await;
                continue;
            }
            let sleep = wakes_at.map_or(SLEEP_MAX, |at| {
                Duration::from_millis(at.saturating_sub((self.clock)())).min(SLEEP_MAX)
            });
            let heard = tokio::select! {
                message = self.heard.recv(), if !self.heard.is_closed() || !self.heard.is_empty() => {
                    Heard::Message(message)
                }
                Some(ended) = self.tasks.join_next_with_id() => Heard::Ended(ended),
                _ = self.stopping.changed(), if stop.is_none() => Heard::Nothing,
                () = tokio::time::sleep(sleep) => Heard::Nothing,
            };
            let now_ms = (self.clock)();
            let took = catch_unwind(AssertUnwindSafe(|| match heard {
                Heard::Message(Some(message)) => worker.hear(now_ms, message),
                Heard::Ended(ended) => self.end(&mut worker, now_ms, ended),
                Heard::Message(None) | Heard::Nothing => {}
            }));
            if took.is_err() {
                return Err(());
            }
        }
    }

    /// Everything that has come, up to a bound.
    fn hear_all(&mut self, worker: &mut W, now_ms: u64) {
        for _ in 0..BATCH_MAX {
            let Ok(message) = self.heard.try_recv() else { break };
            worker.hear(now_ms, message);
        }
        for _ in 0..BATCH_MAX {
            let Some(ended) = self.tasks.try_join_next_with_id() else {
                break;
            };
            self.end(worker, now_ms, ended);
        }
    }

    fn end(&mut self, worker: &mut W, now_ms: u64, ended: Result<(Id, W::Done), JoinError>) {
        let (task, ended) = match ended {
            Ok((task, done)) => (task, Ended::Done(done)),
            Err(failure) => (failure.id(), Ended::Panicked(failure.to_string())),
        };
        if let Some(ticket) = self.tickets.remove(&task) {
            worker.ended(now_ms, ticket, ended);
        }
    }
}

enum Heard<M, E> {
    Message(Option<M>),
    Ended(E),
    Nothing,
}
