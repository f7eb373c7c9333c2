//! Races against the real binary, over sockets, and what their histories must be: linearizable.

use crate::account::World;
use crate::checker::{Verdict, check};
use crate::clients::{Account, Race};
use crate::history::{Answer, Card, Op};
use crate::model::Histories;
use crate::random::{Random, seed};
use crate::server::Server;
use crate::shorten::shortened;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often everything is done, as many times as `TOLLGATE_RACES` says.
pub(crate) fn rounds(usual: u64) -> u64 {
    let times = std::env::var("TOLLGATE_RACES")
        .ok()
        .map_or(1, |text| text.parse().expect("TOLLGATE_RACES is a number of times"));
    usual * times
}

const INSTANT: Race = Race {
    clients: 8,
    requests: 12,
    slots: 3,
    cards: &[Card::Visa, Card::Visa, Card::Visa, Card::Declined],
    keyed: 60,
    hang_ups: 0,
    pauses: 30,
};

const REMOTE: Race = Race {
    clients: 6,
    requests: 9,
    slots: 3,
    cards: &[
        Card::Remote,
        Card::Remote,
        Card::Visa,
        Card::RemoteDecline,
        Card::Slow,
        Card::LostAnswer,
        Card::Late,
        Card::Silent,
    ],
    keyed: 60,
    hang_ups: 0,
    pauses: 30,
};

/// Where clients are told that the server is: one address for all its lives, because errors name a page there, and a repeated
/// key is answered with the same bytes only while that stays.
const ADDRESS: (&str, &str) = ("TOLLGATE_API__PUBLIC_URL", "http://pay.example");

/// A network that answers soon, a deadline that is soon over, and little patience with what is under way, so that all of
/// it is met within a round.
const BRISK: &[(&str, &str)] = &[
    ("TOLLGATE_STORE__SEGMENT_MB", "1"),
    ("TOLLGATE_ACQUIRER__ATTEMPT_DEADLINE_MS", "120"),
    ("TOLLGATE_ACQUIRER__LATENCY_MS", "2"),
    ("TOLLGATE_ACQUIRER__JITTER_MS", "8"),
    ("TOLLGATE_ACTORS__KEY_WAIT_MS", "60"),
];

/// Almost nothing stays in memory, so that most is read again while others wait for it.
const FORGETFUL: &[(&str, &str)] = &[
    ("TOLLGATE_ACTORS__OBJECTS_PER_SHARD", "64"),
    ("TOLLGATE_ACTORS__KEYS_PER_SHARD", "8"),
    ("TOLLGATE_ACTORS__ACCOUNTS_PER_SHARD", "1"),
];

/// Cards that choose no network are taken by the remote one.
const ALL_REMOTE: &[(&str, &str)] = &[("TOLLGATE_ACQUIRER__NETWORK", "remote")];

#[test]
fn races_on_the_instant_network_are_linearizable() {
    calm(INSTANT, &[], World::default(), 40, 7);
}

#[test]
fn races_with_clients_that_hang_up_are_linearizable() {
    let rude = Race {
        hang_ups: 10,
        ..INSTANT
    };
    calm(rude, FORGETFUL, World::default(), 25, 7);
}

#[test]
fn races_over_the_remote_network_are_linearizable() {
    calm(REMOTE, BRISK, World::default(), 12, 7);
}

#[test]
fn races_with_clients_that_hang_up_on_the_remote_network_are_linearizable() {
    let rude = Race {
        hang_ups: 8,
        cards: &[Card::Visa, Card::Slow, Card::LostAnswer, Card::Remote],
        ..REMOTE
    };
    let world = World {
        remote: true,
        ..World::default()
    };
    calm(rude, &[BRISK, ALL_REMOTE].concat(), world, 8, 7);
}

#[test]
fn races_across_a_kill_and_a_restart_are_linearizable() {
    let race = Race {
        requests: 9,
        keyed: 90,
        hang_ups: 2,
        ..INSTANT
    };
    killed(race, &[], 10);
}

#[test]
fn races_on_the_remote_network_across_a_kill_and_a_restart_are_linearizable() {
    let race = Race { hang_ups: 2, ..REMOTE };
    killed(race, BRISK, 6);
}

/// Rounds, each on an account of its own, on one server that is left alone.
fn calm(race: Race, settings: &[(&str, &str)], world: World, usual: u64, least_kinds: usize) {
    let mut run = Run::new(world);
    let server = Server::with(&[], settings);
    for round in 0..rounds(usual) {
        let account = Account::new(&server.api, secret(round), run.name(round));
        account.race(&race, &mut run.random, || {});
        run.judge(round, &account.settled(&race));
    }
    server.verify();
    run.proves_something(least_kinds);
}

/// Rounds with a kill in the midst of each.
fn killed(race: Race, settings: &[(&str, &str)], usual: u64) {
    let mut run = Run::new(World::default());
    let settings: Vec<_> = settings.iter().copied().chain([ADDRESS]).collect();
    let mut server = Server::with(&[], &settings);
    for round in 0..rounds(usual) {
        let account = Account::new(&server.api, secret(round), run.name(round));
        let pause = Duration::from_micros(run.random.below(40_000));
        account.race(&race, &mut run.random, || {
            std::thread::sleep(pause);
            server.kill_and_restart();
            account.moved(&server.api);
        });
        run.judge(round, &account.settled(&race));
    }
    server.verify();
    assert!(run.unheard > 0, "no kill met a request that was under way");
}

fn secret(round: u64) -> String {
    format!("sk_test_race{round:05}0123456789abcdefghijkl")
}

struct Run {
    seed: u64,
    random: Random,
    world: World,
    /// Answers by kind.
    kinds: BTreeMap<&'static str, u64>,
    unheard: u64,
    overlapping: u64,
}

impl Run {
    fn new(world: World) -> Run {
        let seed = seed();
        Run {
            seed,
            random: Random::new(seed),
            world,
            kinds: BTreeMap::new(),
            unheard: 0,
            overlapping: 0,
        }
    }

    /// # Panics
    /// When the history is not linearizable, with the shortest part of it that is not.
    fn judge(&mut self, round: u64, ops: &[Op]) {
        for op in ops {
            match &op.answer {
                Some(answer) => *self.kinds.entry(kind(answer)).or_default() += 1,
                None => self.unheard += 1,
            }
        }
        self.overlapping += overlapping(ops);
        judge(&self.name(round), self.world, ops);
    }

    fn name(&self, round: u64) -> String {
        format!("TOLLGATE_SEED={}, round {round}", self.seed)
    }

    /// A mix that never meets the answers it is about proves nothing.
    fn proves_something(&self, least_kinds: usize) {
        let kinds = self.kinds.len();
        assert!(kinds >= least_kinds, "the races met {:?} only", self.kinds);
        assert!(self.overlapping > 0, "no two requests on one object overlapped");
    }
}

/// # Panics
/// When the history is not linearizable, with the shortest part of it that is not.
pub(crate) fn judge(name: &str, world: World, ops: &[Op]) {
    let verdict = check(&Histories::of(world, ops));
    if verdict.is_linearizable() {
        return;
    }
    let lines = |ops: &[Op]| ops.iter().map(|op| format!("  {op}\n")).collect::<String>();
    let Verdict::Impossible { state, .. } = &verdict else {
        panic!(
            "{name}: the search gave up; the history of {} requests:\n{}",
            ops.len(),
            lines(ops)
        );
    };
    let short = shortened(world, ops);
    let state = match check(&Histories::of(world, &short)) {
        Verdict::Impossible { state, .. } => state,
        _ => state.clone(),
    };
    panic!(
        "{name}: {} requests are not linearizable; the shortest part found that is not:\n{}furthest state: {state}",
        ops.len(),
        lines(&short)
    );
}

/// Pairs of writes on one intent that were under way at the same time.
fn overlapping(ops: &[Op]) -> u64 {
    let writes: Vec<&Op> = ops.iter().filter(|op| !op.call.is_read()).collect();
    let ends = |op: &Op| op.span.answered.unwrap_or(u64::MAX);
    let together = |a: &Op, b: &Op| {
        a.call.slot().is_some() && a.call.slot() == b.call.slot() && a.span.asked <= ends(b) && b.span.asked <= ends(a)
    };
    let pairs = writes.iter().enumerate().map(|(at, a)| {
        let others = writes[at + 1..].iter().filter(|b| together(a, b));
        others.count() as u64
    });
    pairs.sum()
}

fn kind(answer: &Answer) -> &'static str {
    match answer {
        Answer::Intent(_) => "intent",
        Answer::Declined(_) => "declined",
        Answer::Refund(_) => "refund",
        Answer::Customer(_) => "customer",
        Answer::Charge(_) => "charge",
        Answer::Intents(_) | Answer::Charges(_) | Answer::Refunds(_) => "list",
        Answer::Balance(_) => "balance",
        Answer::Refused(_) => "refused",
        Answer::LockTimeout => "lock timeout",
        Answer::KeyInUse => "key in use",
        Answer::KeyMisused => "key misused",
    }
}
