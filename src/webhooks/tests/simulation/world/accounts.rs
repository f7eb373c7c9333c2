//! Accounts of a world: what happens in them, and the endpoints that are to hear of it.

use super::World;
use crate::receivers::Receiver;
use std::collections::BTreeMap;
use tollgate_webhooks::hall::Message;
use tollgate_webhooks::ports::Event;
use tollgate_webhooks::{ActiveSecret, EndpointKey, EndpointView, Moved, Ordering, Patterns, Schedule, Secret, Status};

const KINDS: [&str; 3] = ["payment_intent.succeeded", "charge.refunded", "charge.updated"];

/// An account: a log of events, with gaps where objects are.
pub(crate) struct Account {
    pub(crate) shard: u16,
    pub(crate) seq: u64,
    pub(crate) events: BTreeMap<u64, Event>,
    nth: BTreeMap<u64, u64>,
    pub(crate) endpoints: BTreeMap<u64, EndpointView>,
}

impl World {
    /// A new account, whose number says its shard.
    pub(crate) fn open_account(&mut self) -> u64 {
        let account = self.accounts.len() as u64 + 1;
        let shard = (account % self.shards.len() as u64) as u16;
        let account_of = Account {
            shard,
            seq: 0,
            events: BTreeMap::new(),
            nth: BTreeMap::new(),
            endpoints: BTreeMap::new(),
        };
        self.accounts.insert(account, account_of);
        account
    }

    /// A new endpoint of an account.
    pub(crate) fn register(
        &mut self,
        account: u64,
        ordering: Ordering,
        receiver: Receiver,
        patterns: &[&str],
    ) -> EndpointKey {
        let known = self.accounts.get_mut(&account).expect("an account");
        known.seq += 1;
        let key = EndpointKey {
            account,
            seq: known.seq,
        };
        let secret = ActiveSecret {
            secret: Secret::new("whsec_simulated".into()),
            until_s: None,
        };
        let view = EndpointView {
            key,
            id: format!("we_{account}_{}", key.seq).into(),
            revision: 1,
            livemode: false,
            url: "http://receiver.invalid/".into(),
            filter: Patterns::new(patterns.iter().copied()).expect("patterns"),
            api_version: "2026-01-01".into(),
            status: Status::Enabled,
            secrets: vec![secret],
            ordering,
            timeout_ms: 10_000,
            rate_per_s: None,
            schedule: Schedule::default(),
            standard_headers: false,
        };
        known.endpoints.insert(key.seq, view);
        self.receivers.insert(key, receiver);
        self.endpoint_changed(key);
        key
    }

    /// Changes an endpoint.
    pub(crate) fn change(&mut self, key: EndpointKey, change: impl FnOnce(&mut EndpointView)) {
        let known = self.accounts.get_mut(&key.account).expect("an account");
        let Some(view) = known.endpoints.get_mut(&key.seq) else {
            return;
        };
        change(view);
        view.revision += 1;
        self.endpoint_changed(key);
    }

    pub(crate) fn delete(&mut self, key: EndpointKey) {
        let known = self.accounts.get_mut(&key.account).expect("an account");
        if known.endpoints.remove(&key.seq).is_some() {
            self.auditor.deleted(self.now, key);
            self.endpoint_changed(key);
        }
    }

    fn endpoint_changed(&mut self, key: EndpointKey) {
        let shard = self.accounts[&key.account].shard;
        let number = self.shards[usize::from(shard)].changed(key.account, key.seq);
        self.moved(key.account, Some(number));
    }

    /// An event about an object happens; objects themselves take numbers too.
    pub(crate) fn happens(&mut self, account: u64, object: u64) {
        let gap = self.chance.of(1..5);
        let kind = KINDS[self.chance.of(0..3) as usize];
        let known = self.accounts.get_mut(&account).expect("an account");
        known.seq += gap;
        let nth = known.nth.entry(object).or_default();
        *nth += 1;
        let event = Event {
            seq: known.seq,
            kind,
            created_ms: self.now,
            object,
            nth: *nth,
        };
        known.events.insert(event.seq, event);
        self.moved(account, None);
    }

    fn moved(&mut self, account: u64, change: Option<u64>) {
        let (shard, upto) = (self.accounts[&account].shard, self.accounts[&account].seq);
        let moved = Moved { account, upto, change };
        if let Some(owner) = self.shards[usize::from(shard)].owner {
            let after = self.chance.of(0..5);
            self.tell_later(owner, after, Message::Moved { shard, moved });
        }
    }

    /// Every endpoint that was not deleted.
    pub(crate) fn endpoints(&self) -> Vec<EndpointView> {
        self.accounts
            .values()
            .flat_map(|account| account.endpoints.values().cloned())
            .collect()
    }

    /// The events that an endpoint is to have.
    pub(crate) fn wanted<'a>(&'a self, view: &'a EndpointView) -> impl Iterator<Item = &'a Event> {
        let events = self.accounts[&view.key.account].events.range(view.key.seq + 1..);
        events
            .map(|(_, event)| event)
            .filter(|event| view.filter.want(event.kind))
    }

    /// How many endpoints have not taken an event, as the owner of its shard says.
    pub(crate) fn pending_at(&self, account: u64, seq: u64, kind: &str) -> Vec<EndpointKey> {
        let shard = &self.shards[usize::from(self.accounts[&account].shard)];
        let owner = shard.owner.expect("somebody serves the shard");
        self.processes[owner].registry.pending_at(account, seq, kind)
    }
}
