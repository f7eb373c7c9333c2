//! The index on disk answers like one in memory after kills at any moment, and whatever becomes of its files.

use crate::disks::Fast;
use crate::index::{SHARDS, Writer, await_that, filled, index_files, options, runs};
use crate::model::{Heads, Model, Random};
use crate::world::{copy, scan};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use tollgate_store_embedded::{Disk, Embedded, Options};

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
