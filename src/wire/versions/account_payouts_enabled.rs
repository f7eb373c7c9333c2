//! 2017-04-06: what an account gets is paid out. Before, it was transferred.

use super::{AnswerChange, Change, rename};
use serde_json::{Map, Value};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20170406),
    doc: "`transfers_enabled` of an account is called `payouts_enabled`.",
    requests: &[],
    answers: &[AnswerChange {
        object: "account",
        rewrite: transfers,
        example: (
            r#"{"object":"account","payouts_enabled":true}"#,
            r#"{"object":"account","transfers_enabled":true}"#,
        ),
    }],
    windows: &[],
};

fn transfers(account: &mut Map<String, Value>) {
    rename(account, "payouts_enabled", "transfers_enabled");
}
