//! What delivery writes down in a shard's own journal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tollgate_domain::account::AccountKey;
use tollgate_resource::notes::{self, Note, PAGE_EPOCH_BITS};
use tollgate_store::{AccountRef, Epoch, Head, NOTES_PAGE, ShardId};

/// Notes of a shard that may be on their way into its journal.
pub const NOTES_OPEN_MAX: usize = 256;

/// Why a note cannot be written, where `last_page` is the newest page of this incarnation (0 for none).
pub(crate) fn problem(note: &Note, epoch: Epoch, last_page: u64) -> Option<&'static str> {
    match note {
        _ if note.body().len() > notes::BODY_BYTES_MAX => Some("it is too large"),
        Note::Page { number, .. } if number >> PAGE_EPOCH_BITS != epoch.0 => Some("its page is of another epoch"),
        Note::Page { number, .. } if *number <= last_page => Some("its page does not come after the one before"),
        Note::Progress(_) | Note::Page { .. } | Note::Row { .. } => None,
    }
}

/// The envelope of a note.
pub(crate) fn head_of(note: &Note, shard: ShardId, now_ms: u64) -> Head {
    let mut head = Head {
        account: AccountRef::notes_of(shard).0,
        now_ms,
        ..Head::default()
    };
    match note {
        Note::Progress(_) => {}
        Note::Page { number, .. } => {
            head.first_seq = *number;
            head.born.push(NOTES_PAGE);
        }
        Note::Row { .. } => head.row = true,
    }
    head
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
pub struct OpenNotes(Arc<[AtomicUsize]>);

/// One of [`OpenNotes`], until it is dropped.
#[derive(Debug)]
pub struct OpenNote(OpenNotes, ShardId);

impl OpenNotes {
    /// None are, of so many shards.
    pub fn new(shards: u16) -> OpenNotes {
        OpenNotes((0..shards).map(|_| AtomicUsize::new(0)).collect())
    }

    /// One more, unless the shard has [`NOTES_OPEN_MAX`] of them.
    pub fn open(&self, shard: ShardId) -> Option<OpenNote> {
        let open = self.0.get(usize::from(shard.0))?;
        let grown = |open: usize| (open < NOTES_OPEN_MAX).then_some(open + 1);
        open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).ok()?;
        Some(OpenNote(self.clone(), shard))
    }

    /// Those of a shard.
    pub fn of(&self, shard: ShardId) -> usize {
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
