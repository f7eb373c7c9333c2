//! What lanes write into their shard's journal: entries as `tollgate_resource::notes` frames them, one account each. Kind 0 is
//! the shard's own. Kinds are never reused; what is inside one may only get new tags (see `book/codec.rs`).

use crate::book::{self, Book};
use crate::endpoint::EndpointKey;
use crate::lane::Changed;
use hashbrown::{HashMap, HashSet};
use tollgate_resource::notes::{CHANGED, entries, put};
use tollgate_resource::record::{Input, RecordError, put_varint};

/// What has changed of one endpoint.
const PROGRESS: u8 = 1;
/// An endpoint, from nothing; progress that follows belongs to it.
const WHOLE: u8 = 2;
/// An endpoint is deleted.
const GONE: u8 = 3;
/// The first of a row: its format and the pages that come before it.
const HEADER: u8 = 4;
/// An account that may have endpoints.
const ACCOUNT: u8 = 5;

/// The account of an entry that is about none.
const OF_PAGES: u64 = 0;
/// The format of rows; one that is newer is refused.
const FORMAT: u64 = 1;

/// What notes say of a shard.
#[derive(Default, Debug)]
pub(crate) struct Read {
    pub(crate) books: HashMap<EndpointKey, Book>,
    /// Accounts that may have endpoints.
    pub(crate) accounts: HashSet<u64>,
}

/// Why notes cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoteError {
    /// They are damaged.
    #[error("the notes of a shard are damaged: {0}")]
    Damaged(RecordError),
    /// They are newer.
    #[error("the notes of a shard have format {0}, this release reads up to {FORMAT}; use a newer release")]
    Newer(u64),
}

impl From<RecordError> for NoteError {
    fn from(error: RecordError) -> Self {
        NoteError::Damaged(error)
    }
}

impl Read {
    /// Takes in one note, or one page; in the order in which they were written.
    pub(crate) fn take(&mut self, body: &[u8]) -> Result<(), NoteError> {
        for entry in entries(body) {
            let entry = entry?;
            let account = entry.account;
            let mut input = Input::new(entry.bytes);
            match entry.kind {
                PROGRESS | WHOLE => {
                    let seq = input.take_varint()?;
                    let key = EndpointKey { account, seq };
                    let book = self.books.entry(key).or_insert_with(|| Book::new(seq));
                    if entry.kind == WHOLE {
                        *book = Book::new(seq);
                    }
                    book::take_into(book, &mut input)?;
                    self.accounts.insert(account);
                }
                GONE => {
                    let seq = input.take_varint()?;
                    self.books.remove(&EndpointKey { account, seq });
                }
                CHANGED | ACCOUNT => {
                    self.accounts.insert(account);
                }
                HEADER => {}
                // A kind of a newer release that older ones may pass over.
                _ => {}
            }
        }
        Ok(())
    }
}

/// The numbers of the pages that a row wants read before it.
pub(crate) fn pages_of(row: &[u8]) -> Result<Vec<u64>, NoteError> {
    let mut pages = Vec::new();
    for entry in entries(row).take(1) {
        let entry = entry?;
        if entry.kind != HEADER {
            break;
        }
        let mut input = Input::new(entry.bytes);
        let format = input.take_varint()?;
        if format > FORMAT {
            return Err(NoteError::Newer(format));
        }
        for _ in 0..input.take_varint()? {
            pages.push(input.take_varint()?);
        }
    }
    Ok(pages)
}

/// Appends what has changed of an endpoint.
pub(crate) fn put_progress(out: &mut Vec<u8>, key: EndpointKey, changed: &Changed, book: &Book) {
    let Changed::Since { log, moved } = changed else {
        return put_whole(key, book, &mut |kind, bytes| put(out, key.account, kind, bytes));
    };
    let mut bytes = Vec::with_capacity(32);
    put_varint(&mut bytes, key.seq);
    book::put_changes(&mut bytes, log, *moved, book);
    put(out, key.account, PROGRESS, &bytes);
}

/// All of a book, as entries: the first begins anew, the others go on.
fn put_whole(key: EndpointKey, book: &Book, out: &mut dyn FnMut(u8, &[u8])) {
    let mut first = true;
    book::put_whole(book, &mut |part| {
        let mut bytes = Vec::with_capacity(part.len() + 10);
        put_varint(&mut bytes, key.seq);
        bytes.extend_from_slice(part);
        out(if std::mem::take(&mut first) { WHOLE } else { PROGRESS }, &bytes);
    });
}

/// Appends that an endpoint is deleted.
pub(crate) fn put_gone(out: &mut Vec<u8>, key: EndpointKey) {
    let mut bytes = Vec::new();
    put_varint(&mut bytes, key.seq);
    put(out, key.account, GONE, &bytes);
}

/// Bodies of a row, each of a bounded size.
pub(crate) struct RowWriter {
    bodies: Vec<Vec<u8>>,
    /// A body takes no further entry beyond this.
    bytes_max: usize,
}

impl RowWriter {
    pub(crate) fn new(bytes_max: usize) -> RowWriter {
        RowWriter {
            bodies: vec![Vec::new()],
            bytes_max,
        }
    }

    pub(crate) fn account(&mut self, account: u64) {
        put(self.body(), account, ACCOUNT, &[]);
    }

    pub(crate) fn book(&mut self, key: EndpointKey, book: &Book) {
        put_whole(key, book, &mut |kind, bytes| put(self.body(), key.account, kind, bytes));
    }

    /// The pages that come first, and the row, which names them. `number` is that of the first page.
    pub(crate) fn finish(mut self, number: u64) -> (Vec<(u64, Vec<u8>)>, Vec<u8>) {
        let last = self.bodies.pop().unwrap_or_default();
        let pages: Vec<(u64, Vec<u8>)> = (number..).zip(self.bodies).collect();
        let mut header = Vec::new();
        put_varint(&mut header, FORMAT);
        put_varint(&mut header, pages.len() as u64);
        pages.iter().for_each(|(number, _)| put_varint(&mut header, *number));
        let mut row = Vec::with_capacity(last.len() + header.len() + 16);
        put(&mut row, OF_PAGES, HEADER, &header);
        row.extend_from_slice(&last);
        (pages, row)
    }

    fn body(&mut self) -> &mut Vec<u8> {
        if self.bodies.last().is_none_or(|body| body.len() >= self.bytes_max) {
            self.bodies.push(Vec::new());
        }
        self.bodies.last_mut().expect("one was just made sure of")
    }
}
