//! Pools of real threads.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tollgate_pools::{Clock, Ended, Job, Pool, PoolSettings, Worker};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a worker is told.
enum Say {
    /// Do this, and tell what came of it.
    Do(u64, Duration),
    /// Start a job that panics.
    Fail,
    /// Panic.
    Panic,
}

/// What a worker tells the test.
#[derive(Debug, PartialEq)]
enum Told {
    Built(usize),
    Done(u64),
    Panicked,
    Due,
    Stopped,
}

struct Teller {
    tell: mpsc::Sender<Told>,
    wanted: Vec<(u64, Job<u64>)>,
    out: usize,
    due: Option<u64>,
    stopping: bool,
}

impl Worker for Teller {
    type Message = Say;
    type Ticket = u64;
    type Done = u64;

    fn hear(&mut self, _: u64, message: Say) {
        match message {
            Say::Do(number, takes) => self.wanted.push((
                number,
                Box::pin(async move {
                    tokio::time::sleep(takes).await;
                    number
                }),
            )),
            Say::Fail => self
                .wanted
                .push((0, Box::pin(async { panic!("a job of a test panics") }))),
            Say::Panic => panic!("a worker of a test panics"),
        }
    }

    fn ended(&mut self, _: u64, ticket: u64, ended: Ended<u64>) {
        self.out -= 1;
        let told = match ended {
            Ended::Done(number) => {
                assert_eq!(number, ticket);
                Told::Done(number)
            }
            Ended::Panicked(_) => Told::Panicked,
        };
        self.tell.send(told).expect("the test listens");
    }

    fn turn(&mut self, now_ms: u64, _: usize, start: &mut Vec<(u64, Job<u64>)>) -> bool {
        if !self.stopping {
            self.out += self.wanted.len();
            start.append(&mut self.wanted);
        }
        if self.due.is_some_and(|due| due <= now_ms) {
            self.due = None;
            self.tell.send(Told::Due).expect("the test listens");
        }
        false
    }

    fn wakes_at(&mut self) -> Option<u64> {
        self.due
    }

    fn stop(&mut self, _: u64) {
        self.stopping = true;
        self.tell.send(Told::Stopped).expect("the test listens");
    }

    fn has_stopped(&self) -> bool {
        self.stopping && self.out == 0
    }
}

fn clock() -> Clock {
    let start = Instant::now();
    Arc::new(move || start.elapsed().as_millis() as u64)
}

fn start(threads: usize, due: Option<u64>) -> (Pool<Say>, mpsc::Receiver<Told>, Arc<AtomicUsize>) {
    let (tell, told) = mpsc::channel(); // Bounded by what the test says.
    let ended = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&ended);
    let build = move |at| {
        tell.send(Told::Built(at)).expect("the test listens");
        Teller {
            tell: tell.clone(),
            wanted: Vec::new(),
            out: 0,
            due,
            stopping: false,
        }
    };
    let settings = PoolSettings {
        name: "test",
        threads,
        mailbox_len_max: 4,
    };
    let pool = Pool::start(settings, &clock(), build, move |_| {
        count.fetch_add(1, SeqCst);
    });
    let pool = pool.expect("threads start");
    for _ in 0..threads {
        assert!(matches!(told.recv_timeout(PATIENCE), Ok(Told::Built(_))));
    }
    (pool, told, ended)
}

fn tell(pool: &Pool<Say>, mut say: Say) {
    let until = Instant::now() + PATIENCE;
    while let Err(back) = pool.tell(0, say) {
        assert!(Instant::now() < until, "the mailbox stays full");
        say = back;
        std::thread::yield_now();
    }
}

#[test]
fn jobs_run_beside_each_other_and_what_comes_of_them_is_heard() {
    let (pool, told, _) = start(1, None);
    tell(&pool, Say::Do(1, PATIENCE * 10));
    tell(&pool, Say::Do(2, Duration::from_millis(1)));
    tell(&pool, Say::Fail);
    let mut heard = [told.recv_timeout(PATIENCE), told.recv_timeout(PATIENCE)];
    heard.sort_by_key(|it| matches!(it, Ok(Told::Panicked)));
    assert_eq!(heard, [Ok(Told::Done(2)), Ok(Told::Panicked)]);
    // The first one hangs: it is given up, and the thread ends all the same.
    pool.stop(Duration::from_millis(20));
    assert_eq!(told.recv_timeout(PATIENCE), Ok(Told::Stopped));
    assert!(told.recv().is_err(), "the worker is gone");
}

#[test]
fn a_stop_waits_for_what_is_out() {
    let (pool, told, _) = start(1, None);
    for number in 0..20 {
        tell(&pool, Say::Do(number, Duration::from_millis(30)));
    }
    // Nothing is told behind this, so everything before has been heard when the first job is done.
    assert!(matches!(told.recv_timeout(PATIENCE), Ok(Told::Done(_))));
    tell(&pool, Say::Do(20, Duration::ZERO));
    pool.stop(PATIENCE);
    let rest: Vec<Told> = told.iter().collect();
    let done = rest.iter().filter(|it| matches!(it, Told::Done(_))).count();
    assert!((19..=20).contains(&done), "{rest:?}");
}

#[test]
fn a_worker_wakes_when_it_is_due() {
    let (pool, told, _) = start(1, Some(40));
    assert_eq!(told.recv_timeout(PATIENCE), Ok(Told::Due));
    drop(pool);
    assert_eq!(
        told.recv_timeout(PATIENCE),
        Ok(Told::Stopped),
        "without a handle it ends"
    );
    assert!(told.recv().is_err());
}

#[test]
fn a_worker_that_panics_is_made_anew_and_given_up_in_the_end() {
    let (pool, told, ended) = start(1, None);
    for round in 1..=2 {
        tell(&pool, Say::Panic);
        assert_eq!(told.recv_timeout(PATIENCE), Ok(Told::Built(0)));
        tell(&pool, Say::Do(round, Duration::ZERO));
        assert_eq!(told.recv_timeout(PATIENCE), Ok(Told::Done(round)));
    }
    assert_eq!(ended.load(SeqCst), 0);
    tell(&pool, Say::Panic);
    pool.stop(PATIENCE);
    assert_eq!(ended.load(SeqCst), 1);
}

#[test]
fn keys_spread_over_threads_and_few_move_when_there_is_one_more() {
    let (small, _told, _) = start(3, None);
    let (large, _told, _) = start(4, None);
    let moved = AtomicU64::new(0);
    let mut counts = [0; 4];
    for key in 0..40_000_u64 {
        let (before, after) = (small.thread_of(key), large.thread_of(key));
        counts[after] += 1;
        if before != after {
            assert_eq!(after, 3, "only the new thread takes keys");
            moved.fetch_add(1, SeqCst);
        }
    }
    assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
}

/// A job that its thread has to come to so many times before it is done.
struct Rounds(u32);

impl Future for Rounds {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(left) = self.0.checked_sub(1) else {
            return Poll::Ready(());
        };
        self.0 = left;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Has far more to do than its thread can.
struct Greedy {
    left: usize,
    out: usize,
    most: usize,
    tell: mpsc::Sender<usize>,
}

impl Worker for Greedy {
    type Message = ();
    type Ticket = ();
    type Done = ();

    fn hear(&mut self, _: u64, (): ()) {}

    fn ended(&mut self, _: u64, (): (), _: Ended<()>) {
        self.out -= 1;
        if self.out + self.left == 0 {
            self.tell.send(self.most).expect("the test listens");
        }
    }

    fn turn(&mut self, _: u64, starts_max: usize, start: &mut Vec<((), Job<()>)>) -> bool {
        let starts = starts_max.min(self.left);
        start.extend((0..starts).map(|_| ((), Box::pin(Rounds(4)) as Job<()>)));
        self.left -= starts;
        self.out += starts;
        self.most = self.most.max(self.out);
        self.left > 0
    }

    fn wakes_at(&mut self) -> Option<u64> {
        None
    }

    fn stop(&mut self, _: u64) {}

    fn has_stopped(&self) -> bool {
        true
    }
}

#[test]
fn a_thread_that_does_not_keep_up_has_few_jobs_out() {
    let (tell, told) = mpsc::channel();
    let build = move |_| Greedy {
        left: 20_000,
        out: 0,
        most: 0,
        tell: tell.clone(),
    };
    let settings = PoolSettings {
        name: "test",
        threads: 1,
        mailbox_len_max: 4,
    };
    let pool = Pool::start(settings, &clock(), build, |_| {}).expect("threads start");
    let most = told.recv_timeout(PATIENCE).expect("all of them end");
    assert!((100..1_000).contains(&most), "{most} were out at once");
    pool.stop(PATIENCE);
}
