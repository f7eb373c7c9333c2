//! A segment of the trail: being written, its rows in memory; or sealed, its rows at its end.

use super::bytes::{
    FRAME_BYTES, Footer, HEADER_BYTES, PAGE_BYTES, ROW_BYTES, Row, TRAILER_BYTES, fences, frame_head, frame_rows,
    header, is_header, page_rows, seal, trailer,
};
use crate::disk::Disk;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Ends the name of a segment.
pub(super) const EXTENSION: &str = "trail";
/// Most pages that a footer may have, which its trailer is held against before anything is read: for four gigabytes of
/// blocks with one entry each.
const PAGES_MAX: usize = 1 << 20;

/// A segment that entries are written to.
pub(super) struct Active {
    pub(super) path: PathBuf,
    pub(super) file: Arc<File>,
    /// Where the next frame goes.
    pub(super) end: u64,
    /// What is in it, by subject, in the order it was written.
    pub(super) rows: HashMap<u64, Vec<Row>>,
    /// Time of the oldest and of the newest entry.
    pub(super) min_ms: u64,
    pub(super) max_ms: u64,
}

/// A segment that does not change any more.
pub(super) struct Sealed {
    pub(super) path: PathBuf,
    pub(super) footer: Footer,
    pub(super) bytes: u64,
}

/// What a file of the trail is.
pub(super) enum Found {
    /// It was sealed.
    Sealed(Sealed),
    /// It was not, and can be written to where its last whole frame ends.
    Active(Active),
    /// It is no segment: a crash made it, or something else did.
    Unusable,
}

/// Where the segment with that number is.
pub(super) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:08}.{EXTENSION}"))
}

impl Active {
    /// Makes the file of a new segment.
    pub(super) fn create(dir: &Path, number: u64, disk: &dyn Disk) -> io::Result<Active> {
        let path = path(dir, number);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(&path)?;
        disk.write_at(&file, &header(number), 0)?;
        Ok(Active::empty(path, file))
    }

    fn empty(path: PathBuf, file: File) -> Active {
        Active {
            path,
            file: Arc::new(file),
            end: HEADER_BYTES as u64,
            rows: HashMap::new(),
            min_ms: u64::MAX,
            max_ms: 0,
        }
    }

    /// A frame with these rows was written where the segment ended.
    pub(super) fn extend(&mut self, rows: Vec<Row>, frame_bytes: u64) {
        self.end += frame_bytes;
        for row in rows {
            self.min_ms = self.min_ms.min(row.min_ms);
            self.max_ms = self.max_ms.max(row.max_ms);
            self.rows.entry(row.subject).or_default().push(row);
        }
    }

    /// Writes what ends a segment. When that fails it can go on being written to.
    pub(super) fn seal(&self, disk: &dyn Disk) -> io::Result<Sealed> {
        let rows = self.rows.values().flatten().copied().collect();
        let (footer, bytes) = seal(rows, self.end);
        disk.write_at(&self.file, &bytes, self.end)?;
        let bytes = self.end + bytes.len() as u64;
        // What a failed write left behind the end, if it was longer.
        self.file.set_len(bytes)?;
        Ok(Sealed {
            path: self.path.clone(),
            footer,
            bytes,
        })
    }

    /// Reads the frames of a file up to its end or the first that is not whole.
    fn walk(&mut self, file_bytes: u64) -> io::Result<()> {
        loop {
            let mut head = [0; FRAME_BYTES];
            if self.end + FRAME_BYTES as u64 > file_bytes {
                return Ok(());
            }
            self.file.read_exact_at(&mut head, self.end)?;
            let Some((rows, payload)) = frame_head(&head) else {
                return Ok(());
            };
            let frame_bytes = (FRAME_BYTES + rows * ROW_BYTES + payload) as u64;
            if self.end + frame_bytes > file_bytes {
                return Ok(());
            }
            let mut index = vec![0; rows * ROW_BYTES];
            self.file.read_exact_at(&mut index, self.end + FRAME_BYTES as u64)?;
            let Some(rows) = frame_rows(&head, &index) else {
                return Ok(());
            };
            self.extend(rows, frame_bytes);
        }
    }
}

impl Sealed {
    /// Visits the rows of a subject, the newest first, as long as `visit` says to go on. Gives the number of damaged pages,
    /// which are passed over.
    pub(super) fn each_row(&self, file: &File, subject: u64, visit: &mut dyn FnMut(&Row) -> bool) -> io::Result<u64> {
        let fences = &self.footer.fences;
        let end = fences.partition_point(|&fence| fence <= subject);
        // The page before the first that begins with the subject may end with it.
        let start = fences.partition_point(|&fence| fence < subject).saturating_sub(1);
        let mut damaged = 0;
        for page in (start..end).rev() {
            let mut bytes = [0; PAGE_BYTES];
            file.read_exact_at(&mut bytes, self.footer.pages_at + (page * PAGE_BYTES) as u64)?;
            let Some(rows) = page_rows(&bytes, subject) else {
                damaged += 1;
                continue;
            };
            for row in rows.iter().rev() {
                if !visit(row) {
                    return Ok(damaged);
                }
            }
        }
        Ok(damaged)
    }
}

/// Looks at the file with that number.
pub(super) fn open(dir: &Path, number: u64) -> io::Result<Found> {
    let path = path(dir, number);
    let file = OpenOptions::new().read(true).write(true).open(&path)?;
    let file_bytes = file.metadata()?.len();
    let mut head = [0; HEADER_BYTES];
    if file_bytes < HEADER_BYTES as u64 {
        return Ok(Found::Unusable);
    }
    file.read_exact_at(&mut head, 0)?;
    if !is_header(&head, number) {
        return Ok(Found::Unusable);
    }
    if let Some(footer) = footer(&file, file_bytes)? {
        return Ok(Found::Sealed(Sealed {
            path,
            footer,
            bytes: file_bytes,
        }));
    }
    let mut active = Active::empty(path, file);
    active.walk(file_bytes)?;
    Ok(Found::Active(active))
}

fn footer(file: &File, file_bytes: u64) -> io::Result<Option<Footer>> {
    let mut bytes = [0; TRAILER_BYTES];
    if file_bytes < (HEADER_BYTES + TRAILER_BYTES) as u64 {
        return Ok(None);
    }
    file.read_exact_at(&mut bytes, file_bytes - TRAILER_BYTES as u64)?;
    let Some((footer, fences_at, crc)) = trailer(&bytes, file_bytes) else {
        return Ok(None);
    };
    let pages = (file_bytes - TRAILER_BYTES as u64 - fences_at) as usize / 8;
    if pages > PAGES_MAX {
        return Ok(None);
    }
    let mut bytes = vec![0; pages * 8];
    file.read_exact_at(&mut bytes, fences_at)?;
    Ok(fences(&bytes, crc).map(|fences| Footer { fences, ..footer }))
}
