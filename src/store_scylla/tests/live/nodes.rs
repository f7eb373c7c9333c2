//! The tables of the membership: one name, one process; a handover counts for the epoch that it was written in.

use crate::{applied, one_shard, open_as};
use std::future::Future;
use tollgate_store::{Epoch, Journal, ShardId};
use tollgate_store_scylla::Beat;

fn now<T>(answer: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(answer)
}

#[test]
fn one_name_belongs_to_one_process() {
    let settings = applied();
    let (first, second) = (
        open_as("a", &settings, &one_shard()),
        open_as("a", &settings, &one_shard()),
    );
    let (first, second) = (first.nodes(), second.nodes());
    assert_eq!(now(first.beat(1, false)).unwrap(), Beat::Gone, "nobody registered");
    assert!(now(first.register(None, 1)).unwrap());
    assert!(now(first.register(None, 1)).unwrap(), "it is its own already");
    assert!(!now(second.register(None, 1)).unwrap(), "the name was taken");
    assert_eq!(now(first.beat(2, false)).unwrap(), Beat::Kept);
    assert_eq!(now(second.beat(7, false)).unwrap(), Beat::Replaced);
    // The first one has counted on since the second one looked.
    assert!(!now(second.register(Some((first.process(), 1)), 1)).unwrap());
    assert!(now(second.register(Some((first.process(), 2)), 1)).unwrap());
    assert_eq!(now(first.beat(3, false)).unwrap(), Beat::Replaced);
    now(first.depart()).unwrap();
    assert_eq!(
        now(second.beat(2, true)).unwrap(),
        Beat::Kept,
        "its row is not the first one's to remove"
    );
    let (_, nodes) = now(second.look()).unwrap();
    assert_eq!(nodes.len(), 1);
    let row = &nodes[0];
    assert_eq!(
        (row.node.as_str(), row.process, row.beat, row.leaving),
        ("a", second.process(), 2, true)
    );
    now(first.remove("a", second.process(), 1)).unwrap();
    assert_eq!(now(second.look()).unwrap().1.len(), 1, "it has counted on since");
    now(first.remove("a", second.process(), 2)).unwrap();
    assert_eq!(now(second.beat(3, false)).unwrap(), Beat::Gone);
}

#[test]
fn a_handover_counts_for_the_epoch_it_was_written_in() {
    let settings = applied();
    let (owner, heir) = (
        open_as("owner", &settings, &one_shard()),
        open_as("heir", &settings, &one_shard()),
    );
    let (shard, tables, theirs) = (ShardId(0), owner.nodes(), heir.nodes());
    assert_eq!(now(tables.owners()).unwrap(), [], "nothing was ever claimed");
    let epoch = owner.claim(shard).unwrap().epoch.0;
    let row = |tables: &tollgate_store_scylla::Nodes| now(tables.owners()).unwrap().remove(0);
    let claimed = row(tables);
    assert_eq!(
        (claimed.epoch, claimed.process, claimed.heir, claimed.freed),
        (epoch, Some(tables.process()), None, false)
    );
    assert_eq!(
        (claimed.node.as_deref(), claimed.addr.as_deref()),
        (Some("owner"), Some("127.0.0.1:1"))
    );
    assert_eq!(
        now(theirs.is_freed(shard, epoch)).unwrap(),
        None,
        "it was promised to nobody"
    );
    assert!(now(tables.offer(shard, epoch, theirs.process())).unwrap());
    assert_eq!(row(tables).heir, Some(theirs.process()));
    assert_eq!(now(theirs.is_freed(shard, epoch)).unwrap(), Some(false));
    assert_eq!(
        now(tables.is_freed(shard, epoch)).unwrap(),
        None,
        "it is another one's to wait for"
    );
    owner.release(shard, Epoch(epoch));
    assert!(now(tables.free(shard, epoch)).unwrap());
    assert!(
        now(tables.free(shard, epoch)).unwrap(),
        "saying it again changes nothing"
    );
    assert_eq!(now(theirs.is_freed(shard, epoch)).unwrap(), Some(true));
    assert!(row(tables).freed);
    // Taken: what was said of the old epoch says nothing of the new one.
    let next = heir.claim_after(shard, Epoch(epoch)).unwrap().epoch.0;
    let taken = row(tables);
    assert_eq!(
        (taken.epoch, taken.process, taken.heir, taken.freed),
        (next, Some(theirs.process()), None, false)
    );
    assert!(now(theirs.offer(shard, next, tables.process())).unwrap());
    assert!(
        !now(tables.offer(shard, epoch, tables.process())).unwrap(),
        "a word of an old owner comes too late"
    );
    assert_eq!(row(tables).heir, Some(tables.process()));
    assert!(now(theirs.free(shard, next)).unwrap());
    assert!(!now(tables.free(shard, epoch)).unwrap());
    let lost = owner.claim_after(shard, Epoch(epoch)).unwrap_err();
    assert!(lost.to_string().contains("taken over by node heir"), "{lost}");
    let taken = heir.taken(shard).unwrap();
    assert!(taken.claim + taken.fence > std::time::Duration::ZERO);
}
