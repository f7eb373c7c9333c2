//! Shards that move from lane to lane while everything is under way: blocks in flight, reads, network calls, duplicates of
//! keys, lost fences, lanes that come and go.

use crate::engine::{Network, in_system};
use crate::office::{Desk, Pump, customer, merchant, object, pay, rendered, secrets, short, small_budgets};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate_actors::entropy::Entropy;
use tollgate_actors::{Client, Engine, EngineConfig, MoveError, Request};
use tollgate_domain::object::Object;
use tollgate_domain::{Account, Facts, kinds};
use tollgate_resource::{Id, Record};
use tollgate_store::memory::{Memory, Mode};
use tollgate_store::{Journal, ShardId, envelope};

const SHARDS: u16 = 4;
/// Threads with a client each, and accounts of each.
const THREADS: u32 = 3;
const ACCOUNTS: u32 = 2;
/// Rounds of each client, and payments sent together in one.
const ROUNDS: u64 = 12;
const TOGETHER: u64 = 40;
/// Times a request that a lost fence swallowed is sent again.
const RETRIES_MAX: usize = 200;

/// What one client learnt: its keys with the payment each gave, by account.
pub(crate) type Learnt = BTreeMap<u32, BTreeMap<String, Id>>;

struct Storm {
    store: Arc<Memory>,
    engine: Engine,
    /// Shards that the engine said it lost.
    lost: Arc<Mutex<Vec<ShardId>>>,
    pump: Pump,
}

impl Storm {
    fn begin(lanes: usize, attempt_deadline_ms: u64) -> Storm {
        let store = Memory::new(Mode::Held);
        let mut config = EngineConfig::for_one_machine(SHARDS, 1);
        config.on_fatal = Arc::new(|why| panic!("{why}"));
        let lost: Arc<Mutex<Vec<ShardId>>> = Arc::default();
        let hear = Arc::clone(&lost);
        config.on_lost = Arc::new(move |shard, _| hear.lock().expect("not poisoned").push(shard));
        config.lanes = lanes;
        config.shard = small_budgets(attempt_deadline_ms);
        let (journal, reads) = (Arc::clone(&store) as Arc<_>, Arc::clone(&store) as Arc<_>);
        let engine = Engine::start(config, journal, reads, Arc::new(Network), secrets()).expect("the engine starts");
        let pump = Pump::start(&store);
        Storm {
            store,
            engine,
            lost,
            pump,
        }
    }

    /// Runs the clients on threads of their own while `disturb` runs here, again and again; what the clients learnt.
    async fn run(&self, retries: bool, mut disturb: impl AsyncFnMut(usize)) -> Learnt {
        let done = Arc::new(AtomicUsize::new(0));
        let (send, mut receive) = tokio::sync::mpsc::channel(THREADS as usize);
        let arbiters: Vec<_> = (0..THREADS).map(|_| actix_rt::Arbiter::new()).collect();
        for (thread, arbiter) in arbiters.iter().enumerate() {
            let (engine, send, done) = (self.engine.clone(), send.clone(), Arc::clone(&done));
            arbiter.spawn_fn(move || {
                drop(actix_rt::spawn(async move {
                    let client = engine.client();
                    // Several clients of a thread share its batches.
                    let own = (0..ACCOUNTS).map(|at| thread as u32 * ACCOUNTS + at + 1);
                    let works: Vec<_> = own
                        .map(|number| actix_rt::spawn(shop(client.clone(), number, retries)))
                        .collect();
                    let mut learnt = Learnt::new();
                    for work in works {
                        let (number, keys) = work.await.expect("a client does not panic");
                        learnt.insert(number, keys);
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                    send.send(learnt).await.expect("the test waits");
                }));
            });
        }
        drop(send);
        let mut rounds = 0;
        while done.load(Ordering::Relaxed) < THREADS as usize {
            disturb(rounds).await;
            rounds += 1;
        }
        let mut learnt = Learnt::new();
        for _ in 0..THREADS {
            learnt.extend(receive.recv().await.expect("each thread reports"));
        }
        for arbiter in arbiters {
            arbiter.stop();
        }
        learnt
    }

    /// Ends the engine, and asserts what must hold of the journal: each key was executed once and gave what its client
    /// heard, and the books balance.
    async fn audit(self, learnt: &Learnt) {
        assert!(self.engine.is_ready());
        assert!(
            self.engine.stop(Duration::from_secs(20)).await,
            "everybody was answered"
        );
        drop(self.pump);
        audited(&self.store, learnt);
    }
}

/// Asserts what must hold of the journal: each key was executed once and gave what its client heard, and the books balance.
pub(crate) fn audited(store: &Memory, learnt: &Learnt) {
    for (number, keys) in learnt {
        let profile = merchant(*number);
        let mut account = Account::new(Arc::clone(&profile));
        let mut executed: BTreeMap<String, BTreeSet<Id>> = BTreeMap::new();
        for block in store.blocks() {
            for record in envelope::records(&block.bytes, block.count) {
                let record = record.expect("a durable record reads back");
                if record.head.account != profile.key.0 || record.head.row {
                    continue;
                }
                let facts = Facts::from_bytes(record.body).expect("facts read back");
                if let Some(outcome) = &facts.outcome {
                    let ids = executed.entry(outcome.claim.key.to_string()).or_default();
                    let intents = facts.born().filter(|object| matches!(object, Object::PaymentIntent(_)));
                    ids.extend(intents.map(Object::id));
                }
                account.apply(&facts);
            }
        }
        assert_eq!(account.books.imbalance(), None);
        for (key, id) in keys {
            assert_eq!(
                executed.get(key),
                Some(&BTreeSet::from([*id])),
                "{key} of merchant {number}"
            );
        }
    }
}

/// What one client does: payments in rounds, all of a round at once, some to a remote network, some sent twice; reads of
/// what it was told.
async fn shop(client: Client, number: u32, retries: bool) -> (u32, BTreeMap<String, Id>) {
    let mut desk = Desk::of(merchant(number));
    let mut keys = BTreeMap::new();
    // Loads the account, so that the order below is that of the inbox.
    let first = client.call(desk.write(customer())).await;
    assert!(first.is_ok() || retries, "{first:?}");
    for round in 0..ROUNDS {
        let mut waiting = Vec::new();
        for at in 0..TOGETHER {
            let key = format!("{number}/{round}/{at}");
            let card = if at % 8 == 7 { "tollgate_remote" } else { "visa" };
            let payment = |desk: &mut Desk| desk.keyed_now(&key, pay(1_000 + at as i64, card));
            let request = payment(&mut desk);
            let sent = actix_rt::spawn(answered(client.clone(), request, retries));
            let twin = (at % 5 == 0).then(|| actix_rt::spawn(answered(client.clone(), payment(&mut desk), retries)));
            waiting.push((key, card, sent, twin));
            // Each leaves by itself, so that some leave before a move and some after it.
            tokio::task::yield_now().await;
        }
        let mut last = 0;
        for (key, card, sent, twin) in waiting {
            let answer = sent.await.expect("no panic");
            let heard = short(&Ok(answer.clone()));
            let resolved_later = retries && card != "visa" && heard == "200 processing";
            assert!(heard == "200 succeeded" || resolved_later, "{key}: {heard}");
            let id = object(&answer).id();
            if let Some(twin) = twin {
                assert_eq!(
                    rendered(&twin.await.expect("no panic")),
                    rendered(&answer),
                    "{key}: one key, one answer"
                );
            }
            // Sent in this order, decided in this order. (A twin or a retry may come in front of its first.)
            if card == "visa" && !retries {
                assert!(id.seq() > last, "{key} was overtaken");
                last = id.seq();
            }
            assert_eq!(keys.insert(key, id), None);
        }
        let some = keys
            .values()
            .nth((round * 7) as usize % keys.len())
            .expect("there are some");
        let read = answered(client.clone(), desk.get(&kinds::PAYMENT_INTENT, *some), retries).await;
        assert!(short(&Ok(read)).starts_with("200"), "what was acknowledged is there");
    }
    (number, keys)
}

/// The answer to a request; sent again if a lost fence swallowed it and that may happen.
async fn answered(client: Client, request: Request, retries: bool) -> Box<tollgate_actors::Response> {
    for _ in 0..RETRIES_MAX {
        match client.call(request.clone()).await {
            Ok(response) => return Box::new(response),
            Err(refusal) => assert!(retries, "refused: {refusal}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("refused again and again")
}

#[test]
fn a_storm_of_moves_refuses_nothing_loses_nothing_and_keeps_the_order() {
    in_system(async {
        let storm = Storm::begin(3, 60_000);
        let mut dice = Entropy::new(5);
        let mut moved = 0;
        let mut lanes = [0, 1, 2, 0];
        let learnt = storm
            .run(false, async |_| {
                let (shard, to) = (dice.below(u64::from(SHARDS)) as u16, dice.below(3) as usize);
                let before = std::mem::replace(&mut lanes[usize::from(shard)], to);
                let made = storm.engine.move_shard(shard, to).await.expect("it moves");
                assert_eq!(
                    made.map(|made| (made.from, made.to)),
                    (before != to).then_some((before, to))
                );
                moved += usize::from(made.is_some());
            })
            .await;
        assert!(moved > 0, "nothing moved");
        storm.audit(&learnt).await;
    });
}

#[test]
fn lanes_come_and_go_under_load() {
    in_system(async {
        let storm = Storm::begin(1, 60_000);
        let mut seen = BTreeSet::new();
        let learnt = storm
            .run(false, async |round| {
                let lanes = [3, 1, 4, 2][round % 4];
                storm.engine.set_lanes(lanes).await.expect("lanes change");
                let status = storm.engine.status().await;
                assert_eq!(status.lanes_busy.len(), lanes);
                let used: BTreeSet<usize> = status.shards.iter().map(|shard| shard.lane).collect();
                assert_eq!(used, (0..lanes).collect(), "each lane has its part");
                seen.insert(lanes);
                tokio::time::sleep(Duration::from_millis(3)).await;
            })
            .await;
        assert!(seen.len() > 1, "only {seen:?} lanes");
        assert!(storm.engine.set_lanes(0).await.is_err() && storm.engine.set_lanes(5).await.is_err());
        storm.audit(&learnt).await;
    });
}

#[test]
fn fences_lost_while_shards_move_double_nothing() {
    in_system(async {
        // What a network said to an incarnation that lost its fence is asked for again after this.
        let storm = Storm::begin(2, 300);
        let bring_back = {
            let (engine, lost) = (storm.engine.clone(), Arc::clone(&storm.lost));
            actix_rt::spawn(async move {
                loop {
                    let shards = std::mem::take(&mut *lost.lock().expect("not poisoned"));
                    for shard in shards {
                        engine.adopt(shard).await.expect("it is free");
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            })
        };
        let mut dice = Entropy::new(9);
        // Each comes back as often as it is lost.
        let mut fences: Vec<u16> = (0..SHARDS).flat_map(|shard| [shard; 3]).collect();
        let mut moved = 0;
        let learnt = storm
            .run(true, async |round| {
                let shard = dice.below(u64::from(SHARDS)) as u16;
                let to = dice.below(2) as usize;
                if round % 3 == 0
                    && let Some(stolen) = fences.pop()
                {
                    storm.store.claim(ShardId(stolen)).expect("anybody can claim");
                }
                match storm.engine.move_shard(shard, to).await {
                    // Between the loss of its fence and its return it is nobody's to move.
                    Ok(made) => moved += usize::from(made.is_some()),
                    Err(MoveError::Elsewhere(_)) => {}
                    Err(other) => panic!("{other}"),
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            })
            .await;
        assert!(fences.len() < 3 * usize::from(SHARDS), "no fence was lost");
        assert!(moved > 0, "no shard moved");
        bring_back.abort();
        storm.audit(&learnt).await;
    });
}

#[test]
fn what_waits_for_a_shard_goes_along_and_is_answered_at_the_new_lane() {
    in_system(async {
        let store = Memory::new(Mode::Held);
        let mut config = EngineConfig::for_one_machine(SHARDS, 1);
        config.lanes = 2;
        let (journal, reads) = (Arc::clone(&store) as Arc<_>, Arc::clone(&store) as Arc<_>);
        let engine = Engine::start(config, journal, reads, Arc::new(Network), secrets()).expect("the engine starts");
        let client = engine.client();
        let mut desk = Desk::of(merchant(1));
        // One block is in flight, another fills behind it, and a duplicate waits for its first.
        let mut waiting = Vec::new();
        for key in ["a", "b", "b"] {
            waiting.push(client.begin(desk.keyed_now(key, pay(2_000, "visa"))).expect("admitted"));
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        let status = engine.status().await;
        let busy = status
            .shards
            .iter()
            .find(|shard| shard.permits > 0)
            .expect("one is asked");
        assert_eq!((busy.permits, busy.census.map(|census| census.accounts)), (3, Some(1)));
        let (shard, to) = (busy.shard.0, 1 - busy.lane);
        let moved = engine
            .move_shard(shard, to)
            .await
            .expect("it moves")
            .expect("it was elsewhere");
        assert_eq!((moved.from, moved.to), (busy.lane, to));
        assert_eq!(engine.move_shard(shard, to).await, Ok(None), "it is there");
        assert_eq!(engine.move_shard(SHARDS, 0).await, Err(MoveError::NoShard(SHARDS)));
        assert_eq!(engine.move_shard(0, 2).await, Err(MoveError::NoLane(2)));
        let here = engine.status().await.shards[usize::from(shard)];
        assert_eq!((here.lane, here.moving, here.permits), (to, false, 3));
        let accounts = here.census.map(|census| (census.accounts, census.requests));
        assert_eq!(accounts, Some((1, 3)), "memory and figures came along");
        let pump = Pump::start(&store);
        let mut answers = Vec::new();
        for wait in waiting {
            answers.push(wait.await.expect("answered"));
        }
        let ids: Vec<Id> = answers.iter().map(|answer| object(answer).id()).collect();
        assert!(ids[0] != ids[1] && ids[1] == ids[2] && answers[2].replayed.is_some());
        assert!(engine.stop(Duration::from_secs(5)).await);
        drop(pump);
    });
}
