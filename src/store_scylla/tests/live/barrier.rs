//! The read barrier: whoever was overtaken hears it from the next look, and nobody hears of a look that began before he asked.

use crate::{applied, one_shard, open_as};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;
use tollgate_store::{Journal, ShardId, Standing};
use tollgate_store_scylla::Cluster;

/// The longest a look may take in a test.
const LOOK_WAIT_MAX: Duration = Duration::from_secs(30);
/// Questions asked together.
const TOGETHER: usize = 200;

/// What this many questions, asked at once, hear.
fn stands(store: &Cluster, count: usize) -> Vec<Standing> {
    let barrier = store.barrier().expect("others may take shards over");
    let (say, hear) = sync_channel(count);
    for _ in 0..count {
        let say = say.clone();
        barrier.ask(
            ShardId(0),
            Box::new(move |standing| say.send(standing).expect("the test waits")),
        );
    }
    (0..count)
        .map(|_| hear.recv_timeout(LOOK_WAIT_MAX).expect("everybody is told"))
        .collect()
}

#[test]
fn a_look_tells_whose_the_shard_is() {
    let settings = applied();
    let a: Arc<Cluster> = open_as("a", &settings, &one_shard());
    let b: Arc<Cluster> = open_as("b", &settings, &one_shard());
    assert_eq!(stands(&a, 1), [Standing::Elsewhere(None)], "nobody has claimed it");
    let first = a.claim(ShardId(0)).unwrap().epoch;
    assert_eq!(stands(&a, TOGETHER), vec![Standing::Here(first); TOGETHER]);
    let second = b.claim(ShardId(0)).unwrap().epoch;
    assert_eq!(stands(&b, 1), [Standing::Here(second)]);
    assert_eq!(stands(&a, TOGETHER), vec![Standing::Elsewhere(Some(first)); TOGETHER]);
    // One that has given it up does not think that it had it.
    a.release(ShardId(0), first);
    assert_eq!(stands(&a, 1), [Standing::Elsewhere(None)]);
    let third = a.claim_after(ShardId(0), second).unwrap().epoch;
    assert_eq!(stands(&a, 1), [Standing::Here(third)]);
    b.release(ShardId(0), first);
    assert_eq!(
        stands(&b, 1),
        [Standing::Elsewhere(Some(second))],
        "it forgets only what it is told"
    );
}

#[test]
fn questions_while_others_claim_never_hear_of_an_owner_that_was_replaced_before() {
    let settings = applied();
    let nodes: Vec<Arc<Cluster>> = ["a", "b"].map(|node| open_as(node, &settings, &one_shard())).into();
    nodes[0].claim(ShardId(0)).unwrap();
    for round in 1..=10 {
        let (new, old) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
        std::thread::scope(|scope| {
            // Some of these looks are under way while the claim is.
            let asking = scope.spawn(|| stands(old, TOGETHER));
            let claimed = new.claim(ShardId(0)).unwrap();
            let after = stands(old, 1)[0];
            assert!(
                matches!(after, Standing::Elsewhere(Some(_))),
                "round {round}: {after:?}"
            );
            assert_eq!(stands(new, 1), [Standing::Here(claimed.epoch)]);
            asking.join().unwrap();
        });
    }
}
