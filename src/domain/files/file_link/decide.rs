//! What requests do to file links.

use super::params::LinkEnd;
use super::{CreateFileLink, FileLink, UpdateFileLink};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::files::file::File;
use crate::kinds;
use crate::metadata;
use crate::object::Object;
use crate::reject::Reject;
use crate::time::seconds_of;
use std::sync::Arc;
use tollgate_resource::params::Update;
use tollgate_resource::{Id, Metadata, MetadataUpdate};

/// Makes a link to a file.
pub(crate) fn create(case: &Case<'_>, asked: &CreateFileLink) -> Result<Decision, Stop> {
    let id = asked.file.expect("the form makes sure of required parameters");
    let mut file = case
        .file(id.0)?
        .ok_or_else(|| Reject::no_such_param(&kinds::FILE, id.0, "file"))?
        .clone();
    let mut draft = case.draft();
    let link = make(
        case,
        &mut draft,
        &mut file,
        asked.expires_at,
        &asked.metadata,
        "expires_at",
    )?;
    draft.put(Object::File(Arc::new(file)));
    Ok(draft.decide(Reply::Object(&kinds::FILE_LINK, link)))
}

/// Makes a link to `file`, which the caller puts. `param` names the end in refusals.
pub(crate) fn make(
    case: &Case<'_>,
    draft: &mut Draft,
    file: &mut File,
    expires_s: Option<i64>,
    pairs: &MetadataUpdate,
    param: &'static str,
) -> Result<Id, Stop> {
    if !file.purpose.is_linkable() {
        let message = "Files of this purpose cannot be linked to: they are read with a secret key only.";
        return Err(Reject::invalid(None, message).with_param("file").into());
    }
    if let Some(end) = expires_s {
        check_end(case, end, param)?;
    }
    let mut metadata = Metadata::default();
    metadata::merge(&mut metadata, pairs)?;
    let id = draft.born(&kinds::FILE_LINK);
    file.add_link(id);
    draft.put(Object::FileLink(Arc::new(FileLink {
        id,
        file: file.id,
        account: case.world.account.profile.id,
        expires_s,
        metadata,
    })));
    Ok(id)
}

/// Changes when a link ends, or its pairs.
pub(crate) fn update(case: &Case<'_>, id: Id, asked: &UpdateFileLink) -> Result<Decision, Stop> {
    let before = case
        .file_link(id)?
        .ok_or_else(|| Reject::no_such(&kinds::FILE_LINK, id, "link"))?;
    let mut link = before.clone();
    let now_ms = case.inputs.now_ms;
    match asked.expires_at {
        Update::Keep => {}
        Update::Clear | Update::Set(_) if before.is_expired(now_ms) => {
            let message = "This file link has expired. Make a new one.";
            return Err(Reject::invalid(None, message).with_param("expires_at").begun().into());
        }
        Update::Clear => link.expires_s = None,
        Update::Set(LinkEnd::Now) => link.expires_s = Some(seconds_of(now_ms)),
        Update::Set(LinkEnd::At(end)) => {
            check_end(case, end, "expires_at")?;
            link.expires_s = Some(end);
        }
    }
    metadata::merge(&mut link.metadata, &asked.metadata)?;
    let mut draft = case.draft();
    draft.put(Object::FileLink(Arc::new(link)));
    Ok(draft.decide(Reply::Object(&kinds::FILE_LINK, id)))
}

fn check_end(case: &Case<'_>, end: i64, param: &'static str) -> Result<(), Stop> {
    if end > seconds_of(case.inputs.now_ms) {
        return Ok(());
    }
    let message = "Invalid timestamp: must be a time in the future.";
    Err(Reject::invalid(None, message).with_param(param).into())
}
