//! The file: a first line that names the format, then frames, then a frame with the SHA-256 of everything before it.
//!
//! ```text
//! tollgate export 1\n
//! kind (1) length (4) bytes crc-32c of all three (4)     … and so on
//! ```
//! It holds the data's secret and the master keys of the vault: whoever has it has everything. It is made for its owner alone.

use crate::CarryError;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The first line up to the number of the format.
const NAME: &[u8] = b"tollgate export ";
/// The newest format, and the one that is written.
const FORMAT: u8 = b'1';
/// Most bytes of a frame: a record of the journal has four MiB at most, and a block may be one record.
const FRAME_BYTES_MAX: usize = 8 << 20;

/// What a frame holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// The data's secret; the first frame.
    Secret = 1,
    /// A block of the journal: shard, number of records, records.
    Block = 2,
    /// A piece of an uploaded file: its digest, whether it is the last piece, bytes.
    Piece = 3,
    /// A data key under a newer master key: name, number of the key, data key.
    Rewrap = 4,
    /// An access to the vault: a line.
    Access = 5,
    /// The master keys, after all else of the vault.
    Keys = 6,
    /// A line of the sums.
    Sum = 7,
    /// SHA-256 of everything before; the last frame.
    End = 8,
}

impl Kind {
    fn of(byte: u8) -> Option<Kind> {
        use Kind::{Access, Block, End, Keys, Piece, Rewrap, Secret, Sum};
        [Secret, Block, Piece, Rewrap, Access, Keys, Sum, End]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// A file that is written.
pub struct Writer {
    place: String,
    file: BufWriter<File>,
    hash: Sha256,
}

impl Writer {
    /// Makes the file, for its owner alone.
    ///
    /// # Errors
    /// When it is there already, or cannot be made.
    pub fn create(path: &Path) -> Result<Writer, CarryError> {
        let place = path.display().to_string();
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|source| CarryError::Io {
            place: place.clone(),
            source,
        })?;
        let mut writer = Writer {
            place,
            file: BufWriter::new(file),
            hash: Sha256::new(),
        };
        writer.put(&[NAME, &[FORMAT, b'\n']].concat())?;
        Ok(writer)
    }

    /// Writes a frame.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn frame(&mut self, kind: Kind, parts: &[&[u8]]) -> Result<(), CarryError> {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        assert!(len <= FRAME_BYTES_MAX, "no frame is that large");
        let mut head = [0; 5];
        head[0] = kind as u8;
        head[1..].copy_from_slice(&(len as u32).to_le_bytes());
        let mut crc = crc32c::crc32c(&head);
        self.put(&head)?;
        for part in parts {
            crc = crc32c::crc32c_append(crc, part);
            self.put(part)?;
        }
        self.put(&crc.to_le_bytes())
    }

    /// Ends the file and makes it durable.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<(), CarryError> {
        let digest = self.hash.clone().finalize();
        self.frame(Kind::End, &[&digest])?;
        let done = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        done.map_err(|source| CarryError::Io {
            place: self.place,
            source,
        })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), CarryError> {
        self.hash.update(bytes);
        self.file.write_all(bytes).map_err(|source| CarryError::Io {
            place: self.place.clone(),
            source,
        })
    }
}

/// Takes a frame; its error ends the reading.
pub type VisitFrame<'a> = dyn FnMut(Kind, &[u8]) -> Result<(), CarryError> + 'a;

/// Reads a file from its beginning, and shows every frame but the last. Whoever acts on frames before this returns has to be
/// able to do without.
///
/// # Errors
/// When it is not whole, and what `visit` fails with.
pub fn read(path: &Path, visit: &mut VisitFrame<'_>) -> Result<(), CarryError> {
    let place = path.display().to_string();
    let io = |source| CarryError::Io {
        place: place.clone(),
        source,
    };
    let damaged = |what: &str| CarryError::Damaged {
        place: place.clone(),
        what: what.to_owned(),
    };
    let cut = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => damaged("it ends too early"),
        _ => io(error),
    };
    let mut file = BufReader::new(File::open(path).map_err(io)?);
    let mut hash = Sha256::new();
    let mut line = [0; NAME.len() + 2];
    file.read_exact(&mut line).map_err(cut)?;
    if !line.starts_with(NAME) || line[NAME.len() + 1] != b'\n' {
        return Err(damaged("it is no export"));
    }
    if line[NAME.len()] != FORMAT {
        return Err(CarryError::Newer(place.clone()));
    }
    hash.update(line);
    let mut bytes = Vec::new();
    loop {
        let mut head = [0; 5];
        file.read_exact(&mut head).map_err(cut)?;
        let kind = Kind::of(head[0]).ok_or_else(|| damaged("a frame of an unknown kind"))?;
        let len = u32::from_le_bytes(head[1..].try_into().expect("four bytes")) as usize;
        if len > FRAME_BYTES_MAX {
            return Err(damaged("a frame is too large"));
        }
        bytes.resize(len + 4, 0);
        file.read_exact(&mut bytes).map_err(cut)?;
        let (body, crc) = bytes.split_at(len);
        if crc32c::crc32c_append(crc32c::crc32c(&head), body).to_le_bytes() != crc {
            return Err(damaged("the checksum of a frame does not fit"));
        }
        if kind == Kind::End {
            let more = file.read(&mut [0]).map_err(io)?;
            let whole = hash.finalize()[..] == *body && more == 0;
            return if whole { Ok(()) } else { Err(damaged("it is not whole")) };
        }
        hash.update(head);
        hash.update(&bytes);
        let (body, _) = bytes.split_at(len);
        visit(kind, body)?;
    }
}
