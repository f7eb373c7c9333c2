//! Audits while the server works: of its own directory, and of copies that are taken under load.

use crate::audit;
use crate::clients::while_asking;
use crate::log::Log;
use crate::random::{Random, seed};
use crate::server::{Server, tollgate};
use crate::settings::HARSH;
use std::process::Command;

/// Audits of each kind.
const AUDITS: u64 = 6;

#[test]
fn a_directory_in_use_and_copies_of_it_can_be_audited() {
    let mut random = Random::new(seed());
    let log = Log::default();
    let server = Server::with(&[], HARSH);
    let mut refused = Vec::new();
    let (mut last, mut copies) = (0, 0);
    while_asking(&server, &log, &mut random, || {
        while copies < AUDITS || last < 200 {
            let report = audit::verify(&server);
            let payments = report["payments"].as_u64().expect("payments");
            assert!(payments >= last, "an audit sees what the audit before it saw");
            last = payments;

            let place = tempfile::tempdir().expect("a directory");
            let copy = place.path().join("copy");
            // It may complain about a file that got its final name meanwhile.
            Command::new("cp")
                .arg("-r")
                .arg(server.data())
                .arg(&copy)
                .output()
                .expect("cp runs");
            let verified = tollgate(&["verify", "--json", "--data", copy.to_str().expect("UTF-8")]);
            let said = String::from_utf8_lossy(&verified.stderr).into_owned();
            match verified.status.code() {
                Some(0) => copies += 1,
                // A copy takes page after page while the server writes, so it may hold a later page and lack an earlier
                // one. Nothing tells that from damage, and it is refused like damage.
                Some(2) => refused.push(said),
                code => panic!("{code:?}: {said} {}", String::from_utf8_lossy(&verified.stdout)),
            }
            assert!(
                refused.len() as u64 <= 2 * AUDITS,
                "most copies are refused: {refused:?}"
            );
        }
    });
    audit::settle(&server, &log);
    audit::compare(&server, &log);
    server.verify();
}
