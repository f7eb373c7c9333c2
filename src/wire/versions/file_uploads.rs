//! 2018-09-24: what is uploaded is a file. Before, a file upload.

use super::{AnswerChange, Change};
use serde_json::{Map, Value};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20180924),
    doc: "`object` of a file is `file` instead of `file_upload`.",
    requests: &[],
    answers: &[AnswerChange {
        object: "file",
        rewrite: upload,
        example: (
            r#"{"id":"file_1","object":"file","size":5}"#,
            r#"{"id":"file_1","object":"file_upload","size":5}"#,
        ),
    }],
    windows: &[],
};

fn upload(file: &mut Map<String, Value>) {
    file.insert("object".into(), "file_upload".into());
}
