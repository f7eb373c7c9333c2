//! Who may append, and in what order.

use super::script::{DIRECTORY, births, claimed};
use super::{Script, Subject, heads_of, wait};
use crate::{AccountRef, Commit, Epoch, ShardId};

pub(super) fn a_claim_fences_older_epochs(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut old = Script::claim(&store, 0);
    old.write(&[births(1, 10, 1, &[1])]);
    let mut new = Script::claim(&store, 0);
    let late = old.block(&[births(1, 20, 2, &[1])]);
    assert_eq!(wait(&*store, late), Commit::Fenced);
    assert!(
        store.birth(AccountRef(1), 2).unwrap().is_none(),
        "a fenced block was published"
    );
    new.write(&[births(1, 30, 2, &[1])]);
    assert_eq!(store.birth(AccountRef(1), 2).unwrap().unwrap().head.now_ms, 30);

    // Nobody may write who never claimed.
    let mut stranger = Script::claim(&store, 1).block(&[births(2, 10, 1, &[1])]);
    stranger.epoch = Epoch(stranger.epoch.0 + 1);
    assert_eq!(wait(&*store, stranger), Commit::Fenced);
}

pub(super) fn a_claim_tells_the_newest_block(subject: Box<dyn Subject>) {
    let store = subject.store();
    let first = claimed(&*store, 0);
    assert_eq!((first.last_block, first.last_now_ms), (0, 0));
    let mut owner = Script::claim(&store, 0);
    owner.write(&[births(1, 10, 1, &[1])]);
    owner.write(&[births(1, 25, 2, &[1]), births(2, 20, 1, &[1])]);
    let next = claimed(&*store, 0);
    assert_eq!((next.last_block, next.last_now_ms), (2, 25));
    assert!(next.epoch > first.epoch);
    let other = claimed(&*store, DIRECTORY);
    assert_eq!((other.last_block, other.last_now_ms), (0, 0), "shards are apart");
}

pub(super) fn a_sequence_number_is_given_once(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut owner = Script::claim(&store, 0);
    let first = owner.block(&[births(1, 10, 1, &[1])]);
    assert_eq!(wait(&*store, first.clone()), Commit::Durable);
    assert_eq!(wait(&*store, first), Commit::Fenced, "the same block twice");
    let mut gap = owner.block(&[births(1, 20, 2, &[1])]);
    gap.seq = 3;
    assert_eq!(wait(&*store, gap), Commit::Fenced, "a gap");
    assert_eq!(count(&*subject.scan()), 1);
}

pub(super) fn epochs_survive_a_restart(subject: Box<dyn Subject>) {
    let store = subject.store();
    let before = claimed(&*store, 2);
    let mut owner = Script::claim(&store, 0);
    owner.write(&[births(1, 10, 1, &[1])]);
    let late = owner.block(&[births(1, 20, 2, &[1])]);
    drop(owner);
    drop(store);
    let subject = subject.restart();
    let store = subject.store();
    let after = claimed(&*store, 2);
    assert!(after.epoch > before.epoch, "an epoch was given twice");
    let owner = claimed(&*store, 0);
    assert_eq!((owner.last_block, owner.last_now_ms), (1, 10));
    assert!(owner.epoch > late.epoch);
    assert_eq!(wait(&*store, late), Commit::Fenced, "the last process's block");
}

pub(super) fn two_blocks_in_flight_are_a_bug(subject: Box<dyn Subject>) {
    // Only a backend that takes time can be caught at it: the block is answered on its own thread at some point.
    // What every backend must hold is that both never become durable under one sequence number.
    let store = subject.store();
    let mut owner = Script::claim(&store, 0);
    let block = owner.block(&[births(1, 10, 1, &[1])]);
    let again = block.clone();
    let (sender, receiver) = std::sync::mpsc::sync_channel(2);
    let second = sender.clone();
    store.submit(
        block,
        Box::new(move |commit| sender.send(commit).expect("the test waits")),
    );
    let quiet = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.submit(
            again,
            Box::new(move |commit| second.send(commit).expect("the test waits")),
        );
    }));
    let durable = receiver
        .iter()
        .take(if quiet.is_ok() { 2 } else { 1 })
        .filter(|&commit| commit == Commit::Durable);
    assert_eq!(durable.count(), 1);
    assert_eq!(count(&*subject.scan()), 1);
}

pub(super) fn a_scan_gives_every_block_in_order(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut shards = [0, 1, 2, 3, DIRECTORY].map(|shard| Script::claim(&store, shard));
    for round in 1..=20u64 {
        for (shard, owner) in shards.iter_mut().enumerate() {
            let account = if shard == 4 { 0 } else { 100 + shard as u64 };
            owner.write(&[births(account, round, round * 2 - 1, &[1, 7])]);
        }
    }
    drop(shards);
    drop(store);
    for subject in [subject.scan(), subject.restart().scan()] {
        let mut last = std::collections::BTreeMap::new();
        subject
            .scan(&mut |stored| {
                let seq = last.entry(stored.block.shard).or_insert(0);
                assert_eq!(stored.block.seq, *seq + 1, "{}", stored.place);
                *seq += 1;
                let heads = heads_of(&stored.block);
                assert_eq!(heads.len(), 1);
                assert_eq!((heads[0].now_ms, stored.block.now_ms), (*seq, *seq));
                assert!(!stored.place.is_empty());
                Ok(())
            })
            .expect("the journal is whole");
        assert_eq!(
            last.into_iter().collect::<Vec<_>>(),
            [0, 1, 2, 3, DIRECTORY].map(|shard| (ShardId(shard), 20))
        );
        // A visitor can stop it.
        let stop = crate::StoreError::Stopped;
        assert!(subject.scan(&mut |_| Err(stop.clone())).is_err());
    }
}

fn count(scan: &dyn crate::Scan) -> usize {
    let mut blocks = 0;
    scan.scan(&mut |_| {
        blocks += 1;
        Ok(())
    })
    .expect("the journal is whole");
    blocks
}
