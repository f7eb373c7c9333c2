//! Parameters and operations of files.

use super::shown::FileShown;
use super::{FilePurpose, Upload};
use crate::call::{Call, Command, ListQuery, Read};
use crate::kinds::{self, FileId};
use crate::marks::Mark;
use tollgate_resource::operation::{Answers, Refused, take};
use tollgate_resource::params::{HasParams, NoParams, Range};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, MetadataUpdate, Method, Names, Params, Problem};

/// What is uploaded, and for what.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateFile {
    /// The file, as a part of a multipart form.
    #[param(required)]
    pub file: Option<Upload>,
    /// Whether an address is made under which it can be read without a key.
    pub file_link_data: Option<FileLinkData>,
    /// What it is for.
    #[param(required)]
    pub purpose: Option<FilePurpose>,
}

/// A link that is made with a file.
#[derive(Params, Default, Clone, Debug)]
pub struct FileLinkData {
    /// Whether it is made.
    pub create: Option<bool>,
    /// When it ends, seconds since the Unix epoch.
    pub expires_at: Option<i64>,
    /// The merchant's pairs, for the link.
    pub metadata: MetadataUpdate,
}

/// Which files to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListFiles {
    /// Only files made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only files newer than this one.
    pub ending_before: Option<FileId>,
    /// Most files of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only files for this purpose.
    pub purpose: Option<FilePurpose>,
    /// Only files older than this one.
    pub starting_after: Option<FileId>,
}

impl CreateFile {
    /// Refuses what does not fit its purpose, before the bytes are kept.
    fn check(&self) -> Result<(), Refused> {
        let file = self.file.as_ref().expect("the form makes sure of required parameters");
        let purpose = self.purpose.expect("the form makes sure of required parameters");
        let custom = |message| Err(refused(Problem::Custom { code: None, message }));
        if file.contents.size == 0 {
            return custom("The file you uploaded is empty.");
        }
        if file.contents.size > purpose.bytes_max() {
            return custom(match purpose {
                FilePurpose::BusinessIcon | FilePurpose::BusinessLogo => {
                    "The file you uploaded is too large. Files of this purpose can have up to 512 KB."
                }
                FilePurpose::DisputeEvidence | FilePurpose::CustomerSignature => {
                    "The file you uploaded is too large. Files of this purpose can have up to 5 MB."
                }
                _ => "The file you uploaded is too large. Files can have up to 16 MB.",
            });
        }
        let types = purpose.types();
        if types.is_empty() || types.contains(&file.contents.kind) {
            return Ok(());
        }
        custom(match types {
            [super::FileType::Pdf] => "The type of the file you uploaded is not accepted for this purpose: send a PDF.",
            [super::FileType::Apk] => {
                "The type of the file you uploaded is not accepted for this purpose: send an APK."
            }
            [super::FileType::Gif, ..] => {
                "The type of the file you uploaded is not accepted for this purpose: send a GIF, JPEG or PNG."
            }
            [super::FileType::Csv, ..] => {
                "The type of the file you uploaded is not accepted for this purpose: send a CSV, DOCX, JPEG, PDF, PNG, XLS \
                 or XLSX."
            }
            _ => "The type of the file you uploaded is not accepted for this purpose: send a JPEG, PDF or PNG.",
        })
    }
}

fn refused(problem: Problem) -> Refused {
    Refused::Param {
        param: "file".into(),
        problem,
        text: String::new(),
    }
}

/// The operations on files.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&CREATE, &RETRIEVE, &CONTENTS, &LIST];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_file",
    doc: "Uploads a file.",
    method: Method::Post,
    path: "/v1/files",
    params: CreateFile::SHAPE,
    answers: Answers::One(FileShown::SHAPE),
    parse: |_, form| {
        let asked: CreateFile = take(form)?;
        asked.check()?;
        Ok(Call::Write(Command::CreateFile(Box::new(asked))))
    },
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_file",
    doc: "Retrieves what is known of a file.",
    method: Method::Get,
    path: "/v1/files/{file}",
    params: NoParams::SHAPE,
    answers: Answers::One(FileShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let id = path.id(0, &kinds::FILE)?;
        Ok(Call::Read(Read::Object(&kinds::FILE, id, "file")))
    },
};

static CONTENTS: Endpoint<Call> = Endpoint {
    name: "retrieve_file_contents",
    doc: "Retrieves a file itself.",
    method: Method::Get,
    path: "/v1/files/{file}/contents",
    params: NoParams::SHAPE,
    answers: Answers::Contents(FileShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let id = path.id(0, &kinds::FILE)?;
        Ok(Call::Read(Read::Object(&kinds::FILE, id, "file")))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_files",
    doc: "Lists files, newest first.",
    method: Method::Get,
    path: "/v1/files",
    params: ListFiles::SHAPE,
    answers: Answers::Many(FileShown::SHAPE),
    parse: |_, form| {
        let asked: ListFiles = take(form)?;
        ListQuery::of(&kinds::FILE, "/v1/files")
            .created(asked.created)
            .marked(asked.purpose.map(Mark::Purpose))
            .filtered("purpose", asked.purpose.map(Names::name))
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::list)
    },
};
