//! What a file link shows.

use super::{FileLink, LINKS_PATH, LinkToken};
use crate::kinds;
use crate::object::ShowContext;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Metadata, Ref, Shown};

/// An address under which a file can be read without a key.
#[derive(Shown)]
#[shown(object = "file_link")]
pub struct FileLinkShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// Whether it has ended.
    pub expired: bool,
    /// When it ends, in seconds since the Unix epoch; null for never.
    pub expires_at: Option<Seconds>,
    /// The file.
    #[shown(expand)]
    pub file: Ref,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// The merchant's pairs.
    pub metadata: &'a Metadata,
    /// The address; null once it has ended.
    pub url: Option<String>,
}

impl<'a> FileLinkShown<'a> {
    /// What `link` shows.
    pub fn of(link: &'a FileLink, context: &ShowContext<'_>) -> Self {
        let expired = link.is_expired(context.clock_ms);
        let token = LinkToken {
            account: link.account,
            livemode: context.livemode,
            link: link.id,
        };
        FileLinkShown {
            id: Ident {
                kind: &kinds::FILE_LINK,
                id: link.id,
            },
            created: Seconds(link.id.created()),
            expired,
            expires_at: link.expires_s.map(Seconds),
            file: Ref {
                kind: &kinds::FILE,
                id: link.file,
            },
            livemode: context.livemode,
            metadata: &link.metadata,
            url: (!expired).then(|| format!("{}{LINKS_PATH}{}", context.public_url, token.text(context.secrets))),
        }
    }
}
