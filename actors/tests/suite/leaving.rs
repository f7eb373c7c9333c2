//! Who is inside a shard that leaves.

use crate::adoption::{PATIENCE, Process, SHARDS, all_intents};
use crate::engine::in_system;
use crate::lists::page;
use crate::office::{Desk, Pump, capture, merchant, object, pay};
use std::time::Duration;
use tollgate_actors::router::shard_of;
use tollgate_actors::{EngineConfig, Refusal, ShardState};
use tollgate_store::memory::{Fate, Memory, Mode};

#[test]
fn whoever_is_inside_when_a_shard_leaves_is_answered_and_nothing_waits_for_others() {
    in_system(async {
        let journal = Memory::new(Mode::Held);
        let (a, b) = (Process::start(&journal, |_| {}), Process::start(&journal, |_| {}));
        let (one, other) = two_merchants_of_two_shards();
        let (mut desk, mut there) = (Desk::of(merchant(one)), Desk::of(merchant(other)));
        let (shard, staying) = (shard_of(desk.profile.key, SHARDS), shard_of(there.profile.key, SHARDS));
        for shard in [shard, staying] {
            a.engine.adopt(shard).await.expect("it is free");
        }
        // One block is in flight, the next fills behind it, and a read waits for both.
        let mut inside = vec![
            a.client
                .begin(desk.keyed_now("a", pay(2_000, "visa")))
                .expect("admitted"),
        ];
        while journal.waiting().is_empty() {
            tokio::task::yield_now().await;
        }
        inside.push(
            a.client
                .begin(desk.keyed_now("b", pay(2_000, "visa")))
                .expect("admitted"),
        );
        inside.push(a.client.begin(desk.balance()).expect("admitted"));
        let leaving = actix_rt::spawn({
            let engine = a.engine.clone();
            async move { engine.release(shard, PATIENCE).await }
        });
        while a.engine.shard_state(shard) != Some(ShardState::Leaving) {
            tokio::task::yield_now().await;
        }
        let refused = a.client.begin(desk.balance()).err();
        assert_eq!(refused, Some(Refusal::Elsewhere(shard)));
        // The other shard goes on.
        let elsewhere = a
            .client
            .begin(there.keyed_now("c", pay(2_000, "visa")))
            .expect("admitted");
        while !journal.waiting().iter().any(|(of, _)| *of == staying) {
            tokio::task::yield_now().await;
        }
        journal.settle(staying, Fate::Durable);
        elsewhere.await.expect("answered");
        assert!(!leaving.is_finished());
        let pump = Pump::start(&journal);
        for waiting in inside {
            waiting.await.expect("answered");
        }
        let released = leaving.await.expect("no panic").expect("it was here");
        assert_eq!((released.refused, released.lost), (0, false));
        b.engine.adopt(shard).await.expect("it is free");
        let again = b.call(desk.keyed_now("b", pay(2_000, "visa"))).await.expect("repeated");
        assert!(again.replayed.is_some());
        drop(pump);
    });
}

#[test]
fn who_waits_longer_than_a_leaving_shard_has_patience_is_told_to_come_again() {
    in_system(async {
        let journal = Memory::new(Mode::Immediate);
        let soon = |config: &mut EngineConfig| config.shard.attempt_deadline_ms = 2_000;
        let (a, b) = (Process::start(&journal, soon), Process::start(&journal, soon));
        let mut desk = Desk::of(merchant(1));
        let shard = shard_of(merchant(1).key, SHARDS);
        a.engine.adopt(shard).await.expect("it is free");
        // The network is called, and nobody knows what it will say; a capture waits for that, and has done nothing.
        let request = desk.keyed_now("remote", pay(404, "tollgate_remote"));
        let attempt = a.client.begin(request.clone()).expect("admitted");
        let intent = loop {
            let listed = a.call(all_intents(&mut desk)).await.expect("listed");
            if let (ids, _) = page(&listed)
                && let Some(id) = ids.first()
            {
                break *id;
            }
        };
        let parked = a.client.begin(desk.write(capture(intent, None))).expect("admitted");
        // Both were taken.
        let taken = async || {
            a.engine.status().await.shards[usize::from(shard.0)]
                .census
                .map(|census| census.requests)
        };
        while taken().await < Some(2) {
            tokio::task::yield_now().await;
        }
        let released = a.engine.release(shard, Duration::ZERO).await.expect("it is here");
        assert_eq!(released.refused, 2);
        assert_eq!(attempt.await.expect_err("not answered"), Refusal::ShardDown);
        assert_eq!(parked.await.expect_err("not done"), Refusal::Elsewhere(shard));
        // The next owner finds the attempt and what became of it, and the key hears it.
        b.engine.adopt(shard).await.expect("it is free");
        let heard = b.call(request).await.expect("answered");
        assert_eq!(object(&heard).id(), intent);
    });
}

#[test]
fn a_shard_that_is_taken_over_while_it_leaves_is_lost_and_gone() {
    in_system(async {
        let journal = Memory::new(Mode::Held);
        let (a, b) = (Process::start(&journal, |_| {}), Process::start(&journal, |_| {}));
        let mut desk = Desk::of(merchant(1));
        let shard = shard_of(merchant(1).key, SHARDS);
        for round in 1..=3 {
            a.engine.adopt(shard).await.expect("it is free");
            let key = format!("k{round}");
            let inside = a
                .client
                .begin(desk.keyed_now(&key, pay(2_000, "visa")))
                .expect("admitted");
            while journal.waiting().is_empty() {
                tokio::task::yield_now().await;
            }
            let leaving = actix_rt::spawn({
                let engine = a.engine.clone();
                // In every other round it has stopped serving by then, and only waits for its block.
                let patience = if round % 2 == 0 { Duration::ZERO } else { PATIENCE };
                async move { engine.release(shard, patience).await }
            });
            while a.engine.shard_state(shard) != Some(ShardState::Leaving) {
                tokio::task::yield_now().await;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            b.engine.adopt(shard).await.expect("whoever has it");
            assert_eq!(inside.await.expect_err("its block was refused"), Refusal::ShardDown);
            let released = leaving.await.expect("no panic").expect("it was here");
            assert!(released.lost);
            a.hears_of_losses(round).await;
            assert_eq!(a.engine.shard_state(shard), Some(ShardState::Elsewhere));
            let pump = Pump::start(&journal);
            let paid = b.call(desk.keyed_now(&key, pay(2_000, "visa"))).await.expect("paid");
            assert!(paid.replayed.is_none(), "nothing was stored under its key");
            b.engine.release(shard, PATIENCE).await.expect("it is there");
            drop(pump);
        }
    });
}

fn two_merchants_of_two_shards() -> (u32, u32) {
    let of = |number: u32| shard_of(merchant(number).key, SHARDS);
    let other = (2..100)
        .find(|number| of(*number) != of(1))
        .expect("there are several shards");
    (1, other)
}
