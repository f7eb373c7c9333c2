//! What a file shows.

use super::{File, FilePurpose, FileType};
use crate::kinds;
use crate::object::ShowContext;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Shown, SubList};

/// An uploaded file.
#[derive(Shown)]
#[shown(object = "file")]
pub struct FileShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// When it was uploaded, in seconds since the Unix epoch.
    pub created: Seconds,
    /// When it is deleted; null because files stay.
    pub expires_at: Option<Seconds>,
    /// Its name where it came from.
    pub filename: Option<&'a str>,
    /// Its links, newest first.
    #[shown(expand)]
    pub links: SubList<'a>,
    /// What it is for.
    pub purpose: FilePurpose,
    /// How many bytes it has.
    pub size: i64,
    /// A name for people.
    pub title: Option<&'a str>,
    /// What it is.
    #[shown(name = "type")]
    pub kind: Option<FileType>,
    /// Where it can be read, with a secret key.
    pub url: Option<String>,
}

impl<'a> FileShown<'a> {
    /// What `file` shows.
    pub fn of(file: &'a File, context: &ShowContext<'_>) -> Self {
        let id = Ident {
            kind: &kinds::FILE,
            id: file.id,
        };
        FileShown {
            id,
            created: Seconds(file.id.created()),
            expires_at: None,
            filename: file.filename.as_deref(),
            links: SubList {
                kind: &kinds::FILE_LINK,
                also: &[],
                ids: &file.links,
                has_more: file.link_count as usize > file.links.len(),
                total: u64::from(file.link_count),
                url: "/v1/file_links?file=",
                of: Some(id),
            },
            purpose: file.purpose,
            size: i64::try_from(file.contents.size).expect("a file is far below 64 bits of bytes"),
            title: None,
            kind: Some(file.contents.kind),
            url: Some(format!(
                "{}/v1/files/{}/contents",
                context.public_url,
                file.id.text(&kinds::FILE)
            )),
        }
    }
}
