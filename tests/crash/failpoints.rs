//! The moments that chance rarely meets: the process ends, or the power fails, at a named point of the commit path. And
//! a disk that fails, fills up, stalls or lies. Needs the build with faults: `cargo test --features faults --test crash`.

use crate::audit::{self, Served};
use crate::clients::while_asking;
use crate::log::Log;
use crate::random::{Random, seed};
use crate::report::{LastWords, Run};
use crate::server::{PATIENCE, Server, tollgate};
use crate::settings::{CALM, FORGETFUL, HARSH};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// How the process ends at a point, and where; `src/store_embedded/faults.rs` says what each means.
const ENDS: [&str; 11] = [
    "kill@prepare",
    "kill@write",
    "kill@torn",
    "kill@sync",
    "kill@synced",
    "kill@published",
    "power@prepare",
    "power@torn",
    "power@sync",
    "lose@sync",
    "power@published",
];

/// Times each of them happens.
const ROUNDS: u64 = 3;
/// Longest wait for a segment to be prepared, which takes a thousand payments; then the process is killed there and then.
const PREPARE_MAX: Duration = Duration::from_secs(10);

#[test]
fn wherever_the_commit_path_ends_nothing_is_lost_invented_or_doubled() {
    let seed = seed();
    let mut random = Random::new(seed);
    let mut run = Run::new("failpoints", seed);
    let log = Log::default();
    let mut last = LastWords {
        seed,
        server: Server::with(&[], HARSH),
    };
    let server = &mut last.server;
    for end in (0..ROUNDS).flat_map(|_| ENDS) {
        // The first dozen commits are claims, made while starting; a segment is prepared every few hundred.
        let nth = match end.ends_with("prepare") {
            true => 1 + random.below(2),
            false => 1 + random.below(60),
        };
        let fault = format!("{end}:{nth}");
        server.kill();
        let memory = if random.percent(50) { FORGETFUL } else { &[] };
        server.set_environment(&[HARSH, memory, &[("TOLLGATE_FAULTS", fault.as_str())]].concat());
        let ready = server.try_start_again();
        if ready {
            let patience = if end.ends_with("prepare") {
                PREPARE_MAX
            } else {
                PATIENCE
            };
            while_asking(server, &log, &mut random, || {
                let deadline = Instant::now() + patience;
                while Instant::now() < deadline && !server.has_ended() {
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
        }
        // A process whose output has ended, or whose first thread has, is still about to end.
        let met = !ready || server.has_ended();
        if met {
            server.wait();
        }
        assert!(
            met || end.ends_with("prepare"),
            "{fault} is never come to\n{}",
            server.log()
        );
        run.killed(if met { end } else { "before a segment was prepared" });
        if !met {
            server.kill();
        }
        server.audited();
        server.set_environment(CALM);
        run.restart(server);
    }
    audit::settle(server, &log);
    let compared = audit::compare(server, &log);
    server.audited();
    run.write(&log, &compared);
}

#[test]
fn a_kill_while_the_data_is_created_leaves_what_the_next_start_completes() {
    for point in [
        "kill@prepare:1",
        "kill@prepare:2",
        "kill@write:1",
        "kill@torn:1",
        "power@sync:1",
        "kill@synced:1",
    ] {
        let mut server = Server::not_started(&[], &[("TOLLGATE_FAULTS", point)]);
        // Preparing the second segment happens aside, so the server may be ready before it dies.
        if server.try_start_again() {
            server.wait();
        }
        server.set_environment(&[]);
        server.start_again();
        server.pay(1000);
        server.verify();
    }
}

/// A disk that fails in the middle of the load: what it did, what the server must say.
const FAILURES: [(&str, &str); 2] = [("fail@write:40", "cannot write"), ("fail@sync:40", "cannot sync")];

#[test]
fn an_error_of_the_disk_ends_the_process_and_loses_nothing() {
    for (fault, words) in FAILURES {
        let mut random = Random::new(seed());
        let log = Log::default();
        let mut server = Server::with(&[], &[HARSH, &[("TOLLGATE_FAULTS", fault)]].concat());
        while_asking(&server, &log, &mut random, || server.await_end());
        assert_eq!(server.wait(), Some(3), "{fault}: {}", server.log());
        let said = server.log();
        let line = said
            .lines()
            .find(|line| line.starts_with("tollgate: the store has failed"));
        let line = line.unwrap_or_else(|| panic!("{fault}: {said}"));
        assert!(line.contains(words) && line.contains(".segment"), "{fault}: {line}");
        server.set_environment(HARSH);
        server.start_again();
        audit::settle(&server, &log);
        audit::compare(&server, &log);
        server.verify();
    }
}

#[test]
fn a_disk_that_stalls_for_two_seconds_delays_and_fails_nothing() {
    let mut random = Random::new(seed());
    let log = Log::default();
    let stalls = "stall@sync:40:2000,stall@write:80:2000,stall@sync:120:2000";
    // Stalls may follow each other within one payment of two blocks; whoever waits for it outlasts all of them.
    let faults = [("TOLLGATE_FAULTS", stalls), ("TOLLGATE_ACTORS__KEY_WAIT_MS", "20000")];
    let server = Server::with(&[], &[CALM, &faults].concat());
    while_asking(&server, &log, &mut random, || {
        // Past the last stall, and some way on.
        let deadline = Instant::now() + 2 * PATIENCE;
        while server.metric("tollgate_blocks_total") < 200.0 {
            assert!(Instant::now() < deadline, "it does not go on: {} requests", log.asked());
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let slow = "tollgate_commit_seconds_bucket{le=\"1\"}";
    let stalled = server.metric("tollgate_commit_seconds_count") - server.metric(slow);
    assert!(stalled >= 3.0, "only {stalled} blocks took longer than a second");
    let counts = log.counts();
    assert_eq!(
        counts.put_off, 0,
        "nobody is told to come again for two seconds: {counts:?}"
    );
    audit::settle(&server, &log);
    audit::compare(&server, &log);
    server.verify();
}

#[test]
fn a_disk_that_lies_about_syncs_is_found_out_by_the_comparison() {
    // What is tested here is the suite: it must see acknowledged requests that are gone.
    let mut random = Random::new(seed());
    let log = Log::default();
    let faults = [("TOLLGATE_FAULTS", "lie@sync:0,lose@sync:60")];
    let mut server = Server::with(&[], &[HARSH, &faults].concat());
    while_asking(&server, &log, &mut random, || server.await_end());
    server.wait();
    server.set_environment(HARSH);
    server.start_again();
    let found = catch_unwind(AssertUnwindSafe(|| audit::replay(&server, &log.answered())));
    assert!(
        found.is_err(),
        "{} requests were asked, all writes were lost, nobody saw it",
        log.asked()
    );
}

#[test]
fn this_build_says_what_it_is() {
    let version = tollgate(&["--version"]);
    assert!(String::from_utf8_lossy(&version.stdout).contains("with faults, for tests only"));
}
