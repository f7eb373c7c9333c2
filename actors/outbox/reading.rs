//! What delivery reads, on threads that may wait for the disk.

use super::records::Records;
use crate::readers::{find_account, find_object};
use crate::shard::Found;
use crate::shard::answering::{Missing, Showing, Sought};
use std::sync::Arc;
use tollgate_domain::account::{AccountKey, Profile};
use tollgate_domain::events::EventType;
use tollgate_domain::object::Item;
use tollgate_domain::{Account, Facts, Object, Secrets, kinds};
use tollgate_resource::{Expand, Id, Kind, Version};
use tollgate_store::{AccountRef, From, PageQuery, Reads, ShardId, StoreError};

/// Most events that [`events_after`] reads at once.
pub const EVENTS_AFTER_MAX: usize = 1_024;

/// A note as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    /// What delivery noted as a row.
    Row(Arc<[u8]>),
    /// What it noted of progress, or the shard of changes.
    Progress(Arc<[u8]>),
}

/// The newest row of a shard's notes and everything noted after it, in order; everything if there is no row. Pages are left
/// out. May wait for the disk.
///
/// # Errors
/// When the store cannot be read, and what `visit` fails with.
pub fn notes_of(
    reads: &dyn Reads,
    shard: ShardId,
    visit: &mut dyn FnMut(Noted) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    reads.replay_account(AccountRef::notes_of(shard), &mut |fetched| {
        let body = Arc::clone(&fetched.body);
        match &fetched.head {
            head if head.row => visit(Noted::Row(body)),
            head if head.born.is_empty() => visit(Noted::Progress(body)),
            _ => Ok(()),
        }
    })
}

/// The page of a shard's notes with this number, if there is one. May wait for the disk.
///
/// # Errors
/// When the store cannot be read.
pub fn page_of(reads: &dyn Reads, shard: ShardId, number: u64) -> Result<Option<Arc<[u8]>>, StoreError> {
    let fetched = reads.birth(AccountRef::notes_of(shard), number)?;
    Ok(fetched.map(|fetched| fetched.body))
}

/// What is to be known of an event before it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// Its id, whose sequence number is its place in the account.
    pub id: Id,
    /// What happened.
    pub kind: EventType,
    /// To which object.
    pub object: Id,
    /// Its number among all events about that object, from 1 on without a gap.
    pub number: u32,
}

impl Happened {
    fn of(facts: &Facts, seq: u64) -> Option<Happened> {
        let (id, kind, object) = facts.event_head(seq)?;
        Some(Happened {
            id,
            kind,
            object: object.id(),
            number: facts.event_number(seq)?,
        })
    }

    /// Its sequence number in the account.
    pub fn seq(&self) -> u64 {
        self.id.seq()
    }
}

/// At most `limit` events of an account after sequence number `after`, oldest first. Fewer than `limit` where there are no
/// more that are durable. May wait for the disk.
///
/// # Errors
/// When the store cannot be read.
pub fn events_after(
    records: &Records,
    reads: &dyn Reads,
    account: AccountKey,
    after: u64,
    limit: usize,
) -> Result<Vec<Happened>, StoreError> {
    let limit = limit.min(EVENTS_AFTER_MAX);
    let Some(extra) = limit.checked_sub(1) else {
        return Ok(Vec::new());
    };
    let query = PageQuery {
        // The store gives one more than a page has.
        limit: extra,
        ..events_above(account, after)
    };
    let mut seqs = reads.page(&query, &mut |_, _| true)?;
    seqs.reverse();
    let mut happened: Vec<Happened> = Vec::with_capacity(seqs.len());
    for seq in seqs {
        if happened.last().is_some_and(|last| last.seq() >= seq) {
            continue;
        }
        let Some(facts) = records.with(reads, account, seq)? else {
            return Err(StoreError::Body {
                place: format!("account {:016x}, event at sequence {seq}", account.0),
                what: "the index lists an event that it does not find".into(),
            });
        };
        // The page may begin or end inside a record.
        let of_record = (seq..=facts.seq_after).take(limit - happened.len());
        happened.extend(of_record.filter_map(|seq| Happened::of(&facts, seq)));
    }
    Ok(happened)
}

/// The events of an account with these sequence numbers, in the same order; those that there are none of are left out. May wait
/// for the disk.
///
/// # Errors
/// When the store cannot be read.
pub fn events(
    records: &Records,
    reads: &dyn Reads,
    account: AccountKey,
    seqs: &[u64],
) -> Result<Vec<Happened>, StoreError> {
    let mut happened = Vec::with_capacity(seqs.len());
    for &seq in seqs {
        let facts = records.with(reads, account, seq)?;
        happened.extend(facts.and_then(|facts| Happened::of(&facts, seq)));
    }
    Ok(happened)
}

/// The sequence number of the account's first event at or after `since_ms`; `None` where there is none. May wait for the disk.
///
/// # Errors
/// When the store cannot be read.
pub fn first_since(reads: &dyn Reads, account: AccountKey, since_ms: u64) -> Result<Option<u64>, StoreError> {
    let query = PageQuery {
        limit: 0,
        born_ms: (since_ms, u64::MAX),
        ..events_above(account, 0)
    };
    Ok(reads.page(&query, &mut |_, _| true)?.first().copied())
}

/// An account as it is durable: with its endpoints, and how far its sequence goes. May wait for the disk.
///
/// # Errors
/// When the store cannot be read.
pub fn account_of(reads: &dyn Reads, profile: &Arc<Profile>) -> Result<Account, StoreError> {
    match find_account(reads, profile)? {
        Found::Account(account, _) => Ok(*account),
        Found::Object(..) | Found::Key(_) => unreachable!("an account was looked for"),
    }
}

/// An event as it is sent: at `version`, or at the account's of its day, with what it shows in place there. `None` where there
/// is no such event. May wait for the disk.
///
/// # Errors
/// When the store cannot be read.
pub fn event_shown(
    records: &Records,
    reads: &dyn Reads,
    secrets: &Secrets,
    profile: &Profile,
    seq: u64,
    version: Option<Version>,
) -> Result<Option<EventShown>, StoreError> {
    let facts = records.with(reads, profile.key, seq)?;
    let Some(event) = facts.and_then(|facts| facts.event(seq)) else {
        return Ok(None);
    };
    let happened_ms = event.id.unix_ms();
    let version = version.unwrap_or_else(|| profile.event_version(happened_ms));
    let item = Item::Event(Box::new(event));
    let showing = Showing {
        version,
        expand: Expand::NONE,
        secrets,
        clock_ms: happened_ms,
        livemode: profile.livemode,
    };
    let (mut attached, mut failure) = (Vec::new(), None);
    let mut find = |_: &'static Kind, id: Id| match find_object(reads, profile.key, id.seq()) {
        Ok(Found::Object(Some(object), _)) if object.id() == id => Sought::Found(object),
        Ok(_) => Sought::Absent,
        Err(error) => {
            failure = Some(error);
            Sought::Absent
        }
    };
    if let Err(Missing(kind, id)) = showing.attach(&item, &mut find, &mut attached) {
        unreachable!(
            "a reader loads what it needs at once, but {} {id:?} was left",
            kind.object
        );
    }
    failure.map_or(Ok(()), Err)?;
    Ok(Some(EventShown {
        item,
        attached,
        version,
    }))
}

/// See [`event_shown`].
#[derive(Debug, Clone)]
pub struct EventShown {
    /// The event.
    pub item: Item,
    /// What it shows in place.
    pub attached: Vec<Object>,
    /// The version it is written at.
    pub version: Version,
}

fn events_above(account: AccountKey, after: u64) -> PageQuery<'static> {
    PageQuery {
        account: AccountRef(account.0),
        kind: kinds::EVENT.number,
        from: From::Above(after),
        limit: 0,
        parents: &[],
        born_ms: (0, u64::MAX),
        tags: 0,
    }
}
