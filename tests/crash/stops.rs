//! SIGTERM under load: what was admitted is finished and answered, and the next start finds it.

use crate::audit::{self, Served};
use crate::clients::while_asking;
use crate::log::Log;
use crate::random::{Random, seed};
use crate::report::LastWords;
use crate::server::{Server, binary};
use crate::settings::HARSH;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const STOPS: u64 = 4;
/// What a pipe holds on Linux.
const PIPE_BYTES: usize = 64 << 10;
const SIGTERM: u32 = 15;
/// The longest a server may take to start here.
const START_MAX: Duration = Duration::from_secs(30);

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
        server.audited();
        server.start_again();
    }
    audit::settle(server, &log);
    audit::compare(server, &log);
}

/// Whoever has read the line that says so may stop the server at once, and gracefully. A server that cannot get rid of that
/// line shows what it listens for before anybody can have read it.
#[test]
fn signals_are_listened_for_before_the_server_says_that_it_is_ready() {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    // As much as a pipe holds, so that whoever writes the next byte waits.
    writer.write_all(&[b'\n'; PIPE_BYTES]).expect("an empty pipe");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut server = Command::new(binary())
        .args([
            "serve",
            "--dev",
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
        ])
        .arg("--data")
        .arg(directory.path().join("data"))
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs");
    let caught = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("it runs");
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("SigCgt:"))
            .expect("a mask");
        let mask = u64::from_str_radix(mask.trim(), 16).expect("hexadecimal");
        mask & (1 << (SIGTERM - 1)) != 0
    };
    let end = Instant::now() + START_MAX;
    while !caught() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    let caught = caught();
    server.kill().expect("it can be killed");
    server.wait().expect("it ends");
    drop(reader);
    assert!(caught, "SIGTERM would have ended it without its graceful stop");
}
