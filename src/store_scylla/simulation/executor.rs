//! Runs tasks in virtual time, one after another in an order that the seed decides. A task belongs to a process, which can
//! be paused and killed.

use super::random::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Names a process.
pub(super) type ProcessId = u64;

/// Most steps of a run; one that has not ended by then never will.
const STEPS_MAX: u64 = 100_000;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
type Action = Box<dyn FnOnce() + Send>;

/// Virtual time and the tasks that live in it.
#[derive(Clone)]
pub(super) struct Executor(Arc<Mutex<State>>);

struct State {
    now: Duration,
    random: Random,
    /// Counts tasks and actions, so that each has a name.
    count: u64,
    /// `None` while it is being polled.
    tasks: BTreeMap<u64, (ProcessId, Option<Task>)>,
    ready: BTreeSet<u64>,
    /// By when, then in the order of asking.
    actions: BTreeMap<(Duration, u64), Action>,
    paused: BTreeSet<ProcessId>,
}

/// It did not come to an end.
#[derive(Debug)]
pub(super) struct Endless;

impl Executor {
    pub(super) fn new(random: Random) -> Executor {
        Executor(Arc::new(Mutex::new(State {
            now: Duration::ZERO,
            random,
            count: 0,
            tasks: BTreeMap::new(),
            ready: BTreeSet::new(),
            actions: BTreeMap::new(),
            paused: BTreeSet::new(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Duration {
        self.state().now
    }

    /// Draws something at random.
    pub(super) fn draw<T>(&self, draw: impl FnOnce(&mut Random) -> T) -> T {
        draw(&mut self.state().random)
    }

    /// Does something after this time.
    pub(super) fn after(&self, time: Duration, action: impl FnOnce() + Send + 'static) {
        let mut state = self.state();
        state.count += 1;
        let at = (state.now + time, state.count);
        state.actions.insert(at, Box::new(action));
    }

    pub(super) fn spawn(&self, process: ProcessId, task: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.state();
        state.count += 1;
        let name = state.count;
        state.tasks.insert(name, (process, Some(Box::pin(task))));
        state.ready.insert(name);
    }

    /// Its tasks do nothing until it goes on, as under SIGSTOP.
    pub(super) fn pause(&self, process: ProcessId) {
        self.state().paused.insert(process);
    }

    pub(super) fn go_on(&self, process: ProcessId) {
        self.state().paused.remove(&process);
    }

    /// Its tasks are gone, as under SIGKILL. What they sent is on its way.
    pub(super) fn kill(&self, process: ProcessId) {
        let dropped: Vec<_> = {
            let mut state = self.state();
            let of = |(_, (owner, _)): &(&u64, &(ProcessId, Option<Task>))| *owner == process;
            let names: Vec<u64> = state.tasks.iter().filter(of).map(|(name, _)| *name).collect();
            names.iter().map(|name| state.tasks.remove(name)).collect()
        };
        drop(dropped);
    }

    pub(super) async fn sleep(&self, time: Duration) {
        let due = self.now() + time;
        let mut asked = false;
        std::future::poll_fn(|context| {
            if self.now() >= due {
                return Poll::Ready(());
            }
            if !asked {
                asked = true;
                let waker = context.waker().clone();
                self.after(due - self.now(), move || waker.wake());
            }
            Poll::Pending
        })
        .await;
    }

    /// Runs until nothing is left to do. Tasks that still wait then wait for nothing.
    pub(super) fn run(&self) -> Result<(), Endless> {
        for _ in 0..STEPS_MAX {
            if !self.step() {
                return Ok(());
            }
        }
        Err(Endless)
    }

    fn step(&self) -> bool {
        let (name, mut task) = {
            let mut state = self.state();
            let State {
                ready,
                tasks,
                paused,
                random,
                ..
            } = &mut *state;
            ready.retain(|name| tasks.contains_key(name));
            let can = |name: &&u64| !paused.contains(&tasks[*name].0);
            let able: Vec<u64> = ready.iter().filter(can).copied().collect();
            if able.is_empty() {
                let Some((at, action)) = state.actions.pop_first() else {
                    return false;
                };
                state.now = at.0;
                drop(state);
                action();
                return true;
            }
            let name = random.pick(&able);
            ready.remove(&name);
            let task = tasks.get_mut(&name).and_then(|(_, task)| task.take());
            (name, task.expect("a task is polled by one alone"))
        };
        let waker = Waker::from(Arc::new(Ready {
            task: name,
            executor: self.clone(),
        }));
        let ended = task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        let mut state = self.state();
        if ended {
            state.tasks.remove(&name);
        } else if let Some(entry) = state.tasks.get_mut(&name) {
            entry.1 = Some(task);
            return true;
        }
        // It may own what uses the executor.
        drop(state);
        drop(task);
        true
    }
}

/// Makes a task ready.
struct Ready {
    task: u64,
    executor: Executor,
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.executor.state().ready.insert(self.task);
    }
}
