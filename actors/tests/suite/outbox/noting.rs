//! What delivery has written down: in the shard's journal, read back in order, with it wherever it goes.

use super::{Heard, Spy, read_notes, said, start, written};
use crate::adoption::{PATIENCE, Process, SHARDS};
use crate::engine::in_system;
use crate::lists::ask;
use crate::office::{Desk, merchant, pay};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tollgate_actors::outbox::{Note, PAGE_EPOCH_BITS, page_of};
use tollgate_actors::router::shard_of;
use tollgate_domain::{AccountKey, kinds};
use tollgate_store::memory::{Memory, Mode};
use tollgate_store::{AccountRef, Epoch, ShardId};

fn page_number(epoch: Epoch, n: u64) -> u64 {
    epoch.0 << PAGE_EPOCH_BITS | n
}

#[test]
fn notes_are_read_back_from_the_newest_row_and_pages_by_number() {
    in_system(async {
        let (store, spy) = (Memory::new(Mode::Immediate), Arc::new(Spy::default()));
        let shard = ShardId(1);
        let first = {
            let engine = start(&store, &spy);
            let epoch = spy.epoch(shard);
            let note = |note| engine.note(shard, epoch, note).expect("there is room");
            note(Note::Progress(said("one")));
            note(Note::Page {
                number: page_number(epoch, 1),
                body: b"the first page".to_vec(),
            });
            note(Note::Progress(said("two")));
            note(Note::Row {
                body: said("both"),
                heard: 0,
            });
            note(Note::Page {
                number: page_number(epoch, 5),
                body: b"the fifth page".to_vec(),
            });
            note(Note::Progress(said("three")));
            written(&engine, shard).await;
            assert_eq!(read_notes(&*store, shard), ["[both]", "three"]);
            assert_eq!(read_notes(&*store, ShardId(0)), [""; 0], "each shard has its own");
            assert!(engine.stop(PATIENCE).await);
            epoch
        };
        let store = store.crash();
        let engine = start(&store, &spy);
        let epoch = spy.epoch(shard);
        assert!(epoch > first);
        // Whoever was there before is not heard any more; the pages of before are still found.
        engine
            .note(shard, first, Note::Progress(said("late")))
            .expect("there is room");
        engine
            .note(shard, epoch, Note::Progress(said("four")))
            .expect("there is room");
        let number = page_number(epoch, 1);
        let body = b"a page of the second".to_vec();
        engine
            .note(shard, epoch, Note::Page { number, body })
            .expect("there is room");
        written(&engine, shard).await;
        assert_eq!(read_notes(&*store, shard), ["[both]", "three", "four"]);
        for (number, text) in [
            (page_number(first, 1), Some("the first page")),
            (page_number(first, 2), None),
            (page_number(first, 5), Some("the fifth page")),
            (number, Some("a page of the second")),
            (number + 1, None),
        ] {
            let page = page_of(&*store, shard, number).expect("the store reads");
            assert_eq!(page.as_deref(), text.map(str::as_bytes), "page {number:x}");
        }
        assert!(engine.stop(PATIENCE).await);
    });
}

#[test]
fn a_note_that_breaks_the_rules_is_refused_with_all_that_follow_it_and_hurts_nobody() {
    in_system(async {
        let (store, spy) = (Memory::new(Mode::Immediate), Arc::new(Spy::default()));
        let mut desk = Desk::of(merchant(1));
        let shard = shard_of(merchant(1).key, 2);
        let engine = start(&store, &spy);
        let epoch = spy.epoch(shard);
        let page = |number, text: &str| Note::Page {
            number,
            body: text.as_bytes().to_vec(),
        };
        for note in [
            Note::Progress(said("one")),
            page(page_number(epoch, 3), "three"),
            page(page_number(epoch, 3), "three again"),
            page(page_number(epoch, 4), "may build on what was refused"),
            Note::Progress(said("may build on it too")),
        ] {
            engine.note(shard, epoch, note).expect("there is room");
        }
        written(&engine, shard).await;
        assert_eq!(read_notes(&*store, shard), ["one"]);
        let found = |number| page_of(&*store, shard, number).expect("the store reads");
        assert_eq!(found(page_number(epoch, 3)).as_deref(), Some(&b"three"[..]));
        assert_eq!(found(page_number(epoch, 4)), None);
        let client = engine.client();
        ask(&client, desk.write(pay(1_000, "visa"))).await;
        assert_eq!(spy.epoch(shard), epoch, "the shard goes on");
        assert!(engine.stop(PATIENCE).await);
        // The next incarnation takes notes again, unless they are of another's pages.
        let engine = start(&store, &spy);
        let next = spy.epoch(shard);
        engine
            .note(shard, next, Note::Progress(said("two")))
            .expect("there is room");
        engine
            .note(shard, next, page(page_number(epoch, 9), "of before"))
            .expect("there is room");
        written(&engine, shard).await;
        assert_eq!(read_notes(&*store, shard), ["one", "two"]);
        assert_eq!(page_of(&*store, shard, page_number(epoch, 9)).expect("it reads"), None);
        assert!(engine.stop(PATIENCE).await);
    });
}

#[test]
fn only_so_many_notes_are_on_their_way_and_a_stop_waits_for_them() {
    in_system(async {
        let (store, spy) = (Memory::new(Mode::Held), Arc::new(Spy::default()));
        let engine = start(&store, &spy);
        let shard = ShardId(0);
        let epoch = spy.epoch(shard);
        let mut taken = 0;
        while engine
            .note(shard, epoch, Note::Progress(said(&taken.to_string())))
            .is_ok()
        {
            taken += 1;
            assert!(
                taken <= tollgate_actors::outbox::NOTES_OPEN_MAX,
                "there is an end to it"
            );
        }
        assert_eq!(engine.notes_open(shard), taken);
        assert!(!engine.stop(Duration::from_millis(30)).await, "they are not durable");
        let engine = {
            drop(engine);
            // Of those, what was with the store when the process ended may be durable, from the first on.
            let store = store.crash();
            let engine = start(&store, &spy);
            let durable = read_notes(&*store, shard);
            let expected: Vec<String> = (0..durable.len()).map(|n| n.to_string()).collect();
            assert_eq!(durable, expected);
            engine
        };
        drop(engine);
    });
}

#[test]
fn what_is_noted_while_a_shard_leaves_goes_with_it() {
    in_system(async {
        let journal = Memory::new(Mode::Immediate);
        let spies: [Arc<Spy>; 2] = Default::default();
        let [a, b] = [0, 1].map(|at: usize| {
            let spy = Arc::clone(&spies[at]) as Arc<_>;
            Process::start(&journal, |config| config.outbox = spy)
        });
        let shard = ShardId(2);
        assert!(shard.0 < SHARDS);
        a.engine.adopt(shard).await.expect("it is free");
        let epoch = spies[0].epoch(shard);
        spies[0].holds.store(true, Ordering::Relaxed);
        let leaves = {
            let engine = a.engine.clone();
            actix_rt::spawn(async move { engine.release(shard, PATIENCE).await })
        };
        while spies[0].held.lock().expect("not poisoned").is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        a.engine
            .note(shard, epoch, Note::Progress(said("the last")))
            .expect("there is room");
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!leaves.is_finished(), "it waits for delivery");
        assert_eq!(spies[0].flush(), 1);
        leaves.await.expect("no panic").expect("it left");
        let heard = [Heard::Adopted(shard, epoch), Heard::Leaving(shard), Heard::Lost(shard)];
        assert_eq!(spies[0].heard(), heard);
        // Too late: this is somebody else's shard.
        a.engine
            .note(shard, epoch, Note::Progress(said("too late")))
            .expect("there is room");
        let adopted = b.engine.adopt(shard).await.expect("it is free");
        assert_eq!(spies[1].heard(), [Heard::Adopted(shard, adopted.epoch)]);
        written(&a.engine, shard).await;
        assert_eq!(read_notes(&*b.member, shard), ["the last"]);
        // Nobody is waited for any longer than the patience lasts.
        spies[1].holds.store(true, Ordering::Relaxed);
        b.engine
            .release(shard, Duration::from_millis(20))
            .await
            .expect("it leaves");
        assert_eq!(spies[1].flush(), 1, "whoever says so later is not heard");
        a.engine.adopt(shard).await.expect("it is free");
        // By force: whoever had it hears that it is lost.
        b.engine.adopt(shard).await.expect("it is taken");
        a.engine
            .note(shard, spies[0].epoch(shard), Note::Progress(said("fenced")))
            .expect("there is room");
        a.hears_of_losses(1).await;
        assert_eq!(spies[0].heard().last(), Some(&Heard::Lost(shard)));
        assert_eq!(read_notes(&*b.member, shard), ["the last"]);
    });
}

#[test]
fn no_kind_of_object_has_the_number_of_pages() {
    assert!(kinds::by_number(tollgate_store::NOTES_PAGE).is_none());
    assert!(AccountKey(AccountRef::notes_of(ShardId(3)).0).is_reserved());
}
