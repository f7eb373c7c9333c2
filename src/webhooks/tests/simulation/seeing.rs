//! What operators see: how long endpoints that do well are kept waiting, and which endpoints are furthest behind.

use crate::asking::{figures, kept, status};
use crate::receivers::Receiver;
use crate::world::{BEGIN_MS, HOUR, MINUTE, SECOND, World};
use tollgate_webhooks::hall::{Command, LaneState, WORST_MAX};
use tollgate_webhooks::ports::Event;
use tollgate_webhooks::{EndpointKey, Ordering, Status, SwitchedOff};

/// Takes 20 ms, and nothing else is in the way.
const SOON_MS: u64 = 200;

/// A process with an endpoint that does well, and another one.
fn pair(receiver: Receiver) -> (World, EndpointKey, EndpointKey) {
    let mut world = World::new(5, 1, 1, 64);
    let (account, other) = (world.open_account(), world.open_account());
    let well = world.register(account, Ordering::FifoWhileHealthy, Receiver::Good(20), &["*"]);
    let ill = world.register(other, Ordering::FifoWhileHealthy, receiver, &["*"]);
    world.run_until(world.now + SECOND);
    (world, well, ill)
}

/// Three events of every account each second until then; how long an endpoint that does well was kept waiting at most.
fn longest_wait(world: &mut World, until: u64) -> u64 {
    let mut longest = 0;
    let mut wait = |world: &mut World, ms: u64| {
        world.run_until(world.now + ms);
        longest = longest.max(figures(world, 0).oldest_ms);
    };
    while world.now < until {
        let accounts = world.accounts.len() as u64;
        for account in (1..=accounts).cycle().take(3 * accounts as usize) {
            let object = world.chance.of(1..30);
            world.happens(account, object);
            wait(world, 2);
        }
        (0..90).for_each(|_| wait(world, 10));
    }
    longest
}

#[test]
fn who_is_kept_waiting_by_itself_or_its_owner_is_not_kept_waiting_by_us() {
    for receiver in [
        Receiver::Dead,
        Receiver::Fails,
        Receiver::Limits(0),
        Receiver::Limits(2),
    ] {
        let (mut world, _, ill) = pair(receiver);
        // The first few fail before it is clear that all do.
        let until = world.now + MINUTE;
        longest_wait(&mut world, until);
        let until = world.now + 10 * MINUTE;
        let longest = longest_wait(&mut world, until);
        assert!(longest <= SOON_MS, "{receiver:?}: {longest} ms");
        let now = status(&mut world, ill);
        assert!(now.backlog() > 0, "{receiver:?}: {now:?}");
        // Once it does well what it has missed goes out, and that is no wait of before.
        world.receivers.insert(ill, Receiver::Good(20));
        let (began, mut waited) = (world.now, 0);
        while status(&mut world, ill).backlog() > 0 {
            world.run_until(world.now + 10);
            waited = waited.max(figures(&world, 0).oldest_ms);
            assert!(world.now < began + HOUR, "{receiver:?}");
        }
        assert!(waited < 5 * SECOND, "{receiver:?}: {waited} ms after it came back");
    }
    for off in [Status::Paused, Status::Disabled(SwitchedOff::Owner)] {
        let (mut world, _, ill) = pair(Receiver::Good(20));
        world.change(ill, |view| view.status = off);
        let until = world.now + 10 * MINUTE;
        let longest = longest_wait(&mut world, until);
        assert!(longest <= SOON_MS, "{off:?}: {longest} ms");
        let now = status(&mut world, ill);
        let lag = world.now - now.oldest_ms.expect("a backlog");
        assert!((9 * MINUTE..=11 * MINUTE).contains(&lag), "{off:?}: {now:?}");
    }
    // Its owner wants one a second at most, and more happens.
    let (mut world, _, ill) = pair(Receiver::Good(20));
    world.change(ill, |view| view.rate_per_s = Some(1));
    let until = world.now + 2 * MINUTE;
    let longest = longest_wait(&mut world, until);
    assert!(longest <= SOON_MS, "{longest} ms");
    // What is in hand is put back when it is paused, and is as old as before.
    let before = status(&mut world, ill).oldest_ms;
    let before = before.filter(|before| world.now - before > MINUTE).expect("a backlog");
    world.change(ill, |view| view.status = Status::Paused);
    world.run_until(world.now + MINUTE);
    let after = status(&mut world, ill).oldest_ms.expect("a backlog");
    assert!((before..before + 2 * SECOND).contains(&after), "{before}, {after}");
}

#[test]
fn what_waits_for_another_attempt_or_is_wanted_again_is_no_wait_for_the_first() {
    let (mut world, _, picky) = pair(Receiver::Picky(25));
    let until = world.now + 4 * MINUTE;
    let mut longest = longest_wait(&mut world, until);
    let now = status(&mut world, picky);
    assert!(now.state == LaneState::Sending && now.waiting > 10, "{now:?}");
    world.receivers.insert(picky, Receiver::Good(20));
    let until = world.now + 10 * MINUTE;
    longest = longest.max(longest_wait(&mut world, until));
    let late = |event: &&Event| {
        let at = world.auditor.acknowledged.get(&(picky, event.seq));
        at.is_some_and(|at| at - event.created_ms > 3 * MINUTE)
    };
    let late = world.accounts[&picky.account].events.values().filter(late).count();
    assert_eq!(late as u64, now.waiting);
    assert!(longest <= SOON_MS, "{longest} ms");
    // What came ever since is sent again.
    let (reply, _) = kept();
    let recover = Command::Recover {
        endpoint: picky,
        since_ms: BEGIN_MS,
        until_ms: world.now,
        types: Vec::new(),
        only: tollgate_webhooks::book::Only::All,
        began_ms: world.now,
        reply,
    };
    assert!(world.command(picky.account, recover));
    let until = world.now + MINUTE;
    let longest = longest_wait(&mut world, until);
    assert!(longest <= SOON_MS, "{longest} ms");
}

#[test]
fn an_endpoint_that_does_well_is_seen_to_wait_whatever_of_ours_keeps_it() {
    // The journal gives no answer: nothing is even known of the events.
    let (mut world, well, _) = pair(Receiver::Good(20));
    world.unread_in = 1;
    let until = world.now + 2 * MINUTE;
    let longest = longest_wait(&mut world, until);
    assert!((110 * SECOND..=121 * SECOND).contains(&longest), "{longest} ms");
    world.unread_in = 0;
    world.run_until(world.now + 10 * SECOND);
    let now = status(&mut world, well);
    assert!(now.backlog() == 0 && now.oldest_ms.is_none(), "{now:?}");
    let seen = figures(&world, 0);
    assert!(seen.oldest_ms == 0 && seen.worst.is_empty(), "{seen:?}");
    // There is one slot, and others have it for ten seconds each time.
    let mut world = World::new(5, 1, 1, 1);
    for receiver in [Receiver::Good(10_000), Receiver::Good(20)] {
        let account = world.open_account();
        world.register(account, Ordering::None, receiver, &["*"]);
    }
    world.run_until(world.now + SECOND);
    let until = world.now + 3 * MINUTE;
    let longest = longest_wait(&mut world, until);
    assert!(longest > MINUTE, "{longest} ms");
    let seen = figures(&world, 0);
    assert!(seen.in_flight == 1 && seen.ready >= 1, "{seen:?}");
}

#[test]
fn a_start_does_not_make_a_dead_endpoint_one_that_does_well() {
    let (mut world, _, dead) = pair(Receiver::Hangs);
    let until = world.now + HOUR;
    longest_wait(&mut world, until);
    world.crash(0);
    world.run_until(world.now + 10 * SECOND);
    let mut longest = 0;
    for _ in 0..6_000 {
        world.run_until(world.now + 10);
        longest = longest.max(figures(&world, 0).oldest_ms);
    }
    assert!(longest <= SECOND, "{longest} ms");
    assert!(status(&mut world, dead).backlog() > 1_000);
}

#[test]
fn the_endpoints_that_are_furthest_behind_come_first_with_what_their_attempts_came_to() {
    let mut world = World::new(5, 1, 1, 64);
    // Endpoints that came ever later are ever less behind; the first one of all is paused.
    let mut keys = Vec::new();
    for at in 0..WORST_MAX + 3 {
        let account = world.open_account();
        let receiver = if at == 2 { Receiver::Hangs } else { Receiver::Fails };
        let key = world.register(account, Ordering::None, receiver, &["*"]);
        keys.push(key);
        let until = world.now + 2 * MINUTE;
        if at == 0 {
            world.change(key, |view| view.status = Status::Paused);
        }
        longest_wait(&mut world, until);
    }
    let well = world.open_account();
    let well = world.register(well, Ordering::None, Receiver::Good(20), &["*"]);
    let until = world.now + 5 * MINUTE;
    longest_wait(&mut world, until);
    let (reply, listed) = kept();
    assert!(world.command(well.account, Command::Lanes { limit: 4, reply }));
    let listed = listed.lock().expect("nobody panics here").take();
    let listed = listed.expect("answered at once").expect("there are lanes");
    let order: Vec<EndpointKey> = listed.iter().map(|it| it.endpoint).collect();
    assert_eq!(order, keys[..4]);
    // Who is paused is not among those that are to be sent to; nor who is not behind.
    let seen = figures(&world, 0);
    let order: Vec<EndpointKey> = seen.worst.iter().map(|it| it.endpoint).collect();
    assert_eq!(order, keys[1..=WORST_MAX]);
    // Looked at in parts, they come to the same.
    let hall = world.processes[0].hall.as_mut().expect("it is alive");
    for _ in 0..2 {
        assert!(hall.look(5).is_none() && hall.look(5).is_none());
        let parts = hall.look(5).expect("14 endpoints");
        assert_eq!(format!("{parts:?}"), format!("{seen:?}"));
    }
    assert_eq!(seen.lanes.iter().map(|(_, lanes)| lanes).sum::<u32>(), 14);
    for it in &seen.worst {
        let recent = it.recent.expect("attempts");
        let hangs = it.endpoint == keys[2];
        assert_eq!((recent.taken, recent.p95_ms > 9_000), (0, hangs), "{it:?}");
        assert!((19..=21).contains(&recent.p50_ms) || hangs, "{it:?}");
    }
    let now = status(&mut world, well);
    let recent = now.recent.expect("attempts");
    assert_eq!((recent.attempts, recent.taken), (64, 64), "{now:?}");
    assert!((19..=21).contains(&recent.p95_ms), "{now:?}");
}
