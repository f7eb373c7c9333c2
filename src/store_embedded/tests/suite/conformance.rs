//! The embedded store keeps every promise of a store.

use std::path::PathBuf;
use std::sync::Arc;
use tollgate_store::Scan;
use tollgate_store::conformance::{self, SHARDS, Store, Subject};
use tollgate_store_embedded::{Embedded, Limits, Options};

struct OnDisk {
    dir: tempfile::TempDir,
    limits: Limits,
    store: Arc<Embedded>,
}

fn options(limits: Limits) -> Options {
    // Small enough that every fact goes through several segments; unsynced, because no fact cuts the power.
    Options {
        segment_bytes: 16 * 1024,
        fsync: false,
        index: limits,
        ..Options::default()
    }
}

impl Subject for OnDisk {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }
    fn scan(&self) -> Box<dyn Scan> {
        Box::new(Embedded::scanner(self.dir.path()).expect("the directory can be scanned"))
    }
    fn restart(self: Box<Self>) -> Box<dyn Subject> {
        let OnDisk { dir, limits, store } = *self;
        let weak = Arc::downgrade(&store);
        drop(store);
        assert!(weak.upgrade().is_none(), "the store is still held by a test");
        let store = Embedded::open(dir.path(), options(limits)).expect("the directory opens again");
        assert_eq!(store.opened().torn, None);
        Box::new(OnDisk { dir, limits, store })
    }
}

fn run(limits: Limits) {
    conformance::run(&|| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let store = Embedded::create_or_open(dir.path(), SHARDS, options(limits)).expect("the directory is created");
        Box::new(OnDisk { dir, limits, store })
    });
}

#[test]
fn embedded_keeps_every_promise_of_a_store() {
    run(Limits::default());
}

#[test]
fn embedded_keeps_every_promise_while_its_index_moves_to_disk() {
    for recent_records in [1, 7, 100] {
        run(Limits {
            recent_records,
            merged_runs: 2,
            generation_records: 500,
            ..Limits::default()
        });
    }
}

#[test]
fn options_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join("data");
    for segment_bytes in [0, 4095, (1 << 30) + 1] {
        let error = Embedded::create_or_open(
            &path,
            1,
            Options {
                segment_bytes,
                ..Options::default()
            },
        )
        .err()
        .unwrap();
        assert!(error.to_string().contains("is not between"), "{error}");
    }
}
