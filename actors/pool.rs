//! The pool that calls networks: one named thread with a runtime, a bounded number of calls on their way, a bounded queue
//! behind them. A call is made at most once from here; what is lost (a full queue, a panic, a killed process) counts as
//! unanswered, and the timers of its attempt resolve it.

use crate::clock::MachineClock;
use crate::metrics::{CALL_PANICS, CALLS_DROPPED, CALLS_IN_FLIGHT, MONEY_IN_FLIGHT, OUTBOX_AGE};
use crate::performer::Performer;
use crate::router::Router;
use crate::settings::{CALLS_IN_FLIGHT_MAX, CALLS_WAITING_MAX};
use crate::shard::{CallOut, Control};
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tollgate_domain::acquirer::{Ask, Asked, NetworkAnswer, NetworkCall, Said};

/// How long after its deadline a call is given up; a late answer within it still reaches the attempt.
const LATE_MAX: Duration = Duration::from_secs(120);

/// How often it is told how old the oldest call is and how much money is on its way.
const OUTBOX_LOOK: Duration = Duration::from_secs(1);

/// Where calls are handed in.
#[derive(Clone)]
pub struct Pool {
    calls: mpsc::Sender<(CallOut, Instant)>,
    router: Arc<Router>,
}

impl Pool {
    /// Starts the pool's thread; it ends when the last handle is dropped. `clock` is the one that the shards are told.
    pub fn start(performer: Arc<dyn Performer>, router: Arc<Router>, clock: MachineClock) -> std::io::Result<Pool> {
        let (calls, waiting) = mpsc::channel(CALLS_WAITING_MAX);
        let work = Work {
            performer,
            router: Arc::clone(&router),
            clock,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        std::thread::Builder::new()
            .name("tollgate-calls".into())
            .spawn(move || runtime.block_on(work.run(waiting)))?;
        Ok(Pool { calls, router })
    }

    /// Makes calls whose attempts are durable. Never blocks.
    pub fn submit(&self, calls: Vec<CallOut>) {
        let now = Instant::now();
        for call in calls {
            if self.calls.try_send((call, now)).is_err() {
                metrics::counter!(CALLS_DROPPED).increment(1);
                answer(&self.router, call, silence(&call.call));
            }
        }
    }
}

struct Work {
    performer: Arc<dyn Performer>,
    router: Arc<Router>,
    clock: MachineClock,
}

impl Work {
    async fn run(self, mut waiting: mpsc::Receiver<(CallOut, Instant)>) {
        let work = Arc::new(self);
        let in_flight = metrics::gauge!(CALLS_IN_FLIGHT);
        let mut tasks = JoinSet::new();
        let mut outbox = Outbox::default();
        let mut look = tokio::time::interval(OUTBOX_LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                call = waiting.recv(), if tasks.len() < CALLS_IN_FLIGHT_MAX => match call {
                    Some((call, since)) => {
                        let task = tasks.spawn(Arc::clone(&work).one(call)).id();
                        outbox.out.insert(task, (call, since));
                    }
                    None => return,
                },
                Some(done) = tasks.join_next_with_id(), if !tasks.is_empty() => {
                    let task = done.map_or_else(|failure| failure.id(), |(task, ())| task);
                    outbox.out.remove(&task);
                }
                _ = look.tick() => outbox.tell(),
            }
            in_flight.set(tasks.len() as f64);
        }
    }

    /// Makes one call and sends what came back to its shard.
    async fn one(self: Arc<Self>, call: CallOut) {
        let now_ms = self.clock.now().steady_ms;
        if now_ms >= call.until_steady_ms {
            // Nobody waits for it any more; making it now would only add something to undo.
            metrics::counter!(CALLS_DROPPED).increment(1);
            return answer(&self.router, call, silence(&call.call));
        }
        let patience = Duration::from_millis(call.until_steady_ms - now_ms) + LATE_MAX;
        let performer = Arc::clone(&self.performer);
        // A task of its own, so that a panic in a network ends only this call.
        let performed = tokio::spawn(async move { performer.perform(call.call).await });
        let came_back = match tokio::time::timeout(patience, performed).await {
            Ok(Ok(came_back)) => came_back,
            Ok(Err(failure)) => {
                metrics::counter!(CALL_PANICS).increment(1);
                tracing::error!(attempt = ?call.call.attempt, %failure, "network call panicked; it counts as unanswered");
                silence(&call.call)
            }
            Err(_) => silence(&call.call),
        };
        answer(&self.router, call, came_back);
    }
}

/// Calls that have left and have no answer. Those that wait behind them are younger.
#[derive(Default)]
struct Outbox {
    out: HashMap<tokio::task::Id, (CallOut, Instant)>,
    /// Currencies that were told of before, to be told of again when there is nothing left of them.
    told: BTreeMap<&'static str, i128>,
}

impl Outbox {
    fn tell(&mut self) {
        let oldest = self.out.values().map(|(_, since)| *since).min();
        let age = oldest.map_or(0.0, |since| since.elapsed().as_secs_f64());
        metrics::gauge!(OUTBOX_AGE).set(age);
        self.told.values_mut().for_each(|sum| *sum = 0);
        for (call, _) in self.out.values() {
            if let Ask::Authorise(money)
            | Ask::Purchase(money)
            | Ask::Capture { money, .. }
            | Ask::Refund { money, .. } = call.call.ask
            {
                *self.told.entry(money.currency.code()).or_default() += i128::from(money.amount);
            }
        }
        for (currency, sum) in &self.told {
            metrics::gauge!(MONEY_IN_FLIGHT, "currency" => *currency).set(*sum as f64);
        }
    }
}

fn answer(router: &Router, call: CallOut, answer: NetworkAnswer) {
    let control = Control::Answered {
        account: call.account,
        attempt: call.call.attempt,
        answer,
    };
    router.control(router.shard_of(call.account), control);
}

fn silence(call: &NetworkCall) -> NetworkAnswer {
    let to = match call.ask {
        Ask::Authorise(_) | Ask::Purchase(_) | Ask::Capture { .. } | Ask::Refund { .. } | Ask::Verify { .. } => {
            Asked::Request
        }
        Ask::Inquire => Asked::Inquiry,
        Ask::Reverse => Asked::Reversal,
    };
    NetworkAnswer {
        to,
        said: Said::Silence,
    }
}
