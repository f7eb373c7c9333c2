//! Small journals, and what they should hold.

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use tollgate_store::conformance::{Script, Store};
use tollgate_store::envelope::BlockBuilder;
use tollgate_store::{AccountRef, Block, Commit, Head, Journal, Reads, Scan, ShardId, StoreError};
use tollgate_store_embedded::{Disk, Embedded, Options};

/// Options for small journals: the smallest segments, on this disk.
pub(crate) fn small(disk: Arc<dyn Disk>) -> Options {
    Options {
        segment_bytes: 4096,
        disk,
        ..Options::default()
    }
}

/// A store as the conformance suite's scripts want it.
pub(crate) fn plain(store: &Arc<Embedded>) -> Arc<dyn Store> {
    Arc::clone(store) as Arc<dyn Store>
}

/// One thing of kind 1 born to the account, and an event.
pub(crate) fn birth(account: u64, now_ms: u64, first_seq: u64) -> Head {
    Head {
        account,
        now_ms,
        first_seq,
        born: [1, 7].into_iter().collect(),
        ..Head::default()
    }
}

/// Writes `rounds` blocks to each of the first `shards` shards, in turn; account 10 + shard.
pub(crate) fn fill(store: &Arc<Embedded>, shards: u16, rounds: u64) {
    let store = plain(store);
    let mut owners: Vec<Script> = (0..shards).map(|shard| Script::claim(&store, shard)).collect();
    for round in 1..=rounds {
        for (account, owner) in (10..).zip(&mut owners) {
            owner.write(&[birth(account, round, round * 2 - 1)]);
        }
    }
}

/// A block with a body of `body` bytes that tells its shard and sequence number.
pub(crate) fn block(builder: &mut BlockBuilder, shard: u16, seq: u64, body: usize) -> Block {
    builder
        .push(
            &birth(10 + u64::from(shard), seq, seq * 2 - 1),
            &bytes_of(shard, seq, body),
        )
        .expect("room");
    builder.seal(seq)
}

/// The body that [`block`] writes.
pub(crate) fn bytes_of(shard: u16, seq: u64, body: usize) -> Vec<u8> {
    let mut random = u64::from(shard) << 32 | seq;
    let mut next = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as u8
    };
    (0..body).map(|_| next()).collect()
}

/// Submits without waiting.
pub(crate) fn submit(store: &Embedded, block: Block) -> mpsc::Receiver<Commit> {
    let (sender, receiver) = mpsc::sync_channel(1);
    store.submit(block, Box::new(move |commit| sender.send(commit).unwrap_or_default()));
    receiver
}

/// Every block of a directory.
pub(crate) fn scan(dir: &Path) -> Result<Vec<Block>, StoreError> {
    let mut blocks = Vec::new();
    Embedded::scanner(dir)?.scan(&mut |stored| {
        blocks.push(stored.block);
        Ok(())
    })?;
    Ok(blocks)
}

/// Asserts that the store answers with exactly these blocks: it finds what they hold and nothing after it.
pub(crate) fn assert_serves(store: &Embedded, blocks: &[Block]) {
    let mut last = std::collections::BTreeMap::new();
    for block in blocks {
        for record in tollgate_store::envelope::records(&block.bytes, block.count) {
            let record = record.expect("the block reads");
            let account = AccountRef(record.head.account);
            for nth in 0..record.head.born.len() as u64 {
                let seq = record.head.first_seq + nth;
                let found = store
                    .newest(account, seq)
                    .expect("the read succeeds")
                    .expect("the record is found");
                assert_eq!((&found.head, &found.body[..]), (&record.head, record.body));
                last.insert(account, seq);
            }
        }
    }
    for (account, seq) in last {
        assert!(store.newest(account, seq + 1).expect("the read succeeds").is_none());
    }
    for shard in 0..store.meta().shards {
        let blocks = blocks.iter().filter(|block| block.shard == ShardId(shard)).count() as u64;
        assert_eq!(
            store.claim(ShardId(shard)).expect("a claim succeeds").last_block,
            blocks
        );
    }
}

/// Copies the files of a data directory.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the directory is made");
    for entry in std::fs::read_dir(from).expect("the directory is read") {
        let (path, name) = entry
            .map(|entry| (entry.path(), entry.file_name()))
            .expect("the entry is read");
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else if std::fs::copy(&path, to.join(name)).is_err() {
            // Of a live directory, a file may have got its final name meanwhile.
            assert!(!path.exists(), "{} is not copied", path.display());
        }
    }
}

/// The segments of a directory, in order.
pub(crate) fn segments(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join("journal")).expect("the journal is read");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the entry is read").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "segment"));
    paths.sort();
    paths
}
