//! Reading what is not in memory: the shard asks, a reader thread reads, the answer comes back as a notice.

use super::account_actor::{AccountActor, AccountSlot, Cached};
use super::task::Task;
use super::{Outputs, Shard};
use crate::refusals;
use crate::request::{Delivery, Refusal};
use std::cell::Cell;
use std::sync::Arc;
use tollgate_domain::account::{AccountKey, Profile};
use tollgate_domain::{Account, Facts, Object};
use tollgate_store::KeyHash;

/// A wish to read.
#[derive(Debug, Clone)]
pub struct Load {
    /// The account.
    pub account: AccountKey,
    /// What of it.
    pub wanted: Wanted,
}

/// What is to be read.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// The account's state. With the profile where a request brought it; a timer after a restart has none, and the
    /// reader finds it in the directory.
    Account(Option<Arc<Profile>>),
    /// The newest version of the object with that sequence number.
    Object(u64),
    /// The newest outcome of that key.
    Key(KeyHash),
}

/// What came of a [`Load`].
#[derive(Debug)]
pub struct Loaded {
    /// The wish.
    pub load: Load,
    /// What was found, or why nothing could be read (for the log).
    pub found: Result<Found, String>,
}

/// Something read.
#[derive(Debug)]
pub enum Found {
    /// An account's state, and how many records there are after its newest row.
    Account(Box<Account>, u32),
    /// An object at its newest durable version, and how many events about it have happened; `None` if there is none.
    Object(Option<Object>, u32),
    /// The record with the newest outcome of a key; `None` if it was never seen.
    Key(Option<Arc<Facts>>),
}

impl Shard {
    pub(super) fn loaded(&mut self, loaded: Loaded, out: &mut Outputs) {
        let Loaded {
            load: Load { account, wanted },
            found,
        } = loaded;
        if let Err(why) = &found {
            self.meters.load_failures.increment(1);
            tracing::error!(shard = self.id.0, account = account.0, %why, "could not read what a request needs");
        }
        match (wanted, found) {
            (Wanted::Account(_), Ok(Found::Account(state, records))) => self.account_loaded(account, *state, records),
            (Wanted::Account(known), Err(_)) => self.account_unreadable(account, known.is_some(), out),
            (Wanted::Object(seq), Ok(Found::Object(object, events))) => {
                self.object_loaded(account, seq, object, events)
            }
            (Wanted::Object(seq), Err(_)) => self.object_unreadable(account, seq, out),
            (Wanted::Key(hash), Ok(Found::Key(found))) => self.key_loaded((account.0, hash), found),
            (Wanted::Key(hash), Err(_)) => self.key_unreadable((account.0, hash), out),
            (_, Ok(_)) => panic!("a reader answered something else than it was asked"),
        }
    }

    fn account_loaded(&mut self, account: AccountKey, state: Account, records_since_row: u32) {
        assert_eq!(state.profile.key, account, "a reader brought another account");
        let actor = Box::new(AccountActor::new(state, records_since_row));
        match self.accounts.insert(account.0, AccountSlot::Ready(actor)) {
            Some(AccountSlot::Loading(waiting)) => self.ready.extend(waiting),
            _ => panic!("an account was read that nobody waits for"),
        }
        self.passivation.kept_account(account.0);
    }

    fn account_unreadable(&mut self, account: AccountKey, known: bool, out: &mut Outputs) {
        let Some(AccountSlot::Loading(waiting)) = self.accounts.remove(&account.0) else {
            panic!("an account was read that nobody waits for");
        };
        // A timer knows no profile, nor may the directory of a node that has the shard since a moment ago; whoever asks does.
        let asking = waiting.iter().find_map(|task| match task {
            Task::Ask(ask) => Some(Arc::clone(&ask.request.profile)),
            Task::Resolve { .. } | Task::Timer { .. } | Task::Command { .. } => None,
        });
        if let Some(profile) = asking.filter(|_| !known) {
            let wanted = Wanted::Account(Some(profile));
            out.loads.push(Load { account, wanted });
            self.accounts.insert(account.0, AccountSlot::Loading(waiting));
            return;
        }
        // Nothing about the account can be said, not even that a key is new: the client may retry.
        for task in waiting {
            match task {
                Task::Ask(ask) => out.replies.push(Delivery {
                    to: ask.to,
                    answer: Err(Refusal::ShardDown),
                }),
                Task::Timer { account, due_ms, seq } => self.timer_failed(account, due_ms, seq),
                // The attempt's own timers find out what became of it; delivery finds out again what it wants done.
                Task::Resolve { .. } | Task::Command { .. } => {}
            }
        }
    }

    fn object_loaded(&mut self, account: AccountKey, seq: u64, object: Option<Object>, events: u32) {
        let now_ms = self.clock.now_ms();
        let actor = self.actor_mut(account);
        let waiting = actor
            .loading
            .remove(&seq)
            .expect("an object was read that nobody waits for");
        if let hashbrown::hash_map::Entry::Vacant(vacant) = actor.objects.entry(seq) {
            vacant.insert(Cached {
                object,
                block: 0,
                used_ms: Cell::new(now_ms),
                used: Cell::new(false),
                events,
            });
            self.passivation.kept_object(account.0, seq);
        }
        self.ready.extend(waiting);
    }

    fn object_unreadable(&mut self, account: AccountKey, seq: u64, out: &mut Outputs) {
        let waiting = self
            .actor_mut(account)
            .loading
            .remove(&seq)
            .expect("an object was read that nobody waits for");
        for task in waiting {
            match task {
                Task::Ask(ask) => {
                    self.refuse(&ask, refusals::unreadable(), out);
                    self.release_key(&ask);
                }
                Task::Timer { account, due_ms, seq } => self.timer_failed(account, due_ms, seq),
                // The attempt's own timers find out what became of it; delivery finds out again what it wants done.
                Task::Resolve { .. } | Task::Command { .. } => {}
            }
        }
    }
}
