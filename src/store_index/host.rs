//! The threads that write and merge: some for both kinds of work, however many indexes there are. Each index has one turn
//! of a kind at a time, and tells when it wants the next one; who has waited longest comes first.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How many threads there are of each kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Threads {
    /// Write what is in memory; 1 at least.
    pub writing: usize,
    /// Merge files; 1 at least.
    pub merging: usize,
}

impl Default for Threads {
    fn default() -> Self {
        Threads { writing: 1, merging: 1 }
    }
}

/// The two kinds of work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Write,
    Merge,
}

const ROLES: [Role; 2] = [Role::Write, Role::Merge];

/// When an index wants its next turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// At once, after those who wait already.
    Now,
    /// After this time, or when it is woken.
    In(Duration),
    /// Never again.
    Never,
}

/// An index, as its threads see it.
pub(crate) trait Worker: Send + Sync {
    /// Does one step of this kind of work.
    fn turn(&self, role: Role) -> Next;
    /// A turn panicked: there is none of its kind any more.
    fn panicked(&self);
}

/// Runs the work of indexes on a few threads. Dropping it tells them to end, and waits for nobody.
pub struct Host {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// The place of an index among those that a host works for. It may outlive the host.
pub(crate) struct Seat {
    shared: Arc<Shared>,
    number: u64,
}

struct Shared {
    queue: Mutex<Queue>,
    /// Told of turns that came to be due, and of the end.
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    members: BTreeMap<u64, Member>,
    /// Who waits for a turn, the soonest first, for each role.
    due: [BTreeSet<(Instant, u64)>; 2],
    last_member: u64,
    stopping: bool,
}

struct Member {
    worker: Arc<dyn Worker>,
    turns: [Turn; 2],
}

/// Where a member stands with one kind of work.
#[derive(Clone, Copy)]
enum Turn {
    Waiting(Instant),
    /// `again`: it was woken meanwhile.
    Running {
        again: bool,
    },
    Over,
}

impl Host {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn start(threads: Threads) -> io::Result<Host> {
        let mut host = Host {
            shared: Arc::new(Shared {
                queue: Mutex::default(),
                changed: Condvar::new(),
            }),
            threads: Vec::new(),
        };
        for (role, name, count) in [
            (Role::Write, "tollgate-index", threads.writing),
            (Role::Merge, "tollgate-merge", threads.merging),
        ] {
            for _ in 0..count.max(1) {
                let shared = Arc::clone(&host.shared);
                let thread = std::thread::Builder::new().name(name.to_owned());
                // Dropping the host ends those that have started.
                host.threads.push(thread.spawn(move || shared.work(role))?);
            }
        }
        Ok(host)
    }

    /// Ends the threads and waits for them, but for the one that asks.
    pub fn join(mut self) {
        self.shared.stop();
        for thread in self.threads.drain(..) {
            if thread.thread().id() != std::thread::current().id() {
                // A panic in a turn was caught there.
                let _ = thread.join();
            }
        }
    }

    /// A place for an index.
    pub(crate) fn seat(&self) -> Seat {
        let mut queue = self.shared.queue();
        queue.last_member += 1;
        Seat {
            shared: Arc::clone(&self.shared),
            number: queue.last_member,
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl Seat {
    /// Begins the work of an index, which gets its first turn of each role after these times.
    pub(crate) fn enter(&self, worker: Arc<dyn Worker>, first: [Duration; 2]) {
        let mut queue = self.shared.queue();
        let now = Instant::now();
        let turns = first.map(|after| now + after);
        for (due, at) in queue.due.iter_mut().zip(turns) {
            due.insert((at, self.number));
        }
        let turns = turns.map(Turn::Waiting);
        queue.members.insert(self.number, Member { worker, turns });
        drop(queue);
        self.shared.changed.notify_all();
    }

    /// Lets the index have its turn now.
    pub(crate) fn wake(&self, role: Role) {
        let number = self.number;
        let mut queue = self.shared.queue();
        let Queue { members, due, .. } = &mut *queue;
        let Some(member) = members.get_mut(&number) else {
            return;
        };
        match &mut member.turns[role as usize] {
            Turn::Waiting(at) => {
                due[role as usize].remove(&(*at, number));
                *at = Instant::now().min(*at);
                due[role as usize].insert((*at, number));
            }
            Turn::Running { again } => *again = true,
            Turn::Over => return,
        }
        drop(queue);
        self.shared.changed.notify_all();
    }

    /// Ends the work of the index. A turn that it has now goes on to its end.
    pub(crate) fn leave(&self) {
        let number = self.number;
        let left = {
            let mut queue = self.shared.queue();
            let left = queue.members.remove(&number);
            for role in ROLES {
                if let Some(Turn::Waiting(at)) = left.as_ref().map(|member| member.turns[role as usize]) {
                    queue.due[role as usize].remove(&(at, number));
                }
            }
            left
        };
        // What it holds may take long to free.
        drop(left);
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        self.queue().stopping = true;
        self.changed.notify_all();
    }

    /// A thread's work.
    fn work(&self, role: Role) {
        while let Some((number, worker)) = self.await_turn(role) {
            let next = catch_unwind(AssertUnwindSafe(|| worker.turn(role))).unwrap_or_else(|_| {
                worker.panicked();
                Next::Never
            });
            self.end_turn(number, role, next);
        }
    }

    fn await_turn(&self, role: Role) -> Option<(u64, Arc<dyn Worker>)> {
        let mut queue = self.queue();
        loop {
            if queue.stopping {
                return None;
            }
            let now = Instant::now();
            let first = queue.due[role as usize].first().copied();
            queue = match first {
                Some((at, number)) if at <= now => {
                    queue.due[role as usize].remove(&(at, number));
                    let member = queue.members.get_mut(&number).expect("who waits is a member");
                    member.turns[role as usize] = Turn::Running { again: false };
                    return Some((number, Arc::clone(&member.worker)));
                }
                Some((at, _)) => {
                    let waited = self.changed.wait_timeout(queue, at - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn end_turn(&self, number: u64, role: Role, next: Next) {
        let mut queue = self.queue();
        let Queue { members, due, .. } = &mut *queue;
        let Some(member) = members.get_mut(&number) else {
            return;
        };
        let turn = &mut member.turns[role as usize];
        let again = matches!(turn, Turn::Running { again: true });
        *turn = match next {
            Next::Never => Turn::Over,
            Next::In(time) if !again => Turn::Waiting(Instant::now() + time),
            Next::Now | Next::In(_) => Turn::Waiting(Instant::now()),
        };
        if let Turn::Waiting(at) = *turn {
            due[role as usize].insert((at, number));
            // With more threads than one another may be free.
            drop(queue);
            self.changed.notify_all();
        }
    }
}
