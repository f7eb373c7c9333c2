//! The data directory: who may use it, and what it says about itself.

use crate::disks::Fast;
use crate::world::{assert_serves, block, copy, fill, scan, segments, small, submit};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use tollgate_store::envelope::BlockBuilder;
use tollgate_store::{Commit, Journal, ShardId, StoreError};
use tollgate_store_embedded::{Embedded, FORMAT, Options};

fn create(dir: &Path) -> Arc<Embedded> {
    Embedded::create_or_open(dir, 4, small(Arc::new(Fast))).expect("the directory is created")
}

fn refusal(dir: &Path) -> String {
    let opened = Embedded::open(dir, small(Arc::new(Fast)));
    let created = Embedded::create_or_open(dir, 4, small(Arc::new(Fast)));
    let (one, other) = (
        opened.err().expect("it is refused"),
        created.err().expect("it is refused"),
    );
    assert_eq!(one.to_string(), other.to_string());
    one.to_string()
}

/// Replaces text in the meta file, and its checksum with it.
fn edit_meta(dir: &Path, from: &str, to: &str) {
    let path = dir.join("meta");
    let text = std::fs::read_to_string(&path).unwrap();
    let body = text.split("checksum").next().unwrap().replace(from, to);
    let sum = crc32c::crc32c(body.as_bytes());
    std::fs::write(path, format!("{body}checksum = {sum:08x}\n")).unwrap();
}

#[test]
fn data_is_created_once_and_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/data");
    let store = create(&path);
    let (meta, secret) = (store.meta().clone(), store.secret().clone());
    assert_eq!((meta.format, meta.shards), (FORMAT, 4));
    assert!(meta.created_ms > 1_700_000_000_000);
    drop(store);
    // Another number of shards changes nothing once the data is there.
    let store = Embedded::create_or_open(&path, 9, small(Arc::new(Fast))).unwrap();
    assert_eq!((store.meta(), store.secret()), (&meta, &secret));
    let mode = |name: &str| std::fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("secret"), mode(""), mode("journal")), (0o600, 0o700, 0o700));
    let text = std::fs::read_to_string(path.join("secret")).unwrap();
    assert_eq!((text.trim_end().len(), secret.bytes().len()), (64, 32));
    assert_eq!(format!("{secret:?}"), "Secret", "it does not print");
    let other = tempfile::tempdir().unwrap();
    assert_ne!(create(other.path()).secret(), &secret);
}

#[test]
fn nothing_is_opened_where_nothing_is() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().to_owned(), dir.path().join("missing")] {
        let error = Embedded::open(&path, small(Arc::new(Fast))).err().unwrap().to_string();
        assert!(
            error.contains("there is no data here") && error.contains("--data"),
            "{error}"
        );
    }
    assert!(!dir.path().join("missing").exists());
    assert!(Embedded::create_or_open(Path::new(""), 1, small(Arc::new(Fast))).is_err());
}

#[test]
fn a_second_process_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let error = refusal(dir.path());
    assert!(
        error.contains(&format!("(pid {})", std::process::id())) && error.contains("in use"),
        "{error}"
    );
    assert!(matches!(
        Embedded::open(dir.path(), small(Arc::new(Fast))),
        Err(StoreError::Locked { .. })
    ));
    assert!(matches!(Embedded::hold(dir.path()), Err(StoreError::Locked { .. })));
    drop(store);
    drop(Embedded::open(dir.path(), small(Arc::new(Fast))).expect("the lock is free again"));
    let held = Embedded::hold(dir.path()).expect("the lock is free again");
    assert!(refusal(dir.path()).contains("in use"));
    drop(held);
    drop(Embedded::open(dir.path(), small(Arc::new(Fast))).expect("the lock is free again"));
}

#[test]
fn newer_data_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path()));
    edit_meta(dir.path(), "format = 1", "format = 2");
    let error = refusal(dir.path());
    assert!(
        error.contains("format 2") && error.contains("reads up to 1") && error.contains("newer release"),
        "{error}"
    );
    // A newer release may have changed everything but the line with the format.
    std::fs::write(dir.path().join("meta"), "shape = other\nformat = 3\n").unwrap();
    assert!(refusal(dir.path()).contains("format 3"));
    assert!(matches!(
        Embedded::scanner(dir.path()),
        Err(StoreError::NewerFormat { .. })
    ));
}

#[test]
fn a_newer_segment_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path()));
    let path = segments(dir.path())[0].clone();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8] = 2;
    let sum = crc32c::crc32c(&bytes[..60]);
    bytes[60..64].copy_from_slice(&sum.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    assert!(refusal(dir.path()).contains("newer release"));
}

#[test]
fn every_flipped_byte_of_meta_and_secret_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path()));
    for name in ["meta", "secret"] {
        let path = dir.path().join(name);
        let sound = std::fs::read(&path).unwrap();
        // The line break at the end of the secret means nothing.
        let len = if name == "secret" { 64 } else { sound.len() };
        for at in 0..len {
            let mut damaged = sound.clone();
            damaged[at] ^= 1;
            // Digits of either case are the same digits.
            std::fs::write(&path, &damaged).unwrap();
            let error = refusal(dir.path());
            assert!(error.contains(&path.display().to_string()), "{name} byte {at}: {error}");
        }
        std::fs::write(&path, &sound).unwrap();
    }
    drop(Embedded::open(dir.path(), small(Arc::new(Fast))).unwrap());
}

#[test]
fn a_wrong_or_missing_secret_is_refused() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop((create(dir.path()), create(other.path())));
    std::fs::copy(other.path().join("secret"), dir.path().join("secret")).unwrap();
    assert!(refusal(dir.path()).contains("the secret of other data"));
    std::fs::remove_file(dir.path().join("secret")).unwrap();
    assert!(refusal(dir.path()).contains("the file is missing"));
}

#[test]
fn a_creation_that_was_interrupted_is_done_again() {
    let sound = tempfile::tempdir().unwrap();
    drop(create(sound.path()));
    // In the order in which creation makes them, the last one missing.
    for kept in [&[][..], &["secret"], &["secret", "journal"]] {
        let dir = tempfile::tempdir().unwrap();
        copy(sound.path(), dir.path());
        std::fs::remove_file(dir.path().join("meta")).unwrap();
        std::fs::remove_file(&segments(dir.path())[1..][0]).unwrap();
        std::fs::write(dir.path().join("journal/00000001.preparing"), b"half").unwrap();
        if !kept.contains(&"secret") {
            std::fs::remove_file(dir.path().join("secret")).unwrap();
        }
        if !kept.contains(&"journal") {
            std::fs::remove_dir_all(dir.path().join("journal")).unwrap();
        }
        let store = create(dir.path());
        fill(&store, 4, 3);
        drop(store);
        assert_eq!(create(dir.path()).opened().blocks, 12);
        assert!(!dir.path().join("journal/00000001.preparing").exists());
    }
}

#[test]
fn a_journal_without_meta_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    fill(&store, 1, 1);
    drop(store);
    let before = std::fs::read(&segments(dir.path())[0]).unwrap();
    std::fs::remove_file(dir.path().join("meta")).unwrap();
    let error = Embedded::create_or_open(dir.path(), 4, small(Arc::new(Fast)))
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("its meta file is missing"), "{error}");
    assert_eq!(std::fs::read(&segments(dir.path())[0]).unwrap(), before);
}

/// Lets four shards write while `meanwhile` looks on.
fn while_writing(store: &Embedded, pause: Duration, meanwhile: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for shard in 0..4u16 {
            let stop = &stop;
            scope.spawn(move || {
                let claimed = store.claim(ShardId(shard)).unwrap();
                let mut builder = BlockBuilder::new(ShardId(shard), claimed.epoch, 0);
                for seq in 1.. {
                    if stop.load(SeqCst) {
                        break;
                    }
                    assert_eq!(
                        submit(store, block(&mut builder, shard, seq, 300)).recv(),
                        Ok(Commit::Durable)
                    );
                    std::thread::sleep(pause);
                }
            });
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(meanwhile));
        stop.store(true, SeqCst);
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

#[test]
fn a_live_journal_can_be_scanned() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        segment_bytes: 64 * 1024,
        ..small(Arc::new(Fast))
    };
    let store = Embedded::create_or_open(dir.path(), 4, options).unwrap();
    while_writing(&store, Duration::ZERO, || {
        let (mut last, mut scans) = (Vec::new(), 0);
        while scans < 20 || last.len() < 1000 {
            let blocks = scan(dir.path()).expect("a live journal can be scanned");
            assert!(blocks.starts_with(&last), "what was scanned once is still there");
            last = blocks;
            scans += 1;
        }
    });
    assert!(
        segments(dir.path()).len() > 4,
        "the writer went on to other segments meanwhile"
    );
}

#[test]
fn a_copy_of_a_live_journal_opens() {
    let dir = tempfile::tempdir().unwrap();
    // One segment takes it all: a copy takes file after file, so it may miss the step from one to the next.
    let options = || Options {
        segment_bytes: 16 << 20,
        ..small(Arc::new(Fast))
    };
    let store = Embedded::create_or_open(dir.path(), 4, options()).unwrap();
    while_writing(&store, Duration::from_micros(200), || {
        let (mut last, mut copies) = (0, 0);
        while copies < 8 || last < 100 {
            let copied = tempfile::tempdir().unwrap();
            copy(dir.path(), copied.path());
            let blocks = scan(copied.path()).expect("a copy can be scanned");
            let taken = Embedded::open(copied.path(), options()).expect("the lock does not travel with a copy");
            assert_serves(&taken, &blocks);
            assert!(blocks.len() >= last);
            last = blocks.len();
            copies += 1;
        }
    });
    assert_eq!(segments(dir.path()).len(), 2);
}

#[test]
fn answers_outlive_the_last_owner() {
    // What was handed in is written although nobody holds the store any more.
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let claimed = store.claim(ShardId(0)).unwrap();
    let mut builder = BlockBuilder::new(ShardId(0), claimed.epoch, 0);
    let inside = Arc::clone(&store);
    let (sender, receiver) = std::sync::mpsc::channel();
    let done = move |commit| {
        drop(inside);
        sender.send(commit).unwrap();
    };
    store.submit(block(&mut builder, 0, 1, 10), Box::new(done));
    drop(store);
    assert_eq!(receiver.recv(), Ok(Commit::Durable));
    assert_eq!(scan(dir.path()).unwrap().len(), 1);
}
