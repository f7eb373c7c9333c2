//! Which version of an object an event shows, and who caused it.

use crate::form::command;
use crate::shop::{Done, Shop};
use tollgate_domain::acquirer::{Asked, AttemptId, NetworkAnswer, Said};
use tollgate_domain::customers::customer::UpdateCustomer;
use tollgate_domain::events::{Event, EventType};
use tollgate_domain::payments::payment_intent::StatusName;
use tollgate_domain::payments::refund::Refund;
use tollgate_domain::{Command, Object, Reply};
use tollgate_resource::{Id, Update};

fn pay(shop: &mut Shop, card: &str) -> Done {
    let method = format!("pm_card_{card}");
    let pairs = [
        ("amount", "2000"),
        ("currency", "usd"),
        ("payment_method", method.as_str()),
        ("confirm", "true"),
    ];
    shop.ask(&command("create_payment_intent", &pairs)).expect("decided")
}

fn event(done: &Done, kind: EventType) -> &Event {
    done.events
        .iter()
        .find(|event| event.kind == kind)
        .expect("the event happened")
}

fn made(done: &Done) -> Id {
    match done.decision.reply {
        Reply::Object(_, id) => id,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn created_shows_the_intent_before_it_was_confirmed() {
    for (card, last) in [
        ("visa", EventType::PaymentIntentSucceeded),
        ("chargeDeclined", EventType::PaymentIntentPaymentFailed),
    ] {
        let done = pay(&mut Shop::open(), card);
        let Object::PaymentIntent(created) = &event(&done, EventType::PaymentIntentCreated).object else {
            panic!()
        };
        assert_eq!(created.status.name(), StatusName::RequiresPaymentMethod);
        assert_eq!((created.payment_method, created.latest_charge()), (None, None));
        assert!(created.last_error.is_none());
        let Object::PaymentIntent(last) = &event(&done, last).object else {
            panic!()
        };
        assert_eq!((last.charge_count, last.id), (1, created.id));
    }
}

#[test]
fn created_of_a_remote_payment_is_the_same_before_and_after_the_answer() {
    let mut shop = Shop::open();
    let done = pay(&mut shop, "tollgate_remote");
    let Reply::Await(attempt) = done.decision.reply else {
        panic!("it waits")
    };
    let Object::PaymentIntent(created) = &event(&done, EventType::PaymentIntentCreated).object else {
        panic!()
    };
    assert_eq!(created.status.name(), StatusName::RequiresPaymentMethod);
    assert_eq!(created.attempts, 0);

    let answer = NetworkAnswer {
        to: Asked::Request,
        said: Said::Approved,
    };
    let answered = shop.tell(&Command::ResolveAttempt(attempt, answer)).expect("taken");
    let succeeded = event(&answered, EventType::ChargeSucceeded);
    assert_eq!(
        succeeded.request,
        event(&done, EventType::PaymentIntentCreated).request,
        "the request that waited"
    );
    assert_eq!(succeeded.idempotency_key.as_deref(), Some("key-1"));
}

#[test]
fn ids_of_events_follow_the_objects_of_their_record() {
    let done = pay(&mut Shop::open(), "visa");
    let seqs: Vec<u64> = done.events.iter().map(|event| event.id.seq()).collect();
    assert_eq!(
        seqs,
        [5, 6, 7],
        "after the intent, the method, the charge and the balance transaction"
    );
    assert!(done.events.iter().all(|event| event.request.is_some()));
    assert_eq!(done.decision.facts.event(4), None);
    assert_eq!(done.decision.facts.event(8), None);
}

#[test]
fn an_update_shows_what_was_before() {
    let mut shop = Shop::open();
    let id = made(&shop.ask(&command("create_customer", &[("name", "Ada")])).expect("made"));
    let name = Update::Set("Grace".into());
    let changes = UpdateCustomer {
        name,
        ..UpdateCustomer::default()
    };
    let done = shop
        .ask(&Command::UpdateCustomer(id, Box::new(changes)))
        .expect("changed");
    let updated = event(&done, EventType::CustomerUpdated);
    let (Object::Customer(now), Some(Object::Customer(before))) = (&updated.object, &updated.previous) else {
        panic!()
    };
    assert_eq!(
        (now.name.as_deref(), before.name.as_deref()),
        (Some("Grace"), Some("Ada"))
    );
}

#[test]
fn a_refund_gets_its_reference_in_the_update() {
    let confirmed = |object: &Object| match object {
        Object::Refund(refund) => Refund::is_confirmed(refund),
        _ => panic!("a refund"),
    };
    let mut shop = Shop::open();
    let intent = made(&pay(&mut shop, "visa"));
    let intent = intent.text(&tollgate_domain::kinds::PAYMENT_INTENT);
    let done = shop
        .ask(&command("create_refund", &[("payment_intent", &intent)]))
        .expect("refunded");
    assert!(!confirmed(&event(&done, EventType::RefundCreated).object));
    for kind in [EventType::RefundUpdated, EventType::ChargeRefundUpdated] {
        let updated = event(&done, kind);
        assert!(confirmed(&updated.object) && !confirmed(updated.previous.as_ref().expect("before")));
    }

    let Reply::Await(attempt) = pay(&mut shop, "tollgate_remote").decision.reply else {
        panic!("it waits")
    };
    let answer = NetworkAnswer {
        to: Asked::Request,
        said: Said::Approved,
    };
    shop.tell(&Command::ResolveAttempt(attempt, answer)).expect("taken");
    let intent = attempt.object.text(&tollgate_domain::kinds::PAYMENT_INTENT);
    let id = made(
        &shop
            .ask(&command("create_refund", &[("payment_intent", &intent)]))
            .expect("refunded"),
    );
    let done = shop
        .tell(&Command::ResolveAttempt(AttemptId { object: id, number: 1 }, answer))
        .expect("taken");
    let updated = event(&done, EventType::RefundUpdated);
    assert!(confirmed(&updated.object) && !confirmed(updated.previous.as_ref().expect("before")));
    assert_eq!(updated.request, None, "nobody asked");
}
