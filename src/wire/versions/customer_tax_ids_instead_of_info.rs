//! 2019-12-03: a customer has tax ids. Before, one with a verification beside it.

use super::{AnswerChange, Change, Request, RequestChange};
use serde_json::{Map, Value, json};
use tollgate_resource::{Method, Version};

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20191203),
    doc: "`tax_info` and `tax_info_verification` of a customer are gone, see `tax_ids`. Creating a customer with `tax_info` \
          of type `vat` makes a tax id of type `eu_vat`; updating one with it, until then, replaces that.",
    requests: &[RequestChange {
        method: Method::Post,
        path: "/v1/customers",
        rewrite,
        example: (
            "name=A&tax_info[type]=vat&tax_info[tax_id]=DE123456789",
            "name=A&tax_id_data[0][type]=eu_vat&tax_id_data[0][value]=DE123456789",
        ),
    }],
    answers: &[AnswerChange {
        object: "customer",
        rewrite: info,
        example: (
            r#"{"object":"customer","name":"A","tax_ids":{"object":"list","data":[{"object":"tax_id","type":"eu_vat",
                "value":"DE123456789","verification":{"status":"pending","verified_address":null,
                "verified_name":null}}]}}"#,
            r#"{"object":"customer","name":"A","tax_ids":{"object":"list","data":[{"object":"tax_id","type":"eu_vat",
                "value":"DE123456789","verification":{"status":"pending","verified_address":null,
                "verified_name":null}}]},"tax_info":{"tax_id":"DE123456789","type":"vat"},
                "tax_info_verification":{"status":"pending","verified_name":null}}"#,
        ),
    }],
    windows: &[],
};

fn rewrite(request: &mut Request<'_>) {
    let is_vat = request.value("tax_info[type]") == Some("vat");
    let Some(id) = request.value("tax_info[tax_id]").map(str::to_owned) else {
        return;
    };
    if is_vat && !request.gives("tax_id_data") {
        request.remove("tax_info");
        request.add("tax_id_data[0][type]", "eu_vat");
        request.add("tax_id_data[0][value]", &id);
    }
}

fn info(customer: &mut Map<String, Value>) {
    if customer.contains_key("deleted") {
        return;
    }
    // The one it was made with is the oldest, and stands last.
    let ids = customer.get("tax_ids").and_then(|ids| ids["data"].as_array());
    let (info, verification) = match ids.and_then(|ids| ids.last()) {
        None => (Value::Null, Value::Null),
        Some(id) => {
            let verification = &id["verification"];
            let told = json!({"status": verification["status"], "verified_name": verification["verified_name"]});
            (json!({"tax_id": id["value"], "type": "vat"}), told)
        }
    };
    customer.insert("tax_info".into(), info);
    customer.insert("tax_info_verification".into(), verification);
}
