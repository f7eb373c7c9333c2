//! 2014-12-08: the evidence of a dispute has fields. Before, it was one text, and the dispute told until when it is taken.

use super::{AnswerChange, Change, Request, RequestChange};
use serde_json::{Map, Value};
use tollgate_resource::{Method, Version};

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20141208),
    doc: "`evidence` of a dispute is a hash; before, it was what stands in `uncategorized_text` now, and \
          `evidence_details[due_by]` was `evidence_due_by`.",
    requests: &[RequestChange {
        method: Method::Post,
        path: "/v1/disputes/{dispute}",
        rewrite,
        example: (
            "evidence=delivered&metadata[a]=1",
            "metadata[a]=1&evidence[uncategorized_text]=delivered",
        ),
    }],
    answers: &[AnswerChange {
        object: "dispute",
        rewrite: text,
        example: (
            r#"{"object":"dispute","evidence":{"receipt":null,"uncategorized_text":"delivered"},
                "evidence_details":{"due_by":5,"submission_count":0}}"#,
            r#"{"object":"dispute","evidence":"delivered","evidence_due_by":5}"#,
        ),
    }],
    windows: &[],
};

fn rewrite(request: &mut Request<'_>) {
    let Some(evidence) = request.value("evidence").map(str::to_owned) else {
        return;
    };
    request.remove("evidence");
    request.add("evidence[uncategorized_text]", &evidence);
}

fn text(dispute: &mut Map<String, Value>) {
    if let Some(evidence) = dispute.remove("evidence") {
        dispute.insert("evidence".into(), evidence["uncategorized_text"].clone());
    }
    if let Some(details) = dispute.remove("evidence_details") {
        dispute.insert("evidence_due_by".into(), details["due_by"].clone());
    }
}
