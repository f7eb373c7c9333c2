//! What is said of uploaded bytes in a form. The edge takes the bytes out of a request and puts this in their place;
//! a client cannot, because the operation takes no other kind of form.

use super::{FileContents, FileType};
use tollgate_resource::params::{Bounds, scalar};
use tollgate_resource::{Names, ParamKind, ParamValue, Problem, Step};

/// Longest name of a file that is kept, in characters.
const FILENAME_CHARS_MAX: usize = 255;

/// Uploaded bytes, without the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// What they are.
    pub contents: FileContents,
    /// Their name where they came from.
    pub filename: Option<Box<str>>,
}

impl Upload {
    /// What is said of `bytes` with that digest and name.
    pub fn of(bytes: &[u8], digest: [u8; 32], filename: Option<&str>) -> Upload {
        let filename = filename.map(|name| name.chars().take(FILENAME_CHARS_MAX).collect::<String>());
        Upload {
            contents: FileContents {
                digest,
                size: bytes.len() as u64,
                kind: file_type(bytes, filename.as_deref().unwrap_or_default()),
            },
            filename: filename.map(Into::into),
        }
    }

    /// As a form carries it.
    pub fn text(&self) -> String {
        let FileContents { digest, size, kind } = self.contents;
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let name = self.filename.as_deref().unwrap_or_default();
        format!("{hex}:{size}:{}:{name}", kind.name())
    }

    fn read(text: &str) -> Option<Upload> {
        let mut parts = text.splitn(4, ':');
        let (hex, size, kind, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let mut digest = [0; 32];
        if hex.len() != 64 || !hex.is_ascii() {
            return None;
        }
        for (at, byte) in digest.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Upload {
            contents: FileContents {
                digest,
                size: size.parse().ok()?,
                kind: FileType::from_name(kind)?,
            },
            filename: (!name.is_empty()).then(|| name.into()),
        })
    }
}

impl ParamValue for Upload {
    const KIND: ParamKind = ParamKind::File;
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        Upload::read(text).ok_or(Problem::Custom {
            code: None,
            message: "Invalid file: send the file's contents as a part of a multipart/form-data request.",
        })
    }
}

/// What `bytes` are: by their beginning, else by the end of the name.
pub fn file_type(bytes: &[u8], filename: &str) -> FileType {
    let begins = |magic: &[u8]| bytes.starts_with(magic);
    let extension = filename
        .rsplit_once('.')
        .map_or(String::new(), |(_, end)| end.to_ascii_lowercase());
    if begins(b"%PDF-") {
        return FileType::Pdf;
    }
    if begins(b"\x89PNG\r\n\x1a\n") {
        return FileType::Png;
    }
    if begins(b"\xff\xd8\xff") {
        return FileType::Jpg;
    }
    if begins(b"GIF87a") || begins(b"GIF89a") {
        return FileType::Gif;
    }
    let zip = begins(b"PK\x03\x04");
    match extension.as_str() {
        "apk" if zip => FileType::Apk,
        "docx" if zip => FileType::Docx,
        "xlsx" if zip => FileType::Xlsx,
        "xls" if begins(b"\xd0\xcf\x11\xe0") => FileType::Xls,
        "csv" => FileType::Csv,
        "pem" | "crt" | "cer" | "key" => FileType::Pem,
        "txt" => FileType::Txt,
        _ => FileType::Bin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_an_upload_reads_back() {
        for name in [Some("receipt: final.pdf"), None] {
            let upload = Upload::of(b"%PDF-1.7 something", [0xab; 32], name);
            let read = Upload::first(&[], &upload.text(), &Bounds::DEFAULT);
            assert_eq!(read, Ok(upload));
        }
        for text in ["", "ab:1:pdf:x", "photo.png", &"é".repeat(32)] {
            assert!(Upload::first(&[], text, &Bounds::DEFAULT).is_err(), "{text}");
        }
    }

    #[test]
    fn bytes_tell_more_than_names() {
        assert_eq!(file_type(b"%PDF-1.4", "photo.png"), FileType::Pdf);
        assert_eq!(file_type(b"\xff\xd8\xff\xe0", ""), FileType::Jpg);
        assert_eq!(file_type(b"MZ", "photo.png"), FileType::Bin);
        assert_eq!(file_type(b"a,b", "Table.CSV"), FileType::Csv);
    }
}
