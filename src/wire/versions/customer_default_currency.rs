//! 2022-08-01: a customer has one currency. Before, it was shown under a second name too.

use super::{AnswerChange, Change};
use serde_json::{Map, Value};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20220801),
    doc: "`default_currency` of a customer is gone, see `currency`.",
    requests: &[],
    answers: &[AnswerChange {
        object: "customer",
        rewrite: default_currency,
        example: (
            r#"{"object":"customer","created":1,"currency":"usd"}"#,
            r#"{"object":"customer","created":1,"currency":"usd","default_currency":"usd"}"#,
        ),
    }],
    windows: &[],
};

fn default_currency(customer: &mut Map<String, Value>) {
    // A stub of a deleted customer has no currency.
    if let Some(currency) = customer.get("currency").cloned() {
        customer.insert("default_currency".into(), currency);
    }
}
