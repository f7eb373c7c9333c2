//! The whole engine on a real actix system with a store in memory.

use crate::office::{Desk, Pump, merchant, object, pay, refund, rendered, secrets, short};
use std::sync::Arc;
use std::time::Duration;
use tollgate_actors::performer::BoxFuture;
use tollgate_actors::settings::Pacing;
use tollgate_actors::{Client, Engine, EngineConfig, Performer, Refusal, Request, Response, Shown};
use tollgate_domain::Call;
use tollgate_domain::acquirer::{Asked, NetworkAnswer, NetworkCall, Said};
use tollgate_domain::call::{Cursor, ListQuery, Read};
use tollgate_domain::kinds;
use tollgate_domain::object::Item;
use tollgate_store::memory::{Memory, Mode};

/// A network that approves after a moment, panics on amounts of 6.66, and is silent on 4.04.
pub(crate) struct Network;

impl Performer for Network {
    fn perform(&self, call: NetworkCall) -> BoxFuture<'static, NetworkAnswer> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            let (to, said) = match call.ask {
                tollgate_domain::acquirer::Ask::Purchase(money) if money.amount == 666 => {
                    panic!("the network's own fault")
                }
                tollgate_domain::acquirer::Ask::Purchase(money) if money.amount == 404 => std::future::pending().await,
                tollgate_domain::acquirer::Ask::Inquire => (Asked::Inquiry, Said::Approved),
                _ => (Asked::Request, Said::Approved),
            };
            NetworkAnswer { to, said }
        })
    }
}

fn start(store: &Arc<Memory>, change: impl FnOnce(&mut EngineConfig)) -> Engine {
    let mut config = EngineConfig::for_one_machine(4, 1);
    config.on_fatal = Arc::new(|why| panic!("{why}"));
    config.lanes = 2;
    change(&mut config);
    let (journal, reads) = (Arc::clone(store) as Arc<_>, Arc::clone(store) as Arc<_>);
    Engine::start(config, journal, reads, Arc::new(Network), secrets()).expect("the engine starts")
}

pub(crate) fn in_system<T>(test: impl Future<Output = T>) -> T {
    actix_rt::System::new().block_on(async {
        let patience = Duration::from_secs(60);
        tokio::time::timeout(patience, test)
            .await
            .expect("the test ends in time")
    })
}

async fn call(client: &Client, request: Request) -> Result<Box<Response>, Refusal> {
    client.call(request).await.map(Box::new)
}

fn page(answer: &Response) -> (Vec<tollgate_resource::Id>, bool) {
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

#[test]
fn payments_are_made_read_listed_and_repeated() {
    in_system(async {
        let store = Memory::new(Mode::Immediate);
        let engine = start(&store, |_| {});
        let client = engine.client();
        let mut desk = Desk::of(merchant(1));
        let mut intents = Vec::new();
        for n in 0..25 {
            let paid = call(&client, desk.keyed_now(&n.to_string(), pay(1_000 + n, "visa")))
                .await
                .expect("answered");
            intents.push(object(&paid).id());
            let read = call(&client, desk.get(&kinds::PAYMENT_INTENT, intents[n as usize])).await;
            assert_eq!(short(&read), "200 succeeded");
            // A list that starts after the acknowledgement sees it.
            let query = ListQuery {
                limit: 1,
                ..ListQuery::of(&kinds::PAYMENT_INTENT, "/v1/payment_intents")
            };
            let listed = call(&client, desk.list(query)).await.expect("answered");
            assert_eq!(page(&listed).0, [intents[n as usize]]);
        }
        let query = ListQuery::of(&kinds::PAYMENT_INTENT, "/v1/payment_intents");
        let newest = call(&client, desk.list(query.clone())).await.expect("answered");
        let expected: Vec<_> = intents.iter().rev().take(10).copied().collect();
        assert_eq!(page(&newest), (expected, true));
        let older = ListQuery {
            cursor: Cursor::After(intents[3]),
            ..query.clone()
        };
        assert_eq!(
            page(&call(&client, desk.list(older)).await.expect("answered")),
            (vec![intents[2], intents[1], intents[0]], false)
        );
        let newer = ListQuery {
            cursor: Cursor::Before(intents[3]),
            limit: 2,
            ..query.clone()
        };
        assert_eq!(
            page(&call(&client, desk.list(newer)).await.expect("answered")),
            (vec![intents[5], intents[4]], true)
        );
        let mut other = Desk::of(merchant(2));
        let foreign = ListQuery {
            cursor: Cursor::After(intents[3]),
            ..query
        };
        assert_eq!(short(&call(&client, other.list(foreign)).await), "400 resource_missing");

        let types = vec!["charge.*".into()];
        let query = ListQuery {
            types,
            limit: 100,
            ..ListQuery::of(&kinds::EVENT, "/v1/events")
        };
        let (events, more) = page(&call(&client, desk.list(query)).await.expect("answered"));
        assert_eq!((events.len(), more), (25, false));
        let mut one = desk.get(&kinds::EVENT, events[0]);
        one.call = Call::Read(Read::Object(&kinds::EVENT, events[0], "id"));
        assert_eq!(short(&call(&client, one).await), "200 charge.succeeded");

        let parents = vec![(&kinds::PAYMENT_INTENT, intents[7])];
        let query = ListQuery {
            parents,
            ..ListQuery::of(&kinds::CHARGE, "/v1/charges")
        };
        assert_eq!(
            page(&call(&client, desk.list(query)).await.expect("answered")).0.len(),
            1
        );
        assert!(engine.is_ready());
        assert!(engine.stop(Duration::from_secs(5)).await);
    });
}

#[test]
fn many_at_once_on_one_key_and_one_charge() {
    in_system(async {
        let store = Memory::new(Mode::Immediate);
        let engine = start(&store, |_| {});
        let client = engine.client();
        let mut desk = Desk::of(merchant(1));
        let requests: Vec<Request> = (0..200).map(|_| desk.keyed_now("k", pay(10_000, "visa"))).collect();
        let answers = all(&client, requests).await;
        let first = rendered(answers[0].as_ref().expect("answered"));
        assert!(
            answers
                .iter()
                .all(|answer| rendered(answer.as_ref().expect("answered")) == first)
        );
        let intent = object(answers[0].as_ref().expect("answered")).id();
        let requests: Vec<Request> = (0..1_000).map(|_| desk.write(refund(intent, Some(25)))).collect();
        let done = all(&client, requests).await;
        assert_eq!(done.iter().filter(|answer| short(answer) == "200 refund").count(), 400);
        engine.stop(Duration::from_secs(5)).await;
    });
}

#[test]
fn a_remote_network_answers_through_the_pool_and_its_panic_is_silence() {
    in_system(async {
        let store = Memory::new(Mode::Immediate);
        let engine = start(&store, |config| config.shard.attempt_deadline_ms = 300);
        let client = engine.client();
        let mut desk = Desk::of(merchant(1));
        let paid = call(&client, desk.keyed_now("a", pay(2_000, "tollgate_remote"))).await;
        assert_eq!(short(&paid), "200 succeeded");
        let lost = call(&client, desk.keyed_now("b", pay(666, "tollgate_remote"))).await;
        assert_eq!(short(&lost), "200 processing");
        let intent = object(lost.as_ref().expect("answered")).id();
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            if short(&call(&client, desk.get(&kinds::PAYMENT_INTENT, intent)).await) == "200 succeeded" {
                break;
            }
        }
        engine.stop(Duration::from_secs(5)).await;
    });
}

#[test]
fn a_dropped_call_goes_on_and_its_retry_hears_the_first_answer() {
    in_system(async {
        let store = Memory::new(Mode::Held);
        let engine = start(&store, |_| {});
        let client = engine.client();
        let mut desk = Desk::of(merchant(1));
        let request = desk.keyed_now("k", pay(2_000, "visa"));
        let given_up = tokio::time::timeout(Duration::from_millis(50), client.call(request)).await;
        assert!(given_up.is_err(), "nothing is durable yet");
        assert_eq!(engine.inside(), 1, "the command is still inside");
        let retry = desk.keyed_now("k", pay(2_000, "visa"));
        let _pump = Pump::start(&store);
        let answer = call(&client, retry).await.expect("answered");
        assert_eq!(short(&Ok(answer.clone())), "200 succeeded");
        assert!(answer.replayed.is_some());
        assert_eq!(engine.inside(), 0);
        engine.stop(Duration::from_secs(5)).await;
    });
}

#[test]
fn overload_is_refused_at_once_and_stopping_refuses_all() {
    in_system(async {
        let store = Memory::new(Mode::Held);
        let engine = start(&store, |config| config.permits_per_account = 8);
        let client = engine.client();
        let mut desk = Desk::of(merchant(1));
        let requests: Vec<Request> = (0..10)
            .map(|n| desk.keyed_now(&n.to_string(), pay(2_000, "visa")))
            .collect();
        let waiting = actix_rt::spawn({
            let client = client.clone();
            async move { all(&client, requests).await }
        });
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(engine.inside(), 8);
        let mut other = Desk::of(merchant(2));
        let read = call(&client, other.balance()).await;
        assert_eq!(short(&read), "200 balance", "another account is not refused");
        while !waiting.is_finished() {
            store.pump();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let answers = waiting.await.expect("no panic");
        let refused = answers
            .iter()
            .filter(|answer| matches!(answer, Err(Refusal::Overloaded { .. })))
            .count();
        assert_eq!(refused, 2);
        assert!(engine.stop(Duration::from_secs(5)).await);
        assert_eq!(short(&call(&client, other.balance()).await), "the server is stopping");
    });
}

#[test]
fn the_node_has_room_for_so_many_and_takes_another_number_at_once() {
    in_system(async {
        let store = Memory::new(Mode::Held);
        let engine = start(&store, |config| config.permits_per_node = 3);
        let client = engine.client();
        let requests: Vec<Request> = (1..=5)
            .map(|n| Desk::of(merchant(n)).keyed_now("k", pay(2_000, "visa")))
            .collect();
        let waiting = actix_rt::spawn({
            let client = client.clone();
            async move { all(&client, requests).await }
        });
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(engine.inside(), 3);
        let mut other = Desk::of(merchant(6));
        let refused = client.begin(other.balance()).err();
        let by_node = Refusal::Overloaded {
            retry_after_s: 1,
            by_account: false,
        };
        assert_eq!(refused, Some(by_node));
        engine.set_permits(4, 4_096, 4_096);
        let admitted = client.begin(other.balance());
        assert!(admitted.is_ok(), "there is room for one more");
        assert_eq!(client.begin(other.balance()).err(), Some(by_node));
        while !waiting.is_finished() {
            store.pump();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let answers = waiting.await.expect("no panic");
        let refused = answers.iter().filter(|answer| answer.as_ref().err() == Some(&by_node));
        assert_eq!(refused.count(), 2);
        assert!(admitted.expect("admitted above").await.is_ok());
        assert!(engine.stop(Duration::from_secs(5)).await);
    });
}

#[test]
fn payments_whose_blocks_wait_for_more_are_all_answered() {
    are_all_answered(Pacing::Lane { gap_ms: 5 });
}

#[test]
fn payments_whose_shard_waits_for_more_are_all_answered() {
    let never_enough = 1_000;
    are_all_answered(Pacing::Shard {
        gap_ms: 5,
        records: never_enough,
    });
}

fn are_all_answered(pacing: Pacing) {
    in_system(async {
        let store = Memory::new(Mode::Immediate);
        let engine = start(&store, |config| config.shard.pacing = pacing);
        let client = engine.client();
        let mut desks: Vec<Desk> = (1..=8).map(|number| Desk::of(merchant(number))).collect();
        for round in 0..20 {
            let requests = desks.iter_mut().flat_map(|desk| {
                let keys = (0..4).map(move |n| format!("{round}-{n}"));
                keys.map(|key| desk.keyed_now(&key, pay(2_000, "visa")))
                    .collect::<Vec<_>>()
            });
            let answers = all(&client, requests.collect()).await;
            assert!(answers.iter().all(|answer| short(answer) == "200 succeeded"));
            let alone = call(
                &client,
                desks[0].keyed_now(&format!("alone {round}"), pay(2_000, "visa")),
            )
            .await;
            assert_eq!(short(&alone), "200 succeeded");
        }
        assert!(engine.stop(Duration::from_secs(5)).await);
        assert_eq!(engine.inside(), 0);
    });
}

#[test]
fn clients_on_many_threads_share_the_engine_and_a_restart_keeps_everything() {
    let store = Memory::new(Mode::Immediate);
    let intents = in_system({
        let store = Arc::clone(&store);
        async move {
            let engine = start(&store, |_| {});
            let (send, mut receive) = tokio::sync::mpsc::channel(16);
            let arbiters: Vec<_> = (0..4).map(|_| actix_rt::Arbiter::new()).collect();
            for (number, arbiter) in arbiters.iter().enumerate() {
                let (engine, send) = (engine.clone(), send.clone());
                let work = async move |engine: Engine| {
                    let client = engine.client();
                    let mut desk = Desk::of(merchant(number as u32 + 1));
                    let requests = (0..500)
                        .map(|n| desk.keyed_now(&n.to_string(), pay(1_000 + n, "visa")))
                        .collect();
                    let answers = all(&client, requests).await;
                    let ids: Vec<_> = answers
                        .iter()
                        .map(|answer| object(answer.as_ref().expect("paid")).id())
                        .collect();
                    send.send((number as u32 + 1, ids)).await.expect("the test waits");
                };
                // The future stays on the thread that makes it, as a worker's do.
                arbiter.spawn_fn(move || drop(actix_rt::spawn(async move { work(engine).await })));
            }
            let mut intents = Vec::new();
            for _ in 0..4 {
                intents.push(receive.recv().await.expect("each thread reports"));
            }
            engine.stop(Duration::from_secs(5)).await;
            intents
        }
    });
    let store = store.crash();
    in_system(async move {
        let engine = start(&store, |_| {});
        let client = engine.client();
        for (number, ids) in intents {
            let mut desk = Desk::of(merchant(number));
            let reads = ids.iter().map(|id| desk.get(&kinds::PAYMENT_INTENT, *id)).collect();
            assert!(
                all(&client, reads)
                    .await
                    .iter()
                    .all(|read| short(read) == "200 succeeded")
            );
        }
        engine.stop(Duration::from_secs(5)).await;
    });
}

/// Calls all at once and waits for every answer, in order.
async fn all(client: &Client, requests: Vec<Request>) -> Vec<Result<Box<Response>, Refusal>> {
    let tasks: Vec<_> = requests
        .into_iter()
        .map(|request| {
            let client = client.clone();
            actix_rt::spawn(async move { call(&client, request).await })
        })
        .collect();
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        answers.push(task.await.expect("no panic in a call"));
    }
    answers
}
