//! Two owners of a shard: only the newer one's blocks become durable, whatever the older one still sends.

use crate::{applied, one_shard, open_as};
use std::sync::Arc;
use tollgate_store::conformance::{Script, Store, wait};
use tollgate_store::{AccountRef, Commit, Head, Journal, Scan, ShardId, StoreError, Tail};
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
        a.birth(AccountRef(1), 1).is_err(),
        "it answers for a shard that it does not own"
    );
    // It does not take the shard back by itself, or the two would do so for ever.
    let taken = a.claim_after(ShardId(0), old.epoch()).unwrap_err();
    assert!(
        matches!(&taken, StoreError::Taken { shard: 0, by } if by == "node b"),
        "{taken}"
    );
    new.write(&[birth(3)]);
    // Nor does what it forgets of its own matter to anybody.
    a.release(ShardId(0), old.epoch());
    // A process that starts does, and finds what happened meanwhile.
    let c: Arc<dyn Store> = open_as("a", &settings, &one_shard());
    let mut back = Script::claim(&c, 0);
    assert_eq!(c.birth(AccountRef(1), 3).unwrap().unwrap().head.now_ms, 3);
    back.write(&[birth(4)]);
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
    let c: Arc<dyn Store> = open_as("c", &settings, &one_shard());
    let mut back = Script::claim(&c, 0);
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
    // A node that owns nothing follows it, from one segment into the next, and sees what is acknowledged from then on.
    let follower = open_as("d", &settings, &one_shard());
    let mut read = 0;
    let mut follow = || loop {
        let blocks = follower.blocks_after(ShardId(0), read, 100).unwrap();
        if blocks.is_empty() {
            return read;
        }
        for block in blocks {
            read += 1;
            assert_eq!(block.seq, read);
        }
    };
    assert_eq!(follow(), SEGMENT_BLOCKS + 3);
    back.write(&[birth(SEGMENT_BLOCKS + 4)]);
    assert_eq!(follow(), SEGMENT_BLOCKS + 4);
    assert_eq!(follower.blocks_after(ShardId(1), 0, 100).unwrap(), []);
}

#[test]
fn nodes_that_claim_at_once_get_different_epochs() {
    let settings = applied();
    let claim = |node: usize| {
        let store = open_as(&format!("node{node}"), &settings, &one_shard());
        store.claim(ShardId(0)).unwrap().epoch.0
    };
    let claim = &claim;
    let mut epochs: Vec<u64> = std::thread::scope(|scope| {
        let each: Vec<_> = (0..6).map(|node| scope.spawn(move || claim(node))).collect();
        each.into_iter().map(|one| one.join().unwrap()).collect()
    });
    epochs.sort_unstable();
    // A claim that another one overtakes before it has raised the fence is made again, so some may be left out.
    assert!(
        epochs[0] >= 1 && epochs.is_sorted_by(|one, next| one < next),
        "{epochs:?}"
    );
}
