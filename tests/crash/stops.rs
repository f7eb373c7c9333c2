//! SIGTERM under load: what was admitted is finished and answered, and the next start finds it.

use crate::audit;
use crate::clients::while_asking;
use crate::log::Log;
use crate::random::{Random, seed};
use crate::report::LastWords;
use crate::server::Server;
use crate::settings::HARSH;
use std::time::Duration;

const STOPS: u64 = 4;
const STARTS: u64 = 8;

#[test]
fn a_stop_under_load_finishes_what_was_admitted() {
    let seed = seed();
    let mut random = Random::new(seed);
    let log = Log::default();
    let mut last = LastWords {
        seed,
        server: Server::with(&[], HARSH),
    };
    let server = &mut last.server;
    for _ in 0..STOPS {
        let pause = Duration::from_millis(50 + random.below(300));
        while_asking(server, &log, &mut random, || {
            std::thread::sleep(pause);
            server.signal("TERM");
            std::thread::sleep(Duration::from_millis(100));
        });
        assert_eq!(server.wait(), Some(0), "{}", server.log());
        let opened = server.log();
        assert!(
            !opened.contains("in the middle of a write"),
            "a stop left a torn tail: {opened}"
        );
        audit::verify(server);
        server.start_again();
    }
    audit::settle(server, &log);
    audit::compare(server, &log);
}

/// Whoever has read the line that says so may stop the server at once, and gracefully.
#[test]
fn a_stop_right_after_the_start_is_graceful() {
    let mut server = Server::start();
    for _ in 0..STARTS {
        assert_eq!(server.stop(), Some(0), "{}", server.log());
        server.start_again();
    }
}
