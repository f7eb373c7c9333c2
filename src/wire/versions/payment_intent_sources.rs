//! 2019-02-11: payment intents speak of payment methods. Before, they spoke of sources: in their parameters, in the names
//! of their states and in what the payer has to do.

use super::{AnswerChange, Change, Request, RequestChange};
use serde_json::{Map, Value};
use tollgate_resource::{Method, Version};

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20190211),
    doc: "Payment intents speak of payment methods instead of sources: `allowed_source_types` is `payment_method_types`, \
          `save_source_to_customer` saves the payment method, `next_source_action` is `next_action` with \
          `redirect_to_url` for `authorize_with_url`, and the states `requires_source` and `requires_source_action` are \
          `requires_payment_method` and `requires_action`.",
    requests: &[
        RequestChange {
            method: Method::Post,
            path: "/v1/payment_intents",
            rewrite,
            example: (
                "amount=2000&allowed_source_types[0]=card&save_source_to_customer=true",
                "amount=2000&payment_method_types[0]=card&save_payment_method=true",
            ),
        },
        RequestChange {
            method: Method::Post,
            path: "/v1/payment_intents/{intent}",
            rewrite,
            example: ("allowed_source_types[]=card", "payment_method_types[]=card"),
        },
        RequestChange {
            method: Method::Post,
            path: "/v1/payment_intents/{intent}/confirm",
            rewrite,
            example: ("save_source_to_customer=true", "save_payment_method=true"),
        },
    ],
    answers: &[AnswerChange {
        object: "payment_intent",
        rewrite: sources,
        example: (
            r#"{"object":"payment_intent","next_action":{"redirect_to_url":{"url":"https://a.test"},
                "type":"redirect_to_url"},"payment_method_types":["card"],"status":"requires_action"}"#,
            r#"{"object":"payment_intent","allowed_source_types":["card"],"next_source_action":{
                "authorize_with_url":{"url":"https://a.test"},"type":"authorize_with_url"},
                "status":"requires_source_action"}"#,
        ),
    }],
    windows: &[],
};

fn rewrite(request: &mut Request<'_>) {
    request.rename("allowed_source_types", "payment_method_types");
    request.rename("save_source_to_customer", "save_payment_method");
}

fn sources(intent: &mut Map<String, Value>) {
    if let Some(types) = intent.remove("payment_method_types") {
        intent.insert("allowed_source_types".into(), types);
    }
    if let Some(mut action) = intent.remove("next_action") {
        if let Value::Object(members) = &mut action
            && let Some(to) = members.remove("redirect_to_url")
        {
            members.insert("authorize_with_url".into(), to);
            members.insert("type".into(), "authorize_with_url".into());
            members.sort_keys();
        }
        intent.insert("next_source_action".into(), action);
    }
    let status = match intent.get("status").and_then(Value::as_str) {
        Some("requires_payment_method") => "requires_source",
        Some("requires_action") => "requires_source_action",
        _ => return,
    };
    intent.insert("status".into(), status.into());
}
