//! Events as delivery reads them, and what they show of it.

use super::{Spy, start};
use crate::adoption::PATIENCE;
use crate::engine::in_system;
use crate::lists::{ask, page};
use crate::office::{Desk, cancel, capture, customer, hold, merchant, object, pay, refund, secrets};
use std::collections::BTreeMap;
use std::sync::Arc;
use tollgate_actors::outbox::{Happened, Records, account_of, event_shown, events, events_after, first_since};
use tollgate_domain::call::{EVENTS_SHOWN_MS, ListQuery};
use tollgate_domain::kinds;
use tollgate_domain::object::Item;
use tollgate_resource::Names;
use tollgate_store::memory::{Memory, Mode};

#[test]
fn events_come_oldest_first_and_count_without_a_gap_for_each_object() {
    in_system(async {
        let (store, spy) = (Memory::new(Mode::Immediate), Arc::new(Spy::default()));
        let mut desk = Desk::of(merchant(1));
        let account = merchant(1).key;
        let mut engine = start(&store, &spy);
        for round in 0..6 {
            let client = engine.client();
            let held = object(&ask(&client, desk.write(hold(5_000, "visa"))).await).id();
            ask(&client, desk.write(customer())).await;
            let other = object(&ask(&client, desk.write(hold(4_000, "visa"))).await).id();
            if round % 2 == 0 {
                // What follows reads its objects again.
                assert!(engine.stop(PATIENCE).await);
                engine = start(&store, &spy);
            }
            let client = engine.client();
            ask(&client, desk.write(capture(held, Some(3_000)))).await;
            ask(&client, desk.write(cancel(other))).await;
            for amount in [500, 700] {
                ask(&client, desk.write(refund(held, Some(amount)))).await;
            }
        }
        let records = Records::default();
        let whole = events_after(&records, &*store, account, 0, 1_000).expect("the store reads");
        assert!(whole.len() > 60, "{} events", whole.len());
        assert!(whole.is_sorted_by(|one, next| one.seq() < next.seq()));
        let mut counts: BTreeMap<u64, u32> = BTreeMap::new();
        for event in &whole {
            let count = counts.entry(event.object.seq()).or_default();
            *count += 1;
            assert_eq!(event.number, *count, "event {}, {}", event.seq(), event.kind.name());
        }
        let most = counts.values().max().expect("there are objects");
        assert!(*most >= 4, "no object had several events: {counts:?}");
        // The list that everybody sees has the same events.
        let client = engine.client();
        let query = ListQuery {
            limit: 100,
            ..ListQuery::of(&kinds::EVENT, "/v1/events")
        };
        let mut listed = page(&ask(&client, desk.list(query)).await).0;
        listed.reverse();
        let newest = whole[whole.len() - listed.len()..].iter();
        assert_eq!(newest.map(|happened| happened.id).collect::<Vec<_>>(), listed);
        // In pages of any size, which begin and end inside records.
        for limit in [1, 2, 3, 7, 64] {
            let mut paged = Vec::new();
            loop {
                let after = paged.last().map_or(0, Happened::seq);
                let next = events_after(&records, &*store, account, after, limit).expect("the store reads");
                assert!(next.len() <= limit);
                let ended = next.len() < limit;
                paged.extend(next);
                if ended {
                    break;
                }
            }
            assert_eq!(paged, whole, "in pages of {limit}");
        }
        let none = events_after(&records, &*store, account, 0, 0).expect("the store reads");
        assert_eq!(none, []);
        let stranger = events_after(&records, &*store, merchant(2).key, 0, 10).expect("the store reads");
        assert_eq!(stranger, []);
        // By number, in any order, without those that are none.
        let picked = [9, 2, 3].map(|at: usize| whole[at].seq());
        let picked = [picked[0], picked[1], picked[2], 1 << 40, picked[0] - 1];
        let found = events(&records, &*store, account, &picked).expect("the store reads");
        assert!(found.len() >= 3 && found[..3] == [whole[9].clone(), whole[2].clone(), whole[3].clone()]);
        assert!(found[3..].iter().all(|happened| happened.seq() == whole[9].seq() - 1));
        let since = whole[10].id.unix_ms();
        let first = first_since(&*store, account, since).expect("the store reads");
        let expected = whole.iter().find(|happened| happened.id.unix_ms() >= since);
        assert_eq!(first, expected.map(Happened::seq));
        let far = whole[10].id.unix_ms() + EVENTS_SHOWN_MS;
        assert_eq!(first_since(&*store, account, far).expect("the store reads"), None);
        let state = account_of(&*store, &merchant(1)).expect("the store reads");
        assert_eq!(state.seq, whole.last().expect("events").seq());
        assert!(engine.stop(PATIENCE).await);
    });
}

#[test]
fn a_record_that_several_want_is_decoded_once() {
    in_system(async {
        let (store, spy) = (Memory::new(Mode::Immediate), Arc::new(Spy::default()));
        let mut desk = Desk::of(merchant(1));
        let profile = merchant(1);
        let engine = start(&store, &spy);
        let client = engine.client();
        let records = Records::default();
        for nth in 1..=20 {
            ask(&client, desk.write(pay(1_000, "visa"))).await;
            // Each of two endpoints looks for what is next, in whatever pieces, and each has every event's body written.
            for limit in [100, 2] {
                let found = events_after(&records, &*store, profile.key, 0, limit).expect("the store reads");
                let seqs: Vec<u64> = found.iter().map(Happened::seq).collect();
                assert_eq!(
                    events(&records, &*store, profile.key, &seqs).expect("the store reads"),
                    found
                );
                for event in found {
                    let shown = event_shown(&records, &*store, &secrets(), &profile, event.seq(), None);
                    let shown = shown.expect("the store reads").expect("it happened");
                    assert!(matches!(&shown.item, Item::Event(it) if it.id == event.id), "{shown:?}");
                }
            }
            assert_eq!(records.decoded(), nth, "after {nth} payments");
        }
        assert_eq!(records.held().0, 20);
        let strange = events_after(&records, &*store, merchant(2).key, 0, 10).expect("the store reads");
        assert_eq!((strange, records.decoded()), (Vec::new(), 20));
        assert!(engine.stop(PATIENCE).await);
    });
}

#[test]
fn events_show_who_has_not_taken_them_and_are_sorted_by_it() {
    in_system(async {
        let (store, spy) = (Memory::new(Mode::Immediate), Arc::new(Spy::default()));
        let mut desk = Desk::of(merchant(1));
        let engine = start(&store, &spy);
        let client = engine.client();
        for _ in 0..4 {
            ask(&client, desk.write(pay(1_000, "visa"))).await;
        }
        let all = ListQuery {
            limit: 100,
            ..ListQuery::of(&kinds::EVENT, "/v1/events")
        };
        let events = page(&ask(&client, desk.list(all.clone())).await).0;
        let waiting = [events[1], events[7]];
        *spy.pending.lock().expect("not poisoned") = waiting.iter().map(|id| (id.seq(), 2)).collect();
        let by = |delivered| ListQuery {
            delivered: Some(delivered),
            ..all.clone()
        };
        assert_eq!(
            page(&ask(&client, desk.list(by(false))).await),
            (waiting.to_vec(), false)
        );
        let taken: Vec<_> = events.iter().copied().filter(|id| !waiting.contains(id)).collect();
        assert_eq!(page(&ask(&client, desk.list(by(true))).await), (taken, false));
        for (at, id) in events.iter().enumerate() {
            let shown = ask(&client, desk.get(&kinds::EVENT, *id)).await;
            let tollgate_actors::Shown::One(tollgate_domain::object::Item::Event(event)) =
                shown.result.as_ref().expect("it is there")
            else {
                panic!("an event")
            };
            let expected = if waiting.contains(id) { 2 } else { 0 };
            assert_eq!(event.pending_webhooks, expected, "event {at}");
        }
        assert!(engine.stop(PATIENCE).await);
    });
}
