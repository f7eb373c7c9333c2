//! 2025-03-31 (basil): what a partial capture leaves is released. Before, it counted as refunded; and a hold that ended by
//! itself was canceled for the reason `automatic`, which is `expired` now.

use super::{AnswerChange, Change};
use serde_json::{Map, Value};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20250331),
    doc: "What a partial capture leaves is no longer in `amount_refunded` of its charge; the `cancellation_reason` of a \
          hold that ended by itself is `expired` instead of `automatic`.",
    requests: &[],
    answers: &[
        AnswerChange {
            object: "charge",
            rewrite: released_is_refunded,
            example: (
                r#"{"object":"charge","amount":5000,"amount_captured":3000,"amount_refunded":1000,"captured":true}"#,
                r#"{"object":"charge","amount":5000,"amount_captured":3000,"amount_refunded":3000,"captured":true}"#,
            ),
        },
        AnswerChange {
            object: "payment_intent",
            rewrite: automatic,
            example: (
                r#"{"object":"payment_intent","cancellation_reason":"expired"}"#,
                r#"{"object":"payment_intent","cancellation_reason":"automatic"}"#,
            ),
        },
    ],
    windows: &[],
};

fn released_is_refunded(charge: &mut Map<String, Value>) {
    let number = |name: &str| charge.get(name).and_then(Value::as_i64);
    let captured = charge.get("captured").and_then(Value::as_bool) == Some(true);
    let (Some(amount), Some(taken), Some(refunded)) =
        (number("amount"), number("amount_captured"), number("amount_refunded"))
    else {
        return;
    };
    if captured && taken < amount {
        charge.insert("amount_refunded".into(), (refunded + amount - taken).into());
    }
}

fn automatic(intent: &mut Map<String, Value>) {
    if intent.get("cancellation_reason").and_then(Value::as_str) == Some("expired") {
        intent.insert("cancellation_reason".into(), "automatic".into());
    }
}
