//! Data written by earlier releases opens, and answers what it answered then.
//!
//! `tests/fixtures/format_1` was written by this test: with `TOLLGATE_WRITE_FIXTURE=DIR` in the environment it writes a
//! new data directory there. A fixture is never written again; a new format gets a new one.

use crate::disks::Fast;
use crate::world::{copy, plain, scan, small};
use std::path::Path;
use std::sync::Arc;
use tollgate_store::conformance::Script;
use tollgate_store::{AccountRef, From, Head, PageQuery, Reads, ShardId};
use tollgate_store_embedded::{Embedded, Options};

const KEY: [u8; 12] = *b"twelve bytes";

/// One block for each way a head can look.
fn heads() -> Vec<Head> {
    let born = |now_ms, first_seq, born: &[u8]| Head {
        account: 77,
        now_ms,
        first_seq,
        born: born.into(),
        ..Head::default()
    };
    vec![
        born(1_790_000_000_000, 1, &[4, 7]),
        Head {
            key: Some(KEY),
            tags: 1 << 3 | 1 << 9,
            lists: [(1, 1, 3), (3, 2, 4)].into_iter().collect(),
            timers: [(1_790_000_900_000, 3)].into_iter().collect(),
            ..born(1_790_000_000_100, 3, &[1, 2, 5, 7, 7, 7])
        },
        Head {
            changed: [3, 4].into_iter().collect(),
            tags: u64::MAX,
            ..born(1_790_000_000_200, 9, &[3, 7])
        },
        Head {
            row: true,
            ..born(1_790_000_000_200, 0, &[])
        },
        Head {
            lists: [(1, 33, 11)].into_iter().collect(),
            ..born(1_790_000_000_300, 11, &[33, 7])
        },
    ]
}

fn write(dir: &Path) {
    let options = Options {
        segment_bytes: 4096,
        fsync: true,
        ..Options::default()
    };
    let store = plain(&Embedded::create_or_open(dir, 3, options).expect("the directory is created"));
    let mut owner = Script::claim(&store, 1);
    heads().into_iter().for_each(|head| owner.write(&[head]));
    let mut directory = Script::claim(&store, ShardId::DIRECTORY.0);
    directory.write(&[Head {
        now_ms: 1_790_000_000_000,
        first_seq: 1,
        born: [9].into_iter().collect(),
        ..Head::default()
    }]);
}

#[test]
fn data_of_format_1_opens() {
    if let Some(dir) = std::env::var_os("TOLLGATE_WRITE_FIXTURE") {
        write(Path::new(&dir));
        return;
    }
    let copied = tempfile::tempdir().unwrap();
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format_1"),
        copied.path(),
    );
    let store = Embedded::open(copied.path(), small(Arc::new(Fast))).expect("old data opens");
    assert_eq!((store.meta().format, store.meta().shards), (1, 3));
    let opened = store.opened();
    assert_eq!((opened.blocks, opened.records, &opened.torn), (6, 6, &None));

    let account = AccountRef(77);
    let newest = |seq| {
        store
            .newest(account, seq)
            .unwrap()
            .map(|record| (record.head, record.body))
    };
    let expect = |nth: usize| {
        let head = heads().swap_remove(nth);
        let body = format!("{}/{}/{}", head.account, head.first_seq, head.now_ms);
        Some((head, body.into_bytes().into()))
    };
    for (seq, nth) in [(1, 0), (3, 2), (4, 2), (5, 1), (8, 1), (10, 2), (11, 4), (12, 4)] {
        assert_eq!(newest(seq), expect(nth), "sequence {seq}");
    }
    assert_eq!(newest(13), None);
    assert_eq!(store.by_key(account, &KEY).unwrap().unwrap().head, heads()[1]);
    assert_eq!(
        store.timers_due(ShardId(1), u64::MAX, 9),
        [(1_790_000_900_000, account, 3)]
    );
    assert_eq!(store.accounts(ShardId::DIRECTORY), [(AccountRef(0), 1)]);
    let query = PageQuery {
        account,
        kind: 7,
        from: From::Newest,
        limit: 9,
        parents: &[],
        born_ms: (0, u64::MAX),
        tags: 0,
    };
    assert_eq!(store.page(&query, &mut |_, _| true).unwrap(), [12, 10, 8, 7, 6, 2]);
    let mut replayed = Vec::new();
    let visit = &mut |record: &tollgate_store::Fetched| {
        replayed.push(record.head.clone());
        Ok(())
    };
    store.replay_account(account, visit).unwrap();
    assert_eq!(replayed, heads()[3..]);
    drop(store);

    // Today's writer makes the same blocks, but for the random name of the data.
    let fresh = tempfile::tempdir().unwrap();
    write(fresh.path());
    assert_eq!(scan(fresh.path()).unwrap(), scan(copied.path()).unwrap());
}
