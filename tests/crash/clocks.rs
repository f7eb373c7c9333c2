//! The wall clock jumps, both ways, under a process that serves and between two: no key becomes new, no hold ends, no
//! wait lasts for ever. Needs the build with faults, whose wall clock errs as a file says.

use crate::audit::{self, Served};
use crate::clients::{await_asked, while_asking};
use crate::log::Log;
use crate::random::{Random, seed};
use crate::server::Server;
use crate::settings::CALM;
use std::time::Duration;

const DAY_MS: i64 = 86_400_000;
/// Longer than a key is remembered and than a hold lasts.
const LEAP_DAYS: i64 = 27;
/// Requests made by each time of day.
const REQUESTS: u64 = 150;

#[test]
fn a_clock_that_leaps_makes_no_key_new_and_ends_no_hold() {
    let mut random = Random::new(seed());
    let log = Log::default();
    let clock = Clock::new();
    let server = Server::with(&[], &[CALM, &[clock.setting()]].concat());
    while_asking(&server, &log, &mut random, || {
        for days in [LEAP_DAYS, 0, -LEAP_DAYS, 0] {
            await_asked(&server, &log, log.asked() + REQUESTS);
            clock.set(days);
            // Some of what is asked now repeats keys from before, and all of it is repeated and compared at the end.
            await_asked(&server, &log, log.asked() + REQUESTS);
        }
    });
    let alarms = server.metric("tollgate_clock_alarms_total");
    assert!(alarms >= 2.0, "{alarms} alarms were raised:\n{}", server.log());
    assert!(server.log().contains("wall clock stepped"), "{}", server.log());
    audit::settle(&server, &log);
    audit::compare(&server, &log);
    server.verify();
}

#[test]
fn after_a_start_by_a_clock_that_was_ahead_the_next_one_says_so_and_goes_on() {
    let mut random = Random::new(seed());
    let log = Log::default();
    let clock = Clock::new();
    let mut server = Server::not_started(&[], &[CALM, &[clock.setting()]].concat());
    // Whoever starts a process trusts its clock. Less than a day, so that keys of both lives are remembered.
    for off_ms in [DAY_MS / 2, 0, -DAY_MS / 4, 0] {
        clock.set_ms(off_ms);
        server.start_again();
        let asked = log.asked();
        while_asking(&server, &log, &mut random, || {
            await_asked(&server, &log, asked + 2 * REQUESTS);
            // Who meets a key or an object in use meanwhile must get an answer too.
            std::thread::sleep(Duration::from_millis(500));
        });
        assert_eq!(server.stop(), Some(0));
        server.audited();
    }
    let alarms = server.log().matches("the newest block is from the future").count();
    assert_eq!(alarms, 3, "{}", server.log());
    // Time is half a day ahead; attempts that nobody answers end all the same.
    server.start_again();
    let ahead_s = server.metric("tollgate_data_ahead_seconds");
    assert!((40_000.0..=43_200.0).contains(&ahead_s), "{ahead_s}");
    audit::settle(&server, &log);
    audit::compare(&server, &log);
    server.verify();
}

/// The server's wall clock.
struct Clock {
    directory: tempfile::TempDir,
    /// Holds by how many milliseconds it is off.
    file: String,
}

impl Clock {
    fn new() -> Clock {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("off").to_str().expect("UTF-8").to_owned();
        Clock { directory, file }
    }

    fn setting(&self) -> (&'static str, &str) {
        ("TOLLGATE_FAULTS_CLOCK", &self.file)
    }

    fn set(&self, days: i64) {
        self.set_ms(days * DAY_MS);
    }

    fn set_ms(&self, off_ms: i64) {
        let next = self.directory.path().join("next");
        std::fs::write(&next, off_ms.to_string()).expect("the clock is written");
        // At once, so that no half of a number is read.
        std::fs::rename(&next, &self.file).expect("the clock is set");
    }
}
