//! One thread's share of a closed loop: its connections each send a request, wait for the answer, and send the next.

use crate::acknowledged::{Acknowledged, AcknowledgedPayment};
use crate::body::{self, Payment};
use crate::connection::{Connection, TransportError};
use crate::generator::Plan;
use crate::random::SplitMix64;
use crate::request::{self, PaymentRequest, ReadRequest};
use crate::tally::{Operation, Tally};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Times a request is sent before it counts as unanswered: once, and again after each transport error.
const TRIES_MAX: u32 = 6;
/// Pause before the second try; it doubles with each further one.
const TRY_PAUSE: Duration = Duration::from_millis(20);
/// Requests in a row without any answer after which a connection stops: the server is gone.
const UNANSWERED_IN_A_ROW_MAX: u32 = 3;
/// Pause after a refusal for overload (429, 5xx), so that a refusing server does not meet a tight loop.
const REFUSED_PAUSE: Duration = Duration::from_millis(20);

/// What a thread is to do.
#[derive(Clone)]
pub(crate) struct Share {
    /// The run.
    pub(crate) plan: Arc<Plan>,
    /// Number of this thread, from 0.
    pub(crate) thread: usize,
    /// Connections of this thread.
    pub(crate) connections: usize,
    /// Requests of this thread within the window; `None` for no limit.
    pub(crate) requests: Option<u64>,
    /// When the window opens.
    pub(crate) begin: Instant,
    /// When it closes; `None` to go by requests alone.
    pub(crate) end: Option<Instant>,
    /// Payments made earlier, for reads.
    pub(crate) known: Arc<Acknowledged>,
}

/// What a thread has done.
pub(crate) struct Done {
    /// Its counts.
    pub(crate) tally: Tally,
    /// Payments it got acknowledged, in the whole run.
    pub(crate) acknowledged: Acknowledged,
    /// When its last answer came.
    pub(crate) last_answer: Option<Instant>,
}

/// Runs the share on a runtime of its own until the window closes and every answer is in.
pub(crate) fn work(share: Share) -> std::io::Result<Done> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let state = Rc::new(State {
        share,
        tally: RefCell::default(),
        acknowledged: RefCell::default(),
        issued: Cell::new(0),
        issued_in_window: Cell::new(0),
        last_answer: Cell::new(None),
    });
    let set = tokio::task::LocalSet::new();
    for index in 0..state.share.connections {
        set.spawn_local(Loop::new(state.clone(), index).run());
    }
    runtime.block_on(set);
    let state = Rc::into_inner(state).expect("every connection's task has ended");
    Ok(Done {
        tally: state.tally.into_inner(),
        acknowledged: state.acknowledged.into_inner(),
        last_answer: state.last_answer.get(),
    })
}

/// What the connections of a thread share.
struct State {
    share: Share,
    tally: RefCell<Tally>,
    acknowledged: RefCell<Acknowledged>,
    issued: Cell<u64>,
    issued_in_window: Cell<u64>,
    last_answer: Cell<Option<Instant>>,
}

/// One connection's loop.
struct Loop {
    state: Rc<State>,
    connection: Option<Connection>,
    payment: PaymentRequest,
    read: ReadRequest,
    random: SplitMix64,
    first_body: Vec<u8>,
    unanswered_in_a_row: u32,
    account: u32,
    /// Payments answered; those that are kept are counted off here, so that each connection, and account, keeps its first.
    paid: u64,
    /// Payments of this connection's account that can be read.
    readable: Vec<u32>,
}

/// What an exchange came to.
enum Exchanged {
    Good,
    Refused { overloaded: bool },
    Unanswered,
}

impl Loop {
    fn new(state: Rc<State>, index: usize) -> Self {
        let plan = &state.share.plan;
        let seed = plan.run ^ ((state.share.thread as u64) << 32 | index as u64);
        let account = ((index * plan.threads + state.share.thread) % plan.spread as usize) as u32;
        let key = plan.key_of(account);
        let known = state.share.known.iter().enumerate();
        Loop {
            account,
            paid: 0,
            readable: known
                .filter(|(_, payment)| payment.account == account)
                .map(|(at, _)| at as u32)
                .collect(),
            connection: None,
            payment: PaymentRequest::new(&plan.target, &key, plan.run, &plan.card),
            read: ReadRequest::new(&plan.target, &key),
            random: SplitMix64(seed),
            first_body: Vec::new(),
            unanswered_in_a_row: 0,
            state,
        }
    }

    async fn run(mut self) {
        while self.state.may_send(Instant::now()) {
            let overloaded = match self.step().await {
                Exchanged::Good => false,
                Exchanged::Refused { overloaded } => overloaded,
                Exchanged::Unanswered if self.unanswered_in_a_row >= UNANSWERED_IN_A_ROW_MAX => return,
                Exchanged::Unanswered => false,
            };
            if overloaded {
                tokio::time::sleep(REFUSED_PAUSE).await;
            }
        }
    }

    /// One payment with its replay, or one read.
    async fn step(&mut self) -> Exchanged {
        let state = self.state.clone();
        let plan = &state.share.plan;
        if !self.readable.is_empty() && self.random.chance(plan.read_share) {
            let at = self.readable[self.random.below(self.readable.len())];
            let known = state.share.known.get(at as usize);
            self.read.fill(&[b"payment_intents/", known.id.as_bytes()]);
            return self.exchange(Operation::Read, 0).await;
        }
        let number = state.issued.get() * plan.threads as u64 + state.share.thread as u64;
        state.issued.set(state.issued.get() + 1);
        self.payment.fill(number);
        let replay = self.random.chance(plan.retry_share);
        let first = self.exchange(Operation::Payment, number).await;
        if replay && matches!(first, Exchanged::Good) {
            return self.exchange(Operation::Replay, number).await;
        }
        first
    }

    /// Sends the request that is filled in, again after transport errors, and counts what comes of it.
    async fn exchange(&mut self, operation: Operation, number: u64) -> Exchanged {
        let state = self.state.clone();
        let begun = Instant::now();
        let sent_in = state.in_window(begun);
        for try_number in 0..TRIES_MAX {
            if try_number > 0 {
                tokio::time::sleep(TRY_PAUSE * (1 << (try_number - 1))).await;
            }
            match self.try_once(operation, number, begun, sent_in).await {
                Ok(exchanged) => {
                    self.unanswered_in_a_row = 0;
                    return exchanged;
                }
                Err(error) => {
                    self.connection = None;
                    state.tally.borrow_mut().broke(error);
                }
            }
        }
        self.unanswered_in_a_row += 1;
        state.tally.borrow_mut().unanswered += 1;
        Exchanged::Unanswered
    }

    async fn try_once(
        &mut self,
        operation: Operation,
        number: u64,
        begun: Instant,
        sent_in: bool,
    ) -> Result<Exchanged, TransportError> {
        let state = &*self.state;
        let plan = &state.share.plan;
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(Connection::open(&plan.target, plan.timeout).await?),
        };
        let request = if operation == Operation::Read {
            self.read.bytes()
        } else {
            self.payment.bytes()
        };
        {
            let mut tally = state.tally.borrow_mut();
            tally.sent += 1;
            tally.bytes_sent += request.len() as u64;
        }
        let answer = connection.exchange(request).await?;
        let now = Instant::now();
        state.last_answer.set(Some(now));
        let answered_in = state.in_window(now);
        let keep_alive = answer.keep_alive;
        let mut tally = state.tally.borrow_mut();
        tally.bytes_received += answer.received as u64;
        tally.answers_in_window += u64::from(answered_in);
        let mut exchanged = Exchanged::Good;
        if answer.status != 200 {
            tally.refused(answer.status, &body::error_code(answer.body));
            exchanged = Exchanged::Refused {
                overloaded: answer.status == 429 || answer.status >= 500,
            };
        } else if operation == Operation::Replay {
            tally.replay_differences += u64::from(answer.body != self.first_body);
        } else if let Some(payment) = Payment::read(answer.body) {
            let succeeded = payment.status == "succeeded";
            if !succeeded {
                tally.refused(200, &format!("with status {}", payment.status));
                exchanged = Exchanged::Refused { overloaded: false };
            }
            if operation == Operation::Payment {
                let keeps = plan.keep_one_of.is_some_and(|of| self.paid.is_multiple_of(of));
                self.paid += 1;
                if keeps {
                    state.acknowledged.borrow_mut().push(AcknowledgedPayment {
                        id: &payment.id,
                        charge: payment.charge.as_deref().unwrap_or_default(),
                        amount: request::amount_of(number),
                        account: self.account,
                        succeeded,
                    });
                }
            }
            if plan.retry_share > 0.0 {
                self.first_body.clear();
                self.first_body.extend_from_slice(answer.body);
            }
        } else {
            tally.refused(200, "without a payment intent");
            exchanged = Exchanged::Refused { overloaded: false };
        }
        if matches!(exchanged, Exchanged::Good) {
            tally.good(operation, now - begun, sent_in, answered_in);
        }
        drop(tally);
        if !keep_alive {
            self.connection = None;
        }
        Ok(exchanged)
    }
}

impl State {
    fn in_window(&self, at: Instant) -> bool {
        at >= self.share.begin && self.share.end.is_none_or(|end| at < end)
    }

    /// Whether another request may go out; counts it against the thread's limit if it falls into the window.
    fn may_send(&self, now: Instant) -> bool {
        if self.share.end.is_some_and(|end| now >= end) {
            return false;
        }
        if now >= self.share.begin {
            if self
                .share
                .requests
                .is_some_and(|limit| self.issued_in_window.get() >= limit)
            {
                return false;
            }
            self.issued_in_window.set(self.issued_in_window.get() + 1);
        }
        true
    }
}
