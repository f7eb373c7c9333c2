//! 2020-08-27: how a cardholder proved who they are is told by one `result`. Before, by two booleans.

use super::{AnswerChange, Change};
use serde_json::{Map, Value};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20200827),
    doc: "`authenticated` and `succeeded` of a charge's `payment_method_details.card.three_d_secure` are gone, see `result`.",
    requests: &[],
    answers: &[AnswerChange {
        object: "charge",
        rewrite: booleans,
        example: (
            r#"{"object":"charge","payment_method_details":{"card":{"three_d_secure":{"result":"attempt_acknowledged",
                "version":"2.2.0"}},"type":"card"}}"#,
            r#"{"object":"charge","payment_method_details":{"card":{"three_d_secure":{"authenticated":false,
                "result":"attempt_acknowledged","succeeded":true,"version":"2.2.0"}},"type":"card"}}"#,
        ),
    }],
    windows: &[],
};

fn booleans(charge: &mut Map<String, Value>) {
    let details = charge
        .get_mut("payment_method_details")
        .and_then(|details| details.get_mut("card"));
    let Some(Value::Object(secure)) = details.and_then(|card| card.get_mut("three_d_secure")) else {
        return;
    };
    let result = secure.get("result").and_then(Value::as_str).unwrap_or_default();
    let authenticated = result == "authenticated";
    let succeeded = authenticated || matches!(result, "attempt_acknowledged" | "exempted");
    secure.insert("authenticated".into(), authenticated.into());
    secure.insert("succeeded".into(), succeeded.into());
    secure.sort_keys();
}
