//! What delivery of webhooks is given: notes in the shard's journal, news of accounts with endpoints, events in order.

use crate::adoption::{PATIENCE, Process, SHARDS};
use crate::engine::{Network, in_system};
use crate::lists::{ask, page};
use crate::office::{Desk, cancel, capture, customer, hold, merchant, object, pay, refund, secrets};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate_actors::outbox::{
    Flushed, Happened, Moved, Note, Noted, Outbox, PAGE_EPOCH_BITS, account_of, events, events_after, first_since,
    notes_of, page_of,
};
use tollgate_actors::router::shard_of;
use tollgate_actors::{Engine, EngineConfig};
use tollgate_domain::call::{EVENTS_SHOWN_MS, ListQuery};
use tollgate_domain::events::EventType;
use tollgate_domain::kinds;
use tollgate_domain::webhooks::webhook_endpoint::{
    CreateWebhookEndpoint, DisabledReason, EnabledEvent, EndpointReport, UpdateWebhookEndpoint, Vetted,
};
use tollgate_domain::{AccountKey, Command};
use tollgate_resource::{Names, notes};
use tollgate_store::memory::{Memory, Mode};
use tollgate_store::{AccountRef, Epoch, Reads, ShardId};

/// What an outbox heard.
#[derive(Debug, Clone, PartialEq)]
enum Heard {
    Moved(ShardId, Vec<Moved>),
    Adopted(ShardId, Epoch),
    Leaving(ShardId),
    Lost(ShardId),
}

/// Remembers what it hears. Whoever leaves is kept until [`Spy::flush`], if it is to be.
#[derive(Default)]
struct Spy {
    heard: Mutex<Vec<Heard>>,
    holds: AtomicBool,
    held: Mutex<Vec<Flushed>>,
    /// Events of which the endpoints that have not taken them are as many.
    pending: Mutex<BTreeMap<u64, u32>>,
}

impl Spy {
    fn hear(&self, heard: Heard) {
        self.heard.lock().expect("not poisoned").push(heard);
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("not poisoned").clone()
    }

    /// The incarnation of a shard that was adopted last.
    fn epoch(&self, shard: ShardId) -> Epoch {
        let heard = self.heard();
        let mut epochs = heard.iter().filter_map(|heard| match heard {
            Heard::Adopted(of, epoch) if *of == shard => Some(*epoch),
            _ => None,
        });
        epochs.next_back().expect("it was adopted")
    }

    fn flush(&self) -> usize {
        let held = std::mem::take(&mut *self.held.lock().expect("not poisoned"));
        let count = held.len();
        held.into_iter().for_each(|done| done());
        count
    }
}

impl Outbox for Spy {
    fn moved(&self, shard: ShardId, moved: &[Moved]) {
        self.hear(Heard::Moved(shard, moved.to_vec()));
    }
    fn adopted(&self, shard: ShardId, epoch: Epoch) {
        self.hear(Heard::Adopted(shard, epoch));
    }
    fn leaving(&self, shard: ShardId, done: Flushed) {
        self.hear(Heard::Leaving(shard));
        match self.holds.load(Ordering::Relaxed) {
            true => self.held.lock().expect("not poisoned").push(done),
            false => done(),
        }
    }
    fn lost(&self, shard: ShardId) {
        self.hear(Heard::Lost(shard));
    }
    fn pending(&self, _: AccountKey, event_seq: u64, _: EventType) -> u32 {
        let pending = self.pending.lock().expect("not poisoned");
        pending.get(&event_seq).copied().unwrap_or_default()
    }
    fn watches(&self, _: AccountKey) -> bool {
        !self.pending.lock().expect("not poisoned").is_empty()
    }
}

fn start(store: &Arc<Memory>, spy: &Arc<Spy>) -> Engine {
    let mut config = EngineConfig::for_one_machine(2, 1);
    config.on_fatal = Arc::new(|why| panic!("{why}"));
    config.outbox = Arc::clone(spy) as Arc<_>;
    let (journal, reads) = (Arc::clone(store) as Arc<_>, Arc::clone(store) as Arc<_>);
    Engine::start(config, journal, reads, Arc::new(Network), secrets()).expect("the engine starts")
}

/// A note that says this about an account.
fn said(text: &str) -> Vec<u8> {
    let mut body = Vec::new();
    notes::put(&mut body, 7, 1, text.as_bytes());
    body
}

/// What the notes of a shard say, rows in brackets.
fn read_notes(reads: &dyn Reads, shard: ShardId) -> Vec<String> {
    let mut read = Vec::new();
    notes_of(reads, shard, &mut |noted| {
        let (row, body) = match noted {
            Noted::Row(body) => (true, body),
            Noted::Progress(body) => (false, body),
        };
        for entry in notes::entries(&body) {
            let entry = entry.expect("a note reads back");
            let text = match entry.kind {
                notes::CHANGED => format!("changed {}", notes::changed(&entry).expect("a number")),
                _ => String::from_utf8_lossy(entry.bytes).into_owned(),
            };
            read.push(if row { format!("[{text}]") } else { text });
        }
        Ok(())
    })
    .expect("the store reads");
    read
}

/// Waits until everything noted of a shard is durable or dropped.
async fn written(engine: &Engine, shard: ShardId) {
    while engine.notes_open(shard) > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

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
        let whole = events_after(&*store, account, 0, 1_000).expect("the store reads");
        assert!(whole.len() > 60, "{} events", whole.len());
        assert!(whole.is_sorted_by(|one, next| one.seq < next.seq));
        let mut counts: BTreeMap<u64, u32> = BTreeMap::new();
        for Happened { seq, number, event } in &whole {
            let count = counts.entry(event.object.id().seq()).or_default();
            *count += 1;
            assert_eq!(*number, *count, "event {seq}, {}", event.kind.name());
            assert_eq!(event.id.seq(), *seq);
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
        assert_eq!(newest.map(|happened| happened.event.id).collect::<Vec<_>>(), listed);
        // In pages of any size, which begin and end inside records.
        for limit in [1, 2, 3, 7, 64] {
            let mut paged = Vec::new();
            loop {
                let after = paged.last().map_or(0, |last: &Happened| last.seq);
                let next = events_after(&*store, account, after, limit).expect("the store reads");
                assert!(next.len() <= limit);
                let ended = next.len() < limit;
                paged.extend(next);
                if ended {
                    break;
                }
            }
            assert_eq!(paged, whole, "in pages of {limit}");
        }
        assert_eq!(events_after(&*store, account, 0, 0).expect("the store reads"), []);
        let stranger = events_after(&*store, merchant(2).key, 0, 10).expect("the store reads");
        assert_eq!(stranger, []);
        // By number, in any order, without those that are none.
        let picked = [whole[9].seq, whole[2].seq, whole[3].seq, 1 << 40, whole[9].seq - 1];
        let found = events(&*store, account, &picked).expect("the store reads");
        assert!(found.len() >= 3 && found[..3] == [whole[9].clone(), whole[2].clone(), whole[3].clone()]);
        assert!(found[3..].iter().all(|happened| happened.seq == whole[9].seq - 1));
        let since = whole[10].event.id.unix_ms();
        let first = first_since(&*store, account, since).expect("the store reads");
        let expected = whole.iter().find(|happened| happened.event.id.unix_ms() >= since);
        assert_eq!(first, expected.map(|happened| happened.seq));
        let far = whole[10].event.id.unix_ms() + EVENTS_SHOWN_MS;
        assert_eq!(first_since(&*store, account, far).expect("the store reads"), None);
        let state = account_of(&*store, &merchant(1)).expect("the store reads");
        assert_eq!(state.seq, whole.last().expect("events").seq);
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

/// The body of a command that makes an endpoint.
fn endpoint() -> Command {
    Command::CreateWebhookEndpoint(
        Box::new(CreateWebhookEndpoint {
            url: "https://merchant.example/hooks".into(),
            enabled_events: vec![EnabledEvent("*".into())],
            ..CreateWebhookEndpoint::default()
        }),
        Vetted::Fit,
    )
}

/// What an outbox heard of news, in order.
fn news(spy: &Spy) -> Vec<Moved> {
    let heard = spy.heard().into_iter().filter_map(|heard| match heard {
        Heard::Moved(_, moved) => Some(moved),
        _ => None,
    });
    heard.flatten().collect()
}

#[test]
fn only_accounts_with_endpoints_are_told_of_and_each_change_of_one_has_a_number() {
    in_system(async {
        let (store, spy) = (Memory::new(Mode::Immediate), Arc::new(Spy::default()));
        let (mut plain, mut watched) = (Desk::of(merchant(1)), Desk::of(merchant(2)));
        let account = merchant(2).key;
        let shard = shard_of(account, 2);
        let mut engine = start(&store, &spy);
        let client = engine.client();
        ask(&client, plain.write(pay(1_000, "visa"))).await;
        ask(&client, watched.write(pay(1_000, "visa"))).await;
        assert_eq!(news(&spy), [], "nobody is to be told");
        let made = object(&ask(&client, watched.write(endpoint())).await).id();
        let changed = format!("changed {}", made.seq());
        assert_eq!(read_notes(&*store, shard), [changed.as_str()]);
        ask(&client, watched.write(pay(2_000, "visa"))).await;
        ask(&client, plain.write(pay(2_000, "visa"))).await;
        // Nothing happens by that, so there is nothing to tell.
        ask(&client, watched.get(&kinds::WEBHOOK_ENDPOINT, made)).await;
        let update = UpdateWebhookEndpoint {
            disabled: Some(true),
            ..UpdateWebhookEndpoint::default()
        };
        let update = Command::UpdateWebhookEndpoint(made, Box::new(update), Vetted::Fit);
        ask(&client, watched.write(update)).await;
        assert!(engine.stop(PATIENCE).await);
        // The account is read again, and so is that it has an endpoint.
        engine = start(&store, &spy);
        let client = engine.client();
        ask(&client, watched.write(pay(3_000, "visa"))).await;
        ask(&client, watched.write(Command::DeleteWebhookEndpoint(made))).await;
        ask(&client, watched.write(pay(4_000, "visa"))).await;
        let last = events_after(&*store, account, 0, 1_000).expect("the store reads");
        let of_payment = |nth: usize| last[3 * nth + 2].seq;
        let heard: Vec<(u64, Option<u64>)> = news(&spy)
            .iter()
            .map(|moved| {
                assert_eq!(moved.account, account);
                (moved.upto, moved.change)
            })
            .collect();
        let expected = [
            (made.seq(), Some(1)),
            (of_payment(1), None),
            (of_payment(1), Some(2)),
            (of_payment(2), None),
            // Another incarnation counts anew.
            (of_payment(2), Some(1)),
        ];
        assert_eq!(heard, expected);
        assert_eq!(read_notes(&*store, shard), vec![changed; 3]);
        assert!(engine.stop(PATIENCE).await);
    });
}

#[test]
fn changes_that_a_row_did_not_know_of_are_noted_again_behind_it() {
    in_system(async {
        let (store, spy) = (Memory::new(Mode::Immediate), Arc::new(Spy::default()));
        let merchants = (1..40).map(merchant).filter(|it| shard_of(it.key, 2) == ShardId(0));
        let mut desks: Vec<(AccountKey, Desk)> = merchants.take(3).map(|it| (it.key, Desk::of(it))).collect();
        let shard = ShardId(0);
        let engine = start(&store, &spy);
        let client = engine.client();
        for (_, desk) in &mut desks {
            ask(&client, desk.write(endpoint())).await;
        }
        // Delivery had heard of the first change only when it made this.
        let epoch = spy.epoch(shard);
        let row = Note::Row {
            body: said("row"),
            heard: 1,
        };
        engine.note(shard, epoch, row.clone()).expect("there is room");
        written(&engine, shard).await;
        assert_eq!(read_notes(&*store, shard), ["[row]", "changed 1", "changed 1"]);
        let named = |of: &str| {
            let mut named = Vec::new();
            notes_of(&*store, shard, &mut |noted| {
                if let Noted::Progress(body) = noted {
                    let entries = notes::entries(&body).map(|entry| entry.expect("a note reads back"));
                    named.extend(entries.map(|entry| AccountKey(entry.account)));
                }
                Ok(())
            })
            .expect("the store reads");
            named.sort_unstable();
            assert!(!named.is_empty(), "{of}");
            named
        };
        let mut unheard = vec![desks[1].0, desks[2].0];
        unheard.sort_unstable();
        assert_eq!(named("two"), unheard);
        // One that knows all needs nothing behind it.
        let row = Note::Row {
            body: said("row"),
            heard: 3,
        };
        engine.note(shard, epoch, row).expect("there is room");
        written(&engine, shard).await;
        assert_eq!(read_notes(&*store, shard), ["[row]"]);
        assert!(engine.stop(PATIENCE).await);
    });
}

#[test]
fn what_delivery_reports_of_an_endpoint_is_decided_and_counted_after_a_restart_too() {
    in_system(async {
        let (store, spy) = (Memory::new(Mode::Immediate), Arc::new(Spy::default()));
        let mut desk = Desk::of(merchant(2));
        let account = merchant(2).key;
        let mut engine = start(&store, &spy);
        let made = object(&ask(&engine.client(), desk.write(endpoint())).await).id();
        let disabled = |disabled| {
            let update = UpdateWebhookEndpoint {
                disabled: Some(disabled),
                ..UpdateWebhookEndpoint::default()
            };
            Command::UpdateWebhookEndpoint(made, Box::new(update), Vetted::Fit)
        };
        for round in 1..=3 {
            let events = || events_after(&*store, account, 0, 100).expect("the store reads");
            // Nobody asked for the account since the start: the engine's own command has it read.
            let failing = EndpointReport::Failing { since_ms: round };
            let gone = EndpointReport::Disable(DisabledReason::Gone);
            for (nth, report) in [(2 * round - 1, failing), (2 * round, gone)] {
                while events().len() < nth as usize {
                    engine.command(account, Command::ReportWebhookEndpoint(made, report));
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                let last = events().pop().expect("an event");
                assert_eq!((last.event.object.id(), u64::from(last.number)), (made, nth));
            }
            assert!(engine.stop(PATIENCE).await);
            engine = start(&store, &spy);
            // The version of the endpoint without an event must not forget how many there were.
            ask(&engine.client(), desk.write(disabled(false))).await;
        }
        assert!(engine.stop(PATIENCE).await);
    });
}

#[test]
fn no_kind_of_object_has_the_number_of_pages() {
    assert!(kinds::by_number(tollgate_store::NOTES_PAGE).is_none());
    assert!(AccountKey(AccountRef::notes_of(ShardId(3)).0).is_reserved());
}
