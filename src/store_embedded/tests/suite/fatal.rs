//! Errors of the disk, and many shards at once.

use crate::disks::{Failing, Gated};
use crate::world::{assert_serves, block, scan, segments, small, submit};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tollgate_store::envelope::BlockBuilder;
use tollgate_store::{AccountRef, Commit, Journal, Reads, ShardId, StoreError};
use tollgate_store_embedded::{Disk, Embedded, Options};

/// What `on_fatal` was told, and "no space" or "space" when `on_space` was called.
type Told = Arc<Mutex<Vec<String>>>;

fn watched(disk: Arc<dyn Disk>) -> (Options, Told) {
    let told = Told::default();
    let teller = Arc::clone(&told);
    let on_fatal = Box::new(move |error: &StoreError| teller.lock().unwrap().push(error.to_string()));
    let teller = Arc::clone(&told);
    let on_space = Box::new(move |error: Option<&StoreError>| {
        let words = if error.is_some() { "no space" } else { "space" };
        teller.lock().unwrap().push(words.to_owned());
    });
    (
        Options {
            on_fatal,
            on_space,
            ..small(disk)
        },
        told,
    )
}

fn builder(store: &Embedded, shard: u16) -> BlockBuilder {
    let claimed = store.claim(ShardId(shard)).unwrap();
    BlockBuilder::new(ShardId(shard), claimed.epoch, claimed.last_now_ms)
}

#[test]
fn an_error_of_the_disk_is_final_and_nothing_is_acknowledged() {
    for write in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let disk = Arc::new(Failing::default());
        let (options, told) = watched(Arc::clone(&disk) as Arc<dyn Disk>);
        let store = Embedded::create_or_open(dir.path(), 2, options).unwrap();
        let (mut first, mut second) = (builder(&store, 0), builder(&store, 1));
        assert_eq!(submit(&store, block(&mut first, 0, 1, 50)).recv(), Ok(Commit::Durable));

        let fault = if write { &disk.writes_fail } else { &disk.syncs_fail };
        fault.store(true, SeqCst);
        assert_eq!(submit(&store, block(&mut first, 0, 2, 50)).recv(), Ok(Commit::Failed));
        let (writes, syncs) = (disk.writes.load(SeqCst), disk.syncs.load(SeqCst));
        // The disk is well again, but nobody knows what it lost.
        fault.store(false, SeqCst);
        assert_eq!(submit(&store, block(&mut second, 1, 1, 50)).recv(), Ok(Commit::Failed));
        assert_eq!(submit(&store, block(&mut first, 0, 3, 50)).recv(), Ok(Commit::Failed));
        assert!(matches!(store.claim(ShardId(0)), Err(StoreError::Stopped)));
        assert_eq!(
            (disk.writes.load(SeqCst), disk.syncs.load(SeqCst)),
            (writes, syncs),
            "it is never tried again"
        );
        let told = told.lock().unwrap().clone();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains("as the test asked") && told[0].contains(".segment"),
            "{told:?}"
        );

        assert!(
            store.newest(AccountRef(10), 1).unwrap().is_some(),
            "what is durable can be read"
        );
        assert!(store.newest(AccountRef(10), 3).unwrap().is_none(), "what failed cannot");
        drop(store);
        let kept = scan(dir.path()).unwrap();
        let store = Embedded::open(dir.path(), small(Arc::new(Failing::default()))).unwrap();
        assert_serves(&store, &kept);
    }
}

#[test]
fn a_full_disk_warns_ahead_of_need_and_stops_the_store_when_it_needs_space() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Failing::default());
    let (options, told) = watched(Arc::clone(&disk) as Arc<dyn Disk>);
    let store = Embedded::create_or_open(dir.path(), 1, options).unwrap();
    let mut first = builder(&store, 0);
    await_spare(dir.path());
    disk.full.store(true, SeqCst);
    // The segment in use and the spare one take some blocks of a kilobyte; then there is no other.
    let mut durable = 0;
    let failed = loop {
        match submit(&store, block(&mut first, 0, durable + 1, 1000)).recv().unwrap() {
            Commit::Durable => durable += 1,
            other => break other,
        }
        assert!(durable < 20, "the store goes on without space");
        if durable == 4 {
            await_warning(&store, true);
            assert!(
                store
                    .space_warning()
                    .unwrap()
                    .to_string()
                    .contains("cannot prepare a segment")
            );
            assert_eq!(*told.lock().unwrap(), ["no space"], "a warning is not fatal");
        }
    };
    assert_eq!((failed, durable), (Commit::Failed, 6));
    assert_eq!(told.lock().unwrap().len(), 2, "a warning, and then the end");
    // It is tried again and again; between two tries nothing may be left of it.
    let half_made = dir.path().join("journal/00000003.preparing");
    let gone = (0..2_000).any(|_| {
        std::thread::sleep(Duration::from_millis(1));
        !half_made.exists()
    });
    assert!(gone, "what is half made takes no space");
    drop(store);
    let kept = scan(dir.path()).unwrap();
    assert_eq!(kept.len() as u64, durable);
}

#[test]
fn who_claims_on_a_full_disk_hears_of_it_after_the_operator() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Failing::default());
    disk.full.store(true, SeqCst);
    let (options, told) = {
        let told = Told::default();
        let teller = Arc::clone(&told);
        let on_fatal = Box::new(move |error: &StoreError| {
            // Whoever is answered first ends the process, and has the last word.
            std::thread::sleep(Duration::from_millis(100));
            teller.lock().unwrap().push(error.to_string());
        });
        let made = Embedded::create_or_open(dir.path(), 1, small(Arc::new(Failing::default()))).unwrap();
        drop(made);
        let disk = Arc::clone(&disk) as Arc<dyn Disk>;
        (
            Options {
                on_fatal,
                ..small(disk)
            },
            told,
        )
    };
    std::fs::remove_file(dir.path().join("journal/00000002.segment")).unwrap_or_default();
    let store = Embedded::open(dir.path(), options).unwrap();
    for _ in 0..1000 {
        if store.claim(ShardId(0)).is_err() {
            assert_eq!(told.lock().unwrap().len(), 1, "told before the operator");
            return;
        }
    }
    panic!("claims need no space");
}

#[test]
fn a_disk_that_gets_space_again_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Failing::default());
    let (options, told) = watched(Arc::clone(&disk) as Arc<dyn Disk>);
    let store = Embedded::create_or_open(dir.path(), 1, options).unwrap();
    let mut first = builder(&store, 0);
    await_spare(dir.path());
    disk.full.store(true, SeqCst);
    for seq in 1..=4 {
        assert_eq!(
            submit(&store, block(&mut first, 0, seq, 1000)).recv(),
            Ok(Commit::Durable)
        );
    }
    await_warning(&store, true);
    disk.full.store(false, SeqCst);
    await_warning(&store, false);
    for seq in 5..=20 {
        assert_eq!(
            submit(&store, block(&mut first, 0, seq, 1000)).recv(),
            Ok(Commit::Durable)
        );
    }
    assert_eq!(*told.lock().unwrap(), ["no space", "space"]);
}

/// Returns once the second segment is prepared.
fn await_spare(dir: &Path) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while segments(dir).len() < 2 {
        assert!(Instant::now() < deadline, "no segment is prepared");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn await_warning(store: &Embedded, wanted: bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while store.space_warning().is_some() != wanted {
        assert!(Instant::now() < deadline, "no warning, or it does not go away");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_panic_in_an_answer_stops_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let (options, told) = watched(Arc::new(Failing::default()));
    let store = Embedded::create_or_open(dir.path(), 1, options).unwrap();
    let mut first = builder(&store, 0);
    store.submit(
        block(&mut first, 0, 1, 10),
        Box::new(|_| panic!("a bug in the layer above")),
    );
    let deadline = Instant::now() + Duration::from_secs(20);
    while told.lock().unwrap().is_empty() {
        assert!(Instant::now() < deadline, "nobody is told");
        std::thread::yield_now();
    }
    assert_eq!(submit(&store, block(&mut first, 0, 2, 10)).recv(), Ok(Commit::Failed));
    let told = told.lock().unwrap().clone();
    assert!(
        told.len() == 1 && told[0].contains("a bug in the layer above"),
        "{told:?}"
    );
}

#[test]
fn a_block_that_would_make_the_journal_unreadable_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let (options, told) = watched(Arc::new(Failing::default()));
    let store = Embedded::create_or_open(dir.path(), 1, options).unwrap();
    let mut first = builder(&store, 0);
    assert_eq!(submit(&store, block(&mut first, 0, 1, 10)).recv(), Ok(Commit::Durable));
    let mut again = block(&mut first, 0, 1, 10);
    again.seq = 2;
    assert_eq!(
        submit(&store, again).recv(),
        Ok(Commit::Failed),
        "its sequence numbers were given before"
    );
    assert!(told.lock().unwrap()[0].contains("given before"));
    drop(store);
    assert_eq!(scan(dir.path()).unwrap().len(), 1);
}

#[test]
fn a_block_larger_than_a_segment_gets_one_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::create_or_open(dir.path(), 1, small(Arc::new(Failing::default()))).unwrap();
    let mut first = builder(&store, 0);
    for (seq, body) in (1..).zip([10, 100_000, 10, 2_000_000, 4096 - 64 - 64 - 40, 10]) {
        assert_eq!(
            submit(&store, block(&mut first, 0, seq, body)).recv(),
            Ok(Commit::Durable)
        );
    }
    drop(store);
    let store = Embedded::open(dir.path(), small(Arc::new(Failing::default()))).unwrap();
    assert_serves(&store, &scan(dir.path()).unwrap());
    assert_eq!(store.opened().blocks, 6);
}

#[test]
#[should_panic(expected = "in flight")]
fn a_second_block_in_flight_panics() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Gated::default());
    let store = Embedded::create_or_open(dir.path(), 1, small(Arc::clone(&disk) as Arc<dyn Disk>)).unwrap();
    let mut first = builder(&store, 0);
    disk.close();
    let _one = submit(&store, block(&mut first, 0, 1, 10));
    disk.await_waiting();
    // Opens the gate again when the panic unwinds, so that the store can close.
    struct Opens(Arc<Gated>);
    impl Drop for Opens {
        fn drop(&mut self) {
            self.0.open();
        }
    }
    let _opens = Opens(disk);
    let _two = submit(&store, block(&mut first, 0, 2, 10));
}

#[test]
fn eight_threads_share_syncs_and_each_is_answered_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Slow::default());
    let options = Options {
        segment_bytes: 64 * 1024,
        ..small(Arc::clone(&disk) as Arc<dyn Disk>)
    };
    let store = Embedded::create_or_open(dir.path(), 8, options).unwrap();
    const BLOCKS: u64 = 100;
    std::thread::scope(|scope| {
        for shard in 0..8 {
            let store = &store;
            scope.spawn(move || {
                let mut builder = builder(store, shard);
                for seq in 1..=BLOCKS {
                    assert_eq!(
                        submit(store, block(&mut builder, shard, seq, 200)).recv(),
                        Ok(Commit::Durable)
                    );
                    let record = store
                        .newest(AccountRef(10 + u64::from(shard)), seq * 2)
                        .unwrap()
                        .unwrap();
                    assert_eq!(record.head.now_ms, seq);
                }
            });
        }
    });
    let syncs = disk.syncs.load(SeqCst);
    assert!(syncs < 8 * BLOCKS / 2, "{syncs} syncs for {} blocks", 8 * BLOCKS);
    drop(store);
    let blocks = scan(dir.path()).unwrap();
    assert_eq!(blocks.len() as u64, 8 * BLOCKS);
    let store = Embedded::open(dir.path(), small(disk)).unwrap();
    assert_serves(&store, &blocks);
}

/// A disk that takes its time.
#[derive(Default)]
struct Slow {
    syncs: AtomicU64,
}

impl Disk for Slow {
    fn sync(&self, file: &std::fs::File) -> std::io::Result<()> {
        self.syncs.fetch_add(1, SeqCst);
        std::thread::sleep(Duration::from_millis(1));
        file.sync_data()
    }
}
