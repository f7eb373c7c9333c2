//! Accounts with endpoints, and their lanes.

use super::Hall;
use super::errands::Errand;
use crate::book::Book;
use crate::endpoint::EndpointKey;
use crate::lane::Lane;
use crate::ports::AccountView;
use crate::registry::Listed;
use hashbrown::HashSet;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use tollgate_pools::LaneId;

/// An account that may have endpoints.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) shard: u16,
    /// Its journal is durable up to here.
    pub(super) upto: u64,
    pub(super) endpoints: Vec<EndpointKey>,
    /// Whether it is being read, and whether it changed meanwhile.
    reading: bool,
    again: bool,
}

impl Hall {
    /// The account, known from now on.
    pub(super) fn account(&mut self, account: u64, shard: u16) -> &mut Account {
        let known = self.accounts.entry(account).or_default();
        known.shard = shard;
        known
    }

    /// Reads the account and its endpoints; once more when it is being read.
    pub(super) fn read_account(&mut self, account: u64, shard: u16, epoch: u64) {
        let known = self.account(account, shard);
        if known.reading {
            known.again = true;
            return;
        }
        known.reading = true;
        self.errands.push(Errand::Account { account, shard, epoch });
    }

    /// Reads every account again.
    pub(super) fn look_again(&mut self) {
        let known: Vec<(u64, u16)> = self.accounts.iter().map(|(key, known)| (*key, known.shard)).collect();
        for (account, shard) in known {
            // One of a shard that is being loaded is yet to be read.
            let here = self.shards.get(&shard).filter(|here| !here.is_loading());
            if let Some(epoch) = here.map(|here| here.epoch) {
                self.read_account(account, shard, epoch);
            }
        }
    }

    pub(super) fn account_read(&mut self, account: u64, shard: u16, epoch: u64, view: AccountView) {
        if self.epoch_of(shard) != Some(epoch) {
            return;
        }
        let Some(known) = self.accounts.get_mut(&account) else {
            return;
        };
        known.reading = false;
        let again = std::mem::take(&mut known.again);
        known.upto = known.upto.max(view.upto);
        let upto = known.upto;
        let before = std::mem::take(&mut known.endpoints);
        let now: HashSet<EndpointKey> = view.endpoints.iter().map(|endpoint| endpoint.key).collect();
        let serving = !self.stopping && !self.is_leaving(shard);
        for endpoint in view.endpoints {
            let (key, endpoint) = (endpoint.key, Arc::new(endpoint));
            let now_ms = self.now_ms;
            if let Some(&lane) = self.places.get(&key) {
                self.floor.tell(now_ms, lane, |lane| {
                    lane.update(now_ms, endpoint);
                    lane.journal_at(now_ms, upto);
                });
            } else if let Some((lane, _)) = self.quarantined.get_mut(&key) {
                lane.view = endpoint;
                lane.journal_at(now_ms, upto);
            } else {
                let mut here = self.shards.get_mut(&shard);
                let roomy = here.as_ref().is_none_or(|it| it.roomy);
                if let Some(here) = here.as_mut().filter(|it| !it.roomy) {
                    // Whether it has to stand back is seen at the next look.
                    here.noting.flush_by(now_ms);
                }
                let hold = here.as_ref().map(|it| it.noting.hold()).unwrap_or_default();
                let book = here.and_then(|it| it.books.remove(&key));
                let ledger = Arc::new(Mutex::new(book.unwrap_or_else(|| Book::new(key.seq))));
                let seed = self.entropy.next();
                let mut lane = Lane::new(Rc::clone(&self.common), shard, endpoint, ledger, seed, hold);
                lane.journal_at(now_ms, upto);
                lane.room(roomy);
                if !serving {
                    lane.stop_serving();
                }
                self.place(key, lane);
            }
        }
        for key in before.into_iter().filter(|key| !now.contains(key)) {
            self.drop_lane(key);
            self.note_gone(shard, key);
        }
        self.drop_books(account, shard);
        if now.is_empty() && !again {
            self.accounts.remove(&account);
        } else if let Some(known) = self.accounts.get_mut(&account) {
            known.endpoints = now.into_iter().collect();
            known.endpoints.sort_unstable();
        }
        self.list(account);
        if again {
            self.read_account(account, shard, epoch);
        }
    }

    /// Puts a lane on the floor.
    pub(super) fn place(&mut self, key: EndpointKey, lane: Lane) {
        let id = self.floor.add(lane);
        self.places.insert(key, id);
        self.keys.insert(id, key);
    }

    /// Forgets an account and its lanes.
    pub(super) fn drop_account(&mut self, account: u64) {
        let Some(known) = self.accounts.remove(&account) else {
            return;
        };
        for key in known.endpoints {
            self.drop_lane(key);
        }
        self.registry.set(account, Vec::new());
    }

    /// The lanes of a shard.
    pub(super) fn lanes_of(&self, shard: u16) -> impl Iterator<Item = (EndpointKey, LaneId)> + '_ {
        let of = move |lane: &LaneId| self.floor.lane(*lane).is_some_and(|lane| lane.shard == shard);
        self.places
            .iter()
            .filter(move |(_, lane)| of(lane))
            .map(|(key, lane)| (*key, *lane))
    }

    fn is_leaving(&self, shard: u16) -> bool {
        let here = self.shards.get(&shard);
        here.is_none_or(|it| matches!(it.phase, super::shards::Phase::Leaving { .. }))
    }

    fn drop_lane(&mut self, key: EndpointKey) {
        if let Some(lane) = self.places.remove(&key) {
            self.floor.remove(lane);
            self.keys.remove(&lane);
        }
        self.quarantined.remove(&key);
        self.common.ports.transport.forget(key);
    }

    /// Books of endpoints that were deleted while nobody was here.
    fn drop_books(&mut self, account: u64, shard: u16) {
        let Some(here) = self.shards.get_mut(&shard) else {
            return;
        };
        let gone: Vec<EndpointKey> = here
            .books
            .keys()
            .filter(|key| key.account == account)
            .copied()
            .collect();
        for key in gone {
            if let Some(here) = self.shards.get_mut(&shard) {
                here.books.remove(&key);
            }
            self.note_gone(shard, key);
        }
    }

    fn note_gone(&mut self, shard: u16, key: EndpointKey) {
        let now_ms = self.now_ms;
        if let Some(here) = self.shards.get_mut(&shard) {
            here.noting.gone(now_ms, key);
        }
    }

    /// Tells whoever shows events which endpoints there are.
    fn list(&self, account: u64) {
        let keys = self.accounts.get(&account).map_or(&[][..], |known| &known.endpoints);
        let lane = |key: &EndpointKey| {
            let placed = self.places.get(key).and_then(|lane| self.floor.lane(*lane));
            placed.or_else(|| self.quarantined.get(key).map(|(lane, _)| lane))
        };
        let listed = keys.iter().filter_map(lane).map(|lane| Listed {
            key: lane.key(),
            filter: lane.view.filter.clone(),
            ledger: Arc::clone(&lane.ledger),
        });
        self.registry.set(account, listed.collect());
    }
}
