//! 2014-06-13: what network a card is of is called its brand. Before, its type.

use super::{AnswerChange, Change, rename};
use serde_json::{Map, Value};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20140613),
    doc: "`type` of a card is called `brand`.",
    requests: &[],
    answers: &[AnswerChange {
        object: "card",
        rewrite: brand,
        example: (
            r#"{"object":"card","brand":"Visa","last4":"4242"}"#,
            r#"{"object":"card","last4":"4242","type":"Visa"}"#,
        ),
    }],
    windows: &[],
};

fn brand(card: &mut Map<String, Value>) {
    rename(card, "brand", "type");
}
