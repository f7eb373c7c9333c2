//! 2025-03-31 (basil): a review ends canceled with its payment. Before, cancelling counted as refunding.

use super::{AnswerChange, Change};
use serde_json::{Map, Value};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20250331),
    doc: "A review of a payment that is canceled is closed as `canceled`; before, as `refunded`.",
    requests: &[],
    answers: &[AnswerChange {
        object: "review",
        rewrite: refunded,
        example: (
            r#"{"object":"review","closed_reason":"canceled","open":false,"reason":"canceled"}"#,
            r#"{"object":"review","closed_reason":"refunded","open":false,"reason":"refunded"}"#,
        ),
    }],
    windows: &[],
};

fn refunded(review: &mut Map<String, Value>) {
    for name in ["closed_reason", "reason"] {
        if review.get(name).and_then(Value::as_str) == Some("canceled") {
            review.insert(name.into(), "refunded".into());
        }
    }
}
