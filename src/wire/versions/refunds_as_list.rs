//! 2014-06-17: the refunds of a charge are a list. Before, an array.

use super::{AnswerChange, Change};
use serde_json::{Map, Value};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20140617),
    doc: "`refunds` of a charge is a list; before, an array.",
    requests: &[],
    answers: &[AnswerChange {
        object: "charge",
        rewrite: array,
        example: (
            r#"{"object":"charge","refunds":{"object":"list","data":[{"object":"refund","amount":5}],"has_more":false}}"#,
            r#"{"object":"charge","refunds":[{"object":"refund","amount":5}]}"#,
        ),
    }],
    windows: &[],
};

fn array(charge: &mut Map<String, Value>) {
    let data = charge.get_mut("refunds").and_then(|refunds| refunds.get_mut("data"));
    if let Some(data) = data.map(Value::take) {
        charge.insert("refunds".into(), data);
    }
}
