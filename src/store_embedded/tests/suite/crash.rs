//! Power cuts: whatever part of the unsynced writes survives, everything that was answered is there, and the journal
//! goes on.

use crate::disks::{Fast, Happened, Recording};
use crate::world::{assert_serves, block, copy, scan, segments, small, submit};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tollgate_store::envelope::BlockBuilder;
use tollgate_store::{Block, Commit, Journal, ShardId};
use tollgate_store_embedded::{Disk, Embedded, Options};

const SHARDS: u16 = 4;
const BLOCKS: u64 = 40;
const CUTS: u64 = 400;
const SECTOR: usize = 512;

/// A fixed sequence of numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Lets four shards write at the same time and returns the directory, the log and every block.
fn recorded() -> (tempfile::TempDir, Vec<Happened>, Vec<Block>) {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Recording::default());
    let options = Options {
        segment_bytes: 16 * 1024,
        ..small(Arc::clone(&disk) as Arc<dyn Disk>)
    };
    let store = Embedded::create_or_open(dir.path(), SHARDS, options).unwrap();
    std::thread::scope(|scope| {
        for shard in 0..SHARDS {
            let (store, disk) = (&store, &disk);
            scope.spawn(move || {
                let claimed = store.claim(ShardId(shard)).unwrap();
                let mut builder = BlockBuilder::new(ShardId(shard), claimed.epoch, 0);
                let mut random = Random(u64::from(shard));
                for seq in 1..=BLOCKS {
                    let body = random.below(1500) as usize;
                    assert_eq!(
                        submit(store, block(&mut builder, shard, seq, body)).recv(),
                        Ok(Commit::Durable)
                    );
                    disk.note(Happened::Answer(shard, seq));
                }
            });
        }
    });
    drop(store);
    let blocks = scan(dir.path()).unwrap();
    assert_eq!(blocks.len() as u64, BLOCKS * u64::from(SHARDS));
    (dir, disk.log(), blocks)
}

/// The directory as a power cut after the first `cut` events leaves it: of writes that were not synced, each sector is
/// there or not.
fn image(dir: &Path, log: &[Happened], cut: usize, random: &mut Random, to: &Path) {
    copy(dir, to);
    let names: BTreeMap<u64, PathBuf> = segments(dir)
        .into_iter()
        .map(|path| (std::fs::metadata(&path).unwrap().ino(), path))
        .collect();
    let mut files: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for (&file, path) in &names {
        let mut bytes = std::fs::read(path).unwrap();
        bytes[64..].fill(0);
        files.insert(file, bytes);
    }
    for (at, happened) in log[..cut].iter().enumerate() {
        let Happened::Write { file, offset, bytes } = happened else {
            continue;
        };
        let is_sync = |other: &Happened| matches!(other, Happened::Sync { file: synced } if synced == file);
        let synced = log[at..cut].iter().any(is_sync);
        let target = files.get_mut(file).expect("the segment is known");
        let (mut from, end) = (*offset as usize, *offset as usize + bytes.len());
        while from < end {
            let to = ((from / SECTOR + 1) * SECTOR).min(end);
            if synced || random.below(3) > 0 {
                target[from..to].copy_from_slice(&bytes[from - *offset as usize..to - *offset as usize]);
            }
            from = to;
        }
    }
    for (file, bytes) in files {
        std::fs::write(to.join("journal").join(names[&file].file_name().unwrap()), bytes).unwrap();
    }
}

#[test]
fn a_power_cut_loses_nothing_that_was_answered() {
    let (dir, log, blocks) = recorded();
    let mut random = Random(7);
    let (mut torn, mut groups) = (0, 0);
    for _ in 0..CUTS {
        let cut = 1 + random.below(log.len() as u64) as usize;
        let copied = tempfile::tempdir().unwrap();
        image(dir.path(), &log, cut, &mut random, copied.path());

        let kept = scan(copied.path()).unwrap_or_else(|error| panic!("cut after {cut}: {error}"));
        assert!(
            blocks.starts_with(&kept),
            "cut after {cut}: not a prefix of what was written"
        );
        let mut last = [0; SHARDS as usize];
        kept.iter()
            .for_each(|block| last[usize::from(block.shard.0)] = block.seq);
        for happened in &log[..cut] {
            if let Happened::Answer(shard, seq) = *happened {
                assert!(
                    last[usize::from(shard)] >= seq,
                    "cut after {cut}: block {seq} of shard {shard} is lost"
                );
            }
        }
        // It opens, serves just that, and can be written to.
        let options = || Options {
            segment_bytes: 16 * 1024,
            ..small(Arc::new(Fast))
        };
        let store = Embedded::open(copied.path(), options()).unwrap();
        torn += u64::from(store.opened().torn.is_some());
        groups += u64::from(
            store
                .opened()
                .torn
                .as_ref()
                .is_some_and(|told| told.contains("lost when its group")),
        );
        assert_serves(&store, &kept);
        let claimed = store.claim(ShardId(0)).unwrap();
        let mut builder = BlockBuilder::new(ShardId(0), claimed.epoch, claimed.last_now_ms);
        let next = block(&mut builder, 0, claimed.last_block + 1, 700);
        assert_eq!(submit(&store, next.clone()).recv(), Ok(Commit::Durable));
        drop(store);
        let store = Embedded::open(copied.path(), options()).unwrap();
        assert_eq!(store.opened().torn, None);
        assert_serves(&store, &[kept, vec![next]].concat());
    }
    assert!(
        torn > CUTS / 10 && groups > 0,
        "{torn} torn tails, {groups} of them in the middle of a group"
    );
}

#[test]
fn a_process_that_is_killed_leaves_a_prefix() {
    // A kill loses nothing that was handed to the system, and may stop between any two writes.
    let (dir, log, blocks) = recorded();
    let mut random = Random(11);
    for cut in (0..log.len()).step_by(7) {
        let copied = tempfile::tempdir().unwrap();
        let mut all: Vec<Happened> = log[..cut].to_vec();
        let files: Vec<u64> = all
            .iter()
            .filter_map(|event| match event {
                Happened::Write { file, .. } => Some(*file),
                _ => None,
            })
            .collect();
        all.extend(files.into_iter().map(|file| Happened::Sync { file }));
        image(dir.path(), &all, all.len(), &mut random, copied.path());
        let kept = scan(copied.path()).unwrap();
        assert!(blocks.starts_with(&kept));
        let store = Embedded::open(
            copied.path(),
            Options {
                segment_bytes: 16 * 1024,
                ..small(Arc::new(Fast))
            },
        )
        .unwrap();
        assert_eq!(store.opened().torn, None);
        assert_serves(&store, &kept);
    }
}
