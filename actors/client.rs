//! A worker thread's way into the engine. One per thread: requests are gathered while the thread's loop turns and leave as
//! one message for each lane; answers arrive as one message and wake the futures that wait for them.

use crate::engine::Shared;
use crate::permits::{Permit, ThreadPermits, UsedUp};
use crate::readers::is_read_beside;
use crate::request::{Answer, Delivery, Refusal, ReplyTo, Request, Response};
use crate::router::ShardState;
use crate::settings::RETRY_AFTER_S;
use crate::shard::Ask;
use crate::workers::Answers;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::sync::mpsc;
use tollgate_domain::AccountKey;
use tollgate_store::ShardId;

/// A handle for one thread; clone it freely within the thread. Must be made and used inside a tokio `LocalSet` or an
/// actix arbiter.
#[derive(Clone)]
pub struct Client {
    inner: Rc<Inner>,
}

impl Client {
    pub(crate) fn start(shared: Arc<Shared>) -> Client {
        let (worker, answers) = shared
            .workers
            .register()
            .expect("at most 1,024 threads have a client of one engine");
        let inner = Rc::new(Inner {
            permits: ThreadPermits::new(&shared.permits),
            shared,
            worker,
            slots: RefCell::default(),
            outgoing: RefCell::default(),
            flushing: Cell::new(false),
            admitted: Cell::new(0),
            inside: Cell::new(0),
        });
        tokio::task::spawn_local(receive(Rc::clone(&inner), answers));
        Client { inner }
    }

    /// Sends a request and waits for its answer. Dropping the future changes nothing: the command goes on, and a retry
    /// with the same key hears the first answer.
    pub async fn call(&self, request: Request) -> Result<Response, Refusal> {
        let waiting = self.begin(request)?;
        waiting.await.map(|response| *response)
    }

    /// Whether the node has room for another request: a look before what a request costs is spent on it. [`Client::begin`]
    /// looks again.
    ///
    /// # Errors
    /// When it has none; that counts as a refusal.
    pub fn room(&self) -> Result<(), Refusal> {
        if self.inner.has_room() {
            return Ok(());
        }
        self.inner.shared.refused_by_node.increment(1);
        Err(Refusal::Overloaded {
            retry_after_s: RETRY_AFTER_S,
            by_account: false,
        })
    }

    /// The shard of an account, if it is not here: requests of it are another node's.
    pub fn elsewhere(&self, account: AccountKey) -> Option<ShardId> {
        self.inner.shared.router.elsewhere(account)
    }

    /// The part of [`Client::call`] that happens at once: admission, and a place among what leaves next. What is left is
    /// to wait, which takes a few words of memory and not the request's.
    pub fn begin(&self, request: Request) -> Result<Waiting, Refusal> {
        let inner = &self.inner;
        let shared = &inner.shared;
        if shared.is_stopping() {
            return Err(Refusal::Stopping);
        }
        let account = request.profile.key;
        let shard = shared.router.shard_of(account);
        if !shared.router.is_serving(shard) {
            return Err(match shared.router.state(shard) {
                ShardState::Failed => Refusal::ShardDown,
                // It may have come back since the look above.
                ShardState::Elsewhere | ShardState::Coming | ShardState::Leaving | ShardState::Serving => {
                    Refusal::Elsewhere(shard)
                }
            });
        }
        self.room()?;
        let permit = match inner.permits.take(shard, account) {
            Ok(permit) => permit,
            Err(used_up) => {
                match used_up {
                    UsedUp::Shard => shared.refused_by_shard.increment(1),
                    UsedUp::Account => shared.refused_by_account.increment(1),
                }
                return Err(Refusal::Overloaded {
                    retry_after_s: RETRY_AFTER_S,
                    by_account: used_up == UsedUp::Account,
                });
            }
        };
        inner.admitted.set(inner.admitted.get() + 1);
        inner.inside.set(inner.inside.get() + 1);
        let request = Arc::new(request);
        let to = inner.slots.borrow_mut().take(inner.worker, permit);
        let waiting = Waiting {
            inner: Rc::clone(inner),
            to,
            finished: false,
        };
        if is_read_beside(&request.call) {
            if !shared.read_beside(shard, to, request) {
                inner.slots.borrow_mut().release(to);
                shared.refused_by_readers.increment(1);
                return Err(Refusal::Overloaded {
                    retry_after_s: RETRY_AFTER_S,
                    by_account: false,
                });
            }
            inner.flush_soon();
        } else {
            inner.send(shard, Ask::new(to, request));
        }
        Ok(waiting)
    }
}

struct Inner {
    shared: Arc<Shared>,
    permits: Rc<ThreadPermits>,
    worker: u16,
    slots: RefCell<Slots>,
    /// What leaves next. Where to is looked up when it leaves: a shard may have moved by then.
    outgoing: RefCell<Vec<(ShardId, Ask)>>,
    /// Whether the flush of this turn is on its way.
    flushing: Cell<bool>,
    /// Requests admitted since the last flush. Counted there all at once: the counter's memory is shared by all workers.
    admitted: Cell<u64>,
    /// Requests inside the node as far as this thread knows: what it last saw, and what it has admitted since.
    inside: Cell<u64>,
}

impl Inner {
    /// Whether the node has room for another request. The sum is as old as this thread's last message to a lane or from
    /// one, so that requests do not all look at every shard's counter; before anybody is refused it is taken anew.
    fn has_room(&self) -> bool {
        let max = self.shared.permits.per_node();
        self.inside.get() < max || {
            self.look_inside();
            self.inside.get() < max
        }
    }

    fn look_inside(&self) {
        self.inside.set(self.shared.permits.inside());
    }

    fn send(self: &Rc<Self>, shard: ShardId, ask: Ask) {
        self.outgoing.borrow_mut().push((shard, ask));
        self.flush_soon();
    }

    fn flush_soon(self: &Rc<Self>) {
        if !self.flushing.replace(true) {
            // Queued behind the tasks that are ready now, so it leaves with what they add.
            let inner = Rc::clone(self);
            tokio::task::spawn_local(async move { inner.flush() });
        }
    }

    fn flush(&self) {
        self.flushing.set(false);
        self.shared.requests.increment(self.admitted.take());
        self.look_inside();
        let mut outgoing = self.outgoing.borrow_mut();
        if !outgoing.is_empty() {
            let next = Vec::with_capacity(outgoing.len());
            self.shared.router.work(std::mem::replace(&mut *outgoing, next));
        }
    }
}

async fn receive(inner: Rc<Inner>, mut answers: mpsc::Receiver<Answers>) {
    while let Some(batch) = answers.recv().await {
        let mut slots = inner.slots.borrow_mut();
        for Delivery { to, answer } in batch {
            slots.answer(to, answer);
        }
        drop(slots);
        inner.look_inside();
    }
}

/// A request that waits for its answer. Dropping it changes nothing about the request.
pub struct Waiting {
    inner: Rc<Inner>,
    to: ReplyTo,
    finished: bool,
}

impl Future for Waiting {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let answer = self.inner.slots.borrow_mut().poll(self.to, context);
        self.finished = answer.is_some();
        answer.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.finished {
            self.inner.slots.borrow_mut().leave(self.to);
        }
    }
}

/// Places of requests that are inside.
#[derive(Default)]
struct Slots {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

struct Slot {
    generation: u32,
    state: State,
}

enum State {
    Free,
    /// Inside. Without a waker nobody has polled yet, or nobody waits any more; the permit stays taken either way.
    Inside {
        waker: Option<Waker>,
        left: bool,
        permit: Permit,
    },
    Answered(Answer),
}

impl Slots {
    fn take(&mut self, worker: u16, permit: Permit) -> ReplyTo {
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                state: State::Free,
            });
            (self.slots.len() - 1) as u32
        });
        let slot = &mut self.slots[at as usize];
        slot.state = State::Inside {
            waker: None,
            left: false,
            permit,
        };
        ReplyTo {
            worker,
            slot: at,
            generation: slot.generation,
        }
    }

    /// Stores an answer and wakes who waits. An answer for an earlier use of the slot is dropped: it was answered twice,
    /// once by the shard and once by its supervisor.
    fn answer(&mut self, to: ReplyTo, answer: Answer) {
        let slot = &mut self.slots[to.slot as usize];
        if slot.generation != to.generation {
            return;
        }
        match std::mem::replace(&mut slot.state, State::Free) {
            State::Inside { left: true, .. } => self.release(to),
            State::Inside {
                waker,
                left: false,
                permit,
            } => {
                drop(permit);
                slot.state = State::Answered(answer);
                waker.into_iter().for_each(Waker::wake);
            }
            first @ (State::Answered(_) | State::Free) => slot.state = first,
        }
    }

    fn poll(&mut self, to: ReplyTo, context: &mut Context<'_>) -> Option<Answer> {
        let slot = &mut self.slots[to.slot as usize];
        assert_eq!(slot.generation, to.generation, "a request outlived its slot");
        match std::mem::replace(&mut slot.state, State::Free) {
            State::Answered(answer) => {
                self.release(to);
                Some(answer)
            }
            State::Inside { waker, left, permit } => {
                let waker = match waker {
                    Some(waker) if waker.will_wake(context.waker()) => waker,
                    _ => context.waker().clone(),
                };
                slot.state = State::Inside {
                    waker: Some(waker),
                    left,
                    permit,
                };
                None
            }
            State::Free => panic!("a request waits in a free slot"),
        }
    }

    /// Nobody waits any more. The slot stays taken until the answer comes, because the request is still inside.
    fn leave(&mut self, to: ReplyTo) {
        let slot = &mut self.slots[to.slot as usize];
        if slot.generation != to.generation {
            return;
        }
        match &mut slot.state {
            State::Inside { waker, left, .. } => {
                *waker = None;
                *left = true;
            }
            State::Answered(_) => self.release(to),
            State::Free => {}
        }
    }

    fn release(&mut self, to: ReplyTo) {
        let slot = &mut self.slots[to.slot as usize];
        slot.state = State::Free;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(to.slot);
    }
}
