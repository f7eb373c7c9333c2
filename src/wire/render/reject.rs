//! Error bodies.

use super::json;
use super::show::Show;
use crate::wording::without_card_numbers;
use tollgate_domain::reject::doc_url;
use tollgate_domain::{Reject, kinds};
use tollgate_resource::{Expand, Id, Kind, Names};

/// Codes that have no page of their own: one, and those of the second version of the API.
const WITHOUT_PAGE: &[&str] = &[
    "property_expansion_max_depth",
    "not_found",
    "idempotency_error",
    "invalid_fields",
    "invalid_request_error",
    "api_error",
];
/// Where the members of the error stand.
const DEPTH: usize = 1;

/// Writes `{"error": {…}}` with the members in alphabetical order. `request_log_url` is where the request can be looked up.
pub(super) fn write(reject: &Reject, request_log_url: Option<&str>, show: &mut Show<'_>) {
    show.member(true, "error", 0);
    let mut members = Members { show, first: true };
    members.text("advice_code", reject.advice_code.as_deref());
    if let Some(charge) = reject.charge {
        members.text("charge", Some(&charge.text(&kinds::CHARGE)));
    }
    members.text("code", reject.code.as_deref());
    members.text("decline_code", reject.decline_code.as_deref());
    let code = reject.code.as_deref().filter(|code| !WITHOUT_PAGE.contains(code));
    members.text("doc_url", code.map(doc_url).as_deref());
    // Whoever words a refusal may repeat what was sent; a card number that was sent to the wrong place is not repeated.
    members.text("message", Some(&without_card_numbers(&reject.message)));
    members.text("network_advice_code", reject.network_advice_code.as_deref());
    members.text("network_decline_code", reject.network_decline_code.as_deref());
    members.text("param", reject.param.as_deref().map(without_card_numbers).as_deref());
    members.object("payment_intent", &kinds::PAYMENT_INTENT, reject.payment_intent);
    members.object("payment_method", &kinds::PAYMENT_METHOD, reject.payment_method);
    members.text("request_log_url", request_log_url);
    members.object("setup_intent", &kinds::SETUP_INTENT, reject.setup_intent);
    members.text("type", Some(reject.kind.name()));
    show.close(false, DEPTH);
    show.close(false, 0);
}

/// The members of the error, one after the other.
struct Members<'s, 'a> {
    show: &'s mut Show<'a>,
    first: bool,
}

impl Members<'_, '_> {
    fn text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.start(name);
            json::string(self.show.out, text);
        }
    }

    fn object(&mut self, name: &str, kind: &'static Kind, id: Option<Id>) {
        if let Some(id) = id {
            self.start(name);
            self.show.object(kind, id, Expand::NONE, DEPTH + 1);
        }
    }

    fn start(&mut self, name: &str) {
        self.show.member(self.first, name, DEPTH);
        self.first = false;
    }
}
