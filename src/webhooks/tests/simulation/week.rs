//! Endpoints that are dead for days, and back.

use crate::asking::{audit, in_order, kept, status};
use crate::receivers::Receiver;
use crate::seeds;
use crate::world::{BEGIN_MS, DAY, HOUR, MINUTE, SECOND, World};
use std::collections::BTreeSet;
use tollgate_webhooks::book::Only;
use tollgate_webhooks::hall::{Command, LaneState};
use tollgate_webhooks::ports::Alert;
use tollgate_webhooks::{Ordering, Status, SwitchedOff};

#[test]
fn the_owner_of_a_dead_endpoint_comes_back_after_a_week_and_gets_everything_once_and_in_order() {
    for seed in seeds().take(3) {
        let mut world = World::new(seed, 2, 2, 64);
        let (account, other) = (world.open_account(), world.open_account());
        let dead = world.register(account, Ordering::FifoWhileHealthy, Receiver::Good(20), &["*"]);
        let neighbour = world.register(other, Ordering::FifoWhileHealthy, Receiver::Good(20), &["*"]);
        let happen = |world: &mut World, from: u64, until: u64, every: u64| {
            world.run_until(from);
            while world.now < until {
                world.run_until(world.now + every);
                for account in [account, other] {
                    let object = world.chance.of(1..30);
                    world.happens(account, object);
                }
            }
        };
        happen(&mut world, BEGIN_MS, BEGIN_MS + HOUR, 10 * SECOND);
        world.receivers.insert(dead, Receiver::Dead);
        happen(&mut world, BEGIN_MS + HOUR, BEGIN_MS + 7 * DAY, 2 * MINUTE);
        // It was told of, and disabled; what it is to have takes no memory.
        let told = |wanted: fn(&Alert) -> bool| {
            world
                .alerts
                .iter()
                .filter(|(_, key, it)| *key == dead && wanted(it))
                .count()
        };
        assert_eq!(told(|alert| matches!(alert, Alert::Failing { .. })), 1, "seed {seed}");
        assert_eq!(told(|alert| matches!(alert, Alert::Dead { .. })), 1, "seed {seed}");
        let now = status(&mut world, dead);
        assert_eq!(now.state, LaneState::Disabled(SwitchedOff::Failing));
        assert!(now.waiting < 100 && now.upto - now.low > 5_000, "seed {seed}: {now:?}");
        let missing: Vec<u64> = {
            let view = &world.accounts[&account].endpoints[&dead.seq];
            let taken = |seq: &u64| world.auditor.acknowledged.contains_key(&(dead, *seq));
            world
                .wanted(view)
                .map(|event| event.seq)
                .filter(|seq| !taken(seq))
                .collect()
        };
        assert!(missing.len() > 4_000, "seed {seed}");
        for seq in &missing {
            assert_eq!(world.pending_at(account, *seq, "charge.updated"), [dead], "seed {seed}");
        }
        // A crash on the way back changes nothing.
        let owner = world.shards[usize::from(world.accounts[&account].shard)]
            .owner
            .expect("somebody serves it");
        world.crash(owner);
        world.run_until(world.now + MINUTE);
        world.receivers.insert(dead, Receiver::Good(20));
        let taken_before = world.auditor.order[&dead].len();
        world.change(dead, |view| view.status = Status::Enabled);
        world.run_until(world.now + SECOND);
        let (reply, _) = kept();
        let recover = Command::Recover {
            endpoint: dead,
            since_ms: BEGIN_MS,
            until_ms: world.now,
            types: Vec::new(),
            only: Only::Undelivered,
            began_ms: world.now,
            reply,
        };
        assert!(world.command(account, recover));
        world.run_until(world.now + HOUR);
        let came: Vec<(u64, u64)> = world.auditor.order[&dead][taken_before..].to_vec();
        let seqs: BTreeSet<u64> = came.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(seqs.into_iter().collect::<Vec<_>>(), missing, "seed {seed}");
        assert!(in_order(&came), "seed {seed}: not in order");
        let mut complaints = Vec::new();
        audit(&world, &mut complaints);
        assert_eq!(complaints, [""; 0], "seed {seed}");
        let twice = missing
            .iter()
            .filter(|seq| world.auditor.came[&(dead, **seq)] > 1)
            .count();
        assert_eq!(twice, 0, "seed {seed}: came twice");
        assert!(
            in_order(&world.auditor.order[&neighbour])
                && world.auditor.first_sent[&neighbour] == world.auditor.order[&neighbour]
        );
    }
}

#[test]
fn an_owner_hears_of_each_time_that_an_endpoint_fails_and_of_its_recovery() {
    let mut world = World::new(7, 1, 1, 64);
    let account = world.open_account();
    let endpoint = world.register(account, Ordering::FifoWhileHealthy, Receiver::Good(20), &["*"]);
    let mut expected = Vec::new();
    for _ in 0..3 {
        for (receiver, days) in [(Receiver::Dead, 2), (Receiver::Good(20), 1)] {
            world.receivers.insert(endpoint, receiver);
            let until = world.now + days * DAY;
            while world.now < until {
                world.run_until(world.now + 10 * MINUTE);
                let object = world.chance.of(1..30);
                world.happens(account, object);
            }
        }
        expected.extend(["failing", "recovered"]);
    }
    let told = world.alerts.iter().filter(|(_, key, _)| *key == endpoint);
    let told: Vec<&str> = told
        .map(|(_, _, alert)| match alert {
            Alert::Failing { .. } => "failing",
            Alert::Recovered => "recovered",
            Alert::Dead { .. } | Alert::Gone | Alert::Quarantined => "other",
        })
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn whoever_comes_back_after_more_than_thirty_days_has_what_is_younger_without_waiting_for_anything() {
    let mut world = World::new(17, 1, 1, 64);
    let account = world.open_account();
    let key = world.register(account, Ordering::FifoWhileHealthy, Receiver::Good(20), &["*"]);
    world.change(key, |view| view.status = Status::Disabled(SwitchedOff::Owner));
    let happen = |world: &mut World, events: u64| {
        for object in 0..events {
            world.run_until(world.now + SECOND);
            world.happens(account, object % 30);
        }
    };
    happen(&mut world, 2_000);
    world.run_until(world.now + 31 * DAY);
    let young = world.now;
    happen(&mut world, 300);
    world.change(key, |view| view.status = Status::Enabled);
    world.run_until(world.now + HOUR);
    let view = &world.accounts[&account].endpoints[&key.seq];
    let came = |seq: u64| world.auditor.acknowledged.contains_key(&(key, seq));
    for event in world.wanted(view) {
        assert_eq!(came(event.seq), event.created_ms > young, "{event:?}");
    }
    let now = status(&mut world, key);
    assert_eq!((now.low, now.dead, now.waiting), (now.upto, 0, 0), "{now:?}");
}
