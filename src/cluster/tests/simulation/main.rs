//! Nodes that share out a cluster, in virtual time: quiet, under every sort of fault, and left in peace afterwards.

mod chance;
mod tables;
mod world;

use chance::Chance;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tollgate_cluster::{End, Event, Pace, Process};
use tollgate_store::ShardId;
use world::World;

/// Seeds of every run of the tests; `TOLLGATE_SEEDS=N` for more.
const SEEDS: u64 = 16;
/// How often a world is looked at.
const STEP: Duration = Duration::from_millis(50);
/// How long a cluster is left in peace before it is looked at.
const PEACE: Duration = Duration::from_secs(400);

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn seeds() -> std::ops::Range<u64> {
    let wanted = std::env::var("TOLLGATE_SEEDS").ok().and_then(|text| text.parse().ok());
    1..wanted.unwrap_or(SEEDS) + 1
}

/// A cluster with so many nodes that has come to rest.
fn at_rest(seed: u64, nodes: usize, shards: u16) -> World {
    let mut world = World::new(seed, shards, Pace::USUAL);
    for node in 0..nodes {
        world.start(&format!("node-{node}"));
    }
    world.run_until(seconds(60));
    assert_eq!(world.complaints(seconds(30)), [""; 0], "seed {seed}");
    world
}

#[test]
fn nodes_that_start_together_share_out_evenly_and_nothing_moves() {
    for seed in seeds() {
        let (nodes, shards) = (1 + seed as usize % 7, 1 + seed as u16 % 64);
        let mut world = World::new(seed, shards, Pace::USUAL);
        for node in 0..nodes {
            world.start(&format!("node-{node}"));
            world.run_until(world.now + Duration::from_millis(80));
            // Whoever asks for a look early hurries nobody.
            world
                .running()
                .into_iter()
                .for_each(|node| world.say(node, Event::Refresh));
        }
        while world.now < seconds(60) {
            world.run_until(world.now + STEP * 4);
            // Whoever asks for a look early hurries nobody.
            world
                .running()
                .into_iter()
                .for_each(|node| world.say(node, Event::Refresh));
        }
        assert_eq!(world.complaints(seconds(30)), [""; 0], "seed {seed}");
        assert_eq!(
            world.claims.len(),
            usize::from(shards) + 1,
            "seed {seed}: a shard was claimed twice"
        );
    }
}

#[test]
fn shards_of_a_killed_node_are_served_again_within_ten_seconds() {
    for seed in seeds() {
        let mut world = at_rest(seed, 2 + seed as usize % 4, 64);
        let (before, victim) = (world.claims.len(), world.running()[0]);
        let lost = world.served().values().filter(|owner| **owner == victim).count();
        world.kill(victim);
        let killed = world.now;
        world.run_until(killed + seconds(10));
        assert_eq!(world.served().len(), 65, "seed {seed}");
        assert_eq!(
            world.claims.len(),
            before + lost,
            "seed {seed}: only what was lost is claimed"
        );
        world.run_until(killed + seconds(60));
        assert_eq!(world.complaints(killed + seconds(30)), [""; 0], "seed {seed}");
    }
}

#[test]
fn a_node_that_joins_gets_its_share_and_each_shard_is_away_for_a_moment() {
    for seed in seeds() {
        let mut world = at_rest(seed, 2, 63);
        let (before, joins) = (world.claims.len(), world.now);
        world.start("node-new");
        let mut away: BTreeMap<ShardId, Duration> = BTreeMap::new();
        while world.now < joins + seconds(60) {
            world.run_until(world.now + STEP);
            let served = world.served();
            for shard in world.rows.keys().filter(|shard| !served.contains_key(shard)) {
                *away.entry(*shard).or_default() += STEP;
            }
        }
        assert_eq!(world.complaints(joins + seconds(50)), [""; 0], "seed {seed}");
        let moved = world.claims.len() - before;
        assert!(
            (21..=22).contains(&moved),
            "seed {seed}: {moved} moves for a third of 64"
        );
        // Letting it go takes up to 0.3 s in this world and reading it up to 0.4 s.
        let longest = away.values().max().copied().unwrap_or_default();
        assert!(
            longest < Duration::from_millis(950),
            "seed {seed}: a shard was away for {longest:?}"
        );
    }
}

#[test]
fn views_from_before_a_move_move_nothing_twice() {
    for seed in seeds() {
        let mut world = at_rest(seed, 2, 63);
        let (before, joins) = ((world.claims.len(), world.tries), world.now);
        world.start("node-new");
        world.slow_ms = 450;
        while world.now < joins + seconds(90) {
            world.run_until(world.now + STEP * 4);
            world
                .running()
                .into_iter()
                .for_each(|node| world.say(node, Event::Refresh));
        }
        let moved = world.claims.len() - before.0;
        assert!(
            (21..=22).contains(&moved),
            "seed {seed}: {moved} moves for a third of 64"
        );
        assert_eq!(world.tries - before.1, moved, "seed {seed}: a claim was tried in vain");
    }
}

#[test]
fn a_node_that_cannot_read_its_shards_leaves_them_to_others() {
    for seed in seeds() {
        let mut world = World::new(seed, 20, Pace::USUAL);
        let unable = world.start("node-0");
        world.cannot_adopt = Some(unable);
        world.start("node-1");
        world.start("node-2");
        // In the end every shard that it could not read was served by another one, if not all of them at the same time.
        let mut served = BTreeSet::new();
        while world.now < seconds(120) {
            world.run_until(world.now + STEP * 4);
            served.extend(world.served().into_keys());
        }
        assert_eq!(served.len(), 21, "seed {seed}");
        assert!(
            world.served().len() >= 14,
            "seed {seed}: the others serve what they have"
        );
        world.cannot_adopt = None;
        world.run_until(world.now + PEACE);
        assert_eq!(world.complaints(world.now - seconds(60)), [""; 0], "seed {seed}");
    }
}

#[test]
fn a_node_that_starts_among_the_dead_is_ready_when_it_serves_itself() {
    for seed in seeds() {
        let mut world = at_rest(seed, 2, 8);
        world.running().into_iter().for_each(|node| world.kill(node));
        let heir = world.start("node-9");
        let ready = |world: &World| {
            let node = &world.nodes[&heir];
            node.member.census(world.now - node.born).is_ready(seconds(8))
        };
        while !ready(&world) {
            world.run_until(world.now + STEP);
            assert!(world.now < seconds(120), "seed {seed}: it is never ready");
        }
        assert_eq!(world.served().len(), 9, "seed {seed}");
        // Beside one that lives it is ready before it has anything.
        let next = world.start("node-10");
        let node = |world: &World| world.nodes[&next].member.census(world.now - world.nodes[&next].born);
        while !node(&world).is_ready(seconds(8)) {
            world.run_until(world.now + STEP);
            assert!(world.now < seconds(140), "seed {seed}: it is never ready");
        }
        assert!(world.nodes[&next].serving.is_empty(), "seed {seed}");
    }
}

#[test]
fn a_node_whose_row_was_removed_joins_again() {
    let mut world = at_rest(2, 3, 8);
    world.members.remove("node-1");
    world.run_until(world.now + seconds(60));
    assert_eq!(world.members.len(), 3);
    assert_eq!(world.complaints(world.now - seconds(20)), [""; 0]);
}

#[test]
fn nobody_is_dead_because_nobody_can_write() {
    for seed in seeds() {
        let mut world = at_rest(seed, 4, 40);
        let before = (world.claims.len(), world.tries);
        world.writes_away = true;
        world.run_until(world.now + seconds(30));
        world.writes_away = false;
        world.run_until(world.now + seconds(60));
        assert_eq!((world.claims.len(), world.tries), before, "seed {seed}");
    }
}

#[test]
fn a_node_that_leaves_hands_over_first() {
    for seed in seeds() {
        let mut world = at_rest(seed, 2, 63);
        let leaver = world.running()[(seed % 2) as usize];
        let (before, had) = (
            world.claims.len(),
            world.served().values().filter(|owner| **owner == leaver).count(),
        );
        world.say(leaver, Event::HandOver);
        let asked = world.now;
        while !world.nodes[&leaver].member.has_handed_over() {
            world.run_until(world.now + STEP);
            assert!(world.now < asked + seconds(20), "seed {seed}: it is not done");
            let away = 64 - world.served().len();
            assert!(away < 20, "seed {seed}: {away} shards are away at once");
        }
        world.run_until(world.now + seconds(2));
        assert_eq!(world.served().len(), 64, "seed {seed}");
        assert_eq!(world.claims.len() - before, had, "seed {seed}: what it had moved once");
        world.say(leaver, Event::Leave);
        world.run_until(world.now + seconds(2));
        assert_eq!(world.nodes[&leaver].ended, Some(End::Left), "seed {seed}");
        assert_eq!(world.members.len(), 1, "seed {seed}: its row is gone");
        world.run_until(world.now + seconds(30));
        assert_eq!(world.complaints(world.now - seconds(20)), [""; 0], "seed {seed}");
    }
}

#[test]
fn the_last_node_lets_go_and_the_next_one_begins_at_once() {
    let mut world = at_rest(1, 1, 8);
    let last = world.running()[0];
    world.say(last, Event::HandOver);
    assert!(
        world.nodes[&last].member.has_handed_over(),
        "there is nobody to hand over to"
    );
    world.say(last, Event::Leave);
    world.run_until(world.now + seconds(2));
    assert_eq!(world.nodes[&last].ended, Some(End::Left));
    world.start("node-0");
    world.run_until(world.now + seconds(3));
    assert_eq!(world.served().len(), 9);
}

#[test]
fn a_node_that_was_paused_finds_its_shards_gone_and_takes_part_again() {
    for seed in seeds() {
        let mut world = at_rest(seed, 3, 30);
        let paused = world.running()[0];
        world.pause(paused);
        world.run_until(world.now + seconds(60));
        assert_eq!(world.served().len(), 31, "seed {seed}: the others serve");
        let (woken, claims) = (world.now, world.claims.len());
        world.resume(paused);
        world.run_until(woken + seconds(3));
        let fought = world.claims[claims..].iter().any(|(_, _, by)| *by == paused);
        assert!(!fought, "seed {seed}: it took shards back");
        assert!(
            world.nodes[&paused].serving.is_empty(),
            "seed {seed}: it gives up what is gone"
        );
        world.run_until(woken + seconds(90));
        assert_eq!(world.complaints(woken + seconds(60)), [""; 0], "seed {seed}");
        assert!(
            world.claims.len() - claims <= 11,
            "seed {seed}: it got its share, and nothing else moved"
        );
    }
}

#[test]
fn a_pause_of_the_store_moves_nothing() {
    for seed in seeds() {
        let mut world = at_rest(seed, 4, 40);
        let before = world.claims.len();
        world.store_away = true;
        world.run_until(world.now + seconds(30));
        world.store_away = false;
        world.run_until(world.now + seconds(60));
        assert_eq!(world.claims.len(), before, "seed {seed}");
        assert_eq!(world.complaints(world.now), [""; 0], "seed {seed}");
    }
}

#[test]
fn two_processes_with_one_name_are_noticed_and_the_first_goes_on() {
    for seed in seeds() {
        let mut world = at_rest(seed, 2, 8);
        let second = world.start("node-0");
        let before = world.claims.len();
        world.run_until(world.now + seconds(10));
        assert!(
            matches!(world.nodes[&second].ended, Some(End::NameTaken { .. })),
            "seed {seed}: {:?}",
            world.nodes[&second].ended
        );
        assert_eq!(world.complaints(world.now), [""; 0], "seed {seed}");
        assert_eq!(world.claims.len(), before, "seed {seed}");
    }
}

#[test]
fn a_process_whose_name_was_taken_while_it_was_paused_ends() {
    let mut world = at_rest(3, 2, 8);
    let paused = world.running()[0];
    world.pause(paused);
    world.run_until(world.now + seconds(20));
    world.start("node-0");
    world.run_until(world.now + seconds(30));
    world.resume(paused);
    world.run_until(world.now + seconds(5));
    assert_eq!(world.nodes[&paused].ended, Some(End::Replaced));
    world.run_until(world.now + seconds(60));
    assert_eq!(world.complaints(world.now - seconds(30)), [""; 0]);
}

#[test]
fn a_node_that_comes_and_goes_is_given_less_and_less() {
    let mut world = at_rest(5, 3, 30);
    let flapping = world.running()[0];
    let mut moves = Vec::new();
    for _ in 0..8 {
        let before = world.claims.len();
        world.pause(flapping);
        world.run_until(world.now + seconds(8));
        world.resume(flapping);
        world.run_until(world.now + seconds(22));
        moves.push(world.claims.len() - before);
    }
    assert_eq!(moves[6..], [0, 0], "it still gets shards: {moves:?}");
    world.run_until(world.now + PEACE);
    assert_eq!(world.complaints(world.now - seconds(30)), [""; 0], "{moves:?}");
}

/// Whatever happened, a cluster that is left in peace serves everything, evenly, and rests.
#[test]
fn every_sort_of_trouble_ends_in_peace() {
    for seed in seeds() {
        let mut chance = Chance::new(seed ^ 0xABCD);
        let (nodes, shards) = (2 + chance.below(5), 4 + chance.below(60) as u16);
        let mut world = World::new(seed, shards, Pace::USUAL);
        for node in 0..nodes {
            world.start(&format!("node-{node}"));
        }
        let mut away: Vec<(Duration, Trouble)> = Vec::new();
        let (mut troubles, end) = (0, seconds(300));
        while world.now < end {
            world.run_until(world.now + chance.ms(100, 12_000));
            let (over, still): (Vec<_>, Vec<_>) = away.into_iter().partition(|(until, _)| *until <= world.now);
            away = still;
            over.into_iter().for_each(|(_, trouble)| trouble.end(&mut world));
            troubles += 1;
            let until = world.now + chance.ms(100, 40_000);
            if let Some(trouble) = Trouble::begin(&mut world, &mut chance) {
                away.push((until, trouble));
            }
        }
        away.into_iter().for_each(|(_, trouble)| trouble.end(&mut world));
        let all = usize::from(shards) + 1;
        let claims = world.claims.len();
        assert!(
            claims <= all * (troubles + 1),
            "seed {seed}: {claims} claims of {all} shards in {troubles} troubles"
        );
        world.run_until(world.now + PEACE);
        let complaints = world.complaints(world.now - seconds(60));
        assert!(complaints.is_empty(), "seed {seed}: {complaints:#?}");
        let peace = world.claims.len() - claims;
        assert!(
            peace <= all * 3,
            "seed {seed}: {peace} claims of {all} shards after the last trouble"
        );
        for shard in 0..shards {
            let fights = world
                .claims
                .iter()
                .filter(|(_, claimed, _)| *claimed == ShardId(shard))
                .count();
            assert!(
                fights <= troubles + 6,
                "seed {seed}: shard {shard} was claimed {fights} times"
            );
        }
    }
}

enum Trouble {
    Paused(Process),
    /// A name without a process.
    Down(String),
    StoreAway,
    Slow,
    AdoptionsFail,
}

impl Trouble {
    fn begin(world: &mut World, chance: &mut Chance) -> Option<Trouble> {
        let running = world.running();
        let one = running.get(chance.below(running.len() as u64) as usize).copied();
        let name = |world: &World, process: Process| world.nodes[&process].member.node().to_string();
        Some(match chance.below(7) {
            0 | 1 => {
                let one = one?;
                world.pause(one);
                Trouble::Paused(one)
            }
            2 => {
                let name = name(world, one?);
                world.kill(one?);
                Trouble::Down(name)
            }
            3 => {
                let name = name(world, one?);
                world.say(one?, Event::HandOver);
                world.run_until(world.now + chance.ms(10, 10_000));
                world.say(one?, Event::Leave);
                world.run_until(world.now + chance.ms(10, 5_000));
                world.kill(one?);
                Trouble::Down(name)
            }
            4 => {
                world.store_away = true;
                Trouble::StoreAway
            }
            5 => {
                world.slow_ms = 3_000;
                Trouble::Slow
            }
            _ => {
                world.adoptions_fail = Some(2);
                Trouble::AdoptionsFail
            }
        })
    }

    fn end(self, world: &mut World) {
        match self {
            Trouble::Paused(process) => world.resume(process),
            Trouble::Down(name) => {
                world.start(&name);
            }
            Trouble::StoreAway => world.store_away = false,
            Trouble::Slow => world.slow_ms = 20,
            Trouble::AdoptionsFail => world.adoptions_fail = None,
        }
    }
}
