//! Events and notes, read from the journal. All of it may wait for the disk.

use bytes::Bytes;
use std::sync::Arc;
use tollgate_actors::outbox::{self, Happened, Noted, Records, account_of, notes_of, page_of};
use tollgate_domain::AccountKey;
use tollgate_domain::account::Profile;
use tollgate_resource::Names;
use tollgate_store::{Reads, ShardId, StoreError};
use tollgate_webhooks::ports::{EVENTS_MAX, Event, SavedNote};

/// Events of an account after sequence number `after`, oldest first, at most `limit` and at most [`EVENTS_MAX`].
///
/// # Errors
/// When the store cannot be read.
pub fn events_after(
    records: &Records,
    reads: &dyn Reads,
    account: u64,
    after: u64,
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    let happened = outbox::events_after(records, reads, AccountKey(account), after, limit.min(EVENTS_MAX))?;
    Ok(happened.iter().map(event).collect())
}

/// The events with these sequence numbers, the first [`EVENTS_MAX`] of them, without those that there are none of.
///
/// # Errors
/// When the store cannot be read.
pub fn events(records: &Records, reads: &dyn Reads, account: u64, seqs: &[u64]) -> Result<Vec<Event>, StoreError> {
    let seqs = &seqs[..seqs.len().min(EVENTS_MAX)];
    let happened = outbox::events(records, reads, AccountKey(account), seqs)?;
    Ok(happened.iter().map(event).collect())
}

/// The sequence number of the account's first event at or after `since_ms` (Unix milliseconds); the next one to come where
/// there is none.
///
/// # Errors
/// When the store cannot be read.
pub fn first_since(reads: &dyn Reads, profile: &Arc<Profile>, since_ms: u64) -> Result<u64, StoreError> {
    match outbox::first_since(reads, profile.key, since_ms)? {
        Some(seq) => Ok(seq),
        None => Ok(account_of(reads, profile)?.seq + 1),
    }
}

/// The notes of a shard: the newest row and everything behind it.
///
/// # Errors
/// When the store cannot be read.
pub fn notes(reads: &dyn Reads, shard: u16) -> Result<Vec<SavedNote>, StoreError> {
    let mut notes = Vec::new();
    notes_of(reads, ShardId(shard), &mut |noted| {
        notes.push(match noted {
            Noted::Row(body) => SavedNote::Row(shared(body)),
            Noted::Progress(body) => SavedNote::Progress(shared(body)),
        });
        Ok(())
    })?;
    Ok(notes)
}

/// A page that a row of the shard's notes names.
///
/// # Errors
/// When the store cannot be read, or has no such page: rows name only what was written before them.
pub fn page(reads: &dyn Reads, shard: u16, number: u64) -> Result<Bytes, StoreError> {
    let page = page_of(reads, ShardId(shard), number)?;
    page.map(shared).ok_or_else(|| StoreError::Body {
        place: format!("the notes of shard {shard}"),
        what: format!("page {number:x} is named by a row and is not there"),
    })
}

/// An event, as far as delivery has to know it before it is sent.
fn event(happened: &Happened) -> Event {
    Event {
        seq: happened.seq(),
        kind: happened.kind.name(),
        created_ms: happened.id.unix_ms(),
        object: happened.object.seq(),
        nth: u64::from(happened.number),
    }
}

fn shared(body: Arc<[u8]>) -> Bytes {
    Bytes::from_owner(body)
}
