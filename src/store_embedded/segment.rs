//! Segments: the journal's files, each of a fixed size from the start.
//!
//! `journal/00000001.segment` and so on. A segment appears under its name only when all its zeros and its header are
//! durable, so a file of another length, or with a bad header, is damage and never the trace of a crash.
//!
//! ```text
//!  0 "TOLLGATE"      8 format (4)      12 number (4)      16 bytes of the file (8)
//! 24 the data's id (16)                40 zeros           60 crc32c of bytes 0 to 59 (4)      64 frames
//! ```

use crate::disk::Disk;
use crate::files::{io_error, sync_dir};
use crate::meta::{DataId, FORMAT};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use tollgate_store::StoreError;

/// Bytes before the first frame.
pub(crate) const SEGMENT_HEADER: usize = 64;
/// Smallest size of a segment that may be configured.
pub const SEGMENT_BYTES_MIN: u64 = 4096;
/// Largest size of a segment: places count its bytes in 32 bits, and opening reads a segment whole.
pub const SEGMENT_BYTES_MAX: u64 = 1 << 30;

const MAGIC: &[u8; 8] = b"TOLLGATE";
const JOURNAL: &str = "journal";
const READY: &str = "segment";
const PREPARING: &str = "preparing";

/// The directory of the segments.
pub(crate) fn journal_dir(dir: &Path) -> PathBuf {
    dir.join(JOURNAL)
}

/// The file of a segment.
pub(crate) fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(JOURNAL).join(format!("{number:08}.{READY}"))
}

/// A segment that is open for writing.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u32,
    /// Size of the file.
    pub(crate) bytes: u64,
    pub(crate) file: File,
    pub(crate) path: PathBuf,
}

impl Segment {
    /// Makes a segment of zeros and gives it its name once it is durable.
    pub(crate) fn create(
        dir: &Path,
        disk: &dyn Disk,
        id: &DataId,
        number: u32,
        bytes: u64,
    ) -> Result<Segment, StoreError> {
        assert!(
            (SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&bytes),
            "a segment of {bytes} bytes"
        );
        let path = path(dir, number);
        let fresh = path.with_extension(PREPARING);
        let make = || {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&fresh)?;
            disk.prepare(&file, bytes)?;
            file.write_all_at(&header(id, number, bytes), 0)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)?;
            Ok(file)
        };
        let made = make().map_err(|error: std::io::Error| {
            // What is half made takes the space that is missing.
            let removed = fs::remove_file(&fresh);
            let left = removed.map_or(String::new(), |()| " (what was half made is removed)".to_owned());
            StoreError::Io {
                place: path.display().to_string(),
                what: format!("cannot prepare a segment of {bytes} bytes: {error}{left}"),
            }
        });
        let file = made?;
        sync_dir(&journal_dir(dir))?;
        Ok(Segment {
            number,
            bytes,
            file,
            path,
        })
    }

    /// Opens a segment whose header was checked.
    pub(crate) fn open(dir: &Path, number: u32) -> Result<Segment, StoreError> {
        let path = path(dir, number);
        let open = || {
            let file = OpenOptions::new().read(true).write(true).open(&path)?;
            let bytes = file.metadata()?.len();
            Ok((file, bytes))
        };
        let (file, bytes) = open().map_err(|error| io_error(&path, "open", &error))?;
        Ok(Segment {
            number,
            bytes,
            file,
            path,
        })
    }

    /// Overwrites everything from `offset` with zeros, durably: a torn tail is cut so that no later frame follows it.
    pub(crate) fn cut(&self, disk: &dyn Disk, offset: u64) -> Result<(), StoreError> {
        let chunk = vec![0; CUT_CHUNK];
        let cut = || {
            let mut at = offset;
            while at < self.bytes {
                let len = (self.bytes - at).min(chunk.len() as u64);
                disk.write_at(&self.file, &chunk[..len as usize], at)?;
                at += len;
            }
            disk.sync(&self.file)
        };
        cut().map_err(|error| io_error(&self.path, "cut the torn end of", &error))
    }
}

const CUT_CHUNK: usize = 1 << 20;

/// Numbers of all segments, ascending. They must begin at 1 and have no gap.
pub(crate) fn list(dir: &Path) -> Result<Vec<u32>, StoreError> {
    let journal = journal_dir(dir);
    let mut numbers = Vec::new();
    for_each_file(&journal, |name, _| {
        let number = name
            .strip_suffix(READY)
            .and_then(|name| name.strip_suffix('.'))
            .map(str::parse::<u32>);
        numbers.extend(number.and_then(Result::ok));
        Ok(())
    })?;
    numbers.sort_unstable();
    for (number, expected) in numbers.iter().zip(1..) {
        if *number != expected {
            let what = "this segment is missing, later ones are there".to_owned();
            return Err(StoreError::Corrupt {
                place: path(dir, expected).display().to_string(),
                what,
            });
        }
    }
    Ok(numbers)
}

/// Removes segments that a crash left half made.
pub(crate) fn remove_half_made(dir: &Path) -> Result<(), StoreError> {
    for_each_file(&journal_dir(dir), |name, path| {
        if name.ends_with(PREPARING) {
            fs::remove_file(path)
        } else {
            Ok(())
        }
    })
}

/// Removes a segment that holds no frames.
pub(crate) fn remove(dir: &Path, number: u32) -> Result<(), StoreError> {
    let path = path(dir, number);
    fs::remove_file(&path).map_err(|error| io_error(&path, "remove", &error))
}

/// Checks the header of a segment against its name and its file's length.
pub(crate) fn check_header(
    path: &Path,
    id: &DataId,
    number: u32,
    bytes: &[u8],
    file_len: u64,
) -> Result<(), StoreError> {
    let place = || format!("{} offset 0", path.display());
    let corrupt = |what: &str| StoreError::Corrupt {
        place: place(),
        what: what.to_owned(),
    };
    let head = bytes
        .get(..SEGMENT_HEADER)
        .ok_or_else(|| corrupt("the file is shorter than a segment's header"))?;
    let sealed = crc32c::crc32c(&head[..60]).to_le_bytes() == head[60..64];
    if head[..8] != *MAGIC || !sealed {
        return Err(corrupt("the header of the segment is damaged"));
    }
    let format = u32::from_le_bytes(head[8..12].try_into().expect("four bytes"));
    if format > FORMAT {
        return Err(StoreError::NewerFormat {
            place: path.display().to_string(),
            found: format,
            known: FORMAT,
        });
    }
    let len = u64::from_le_bytes(head[16..24].try_into().expect("eight bytes"));
    if len != file_len {
        return Err(corrupt(&format!(
            "the file has {file_len} bytes, its header says {len}"
        )));
    }
    if *head != header(id, number, len) {
        return Err(corrupt("the segment belongs to other data, or under another number"));
    }
    Ok(())
}

fn header(id: &DataId, number: u32, bytes: u64) -> [u8; SEGMENT_HEADER] {
    let mut head = [0; SEGMENT_HEADER];
    head[..8].copy_from_slice(MAGIC);
    head[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    head[12..16].copy_from_slice(&number.to_le_bytes());
    head[16..24].copy_from_slice(&bytes.to_le_bytes());
    head[24..40].copy_from_slice(&id.0);
    let seal = crc32c::crc32c(&head[..60]);
    head[60..64].copy_from_slice(&seal.to_le_bytes());
    head
}

fn for_each_file(dir: &Path, mut visit: impl FnMut(&str, &Path) -> std::io::Result<()>) -> Result<(), StoreError> {
    let mut walk = || {
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if let Some(name) = entry.file_name().to_str() {
                visit(name, &entry.path())?;
            }
        }
        Ok(())
    };
    walk().map_err(|error| io_error(dir, "read", &error))
}
