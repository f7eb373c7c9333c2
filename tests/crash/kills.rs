//! SIGKILL at random moments, also while starting: nothing acknowledged is lost, nothing is invented, no key pays twice, and
//! every event comes to the merchants' endpoints in order, whatever stands beside them.

use crate::audit::{self, Served};
use crate::clients::{await_asked, while_asking};
use crate::endpoints::{Endpoints, FEW};
use crate::log::Log;
use crate::random::{Random, seed};
use crate::report::{LastWords, Run};
use crate::server::Server;
use crate::settings::{CALM, FORGETFUL, HARSH};
use std::time::Duration;

/// Kills of one run; more by `TOLLGATE_KILLS`.
const KILLS: u64 = 50;
/// Requests a kill meets on average, at least: fewer would prove little.
const REQUESTS_PER_KILL: u64 = 20;

#[test]
fn whatever_the_moment_of_a_kill_nothing_is_lost_invented_or_doubled() {
    let kills: u64 = std::env::var("TOLLGATE_KILLS")
        .ok()
        .map_or(KILLS, |text| text.parse().expect("a number of kills"));
    let seed = seed();
    let mut random = Random::new(seed);
    let mut run = Run::new("kills", seed);
    let log = Log::default();
    let mut last = LastWords {
        seed,
        server: Server::with(&[], &[HARSH, FEW].concat()),
    };
    let server = &mut last.server;
    let mut endpoints = Endpoints::register(server);
    while run.kill_count() < kills {
        let pause = Duration::from_micros(random.below(600_000));
        while_asking(server, &log, &mut random, || {
            std::thread::sleep(pause);
            await_asked(server, &log, (run.kill_count() + 1) * REQUESTS_PER_KILL);
            server.signal("KILL");
        });
        server.wait();
        run.killed("serving");
        while run.kill_count() < kills && random.percent(25) {
            // Twice the usual time: some are ready by then and some are not.
            let usual = run.restarts.last().copied().unwrap_or(Duration::from_millis(100));
            endpoints.killed();
            server.kill_while_starting(usual.mul_f64(random.below(1000) as f64 / 500.0));
            run.killed("starting");
        }
        if random.percent(10) {
            server.audited();
        }
        let memory = if random.percent(50) { FORGETFUL } else { &[] };
        // The network is part of the process: with the same seed it would lose the same calls in each of its lives.
        let chance = random.below(1 << 32).to_string();
        let chance = [("TOLLGATE_ACQUIRER__SEED", chance.as_str())];
        server.set_environment(&[HARSH, FEW, memory, &chance].concat());
        endpoints.killed();
        run.restart(server);
    }
    // What is still open then is settled by the next call of each, however late that is: no more of them are lost.
    server.kill();
    endpoints.killed();
    server.set_environment(&[CALM, FEW].concat());
    run.restart(server);
    endpoints.nobody_waits_for_who_hangs(server);
    audit::settle(server, &log);
    let compared = audit::compare(server, &log);
    endpoints.check(server);
    server.audited();
    assert_eq!(server.stop(), Some(0));
    server.audited();
    run.write(&log, &compared);
}
