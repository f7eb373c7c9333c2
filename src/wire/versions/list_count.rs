//! 2014-03-28: a list no longer counts what it is a part of by itself.

use super::{AnswerChange, Change};
use serde_json::{Map, Value};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20140328),
    doc: "`count` of a list is gone, see `has_more`. (It counts the page where the whole is not counted.)",
    requests: &[],
    answers: &[AnswerChange {
        object: "list",
        rewrite: count,
        example: (
            r#"{"object":"list","data":[{"id":"re_1"}],"has_more":true,"total_count":3,"url":"/v1/refunds"}"#,
            r#"{"object":"list","count":3,"data":[{"id":"re_1"}],"has_more":true,"total_count":3,"url":"/v1/refunds"}"#,
        ),
    }],
    windows: &[],
};

fn count(list: &mut Map<String, Value>) {
    let shown = list.get("data").and_then(Value::as_array).map_or(0, Vec::len);
    let count = list.get("total_count").cloned().unwrap_or_else(|| shown.into());
    list.insert("count".into(), count);
}
