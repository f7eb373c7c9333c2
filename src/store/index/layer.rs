//! [`SimpleIndex`] as one layer of an index: it holds the records of a stretch of the journal, and what came before them
//! lies in older layers (another one in memory, files on disk). Timers belong to the index as a whole and are left out.

use super::account::AccountIndex;
use super::hashing::{Map, slot};
use super::{Place, SimpleIndex, Step};
use crate::{AccountRef, Head, KeyHash, ShardId};
use std::sync::PoisonError;

/// Where an account stands after the records of a layer and of all before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccountEnd {
    /// The shard the account belongs to.
    pub shard: ShardId,
    /// Its lowest free sequence number.
    pub next_seq: u64,
    /// The time of its last record, milliseconds; never falls.
    pub last_ms: u64,
    /// How many records it has.
    pub records: u64,
    /// Number of its newest row.
    pub newest_row: Option<u64>,
}

/// One record of an account as the timeline knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimelineRecord<'a> {
    /// Counts the account's records, from 0.
    pub number: u64,
    /// First sequence number born here; for a record without births the one that comes next.
    pub first_seq: u64,
    /// When it was decided, milliseconds; never before the account's record before.
    pub now_ms: u64,
    /// Its tag bits.
    pub tags: u64,
    /// Where it is.
    pub place: Place,
    /// The kinds born, in sequence order.
    pub born: &'a [u8],
}

impl SimpleIndex {
    /// See [`super::Index::admit`]; `ends` tells of accounts that this layer does not know yet.
    pub fn admit_after(
        &self,
        shard: ShardId,
        records: &[(Place, Head)],
        ends: &dyn Fn(AccountRef) -> Option<AccountEnd>,
    ) -> Result<(), String> {
        // The lowest free sequence number of each account, after the records of this block so far.
        let mut reached: Map<u64, u64> = Map::default();
        for (_, head) in records {
            let account = AccountRef(head.account);
            let known = reached.get(&account.0).map(|&next_seq| (shard, next_seq));
            let known = known.or_else(|| self.with(account, |index| (index.shard, index.timeline.next_seq())));
            let known = known.or_else(|| ends(account).map(|end| (end.shard, end.next_seq)));
            let (owner, next_seq) = known.unwrap_or((shard, 0));
            let name = format_args!("account {:#018x}", account.0);
            if owner != shard {
                return Err(format!("{name} belongs to shard {}, not to {}", owner.0, shard.0));
            }
            let born = head.born.len() as u64;
            if born > 0 && head.first_seq < next_seq {
                return Err(format!(
                    "{name}: sequence {} was given before, {next_seq} is free",
                    head.first_seq
                ));
            }
            reached.insert(account.0, if born > 0 { head.first_seq + born } else { next_seq });
        }
        Ok(())
    }

    /// See [`super::Index::publish`], without the timers; `ends` tells of accounts that this layer does not know yet.
    pub fn publish_after(
        &self,
        shard: ShardId,
        records: &[(Place, Head)],
        ends: &dyn Fn(AccountRef) -> Option<AccountEnd>,
    ) {
        for (place, head) in records {
            {
                let part = &self.parts[slot(head.account, self.parts.len())];
                let mut part = part.write().unwrap_or_else(PoisonError::into_inner);
                let account = part.entry(head.account).or_insert_with(|| {
                    let index = match ends(AccountRef(head.account)) {
                        Some(end) => AccountIndex::following(end),
                        None => AccountIndex::new(shard),
                    };
                    Box::new(index)
                });
                account.push(head, *place);
            }
            if let Some(key) = &head.key {
                self.keys.insert(head.account, key, head.now_ms, *place);
            }
        }
    }

    /// Where the account stands, if it has records here.
    pub fn end(&self, account: AccountRef) -> Option<AccountEnd> {
        self.with(account, AccountIndex::end)
    }

    /// Number of the account's first record here.
    pub fn first_number(&self, account: AccountRef) -> Option<u64> {
        self.with(account, AccountIndex::first_number)
    }

    /// Shows the index of every account, ascending. Nothing can be published meanwhile.
    pub fn with_all<T>(&self, read: impl FnOnce(&[(AccountRef, &AccountIndex)]) -> T) -> T {
        let parts = self
            .parts
            .iter()
            .map(|part| part.read().unwrap_or_else(PoisonError::into_inner));
        let parts: Vec<_> = parts.collect();
        let accounts = parts.iter().flat_map(|part| part.iter());
        let mut accounts: Vec<_> = accounts
            .map(|(&account, index)| (AccountRef(account), &**index))
            .collect();
        // The order of a hash map must not escape.
        accounts.sort_unstable_by_key(|&(account, _)| account);
        read(&accounts)
    }

    /// The record with the newest outcome of the key, of the keys published here in this hour or later (hours since the
    /// Unix epoch).
    pub fn key_since(&self, account: AccountRef, key: &KeyHash, hour: u64) -> Option<Place> {
        self.keys.get(account.0, key, hour)
    }

    /// Every key published here, in no order that means anything: hour, account, key and the record of its newest
    /// outcome in that hour.
    pub fn for_each_key(&self, visit: &mut dyn FnMut(u64, AccountRef, KeyHash, Place)) {
        self.keys
            .for_each(&mut |hour, account, key, place| visit(hour, AccountRef(account), key, place));
    }

    /// Whether the membership was recorded here.
    pub fn is_member(&self, account: AccountRef, parent: u64, kind: u8, child: u64) -> bool {
        self.with(account, |index| index.is_member(parent, kind, child))
            .unwrap_or(false)
    }

    /// At most `step.max` children of `parent` recorded here, in the direction of the step.
    pub fn members(&self, account: AccountRef, parent: u64, kind: u8, step: Step) -> Vec<u64> {
        self.with(account, |index| index.members(parent, kind, step))
            .unwrap_or_default()
    }

    /// The lowest sequence number that was born here, or will be, at `ms` or later; 0 if that holds for all of them.
    /// `None` if the account has no records here.
    pub fn seq_from_ms(&self, account: AccountRef, ms: u64) -> Option<u64> {
        self.with(account, |index| index.timeline.seq_from_ms(ms))
    }

    /// The birth of `seq`, if it was born here: where, and the record's tags.
    pub fn birth_with_tags(&self, account: AccountRef, seq: u64) -> Option<(Place, u64)> {
        self.with(account, |index| {
            index.timeline.birth(seq).map(|entry| (entry.place, entry.tags))
        })?
    }
}
