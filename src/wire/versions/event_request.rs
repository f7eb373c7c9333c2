//! 2017-05-25: an event tells the request and its idempotency key. Before, the id of the request alone.

use super::{AnswerChange, Change};
use serde_json::{Map, Value};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20170525),
    doc: "`request` of an event is a hash with `id` and `idempotency_key`; before, the id alone.",
    requests: &[],
    answers: &[AnswerChange {
        object: "event",
        rewrite: id_alone,
        example: (
            r#"{"object":"event","request":{"id":"req_1","idempotency_key":"k"}}"#,
            r#"{"object":"event","request":"req_1"}"#,
        ),
    }],
    windows: &[],
};

fn id_alone(event: &mut Map<String, Value>) {
    if let Some(request) = event.remove("request") {
        event.insert("request".into(), request["id"].clone());
    }
}
