//! Forgetting what was not used lately, under a budget, a few at a time: freeing many at once would be felt as a pause.
//!
//! Entities stand in a queue in the order they came. Whoever reaches the front and was used since gets a second round: of a
//! payment's objects one is asked for again and again, and the others hardly ever. An object that was used lately stays in any
//! case.
//! Only what is durable and indexed may go, and never a key or account with anything under way.

use super::Shard;
use super::account_actor::AccountSlot;
use super::key_actor::{KeyActor, KeyName};
use crate::settings::{OBJECT_STAY_MS, OBJECTS_AGAIN_SHARE, PASSIVATION_KEPT_MAX, PASSIVATION_STEPS_MAX};
use std::collections::VecDeque;
use std::hint::black_box;
use tollgate_breaks::broken;
use tollgate_domain::Object;

/// What is forgotten is dropped by so many at a time.
const DROPPED_TOGETHER: usize = 64;

/// The queues.
#[derive(Debug, Default)]
pub(crate) struct Passivation {
    objects: VecDeque<(u64, u64)>,
    keys: VecDeque<KeyName>,
    accounts: VecDeque<u64>,
    /// Objects and keys that came since the last steps. Each pays for the steps that make room for it: a fixed number of
    /// steps a turn would fall behind a shard whose turns are full.
    objects_came: usize,
    keys_came: usize,
    /// Forgotten, and still to be dropped.
    gone: Gone,
    /// How many were forgotten since it was last told to the metrics.
    forgotten: u64,
}

/// Forgotten things on their way out. Nobody has looked at them for long, so each must come from memory once more to be
/// dropped. A reference count that goes down waits for its own memory only; a look at each beforehand lets the memory of
/// many come at the same time.
#[derive(Debug, Default)]
struct Gone {
    objects: Vec<Object>,
    keys: Vec<KeyActor>,
}

impl Gone {
    fn object(&mut self, object: Option<Object>) {
        self.objects.extend(object);
        if self.objects.len() >= DROPPED_TOGETHER {
            self.drop_objects();
        }
    }

    fn key(&mut self, key: Option<KeyActor>) {
        self.keys.extend(key);
        if self.keys.len() >= DROPPED_TOGETHER {
            self.drop_keys();
        }
    }

    fn drop_objects(&mut self) {
        look_at(self.objects.iter());
        self.objects.clear();
    }

    fn drop_keys(&mut self) {
        let facts = || self.keys.iter().filter_map(KeyActor::facts);
        black_box(facts().fold(0, |sum, facts| sum ^ facts.now_ms));
        look_at(facts().flat_map(|facts| &facts.objects));
        self.keys.clear();
    }
}

fn look_at<'a>(objects: impl Iterator<Item = &'a Object>) {
    black_box(objects.fold(0, |sum, object| sum ^ object.id().bits()));
}

/// What became of the object at the front.
enum Passed {
    /// It is gone.
    Gone,
    /// It was asked for since it last stood there, and goes round once more.
    Again,
    /// It may not go yet.
    Stays,
}

impl Passivation {
    pub(crate) fn kept_object(&mut self, account: u64, seq: u64) {
        self.objects.push_back((account, seq));
        self.objects_came += 1;
    }

    pub(crate) fn kept_key(&mut self, name: KeyName) {
        self.keys.push_back(name);
        self.keys_came += 1;
    }

    pub(crate) fn kept_account(&mut self, account: u64) {
        self.accounts.push_back(account);
    }

    pub(crate) fn objects_len(&self) -> usize {
        self.objects.len()
    }
}

impl Shard {
    /// Takes a bounded number of steps towards the budget: two for everything that came, and a few more, so that a
    /// shard that is over budget comes back under it.
    pub(super) fn passivate(&mut self) {
        let steps = PASSIVATION_STEPS_MAX + 2 * std::mem::take(&mut self.passivation.objects_came);
        let mut kept = 0;
        for _ in 0..steps {
            let over = self.passivation.objects.len() > self.settings.objects_max;
            if !over || kept == PASSIVATION_KEPT_MAX {
                break;
            }
            match self.passivate_object() {
                Passed::Gone => kept = 0,
                Passed::Again => {}
                // The queue is about as old as it is long: where some in a row must stay, so must those behind them.
                Passed::Stays => kept += 1,
            }
        }
        let steps = PASSIVATION_STEPS_MAX + 2 * std::mem::take(&mut self.passivation.keys_came);
        for _ in 0..steps {
            let over = self.passivation.keys.len() > self.settings.keys_max;
            if !over || !self.passivate_key() {
                break;
            }
        }
        if self.passivation.accounts.len() > self.settings.accounts_max {
            self.passivate_account();
        }
        self.passivation.gone.drop_objects();
        self.passivation.gone.drop_keys();
        let forgotten = std::mem::take(&mut self.passivation.forgotten);
        if forgotten > 0 {
            self.meters.passivated.increment(forgotten);
        }
    }

    /// Looks at the object at the front.
    fn passivate_object(&mut self) -> Passed {
        let budget = self.settings.objects_max;
        let much_over = self.passivation.objects.len() > budget + budget / OBJECTS_AGAIN_SHARE;
        let Some((account, seq)) = self.passivation.objects.pop_front() else {
            return Passed::Gone;
        };
        let now_ms = self.clock.now_ms();
        let durable = self.gate.durable();
        let Some(AccountSlot::Ready(actor)) = self.accounts.get_mut(&account) else {
            return Passed::Gone;
        };
        let Some(cached) = actor.objects.get(&seq) else {
            return Passed::Gone;
        };
        let lately = now_ms < cached.used_ms.get() + OBJECT_STAY_MS;
        if lately || cached.block > durable && !broken!(EvictBeforeIndexed) {
            self.passivation.objects.push_back((account, seq));
            return Passed::Stays;
        }
        if cached.used.take() && !much_over {
            self.passivation.objects.push_back((account, seq));
            return Passed::Again;
        }
        let cached = actor.objects.remove(&seq);
        self.passivation.gone.object(cached.and_then(|cached| cached.object));
        self.passivation.forgotten += 1;
        Passed::Gone
    }

    /// Looks at the key at the front; whether there was one.
    fn passivate_key(&mut self) -> bool {
        let Some(name) = self.passivation.keys.pop_front() else {
            return false;
        };
        let durable = self.gate.durable();
        match self.keys.get_mut(&name) {
            Some(KeyActor::Done(remembered)) => {
                if std::mem::take(&mut remembered.touched) || remembered.block > durable {
                    self.passivation.keys.push_back(name);
                } else {
                    self.passivation.gone.key(self.keys.remove(&name));
                    self.passivation.forgotten += 1;
                }
            }
            // In flight again (its outcome had expired): it comes back to the queue when it is done. Or gone already.
            Some(KeyActor::Loading(_) | KeyActor::InFlight { .. }) | None => {}
        }
        true
    }

    /// Looks at the account at the front: forgets some of its objects, or the account when none is left.
    fn passivate_account(&mut self) {
        let Some(account) = self.passivation.accounts.pop_front() else {
            return;
        };
        let durable = self.gate.durable();
        let Some(AccountSlot::Ready(actor)) = self.accounts.get_mut(&account) else {
            return;
        };
        if std::mem::take(&mut actor.touched) || !actor.may_passivate(durable) {
            return self.passivation.accounts.push_back(account);
        }
        actor
            .objects
            .extract_if(|_, _| true)
            .take(PASSIVATION_STEPS_MAX)
            .for_each(drop);
        if actor.objects.is_empty() {
            self.accounts.remove(&account);
            self.passivation.forgotten += 1;
        } else {
            // Not touched meanwhile, so it goes on at the next step.
            self.passivation.accounts.push_front(account);
        }
    }
}
