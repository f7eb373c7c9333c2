//! What delivery writes down in a shard's own journal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tollgate_domain::account::AccountKey;
use tollgate_resource::notes;
use tollgate_store::{AccountRef, Epoch, Head, NOTES_PAGE, ShardId};

/// A page's number is `epoch << PAGE_EPOCH_BITS | n`, with `n` rising from 1, so that each incarnation's pages come after those
/// of the ones before, whatever of those is durable.
pub const PAGE_EPOCH_BITS: u32 = 40;

/// Notes of a shard that may be on their way into its journal.
pub const NOTES_OPEN_MAX: usize = 256;

/// Something that delivery wants remembered about endpoints of a shard's accounts. Bodies are at most
/// [`BODY_BYTES_MAX`](tollgate_resource::notes::BODY_BYTES_MAX).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// What has changed: entries as [`tollgate_resource::notes`] frames them.
    Progress(Vec<u8>),
    /// Something that [`page_of`](super::page_of) finds again by its number, without reading all notes.
    Page {
        /// Above that of every page before, and of the epoch it is written in: see [`PAGE_EPOCH_BITS`].
        number: u64,
        /// What, in whatever form; the account in front of it is not looked for.
        body: Vec<u8>,
    },
    /// Everything that has to be known, framed as well: [`notes_of`](super::notes_of) begins at the newest such note.
    Row {
        /// All of it.
        body: Vec<u8>,
        /// The newest change of an endpoint ([`Moved::change`](super::Moved::change)) that delivery had heard of. Later ones are written again
        /// behind the row, because nobody will read on from where they stand.
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

    /// Why it cannot be written, where `last_page` is the newest page of this incarnation (0 for none).
    pub(crate) fn problem(&self, epoch: Epoch, last_page: u64) -> Option<&'static str> {
        match self {
            _ if self.body().len() > tollgate_resource::notes::BODY_BYTES_MAX => Some("it is too large"),
            Note::Page { number, .. } if number >> PAGE_EPOCH_BITS != epoch.0 => Some("its page is of another epoch"),
            Note::Page { number, .. } if *number <= last_page => Some("its page does not come after the one before"),
            Note::Progress(_) | Note::Page { .. } | Note::Row { .. } => None,
        }
    }

    /// Its envelope.
    pub(crate) fn head(&self, shard: ShardId, now_ms: u64) -> Head {
        let mut head = Head {
            account: AccountRef::notes_of(shard).0,
            now_ms,
            ..Head::default()
        };
        match self {
            Note::Progress(_) => {}
            Note::Page { number, .. } => {
                head.first_seq = *number;
                head.born.push(NOTES_PAGE);
            }
            Note::Row { .. } => head.row = true,
        }
        head
    }
}

/// Changes of endpoints that delivery may not have heard of when it made its last row: at most one for each account.
#[derive(Debug, Default)]
pub(crate) struct Unheard {
    newest: u64,
    /// Account, with the number of its newest change and the highest sequence of an endpoint that changed.
    changes: BTreeMap<u64, (u64, u64)>,
}

impl Unheard {
    /// An endpoint of the account changes; tells the number of the change.
    pub(crate) fn add(&mut self, account: AccountKey, endpoint_seq: u64) -> u64 {
        self.newest += 1;
        let known = self.changes.entry(account.0).or_default();
        *known = (self.newest, known.1.max(endpoint_seq));
        self.newest
    }

    /// Delivery has made a row and had heard of changes up to that one. What a note behind the row must say, if anything.
    pub(crate) fn heard(&mut self, heard: u64) -> Option<Note> {
        self.changes.retain(|_, (change, _)| *change > heard);
        let mut body = Vec::new();
        for (account, (_, endpoint)) in &self.changes {
            notes::put_changed(&mut body, *account, *endpoint);
        }
        (!body.is_empty()).then_some(Note::Progress(body))
    }
}

/// How many notes of each shard were handed in and are neither durable nor dropped.
#[derive(Debug, Clone)]
pub(crate) struct OpenNotes(Arc<[AtomicUsize]>);

/// One of [`OpenNotes`], until it is dropped.
#[derive(Debug)]
pub struct OpenNote(OpenNotes, ShardId);

impl OpenNotes {
    pub(crate) fn new(shards: u16) -> OpenNotes {
        OpenNotes((0..shards).map(|_| AtomicUsize::new(0)).collect())
    }

    /// One more, unless the shard has too many.
    pub(crate) fn open(&self, shard: ShardId) -> Option<OpenNote> {
        let open = self.0.get(usize::from(shard.0))?;
        let grown = |open: usize| (open < NOTES_OPEN_MAX).then_some(open + 1);
        open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).ok()?;
        Some(OpenNote(self.clone(), shard))
    }

    pub(crate) fn of(&self, shard: ShardId) -> usize {
        let open = self.0.get(usize::from(shard.0));
        open.map_or(0, |open| open.load(Ordering::Acquire))
    }

    pub(crate) fn all(&self) -> usize {
        self.0.iter().map(|open| open.load(Ordering::Acquire)).sum()
    }
}

impl Drop for OpenNote {
    fn drop(&mut self) {
        self.0.0[usize::from(self.1.0)].fetch_sub(1, Ordering::Release);
    }
}
