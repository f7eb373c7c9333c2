//! What endpoints that fail take from the others: no time, and no more memory than they may.

use crate::asking::{audit, replay, status};
use crate::receivers::Receiver;
use crate::seeds;
use crate::world::{DAY, HOUR, MINUTE, SECOND, World};
use tollgate_webhooks::hall::LaneState;
use tollgate_webhooks::{EndpointKey, Ordering, Patterns, Schedule};

/// The longest time from an event until a healthy endpoint had it, where so many of forty do not answer.
fn longest_delay(seed: u64, hanging: usize) -> u64 {
    let mut world = World::new(seed, 1, 2, 64);
    let mut healthy = Vec::new();
    for at in 0..40 {
        let account = world.open_account();
        let hangs = at < hanging;
        let receiver = if hangs {
            [Receiver::Hangs, Receiver::Fails, Receiver::Mute][at % 3]
        } else {
            Receiver::Good(10)
        };
        let key = world.register(account, Ordering::None, receiver, &["*"]);
        if !hangs && at >= 6 {
            healthy.push(key);
        }
    }
    for _ in 0..4_000 {
        let pause = world.chance.of(1..20);
        world.run_until(world.now + pause);
        let account = world.chance.of(1..41);
        world.happens(account, 1);
    }
    world.run_until(world.now + MINUTE);
    let delay = |key: &EndpointKey| -> Option<u64> {
        let view = &world.accounts[&key.account].endpoints[&key.seq];
        world
            .wanted(view)
            .map(|event| {
                world
                    .auditor
                    .acknowledged
                    .get(&(*key, event.seq))
                    .map_or(u64::MAX, |at| at - event.created_ms)
            })
            .max()
    };
    healthy.iter().filter_map(delay).max().expect("there are healthy ones")
}

#[test]
fn neighbours_do_not_notice_endpoints_that_hang() {
    for seed in seeds().take(3) {
        let (without, with) = (longest_delay(seed, 0), longest_delay(seed, 6));
        assert!(
            with <= without + 10,
            "seed {seed}: {without} ms without, {with} ms with endpoints that hang"
        );
    }
}

#[test]
fn failed_events_take_no_more_memory_than_they_may() {
    let mut world = World::new(7, 1, 1, 64);
    world.failed_bytes_max = 1_000;
    world.crash(0);
    world.run_until(world.now + MINUTE);
    let account = world.open_account();
    let key = world.register(account, Ordering::FifoWhileHealthy, Receiver::Picky(3), &["*"]);
    world.change(key, |view| view.filter = Patterns::all());
    for at in 0..30_000 {
        world.run_until(world.now + 100);
        world.happens(account, at % 90);
    }
    let now = status(&mut world, key);
    assert!(now.waiting < 2_000, "{now:?}");
    world.receivers.insert(key, Receiver::Good(5));
    world.run_until(world.now + 5 * DAY);
    replay(&mut world, key);
    world.run_until(world.now + HOUR);
    let mut complaints = Vec::new();
    audit(&world, &mut complaints);
    assert_eq!(complaints, [""; 0]);
}

#[test]
fn dead_letters_that_fill_their_memory_stop_nobody_else_and_lose_nothing() {
    let mut world = World::new(9, 1, 1, 64);
    world.failed_bytes_max = 600;
    world.crash(0);
    world.run_until(world.now + MINUTE);
    let (sick, well) = (world.open_account(), world.open_account());
    let refuses = world.register(sick, Ordering::None, Receiver::Picky(6), &["*"]);
    let takes = world.register(well, Ordering::None, Receiver::Good(5), &["*"]);
    // Its last attempts fail within seconds, and too few for its breaker: what fails is dead.
    world.change(refuses, |view| view.schedule = Schedule::new(&[1]).expect("a schedule"));
    for at in 0..8_000 {
        world.run_until(world.now + 100);
        world.happens(sick, at);
        world.happens(well, at);
    }
    let now = status(&mut world, refuses);
    assert!(
        now.state == LaneState::Sending && now.dead < 700 && now.upto - now.low > 5_000,
        "{now:?}"
    );
    let other = status(&mut world, takes);
    assert!(other.upto - other.low < 50, "the neighbour waits: {other:?}");
    let slowest = world
        .wanted(&world.accounts[&well].endpoints[&takes.seq])
        .filter_map(|event| {
            let taken = world.auditor.acknowledged.get(&(takes, event.seq))?;
            Some(taken - event.created_ms)
        });
    assert!(slowest.max().expect("it had some") < 2_000, "the neighbour had to wait");
    // Nor does one that is new there, while nothing else happens.
    world.run_until(world.now + 5 * SECOND);
    let new = world.open_account();
    let late = world.register(new, Ordering::None, Receiver::Good(5), &["*"]);
    world.run_until(world.now + 5 * SECOND);
    world.happens(new, 1);
    world.run_until(world.now + 5 * SECOND);
    let newcomer = status(&mut world, late);
    assert_eq!((newcomer.low, newcomer.dead), (newcomer.upto, 0), "{newcomer:?}");
    let now = status(&mut world, refuses);
    assert!(now.upto - now.low > 5_000, "{now:?}");
    // In the end everything is there, however often the letters had to be sent again to make room.
    world.receivers.insert(refuses, Receiver::Good(5));
    replay(&mut world, refuses);
    world.run_until(world.now + DAY);
    let mut complaints = Vec::new();
    audit(&world, &mut complaints);
    assert_eq!(complaints, [""; 0]);
    assert_eq!(status(&mut world, refuses).dead, 0);
}

/// Events of these accounts, one after the other, and an hour in which to give up what is refused.
fn happen(world: &mut World, accounts: &[u64], events: u64) {
    for object in 0..events {
        world.run_until(world.now + 100);
        accounts.iter().for_each(|account| world.happens(*account, object));
    }
    world.run_until(world.now + HOUR);
}

/// A world with so many endpoints, whose dead letters are more than a shard may hold there, and which therefore stand back
/// although their receivers are well again.
fn standing_back(seed: u64, endpoints: usize, failed_bytes_max: usize) -> (World, Vec<EndpointKey>) {
    let mut world = World::new(seed, 1, 1, 64);
    let accounts: Vec<u64> = (0..endpoints).map(|_| world.open_account()).collect();
    let mut keys = Vec::new();
    for account in &accounts {
        let key = world.register(*account, Ordering::None, Receiver::Picky(6), &["*"]);
        // Its last attempt fails within seconds: what fails is dead.
        world.change(key, |view| view.schedule = Schedule::new(&[1]).expect("a schedule"));
        keys.push(key);
    }
    happen(&mut world, &accounts, 3_000);
    for key in &keys {
        let now = status(&mut world, *key);
        assert!(now.dead == 500 && now.low == now.upto, "{now:?}");
    }
    // From now on that is too much.
    world.failed_bytes_max = failed_bytes_max;
    world.crash(0);
    world.run_until(world.now + MINUTE);
    for key in &keys {
        world.receivers.insert(*key, Receiver::Good(5));
    }
    happen(&mut world, &accounts, 5_000);
    for key in &keys {
        let now = status(&mut world, *key);
        assert!(now.waiting == 0 && now.upto - now.low > 5_000, "{now:?}");
    }
    (world, keys)
}

#[test]
fn whoever_stands_back_for_dead_letters_goes_on_when_they_are_too_old() {
    let (mut world, keys) = standing_back(11, 1, 300);
    let before = status(&mut world, keys[0]);
    world.run_until(world.now + 29 * DAY);
    let later = status(&mut world, keys[0]);
    assert_eq!((later.dead, later.low), (500, before.low), "{before:?} {later:?}");
    // Nobody does anything, and nothing happens.
    world.run_until(world.now + 3 * DAY);
    let now = status(&mut world, keys[0]);
    assert_eq!((now.dead, now.low), (0, now.upto), "{now:?}");
    happen(&mut world, &[keys[0].account], 100);
    let seq = world.accounts[&keys[0].account].seq;
    assert!(
        world.auditor.acknowledged.contains_key(&(keys[0], seq)),
        "what is new is sent"
    );
}

#[test]
fn whoever_stands_back_for_dead_letters_goes_on_when_endpoints_that_had_some_are_deleted() {
    let (mut world, keys) = standing_back(13, 3, 1_500);
    // The second right after it was looked at what the books take, and it is the last thing that happens.
    world.delete(keys[0]);
    world.run_until(world.now + 300);
    world.delete(keys[1]);
    world.run_until(world.now + MINUTE);
    let now = status(&mut world, keys[2]);
    assert_eq!((now.dead, now.low), (500, now.upto), "{now:?}");
    let mut complaints = Vec::new();
    replay(&mut world, keys[2]);
    world.run_until(world.now + HOUR);
    audit(&world, &mut complaints);
    assert_eq!(complaints, [""; 0]);
}
