//! Audits while the server works: of its own directory, and of copies that are taken under load.

use crate::audit::{self, Served};
use crate::clients::{await_asked, while_asking};
use crate::log::Log;
use crate::random::{Random, seed};
use crate::server::{Server, tollgate};
use crate::settings::HARSH;
use serde_json::Value;
use std::process::{Command, Output};

/// Rounds of audits.
const ROUNDS: u64 = 6;
/// Requests between two rounds, at least.
const REQUESTS_PER_ROUND: u64 = 60;

#[test]
fn a_directory_in_use_and_copies_of_it_can_be_audited() {
    let mut random = Random::new(seed());
    let log = Log::default();
    let server = Server::with(&[], HARSH);
    let mut last = 0;
    while_asking(&server, &log, &mut random, || {
        for _ in 0..ROUNDS {
            await_asked(&server, &log, log.asked() + REQUESTS_PER_ROUND);
            let payments = count(&server.audited());
            assert!(payments >= last, "an audit sees what the audit before it saw");
            last = payments;

            // All files as they are at one moment, as a snapshot of the file system gives them: always sound.
            server.signal("STOP");
            let snapshot = verify_copy(&server);
            server.signal("CONT");
            let said = String::from_utf8_lossy(&snapshot.stderr);
            assert_eq!(snapshot.status.code(), Some(0), "{said} {}", text(&snapshot));
            let payments = count(&serde_json::from_str(&text(&snapshot)).expect("a report"));
            assert!(payments >= last, "a snapshot holds what an audit before it saw");
            last = payments;

            // A plain copy takes page after page while the server writes, so it may hold a later page and lack an
            // earlier one. Nothing tells that from damage, and it is refused like damage; how often is a matter of
            // luck. What may not happen is anything else, as an audit that finds money missing.
            let plain = verify_copy(&server);
            let said = String::from_utf8_lossy(&plain.stderr).into_owned();
            match plain.status.code() {
                Some(0) => {}
                Some(2) => assert!(said.contains("/copy/journal"), "{said}"),
                code => panic!("{code:?}: {said} {}", text(&plain)),
            }
        }
    });
    audit::settle(&server, &log);
    audit::compare(&server, &log);
    server.verify();
}

/// Copies the server's directory and audits the copy.
fn verify_copy(server: &Server) -> Output {
    let place = tempfile::tempdir().expect("a directory");
    let copy = place.path().join("copy");
    // It may complain about a file that got its final name meanwhile.
    let copied = Command::new("cp").arg("-r").arg(server.data()).arg(&copy).output();
    copied.expect("cp runs");
    tollgate(&["verify", "--json", "--data", copy.to_str().expect("UTF-8")])
}

fn count(report: &Value) -> u64 {
    report["payments"].as_u64().expect("payments")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
