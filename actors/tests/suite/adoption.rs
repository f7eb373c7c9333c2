//! Two engines over one journal: shards go from one to the other, by agreement and by force.

use crate::engine::{Network, in_system};
use crate::office::{Desk, merchant, object, pay, secrets, short};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate_actors::router::shard_of;
use tollgate_actors::{Begin, Client, Engine, EngineConfig, PassageError, Refusal, Request, Response, ShardState};
use tollgate_domain::account::AccountKey;
use tollgate_domain::kinds;
use tollgate_store::ShardId;
use tollgate_store::memory::{Memory, Mode};
use tollgate_store::shared::Member;

const SHARDS: u16 = 4;
const PATIENCE: Duration = Duration::from_secs(20);

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

    async fn call(&self, request: Request) -> Result<Box<Response>, Refusal> {
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
            let paid = here
                .call(desk.keyed_now(&format!("k{round}"), pay(2_000, "visa")))
                .await;
            assert_eq!(short(&paid), "200 succeeded");
            made.push(object(&paid.expect("paid")).id());
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
