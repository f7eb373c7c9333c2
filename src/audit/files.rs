//! Uploaded files against their bytes, which lie beside the journal.
//!
//! A file is looked at where the journal names it, its bytes read in pieces and not kept. What contents were seen is kept
//! up to [`CONTENTS_MAX`], to count what no record names, and so that a file's later versions do not read it again; beyond
//! that, files are still checked, only more than once, and nothing is counted.

use crate::report::{Check, Finding};
use hashbrown::HashMap;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::Read;
use tollgate_domain::files::file::File;
use tollgate_domain::{Facts, Object, kinds};
use tollgate_store::StoreError;

/// Most contents of files that are remembered, in some 40 MB.
const CONTENTS_MAX: usize = 1 << 20;
/// Bytes read at once.
const PIECE: usize = 64 << 10;

/// Where the bytes of uploaded files are.
pub trait Uploads {
    /// The bytes with that digest; `None` if there are none.
    ///
    /// # Errors
    /// When they cannot be opened.
    fn open(&self, digest: &[u8; 32]) -> Result<Option<Box<dyn Read>>, StoreError>;

    /// Where the bytes with that digest belong, for reports.
    fn place(&self, digest: &[u8; 32]) -> String;

    /// Visits everything that is there for good: its digest by its name, `None` for a name that is no digest.
    ///
    /// # Errors
    /// When it cannot be listed.
    fn each(&self, visit: &mut dyn FnMut(Option<[u8; 32]>)) -> Result<(), StoreError>;
}

/// Uploaded files and their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilesStanding {
    /// Files that the journal names.
    pub named: u64,
    /// Contents that no record names, which is no difference; `None` when there are too many to say.
    pub unreferenced: Option<u64>,
}

impl FilesStanding {
    pub(crate) fn text(&self) -> String {
        let unreferenced = match self.unreferenced {
            Some(count) => format!("{count} unreferenced"),
            None => "unreferenced ones not counted".into(),
        };
        format!("{} uploaded, {unreferenced}", self.named)
    }

    pub(crate) fn json(&self) -> Value {
        json!({"uploaded": self.named, "unreferenced": self.unreferenced})
    }
}

/// What an audit has seen of files.
pub(crate) struct Files<'a> {
    uploads: &'a dyn Uploads,
    /// Lengths by the first half of the digest, which nobody can make two of.
    seen: HashMap<u128, u64>,
    /// How many the journal names.
    pub(crate) named: u64,
    contents_max: usize,
}

impl<'a> Files<'a> {
    pub(crate) fn new(uploads: &'a dyn Uploads) -> Self {
        Files {
            uploads,
            seen: HashMap::new(),
            named: 0,
            contents_max: CONTENTS_MAX,
        }
    }

    /// Looks at the bytes of each file of a record; the first fault.
    pub(crate) fn check(&mut self, facts: &Facts) -> Result<Option<Finding>, StoreError> {
        let mut first = None;
        for object in &facts.objects {
            let Object::File(file) = object else { continue };
            self.named += u64::from(file.id.seq() > facts.seq_before);
            let (half, size) = (half(&file.contents.digest), file.contents.size);
            if self.seen.get(&half) == Some(&size) {
                continue;
            }
            if self.seen.len() < self.contents_max {
                self.seen.insert(half, size);
            }
            let fault = self.fault(file)?;
            first = first.or(fault);
        }
        Ok(first)
    }

    /// How many files no record names; `None` when there are too many to say.
    pub(crate) fn unreferenced(&self) -> Result<Option<u64>, StoreError> {
        if self.seen.len() >= self.contents_max {
            return Ok(None);
        }
        let mut count = 0;
        self.uploads.each(&mut |digest| {
            let named = digest.is_some_and(|digest| self.seen.contains_key(&half(&digest)));
            count += u64::from(!named);
        })?;
        Ok(Some(count))
    }

    /// What is wrong with the bytes of a file.
    fn fault(&self, file: &File) -> Result<Option<Finding>, StoreError> {
        let contents = &file.contents;
        let place = self.uploads.place(&contents.digest);
        let fault = match self.uploads.open(&contents.digest)? {
            None => Some("is missing".into()),
            Some(bytes) => {
                let (length, digest) = read(bytes, contents.size, &place)?;
                if length > contents.size {
                    Some(format!("is longer than the {} bytes of its record", contents.size))
                } else if length < contents.size {
                    Some(format!("has {length} bytes, {} in its record", contents.size))
                } else {
                    (digest != contents.digest).then(|| "holds other bytes than were uploaded, by their SHA-256".into())
                }
            }
        };
        let name = file.id.text(&kinds::FILE);
        Ok(fault.map(|fault: String| Finding {
            check: Check::File,
            what: format!("{place} of {name} {fault}"),
        }))
    }
}

fn half(digest: &[u8; 32]) -> u128 {
    let (half, _) = digest.split_first_chunk().expect("16 of 32 bytes");
    u128::from_le_bytes(*half)
}

/// Length and SHA-256 of bytes; beyond `wanted` only whether there is one more.
fn read(bytes: Box<dyn Read>, wanted: u64, place: &str) -> Result<(u64, [u8; 32]), StoreError> {
    let mut bytes = bytes.take(wanted.saturating_add(1));
    let (mut digest, mut length) = (Sha256::new(), 0);
    let mut piece = vec![0; PIECE];
    loop {
        match bytes.read(&mut piece) {
            Ok(0) => return Ok((length, digest.finalize().into())),
            Ok(count) => {
                digest.update(&piece[..count]);
                length += count as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(StoreError::Io {
                    place: place.into(),
                    what: format!("cannot read: {error}"),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use std::sync::Arc;
    use tollgate_domain::files::file::{FileContents, FilePurpose, FileType};
    use tollgate_resource::Id;

    /// Holds these bytes, and one stray thing.
    struct Held(Vec<&'static [u8]>);

    impl Uploads for Held {
        fn open(&self, digest: &[u8; 32]) -> Result<Option<Box<dyn Read>>, StoreError> {
            let held = self.0.iter().find(|bytes| sha(bytes) == *digest);
            Ok(held.map(|bytes| Box::new(Cursor::new(*bytes)) as Box<dyn Read>))
        }

        fn place(&self, digest: &[u8; 32]) -> String {
            format!("{:02x}", digest[0])
        }

        fn each(&self, visit: &mut dyn FnMut(Option<[u8; 32]>)) -> Result<(), StoreError> {
            visit(None);
            self.0.iter().for_each(|bytes| visit(Some(sha(bytes))));
            Ok(())
        }
    }

    fn sha(bytes: &[u8]) -> [u8; 32] {
        Sha256::digest(bytes).into()
    }

    /// A record in which the `seq`th thing of an account, a file of these bytes, is born.
    fn record(seq: u64, bytes: &[u8]) -> Facts {
        let file = File {
            id: Id::new(&kinds::FILE, 1_000, seq, 7),
            purpose: FilePurpose::DisputeEvidence,
            contents: FileContents {
                digest: sha(bytes),
                size: bytes.len() as u64,
                kind: FileType::Pdf,
            },
            filename: None,
            links: Vec::new(),
            link_count: 0,
        };
        Facts {
            now_ms: 1_000,
            seq_before: seq - 1,
            objects: vec![Object::File(Arc::new(file))],
            entries: Vec::new(),
            events: Vec::new(),
            request: None,
            outcome: None,
            calls: Vec::new(),
            timers: Vec::new(),
            events_before: Vec::new(),
            seq_after: seq,
        }
    }

    #[test]
    fn files_are_counted_by_record_and_strays_by_contents() {
        let held = Held(vec![b"one", b"two", b"nobody's"]);
        let mut files = Files::new(&held);
        for (seq, bytes) in [(1, b"one"), (2, b"two"), (3, b"one")] {
            assert!(files.check(&record(seq, bytes)).expect("readable").is_none());
        }
        assert_eq!((files.named, files.unreferenced().expect("listed")), (3, Some(2)));
        let finding = files.check(&record(4, b"gone")).expect("readable").expect("a fault");
        assert_eq!(finding.check, Check::File);
        assert!(finding.what.ends_with(" is missing"), "{}", finding.what);
    }

    #[test]
    fn files_beyond_what_is_remembered_are_checked_and_not_counted() {
        let held = Held(vec![b"one", b"two"]);
        let mut files = Files::new(&held);
        files.contents_max = 1;
        for (seq, bytes) in [(1, b"one"), (2, b"two")] {
            assert!(files.check(&record(seq, bytes)).expect("readable").is_none());
        }
        assert!(files.check(&record(3, b"six")).expect("readable").is_some());
        assert_eq!((files.seen.len(), files.unreferenced().expect("listed")), (1, None));
    }
}
