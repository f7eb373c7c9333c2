//! Notes of webhook delivery in a journal: passed by where they are framed as notes, found where they are not.

use super::{audit, story};
use crate::journal::{Blocks, Journal};
use tollgate_audit::{Check, Options, verify};
use tollgate_domain::payments::payment_intent::CaptureMethod;
use tollgate_resource::notes;
use tollgate_store::envelope::BlockBuilder;
use tollgate_store::{AccountRef, Epoch, Head, NOTES_PAGE, ShardId};

/// A journal with a block of one more record behind all others, of the shard that they are in.
fn with_note(journal: &Journal, of: ShardId, change: impl FnOnce(&mut Head), body: &[u8]) -> Blocks {
    let mut blocks = journal.blocks();
    let last = blocks.0.last().expect("there are blocks");
    let (shard, seq, now_ms) = (last.shard, last.seq, last.now_ms);
    let mut builder = BlockBuilder::new(shard, Epoch(1), now_ms);
    let mut head = Head {
        account: AccountRef::notes_of(of).0,
        now_ms,
        ..Head::default()
    };
    change(&mut head);
    builder.push(&head, body).expect("the block has room");
    blocks.0.push(builder.seal(seq + 1));
    blocks
}

fn body() -> Vec<u8> {
    let mut body = Vec::new();
    notes::put_changed(&mut body, 7, 12);
    notes::put(&mut body, 7, 1, b"delivery's own");
    body
}

fn page(head: &mut Head) {
    head.first_seq = 1 << 40;
    head.born.push(NOTES_PAGE);
}

#[test]
fn notes_are_passed_by() {
    let journal = story();
    let shard = journal.blocks().0.last().expect("there are blocks").shard;
    for (nth, blocks) in [
        with_note(&journal, shard, |_| {}, &body()),
        with_note(&journal, shard, |head| head.row = true, &body()),
        with_note(&journal, shard, page, b"what only delivery reads"),
    ]
    .iter()
    .enumerate()
    {
        let report = audit(&journal, blocks);
        assert_eq!(report.difference, None, "note {nth}");
        assert_eq!((report.records, report.rows), (20, 2), "note {nth}");
    }
}

#[test]
fn notes_in_another_shard_or_with_anything_for_the_index_are_found() {
    let journal = story();
    let shard = journal.blocks().0.last().expect("there are blocks").shard;
    let other = ShardId(shard.0 + 1);
    for blocks in [
        with_note(&journal, other, |_| {}, &body()),
        with_note(&journal, shard, |head| head.timers.push((5, 5)), &body()),
        with_note(&journal, shard, |head| head.born.push(3), &body()),
        with_note(&journal, shard, |head| head.key = Some([3; 12]), &body()),
    ] {
        let found = audit(&journal, &blocks).difference.expect("it is found");
        assert_eq!(found.check, Check::Envelope, "{}", found.what);
        assert!(found.what.contains("notes"), "{}", found.what);
    }
}

#[test]
fn notes_that_nobody_could_walk_through_cannot_be_read() {
    let journal = story();
    let shard = journal.blocks().0.last().expect("there are blocks").shard;
    let blocks = with_note(&journal, shard, |_| {}, b"no entries");
    let error = verify(&blocks, &journal.secrets, Options::default()).expect_err("it is not framed");
    assert!(error.to_string().contains("the record ends inside a value"), "{error}");
}

#[test]
fn counts_of_earlier_events_are_of_the_older_objects() {
    let mut journal = Journal::new();
    let held = journal.pay(5_000, "visa", CaptureMethod::Manual, "key-held");
    journal.pass(1_000).capture(held, 3_000, "key-captured");
    let older = {
        let facts = journal.facts(1);
        facts.count_events(|_| 2);
        facts.events_before.len()
    };
    assert!(older >= 2, "a capture changes the intent and the charge");
    assert_eq!(audit(&journal, &journal.blocks()).difference, None);
    journal.facts(1).events_before.push(1);
    let found = audit(&journal, &journal.blocks()).difference.expect("it is found");
    assert_eq!(found.check, Check::Events, "{}", found.what);
}
