//! The index on disk answers like one in memory: while it moves there, after restarts and kills at any moment, and
//! whatever becomes of its files.

use crate::disks::Fast;
use crate::model::{Heads, Model, Random};
use crate::world::{copy, scan, submit};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tollgate_store::envelope::BlockBuilder;
use tollgate_store::{AccountRef, Block, Commit, Head, Journal, Reads, ShardId};
use tollgate_store_embedded::{Agreement, Disk, Embedded, Limits, Options};

const SHARDS: u16 = 3;

fn options(disk: Arc<dyn Disk>, recent_records: u64) -> Options {
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
struct Writer {
    builders: Vec<(BlockBuilder, u64)>,
    heads: Heads,
}

impl Writer {
    fn claim(store: &Embedded, heads: Heads) -> Writer {
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

    fn write(&mut self, store: &Embedded, random: &mut Random) -> Block {
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
fn index_files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join("index")).expect("the index is read");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the entry is read").path()).collect();
    paths.sort();
    paths
}

fn runs(dir: &Path) -> usize {
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

fn await_that(what: &str, so: impl Fn() -> bool) {
    let started = Instant::now();
    while !so() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
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

/// A disk that copies the data directory in the middle of every write of the index.
struct Copying {
    dir: PathBuf,
    copies: Mutex<Vec<tempfile::TempDir>>,
    calls: AtomicU64,
}

impl Copying {
    fn copy(&self) {
        let name = std::thread::current().name().map(str::to_owned);
        if !matches!(name.as_deref(), Some("tollgate-index" | "tollgate-merge")) {
            return;
        }
        // One of a few: copies take long.
        if !self.calls.fetch_add(1, SeqCst).is_multiple_of(2) {
            return;
        }
        let mut copies = self.copies.lock().unwrap();
        let target = tempfile::tempdir().unwrap();
        // The index first: the journal of a crash is never behind what the index was told.
        copy(&self.dir.join("index"), &target.path().join("index"));
        for name in ["meta", "secret"] {
            std::fs::copy(self.dir.join(name), target.path().join(name)).unwrap();
        }
        copy(&self.dir.join("journal"), &target.path().join("journal"));
        copies.push(target);
    }
}

impl Disk for Copying {
    fn prepare(&self, file: &File, bytes: u64) -> io::Result<()> {
        file.set_len(bytes)
    }
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let (start, end) = bytes.split_at(bytes.len() / 2);
        self.copy();
        file.write_all_at(start, offset)?;
        self.copy();
        file.write_all_at(end, offset + start.len() as u64)
    }
    fn sync(&self, _: &File) -> io::Result<()> {
        self.copy();
        Ok(())
    }
}

#[test]
fn a_kill_at_any_step_of_writing_the_index_changes_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Copying {
        dir: dir.path().to_owned(),
        copies: Mutex::default(),
        calls: AtomicU64::new(0),
    });
    let with_syncs = |disk: &Arc<Copying>| Options {
        fsync: true,
        ..options(Arc::clone(disk) as Arc<dyn Disk>, 25)
    };
    let store = Embedded::create_or_open(dir.path(), SHARDS, with_syncs(&disk)).unwrap();
    let mut random = Random(3);
    let mut heads = Heads::new();
    heads.pace_ms = 60_000;
    let mut writer = Writer::claim(&store, heads);
    let enough = || disk.copies.lock().unwrap().len() >= 40;
    for _ in 0..3000 {
        writer.write(&store, &mut random);
        if enough() {
            break;
        }
    }
    drop(store);
    let copies = std::mem::take(&mut *disk.copies.lock().unwrap());
    assert!(copies.len() >= 40, "{} copies", copies.len());
    let (mut indexed, mut rebuilt) = (0, 0);
    for copied in &copies {
        let blocks = scan(copied.path()).unwrap();
        let store = Embedded::open(copied.path(), options(Arc::new(Fast), 25)).unwrap();
        indexed += u64::from(store.opened().walked < store.opened().records);
        rebuilt += usize::from(store.opened().index_rebuilt.is_some());
        Model::new(&blocks).compare(&*store, &mut random, true, &mut None);
    }
    assert!(indexed > 20, "only {indexed} of {} had an index", copies.len());
    // A copy is not taken in one moment: a merge may remove files in the middle of it.
    assert!(
        rebuilt * 4 < copies.len(),
        "{rebuilt} of {} were built again",
        copies.len()
    );
}

/// A directory with several runs and files of keys, closed.
fn filled() -> (tempfile::TempDir, Model, Vec<Block>) {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::create_or_open(dir.path(), SHARDS, options(Arc::new(Fast), 60)).unwrap();
    let mut random = Random(5);
    let mut heads = Heads::new();
    heads.pace_ms = 20_000;
    let mut writer = Writer::claim(&store, heads);
    let blocks: Vec<Block> = (0..150).map(|_| writer.write(&store, &mut random)).collect();
    await_that("runs are written", || runs(dir.path()) > 1);
    drop(store);
    (dir, Model::new(&blocks), blocks)
}

#[test]
fn damage_to_the_index_is_never_served_and_mends_at_the_next_start() {
    let (dir, model, _) = filled();
    let mut random = Random(9);
    let (mut rebuilt, mut late, mut unread) = (0, 0, 0);
    for path in index_files(dir.path()) {
        let name = path.file_name().unwrap().to_owned();
        let bytes = std::fs::read(&path).unwrap();
        let flips = (0..bytes.len()).step_by(1 + bytes.len() / 12);
        let damages = flips.map(Some).chain([None]);
        for at in damages {
            let copied = tempfile::tempdir().unwrap();
            copy(dir.path(), copied.path());
            let damaged = copied.path().join("index").join(&name);
            match at {
                Some(at) => {
                    let mut bytes = bytes.clone();
                    bytes[at] ^= 1 << random.below(8);
                    std::fs::write(&damaged, bytes).unwrap();
                }
                None => std::fs::write(&damaged, &bytes[..bytes.len() - 1]).unwrap(),
            }
            let store = Embedded::open(copied.path(), options(Arc::new(Fast), 60)).unwrap();
            if store.opened().index_rebuilt.is_some() {
                model.compare(&*store, &mut random, true, &mut None);
                rebuilt += 1;
                continue;
            }
            let mut errors = Some(0);
            model.compare(&*store, &mut random, true, &mut errors);
            if errors == Some(0) {
                unread += 1;
                continue;
            }
            let warning = store.index_warning().expect("the operator is told").to_string();
            assert!(warning.contains("the index is damaged here"), "{warning}");
            drop(store);
            let store = Embedded::open(copied.path(), options(Arc::new(Fast), 60)).unwrap();
            assert_eq!(store.opened().walked, store.opened().records, "it is built again");
            model.compare(&*store, &mut random, true, &mut None);
            late += 1;
        }
    }
    assert!(
        rebuilt > 10 && late > 10,
        "{rebuilt} at the start, {late} when read, {unread} unread"
    );
}

#[test]
fn a_lost_or_strange_index_is_built_again() {
    let (dir, model, blocks) = filled();
    let mut random = Random(11);
    let mut check = |what: &str, told: Option<&str>, change: &dyn Fn(&Path), model: &Model| {
        let copied = tempfile::tempdir().unwrap();
        copy(dir.path(), copied.path());
        change(copied.path());
        let store = Embedded::open(copied.path(), options(Arc::new(Fast), 60)).unwrap();
        let rebuilt = store.opened().index_rebuilt.clone();
        match told {
            None => assert_eq!(rebuilt, None, "{what}"),
            Some(told) => assert!(
                rebuilt.as_ref().is_some_and(|why| why.contains(told)),
                "{what}: {rebuilt:?}"
            ),
        }
        if told.is_some() {
            assert_eq!(store.opened().walked, store.opened().records, "{what}");
        }
        model.compare(&*store, &mut random, true, &mut None);
        drop(store);
        let store = Embedded::open(copied.path(), options(Arc::new(Fast), 60)).unwrap();
        assert_eq!(store.opened().index_rebuilt, None, "{what}, once more");
        model.compare(&*store, &mut random, true, &mut None);
    };
    let manifest = |dir: &Path| dir.join("index/manifest");
    check("untouched", None, &|_| {}, &model);
    check(
        "no directory",
        None,
        &|dir| std::fs::remove_dir_all(dir.join("index")).unwrap(),
        &model,
    );
    check(
        "no manifest",
        None,
        &|dir| std::fs::remove_file(manifest(dir)).unwrap(),
        &model,
    );
    let empty = |dir: &Path| std::fs::write(manifest(dir), b"").unwrap();
    check("an empty manifest", Some("too short"), &empty, &model);
    let older = |dir: &Path| {
        let mut bytes = std::fs::read(manifest(dir)).unwrap();
        bytes[7] = b'0';
        std::fs::write(manifest(dir), bytes).unwrap();
    };
    check("another format", Some("another format"), &older, &model);
    let no_file = |dir: &Path| {
        let first = index_files(dir).into_iter().next().unwrap();
        std::fs::remove_file(first).unwrap();
    };
    check("a missing file", Some("cannot open"), &no_file, &model);
    let strange = |dir: &Path| std::fs::write(dir.join("index/99999999.run"), b"half").unwrap();
    check("a file that is not named", None, &strange, &model);
    let (other, ..) = filled();
    let foreign = |dir: &Path| {
        std::fs::remove_dir_all(dir.join("index")).unwrap();
        copy(&other.path().join("index"), &dir.join("index"));
    };
    check("the index of other data", Some("other data"), &foreign, &model);
    // A journal from an older backup, under an index that knows more.
    let kept = &blocks[..20];
    let behind = |dir: &Path| {
        let (first, rest) = (&crate::world::segments(dir)[0], &crate::world::segments(dir)[1..]);
        rest.iter().for_each(|path| std::fs::remove_file(path).unwrap());
        let end = end_of(dir, kept.len());
        let file = File::options().write(true).open(first).unwrap();
        let zeros = vec![0; (file.metadata().unwrap().len() - end) as usize];
        file.write_all_at(&zeros, end).unwrap();
    };
    check("a journal that is behind", Some(""), &behind, &Model::new(kept));
}

/// Where the frame of that many blocks' last one ends in the first segment.
fn end_of(dir: &Path, blocks: usize) -> u64 {
    use tollgate_store::Scan;
    let mut ends = Vec::new();
    Embedded::scanner(dir)
        .unwrap()
        .scan(&mut |stored| {
            let offset: u64 = stored.place.rsplit_once(' ').unwrap().1.parse().unwrap();
            ends.push(offset + (64 + stored.block.bytes.len() as u64 + 1).next_multiple_of(8));
            Ok(())
        })
        .unwrap();
    ends[blocks - 1]
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

/// A disk on which the index cannot be written for a while.
#[derive(Default)]
struct Refusing {
    refuses: AtomicBool,
}

impl Disk for Refusing {
    fn prepare(&self, file: &File, bytes: u64) -> io::Result<()> {
        file.set_len(bytes)
    }
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let of_index = std::thread::current().name() == Some("tollgate-index");
        if of_index && self.refuses.load(SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        file.write_all_at(bytes, offset)
    }
    fn sync(&self, _: &File) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_index_that_cannot_be_written_stays_in_memory_and_tells() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Refusing::default());
    let open =
        || Embedded::create_or_open(dir.path(), SHARDS, options(Arc::clone(&disk) as Arc<dyn Disk>, 20)).unwrap();
    disk.refuses.store(true, SeqCst);
    let store = open();
    let mut random = Random(17);
    let mut writer = Writer::claim(&store, Heads::new());
    let mut model = Model::new(&[]);
    for _ in 0..100 {
        model.push(writer.write(&store, &mut random));
    }
    await_that("the operator is told", || store.index_warning().is_some());
    assert_eq!(runs(dir.path()), 0, "what is half written is removed");
    model.compare(&*store, &mut random, false, &mut None);
    drop(store);
    // Nor does it keep the store from opening.
    let store = open();
    model.compare(&*store, &mut random, true, &mut None);
    disk.refuses.store(false, SeqCst);
    await_that("the warning goes", || store.index_warning().is_none());
    await_that("a run is written", || runs(dir.path()) > 0);
    model.compare(&*store, &mut random, true, &mut None);
}
