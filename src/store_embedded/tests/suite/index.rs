//! The index on disk answers like one in memory: while it moves there, and after restarts.

use crate::disks::Fast;
use crate::model::{Heads, Model, Random};
use crate::world::submit;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tollgate_store::envelope::BlockBuilder;
use tollgate_store::{AccountRef, Block, Commit, Head, Journal, Reads, ShardId, StoreError};
use tollgate_store_embedded::{Agreement, Disk, Embedded, Limits, Options};

pub(crate) const SHARDS: u16 = 3;

pub(crate) fn options(disk: Arc<dyn Disk>, recent_records: u64) -> Options {
    Options {
        segment_bytes: 16 * 1024,
        fsync: false,
        index: Limits {
            recent_records,
            merged_runs: 2 + recent_records as usize % 2,
            generation_records: 400,
            ..Limits::default()
        },
        disk,
        ..Options::default()
    }
}

/// Writes blocks of made-up records to all shards, and the model hears of them.
pub(crate) struct Writer {
    builders: Vec<(BlockBuilder, u64)>,
    heads: Heads,
}

impl Writer {
    pub(crate) fn claim(store: &Embedded, heads: Heads) -> Writer {
        let claim = |shard| {
            let claimed = store.claim(ShardId(shard)).expect("a claim succeeds");
            let builder = BlockBuilder::new(ShardId(shard), claimed.epoch, claimed.last_now_ms);
            (builder, claimed.last_block)
        };
        Writer {
            builders: (0..SHARDS).map(claim).collect(),
            heads,
        }
    }

    /// Two accounts a shard, one of them seldom, and now and then another.
    fn head(&mut self, random: &mut Random, shard: u16) -> Head {
        let nth = match random.below(12) {
            0 => 2 + random.below(30),
            1 => 1,
            _ => 0,
        };
        self.heads.next(random, u64::from(shard) * 100 + 1 + nth)
    }

    pub(crate) fn write(&mut self, store: &Embedded, random: &mut Random) -> Block {
        let shard = random.below(u64::from(SHARDS)) as u16;
        let heads: Vec<Head> = (0..1 + random.below(6)).map(|_| self.head(random, shard)).collect();
        let (builder, last) = &mut self.builders[usize::from(shard)];
        for head in &heads {
            let body = format!("{}/{}/{}", head.account, head.first_seq, head.now_ms);
            builder.push(head, body.as_bytes()).expect("a small block");
        }
        *last += 1;
        let block = builder.seal(*last);
        assert_eq!(submit(store, block.clone()).recv(), Ok(Commit::Durable));
        block
    }
}

/// Files of the index by their ending.
pub(crate) fn index_files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join("index")).expect("the index is read");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the entry is read").path()).collect();
    paths.sort();
    paths
}

pub(crate) fn runs(dir: &Path) -> usize {
    let is_run = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "run");
    index_files(dir).iter().filter(is_run).count()
}

/// The index, wherever it stands just now, holds what the journal says.
fn assert_agrees(dir: &Path) {
    let agreement = Embedded::scanner(dir).and_then(|scanner| scanner.index());
    assert!(
        matches!(agreement, Ok(Agreement::Absent | Agreement::Agrees { .. })),
        "{agreement:?}"
    );
}

pub(crate) fn await_that(what: &str, so: impl Fn() -> bool) {
    let started = Instant::now();
    while !so() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A directory with several runs and files of keys, closed.
pub(crate) fn filled() -> (tempfile::TempDir, Model, Vec<Block>) {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::create_or_open(dir.path(), SHARDS, options(Arc::new(Fast), 60)).unwrap();
    let mut random = Random(5);
    let mut heads = Heads::new();
    heads.pace_ms = 20_000;
    let mut writer = Writer::claim(&store, heads);
    let mut blocks: Vec<Block> = (0..75).map(|_| writer.write(&store, &mut random)).collect();
    // On a busy machine all of it could come in while the first run is written.
    await_that("a run is written", || runs(dir.path()) > 0);
    blocks.extend((0..75).map(|_| writer.write(&store, &mut random)));
    await_that("runs are written", || runs(dir.path()) > 1);
    drop(store);
    (dir, Model::new(&blocks), blocks)
}

#[test]
fn every_answer_is_that_of_an_index_in_memory() {
    let mut indexed = 0;
    for seed in 0..8 {
        let mut random = Random(seed);
        let recent_records = [1, 3, 10, 40, 150][random.below(5) as usize];
        let dir = tempfile::tempdir().unwrap();
        let open = || Embedded::create_or_open(dir.path(), SHARDS, options(Arc::new(Fast), recent_records)).unwrap();
        let mut store = open();
        let mut heads = Heads::new();
        heads.pace_ms = [100, 60_000, 1_200_000][random.below(3) as usize];
        let mut writer = Writer::claim(&store, heads);
        let mut model = Model::new(&[]);
        let mut restarted = false;
        let agreeing = seed % 2 == 1;
        for round in 0..250 {
            model.push(writer.write(&store, &mut random));
            // With some seeds timers are done long before they are due, which no clock explains.
            if !agreeing && random.chance(8) {
                let shard = ShardId(random.below(u64::from(SHARDS)) as u16);
                let mut due = store.timers_due(shard, 1_790_000_000_000 + random.below(72 * 3_600_000), 9);
                due.retain(|_| !random.chance(3));
                store.timers_done(shard, &due);
                model.timers_done(shard, &due);
            }
            if random.chance(40) {
                model.compare(&*store, &mut random, restarted, &mut None);
                if agreeing {
                    assert_agrees(dir.path());
                }
            }
            if random.chance(60) {
                let Writer { heads, .. } = writer;
                drop(store);
                if agreeing {
                    assert_agrees(dir.path());
                }
                store = open();
                assert_eq!(store.opened().index_rebuilt, None, "seed {seed}, round {round}");
                indexed += store.opened().records - store.opened().walked;
                writer = Writer::claim(&store, heads);
                restarted = true;
                model.compare(&*store, &mut random, restarted, &mut None);
            }
        }
        model.compare(&*store, &mut random, restarted, &mut None);
        assert!(store.index_warning().is_none());
    }
    assert!(indexed > 3_000, "only {indexed} records were found in an index");
}

#[test]
fn readers_never_miss_what_was_published_while_it_moves() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::create_or_open(dir.path(), SHARDS, options(Arc::new(Fast), 20)).unwrap();
    let (published, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for seed in 0..3 {
            let (store, published, stop) = (&store, &published, &stop);
            scope.spawn(move || {
                let mut random = Random(seed);
                while !stop.load(SeqCst) {
                    let done = published.load(SeqCst);
                    if done == 0 {
                        continue;
                    }
                    let nth = 1 + random.below(done);
                    let account = AccountRef(10);
                    let birth = store.birth(account, nth * 2).unwrap().expect("it was published");
                    assert_eq!(birth.head.now_ms, nth);
                    let newest = store.newest(account, nth * 2 - 1).unwrap().expect("it was published");
                    assert!(newest.head.now_ms >= nth);
                    assert!(store.key_may_exist(account, &crate::model::key(nth)));
                    let by_key = store.by_key(account, &crate::model::key(nth)).unwrap();
                    assert_eq!(by_key.expect("it was published").head.now_ms, nth);
                    let mut last = 0;
                    let visit = &mut |record: &tollgate_store::Fetched| {
                        assert_eq!(record.head.now_ms, last + 1);
                        last += 1;
                        Ok(())
                    };
                    store.replay_account(account, visit).unwrap();
                    assert!(last >= done);
                }
            });
        }
        let claimed = store.claim(ShardId(0)).unwrap();
        let mut builder = BlockBuilder::new(ShardId(0), claimed.epoch, 0);
        for nth in 1..=1500u64 {
            let head = Head {
                account: 10,
                now_ms: nth,
                first_seq: nth * 2 - 1,
                born: [1, 7].into_iter().collect(),
                changed: if nth > 1 {
                    [nth].into_iter().collect()
                } else {
                    [].into_iter().collect()
                },
                key: Some(crate::model::key(nth)),
                ..Head::default()
            };
            builder.push(&head, b"").unwrap();
            assert_eq!(submit(&store, builder.seal(nth)).recv(), Ok(Commit::Durable));
            published.store(nth, SeqCst);
        }
        stop.store(true, SeqCst);
    });
    assert!(runs(dir.path()) > 1);
}

#[test]
fn keys_are_kept_longer_when_that_is_wanted() {
    let (dir, model, _) = filled();
    let mut random = Random(13);
    let hours = |idempotency_hours| Options {
        idempotency_hours,
        ..options(Arc::new(Fast), 60)
    };
    let store = Embedded::open(dir.path(), hours(48)).unwrap();
    let told = store.opened().index_rebuilt.clone().expect("it is built again");
    assert!(told.contains("24 hours") && told.contains("48"), "{told}");
    model.compare(&*store, &mut random, true, &mut None);
    drop(store);
    let store = Embedded::open(dir.path(), hours(48)).unwrap();
    assert_eq!(store.opened().index_rebuilt, None);
}

#[test]
fn an_index_is_built_again_when_that_is_asked_for() {
    let (dir, model, _) = filled();
    let mut random = Random(17);
    let open = || Embedded::open_with_new_index(dir.path(), options(Arc::new(Fast), 60));
    let in_use = Embedded::open(dir.path(), options(Arc::new(Fast), 60)).unwrap();
    assert!(in_use.opened().walked < in_use.opened().records);
    assert!(matches!(open(), Err(StoreError::Locked { .. })));
    assert!(runs(dir.path()) > 0, "the index of whoever has the data is not touched");
    drop(in_use);
    let store = open().unwrap();
    assert_eq!(store.opened().walked, store.opened().records);
    model.compare(&*store, &mut random, true, &mut None);
}

#[test]
fn expired_keys_leave_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::create_or_open(dir.path(), 1, options(Arc::new(Fast), 10)).unwrap();
    let claimed = store.claim(ShardId(0)).unwrap();
    let mut builder = BlockBuilder::new(ShardId(0), claimed.epoch, 0);
    for nth in 1..=600u64 {
        let head = Head {
            account: 10,
            now_ms: 1_790_000_000_000 + nth * 600_000,
            first_seq: nth,
            born: [1].into_iter().collect(),
            key: Some(crate::model::key(nth)),
            ..Head::default()
        };
        builder.push(&head, b"").unwrap();
        assert_eq!(submit(&store, builder.seal(nth)).recv(), Ok(Commit::Durable));
    }
    let keys = || {
        index_files(dir.path())
            .iter()
            .filter(|path| path.extension().is_some_and(|name| name == "keys"))
            .count()
    };
    // How many of the last hours are on disk depends on how far the writing got.
    await_that("a file an hour, for at most 24 of 100 hours", || keys() <= 30);
    assert!(!store.key_may_exist(AccountRef(10), &crate::model::key(400)));
    assert!(store.key_may_exist(AccountRef(10), &crate::model::key(460)));
}
