//! 2015-02-18: what a charge is paid with and what a customer holds are sources. Before, cards; versions of before show
//! both. A charge that was paid is `succeeded`. Before, `paid`.

use super::{AnswerChange, Change};
use serde_json::{Map, Value};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20150218),
    doc: "`source` of a charge and `sources` and `default_source` of a customer stand for `card`, `cards` and \
          `default_card`, which older versions show besides. `status` of a charge is `succeeded` instead of `paid`; the \
          events `customer.card.*` are called `customer.source.*`.",
    requests: &[],
    answers: &[
        AnswerChange {
            object: "charge",
            rewrite: charge,
            example: (
                r#"{"object":"charge","source":{"id":"card_1","object":"card"},"status":"succeeded"}"#,
                r#"{"object":"charge","card":{"id":"card_1","object":"card"},
                    "source":{"id":"card_1","object":"card"},"status":"paid"}"#,
            ),
        },
        AnswerChange {
            object: "customer",
            rewrite: customer,
            example: (
                r#"{"object":"customer","default_source":"card_1","sources":{"object":"list",
                    "data":[{"id":"card_1","object":"card"}],"url":"/v1/customers/cus_1/sources"}}"#,
                r#"{"object":"customer","cards":{"object":"list","data":[{"id":"card_1","object":"card"}],
                    "url":"/v1/customers/cus_1/cards"},"default_card":"card_1","default_source":"card_1",
                    "sources":{"object":"list","data":[{"id":"card_1","object":"card"}],
                    "url":"/v1/customers/cus_1/sources"}}"#,
            ),
        },
        AnswerChange {
            object: "event",
            rewrite: event,
            example: (
                r#"{"object":"event","data":{"object":{"object":"card"}},"type":"customer.source.created"}"#,
                r#"{"object":"event","data":{"object":{"object":"card"}},"type":"customer.card.created"}"#,
            ),
        },
    ],
    windows: &[],
};

fn is_card(value: &Value) -> bool {
    value["object"] == "card"
}

fn charge(charge: &mut Map<String, Value>) {
    if let Some(source) = charge.get("source") {
        let card = if is_card(source) { source.clone() } else { Value::Null };
        charge.insert("card".into(), card);
    }
    if charge.get("status").and_then(Value::as_str) == Some("succeeded") {
        charge.insert("status".into(), "paid".into());
    }
}

fn customer(customer: &mut Map<String, Value>) {
    if let Some(Value::Object(sources)) = customer.get("sources") {
        let mut cards = sources.clone();
        if let Some(Value::Array(data)) = cards.get_mut("data") {
            data.retain(is_card);
        }
        if let Some(url) = cards.get("url").and_then(Value::as_str) {
            let url = url.replace("/sources", "/cards");
            cards.insert("url".into(), url.into());
        }
        customer.insert("cards".into(), cards.into());
    }
    if let Some(default) = customer.get("default_source").cloned() {
        customer.insert("default_card".into(), default);
    }
}

fn event(event: &mut Map<String, Value>) {
    let of_card = event.get("data").is_some_and(|data| is_card(&data["object"]));
    let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
    if let Some(what) = kind.strip_prefix("customer.source.").filter(|_| of_card) {
        event.insert("type".into(), format!("customer.card.{what}").into());
    }
}
