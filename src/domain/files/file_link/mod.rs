//! A file link: an address under which a file can be read without a key, until it expires.

mod decide;
mod params;
mod shown;
mod token;

pub(crate) use decide::{create, make, update};
pub use params::{CreateFileLink, ENDPOINTS, ListFileLinks, UpdateFileLink};
pub use shown::FileLinkShown;
pub use token::{LINKS_PATH, LinkToken};

use crate::time::seconds_of;
use tollgate_resource::{Id, Metadata, Record};

/// A file link at one version.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct FileLink {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// The file.
    #[record(2)]
    pub file: Id,
    /// The account, which its address names.
    #[record(3)]
    pub account: Id,
    /// When it ends, seconds since the Unix epoch; `None` for never.
    #[record(4)]
    pub expires_s: Option<i64>,
    /// The merchant's pairs.
    #[record(5)]
    pub metadata: Metadata,
}

impl FileLink {
    /// Whether it has ended by `clock_ms`.
    pub fn is_expired(&self, clock_ms: u64) -> bool {
        self.expires_s.is_some_and(|end| end <= seconds_of(clock_ms))
    }
}
