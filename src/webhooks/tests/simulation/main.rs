//! Deliveries in virtual time: processes that crash, shards that move, lanes that panic, receivers of every sort. What has to
//! hold all the time is watched by the auditor; what has to hold in the end is checked when everybody is well again.

mod auditor;
mod chance;
mod journal;
mod receivers;
mod world;

use receivers::Receiver;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, Once};
use tollgate_webhooks::book::{JobState, Only, RecoverJob};
use tollgate_webhooks::hall::{Command, LaneState, LaneStatus, Letters, Refused, Reply};
use tollgate_webhooks::ports::Alert;
use tollgate_webhooks::{EndpointKey, EndpointView, Ordering, Patterns, Status};
use world::{BEGIN_MS, DAY, HOUR, MINUTE, PANIC, SECOND, World};

/// Seeds of every run of the tests; `TOLLGATE_SEEDS=N` for more.
const SEEDS: u64 = 8;
/// How long nobody is well.
const STORM: u64 = 3 * HOUR;

fn seeds() -> std::ops::RangeInclusive<u64> {
    let wanted = std::env::var("TOLLGATE_SEEDS").ok().and_then(|text| text.parse().ok());
    1..=wanted.unwrap_or(SEEDS)
}

/// Panics that are meant are not printed.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload_as_str() != Some(PANIC) {
                usual(info);
            }
        }));
    });
}

/// An answer to a command, when it has come.
type Kept<T> = Arc<Mutex<Option<Result<T, Refused>>>>;

/// Where an answer to a command ends up.
fn kept<T: Send + 'static>() -> (Reply<T>, Kept<T>) {
    let kept = Arc::new(Mutex::new(None));
    let into = Arc::clone(&kept);
    let reply = Box::new(move |answer| *into.lock().expect("nobody panics here") = Some(answer));
    (reply, kept)
}

fn status(world: &mut World, endpoint: EndpointKey) -> LaneStatus {
    let (reply, kept) = kept();
    assert!(world.command(endpoint.account, Command::Status { endpoint, reply }));
    let answer = kept.lock().expect("nobody panics here").take();
    answer.expect("answered at once").expect("the lane is there")
}

/// Any endpoint there is.
fn any_of(world: &mut World, views: &[EndpointView]) -> Option<EndpointKey> {
    let len = views.len() as u64;
    (len > 0).then(|| views[world.chance.of(0..len) as usize].key)
}

const PATTERNS: [&[&str]; 4] = [
    &["*"],
    &["charge.*"],
    &["payment_intent.succeeded"],
    &["charge.refunded", "payment_intent.*"],
];
const ORDERINGS: [Ordering; 4] = [
    Ordering::FifoWhileHealthy,
    Ordering::FifoWhileHealthy,
    Ordering::Strict,
    Ordering::None,
];

fn new_endpoint(world: &mut World, account: u64) {
    let ordering = ORDERINGS[world.chance.of(0..4) as usize];
    let patterns = PATTERNS[world.chance.of(0..4) as usize];
    let receiver = Receiver::any(&mut world.chance);
    world.register(account, ordering, receiver, patterns);
}

/// One thing goes wrong, or changes.
fn trouble(world: &mut World) {
    let views = world.endpoints();
    let Some(key) = any_of(world, &views) else { return };
    match world.chance.of(0..16) {
        0 => {
            let process = world.chance.of(0..world.processes.len() as u64) as usize;
            world.crash(process);
        }
        1 => {
            let shard = world.chance.of(0..world.shards.len() as u64) as u16;
            world.hand_over(shard);
        }
        2 | 3 => {
            for process in &world.processes {
                process.ports.heard().panics = Some(key);
            }
        }
        4 => {
            let account = world.chance.of(1..world.accounts.len() as u64 + 1);
            new_endpoint(world, account);
        }
        5 if views.len() > 4 => world.delete(key),
        6 => world.change(key, |view| view.status = Status::Paused),
        7 | 8 => world.change(key, |view| view.status = Status::Enabled),
        9 => {
            let rate = world.chance.of(1..30) as u32;
            world.change(key, |view| view.rate_per_s = (rate < 20).then_some(rate));
        }
        10 => {
            let ordering = ORDERINGS[world.chance.of(0..4) as usize];
            world.change(key, |view| view.ordering = ordering);
        }
        11 => world.unread_in = [0, 0, 3, 10][world.chance.of(0..4) as usize],
        12 => {
            let known = &world.accounts[&key.account];
            let seq = known.events.keys().next_back().copied().unwrap_or(1);
            let (reply, _) = kept();
            world.auditor.twice_max += 1;
            world.command(
                key.account,
                Command::Resend {
                    endpoint: key,
                    seq,
                    reply,
                },
            );
        }
        _ => {
            let receiver = Receiver::any(&mut world.chance);
            world.receivers.insert(key, receiver);
        }
    }
}

/// Everybody is well again, and whoever was switched off is on.
fn peace(world: &mut World) {
    world.unread_in = 0;
    for process in &world.processes {
        process.ports.heard().panics = None;
    }
    for view in world.endpoints() {
        world.receivers.insert(view.key, Receiver::Good(5));
        world.change(view.key, |view| {
            view.status = Status::Enabled;
            view.rate_per_s = None;
        });
    }
    world.run_until(world.now + MINUTE);
    // Lanes that panicked too often wait for an operator.
    for view in world.endpoints() {
        let (endpoint, (reply, _)) = (view.key, kept());
        assert!(world.command(endpoint.account, Command::Resume { endpoint, reply }));
    }
}

/// Sends all dead letters again.
fn replay(world: &mut World, endpoint: EndpointKey) -> u64 {
    let (reply, kept) = kept();
    let letters = Letters::Between {
        since_ms: 0,
        until_ms: world.now,
    };
    assert!(world.command(
        endpoint.account,
        Command::Replay {
            endpoint,
            letters,
            reply
        }
    ));
    let answer = kept.lock().expect("nobody panics here").take();
    answer.expect("answered at once").expect("the lane is there")
}

/// Everything that was wanted has come, nothing is pending, and all that was watched was right.
fn audit(world: &World, complaints: &mut Vec<String>) {
    complaints.extend(world.auditor.wrong.iter().cloned());
    for view in world.endpoints() {
        for event in world.wanted(&view) {
            if !world.auditor.acknowledged.contains_key(&(view.key, event.seq)) {
                let (seq, key) = (event.seq, view.key);
                complaints.push(format!("seed {}: event {seq} never came to {key:?}", world.seed));
            }
            if world
                .pending_at(view.key.account, event.seq, event.kind)
                .contains(&view.key)
            {
                complaints.push(format!("seed {}: event {} is still pending", world.seed, event.seq));
            }
        }
    }
    let (twice, most) = (world.auditor.twice, world.auditor.twice_max);
    if twice > most {
        complaints.push(format!(
            "seed {}: {twice} deliveries came again, {most} may",
            world.seed
        ));
    }
    complaints.truncate(10);
}

/// Whether events about each object were taken in their order.
fn in_order(taken: &[(u64, u64)]) -> bool {
    let mut last = BTreeMap::new();
    taken
        .iter()
        .all(|(seq, object)| last.insert(*object, *seq).is_none_or(|before| before < *seq))
}

#[test]
fn whatever_happens_every_event_comes_or_is_a_dead_letter_that_can_be_replayed() {
    hush();
    let (mut panics, mut letters, mut rows, mut again) = (0, 0, 0, 0);
    for seed in seeds() {
        let processes = 1 + seed as usize % 3;
        let mut world = World::new(seed, processes, 3, 48);
        for _ in 0..5 {
            let account = world.open_account();
            new_endpoint(&mut world, account);
            new_endpoint(&mut world, account);
        }
        let mut next_trouble = world.now + MINUTE;
        while world.now < BEGIN_MS + STORM {
            let pause = match world.chance.once_in(20) {
                true => world.chance.of(1..120) * SECOND,
                false => world.chance.of(1..3_000),
            };
            world.run_until(world.now + pause);
            let account = world.chance.of(1..6);
            let object = world.chance.of(1..12);
            world.happens(account, object);
            if world.now >= next_trouble {
                trouble(&mut world);
                next_trouble = world.now + world.chance.of(1..90) * SECOND;
            }
        }
        // Whoever is in the middle of something gets there.
        world.run_until(world.now + MINUTE);
        peace(&mut world);
        world.run_until(world.now + 3 * DAY);
        let mut complaints = Vec::new();
        for view in world.endpoints() {
            letters += replay(&mut world, view.key);
        }
        world.run_until(world.now + HOUR);
        audit(&world, &mut complaints);
        assert_eq!(complaints, [""; 0], "seed {seed}");
        panics += world.panics;
        again += world.auditor.twice;
        rows += world.shards.iter().map(journal::Shard::rows).sum::<usize>();
    }
    // Otherwise less is tried than is meant to be.
    assert!(
        panics > 5 && letters > 0 && rows > 2 && again > 0,
        "{panics} {letters} {rows} {again}"
    );
}

#[test]
fn strict_order_holds_through_crashes_and_failures() {
    hush();
    for seed in seeds() {
        let mut world = World::new(seed, 2, 2, 64);
        let account = world.open_account();
        let strict = world.register(account, Ordering::Strict, Receiver::Flaps(40_000), &["*"]);
        let usual = world.register(account, Ordering::FifoWhileHealthy, Receiver::Good(50), &["*"]);
        for step in 0..1_500_u64 {
            let pause = world.chance.of(1..1_500);
            world.run_until(world.now + pause);
            let object = world.chance.of(1..6);
            world.happens(account, object);
            if step % 100 == 99 {
                let receiver = [
                    Receiver::Flaps(7_000),
                    Receiver::Picky(3),
                    Receiver::Good(900),
                    Receiver::Limits(2),
                ];
                world.receivers.insert(strict, receiver[world.chance.of(0..4) as usize]);
            }
            if step % 230 == 229 {
                let process = world.chance.of(0..2) as usize;
                world.crash(process);
            }
        }
        world.receivers.insert(strict, Receiver::Good(5));
        world.run_until(world.now + 3 * DAY);
        let mut complaints = Vec::new();
        audit(&world, &mut complaints);
        assert_eq!(complaints, [""; 0], "seed {seed}");
        assert!(
            in_order(&world.auditor.order[&strict]),
            "seed {seed}: strict order was broken"
        );
        assert!(
            in_order(&world.auditor.first_sent[&strict]),
            "seed {seed}: tried in another order"
        );
        assert!(
            in_order(&world.auditor.order[&usual]),
            "seed {seed}: order was broken without a failure"
        );
    }
}

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
        assert_eq!(now.state, LaneState::Disabled);
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
fn a_job_sends_what_was_asked_for_goes_on_after_a_crash_and_leaves_the_lane_to_what_is_new() {
    for seed in seeds().take(4) {
        let mut world = World::new(seed, 2, 1, 64);
        let account = world.open_account();
        let key = world.register(account, Ordering::FifoWhileHealthy, Receiver::Good(40), &["*"]);
        for _ in 0..20_000 {
            world.run_until(world.now + 100);
            let object = world.chance.of(1..50);
            world.happens(account, object);
        }
        world.run_until(world.now + MINUTE);
        let (since_ms, until_ms) = (BEGIN_MS + 5 * MINUTE, BEGIN_MS + 25 * MINUTE);
        let before = world.auditor.came.clone();
        let (reply, begun) = kept();
        let types: Vec<Box<str>> = vec!["charge.refunded".into()];
        let only = Only::All;
        let recover = Command::Recover {
            endpoint: key,
            since_ms,
            until_ms,
            types,
            only,
            reply,
        };
        assert!(world.command(account, recover));
        world.run_until(world.now + SECOND);
        let job: RecoverJob = begun
            .lock()
            .expect("nobody panics")
            .take()
            .expect("answered")
            .expect("begun");
        world.run_until(world.now + 20 * SECOND);
        let owner = world.shards[0].owner.expect("somebody serves it");
        world.crash(owner);
        world.run_until(world.now + 20 * SECOND);
        let mut slowest = 0;
        for _ in 0..50 {
            world.happens(account, 77);
            let seq = world.accounts[&account].seq;
            let happened = world.now;
            world.run_until(world.now + SECOND);
            slowest = slowest.max(
                world
                    .auditor
                    .acknowledged
                    .get(&(key, seq))
                    .map_or(u64::MAX, |at| at - happened),
            );
        }
        assert!(slowest < 300, "seed {seed}: what is new waited for {slowest} ms");
        world.run_until(world.now + HOUR);
        let (reply, jobs) = kept();
        assert!(world.command(account, Command::Jobs { endpoint: key, reply }));
        let jobs = jobs
            .lock()
            .expect("nobody panics")
            .take()
            .expect("answered")
            .expect("listed");
        assert_eq!(
            (jobs.len(), jobs[0].id, jobs[0].state),
            (1, job.id, JobState::Done),
            "seed {seed}"
        );
        let view = &world.accounts[&account].endpoints[&key.seq];
        let (mut asked, mut again, mut others) = (0_u64, 0_u64, 0);
        for event in world.wanted(view) {
            let came = u64::from(
                world.auditor.came[&(key, event.seq)] - before.get(&(key, event.seq)).copied().unwrap_or_default(),
            );
            if event.kind == "charge.refunded" && (since_ms..until_ms).contains(&event.created_ms) {
                asked += 1;
                again += came;
                assert!(came >= 1, "seed {seed}: event {} was not sent again", event.seq);
            } else if before.contains_key(&(key, event.seq)) {
                others += came;
            }
        }
        // What a crash cuts off of the notes comes again, and no more: a fifth of the lane, for 80 ms.
        assert!(
            asked > 3_000 && again <= asked + 50,
            "seed {seed}: {asked} asked for, {again} sent"
        );
        assert_eq!(others, 0, "seed {seed}");
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
