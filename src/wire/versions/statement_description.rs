//! 2014-12-17: what the cardholder reads is a descriptor. Before, a description.

use super::{AnswerChange, Change, Request, RequestChange, rename};
use serde_json::{Map, Value};
use tollgate_resource::{Method, Version};

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20141217),
    doc: "`statement_description` of a charge is called `statement_descriptor`.",
    requests: &[
        RequestChange {
            method: Method::Post,
            path: "/v1/charges",
            rewrite,
            example: (
                "amount=5&statement_description=Shop",
                "amount=5&statement_descriptor=Shop",
            ),
        },
        RequestChange {
            method: Method::Post,
            path: "/v1/charges/{charge}/capture",
            rewrite,
            example: ("statement_description=Shop", "statement_descriptor=Shop"),
        },
    ],
    answers: &[AnswerChange {
        object: "charge",
        rewrite: description,
        example: (
            r#"{"object":"charge","statement_descriptor":"Shop"}"#,
            r#"{"object":"charge","statement_description":"Shop"}"#,
        ),
    }],
    windows: &[],
};

fn rewrite(request: &mut Request<'_>) {
    request.rename("statement_description", "statement_descriptor");
}

fn description(charge: &mut Map<String, Value>) {
    rename(charge, "statement_descriptor", "statement_description");
}
