//! 2019-10-17: what a customer owes or has to their credit is called `balance`. Before, it was `account_balance`.

use super::{AnswerChange, Change, Request, RequestChange};
use serde_json::{Map, Value};
use tollgate_resource::{Method, Version};

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20191017),
    doc: "`account_balance` of a customer is called `balance`.",
    requests: &[
        RequestChange {
            method: Method::Post,
            path: "/v1/customers",
            rewrite,
            example: ("name=A&account_balance=-500", "name=A&balance=-500"),
        },
        RequestChange {
            method: Method::Post,
            path: "/v1/customers/{id}",
            rewrite,
            example: ("account_balance=0", "balance=0"),
        },
    ],
    answers: &[AnswerChange {
        object: "customer",
        rewrite: account_balance,
        example: (
            r#"{"object":"customer","balance":-500,"created":1}"#,
            r#"{"object":"customer","account_balance":-500,"created":1}"#,
        ),
    }],
    windows: &[],
};

fn rewrite(request: &mut Request<'_>) {
    request.rename("account_balance", "balance");
}

fn account_balance(customer: &mut Map<String, Value>) {
    if let Some(balance) = customer.remove("balance") {
        customer.insert("account_balance".into(), balance);
    }
}
