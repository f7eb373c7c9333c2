//! 2014-12-22: a check of a card that its bank does not offer is unavailable, and one that was not made is unchecked.
//! Before, the former was called unchecked and the latter null.

use super::{AnswerChange, Change};
use serde_json::{Map, Value};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20141222),
    doc: "Checks of a card that its bank does not offer are `unavailable`, those not made yet `unchecked`; before, \
          `unchecked` and null. The card of a token has no `customer`.",
    requests: &[],
    answers: &[
        AnswerChange {
            object: "card",
            rewrite: checks,
            example: (
                r#"{"object":"card","address_line1_check":"unavailable","address_zip_check":"pass","cvc_check":"unchecked"}"#,
                r#"{"object":"card","address_line1_check":"unchecked","address_zip_check":"pass","cvc_check":null}"#,
            ),
        },
        AnswerChange {
            object: "token",
            rewrite: customer,
            example: (
                r#"{"object":"token","card":{"id":"card_1"}}"#,
                r#"{"object":"token","card":{"id":"card_1","customer":null}}"#,
            ),
        },
    ],
    windows: &[],
};

const CHECKS: [&str; 3] = ["address_line1_check", "address_zip_check", "cvc_check"];

fn checks(card: &mut Map<String, Value>) {
    for name in CHECKS {
        let Some(check) = card.get_mut(name) else { continue };
        *check = match check.as_str() {
            Some("unavailable") => "unchecked".into(),
            Some("unchecked") => Value::Null,
            _ => continue,
        };
    }
}

fn customer(token: &mut Map<String, Value>) {
    if let Some(Value::Object(card)) = token.get_mut("card")
        && !card.contains_key("customer")
    {
        card.insert("customer".into(), Value::Null);
        card.sort_keys();
    }
}
