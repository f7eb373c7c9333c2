//! Events, and the webhooks that tell of them.

use super::super::webhooks::Delivery;
use super::{Books, Fault};
use serde_json::{Value, json};

/// Notes an event and sends it to every endpoint, or does otherwise with one in a hundred.
pub(super) fn tell(books: &mut Books, kind: &str, object: Value) {
    let id = format!("evt_{}", books.events.len());
    let event = json!({"id": id, "type": kind, "data": {"object": object}});
    books.events.push(event.clone());
    let fault = books.fault.filter(|_| books.events.len().is_multiple_of(100));
    let send = |event: &Value, nth: u64, signed: bool| {
        for hook in &books.hooks {
            let delivery = Delivery::new(hook, &event.to_string(), nth, signed);
            books.deliveries.as_ref().unwrap().send(delivery).unwrap();
        }
    };
    match fault {
        Some(Fault::LoseAWebhook) => {}
        Some(Fault::SendTwice) => (0..2).for_each(|_| send(&event, 1, true)),
        Some(Fault::SignWrongly) => send(&event, 1, false),
        Some(Fault::SendYoungerFirst) => {
            let mut first = event.clone();
            first["id"] = format!("{id}_first").into();
            first["type"] = "payment_intent.created".into();
            send(&event, 2, true);
            send(&first, 1, true);
            books.events.push(first);
        }
        Some(Fault::SendUnlisted) => {
            let mut other = event.clone();
            other["id"] = "evt_other".into();
            other["data"]["object"]["id"] = "pi_other".into();
            send(&event, 1, true);
            send(&other, 1, true);
        }
        _ => (0..if books.fault == Some(Fault::SendAllTwice) { 2 } else { 1 }).for_each(|_| send(&event, 1, true)),
    }
}
