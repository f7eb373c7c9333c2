//! One account in memory: its state, the objects it was asked about lately, and who waits for what.

use super::task::{Ask, Task};
use crate::fixed_hash::{FixedMap, SeqMap};
use crate::request::ReplyTo;
use std::cell::Cell;
use std::collections::VecDeque;
use tollgate_breaks::broken;
use tollgate_domain::acquirer::AttemptId;
use tollgate_domain::decision::Objects;
use tollgate_domain::{Account, Lookup, Object, World};
use tollgate_resource::{Id, Kind};

/// An account a shard knows.
#[derive(Debug)]
pub(crate) enum AccountSlot {
    /// Its state is being read; these wait for it, in order of arrival.
    Loading(VecDeque<Task>),
    /// Here it is.
    Ready(Box<AccountActor>),
}

/// The actor of one account.
#[derive(Debug)]
pub(crate) struct AccountActor {
    /// Its state.
    pub(crate) account: Account,
    /// Its objects in memory, by sequence number.
    pub(crate) objects: SeqMap<Cached>,
    /// Objects being read, by sequence number, and who waits for each.
    pub(crate) loading: FixedMap<u64, VecDeque<Task>>,
    /// Objects that wait for their network, by sequence number, and who waits for each to change.
    pub(crate) busy: FixedMap<u64, VecDeque<Task>>,
    /// Askers whose attempt is with a network.
    pub(crate) attempts: FixedMap<AttemptId, Ask>,
    /// The newest block that changed anything here; what is answered about the account waits for it.
    pub(crate) last_block: u64,
    /// Records since the last row record.
    pub(crate) records_since_row: u32,
    /// Idempotency keys of this account that are loading or in flight.
    pub(crate) keys_in_flight: u32,
    /// Whether it was used since passivation last looked.
    pub(crate) touched: bool,
}

/// An object in memory.
#[derive(Debug)]
pub(crate) struct Cached {
    /// The newest version, durable or not; `None` when the store said there is no such object.
    pub(crate) object: Option<Object>,
    /// The block of its newest version, as far as it changed in this incarnation; 0 when it was loaded.
    pub(crate) block: u64,
    /// When it was last looked at, milliseconds.
    pub(crate) used_ms: Cell<u64>,
    /// Whether it was looked at since passivation, or a change of it, last came by.
    pub(crate) used: Cell<bool>,
    /// How many events about it have happened.
    pub(crate) events: u32,
}

impl AccountActor {
    /// An account whose state was just read, `records_since_row` records after its newest row.
    pub(crate) fn new(account: Account, records_since_row: u32) -> Self {
        AccountActor {
            account,
            objects: SeqMap::default(),
            loading: FixedMap::default(),
            busy: FixedMap::default(),
            attempts: FixedMap::default(),
            last_block: 0,
            records_since_row,
            keys_in_flight: 0,
            touched: true,
        }
    }

    /// What a decision looks at.
    pub(crate) fn world<'a>(&'a self, holdings: &'a Holdings<'a>) -> World<'a> {
        World {
            account: &self.account,
            objects: holdings,
        }
    }

    /// Its objects as decisions see them.
    pub(crate) fn holdings(&self, now_ms: u64) -> Holdings<'_> {
        Holdings {
            objects: &self.objects,
            seq: self.account.seq,
            tag: self.account.tag(),
            now_ms,
        }
    }

    /// Whether nothing would be lost by forgetting it: all durable and indexed, nobody waiting, no key in flight.
    pub(crate) fn may_passivate(&self, durable: u64) -> bool {
        (self.last_block <= durable || broken!(PassivateUndurable))
            && self.keys_in_flight == 0
            && self.loading.is_empty()
            && self.busy.is_empty()
            && self.attempts.is_empty()
    }

    /// Moves everything that waits out of it: tasks that have done nothing yet, and the askers of attempts that are
    /// recorded.
    pub(crate) fn abandon(&mut self, tasks: &mut Vec<Task>, begun: &mut Vec<ReplyTo>) {
        tasks.extend(self.loading.drain().flat_map(|(_, waiting)| waiting));
        tasks.extend(self.busy.drain().flat_map(|(_, waiting)| waiting));
        begun.extend(self.attempts.drain().map(|(_, ask)| ask.to));
    }
}

/// Objects by id, as far as they are in memory.
pub(crate) struct Holdings<'a> {
    objects: &'a SeqMap<Cached>,
    seq: u64,
    tag: u32,
    now_ms: u64,
}

impl Objects for Holdings<'_> {
    fn find(&self, kind: &'static Kind, id: Id) -> Lookup<'_> {
        // An id of another account, of another kind, or from a future that has not happened names nothing here.
        if id.account_tag() != self.tag || !id.is(kind) || id.seq() == 0 || id.seq() > self.seq {
            return Lookup::Absent;
        }
        let Some(cached) = self.objects.get(&id.seq()) else {
            return Lookup::NotLoaded;
        };
        cached.used_ms.set(self.now_ms);
        cached.used.set(true);
        match &cached.object {
            Some(object) if object.id() == id && object.kind() == kind => Lookup::Found(object),
            _ => Lookup::Absent,
        }
    }
}
