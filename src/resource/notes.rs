//! The framing of a shard's notes: what delivery writes about accounts into the journal of their shard, beside the facts.
//!
//! A body is entries, one after another: the account (eight bytes, little endian), a kind (one byte), a length and that
//! many bytes. So whoever checks or carries a journal can walk through bodies, and tell whose each part is, without
//! knowing what delivery wrote. Kind 0 is the shard's own ([`CHANGED`]); what the bytes of all others mean is known to
//! delivery alone.

use crate::record::{Input, RecordError, put_varint};

/// The kind of entry that a shard itself writes: an endpoint of the account changed. Its bytes are the highest sequence
/// number of an endpoint that did, as a varint.
pub const CHANGED: u8 = 0;

/// Most bytes of a body: below what a record of the journal may have.
pub const BODY_BYTES_MAX: usize = 3 * 1024 * 1024;

/// A page's number is `epoch << PAGE_EPOCH_BITS | n`, with `n` rising from 1, so that each incarnation's pages come after those
/// of the ones before, whatever of those is durable.
pub const PAGE_EPOCH_BITS: u32 = 40;

/// Something that delivery wants remembered about endpoints of a shard's accounts. Bodies are at most [`BODY_BYTES_MAX`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// What has changed: [`entries`].
    Progress(Vec<u8>),
    /// A part of the row that follows, which is too large for one record. It is found again by its number, without reading all
    /// notes.
    Page {
        /// Above that of every page before, and of the epoch it is written in: see [`PAGE_EPOCH_BITS`].
        number: u64,
        /// The part, in whatever form; the account in front of it is not looked for.
        body: Vec<u8>,
    },
    /// Everything that has to be known, except what is in pages: [`entries`]. Reading begins at the newest one.
    Row {
        /// All of it.
        body: Vec<u8>,
        /// The newest change of an endpoint that delivery had heard of, by the number that its shard gave it. Later ones the
        /// shard writes again behind the row, because nobody will read on from where they stand.
        heard: u64,
    },
}

impl Note {
    /// What it says.
    pub fn body(&self) -> &[u8] {
        match self {
            Note::Progress(body) | Note::Page { body, .. } | Note::Row { body, .. } => body,
        }
    }
}

/// One entry of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Whose endpoints it is about.
    pub account: u64,
    /// What it is.
    pub kind: u8,
    /// What it says.
    pub bytes: &'a [u8],
}

/// Appends an entry.
pub fn put(out: &mut Vec<u8>, account: u64, kind: u8, bytes: &[u8]) {
    out.extend_from_slice(&account.to_le_bytes());
    out.push(kind);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends the entry that a shard writes when an endpoint of the account changed.
pub fn put_changed(out: &mut Vec<u8>, account: u64, endpoint_seq: u64) {
    let mut bytes = Vec::with_capacity(10);
    put_varint(&mut bytes, endpoint_seq);
    put(out, account, CHANGED, &bytes);
}

/// The entries of a body, in order. The first error ends it.
pub fn entries(body: &[u8]) -> Entries<'_> {
    Entries { left: body }
}

/// Iterator over the entries of a body; see [`entries`].
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    left: &'a [u8],
}

impl<'a> Entries<'a> {
    fn step(&mut self) -> Result<Entry<'a>, RecordError> {
        let mut input = Input::new(self.left);
        let account = input.take_bytes(8)?.try_into().expect("eight bytes were taken");
        let kind = input.take_bytes(1)?[0];
        let len = usize::try_from(input.take_varint()?).map_err(|_| RecordError::Overflow)?;
        let bytes = input.take_bytes(len)?;
        self.left = input.rest();
        Ok(Entry {
            account: u64::from_le_bytes(account),
            kind,
            bytes,
        })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left.is_empty() {
            return None;
        }
        let entry = self.step();
        if entry.is_err() {
            self.left = &[];
        }
        Some(entry)
    }
}

/// The sequence number that an entry of kind [`CHANGED`] says.
///
/// # Errors
/// When its bytes are no number.
pub fn changed(entry: &Entry<'_>) -> Result<u64, RecordError> {
    let mut input = Input::new(entry.bytes);
    let seq = input.take_varint()?;
    match input.rest() {
        [] => Ok(seq),
        _ => Err(RecordError::Trailing {
            shape: "notes::CHANGED",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_reads_back_entry_by_entry_and_bodies_can_be_joined() {
        let mut body = Vec::new();
        put_changed(&mut body, 7, 300);
        put(&mut body, u64::MAX, 9, &[]);
        let mut more = Vec::new();
        put(&mut more, 5, 1, &[0xab; 200]);
        body.extend_from_slice(&more);
        let read: Vec<Entry<'_>> = entries(&body).collect::<Result<_, _>>().expect("it was just written");
        let named: Vec<(u64, u8, usize)> = read.iter().map(|it| (it.account, it.kind, it.bytes.len())).collect();
        assert_eq!(named, [(7, CHANGED, 2), (u64::MAX, 9, 0), (5, 1, 200)]);
        assert_eq!(changed(&read[0]), Ok(300));
        assert!(changed(&read[1]).is_err(), "nothing is no number");
    }

    #[test]
    fn a_body_that_ends_inside_an_entry_is_refused_once() {
        let mut body = Vec::new();
        put(&mut body, 7, 1, b"some");
        put(&mut body, 8, 1, b"more");
        for cut in 1..body.len() {
            let read: Vec<_> = entries(&body[..cut]).collect();
            let whole = if cut < body.len() / 2 { 0 } else { 1 };
            assert_eq!(read.iter().filter(|it| it.is_ok()).count(), whole, "cut at {cut}");
            let broken = read.iter().filter(|it| it.is_err()).count();
            assert_eq!(broken, usize::from(cut != body.len() / 2), "cut at {cut}");
        }
    }
}
