//! The check of the money after an open loop: what was acknowledged against balance transactions and balances.
//!
//! Each merchant that is checked is checked to the cent: every acknowledged payment and refund has exactly one balance
//! transaction of the right amount, no transaction is unexplained, and the balance moved by exactly their net sum.
//! Sample rule: all merchants, as long as their movements together are within the scenario's `movements_max`; beyond,
//! the largest merchant and then merchants drawn by seed, until their movements come to that number.

use crate::accounts::{self, Book, Prepared};
use crate::money::{self, CURRENCY, Pages, Reader};
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
/// Most differences spelled out; all are counted.
const DIFFERENCES_SHOWN_MAX: usize = 20;

/// What the check found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reconciled {
    /// Merchants checked, of how many that had movements.
    pub(crate) merchants: (u64, u64),
    /// Movements checked, of how many acknowledged.
    pub(crate) movements: (u64, u64),
    /// Balance transactions read.
    pub(crate) transactions: u64,
    /// Requests without an answer that turn out to have moved money, and those that have not.
    pub(crate) unknown: (u64, u64),
    /// Net sum of the transactions that answers explain, minor units.
    pub(crate) expected: i64,
    /// What the balances moved by.
    pub(crate) moved: i64,
    /// Differences found.
    pub(crate) difference_count: u64,
    /// The first of them in words.
    pub(crate) differences: Vec<String>,
    /// Seconds the check took.
    pub(crate) took_s: f64,
}

impl Reconciled {
    /// `moved - expected`, minor units.
    pub(crate) fn cents(&self) -> i64 {
        self.moved - self.expected
    }

    fn differs(&mut self, what: String) {
        self.difference_count += 1;
        if self.differences.len() < DIFFERENCES_SHOWN_MAX {
            self.differences.push(what);
        }
    }
}

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
                check(&mut reader, *merchant, book, expected, &found).await?;
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
    unknown: Vec<i64>,
}

impl Expected {
    fn len(&self) -> u64 {
        (self.done.len() + self.open.len() + self.unknown.len()) as u64
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

async fn check(
    reader: &mut Reader,
    merchant: u32,
    book: &Book,
    expected: &Expected,
    found: &RefCell<Reconciled>,
) -> anyhow::Result<()> {
    let mut by_source: HashMap<String, (i64, u32)> = HashMap::with_capacity(expected.done.len());
    for movement in &expected.done {
        let source = movement.source.as_str();
        if by_source.insert(source.into(), (movement.amount, 0)).is_some() {
            found.borrow_mut().differs(format!(
                "merchant {merchant}: {source} was acknowledged for two requests"
            ));
        }
    }
    for movement in &expected.open {
        if let Some(charge) = settled(reader, movement, found).await? {
            by_source.insert(charge, (movement.amount, 0));
        }
    }
    let mut unknown = expected.unknown.clone();
    let mut pages = Pages::new("balance_transactions", book.newest_transaction.clone());
    let mut sum = 0i64;
    let mut count = 0;
    let mut complaints = Vec::new();
    while let Some(page) = pages.next(reader).await? {
        for transaction in &page {
            count += 1;
            let (id, source) = (money::text(transaction, "id")?, money::text(transaction, "source")?);
            let (amount, fee) = (
                money::integer(transaction, "amount")?,
                money::integer(transaction, "fee")?,
            );
            let net = money::integer(transaction, "net")?;
            if transaction["currency"] != CURRENCY {
                bail!(
                    "{id} settles in {}: only accounts that settle in {CURRENCY} can be checked",
                    transaction["currency"]
                );
            }
            if net != amount - fee {
                complaints.push(format!("{id}: net {net} is not amount less fee"));
            }
            match by_source.get_mut(source) {
                Some((said, times)) => {
                    *times += 1;
                    if *said != amount {
                        complaints.push(format!(
                            "{id} moves {amount} for {source}, not the {said} that was acknowledged"
                        ));
                    }
                    if *times > 1 {
                        complaints.push(format!("{source} has a second balance transaction {id}"));
                    }
                }
                None => match unknown.iter().position(|said| *said == amount) {
                    Some(at) => {
                        unknown.swap_remove(at);
                        found.borrow_mut().unknown.0 += 1;
                    }
                    None => complaints.push(format!(
                        "{id} moves {amount} for {source}, which was never acknowledged"
                    )),
                },
            }
            sum += net;
        }
    }
    for (source, (amount, times)) in &by_source {
        if *times == 0 {
            complaints.push(format!(
                "{source} over {amount} was acknowledged, but has no balance transaction"
            ));
        }
    }
    let moved = reader.balance().await? - book.balance;
    if moved != sum {
        complaints.push(format!("the balance moved by {moved}, its transactions come to {sum}"));
    }
    let mut found = found.borrow_mut();
    found.movements.0 += expected.len();
    found.transactions += count;
    found.unknown.1 += unknown.len() as u64;
    found.expected += sum;
    found.moved += moved;
    for complaint in complaints {
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
