//! 2014-11-05: an account tells whether charges and transfers are enabled. Before, the same in the singular.

use super::{AnswerChange, Change, rename};
use serde_json::{Map, Value};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20141105),
    doc: "`charge_enabled` and `transfer_enabled` of an account are called `charges_enabled` and `transfers_enabled`.",
    requests: &[],
    answers: &[AnswerChange {
        object: "account",
        rewrite: singular,
        example: (
            r#"{"object":"account","charges_enabled":true,"transfers_enabled":false}"#,
            r#"{"object":"account","charge_enabled":true,"transfer_enabled":false}"#,
        ),
    }],
    windows: &[],
};

fn singular(account: &mut Map<String, Value>) {
    rename(account, "charges_enabled", "charge_enabled");
    rename(account, "transfers_enabled", "transfer_enabled");
}
