//! The merchants' accounts before a run: opened, their books noted, and a few payments made that can be read.

use crate::connection::Connection;
use crate::flow::Operation;
use crate::money::Reader;
use crate::open_loop::Plan;
use crate::open_loop::body_checksum;
use crate::open_loop::movements::{Movement, Movements};
use crate::open_loop::request::{Requests, Subject};
use crate::open_loop::task::{Id, Paid, Task};
use crate::random::SplitMix64;
use crate::request::amount_of;
use crate::scenario::CardOutcome;
use anyhow::{Context, bail};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Connections that prepare accounts and check them afterwards.
pub(crate) const CONNECTIONS: usize = 32;
/// Tries of a payment that is made before the run.
const TRIES_MAX: u32 = 10;
/// Pause between them.
const TRY_PAUSE: Duration = Duration::from_millis(100);

/// Where a merchant's account stood before the run: what is newer belongs to the run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    /// Pending and available, minor units.
    pub(crate) balance: i64,
    /// The newest object of each list of [`LISTS`]; `None` if there was none.
    pub(crate) newest: [Option<String>; LISTS.len()],
}

/// Lists that are held against the answers: balance transactions, payments, refunds, events.
pub(crate) const LISTS: [&str; 4] = ["balance_transactions", "payment_intents", "refunds", EVENTS];
/// The events that say that money moved; each payment and each refund has one.
const EVENTS: &str = "events?types%5B%5D=payment_intent.succeeded&types%5B%5D=refund.created";

/// Everything there is before the first request is due.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    /// One per merchant.
    pub(crate) books: Vec<Book>,
    /// Payments that can be read.
    pub(crate) known: Vec<Paid>,
    /// The money that those moved.
    pub(crate) movements: Movements,
}

/// Opens the accounts, notes their books if `with_books`, and makes the scenario's payments.
pub(crate) fn prepare(plan: &Arc<Plan>, with_books: bool) -> anyhow::Result<Prepared> {
    let prepared = Rc::new(RefCell::new(Prepared {
        books: vec![Book::default(); plan.merchants.len()],
        ..Prepared::default()
    }));
    for_each(plan.merchants.len(), |next| {
        let (plan, prepared) = (plan.clone(), prepared.clone());
        async move {
            let mut reader = Reader::open(&plan.target, plan.merchants.key(0), timeout(&plan)).await?;
            while let Some(merchant) = next.take() {
                reader.become_caller(&plan.target, plan.merchants.key(merchant as u32));
                let mut book = Book {
                    balance: reader
                        .balance()
                        .await
                        .context("an account cannot be read before the run")?,
                    newest: Default::default(),
                };
                if with_books {
                    for (newest, list) in book.newest.iter_mut().zip(LISTS) {
                        *newest = reader.newest(list).await?;
                    }
                }
                prepared.borrow_mut().books[merchant] = book;
            }
            Ok(())
        }
    })?;
    let card = plan
        .scenario
        .cards
        .iter()
        .position(|card| card.outcome == CardOutcome::Succeeds);
    if let Some(card) = card {
        for_each(plan.numbers_before as usize, |next| {
            let (plan, prepared) = (plan.clone(), prepared.clone());
            async move {
                let mut payer = Payer::new(plan, card as u16);
                while let Some(number) = next.take() {
                    let paid = payer.pay(number as u64).await?;
                    let mut prepared = prepared.borrow_mut();
                    prepared.movements.done(Movement {
                        merchant: paid.merchant,
                        source: paid.charge,
                        amount: amount_of(paid.number),
                    });
                    prepared.known.push(paid);
                }
                Ok(())
            }
        })?;
    }
    Ok(Rc::into_inner(prepared).expect("every task has ended").into_inner())
}

/// Numbers handed out to tasks that work side by side.
#[derive(Clone)]
pub(crate) struct Next {
    at: Rc<Cell<usize>>,
    end: usize,
}

impl Next {
    /// The next number; `None` when all are handed out.
    pub(crate) fn take(&self) -> Option<usize> {
        let at = self.at.get();
        (at < self.end).then(|| {
            self.at.set(at + 1);
            at
        })
    }
}

/// Works through `count` numbers with [`CONNECTIONS`] tasks; gives the first error.
pub(crate) fn for_each<Work>(count: usize, mut work: impl FnMut(Next) -> Work) -> anyhow::Result<()>
where
    Work: Future<Output = anyhow::Result<()>> + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let set = tokio::task::LocalSet::new();
    let next = Next {
        at: Rc::default(),
        end: count,
    };
    let tasks: Vec<_> = (0..CONNECTIONS.min(count))
        .map(|_| set.spawn_local(work(next.clone())))
        .collect();
    set.block_on(&runtime, async {
        for task in tasks {
            task.await.context("a task panicked")??;
        }
        Ok(())
    })
}

/// Time that an answer may take to whoever prepares and checks.
pub(crate) fn timeout(plan: &Plan) -> Duration {
    Duration::from_secs_f64(plan.scenario.client.timeout_s.max(30.0))
}

/// One connection that makes payments.
struct Payer {
    plan: Arc<Plan>,
    requests: Requests,
    card: u16,
    connection: Option<Connection>,
    request: Vec<u8>,
}

impl Payer {
    fn new(plan: Arc<Plan>, card: u16) -> Payer {
        Payer {
            requests: Requests::new(&plan.target, plan.run),
            plan,
            card,
            connection: None,
            request: Vec::new(),
        }
    }

    async fn pay(&mut self, number: u64) -> anyhow::Result<Paid> {
        let plan = self.plan.clone();
        let mut random = SplitMix64(plan.chance() ^ crate::random::mix(number));
        let merchant = plan.merchants.pick(&mut random);
        let task = Task::new(0, merchant, number, self.card, Instant::now());
        let subject = Subject {
            key: plan.merchants.key(merchant),
            card: &plan.scenario.cards[usize::from(self.card)].name,
            returns: false,
        };
        self.requests.write(&mut self.request, &task, Operation::Pay, &subject);
        let mut last = String::new();
        for _ in 0..TRIES_MAX {
            match self.try_once().await {
                Ok((200, body)) => {
                    let payment = crate::body::Payment::read(&body).context("a payment cannot be read")?;
                    let charge = payment.charge.as_deref().unwrap_or_default();
                    if payment.status != "succeeded" {
                        bail!("a payment before the run is {}, not succeeded", payment.status);
                    }
                    return Ok(Paid {
                        merchant,
                        id: Id::new(&payment.id).context("an id is none")?,
                        charge: Id::new(charge).context("an id is none")?,
                        number,
                        step: 0,
                        card: self.card,
                        body: body_checksum(&body),
                    });
                }
                Ok((status, body)) => last = format!("{status} {}", crate::body::error_code(&body)),
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(TRY_PAUSE).await;
        }
        bail!("the payments to be read cannot be made: {last}")
    }

    async fn try_once(&mut self) -> anyhow::Result<(u16, Vec<u8>)> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(&self.plan.target, timeout(&self.plan)).await?,
        };
        let answer = connection.exchange(&self.request).await?;
        let (status, body, keep_alive) = (answer.status, answer.body.to_vec(), answer.keep_alive);
        if keep_alive {
            self.connection = Some(connection);
        }
        Ok((status, body))
    }
}
