//! 2018-08-23: a customer's tax id has a type. Before, it was a VAT id.

use super::{AnswerChange, Change, Request, RequestChange};
use serde_json::{Map, Value};
use tollgate_resource::{Method, Version};

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20180823),
    doc: "`business_vat_id` of a customer is `tax_info[tax_id]` with `tax_info[type]=vat`.",
    requests: &[
        RequestChange {
            method: Method::Post,
            path: "/v1/customers",
            rewrite,
            example: (
                "name=A&business_vat_id=DE123456789",
                "name=A&tax_info[type]=vat&tax_info[tax_id]=DE123456789",
            ),
        },
        RequestChange {
            method: Method::Post,
            path: "/v1/customers/{id}",
            rewrite: rewrite_update,
            example: ("business_vat_id=", "tax_info="),
        },
    ],
    answers: &[AnswerChange {
        object: "customer",
        rewrite: vat_id,
        example: (
            r#"{"object":"customer","name":"A","tax_info":{"tax_id":"DE123456789","type":"vat"},
                "tax_info_verification":null}"#,
            r#"{"object":"customer","business_vat_id":"DE123456789","name":"A"}"#,
        ),
    }],
    windows: &[],
};

fn rewrite(request: &mut Request<'_>) {
    let Some(id) = request.value("business_vat_id").map(str::to_owned) else {
        return;
    };
    request.remove("business_vat_id");
    if !id.is_empty() {
        request.put("tax_info[type]", "vat");
        request.put("tax_info[tax_id]", &id);
    }
}

/// An empty text takes the number away.
fn rewrite_update(request: &mut Request<'_>) {
    if request.value("business_vat_id") == Some("") {
        request.remove("business_vat_id");
        request.put("tax_info", "");
    }
    rewrite(request);
}

fn vat_id(customer: &mut Map<String, Value>) {
    customer.remove("tax_info_verification");
    if let Some(info) = customer.remove("tax_info") {
        customer.insert("business_vat_id".into(), info["tax_id"].clone());
    }
}
