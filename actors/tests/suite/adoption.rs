//! Two engines over one journal: shards go from one to the other, by agreement and by force.

use crate::engine::{Network, in_system};
use crate::office::{Desk, capture, hold, merchant, object, pay, secrets, short};
use crate::searches::search;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate_actors::router::shard_of;
use tollgate_actors::{
    Begin, Client, Engine, EngineConfig, MoveError, PassageError, Refusal, Request, Response, ShardState, Shown,
};
use tollgate_domain::account::AccountKey;
use tollgate_domain::call::ListQuery;
use tollgate_domain::kinds;
use tollgate_domain::object::Item;
use tollgate_domain::search::PAYMENT_INTENTS;
use tollgate_resource::Id;
use tollgate_store::ShardId;
use tollgate_store::memory::{Memory, Mode};
use tollgate_store::shared::Member;

pub(crate) const SHARDS: u16 = 4;
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An engine of a process of its own, and what it heard of shards it lost.
pub(crate) struct Process {
    pub(crate) engine: Engine,
    pub(crate) member: Arc<Member>,
    pub(crate) client: Client,
    pub(crate) lost: Arc<Mutex<Vec<(ShardId, String)>>>,
}

impl Process {
    /// One that begins with nothing.
    pub(crate) fn start(journal: &Arc<Memory>, change: impl FnOnce(&mut EngineConfig)) -> Process {
        let member = Member::new(journal, Arc::new(|account| shard_of(AccountKey(account.0), SHARDS)));
        let lost: Arc<Mutex<Vec<(ShardId, String)>>> = Arc::default();
        let mut config = EngineConfig::for_one_machine(SHARDS, 1);
        config.on_fatal = Arc::new(|why| panic!("{why}"));
        config.lanes = 2;
        config.begin = Begin::Nothing;
        let heard = Arc::clone(&lost);
        config.on_lost = Arc::new(move |shard, why| {
            heard.lock().expect("not poisoned").push((shard, why.to_owned()));
        });
        change(&mut config);
        let (ours, reads) = (Arc::clone(&member) as Arc<_>, Arc::clone(&member) as Arc<_>);
        let engine = Engine::start(config, ours, reads, Arc::new(Network), secrets()).expect("the engine starts");
        let client = engine.client();
        Process {
            engine,
            member,
            client,
            lost,
        }
    }

    pub(crate) async fn call(&self, request: Request) -> Result<Box<Response>, Refusal> {
        self.client.call(request).await.map(Box::new)
    }

    /// Waits until it has heard of that many losses.
    pub(crate) async fn hears_of_losses(&self, count: usize) {
        while self.lost.lock().expect("not poisoned").len() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[test]
fn a_shard_goes_to_another_process_and_comes_back() {
    in_system(async {
        let journal = Memory::new(Mode::Immediate);
        let (a, b) = (Process::start(&journal, |_| {}), Process::start(&journal, |_| {}));
        let mut desk = Desk::of(merchant(1));
        let shard = shard_of(merchant(1).key, SHARDS);
        assert_eq!(a.engine.serving(), []);
        let early = a.call(desk.keyed_now("early", pay(2_000, "visa"))).await;
        assert_eq!(early.expect_err("refused"), Refusal::Elsewhere(shard));
        let mut made = Vec::new();
        let mut epochs = Vec::new();
        for round in 0..6 {
            let (here, there) = if round % 2 == 0 { (&a, &b) } else { (&b, &a) };
            let adopted = here.engine.adopt(shard).await.expect("it is free");
            epochs.push(adopted.epoch.0);
            assert_eq!(here.engine.serving(), [shard]);
            assert_eq!(there.engine.serving(), []);
            assert_eq!(
                there.engine.move_shard(shard.0, 0).await,
                Err(MoveError::Elsewhere(shard.0))
            );
            let again = here.engine.adopt(shard).await;
            assert!(
                matches!(
                    again,
                    Err(PassageError::State {
                        state: ShardState::Serving,
                        ..
                    })
                ),
                "{again:?}"
            );
            // What the other process acknowledged is there, and a key repeats what was answered there.
            for (at, id) in made.iter().enumerate() {
                let read = here
                    .call(desk.get(&kinds::PAYMENT_INTENT, *id))
                    .await
                    .expect("it is there");
                assert_eq!(object(&read).id(), *id);
                let repeated = here.call(desk.keyed_now(&format!("k{at}"), pay(2_000, "visa"))).await;
                assert_eq!(object(&repeated.expect("repeated")).id(), *id);
            }
            let paid = here
                .call(desk.keyed_now(&format!("k{round}"), pay(2_000, "visa")))
                .await;
            assert_eq!(short(&paid), "200 succeeded");
            made.push(object(&paid.expect("paid")).id());
            let released = here.engine.release(shard, PATIENCE).await.expect("it is here");
            assert_eq!((released.refused, released.lost), (0, false));
            assert_eq!(
                here.member.owned().iter().filter(|(owned, _)| *owned == shard).count(),
                0
            );
            let late = here.call(desk.keyed_now("late", pay(2_000, "visa"))).await;
            assert_eq!(late.expect_err("refused"), Refusal::Elsewhere(shard));
            let again = here.engine.release(shard, PATIENCE).await;
            assert!(
                matches!(
                    again,
                    Err(PassageError::State {
                        state: ShardState::Elsewhere,
                        ..
                    })
                ),
                "{again:?}"
            );
        }
        assert!(epochs.is_sorted_by(|one, next| one < next), "{epochs:?}");
        assert!(matches!(
            a.engine.adopt(ShardId(SHARDS)).await,
            Err(PassageError::NoShard(SHARDS))
        ));
    });
}

#[test]
fn a_shard_that_was_taken_over_is_lost_and_can_be_adopted_again() {
    in_system(async {
        let journal = Memory::new(Mode::Immediate);
        let (a, b) = (Process::start(&journal, |_| {}), Process::start(&journal, |_| {}));
        let mut desk = Desk::of(merchant(1));
        let shard = shard_of(merchant(1).key, SHARDS);
        a.engine.adopt(shard).await.expect("it is free");
        let first = a.call(desk.keyed_now("first", pay(2_000, "visa"))).await.expect("paid");
        b.engine.adopt(shard).await.expect("it is taken over");
        let second = b
            .call(desk.keyed_now("second", pay(3_000, "visa")))
            .await
            .expect("paid");
        // The old owner does not know; its next block tells it.
        let refused = a.call(desk.keyed_now("third", pay(4_000, "visa"))).await;
        assert_eq!(refused.expect_err("refused"), Refusal::ShardDown);
        a.hears_of_losses(1).await;
        assert_eq!(a.engine.serving(), []);
        assert!(a.engine.is_ready(), "what is elsewhere is missed by nobody");
        let again = a.call(desk.keyed_now("third", pay(4_000, "visa"))).await;
        assert_eq!(again.expect_err("refused"), Refusal::Elsewhere(shard));
        a.engine.adopt(shard).await.expect("it may come back");
        for (key, amount, expected) in [("first", 2_000, &first), ("second", 3_000, &second)] {
            let repeated = a
                .call(desk.keyed_now(key, pay(amount, "visa")))
                .await
                .expect("repeated");
            assert_eq!(object(&repeated).id(), object(expected).id());
        }
        let third = a.call(desk.keyed_now("third", pay(4_000, "visa"))).await.expect("paid");
        assert!(third.replayed.is_none(), "nothing was stored under its key");
        assert_eq!(b.engine.serving(), [shard], "it does not know yet");
    });
}

/// A shard that `b` took over from `a`, which does not know it; and a payment that `a` made before, and `b` captured.
async fn overtaken(a: &Process, b: &Process, desk: &mut Desk, round: usize) -> Id {
    let shard = shard_of(desk.profile.key, SHARDS);
    if b.engine.serving().contains(&shard) {
        b.engine.release(shard, PATIENCE).await.expect("it is there");
    }
    a.engine.adopt(shard).await.expect("it is free");
    let held = a
        .call(desk.keyed_now(&format!("k{round}"), hold(2_000, "visa")))
        .await
        .expect("held");
    let intent = object(&held).id();
    // Everything about it is in the old owner's memory and index.
    for request in [desk.get(&kinds::PAYMENT_INTENT, intent), all_intents(desk)] {
        a.call(request).await.expect("it is here");
    }
    b.engine.adopt(shard).await.expect("it is taken over");
    let captured = b.call(desk.write(capture(intent, None))).await;
    assert_eq!(short(&captured), "200 succeeded");
    assert_eq!(a.engine.serving(), [shard], "it does not know");
    intent
}

pub(crate) fn all_intents(desk: &mut Desk) -> Request {
    desk.list(ListQuery::of(&kinds::PAYMENT_INTENT, "/v1/payment_intents"))
}

fn all_events(desk: &mut Desk) -> Request {
    desk.list(ListQuery::of(&kinds::EVENT, "/v1/events"))
}

fn all_found(desk: &mut Desk) -> Request {
    search(desk, &PAYMENT_INTENTS, "status:'requires_capture'", 10, None)
}

#[test]
fn an_owner_that_was_overtaken_serves_nothing_from_before() {
    in_system(async {
        let journal = Memory::new(Mode::Immediate);
        let (a, b) = (Process::start(&journal, |_| {}), Process::start(&journal, |_| {}));
        let mut desk = Desk::of(merchant(1));
        let shard = shard_of(merchant(1).key, SHARDS);
        type Asked = fn(&mut Desk, Id) -> Request;
        let kinds_of_reads: [Asked; 7] = [
            |desk, intent| desk.get(&kinds::PAYMENT_INTENT, intent),
            |desk, _| desk.balance(),
            |desk, _| all_intents(desk),
            |desk, _| all_events(desk),
            |desk, _| all_found(desk),
            // Refused by what it was.
            |desk, intent| desk.write(capture(intent, Some(5_000))),
            |desk, _| {
                desk.get(
                    &kinds::CUSTOMER,
                    Id::new(&kinds::CUSTOMER, 0, 1, desk.profile.key.tag()),
                )
            },
        ];
        for (round, asked) in kinds_of_reads.into_iter().enumerate() {
            let intent = overtaken(&a, &b, &mut desk, round).await;
            let request = asked(&mut desk, intent);
            let stale = a.call(request.clone()).await;
            let refusal = stale.map(|response| format!("{:?}", response.result));
            let refusal = refusal.expect_err("answered from before");
            assert!(
                matches!(refusal, Refusal::ShardDown | Refusal::Elsewhere(_)),
                "{refusal}"
            );
            a.hears_of_losses(round + 1).await;
            assert_eq!(a.engine.serving(), []);
            assert_eq!(
                a.call(request.clone()).await.expect_err("refused"),
                Refusal::Elsewhere(shard)
            );
            b.call(request).await.expect("the owner answers");
        }
        // A key that the old owner repeats from memory.
        let intent = overtaken(&a, &b, &mut desk, 99).await;
        let again = a.call(desk.keyed_now("k99", hold(2_000, "visa"))).await;
        again.expect_err("answered from before");
        let repeated = b
            .call(desk.keyed_now("k99", hold(2_000, "visa")))
            .await
            .expect("the owner answers");
        assert_eq!(object(&repeated).id(), intent);
    });
}

#[test]
fn lists_searches_and_events_wait_until_the_shard_is_known_to_be_here() {
    in_system(async {
        let journal = Memory::new(Mode::Immediate);
        let a = Process::start(&journal, |_| {});
        let mut desk = Desk::of(merchant(1));
        let shard = shard_of(merchant(1).key, SHARDS);
        a.engine.adopt(shard).await.expect("it is free");
        a.call(desk.keyed_now("k", pay(2_000, "visa"))).await.expect("paid");
        let events = a.call(all_events(&mut desk)).await.expect("listed");
        let Ok(Shown::Page { items, .. }) = &events.result else {
            panic!("a page")
        };
        let Item::Event(event) = &items[0] else {
            panic!("an event")
        };
        let event = event.id;
        a.member.hold_barriers();
        let requests = [
            all_intents(&mut desk),
            all_events(&mut desk),
            all_found(&mut desk),
            desk.get(&kinds::EVENT, event),
        ];
        for known in [true, false] {
            let waiting = requests
                .clone()
                .map(|request| a.client.begin(request).expect("admitted"));
            let mut waiting: Vec<_> = waiting.into_iter().map(|one| actix_rt::spawn(one)).collect();
            while a.member.asking() < requests.len() {
                assert!(
                    waiting.iter().all(|one| !one.is_finished()),
                    "answered without the barrier"
                );
                tokio::task::yield_now().await;
            }
            // Long enough for a reader to answer, if it was asked.
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(
                waiting.iter().all(|one| !one.is_finished()),
                "answered without the barrier"
            );
            a.member.tell(known);
            for one in waiting.drain(..) {
                let answer = one.await.expect("no panic");
                assert_eq!(answer.is_ok(), known, "{answer:?}");
            }
        }
        assert_eq!(a.engine.serving(), [shard]);
    });
}
