//! A file: bytes that were uploaded for a purpose.

mod decide;
mod params;
mod shown;
mod upload;

pub(crate) use decide::create;
pub use params::{CreateFile, ENDPOINTS, ListFiles};
pub use shown::FileShown;
pub use upload::{Upload, file_type};

use tollgate_resource::{Id, Names, Record};

/// Links a file remembers by id; older ones are found by the list of links.
pub const LINKS_KEPT: usize = 10;

/// A file at one version.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct File {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// What it is for.
    #[record(2)]
    pub purpose: FilePurpose,
    /// What it holds.
    #[record(3)]
    pub contents: FileContents,
    /// Its name where it came from.
    #[record(4)]
    pub filename: Option<Box<str>>,
    /// Its newest links, newest first, at most [`LINKS_KEPT`].
    #[record(5)]
    pub links: Vec<Id>,
    /// How many links there are.
    #[record(6)]
    pub link_count: u32,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub struct FileContents {
    /// SHA-256 of its bytes; they are kept under it.
    #[record(1)]
    pub digest: [u8; 32],
    /// How many bytes.
    #[record(2)]
    pub size: u64,
    /// What they are.
    #[record(3)]
    pub kind: FileType,
}

/// What bytes are, by their beginning or their name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum FileType {
    /// Android package.
    #[record(1)]
    Apk,
    /// Table of text.
    #[record(2)]
    Csv,
    /// Text document.
    #[record(3)]
    Docx,
    /// Picture.
    #[record(4)]
    Gif,
    /// Photograph.
    #[record(5)]
    Jpg,
    /// Document for print.
    #[record(6)]
    Pdf,
    /// Certificate or key.
    #[record(7)]
    Pem,
    /// Picture.
    #[record(8)]
    Png,
    /// Text.
    #[record(9)]
    Txt,
    /// Table.
    #[record(10)]
    Xls,
    /// Table.
    #[record(11)]
    Xlsx,
    /// Something else.
    #[record(12)]
    Bin,
}

impl FileType {
    /// The media type under which it is served.
    pub fn media_type(self) -> &'static str {
        match self {
            FileType::Apk => "application/vnd.android.package-archive",
            FileType::Csv => "text/csv; charset=utf-8",
            FileType::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            FileType::Gif => "image/gif",
            FileType::Jpg => "image/jpeg",
            FileType::Pdf => "application/pdf",
            FileType::Pem => "application/x-pem-file",
            FileType::Png => "image/png",
            FileType::Txt => "text/plain; charset=utf-8",
            FileType::Xls => "application/vnd.ms-excel",
            FileType::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            FileType::Bin => "application/octet-stream",
        }
    }
}

/// What a file is for. Names are public; numbers are stored and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
#[expect(missing_docs, reason = "the purposes are their own explanation")]
pub enum FilePurpose {
    #[record(1)]
    AccountRequirement,
    #[record(2)]
    AdditionalVerification,
    #[record(3)]
    BusinessIcon,
    #[record(4)]
    BusinessLogo,
    #[record(5)]
    CustomerSignature,
    #[record(6)]
    DisputeEvidence,
    #[record(7)]
    IdentityDocument,
    #[record(8)]
    IssuingRegulatoryReporting,
    #[record(9)]
    PciDocument,
    #[record(10)]
    PlatformTermsOfService,
    #[record(11)]
    TaxDocumentUserUpload,
    #[record(12)]
    TerminalAndroidApk,
    #[record(13)]
    TerminalReaderSplashscreen,
    #[record(14)]
    TerminalWifiCertificate,
    #[record(15)]
    TerminalWifiPrivateKey,
}

/// Most bytes of any file.
pub const FILE_BYTES_MAX: u64 = 16 << 20;
/// Most bytes of evidence.
const EVIDENCE_BYTES_MAX: u64 = 5 << 20;
/// Most bytes of a picture of a business.
const BRAND_BYTES_MAX: u64 = 512 << 10;

impl FilePurpose {
    /// Most bytes of a file for it.
    pub fn bytes_max(self) -> u64 {
        use FilePurpose::*;
        match self {
            DisputeEvidence | CustomerSignature => EVIDENCE_BYTES_MAX,
            BusinessIcon | BusinessLogo => BRAND_BYTES_MAX,
            _ => FILE_BYTES_MAX,
        }
    }

    /// What files for it may be; empty for anything.
    pub fn types(self) -> &'static [FileType] {
        use FilePurpose::*;
        use FileType::*;
        match self {
            DisputeEvidence => &[Jpg, Pdf, Png],
            AccountRequirement | AdditionalVerification | IdentityDocument => &[Jpg, Pdf, Png],
            BusinessIcon | BusinessLogo => &[Gif, Jpg, Png],
            CustomerSignature => &[Jpg, Pdf, Png],
            IssuingRegulatoryReporting | PciDocument | PlatformTermsOfService => &[Pdf],
            TaxDocumentUserUpload => &[Csv, Docx, Jpg, Pdf, Png, Xls, Xlsx],
            TerminalAndroidApk => &[Apk],
            TerminalReaderSplashscreen => &[Gif, Jpg, Png],
            TerminalWifiCertificate | TerminalWifiPrivateKey => &[],
        }
    }

    /// Whether files for it can be linked to.
    pub fn is_linkable(self) -> bool {
        use FilePurpose::*;
        matches!(
            self,
            BusinessIcon
                | BusinessLogo
                | CustomerSignature
                | DisputeEvidence
                | PciDocument
                | TaxDocumentUserUpload
                | TerminalAndroidApk
        )
    }
}

impl File {
    /// Remembers a new link as the latest.
    pub(crate) fn add_link(&mut self, link: Id) {
        self.links.insert(0, link);
        self.links.truncate(LINKS_KEPT);
        self.link_count += 1;
    }
}
