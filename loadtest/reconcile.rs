//! The check of the money after an open loop: what was acknowledged against lists, balance transactions, events, balances.
//!
//! Each merchant that is checked is checked to the cent: every acknowledged payment and refund has exactly one balance
//! transaction of the right amount, stands once in its list, and has one event; nothing of these is unexplained; and the
//! balance moved by exactly the net sum of the transactions.
//! Sample rule: all merchants, as long as their movements together are within the scenario's `movements_max`; beyond,
//! the largest merchant and then merchants drawn by seed, until their movements come to that number.

mod found;

pub(crate) use found::Reconciled;

use crate::accounts::{self, Book, LISTS, Prepared};
use crate::lists::{self, Event, Intent, Refund, Transaction};
use crate::money::{self, CURRENCY, Reader};
use crate::open_loop::Plan;
use crate::open_loop::movements::{Movement, Movements};
use crate::random::SplitMix64;
use anyhow::bail;
use hashbrown::HashMap;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long payments that wait for their network are waited for.
const SETTLE_WAIT_MAX: Duration = Duration::from_secs(60);
/// Pause between two looks at one.
const SETTLE_PAUSE: Duration = Duration::from_millis(500);
/// Compares what was acknowledged with what the accounts show now.
pub(crate) fn reconcile(plan: &Arc<Plan>, prepared: &Prepared, movements: &Movements) -> anyhow::Result<Reconciled> {
    let begun = Instant::now();
    if movements.dropped > 0 {
        bail!("more payments were acknowledged than can be kept: make the run shorter");
    }
    let mut of_merchant: HashMap<u32, Expected> = HashMap::new();
    for movement in prepared.movements.done.iter().chain(&movements.done) {
        of_merchant.entry(movement.merchant).or_default().done.push(*movement);
    }
    for movement in &movements.open {
        of_merchant.entry(movement.merchant).or_default().open.push(*movement);
    }
    for movement in &movements.authenticated {
        let expected = of_merchant.entry(movement.merchant).or_default();
        expected.authenticated.push(*movement);
    }
    for movement in &movements.unknown {
        of_merchant
            .entry(movement.merchant)
            .or_default()
            .unknown
            .push(movement.amount);
    }
    let all: u64 = of_merchant.values().map(Expected::len).sum();
    let chosen = choose(&of_merchant, plan.scenario.verify.movements_max, plan.seed);
    let found = Rc::new(RefCell::new(Reconciled {
        merchants: (chosen.len() as u64, of_merchant.len() as u64),
        movements: (0, all),
        ..Reconciled::default()
    }));
    let jobs: Rc<Vec<(u32, Book, Expected)>> = Rc::new(
        chosen
            .into_iter()
            .map(|merchant| {
                let expected = of_merchant.remove(&merchant).expect("chosen from the map");
                (merchant, prepared.books[merchant as usize].clone(), expected)
            })
            .collect(),
    );
    accounts::for_each(jobs.len(), |next| {
        let (plan, jobs, found) = (plan.clone(), jobs.clone(), found.clone());
        async move {
            let mut reader = Reader::open(&plan.target, plan.merchants.key(0), accounts::timeout(&plan)).await?;
            while let Some(at) = next.take() {
                let (merchant, book, expected) = &jobs[at];
                reader.become_caller(&plan.target, plan.merchants.key(*merchant));
                check(&mut reader, plan.merchants.number(*merchant), book, expected, &found).await?;
            }
            Ok(())
        }
    })?;
    let mut found = Rc::into_inner(found).expect("every task has ended").into_inner();
    found.took_s = begun.elapsed().as_secs_f64();
    Ok(found)
}

/// What a merchant's answers said.
#[derive(Default)]
struct Expected {
    done: Vec<Movement>,
    open: Vec<Movement>,
    authenticated: Vec<Movement>,
    unknown: Vec<i64>,
}

impl Expected {
    fn len(&self) -> u64 {
        (self.done.len() + self.open.len() + self.authenticated.len() + self.unknown.len()) as u64
    }
}

/// The merchants to check: all within `movements_max`, else the largest and then by chance.
fn choose(of_merchant: &HashMap<u32, Expected>, movements_max: u64, seed: u64) -> Vec<u32> {
    let mut order: Vec<(u32, u64)> = of_merchant
        .iter()
        .map(|(merchant, expected)| (*merchant, expected.len()))
        .collect();
    order.sort_by_key(|(merchant, len)| (std::cmp::Reverse(*len), *merchant));
    let mut random = SplitMix64(seed);
    for at in (2..order.len()).rev() {
        // The first stays in its place.
        order.swap(at, 1 + random.below(at));
    }
    let mut sum = 0;
    let within = |(_, len): &(u32, u64)| {
        let takes = sum == 0 || sum + len <= movements_max;
        sum += if takes { *len } else { 0 };
        takes
    };
    order.into_iter().filter(within).map(|(merchant, _)| merchant).collect()
}

/// What is known of a charge or a refund.
#[derive(Clone, Debug)]
struct Known {
    /// Gross amount, minor units; refunds are below 0.
    amount: i64,
    /// How often it was found among balance transactions, in its list, among events.
    found: [u32; 3],
}

/// Names of the places where each charge and refund must be found once.
const PLACES: [&str; 3] = ["balance transaction", "entry in its list", "event"];
const TRANSACTION: usize = 0;
const LISTING: usize = 1;
const EVENT: usize = 2;

/// One merchant's books, held against its answers.
struct Ledger {
    known: HashMap<String, Known>,
    /// Amounts of requests that were never answered, and are not found yet.
    unknown: Vec<i64>,
    unknown_moved: u64,
    complaints: Vec<String>,
    transactions: u64,
    /// Net sum of all balance transactions, and of those that answers explain, each once.
    sum: i64,
    explained: i64,
}

impl Ledger {
    fn complain(&mut self, what: String) {
        self.complaints.push(what);
    }

    /// Notes that a charge or refund was seen in a place. Only a balance transaction may bring one that was not answered.
    /// True if it is explained, and the first there.
    fn seen(&mut self, place: usize, by: &str, source: &str, amount: i64) -> bool {
        if !self.known.contains_key(source) {
            let unanswered = self.unknown.iter().position(|said| *said == amount);
            match unanswered.filter(|_| place == TRANSACTION) {
                Some(at) => {
                    self.unknown.swap_remove(at);
                    self.unknown_moved += 1;
                    let found = [0; 3];
                    self.known.insert(source.into(), Known { amount, found });
                }
                None => {
                    self.complain(format!(
                        "{by} moves {amount} for {source}, which was never acknowledged"
                    ));
                    return false;
                }
            }
        }
        let known = self.known.get_mut(source).expect("it is there or was put there");
        known.found[place] += 1;
        let (said, times) = (known.amount, known.found[place]);
        if said != amount {
            self.complain(format!(
                "{by} moves {amount} for {source}, not the {said} that was acknowledged"
            ));
        }
        if times > 1 {
            self.complain(format!("{source} has a second {} {by}", PLACES[place]));
        }
        times == 1
    }

    fn transaction(&mut self, transaction: &Transaction) {
        let Transaction {
            id, amount, fee, net, ..
        } = transaction;
        self.transactions += 1;
        if *net != amount - fee {
            self.complain(format!("{id}: net {net} is not amount less fee"));
        }
        let source = transaction.source.as_deref().unwrap_or("nothing");
        if self.seen(TRANSACTION, id, source, *amount) {
            self.explained += net;
        }
        self.sum += net;
    }

    fn intent(&mut self, intent: &Intent) {
        let charge = intent.latest_charge.as_deref().unwrap_or_default();
        if intent.status == "succeeded" {
            self.seen(LISTING, &intent.id, charge, intent.amount);
        } else if self.known.contains_key(charge) {
            self.complain(format!(
                "{} was acknowledged as paid, but is {}",
                intent.id, intent.status
            ));
        }
    }

    fn refund(&mut self, refund: &Refund) {
        if refund.status != "succeeded" {
            self.complain(format!("{} is {}", refund.id, refund.status));
        }
        self.seen(LISTING, &refund.id, &refund.id, -refund.amount);
    }

    fn event(&mut self, event: &Event) {
        let object = &event.data.object;
        match event.kind.as_str() {
            "refund.created" => self.seen(EVENT, &event.id, &object.id, -object.amount),
            _ => {
                let charge = object.latest_charge.as_deref().unwrap_or_default();
                self.seen(EVENT, &event.id, charge, object.amount)
            }
        };
    }

    /// What was not found anywhere it must be.
    fn missing(&mut self) {
        let mut missing = Vec::new();
        for (source, known) in &self.known {
            if known.found[TRANSACTION] == 0 {
                // Its fee is not known, but that it is missing must show in the sums.
                self.explained += known.amount;
            }
            for (place, times) in PLACES.iter().zip(known.found) {
                if times == 0 {
                    missing.push(format!(
                        "{source} over {} was acknowledged, but has no {place}",
                        known.amount
                    ));
                }
            }
        }
        missing.sort_unstable();
        self.complaints.extend(missing);
    }
}

async fn check(
    reader: &mut Reader,
    merchant: u32,
    book: &Book,
    expected: &Expected,
    found: &RefCell<Reconciled>,
) -> anyhow::Result<()> {
    let mut ledger = Ledger {
        known: HashMap::with_capacity(expected.done.len()),
        unknown: expected.unknown.clone(),
        unknown_moved: 0,
        complaints: Vec::new(),
        transactions: 0,
        sum: 0,
        explained: 0,
    };
    let known = |amount| Known { amount, found: [0; 3] };
    for movement in &expected.done {
        let source = movement.source.as_str();
        if ledger.known.insert(source.into(), known(movement.amount)).is_some() {
            ledger.complain(format!("{source} was acknowledged for two requests"));
        }
    }
    for movement in &expected.open {
        if let Some(charge) = settled(reader, movement, found).await? {
            ledger.known.insert(charge, known(movement.amount));
        }
    }
    for movement in &expected.authenticated {
        match settled(reader, movement, found).await? {
            Some(charge) => {
                ledger.known.insert(charge, known(movement.amount));
            }
            None => ledger.complain(format!(
                "{} was authenticated, but is not paid",
                movement.source.as_str()
            )),
        }
    }
    let [transactions, intents, refunds, events] = LISTS;
    let until = |list: usize| book.newest[list].as_deref();
    let mut other_currency = None;
    lists::walk(reader, transactions, until(0), |transaction: Transaction| {
        if transaction.currency != CURRENCY {
            other_currency = Some(transaction.currency.clone());
        }
        ledger.transaction(&transaction);
    })
    .await?;
    if let Some(currency) = other_currency {
        bail!("an account settles in {currency}: only accounts that settle in {CURRENCY} can be checked");
    }
    lists::walk(reader, intents, until(1), |intent: Intent| ledger.intent(&intent)).await?;
    lists::walk(reader, refunds, until(2), |refund: Refund| ledger.refund(&refund)).await?;
    lists::walk(reader, events, until(3), |event: Event| ledger.event(&event)).await?;
    ledger.missing();
    let moved = reader.balance().await? - book.balance;
    if moved != ledger.sum {
        ledger.complain(format!(
            "the balance moved by {moved}, its transactions come to {}",
            ledger.sum
        ));
    }
    let mut found = found.borrow_mut();
    found.movements.0 += expected.len();
    found.transactions += ledger.transactions;
    let places = |place: usize| {
        ledger
            .known
            .values()
            .map(|known| u64::from(known.found[place]))
            .sum::<u64>()
    };
    found.listed += places(LISTING);
    found.events += places(EVENT);
    found.unknown.0 += ledger.unknown_moved;
    found.unknown.1 += ledger.unknown.len() as u64;
    found.expected += ledger.explained;
    found.moved += moved;
    for complaint in ledger.complaints {
        found.differs(format!("merchant {merchant}: {complaint}"));
    }
    Ok(())
}

/// Waits for a payment that was processing; the charge if it succeeded.
async fn settled(
    reader: &mut Reader,
    movement: &Movement,
    found: &RefCell<Reconciled>,
) -> anyhow::Result<Option<String>> {
    let begun = Instant::now();
    loop {
        let id = movement.source.as_str();
        let intent = reader.must_get(&format!("payment_intents/{id}")).await?;
        match money::text(&intent, "status")? {
            "succeeded" => return Ok(Some(money::text(&intent, "latest_charge")?.into())),
            "processing" if begun.elapsed() < SETTLE_WAIT_MAX => tokio::time::sleep(SETTLE_PAUSE).await,
            "processing" => {
                let s = SETTLE_WAIT_MAX.as_secs();
                found
                    .borrow_mut()
                    .differs(format!("{id} is still processing after {s} s: not exact"));
                return Ok(None);
            }
            _ => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open_loop::task::Id;

    fn merchants(lens: &[usize]) -> HashMap<u32, Expected> {
        let movement = Movement {
            merchant: 0,
            source: Id::default(),
            amount: 1,
        };
        let expected = |len: &usize| Expected {
            done: vec![movement; *len],
            ..Expected::default()
        };
        lens.iter()
            .enumerate()
            .map(|(at, len)| (at as u32, expected(len)))
            .collect()
    }

    #[test]
    fn all_merchants_are_chosen_within_the_bound() {
        let mut chosen = choose(&merchants(&[5, 1, 3]), 9, 1);
        chosen.sort_unstable();
        assert_eq!(chosen, [0, 1, 2]);
    }

    #[test]
    fn beyond_the_bound_the_largest_and_a_sample_are_chosen() {
        let lens: Vec<usize> = (0..100).map(|at| if at == 42 { 1_000 } else { 10 }).collect();
        let chosen = choose(&merchants(&lens), 1_200, 7);
        assert_eq!((chosen[0], chosen.len()), (42, 21));
        assert_eq!(chosen, choose(&merchants(&lens), 1_200, 7));
        assert_ne!(chosen, choose(&merchants(&lens), 1_200, 8));
        assert_eq!(choose(&merchants(&lens), 1, 7), [42]);
    }
}
