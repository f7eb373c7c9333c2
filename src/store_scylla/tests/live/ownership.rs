//! Two owners of a shard: only the newer one's blocks become durable, whatever the older one still sends.

use crate::{applied, one_shard, open_as};
use std::sync::Arc;
use tollgate_store::conformance::{Script, Store, wait};
use tollgate_store::{AccountRef, Commit, Head, Scan};
use tollgate_store_scylla::{SEGMENT_BLOCKS, Scanner};

fn birth(number: u64) -> Head {
    Head {
        account: 1,
        now_ms: number,
        first_seq: number,
        born: [1].as_slice().into(),
        ..Head::default()
    }
}

#[test]
fn a_paused_owner_that_wakes_up_appends_nothing() {
    let settings = applied();
    let a: Arc<dyn Store> = open_as("a", &settings, &one_shard());
    let b: Arc<dyn Store> = open_as("b", &settings, &one_shard());
    let mut old = Script::claim(&a, 0);
    old.write(&[birth(1)]);
    let late = old.block(&[birth(2)]);
    let mut new = Script::claim(&b, 0);
    // What the first owner wrote is what the second one stands on.
    assert_eq!(b.birth(AccountRef(1), 1).unwrap().unwrap().head.now_ms, 1);
    assert_eq!(wait(&*a, late), Commit::Fenced);
    new.write(&[birth(2)]);
    assert!(
        a.birth(AccountRef(1), 2).unwrap().is_none(),
        "a block that it did not write"
    );
    // It takes the shard back and finds what happened meanwhile.
    let mut back = Script::claim(&a, 0);
    assert_eq!(a.birth(AccountRef(1), 2).unwrap().unwrap().head.now_ms, 2);
    back.write(&[birth(3)]);
}

#[test]
fn a_segment_goes_on_in_the_next_one_whoever_owns_it() {
    let settings = applied();
    let a: Arc<dyn Store> = open_as("a", &settings, &one_shard());
    let mut owner = Script::claim(&a, 0);
    for number in 1..=SEGMENT_BLOCKS {
        owner.write(&[birth(number)]);
    }
    // The first segment is full and the next one not opened yet.
    let b: Arc<dyn Store> = open_as("b", &settings, &one_shard());
    let late = owner.block(&[birth(SEGMENT_BLOCKS + 1)]);
    let mut next = Script::claim(&b, 0);
    assert_eq!(
        wait(&*a, late),
        Commit::Fenced,
        "the fence holds in the segment that was never opened"
    );
    next.write(&[birth(SEGMENT_BLOCKS + 1)]);
    next.write(&[birth(SEGMENT_BLOCKS + 2)]);
    let mut back = Script::claim(&a, 0);
    back.write(&[birth(SEGMENT_BLOCKS + 3)]);
    let mut seen = 0;
    let scanner = Scanner::open(&settings).unwrap();
    scanner
        .scan(&mut |stored| {
            seen += 1;
            assert_eq!(stored.block.seq, seen);
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, SEGMENT_BLOCKS + 3);
}

#[test]
fn nodes_that_claim_at_once_get_different_epochs() {
    let settings = applied();
    let stores: Vec<Arc<dyn Store>> = ["a", "b", "c"]
        .iter()
        .map(|node| open_as(node, &settings, &one_shard()) as _)
        .collect();
    let mut epochs: Vec<u64> = std::thread::scope(|scope| {
        let each: Vec<_> = stores
            .iter()
            .map(|store| {
                scope.spawn(|| {
                    (0..5)
                        .map(|_| store.claim(tollgate_store::ShardId(0)).unwrap().epoch.0)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        each.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    epochs.sort_unstable();
    assert_eq!(epochs.len(), 15);
    epochs
        .windows(2)
        .for_each(|pair| assert_ne!(pair[0], pair[1], "an epoch was given twice"));
}
