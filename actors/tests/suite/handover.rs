//! Two engines over one journal under load, while shards go back and forth between them.

use crate::adoption::{PATIENCE, Process, SHARDS};
use crate::engine::in_system;
use crate::moves::{Learnt, audited};
use crate::office::{Desk, Pump, customer, merchant, object, pay, rendered, short, small_budgets};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tollgate_actors::entropy::Entropy;
use tollgate_actors::router::shard_of;
use tollgate_actors::{Refusal, Request, Response};
use tollgate_domain::{Facts, kinds};
use tollgate_resource::Record;
use tollgate_store::memory::{Memory, Mode};
use tollgate_store::{ShardId, envelope};

/// Accounts, each with a client of its own; its rounds, and payments sent together in one.
const ACCOUNTS: u32 = 6;
const ROUNDS: u64 = 10;
const TOGETHER: u64 = 30;
/// Times a request is sent before the test gives up.
const TRIES_MAX: usize = 5_000;

/// Both processes, and which of them a client tries first for a shard: what a map of owners would say.
struct Pair {
    processes: [Process; 2],
    owner: [Cell<usize>; SHARDS as usize],
    /// Refusals other than that the shard is elsewhere.
    cut_off: Cell<usize>,
    /// Times the owner had changed under way.
    went_on: Cell<usize>,
}

impl Pair {
    fn start(journal: &Arc<Memory>) -> Rc<Pair> {
        let process = || {
            // What a network said to an owner that is not one any more is asked for again after this.
            Process::start(journal, |config| config.shard = small_budgets(300))
        };
        Rc::new(Pair {
            processes: [process(), process()],
            owner: Default::default(),
            cut_off: Cell::default(),
            went_on: Cell::default(),
        })
    }

    /// The answer to a request. While its shard is nowhere it waits; where something may have been done it is sent again
    /// only with a key.
    async fn answered(&self, request: Request) -> Box<Response> {
        let shard = shard_of(request.profile.key, SHARDS);
        for _ in 0..TRIES_MAX {
            let owner = self.owner[usize::from(shard.0)].get();
            match self.processes[owner].call(request.clone()).await {
                Ok(response) => return response,
                Err(Refusal::Elsewhere(of)) => {
                    assert_eq!(of, shard);
                    self.went_on.set(self.went_on.get() + 1);
                }
                Err(refusal) => {
                    assert_eq!(refusal, Refusal::ShardDown);
                    self.cut_off.set(self.cut_off.get() + 1);
                    let repeatable =
                        request.claim.is_some() || !matches!(request.call, tollgate_domain::Call::Write(_));
                    assert!(repeatable, "nobody knows what became of it");
                }
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("the shard is nowhere")
    }

    async fn give(&self, shard: ShardId, to: usize, patience: Duration) {
        let from = 1 - to;
        let released = self.processes[from]
            .engine
            .release(shard, patience)
            .await
            .expect("it is there");
        assert!(!released.lost);
        self.processes[to].engine.adopt(shard).await.expect("it is free");
        self.owner[usize::from(shard.0)].set(to);
    }
}

/// What one client does; `unkeyed` customers are made besides, each by one request without a key.
async fn shop(
    pair: Rc<Pair>,
    number: u32,
    unkeyed: bool,
) -> (u32, std::collections::BTreeMap<String, tollgate_resource::Id>) {
    let mut desk = Desk::of(merchant(number));
    let mut keys = std::collections::BTreeMap::new();
    for round in 0..ROUNDS {
        let mut waiting = Vec::new();
        for at in 0..TOGETHER {
            let key = format!("{number}/{round}/{at}");
            let card = if at % 10 == 9 { "tollgate_remote" } else { "visa" };
            let sent = |desk: &mut Desk| {
                let (pair, request) = (Rc::clone(&pair), desk.keyed_now(&key, pay(1_000 + at as i64, card)));
                actix_rt::spawn(async move { pair.answered(request).await })
            };
            let (first, twin) = (sent(&mut desk), (at % 5 == 0).then(|| sent(&mut desk)));
            waiting.push((key.clone(), first, twin));
            if unkeyed {
                let (pair, request) = (Rc::clone(&pair), desk.write(customer()));
                drop(
                    actix_rt::spawn(async move { pair.answered(request).await })
                        .await
                        .expect("no panic"),
                );
            }
            tokio::task::yield_now().await;
        }
        for (key, first, twin) in waiting {
            let answer = first.await.expect("no panic");
            let heard = short(&Ok(answer.clone()));
            assert!(heard == "200 succeeded" || heard == "200 processing", "{key}: {heard}");
            if let Some(twin) = twin {
                assert_eq!(rendered(&twin.await.expect("no panic")), rendered(&answer), "{key}");
            }
            keys.insert(key, object(&answer).id());
        }
        // Whatever was acknowledged is there, whoever has the shard now.
        for id in keys.values().rev().step_by(7) {
            let read = pair.answered(desk.get(&kinds::PAYMENT_INTENT, *id)).await;
            assert_eq!(object(&read).id(), *id);
        }
    }
    (number, keys)
}

/// Runs the clients while `disturb` runs again and again; then audits the journal.
async fn under_load(pair: &Rc<Pair>, journal: &Arc<Memory>, unkeyed: bool, mut disturb: impl AsyncFnMut(usize)) {
    let pump = Pump::start(journal);
    for shard in (0..SHARDS).map(ShardId) {
        pair.processes[0].engine.adopt(shard).await.expect("it is free");
    }
    let learnt: Rc<RefCell<Learnt>> = Rc::default();
    let clients: Vec<_> = (1..=ACCOUNTS)
        .map(|number| {
            let (pair, learnt) = (Rc::clone(pair), Rc::clone(&learnt));
            actix_rt::spawn(async move {
                let (number, keys) = shop(pair, number, unkeyed).await;
                learnt.borrow_mut().insert(number, keys);
            })
        })
        .collect();
    let mut rounds = 0;
    while !clients.iter().all(|client| client.is_finished()) {
        disturb(rounds).await;
        rounds += 1;
    }
    for client in clients {
        client.await.expect("a client does not panic");
    }
    for process in &pair.processes {
        assert!(process.engine.stop(PATIENCE).await, "everybody was answered");
    }
    drop(pump);
    let learnt = learnt.borrow();
    assert_eq!(learnt.len(), ACCOUNTS as usize);
    audited(journal, &learnt);
}

/// Customers that the journal knows of an account.
fn customers(journal: &Memory, number: u32) -> u64 {
    let mut count = 0;
    for block in journal.blocks() {
        for record in envelope::records(&block.bytes, block.count) {
            let record = record.expect("a durable record reads back");
            if record.head.account == merchant(number).key.0 && !record.head.row {
                let facts = Facts::from_bytes(record.body).expect("facts read back");
                count += facts.born().filter(|object| object.kind() == &kinds::CUSTOMER).count() as u64;
            }
        }
    }
    count
}

#[test]
fn planned_moves_under_load_refuse_nobody_lose_nothing_and_double_nothing() {
    in_system(async {
        let journal = Memory::new(Mode::Held);
        let pair = Pair::start(&journal);
        let mut dice = Entropy::new(3);
        let mut moves = 0;
        under_load(&pair, &journal, true, async |_| {
            let shard = ShardId(dice.below(u64::from(SHARDS)) as u16);
            let to = 1 - pair.owner[usize::from(shard.0)].get();
            pair.give(shard, to, PATIENCE).await;
            moves += 1;
            // A lane that the shard is on its way to is no matter, either.
            let lane = dice.below(2) as usize;
            pair.processes[to]
                .engine
                .move_shard(shard.0, lane)
                .await
                .expect("it moves");
        })
        .await;
        assert!(moves > 10 && pair.went_on.get() > 10, "{moves} moves");
        assert_eq!(pair.cut_off.get(), 0, "somebody was cut off in a planned move");
        for number in 1..=ACCOUNTS {
            assert_eq!(
                customers(&journal, number),
                ROUNDS * TOGETHER,
                "each without a key was made once"
            );
        }
        for process in &pair.processes {
            assert!(process.lost.lock().expect("not poisoned").is_empty());
        }
    });
}

#[test]
fn moves_without_patience_and_takeovers_by_force_lose_nothing_and_double_nothing() {
    in_system(async {
        let journal = Memory::new(Mode::Held);
        let pair = Pair::start(&journal);
        let mut dice = Entropy::new(4);
        let (mut impatient, mut forced) = (0, 0);
        under_load(&pair, &journal, false, async |round| {
            let shard = ShardId(dice.below(u64::from(SHARDS)) as u16);
            let owner = pair.owner[usize::from(shard.0)].get();
            let to = 1 - owner;
            if round % 2 == 0 {
                pair.give(shard, to, Duration::ZERO).await;
                impatient += 1;
            } else {
                // The other does not know; clients go on asking it for a moment.
                let taken = pair.processes[to].engine.adopt(shard).await;
                taken.expect("whoever has it");
                forced += 1;
                tokio::time::sleep(Duration::from_millis(2)).await;
                pair.owner[usize::from(shard.0)].set(to);
                // It is told by its next block, or by the next read.
                let desk = &mut Desk::of(some_merchant_of(shard));
                while pair.processes[owner].engine.serving().contains(&shard) {
                    drop(pair.processes[owner].call(desk.balance()).await);
                }
                while pair.processes[owner].engine.shard_state(shard) != Some(tollgate_actors::ShardState::Elsewhere) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        })
        .await;
        assert!(impatient > 5 && forced > 5, "{impatient}, {forced}");
        let lost = pair
            .processes
            .iter()
            .map(|process| process.lost.lock().expect("not poisoned").len());
        assert_eq!(lost.sum::<usize>(), forced);
    });
}

fn some_merchant_of(shard: ShardId) -> Arc<tollgate_domain::account::Profile> {
    let all = (100..).map(merchant);
    all.into_iter()
        .find(|profile| shard_of(profile.key, SHARDS) == shard)
        .expect("numbers do not end")
}
