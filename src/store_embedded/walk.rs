//! The way through the journal, frame by frame, with everything checked.
//!
//! A journal ends where the zeros begin. Bytes that are neither a sound frame nor zeros are *damage* if anything that
//! was written after them shows: a sound header behind them in the same segment, or anything in a later one. They are a
//! *torn tail*, the trace of a crash in the middle of a write, if nothing does. There is one more trace of a crash: a
//! group is written in one go, and a power cut may keep its second half and lose its first. Then a part of the bad frame
//! reads as zeros, because it never reached the preallocated file, and every later frame belongs to the group that began
//! at or before it. That is a torn tail as well: nothing of an unsynced group was ever acknowledged.

use crate::checkpoint::Position;
use crate::files::io_error;
use crate::frame::{ALIGN, Codec, HEADER, Header};
use crate::meta::DataId;
use crate::segment::{self, SEGMENT_BYTES_MAX, SEGMENT_HEADER};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use tollgate_breaks::broken;
use tollgate_store::StoreError;

/// How often a walk through a live journal reads a segment again before it believes that it is damaged. A read can see
/// the end of a write before its beginning.
const READ_AGAIN_MAX: u32 = 8;
/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// A sound frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) segment: u32,
    /// Offset of the frame in the segment.
    pub(crate) offset: u32,
    pub(crate) header: Header,
    pub(crate) payload: &'a [u8],
    /// Hash of its header, which the next frame names.
    pub(crate) chain: u64,
}

/// Where the journal ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// The segment of the last frame; the first segment in an empty journal.
    pub(crate) segment: u32,
    /// Where the next frame would stand in it.
    pub(crate) offset: u32,
    /// Where the last frame stands in it; means nothing if there is none.
    pub(crate) last_frame: u32,
    /// What the next frame must name as the hash of the previous one.
    pub(crate) chain: u64,
    /// Highest number of a segment that exists.
    pub(crate) last_segment: u32,
    /// Whether bytes behind `offset` are a torn tail, and why.
    pub(crate) torn: Option<String>,
    /// Bytes that were read.
    pub(crate) bytes: u64,
}

/// Says why a position is not one of this journal: the frame that it names must end there.
pub(crate) fn check_position(dir: &Path, id: &DataId, position: &Position) -> Result<(), String> {
    let mut loaded = Loaded::default();
    loaded
        .load(dir, id, position.segment)
        .map_err(|error| error.to_string())?;
    let codec = Codec::new(id);
    let frame = loaded.bytes.get(position.last_frame as usize..).unwrap_or_default();
    let stands = codec.header(frame).is_some_and(|header| {
        codec.hash(frame) == position.chain
            && u64::from(position.last_frame) + header.frame_len() as u64 == u64::from(position.offset)
            && codec.payload(&header, frame).is_ok()
    });
    if stands {
        return Ok(());
    }
    let place = format!("{} offset {}", loaded.path.display(), position.last_frame);
    Err(format!(
        "the journal has another end at {place} than the index was written for"
    ))
}

/// Visits every frame in order, from `from` on: a position that was checked, or the start. Of the segments before it only
/// the headers are read. `live`: another process may be writing, and what is behind the end is its business.
pub(crate) fn walk(
    dir: &Path,
    id: &DataId,
    from: Option<&Position>,
    live: bool,
    visit: &mut dyn FnMut(&Frame<'_>) -> Result<(), StoreError>,
) -> Result<End, StoreError> {
    let numbers = segment::list(dir)?;
    if numbers.is_empty() {
        let what = "the directory holds no segments".to_owned();
        return Err(StoreError::Corrupt {
            place: segment::journal_dir(dir).display().to_string(),
            what,
        });
    }
    let codec = Codec::new(id);
    let last_segment = *numbers.last().expect("there are segments");
    let mut end = End {
        segment: numbers[0],
        offset: SEGMENT_HEADER as u32,
        last_frame: 0,
        chain: Codec::FIRST,
        last_segment,
        torn: None,
        bytes: 0,
    };
    if let Some(from) = from {
        (end.segment, end.offset, end.last_frame, end.chain) = (from.segment, from.offset, from.last_frame, from.chain);
    }
    let mut loaded = Loaded::default();
    for &number in &numbers {
        if number < end.segment {
            check_segment(dir, id, number)?;
            continue;
        }
        loaded.load(dir, id, number)?;
        end.bytes += loaded.bytes.len() as u64;
        if end.torn.is_some() {
            nothing_follows(dir, &mut end, &loaded)?;
            continue;
        }
        let mut at = from
            .filter(|from| from.segment == number)
            .map_or(SEGMENT_HEADER, |from| from.offset as usize);
        let (mut readings, mut looked_on) = (0, false);
        // Whether the next segment had frames before this one was read, so that no writer was at work here.
        let mut settled = false;
        loop {
            match step(&codec, &loaded.bytes, at, end.chain) {
                Step::Frame(header, payload) => {
                    let chain = codec.hash(&loaded.bytes[at..]);
                    visit(&Frame {
                        segment: number,
                        offset: at as u32,
                        header,
                        payload,
                        chain,
                    })?;
                    end.chain = chain;
                    end.last_frame = at as u32;
                    at += header.frame_len();
                    (end.segment, end.offset) = (number, at as u32);
                    (readings, looked_on) = (0, false);
                }
                Step::End => {
                    // A live writer may have gone on to the next segment after this one was read.
                    if live && !looked_on && number != last_segment && segment_has_frames(dir, number + 1)? {
                        looked_on = true;
                        loaded.load(dir, id, number)?;
                        continue;
                    }
                    break;
                }
                Step::Bad { .. } if live && readings < READ_AGAIN_MAX => {
                    readings += 1;
                    settled = number != last_segment && segment_has_frames(dir, number + 1)?;
                    loaded.load(dir, id, number)?;
                }
                Step::Bad { what, torn } => {
                    let place = format!("{} offset {at}", loaded.path.display());
                    if !torn {
                        return Err(StoreError::Corrupt { place, what });
                    }
                    (end.segment, end.offset) = (number, at as u32);
                    end.torn = Some(what);
                    if live && !settled {
                        return Ok(end);
                    }
                    break;
                }
            }
        }
    }
    Ok(end)
}

/// Makes sure that a segment behind a torn tail is empty.
fn nothing_follows(dir: &Path, end: &mut End, loaded: &Loaded) -> Result<(), StoreError> {
    let Some(at) = loaded.bytes[SEGMENT_HEADER..].iter().position(|&byte| byte != 0) else {
        return Ok(());
    };
    let torn = end.torn.take().expect("the tail is torn");
    let place = format!("{} offset {}", segment::path(dir, end.segment).display(), end.offset);
    let after = format!("{} offset {}", loaded.path.display(), SEGMENT_HEADER + at);
    let what = format!("{torn}, and there is more at {after}");
    Err(StoreError::Corrupt { place, what })
}

/// A segment in memory; the buffer is used again for the next one.
#[derive(Default)]
struct Loaded {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Loaded {
    fn load(&mut self, dir: &Path, id: &DataId, number: u32) -> Result<(), StoreError> {
        self.path = segment::path(dir, number);
        let path = &self.path;
        let read = |bytes: &mut Vec<u8>| {
            let file = File::open(path)?;
            let len = file.metadata()?.len();
            if len > SEGMENT_BYTES_MAX {
                return Err(std::io::Error::other("the file is longer than any segment"));
            }
            bytes.resize(len as usize, 0);
            file.read_exact_at(bytes, 0)
        };
        read(&mut self.bytes).map_err(|error| io_error(path, "read", &error))?;
        segment::check_header(path, id, number, &self.bytes, self.bytes.len() as u64)
    }
}

/// Checks the header and the length of a segment that is not read.
fn check_segment(dir: &Path, id: &DataId, number: u32) -> Result<(), StoreError> {
    let path = segment::path(dir, number);
    let read = || {
        let file = File::open(&path)?;
        let mut head = [0; SEGMENT_HEADER];
        let len = file.read_at(&mut head, 0)?;
        Ok((head, len, file.metadata()?.len()))
    };
    let (head, len, file_len) = read().map_err(|error| io_error(&path, "read", &error))?;
    segment::check_header(&path, id, number, &head[..len], file_len)
}

enum Step<'a> {
    Frame(Header, &'a [u8]),
    End,
    Bad { what: String, torn: bool },
}

fn step<'a>(codec: &Codec, bytes: &'a [u8], at: usize, chain: u64) -> Step<'a> {
    let rest = &bytes[at..];
    let Some(header) = codec.header(rest) else {
        if all_zero(rest) {
            return Step::End;
        }
        return bad(codec, bytes, at, "this is no frame");
    };
    if header.previous != chain && !broken!(TrustChain) {
        // The frame itself is sound, so no crash did this.
        let what = "frames are missing before this one, or it is not in its place".to_owned();
        return Step::Bad { what, torn: false };
    }
    if header.group as usize > at || header.count == 0 && header.len > 0 {
        return Step::Bad {
            what: "a frame contradicts itself".to_owned(),
            torn: false,
        };
    }
    match codec.payload(&header, rest) {
        Ok(payload) => Step::Frame(header, payload),
        Err(what) => bad(codec, bytes, at, what),
    }
}

/// Tells damage from a torn tail.
fn bad<'a>(codec: &Codec, bytes: &[u8], at: usize, what: &str) -> Step<'a> {
    let later = (at + ALIGN..bytes.len().saturating_sub(HEADER - 1)).step_by(ALIGN);
    let mut later = later.filter_map(|offset| Some((offset, codec.header(&bytes[offset..])?)));
    let Some((next, header)) = later.next() else {
        return Step::Bad {
            what: what.to_owned(),
            torn: true,
        };
    };
    let same_group = header.group as usize <= at && later.all(|(_, header)| header.group as usize <= at);
    let torn = same_group && has_hole(bytes, at, next);
    let what = if torn {
        format!("{what}, and was lost when its group was written")
    } else {
        format!("{what}, and a later frame stands at offset {next}")
    };
    Step::Bad { what, torn }
}

/// Whether some sector's part of `from..to` holds only zeros, which no frame does.
fn has_hole(bytes: &[u8], from: usize, to: usize) -> bool {
    let mut at = from;
    while at < to {
        let sector_end = (at / SECTOR + 1) * SECTOR;
        let part = &bytes[at..sector_end.min(to)];
        if all_zero(part) {
            return true;
        }
        at = sector_end;
    }
    false
}

fn segment_has_frames(dir: &Path, number: u32) -> Result<bool, StoreError> {
    let path = segment::path(dir, number);
    let mut head = [0; HEADER];
    let read = File::open(&path).and_then(|file| file.read_at(&mut head, SEGMENT_HEADER as u64));
    let len = read.map_err(|error| io_error(&path, "read", &error))?;
    // A file that is too short is found out when it is loaded.
    Ok(len < HEADER || !all_zero(&head))
}

/// By the page, which compares many times faster than by the byte; the unused end of a segment is long.
fn all_zero(bytes: &[u8]) -> bool {
    const ZEROS: [u8; 4096] = [0; 4096];
    bytes.chunks(ZEROS.len()).all(|chunk| *chunk == ZEROS[..chunk.len()])
}
