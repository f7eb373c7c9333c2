//! Damaged files: noticed, named, and never served.

use crate::disks::{Fast, Gated};
use crate::world::{assert_serves, block, copy, fill, scan, segments, small, submit};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tollgate_store::envelope::BlockBuilder;
use tollgate_store::{AccountRef, Block, Commit, Journal, Reads, ShardId, StoreError};
use tollgate_store_embedded::Embedded;

/// A journal of several segments whose last group is one frame, closed.
fn journal() -> (tempfile::TempDir, Vec<Block>) {
    let dir = tempfile::tempdir().unwrap();
    let store = Embedded::create_or_open(dir.path(), 2, small(Arc::new(Fast))).unwrap();
    fill(&store, 2, 60);
    drop(store);
    let blocks = scan(dir.path()).unwrap();
    assert_eq!(blocks.len(), 120);
    (dir, blocks)
}

/// Where the frames of the last used segment start, and where they end; and that segment's number, from 0.
fn last_frames(dir: &Path) -> (usize, Vec<usize>) {
    let paths = segments(dir);
    let used = paths
        .iter()
        .rposition(|path| std::fs::read(path).unwrap()[64..].iter().any(|&byte| byte != 0));
    let used = used.expect("the journal is not empty");
    let bytes = std::fs::read(&paths[used]).unwrap();
    let mut at = 64;
    let mut starts = vec![at];
    while bytes[at..].starts_with(b"TGF") {
        let len = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap()) as usize;
        at = (at + 64 + len + 1).next_multiple_of(8);
        starts.push(at);
    }
    (used, starts)
}

/// Opens a damaged directory and asserts that it either serves exactly `blocks` or refuses and changes nothing.
fn open_after(dir: &Path, what: &str, expected: Result<&[Block], &Path>) {
    let before: Vec<Vec<u8>> = segments(dir).iter().map(|path| std::fs::read(path).unwrap()).collect();
    match (Embedded::open(dir, small(Arc::new(Fast))), expected) {
        (Ok(store), Ok(blocks)) => assert_serves(&store, blocks),
        (Err(error), Err(file)) => {
            assert_named(&error, file, what);
            let after: Vec<Vec<u8>> = segments(dir).iter().map(|path| std::fs::read(path).unwrap()).collect();
            assert!(before == after, "{what}: a refused journal was changed");
        }
        (Ok(_), Err(_)) => panic!("{what}: went unnoticed"),
        (Err(error), Ok(_)) => panic!("{what}: {error}"),
    }
}

/// Opens a file for damage in place: one that is cut and written anew is synced by some file systems, and that takes long.
fn writable(path: &Path) -> File {
    File::options().write(true).open(path).unwrap()
}

fn assert_named(error: &StoreError, file: &Path, what: &str) {
    assert!(matches!(error, StoreError::Corrupt { .. }), "{what}: {error}");
    let text = error.to_string();
    assert!(
        text.contains(&file.display().to_string()) && text.contains("offset"),
        "{what}: {text}"
    );
}

#[test]
fn every_flipped_byte_is_noticed_and_none_is_served() {
    let (dir, blocks) = journal();
    let (last, starts) = last_frames(dir.path());
    let (last_frame, end) = (starts[starts.len() - 2], starts[starts.len() - 1]);
    let paths = segments(dir.path());
    assert!(last >= 2 && paths.len() == last + 2, "several segments and a spare one");
    for (number, path) in paths.iter().enumerate() {
        let (sound, file) = (std::fs::read(path).unwrap(), writable(path));
        for at in 0..sound.len() {
            file.write_all_at(&[sound[at] ^ 1 << (at % 8)], at as u64).unwrap();
            let what = format!("segment {} byte {at}", number + 1);
            let expected = if at < 64 || number < last || (number == last && at < last_frame) {
                Err(&**path)
            } else if number == last && at < end {
                Ok(&blocks[..blocks.len() - 1])
            } else {
                Ok(&blocks[..])
            };
            match (scan(dir.path()), expected) {
                (Ok(found), Ok(blocks)) => assert!(found == blocks, "{what}: other blocks are served"),
                (Err(error), Err(file)) => assert_named(&error, file, &what),
                (Ok(_), Err(_)) => panic!("{what}: went unnoticed"),
                (Err(error), Ok(_)) => panic!("{what}: {error}"),
            }
            // Opening for writing takes longer; it goes the same way.
            if at % 29 == number {
                let copied = tempfile::tempdir().unwrap();
                copy(dir.path(), copied.path());
                let damaged = expected.err().map(|_| segments(copied.path())[number].clone());
                open_after(
                    copied.path(),
                    &what,
                    expected.map_err(|_| damaged.as_deref().expect("it is refused")),
                );
            }
            file.write_all_at(&sound[at..=at], at as u64).unwrap();
        }
    }
    assert_eq!(scan(dir.path()).unwrap(), blocks);
}

#[test]
fn a_shortened_segment_is_refused_at_every_length() {
    let (dir, blocks) = journal();
    for path in segments(dir.path()) {
        let (sound, file) = (std::fs::read(&path).unwrap(), writable(&path));
        for len in (0..sound.len()).rev() {
            file.set_len(len as u64).unwrap();
            assert_named(&scan(dir.path()).unwrap_err(), &path, &format!("cut to {len}"));
        }
        file.write_all_at(&sound, 0).unwrap();
    }
    assert_eq!(scan(dir.path()).unwrap(), blocks);
}

#[test]
fn a_write_that_got_only_so_far_is_cut_off() {
    // The last frame as far as it was written when the process was killed, zeros from there on.
    let (dir, blocks) = journal();
    let (last, starts) = last_frames(dir.path());
    let (from, to) = (starts[starts.len() - 2], starts[starts.len() - 1]);
    let path = segments(dir.path())[last].clone();
    let (sound, file) = (std::fs::read(&path).unwrap(), writable(&path));
    for len in from..to {
        let mut torn = sound.clone();
        torn[len..].fill(0);
        file.write_all_at(&torn, 0).unwrap();
        let what = format!("written to {len}");
        assert_eq!(scan(dir.path()).unwrap(), blocks[..blocks.len() - 1], "{what}");
        if len % 13 == 0 {
            open_after(dir.path(), &what, Ok(&blocks[..blocks.len() - 1]));
        }
    }
}

#[test]
fn what_follows_a_cut_is_kept() {
    let (dir, mut blocks) = journal();
    let (last, starts) = last_frames(dir.path());
    let path = segments(dir.path())[last].clone();
    let mut torn = std::fs::read(&path).unwrap();
    torn[starts[starts.len() - 2] + 70] ^= 1;
    std::fs::write(&path, &torn).unwrap();
    blocks.pop();
    {
        let store = Embedded::open(dir.path(), small(Arc::new(Fast))).unwrap();
        let told = store.opened().torn.clone().expect("the cut is reported");
        assert!(
            told.contains(&path.display().to_string()) && told.contains("cut off"),
            "{told}"
        );
        let claimed = store.claim(ShardId(1)).unwrap();
        assert_eq!(claimed.last_block, 59);
        let mut builder = BlockBuilder::new(ShardId(1), claimed.epoch, claimed.last_now_ms);
        let next = block(&mut builder, 1, 60, 5);
        blocks.push(next.clone());
        assert_eq!(submit(&store, next).recv(), Ok(Commit::Durable));
    }
    let store = Embedded::open(dir.path(), small(Arc::new(Fast))).unwrap();
    assert_eq!(store.opened().torn, None);
    assert_serves(&store, &blocks);
}

#[test]
fn a_flip_in_a_group_of_several_frames_is_damage_unless_it_is_in_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Gated::default());
    let mut blocks = Vec::new();
    {
        let store = Embedded::create_or_open(dir.path(), 4, small(Arc::clone(&disk) as _)).unwrap();
        let mut builders: Vec<BlockBuilder> = (0..4)
            .map(|shard| (ShardId(shard), store.claim(ShardId(shard)).unwrap()))
            .map(|(shard, claimed)| BlockBuilder::new(shard, claimed.epoch, 0))
            .collect();
        disk.close();
        let mut answers = Vec::new();
        for shard in 0..4u16 {
            let next = block(&mut builders[usize::from(shard)], shard, 1, 320);
            blocks.push(next.clone());
            answers.push(submit(&store, next));
            // The first goes alone; the others gather behind it and make one group.
            disk.await_waiting();
        }
        let before = disk.syncs();
        disk.open();
        assert!(answers.iter().all(|answer| answer.recv() == Ok(Commit::Durable)));
        assert_eq!(disk.syncs(), before + 1, "three blocks were synced at once");
    }
    let (last, starts) = last_frames(dir.path());
    assert_eq!((last, starts.len()), (0, 9), "four claims, four blocks");
    let path = segments(dir.path())[0].clone();
    let (sound, file) = (std::fs::read(&path).unwrap(), writable(&path));
    for at in starts[5]..starts[8] {
        let mut damaged = sound.clone();
        damaged[at] ^= 0x10;
        file.write_all_at(&damaged, 0).unwrap();
        match scan(dir.path()) {
            Ok(found) => assert!(at >= starts[7] && found == blocks[..3], "byte {at}"),
            Err(error) => assert!(
                at < starts[7] && error.to_string().contains("later frame"),
                "byte {at}: {error}"
            ),
        }
    }
    // A sector that never reached the disk is another matter: a power cut in the middle of the group's write.
    let hole = starts[5].next_multiple_of(512);
    let mut torn = sound.clone();
    torn[hole..hole + 512].fill(0);
    std::fs::write(&path, &torn).unwrap();
    assert!(
        hole < starts[6] && hole + 512 < starts[7],
        "the hole is in the first two frames of the group"
    );
    assert_eq!(scan(dir.path()).unwrap(), blocks[..1]);
    open_after(dir.path(), "a hole in the last group", Ok(&blocks[..1]));
    // The same hole in a group that a later one follows is damage.
    let mut holed = sound;
    let hole = starts[4].next_multiple_of(512);
    holed[hole..hole + 512].fill(0);
    assert!(hole < starts[5]);
    std::fs::write(&path, &holed).unwrap();
    assert!(scan(dir.path()).unwrap_err().to_string().contains("later frame"));
}

#[test]
fn a_record_that_rots_while_the_store_is_open_is_not_served() {
    let (dir, blocks) = journal();
    let store = Embedded::open(dir.path(), small(Arc::new(Fast))).unwrap();
    let account = AccountRef(10);
    let served = store.newest(account, 1).unwrap().expect("it is there").body;
    let path = &segments(dir.path())[0];
    let (sound, file) = (std::fs::read(path).unwrap(), writable(path));
    let at = sound
        .windows(served.len())
        .position(|bytes| *bytes == *served)
        .expect("the body is in the file");
    file.write_all_at(b"X", at as u64).unwrap();
    let error = store.newest(account, 1).unwrap_err();
    assert_named(&error, path, "a rotten record");
    assert!(store.newest(account, 3).unwrap().is_some(), "its neighbours are fine");
    file.write_all_at(&sound[at..=at], at as u64).unwrap();
    assert_serves(&store, &blocks);
}

#[test]
fn lost_doubled_and_foreign_parts_are_refused() {
    let (dir, _) = journal();
    let paths = segments(dir.path());
    let refused = |why: &str, damage: &dyn Fn(&[PathBuf])| {
        let copied = tempfile::tempdir().unwrap();
        copy(dir.path(), copied.path());
        damage(&segments(copied.path()));
        let error = scan(copied.path()).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        assert!(Embedded::open(copied.path(), small(Arc::new(Fast))).is_err());
    };
    refused("this segment is missing", &|paths| {
        std::fs::remove_file(&paths[0]).unwrap()
    });
    refused("this segment is missing", &|paths| {
        std::fs::remove_file(&paths[1]).unwrap()
    });
    refused("under another number", &|paths| {
        std::fs::copy(&paths[0], &paths[1]).unwrap();
    });
    refused("no segments", &|paths| {
        paths.iter().for_each(|path| std::fs::remove_file(path).unwrap())
    });
    // A whole segment's frames are gone: the chain tells.
    refused("frames are missing", &|paths| {
        let mut bytes = std::fs::read(&paths[1]).unwrap();
        bytes[64..].fill(0);
        std::fs::write(&paths[1], bytes).unwrap();
    });
    // Two frames are cut out and the rest moved up.
    refused("frames are missing", &|paths| {
        let mut bytes = std::fs::read(&paths[1]).unwrap();
        let frame = |at: usize| {
            let len = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap()) as usize;
            (at + 64 + len + 1).next_multiple_of(8)
        };
        let after = frame(frame(64));
        bytes.copy_within(after.., 64);
        std::fs::write(&paths[1], bytes).unwrap();
    });
    // Segments of another data directory.
    let (other, _) = journal();
    let foreign = segments(other.path());
    refused("other data", &|paths| {
        std::fs::copy(&foreign[1], &paths[1]).unwrap();
    });
    assert_eq!(paths.len(), foreign.len());
}
