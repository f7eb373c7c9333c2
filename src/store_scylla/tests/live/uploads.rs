//! Bytes of uploaded files, written by one process and read, kept or removed by another.

use crate::raw::Raw;
use crate::{applied, one_shard, open_as};
use std::io::Read;
use tollgate_store::AccountRef;
use tollgate_store_scylla::{PendingUpload, Scanner};

const DIGEST: [u8; 32] = [0xab; 32];

fn pending(request: u128) -> PendingUpload {
    PendingUpload {
        digest: DIGEST,
        account: AccountRef(7),
        request,
        by: None,
    }
}

/// More than three pieces, none of them like another.
fn bytes() -> Vec<u8> {
    (0..200_000u32).flat_map(u32::to_le_bytes).collect()
}

#[test]
fn another_node_reads_bytes_while_they_are_pending_and_after() {
    let settings = applied();
    let (a, b) = (
        open_as("a", &settings, &one_shard()),
        open_as("b", &settings, &one_shard()),
    );
    assert_eq!(b.uploads().read(&DIGEST).unwrap(), None);
    a.uploads().keep(&pending(1), &bytes()).unwrap();
    assert_eq!(b.uploads().read(&DIGEST).unwrap(), Some(bytes()));
    a.uploads().settle(&pending(1)).unwrap();
    a.uploads().settle(&pending(1)).expect("twice changes nothing");
    assert_eq!(b.uploads().pending().unwrap(), []);
    assert_eq!(b.uploads().read(&DIGEST).unwrap(), Some(bytes()));
    // As the audit reads them, which owns nothing.
    let audit = Scanner::open(&settings).unwrap();
    let mut read = Vec::new();
    let mut reader = audit.uploads().open(&DIGEST).unwrap().expect("they are there");
    reader.read_to_end(&mut read).unwrap();
    assert_eq!(read, bytes());
    let mut kept = Vec::new();
    audit.uploads().each_kept(&mut |digest| kept.push(digest)).unwrap();
    assert_eq!(kept, [Some(DIGEST)]);
}

#[test]
fn what_a_process_left_is_decided_by_another_and_leaves_no_trace() {
    let settings = applied();
    let (a, b) = (
        open_as("a", &settings, &one_shard()),
        open_as("b", &settings, &one_shard()),
    );
    a.uploads().keep(&pending(1), b"named").unwrap();
    let other = PendingUpload {
        digest: [0xcd; 32],
        ..pending(2)
    };
    a.uploads().keep(&other, b"unnamed").unwrap();
    assert_eq!(a.uploads().pending().unwrap(), [], "its own uploads are under way");
    let left = b.uploads().pending().unwrap();
    assert_eq!(left.len(), 2);
    for one in left {
        if one.digest == DIGEST {
            b.uploads().settle(&one).unwrap();
        } else {
            b.uploads().forget(&one).unwrap();
        }
    }
    // The process wakes up and says the same.
    a.uploads().settle(&pending(1)).unwrap();
    a.uploads().forget(&other).unwrap();
    assert_eq!(b.uploads().pending().unwrap(), []);
    assert_eq!(a.uploads().read(&DIGEST).unwrap(), Some(b"named".to_vec()));
    assert_eq!(a.uploads().read(&other.digest).unwrap(), None);
    let raw = Raw::open(&settings);
    assert_eq!(raw.run("SELECT at FROM $.upload_pieces", ()).len(), 1);
    assert_eq!(raw.run("SELECT shard FROM $.pending_uploads", ()).len(), 0);
}

#[test]
fn the_same_bytes_are_kept_once_and_forgetting_one_upload_leaves_the_other() {
    let settings = applied();
    let a = open_as("a", &settings, &one_shard());
    for request in 1..=3 {
        a.uploads().keep(&pending(request), b"bytes").unwrap();
    }
    a.uploads().settle(&pending(2)).unwrap();
    a.uploads().forget(&pending(1)).unwrap();
    a.uploads().settle(&pending(3)).unwrap();
    assert_eq!(a.uploads().read(&DIGEST).unwrap(), Some(b"bytes".to_vec()));
    let raw = Raw::open(&settings);
    assert_eq!(raw.run("SELECT at FROM $.upload_pieces", ()).len(), 1, "one copy");
    // Late, and wrong: a copy that was decided to stay does.
    a.uploads().forget(&pending(2)).unwrap();
    assert_eq!(a.uploads().read(&DIGEST).unwrap(), Some(b"bytes".to_vec()));
}

#[test]
fn a_copy_that_was_never_finished_is_not_read() {
    let settings = applied();
    let a = open_as("a", &settings, &one_shard());
    a.uploads().keep(&pending(1), &bytes()).unwrap();
    let raw = Raw::open(&settings);
    raw.run(
        "UPDATE $.pending_uploads SET bytes = 900000 WHERE shard = 0 AND digest = ? AND copy = ?",
        (&DIGEST[..], {
            let rows = raw.run("SELECT copy FROM $.pending_uploads", ());
            crate::raw::blob(&rows[0], 0)
        }),
    );
    assert_eq!(a.uploads().read(&DIGEST).unwrap(), None);
}
