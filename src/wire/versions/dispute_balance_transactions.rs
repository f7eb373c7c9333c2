//! 2014-08-20: a dispute shows every movement it made. Before, the id of the first.

use super::{AnswerChange, Change};
use serde_json::{Map, Value};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20140820),
    doc: "`balance_transactions` of a dispute are all of them; before, `balance_transaction` was the id of the first.",
    requests: &[],
    answers: &[AnswerChange {
        object: "dispute",
        rewrite: first,
        example: (
            r#"{"object":"dispute","balance_transactions":[{"id":"txn_1","amount":-5},{"id":"txn_2","amount":5}]}"#,
            r#"{"object":"dispute","balance_transaction":"txn_1"}"#,
        ),
    }],
    windows: &[],
};

fn first(dispute: &mut Map<String, Value>) {
    if let Some(all) = dispute.remove("balance_transactions") {
        dispute.insert("balance_transaction".into(), all[0]["id"].clone());
    }
}
