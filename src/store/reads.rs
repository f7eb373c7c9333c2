//! Reads: pointers from an index followed into the journal, and checked on arrival.

use crate::index::{Index, Place, Step};
use crate::{AccountRef, Fetched, From, KeyHash, PageQuery, StoreError};

/// Most candidates of one page that are fetched and offered to `accept`. Tag bits are coarse, so a page of a rare type
/// may have to look at records of a frequent one that shares its bit.
pub const PAGE_SCAN_MAX: usize = 20_000;

/// Candidates asked of the index at once when each has to be looked at.
const CANDIDATES_MAX: usize = 128;
/// Places asked of the index at once in a replay.
const REPLAY_MAX: usize = 256;

/// Follows pointers.
pub trait Fetch {
    /// The record at the place; an error if no good record stands there.
    fn fetch(&self, place: Place) -> Result<Fetched, StoreError>;

    /// Names the place for a message: file and offset.
    fn name(&self, place: Place) -> String;
}

/// What a backend needs to answer [`crate::Reads`].
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Finds.
    pub index: &'a dyn Index,
    /// Fetches.
    pub journal: &'a dyn Fetch,
}

impl View<'_> {
    /// See [`crate::Reads::newest`].
    pub fn newest(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError> {
        let place = self.index.newest(account, seq)?;
        place
            .map(|place| self.checked(account, place, |head| born(head, seq) || head.changed.contains(&seq)))
            .transpose()
    }

    /// See [`crate::Reads::birth`].
    pub fn birth(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError> {
        let place = self.index.birth(account, seq)?;
        place
            .map(|place| self.checked(account, place, |head| born(head, seq)))
            .transpose()
    }

    /// See [`crate::Reads::by_key`].
    pub fn by_key(&self, account: AccountRef, key: &KeyHash) -> Result<Option<Fetched>, StoreError> {
        let place = self.index.by_key(account, key)?;
        place
            .map(|place| self.checked(account, place, |head| head.key.as_ref() == Some(key)))
            .transpose()
    }

    /// See [`crate::Reads::page`].
    pub fn page(
        &self,
        query: &PageQuery<'_>,
        accept: &mut dyn FnMut(u64, &Fetched) -> bool,
    ) -> Result<Vec<u64>, StoreError> {
        let wanted = query.limit.saturating_add(1);
        let (low, high, upward) = match query.from {
            From::Newest => (0, u64::MAX, false),
            From::Below(seq) => (0, seq, false),
            From::Above(seq) => (seq.saturating_add(1), u64::MAX, true),
        };
        let mut step = Step {
            low,
            high,
            upward,
            max: 0,
        };
        let mut page = Vec::new();
        let mut looked = 0;
        let mut last: Option<(Place, Fetched)> = None;
        'steps: while page.len() < wanted && step.low < step.high {
            step.max = if query.tags == 0 {
                wanted - page.len()
            } else {
                CANDIDATES_MAX
            };
            let candidates = self.index.candidates(query, step)?;
            for (seq, place) in candidates.found {
                if query.tags != 0 {
                    looked += 1;
                    if looked > PAGE_SCAN_MAX {
                        break 'steps;
                    }
                    // Events of one record follow each other.
                    if last.as_ref().is_none_or(|&(at, _)| at != place) {
                        last = Some((place, self.checked(query.account, place, |head| born(head, seq))?));
                    }
                    let record = last
                        .as_ref()
                        .map(|(_, record)| record)
                        .expect("a record was just fetched");
                    if !accept(seq, record) {
                        continue;
                    }
                }
                page.push(seq);
                if page.len() == wanted {
                    break 'steps;
                }
            }
            match candidates.resume {
                Some(seq) if upward => step.low = seq,
                Some(seq) => step.high = seq,
                None => break,
            }
        }
        if upward {
            page.reverse();
        }
        Ok(page)
    }

    /// See [`crate::Reads::replay_account`].
    pub fn replay_account(
        &self,
        account: AccountRef,
        visit: &mut dyn FnMut(&Fetched) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut number = self.index.replay_start(account);
        loop {
            let places = self.index.records(account, number, REPLAY_MAX)?;
            if places.is_empty() {
                return Ok(());
            }
            number += places.len() as u64;
            for place in places {
                visit(&self.checked(account, place, |_| true)?)?;
            }
        }
    }

    /// Fetches a record and makes sure that it is the one the index meant.
    fn checked(
        &self,
        account: AccountRef,
        place: Place,
        meant: impl FnOnce(&crate::Head) -> bool,
    ) -> Result<Fetched, StoreError> {
        let record = self.journal.fetch(place)?;
        if record.head.account != account.0 || !meant(&record.head) {
            let what = "another record stands where the index points".to_owned();
            return Err(StoreError::Corrupt {
                place: self.journal.name(place),
                what,
            });
        }
        Ok(record)
    }
}

fn born(head: &crate::Head, seq: u64) -> bool {
    seq.checked_sub(head.first_seq)
        .is_some_and(|at| at < head.born.len() as u64)
}
