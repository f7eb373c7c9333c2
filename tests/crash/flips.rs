//! Every byte of a small journal that the real binary made, flipped in turn: noticed and named, or without consequence,
//! and never read as something else.

use crate::refusals::copy;
use crate::server::{Server, tollgate};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use tollgate_store::{Block, Scan, StoreError};
use tollgate_store_embedded::Embedded;

/// Threads that flip, each in a copy of its own.
const THREADS: usize = 4;
/// Bytes of a segment's header.
const HEADER: usize = 64;

#[test]
fn every_flipped_byte_of_a_real_journal_is_noticed_and_named() {
    let mut server = Server::with(
        &[],
        &[("TOLLGATE_STORE__SEGMENT_MB", "1"), ("TOLLGATE_STORE__SHARDS", "2")],
    );
    for amount in 1001..1005 {
        server.pay(amount);
    }
    let intent = server.pay(1000);
    let form = format!(
        "charge={}&amount=100",
        intent["latest_charge"].as_str().expect("a charge")
    );
    assert_eq!(server.post("/v1/refunds", &form).status, 200);
    assert_eq!(server.stop(), Some(0));
    let blocks = scan(&server.data()).expect("the journal is sound");
    let segment = "journal/00000001.segment";
    let bytes = std::fs::read(server.data().join(segment)).expect("the segment");
    let end = bytes.iter().rposition(|&byte| byte != 0).expect("it holds something") + 1;
    assert!(
        (2_000..100_000).contains(&end),
        "{end} bytes are too few to prove something, or too many to be quick"
    );

    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (data, blocks, bytes) = (server.data(), &blocks, &bytes);
            scope.spawn(move || {
                let own = tempfile::tempdir().expect("a directory");
                copy(&data, own.path());
                // The spare segment holds nothing; without it each look at the journal is half the work.
                std::fs::remove_file(own.path().join("journal/00000002.segment")).expect("the spare segment");
                let file = File::options()
                    .write(true)
                    .open(own.path().join(segment))
                    .expect("the segment");
                // All bytes with something in them and some behind.
                for at in (thread..end + 64).step_by(THREADS) {
                    file.write_all_at(&[bytes[at] ^ 1 << (at % 8)], at as u64)
                        .expect("the flip");
                    check(scan(own.path()), at, blocks);
                    if at % 499 == thread {
                        check_binary(own.path(), at);
                    }
                    file.write_all_at(&bytes[at..=at], at as u64)
                        .expect("the flip is undone");
                }
            });
        }
    });
}

/// What the journal says now is refused by name, or is what was written without the last group: its end reads like the
/// trace of a crash in the middle of a write.
fn check(found: Result<Vec<Block>, StoreError>, at: usize, blocks: &[Block]) {
    match found {
        Err(StoreError::Corrupt { place, .. }) if at >= HEADER => {
            let offset = place.split("00000001.segment offset ").nth(1);
            let offset: usize = offset
                .and_then(|text| text.parse().ok())
                .unwrap_or_else(|| panic!("{at}: {place}"));
            assert!(offset <= at, "byte {at} is damaged, the message says {place}");
        }
        Err(error) => assert!(error.to_string().contains("00000001.segment"), "byte {at}: {error}"),
        Ok(found) => {
            assert!(blocks.starts_with(&found), "byte {at}: other blocks are read");
            assert!(
                found.len() + 1 >= blocks.len(),
                "byte {at}: only {} blocks are left",
                found.len()
            );
        }
    }
}

/// The commands say the same.
fn check_binary(data: &Path, at: usize) {
    let verified = tollgate(&["verify", "--data", data.to_str().expect("UTF-8")]);
    let said = String::from_utf8_lossy(&verified.stderr);
    match scan(data) {
        Ok(_) => assert_eq!(verified.status.code(), Some(0), "byte {at}: {said}"),
        Err(_) => {
            assert_eq!(verified.status.code(), Some(2), "byte {at}: {said}");
            assert!(said.contains("00000001.segment"), "byte {at}: {said}");
        }
    }
}

fn scan(data: &Path) -> Result<Vec<Block>, StoreError> {
    let mut blocks = Vec::new();
    Embedded::scanner(data)?.scan(&mut |stored| {
        blocks.push(stored.block);
        Ok(())
    })?;
    Ok(blocks)
}
