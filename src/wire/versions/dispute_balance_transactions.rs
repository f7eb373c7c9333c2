//! 2014-08-20: a dispute shows every movement it made. Before, the id of the first alone.

use super::{AnswerChange, Change};
use serde_json::{Map, Value};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20140820),
    doc: "`balance_transactions` of a dispute are all of them; before, there was only `balance_transaction`, the id of the first.",
    requests: &[],
    answers: &[AnswerChange {
        object: "dispute",
        rewrite: only_the_first,
        example: (
            r#"{"object":"dispute","balance_transaction":"txn_1","balance_transactions":[{"id":"txn_1","amount":-5}]}"#,
            r#"{"object":"dispute","balance_transaction":"txn_1"}"#,
        ),
    }],
    windows: &[],
};

fn only_the_first(dispute: &mut Map<String, Value>) {
    dispute.remove("balance_transactions");
}
