//! One thread of an open loop: a dispatcher that follows the schedule, and connections that carry what it hands out.

use super::Plan;
use super::alarm::Alarm;
use super::answers::Answered;
use super::floor::Floor;
use super::movements::Movements;
use super::pulse::Pulse;
use super::samples::Samples;
use super::task::{Paid, Task};
use crate::connection::Connection;
use crate::schedule::Schedule;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Shortest sleep between two looks at the schedule: what comes closer together is sent together. It bounds the wake-ups
/// to 10,000 a second, and adds at most itself to a request's lag.
const QUANTUM: Duration = Duration::from_micros(100);
/// Longest sleep, so that a stop from outside is seen.
const SLEEP_MAX: Duration = Duration::from_millis(50);
/// Time between two beats of the pulse.
const BEAT: Duration = Duration::from_millis(250);
/// A connection idle for so long is not used again: servers close such ones, and a request would be lost in it.
const IDLE_MAX: Duration = Duration::from_secs(20);

/// What a thread is to do.
pub(super) struct Share {
    pub(super) plan: Arc<Plan>,
    pub(super) thread: usize,
    pub(super) start: Instant,
    pub(super) known: Arc<Vec<Paid>>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) stop: Arc<AtomicBool>,
}

/// What it has done.
pub(super) struct Done {
    pub(super) samples: Samples,
    pub(super) movements: Movements,
}

/// Runs the share on a runtime of its own until everything due is answered.
pub(super) fn work(share: Share) -> std::io::Result<Done> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let set = tokio::task::LocalSet::new();
    let threads = share.plan.threads;
    let hall = Rc::new(Hall {
        floor: RefCell::new(Floor::new(share.plan.clone(), share.thread, share.start, &share.known)),
        idle: RefCell::default(),
        in_turn: share.plan.connections_min > 0,
        connections: Cell::new(0),
        connections_max: share.plan.connections_max.div_ceil(threads),
        changed: Notify::new(),
    });
    set.block_on(&runtime, dispatch(hall.clone(), &share))?;
    // Idle connections end with their tasks.
    drop(set);
    let hall = Rc::into_inner(hall).expect("every connection's task has ended");
    let mut floor = hall.floor.into_inner();
    floor.samples.connections = hall.connections.get() as u64;
    Ok(Done {
        samples: floor.samples,
        movements: floor.movements,
    })
}

/// What the dispatcher and the connections of a thread share.
struct Hall {
    floor: RefCell<Floor>,
    /// The connection used last is used first: a light load keeps few of them warm. Where many are to be open from the
    /// start they are used in turn, so that all stay warm.
    idle: RefCell<VecDeque<Rc<Slot>>>,
    in_turn: bool,
    connections: Cell<usize>,
    connections_max: usize,
    /// Wakes the dispatcher when something falls due earlier than it thought, or the last answer came.
    changed: Notify,
}

/// Where a connection gets its next task.
#[derive(Default)]
struct Slot {
    task: RefCell<Option<Task>>,
    waker: Cell<Option<Waker>>,
}

impl Slot {
    fn put(&self, task: Task) {
        *self.task.borrow_mut() = Some(task);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    async fn take(&self) -> Task {
        std::future::poll_fn(|context| match self.task.borrow_mut().take() {
            Some(task) => Poll::Ready(task),
            None => {
                self.waker.set(Some(context.waker().clone()));
                Poll::Pending
            }
        })
        .await
    }
}

impl Hall {
    /// Gives a task to an idle connection, to a new one, or lets it wait.
    fn assign(self: &Rc<Self>, mut task: Task, now: Instant) {
        let mut floor = self.floor.borrow_mut();
        floor.take_up(&mut task, now);
        let idle = match self.in_turn {
            true => self.idle.borrow_mut().pop_front(),
            false => self.idle.borrow_mut().pop_back(),
        };
        if let Some(slot) = idle {
            floor.under_way += 1;
            slot.put(task);
        } else if self.connections.get() < self.connections_max {
            floor.under_way += 1;
            self.connections.set(self.connections.get() + 1);
            let slot = Rc::new(Slot::default());
            slot.put(task);
            tokio::task::spawn_local(carry(self.clone(), slot, None));
        } else {
            floor.wait(task);
        }
    }
}

/// Opens the connections that are to be there from the start.
async fn open(hall: &Rc<Hall>, plan: &Plan) {
    for _ in 0..(plan.connections_min / plan.threads).min(hall.connections_max) {
        // Where it fails a request will find out, and count it.
        let opened = Connection::open(&plan.target, timeout(plan)).await.ok();
        let slot = Rc::new(Slot::default());
        hall.connections.set(hall.connections.get() + 1);
        hall.idle.borrow_mut().push_back(slot.clone());
        tokio::task::spawn_local(carry(hall.clone(), slot, opened));
    }
}

fn timeout(plan: &Plan) -> Duration {
    Duration::from_secs_f64(plan.scenario.client.timeout_s)
}

async fn dispatch(hall: Rc<Hall>, share: &Share) -> std::io::Result<()> {
    let plan = &share.plan;
    let alarm = Alarm::new()?;
    let at = |due: f64| share.start + Duration::from_secs_f64(due);
    let mut schedule = Schedule::new(
        plan.starts.clone(),
        plan.scenario.arrivals,
        plan.chance(),
        share.thread,
        plan.threads,
    );
    let mut next = schedule.next().map(at);
    let mut next_beat = share.start;
    open(&hall, plan).await;
    loop {
        let now = Instant::now();
        if share.stop.load(Ordering::Relaxed) && !hall.floor.borrow().stopped {
            hall.floor.borrow_mut().stop();
            next = None;
        }
        while let Some(due) = next.filter(|due| *due <= now) {
            let task = hall.floor.borrow_mut().begin(due);
            if let Some(task) = task {
                hall.assign(task, now);
            }
            next = schedule.next().map(at);
        }
        loop {
            let task = hall.floor.borrow_mut().come(now);
            let Some(task) = task else { break };
            hall.assign(task, now);
        }
        let mut wake = now + SLEEP_MAX;
        hall.floor.borrow_mut().lose_patience(now);
        {
            let mut floor = hall.floor.borrow_mut();
            if now >= next_beat {
                floor.beat.waiting = floor.waiting.len() as u64;
                floor.beat.connections = hall.connections.get() as u64;
                share.pulse.leave(&floor.beat);
                floor.beat.clear();
                next_beat = now + BEAT;
            }
            let idle = floor.under_way == 0 && floor.waiting.is_empty() && floor.later.is_empty();
            if next.is_none() && idle {
                floor.beat.connections = hall.connections.get() as u64;
                share.pulse.leave(&floor.beat);
                return Ok(());
            }
            let later = floor.later.peek().map(|later| later.0.try_due);
            for due in [next, later].into_iter().flatten() {
                wake = wake.min(due);
            }
        }
        let wake = wake.max(now + QUANTUM);
        hall.floor.borrow_mut().wake = wake;
        tokio::select! {
            biased;
            slept = alarm.sleep_until(wake) => slept?,
            () = hall.changed.notified() => {}
        }
    }
}

/// One connection's life: it takes tasks one after the other, until the run ends.
async fn carry(hall: Rc<Hall>, slot: Rc<Slot>, mut connection: Option<Connection>) {
    let (target, timeout) = {
        let floor = hall.floor.borrow();
        (floor.plan.target.clone(), timeout(&floor.plan))
    };
    let mut used = Instant::now();
    let mut request = Vec::with_capacity(1024);
    loop {
        let mut task = slot.take().await;
        loop {
            let now = Instant::now();
            // What a server said to an idle connection (408, or that it closes it) is no answer to this request.
            let idle = now.saturating_duration_since(used);
            connection = connection.filter(|connection| idle <= IDLE_MAX && connection.is_quiet());
            hall.floor.borrow_mut().send(&mut task, &mut request, now);
            let next = exchange(&hall, &mut connection, &target, timeout, &request, task, now).await;
            used = Instant::now();
            let mut floor = hall.floor.borrow_mut();
            if floor.must_wake() {
                hall.changed.notify_one();
            }
            task = match next {
                Some(task) => task,
                None => match floor.next_waiting(used) {
                    Some(mut task) => {
                        task.handed = used;
                        task
                    }
                    None => {
                        floor.under_way -= 1;
                        hall.idle.borrow_mut().push_back(slot.clone());
                        if floor.under_way == 0 {
                            hall.changed.notify_one();
                        }
                        break;
                    }
                },
            };
        }
    }
}

async fn exchange(
    hall: &Hall,
    connection: &mut Option<Connection>,
    target: &crate::target::Target,
    timeout: Duration,
    request: &[u8],
    task: Task,
    sent: Instant,
) -> Option<Task> {
    let opened = match connection.take() {
        Some(opened) => Ok(opened),
        None => Connection::open(target, timeout).await,
    };
    let mut opened = match opened {
        Ok(opened) => opened,
        Err(error) => return hall.floor.borrow_mut().broke(task, &error, Instant::now()),
    };
    match opened.exchange(request).await {
        Ok(answer) => {
            let answered = Answered {
                status: answer.status,
                head: answer.head,
                body: answer.body,
                retry_after_s: answer.retry_after_s,
            };
            let keep_alive = answer.keep_alive;
            let next = hall.floor.borrow_mut().answered(task, &answered, sent, Instant::now());
            if keep_alive {
                *connection = Some(opened);
            }
            next
        }
        Err(error) => hall.floor.borrow_mut().broke(task, &error, Instant::now()),
    }
}
