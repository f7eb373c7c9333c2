//! 2017-01-27: a balance transaction no longer lists the transfers that its charge paid for.

use super::{AnswerChange, Change};
use serde_json::{Map, Value, json};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20170127),
    doc: "`sourced_transfers` of a balance transaction is gone; before, a list, which is empty here.",
    requests: &[],
    answers: &[AnswerChange {
        object: "balance_transaction",
        rewrite: transfers,
        example: (
            r#"{"object":"balance_transaction","source":"ch_1"}"#,
            r#"{"object":"balance_transaction","source":"ch_1","sourced_transfers":{"object":"list","data":[],
                "has_more":false,"total_count":0,"url":"/v1/transfers?source_transaction=ch_1"}}"#,
        ),
    }],
    windows: &[],
};

fn transfers(transaction: &mut Map<String, Value>) {
    let source = transaction.get("source");
    let id = source.map_or(
        &Value::Null,
        |source| if source.is_object() { &source["id"] } else { source },
    );
    let url = format!("/v1/transfers?source_transaction={}", id.as_str().unwrap_or_default());
    let list = json!({"object": "list", "data": [], "has_more": false, "total_count": 0, "url": url});
    transaction.insert("sourced_transfers".into(), list);
}
