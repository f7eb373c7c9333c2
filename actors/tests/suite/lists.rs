//! Pages of lists: cursors, filters on what objects show, and which events are shown.

use crate::engine::{Network, in_system};
use crate::office::{Desk, customer, merchant, object, pay, refund, secrets, short};
use std::sync::Arc;
use tollgate_actors::{Client, Engine, EngineConfig, Request, Response, Shown};
use tollgate_domain::call::{Cursor, EVENTS_SHOWN_MS, ListQuery};
use tollgate_domain::object::Item;
use tollgate_domain::{Object, kinds};
use tollgate_resource::{Id, Kind};
use tollgate_store::memory::{Memory, Mode};
use tollgate_store::reads::PAGE_SCAN_MAX;

pub(crate) fn start(store: &Arc<Memory>) -> Engine {
    let mut config = EngineConfig::for_one_machine(2, 1);
    config.on_fatal = Arc::new(|why| panic!("{why}"));
    let (journal, reads) = (Arc::clone(store) as Arc<_>, Arc::clone(store) as Arc<_>);
    Engine::start(config, journal, reads, Arc::new(Network), secrets()).expect("the engine starts")
}

fn all(kind: &'static Kind) -> ListQuery {
    ListQuery::of(kind, "/v1/things")
}

pub(crate) async fn ask(client: &Client, request: Request) -> Response {
    client.call(request).await.expect("answered")
}

pub(crate) fn page(answer: &Response) -> (Vec<Id>, bool) {
    let Ok(Shown::Page { items, has_more, .. }) = &answer.result else {
        panic!("a page, not {:?}", answer.result)
    };
    let id = |item: &Item| match item {
        Item::Object(object) => object.id(),
        Item::Event(event) => event.id,
        Item::Balance(_)
        | Item::Account(_)
        | Item::Configurations(_)
        | Item::LineItems(_)
        | Item::WebhookEndpoints(_)
        | Item::Delivered(_)
        | Item::Handed
        | Item::EventDestinations(_)
        | Item::ThinEvent(_) => {
            panic!("no list of these")
        }
    };
    (items.iter().map(id).collect(), *has_more)
}

/// Both names of a refusal.
fn refused(answer: &Response) -> (Option<&str>, &str) {
    let reject = answer.result.as_ref().expect_err("a refusal");
    (reject.param.as_deref(), &reject.message)
}

#[test]
fn each_cursor_is_looked_for_before_two_are_refused() {
    in_system(async {
        let store = Memory::new(Mode::Immediate);
        let engine = start(&store);
        let client = engine.client();
        let mut desk = Desk::of(merchant(1));
        let one = object(&ask(&client, desk.write(pay(1_000, "visa"))).await).id();
        let stranger = Id::new(&kinds::PAYMENT_INTENT, one.unix_ms(), 999, one.account_tag());
        let text = stranger.text(&kinds::PAYMENT_INTENT);
        for (after, before, param) in [
            (stranger, one, Some("starting_after")),
            (one, stranger, Some("ending_before")),
            (one, one, None),
        ] {
            let query = ListQuery {
                cursor: Cursor::Both { after, before },
                ..all(&kinds::PAYMENT_INTENT)
            };
            let answer = ask(&client, desk.list(query)).await;
            let expected = match param {
                Some(_) => format!("No such payment_intent: '{text}'"),
                None => {
                    "Received both starting_after and ending_before parameters. Please pass in only one.".to_owned()
                }
            };
            assert_eq!(refused(&answer), (param, &*expected));
        }
    });
}

#[test]
fn a_filter_on_what_is_shown_pages_both_ways() {
    in_system(async {
        let store = Memory::new(Mode::Immediate);
        let engine = start(&store);
        let client = engine.client();
        let mut desk = Desk::of(merchant(1));
        let mut even = Vec::new();
        for n in 0..13 {
            let paid = ask(&client, desk.write(pay(1_000 + n % 2, "visa"))).await;
            if n % 2 == 0 {
                even.insert(0, object(&paid).id());
            }
        }
        let query = |limit, cursor| ListQuery {
            limit,
            cursor,
            ..all(&kinds::PAYMENT_INTENT).filtered("amount", Some("1000"))
        };
        let mut told = async |query| page(&ask(&client, desk.list(query)).await);
        assert_eq!(told(query(3, Cursor::Start)).await, (even[..3].to_vec(), true));
        assert_eq!(
            told(query(3, Cursor::After(even[2]))).await,
            (even[3..6].to_vec(), true)
        );
        assert_eq!(
            told(query(3, Cursor::After(even[5]))).await,
            (even[6..].to_vec(), false)
        );
        assert_eq!(
            told(query(3, Cursor::Before(even[5]))).await,
            (even[2..5].to_vec(), true)
        );
        assert_eq!(
            told(query(9, Cursor::Before(even[5]))).await,
            (even[..5].to_vec(), false)
        );
        let none = all(&kinds::PAYMENT_INTENT).filtered("amount", Some("5"));
        assert_eq!(told(none).await, (Vec::new(), false));
        let card = all(&kinds::CHARGE).filtered("payment_method_details.card.last4", Some("4242"));
        assert_eq!(told(card).await.0.len(), 10);
    });
}

#[test]
fn a_list_of_the_path_is_not_found_without_its_object() {
    in_system(async {
        let store = Memory::new(Mode::Immediate);
        let engine = start(&store);
        let client = engine.client();
        let (mut desk, mut other) = (Desk::of(merchant(1)), Desk::of(merchant(2)));
        let paid = ask(&client, desk.write(pay(1_000, "visa"))).await;
        let intent = object(&paid).id();
        let given = ask(&client, desk.write(refund(intent, Some(100)))).await;
        let within = || all(&kinds::REFUND).of_path(&kinds::PAYMENT_INTENT, intent, "intent");
        let listed = ask(&client, desk.list(within())).await;
        assert_eq!(page(&listed), (vec![object(&given).id()], false));
        let foreign = client.call(other.list(within())).await.map(Box::new);
        assert_eq!(short(&foreign), "404 resource_missing");
    });
}

#[test]
fn events_are_shown_for_thirty_days_and_found_by_their_object() {
    in_system(async {
        let store = Memory::new(Mode::Immediate);
        let engine = start(&store);
        let client = engine.client();
        let mut desk = Desk::of(merchant(1));
        let paid = ask(&client, desk.write(pay(1_000, "visa"))).await;
        let Object::PaymentIntent(intent) = object(&paid) else {
            panic!("an intent")
        };
        ask(&client, desk.write(pay(2_000, "visa"))).await;
        let about = |kind: &'static Kind, id: Id| ListQuery {
            about: Some(id.text(kind).into()),
            ..all(&kinds::EVENT)
        };
        let charge = intent.latest_charge().expect("a charge");
        for (query, count) in [
            (all(&kinds::EVENT), 6),
            (about(&kinds::PAYMENT_INTENT, intent.id), 2),
            (about(&kinds::CHARGE, charge), 1),
            (
                ListQuery {
                    delivered: Some(true),
                    ..all(&kinds::EVENT)
                },
                6,
            ),
            (
                ListQuery {
                    delivered: Some(false),
                    ..all(&kinds::EVENT)
                },
                0,
            ),
        ] {
            let listed = page(&ask(&client, desk.list(query.clone())).await);
            assert_eq!((listed.0.len(), listed.1), (count, false), "{query:?}");
        }

        let event = page(&ask(&client, desk.list(all(&kinds::EVENT))).await).0[0];
        let aged = |request: &Request, age_ms: u64| {
            let now_ms = event.unix_ms() + age_ms;
            tollgate_actors::readers::answer_beside(&*store, &secrets(), request, now_ms)
        };
        let (read, list) = (desk.get(&kinds::EVENT, event), desk.list(all(&kinds::EVENT)));
        assert_eq!(short(&aged(&read, EVENTS_SHOWN_MS)), "200 payment_intent.succeeded");
        assert_eq!(short(&aged(&read, EVENTS_SHOWN_MS + 1)), "404 resource_missing");
        let listed = aged(&list, EVENTS_SHOWN_MS + 1).expect("answered");
        assert!(!page(&listed).0.contains(&event));
        let earlier = aged(&list, EVENTS_SHOWN_MS + 60_000).expect("answered");
        assert_eq!(page(&earlier), (Vec::new(), false));
    });
}

#[test]
fn a_rare_event_is_found_behind_more_others_than_one_step_looks_at() {
    in_system(async {
        let store = Memory::new(Mode::Immediate);
        let engine = start(&store);
        let client = engine.client();
        let mut desk = Desk::of(merchant(1));
        let paid = ask(&client, desk.write(pay(1_000, "visa"))).await;
        let intent = object(&paid).id();
        for _ in 0..=PAGE_SCAN_MAX {
            ask(&client, desk.write(customer())).await;
        }
        let query = ListQuery {
            about: Some(intent.text(&kinds::PAYMENT_INTENT).into()),
            ..all(&kinds::EVENT)
        };
        let (events, more) = page(&ask(&client, desk.list(query)).await);
        assert_eq!((events.len(), more), (2, false));
    });
}
