//! The way between a process and the tables: requests and answers that are late, lost, doubled, or turned into errors.

use super::executor::{Executor, ProcessId};
use super::random::Random;
use super::statement::{Statement, Type};
use super::tables::{Mode, Tables};
use super::witness::Witness;
use crate::answer::Answer;
use crate::link::Failed;
use crate::port::Port;
use scylla::cluster::metadata::{ColumnType, NativeType};
use scylla::errors::{BrokenConnectionErrorKind, DbError, ExecutionError, RequestAttemptError, WriteType};
use scylla::frame::response::result::{ColumnSpec, TableSpec};
use scylla::serialize::row::{RowSerializationContext, SerializeRow};
use scylla::serialize::writers::RowWriter;
use scylla::statement::Consistency;
use scylla::value::CqlValue;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;
use tollgate_store::StoreError;

/// How long the driver waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How long a message takes as a rule.
const SHORT: Duration = Duration::from_millis(5);

/// The tables, and what happens on the way to them.
#[derive(Clone)]
pub(super) struct Network {
    pub(super) executor: Executor,
    state: Arc<Mutex<State>>,
}

pub(super) struct State {
    pub(super) tables: Tables,
    pub(super) witness: Witness,
    /// Statements of a thousand that something happens to.
    pub(super) faults_per_mille: u64,
    /// No statement gets through until then.
    pub(super) down_until: Duration,
}

impl Network {
    /// Over these tables, whose journal has so many blocks.
    pub(super) fn new(executor: Executor, tables: Tables, base: u64, faults_per_mille: u64) -> Network {
        let state = State {
            tables,
            witness: Witness::new(base),
            faults_per_mille,
            down_until: Duration::ZERO,
        };
        Network {
            executor,
            state: Arc::new(Mutex::new(state)),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection of a process.
    pub(super) fn connect(&self, process: ProcessId) -> Arc<Connection> {
        Arc::new(Connection {
            network: self.clone(),
            process,
        })
    }

    /// Runs a statement at the tables.
    fn arrive(&self, process: ProcessId, request: &Request, mode: Mode) -> Answer {
        let mut state = self.state();
        let done = state.tables.run(&request.statement, &request.values, mode);
        if let Some(changed) = &done.changed {
            let State { tables, witness, .. } = &mut *state;
            witness.changed(tables, process, changed);
        }
        done.answer
    }

    /// Sends a request on its way; what comes of it goes to the call.
    fn send(&self, process: ProcessId, request: &Arc<Request>, delivery: Delivery, call: &Arc<Mutex<Call>>) {
        let (this, request, call) = (self.clone(), Arc::clone(request), Arc::clone(call));
        self.executor.after(delivery.after, move || {
            let mode = match (request.mode, &delivery.reply) {
                (Mode::Settled, Reply::Answer(_)) => Mode::Settled,
                (Mode::Settled, _) => Mode::Unsettled,
                (mode, _) => mode,
            };
            let answer = this.arrive(process, &request, mode);
            match delivery.reply {
                Reply::Answer(after) => this.executor.after(after, move || settle(&call, Ok(answer))),
                Reply::Error(error) => this.executor.after(SHORT, move || settle(&call, Err(*error))),
                Reply::Nothing => {}
            }
        });
    }
}

/// What a process speaks through.
pub(super) struct Connection {
    network: Network,
    process: ProcessId,
}

/// A prepared statement, and how it is run.
pub(super) struct Prepared(Arc<Statement>, Mode);

struct Request {
    statement: Arc<Statement>,
    mode: Mode,
    values: Vec<CqlValue>,
}

/// Somebody waits for the outcome of a request.
#[derive(Default)]
struct Call {
    outcome: Option<Result<Answer, ExecutionError>>,
    waker: Option<Waker>,
}

/// A request that arrives.
struct Delivery {
    after: Duration,
    reply: Reply,
}

enum Reply {
    Answer(Duration),
    Error(Box<ExecutionError>),
    Nothing,
}

/// The first outcome counts.
fn settle(call: &Mutex<Call>, outcome: Result<Answer, ExecutionError>) {
    let mut call = call.lock().unwrap_or_else(PoisonError::into_inner);
    if call.outcome.is_none() {
        call.outcome = Some(outcome);
        if let Some(waker) = call.waker.take() {
            waker.wake();
        }
    }
}

impl Port for Connection {
    type Statement = Prepared;

    fn keyspace(&self) -> &str {
        "simulated"
    }

    async fn conditional(&self, text: &str) -> Result<Prepared, StoreError> {
        Ok(Prepared(self.network.state().tables.prepare(text), Mode::Settled))
    }

    async fn serial(&self, text: &str) -> Result<Prepared, StoreError> {
        Ok(Prepared(self.network.state().tables.prepare(text), Mode::Serial))
    }

    async fn plain(&self, text: &str) -> Result<Prepared, StoreError> {
        Ok(Prepared(self.network.state().tables.prepare(text), Mode::Plain))
    }

    async fn run(&self, statement: &Prepared, values: impl SerializeRow + Send + Sync) -> Result<Answer, Failed> {
        let executor = &self.network.executor;
        let request = Arc::new(Request {
            statement: Arc::clone(&statement.0),
            mode: statement.1,
            values: bound(&statement.0, &values),
        });
        let call = Arc::new(Mutex::new(Call::default()));
        let (faults, down) = {
            let state = self.network.state();
            (state.faults_per_mille, executor.now() < state.down_until)
        };
        let fate = executor.draw(|random| Fate::draw(random, statement.1, faults, down));
        if let Some((after, error)) = fate.error {
            let call = Arc::clone(&call);
            executor.after(after, move || settle(&call, Err(error)));
        }
        for delivery in fate.deliveries {
            self.network.send(self.process, &request, delivery, &call);
        }
        let waiting = Arc::clone(&call);
        let timeout = ExecutionError::RequestTimeout(TIMEOUT);
        executor.after(TIMEOUT, move || settle(&waiting, Err(timeout)));
        let outcome = std::future::poll_fn(|context| {
            let mut call = call.lock().unwrap_or_else(PoisonError::into_inner);
            call.waker = Some(context.waker().clone());
            call.outcome.take().map_or(Poll::Pending, Poll::Ready)
        });
        outcome.await.map_err(Failed::Statement)
    }

    async fn pause(&self, time: Duration) {
        self.network.executor.sleep(time).await;
    }
}

/// What happens to a request.
#[derive(Default)]
struct Fate {
    deliveries: Vec<Delivery>,
    /// An error that comes by itself, after this time.
    error: Option<(Duration, ExecutionError)>,
}

impl Fate {
    fn draw(random: &mut Random, mode: Mode, faults_per_mille: u64, down: bool) -> Fate {
        let arrives = |after: Duration, reply: Reply| Delivery { after, reply };
        if down {
            // A request that gets stuck on the way there arrives when the servers are back, or never.
            let late = random
                .chance(50)
                .then(|| arrives(random.long_time() + TIMEOUT, Reply::Nothing));
            let error = random
                .chance(700)
                .then(|| (random.time(SHORT), before(random, mode, late.is_some())));
            return Fate {
                deliveries: late.into_iter().collect(),
                error,
            };
        }
        let soon = random.time(SHORT);
        let answered = Reply::Answer(random.time(SHORT));
        if !random.chance(faults_per_mille) {
            return Fate {
                deliveries: vec![arrives(soon, answered)],
                error: None,
            };
        }
        let mut fate = Fate::default();
        match random.below(9) {
            // The request is lost.
            0 => {}
            // The answer is lost.
            1 => fate.deliveries.push(arrives(soon, Reply::Nothing)),
            // Either is late.
            2 => fate.deliveries.push(arrives(random.long_time(), answered)),
            3 => fate.deliveries.push(arrives(soon, Reply::Answer(random.long_time()))),
            // The driver sends it again, and either answer comes first.
            4 => {
                fate.deliveries.push(arrives(soon, answered));
                fate.deliveries
                    .push(arrives(random.long_time(), Reply::Answer(random.time(SHORT))));
            }
            // The same, and the answer to the first is lost.
            5 => {
                fate.deliveries.push(arrives(soon, Reply::Nothing));
                fate.deliveries.push(arrives(random.long_time(), answered));
            }
            // An error of something that never happens.
            6 => fate.error = Some((soon, before(random, mode, false))),
            // An error of something that happens later.
            7 => {
                fate.error = Some((soon, before(random, mode, true)));
                fate.deliveries.push(arrives(random.long_time(), Reply::Nothing));
            }
            // An error of something that has happened.
            _ => fate
                .deliveries
                .push(arrives(soon, Reply::Error(Box::new(after(random, mode))))),
        }
        fate
    }
}

/// An error that says nothing of what happens later, or, where nothing does, says so.
fn before(random: &mut Random, mode: Mode, happens: bool) -> ExecutionError {
    let serial = Consistency::LocalSerial;
    if !happens && random.chance(300) {
        return said(unavailable(serial));
    }
    after(random, mode)
}

/// An error of something that may have happened.
fn after(random: &mut Random, mode: Mode) -> ExecutionError {
    let consistency = Consistency::LocalSerial;
    let read = !matches!(mode, Mode::Settled | Mode::Unsettled);
    match random.below(5) {
        0 => RequestAttemptError::BrokenConnectionError(BrokenConnectionErrorKind::ChannelError.into()).into(),
        1 => said(DbError::ServerError),
        2 => said(DbError::Overloaded),
        3 => said(unavailable(Consistency::LocalQuorum)),
        _ if read => said(DbError::ReadTimeout {
            consistency,
            received: 1,
            required: 2,
            data_present: false,
        }),
        _ => said(DbError::WriteTimeout {
            consistency,
            received: 1,
            required: 2,
            write_type: WriteType::Cas,
        }),
    }
}

fn unavailable(consistency: Consistency) -> DbError {
    DbError::Unavailable {
        consistency,
        required: 2,
        alive: 1,
    }
}

fn said(error: DbError) -> ExecutionError {
    ExecutionError::LastAttemptError(RequestAttemptError::DbError(error, "simulated".to_owned()))
}

/// What a statement is given, by way of the bytes that a server would get.
fn bound(statement: &Statement, values: &impl SerializeRow) -> Vec<CqlValue> {
    let spec = |(name, of): &(String, Type)| {
        let of = ColumnType::Native(match of {
            Type::Int => NativeType::Int,
            Type::BigInt => NativeType::BigInt,
            Type::Blob => NativeType::Blob,
            Type::Text => NativeType::Text,
        });
        ColumnSpec::owned(name.clone(), of, TableSpec::borrowed("simulated", "simulated"))
    };
    let specs: Vec<ColumnSpec<'_>> = statement.bound.iter().map(spec).collect();
    let mut bytes = Vec::new();
    let context = RowSerializationContext::from_specs(&specs);
    let written = values.serialize(&context, &mut RowWriter::new(&mut bytes));
    written.unwrap_or_else(|error| panic!("{:?}: {error}", statement.body));
    let mut rest = &bytes[..];
    let mut take = |len: usize| {
        let (taken, left) = rest.split_at(len);
        rest = left;
        taken
    };
    let mut all = Vec::new();
    for (name, of) in &statement.bound {
        let len = i32::from_be_bytes(take(4).try_into().expect("four bytes"));
        let len = usize::try_from(len).unwrap_or_else(|_| panic!("{name} is null"));
        let value = take(len);
        all.push(match of {
            Type::Int => CqlValue::Int(i32::from_be_bytes(value.try_into().expect("four bytes"))),
            Type::BigInt => CqlValue::BigInt(i64::from_be_bytes(value.try_into().expect("eight bytes"))),
            Type::Blob => CqlValue::Blob(value.to_vec()),
            Type::Text => CqlValue::Text(String::from_utf8(value.to_vec()).expect("UTF-8")),
        });
    }
    all
}
