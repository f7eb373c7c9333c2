//! Parameters and operations of file links.

use super::shown::FileLinkShown;
use crate::call::{Call, Command, ListQuery, Read};
use crate::kinds::{self, FileId, FileLinkId};
use crate::marks::Mark;
use tollgate_resource::operation::{Answers, take, take_boxed};
use tollgate_resource::params::{Bounds, HasParams, NoParams, Range, Update, scalar};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, MetadataUpdate, Method, ParamKind, ParamValue, Params, Problem, Step};

/// Which file is linked to.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateFileLink {
    /// When the link ends, seconds since the Unix epoch.
    pub expires_at: Option<i64>,
    /// The file.
    #[param(required)]
    pub file: Option<FileId>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
}

/// What changes about a link.
#[derive(Params, Default, Clone, Debug)]
pub struct UpdateFileLink {
    /// When the link ends: seconds since the Unix epoch, `now`, or empty for never.
    pub expires_at: Update<LinkEnd>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
}

/// When a link ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// At once.
    Now,
    /// At that second since the Unix epoch.
    At(i64),
}

impl ParamValue for LinkEnd {
    const KIND: ParamKind = ParamKind::Word("timestamp or now");
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        match text {
            "now" => Ok(LinkEnd::Now),
            _ => text.parse().map(LinkEnd::At).map_err(|_| Problem::Integer),
        }
    }
}

/// Which links to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListFileLinks {
    /// Only links made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only links newer than this one.
    pub ending_before: Option<FileLinkId>,
    /// Only links that have ended, or have not.
    pub expired: Option<bool>,
    /// Only links to this file.
    pub file: Option<FileId>,
    /// Most links of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only links older than this one.
    pub starting_after: Option<FileLinkId>,
}

/// The operations on file links.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&CREATE, &RETRIEVE, &UPDATE, &LIST];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_file_link",
    doc: "Makes an address under which a file can be read without a key.",
    method: Method::Post,
    path: "/v1/file_links",
    params: CreateFileLink::SHAPE,
    answers: Answers::One(FileLinkShown::SHAPE),
    parse: |_, form| Ok(Call::Write(Command::CreateFileLink(take_boxed(form)?))),
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_file_link",
    doc: "Retrieves a file link.",
    method: Method::Get,
    path: "/v1/file_links/{link}",
    params: NoParams::SHAPE,
    answers: Answers::One(FileLinkShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let id = path.id(0, &kinds::FILE_LINK)?;
        Ok(Call::Read(Read::Object(&kinds::FILE_LINK, id, "link")))
    },
};

static UPDATE: Endpoint<Call> = Endpoint {
    name: "update_file_link",
    doc: "Changes when a file link ends, or its pairs.",
    method: Method::Post,
    path: "/v1/file_links/{link}",
    params: UpdateFileLink::SHAPE,
    answers: Answers::One(FileLinkShown::SHAPE),
    parse: |path, form| {
        let id = path.id(0, &kinds::FILE_LINK)?;
        Ok(Call::Write(Command::UpdateFileLink(id, take_boxed(form)?)))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_file_links",
    doc: "Lists file links, newest first.",
    method: Method::Get,
    path: "/v1/file_links",
    params: ListFileLinks::SHAPE,
    answers: Answers::Many(FileLinkShown::SHAPE),
    parse: |_, form| {
        let asked: ListFileLinks = take(form)?;
        ListQuery::of(&kinds::FILE_LINK, "/v1/file_links")
            .created(asked.created)
            .under(&kinds::FILE, asked.file.map(|id| id.0))
            // A link that never ends has not ended; of the others it depends on the time.
            .marked((asked.expired == Some(true)).then_some(Mark::Ends))
            .filtered(
                "expired",
                asked.expired.map(|expired| if expired { "true" } else { "false" }),
            )
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::list)
    },
};
