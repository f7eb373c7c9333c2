//! 2015-01-11: what an upload is, is told by a short type. Before, by its media type.

use super::{AnswerChange, Change};
use serde_json::{Map, Value};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20150111),
    doc: "`mimetype` of an upload (`application/pdf`) is `type` (`pdf`).",
    requests: &[],
    answers: &[AnswerChange {
        object: "file_upload",
        rewrite: mimetype,
        example: (
            r#"{"object":"file_upload","size":5,"type":"pdf"}"#,
            r#"{"object":"file_upload","mimetype":"application/pdf","size":5}"#,
        ),
    }],
    windows: &[],
};

fn mimetype(upload: &mut Map<String, Value>) {
    let Some(kind) = upload.remove("type") else { return };
    let media = match kind.as_str() {
        Some("csv") => "text/csv",
        Some("gif") => "image/gif",
        Some("jpg") => "image/jpeg",
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        Some("txt") => "text/plain",
        _ => "application/octet-stream",
    };
    upload.insert("mimetype".into(), media.into());
}
