//! Plugs that are pulled while clients ask, one after another and two at a time.

use crate::audit::{self, Served};
use crate::cassandra::Cassandra;
use crate::clients::{await_asked, while_asking};
use crate::keyspace::Keyspace;
use crate::log::Log;
use crate::nodes::Nodes;
use crate::random::{Random, seed};
use crate::server::Server;
use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;
use std::time::{Duration, Instant};

/// Faults of an ordinary run, each plug once; more by TOLLGATE_FAULTS.
const FAULTS: u64 = PLUGS.len() as u64;
/// Nodes of Tollgate, other numbers by TOLLGATE_NODES, and of Cassandra.
const NODES: usize = 3;
const STORES: usize = 3;
/// Requests that a node has sent on to another one and brought the answer of.
const CARRIED: &str = r#"tollgate_node_forwarded_total{outcome="answered"}"#;
/// New requests that follow each fault, at least: fewer would prove little.
const REQUESTS_AFTER: u64 = 40;
/// Longest pause of a process, longest time that a node of either sort stays down and that a disk is slow, in milliseconds.
const GONE_MAX_MS: u64 = 12_000;
/// In a long run some of these take so long, and a pause does each time it is a plug of its own.
const LONG: Duration = Duration::from_secs(60);
/// What a slow disk adds to each wait for it, in milliseconds, at most. A block waits for several one after the other, and a
/// server gives a conditional write two seconds.
const SLOW_MAX_MS: u64 = 900;
/// How long all of Cassandra is down; in a long run, and in an ordinary one.
const ALL_DOWN: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(8));

/// Networks that are quick, so that what is open is between the nodes; files that move all the time.
const SETTINGS: &[(&str, &str)] = &[
    ("TOLLGATE_ACQUIRER__ATTEMPT_DEADLINE_MS", "400"),
    ("TOLLGATE_ACQUIRER__LATENCY_MS", "3"),
    ("TOLLGATE_ACQUIRER__JITTER_MS", "10"),
    ("TOLLGATE_STORE__CQL__TIMEOUT_MS", "2000"),
    // Addresses of receipts are the same bytes whichever node answers.
    ("TOLLGATE_API__PUBLIC_URL", "http://payments.test"),
];

/// What is pulled.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Plug {
    /// SIGSTOP of a node of Tollgate, then SIGCONT.
    Pause,
    /// SIGKILL, then a start.
    Kill,
    /// SIGTERM: it hands over first. Then a start.
    Leave,
    /// SIGKILL of a node of Cassandra, then a start.
    StoreKill,
    /// SIGSTOP of a node of Cassandra, then SIGCONT.
    StorePause,
    /// The disk of one node of Cassandra takes long for everything that has to be on it.
    SlowDisk,
    /// So do the disks of all.
    SlowDisks,
    /// All nodes of Cassandra stop, and go on.
    StoreGone,
    /// A node of Tollgate is stopped while a node of Cassandra is killed.
    PauseAndStoreKill,
    /// A node of Tollgate is killed while all of Cassandra stands still.
    KillAndStoreGone,
    /// SIGSTOP of a node of Tollgate for a minute. Only in a long run.
    PauseForLong,
}

/// Those of every run.
const PLUGS: [Plug; 10] = [
    Plug::Kill,
    Plug::Pause,
    Plug::StoreKill,
    Plug::Leave,
    Plug::StoreGone,
    Plug::PauseAndStoreKill,
    Plug::StorePause,
    Plug::SlowDisk,
    Plug::KillAndStoreGone,
    Plug::SlowDisks,
];
/// Those of a long one.
const LONG_PLUGS: [Plug; 1] = [Plug::PauseForLong];

#[test]
fn whatever_plug_is_pulled_nothing_is_lost_invented_or_doubled() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    let faults = number("TOLLGATE_FAULTS").unwrap_or(FAULTS);
    let count = number("TOLLGATE_NODES").map_or(NODES, |count| count as usize);
    let seed = seed();
    let _last = LastWords { seed };
    let mut random = Random::new(seed);
    let cassandra = Cassandra::start(STORES);
    let keyspace = Keyspace::on(cassandra.points.join(","), STORES);
    let (nodes, servers) = Nodes::start(count, keyspace, SETTINGS);
    let mut pulled = Pulled {
        nodes: &nodes,
        servers,
        cassandra,
        random: random.fork(),
        long: faults > FAULTS,
        silences: BTreeMap::new(),
    };
    let log = Log::default();
    while_asking(&nodes, &log, &mut random, || {
        await_asked(&nodes, &log, REQUESTS_AFTER);
        for number in 0..faults {
            // Each at least once, then as it comes.
            let mut each = PLUGS.iter().chain(&LONG_PLUGS);
            let plug = match each.nth(number as usize) {
                Some(plug) => *plug,
                None => *pulled.random.one(&PLUGS),
            };
            pulled.pull(plug, &log);
        }
    });
    say("every request gets its answer");
    audit::settle(&nodes, &log);
    say("everything is compared");
    audit::compare(&nodes, &log);
    if count > 1 {
        let carried: f64 = pulled.servers.iter().map(|server| server.metric(CARRIED)).sum();
        assert!(carried > 0.0, "no node has sent a request on: each was asked alone");
        say(&format!("{carried} requests were sent on since the last starts"));
    }
    for server in &mut pulled.servers {
        assert_eq!(server.stop(), Some(0), "{}", server.log());
    }
    nodes.audited();
    pulled.report(&log, faults);
}

/// Everything that has a plug.
struct Pulled<'a> {
    nodes: &'a Nodes,
    servers: Vec<Server>,
    cassandra: Cassandra,
    random: Random,
    long: bool,
    /// How long it was from the beginning of a fault until so many new requests were asked, longest and number.
    silences: BTreeMap<Plug, (Duration, u64)>,
}

impl Pulled<'_> {
    fn pull(&mut self, plug: Plug, log: &Log) {
        let (began, asked) = (Instant::now(), log.asked());
        say(&format!("{plug:?} after {asked} requests"));
        let at = self.random.below(self.servers.len() as u64) as usize;
        let store = self.random.below(STORES as u64) as usize;
        match plug {
            Plug::Pause => {
                self.servers[at].signal("STOP");
                self.wait();
                self.servers[at].signal("CONT");
            }
            Plug::Kill => {
                self.servers[at].kill();
                self.wait();
                self.restart(at);
            }
            Plug::Leave => {
                assert_eq!(self.servers[at].stop(), Some(0), "{}", self.servers[at].log());
                self.restart(at);
            }
            Plug::StoreKill => {
                self.cassandra.kill(store);
                self.wait();
                self.cassandra.start_again(store);
            }
            Plug::StorePause => {
                self.cassandra.pause(store);
                self.wait();
                self.cassandra.go_on(store);
            }
            Plug::StoreGone => {
                self.store_gone();
            }
            Plug::SlowDisk => self.slow_disks(store..store + 1),
            Plug::SlowDisks => self.slow_disks(0..STORES),
            Plug::PauseForLong => {
                self.servers[at].signal("STOP");
                std::thread::sleep(LONG);
                self.servers[at].signal("CONT");
            }
            Plug::PauseAndStoreKill => {
                self.servers[at].signal("STOP");
                self.cassandra.kill(store);
                self.wait();
                self.servers[at].signal("CONT");
                self.cassandra.start_again(store);
            }
            Plug::KillAndStoreGone => {
                self.servers[at].kill();
                self.store_gone();
                self.restart(at);
            }
        }
        await_asked(self.nodes, log, asked + REQUESTS_AFTER);
        let silence = self.silences.entry(plug).or_default();
        *silence = (silence.0.max(began.elapsed()), silence.1 + 1);
    }

    fn wait(&mut self) {
        let long = self.long && self.random.percent(4);
        let short = Duration::from_millis(self.random.below(GONE_MAX_MS));
        std::thread::sleep(if long { LONG } else { short });
    }

    fn slow_disks(&mut self, stores: Range<usize>) {
        let ms = SLOW_MAX_MS / 3 + self.random.below(SLOW_MAX_MS * 2 / 3);
        stores.clone().for_each(|store| self.cassandra.slow_disk(store, ms));
        self.wait();
        stores.for_each(|store| self.cassandra.slow_disk(store, 0));
    }

    fn store_gone(&mut self) {
        (0..STORES).for_each(|store| self.cassandra.pause(store));
        let (long, short) = ALL_DOWN;
        std::thread::sleep(if self.long { long } else { short });
        (0..STORES).for_each(|store| self.cassandra.go_on(store));
    }

    /// Starts a node again, whatever its port is then.
    fn restart(&mut self, at: usize) {
        self.servers[at].start_again();
        self.nodes.meet(&self.servers);
    }

    fn report(&self, log: &Log, faults: u64) {
        let counts = log.counts();
        say(&format!(
            "{faults} faults, {} requests, {} unheard, {} put off, {} replays; longest of each: {:?}",
            log.asked(),
            counts.unheard,
            counts.put_off,
            counts.replays,
            self.silences
        ));
    }
}

/// Shown with --nocapture.
fn say(what: &str) {
    let _ = writeln!(std::io::stdout(), "{what}");
}

/// Says with which seed a run failed.
struct LastWords {
    seed: u64,
}

impl Drop for LastWords {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "failed with TOLLGATE_SEED={}", self.seed);
        }
    }
}
