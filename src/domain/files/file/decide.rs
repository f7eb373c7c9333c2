//! What a request does with an uploaded file.

use super::{CreateFile, File};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::events::EventType;
use crate::files::file_link;
use crate::kinds;
use crate::object::Object;
use std::sync::Arc;

/// Keeps what is known of an uploaded file. Its bytes are durable already.
pub(crate) fn create(case: &Case<'_>, asked: &CreateFile) -> Result<Decision, Stop> {
    let upload = asked.file.as_ref().expect("the form makes sure of the file");
    let mut draft = case.draft();
    let id = draft.born(&kinds::FILE);
    let mut file = File {
        id,
        purpose: asked.purpose.expect("the form makes sure of the purpose"),
        contents: upload.contents,
        filename: upload.filename.clone(),
        links: Vec::new(),
        link_count: 0,
    };
    draft.event(EventType::FileCreated, id);
    if let Some(link) = asked.file_link_data.as_ref().filter(|data| data.create == Some(true)) {
        file_link::make(
            case,
            &mut draft,
            &mut file,
            link.expires_at,
            &link.metadata,
            "file_link_data[expires_at]",
        )?;
    }
    draft.put(Object::File(Arc::new(file)));
    Ok(draft.decide(Reply::Object(&kinds::FILE, id)))
}
