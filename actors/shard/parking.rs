//! Waiting beside what is waited for: an object that is being read, or one that is with its network. Bounded in number,
//! and where a client waits, in time.

use super::account_actor::AccountSlot;
use super::key_actor::{KeyActor, KeyName};
use super::loading::{Load, Wanted};
use super::task::{Ask, Task};
use super::{Outputs, Shard};
use crate::refusals;
use crate::settings::BUSY_WAITERS_MAX;
use std::collections::{BTreeSet, VecDeque};
use tollgate_domain::Reject;
use tollgate_domain::account::AccountKey;
use tollgate_resource::Id;

/// Where somebody waits under a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Spot {
    /// For a key in flight.
    Key(KeyName),
    /// For an object of an account to change.
    Object(u64, u64),
}

/// Which spots to look at, and when. A spot may be looked at in vain.
#[derive(Debug, Default)]
pub(crate) struct Deadlines(BTreeSet<(u64, Spot)>);

impl Deadlines {
    pub(crate) fn add(&mut self, deadline_ms: u64, spot: Spot) {
        self.0.insert((deadline_ms, spot));
    }

    fn take_due(&mut self, now_ms: u64) -> Option<Spot> {
        let (deadline_ms, spot) = *self.0.first()?;
        (deadline_ms <= now_ms).then(|| {
            self.0.pop_first();
            spot
        })
    }
}

impl Shard {
    /// Parks `task` until the object has been read; asks for it unless somebody has.
    pub(super) fn wait_for_object(&mut self, account: AccountKey, seq: u64, task: Task, out: &mut Outputs) {
        let actor = self.actor_mut(account);
        assert!(!actor.objects.contains_key(&seq), "an object in memory was asked for");
        if let Some(waiting) = actor.loading.get_mut(&seq) {
            return waiting.push_back(task);
        }
        actor.loading.insert(seq, VecDeque::from([task]));
        self.meters.object_loads.increment(1);
        out.loads.push(Load {
            account,
            wanted: Wanted::Object(seq),
        });
    }

    /// Parks `task` until the object changes, or until its time is up. Commands of the engine have no time limit.
    pub(super) fn wait_for_change(&mut self, account: AccountKey, id: Id, task: Task, out: &mut Outputs) {
        let (now_ms, wait_ms) = (self.clock.now_ms(), self.settings.wait_ms);
        let waiting = self.actor_mut(account).busy.entry(id.seq()).or_default();
        let Task::Ask(ask) = task else {
            return waiting.push_back(task);
        };
        let deadline_ms = ask.deadline_ms.unwrap_or(now_ms + wait_ms);
        if waiting.len() >= BUSY_WAITERS_MAX || now_ms >= deadline_ms {
            if waiting.is_empty() {
                self.actor_mut(account).busy.remove(&id.seq());
            }
            return self.lock_timed_out(ask, out);
        }
        waiting.push_back(Task::Ask(Ask {
            deadline_ms: Some(deadline_ms),
            ..ask
        }));
        self.deadlines.add(deadline_ms, Spot::Object(account.0, id.seq()));
    }

    /// Refuses whoever has waited too long.
    pub(super) fn end_waits(&mut self, out: &mut Outputs) {
        let now_ms = self.clock.now_ms();
        while let Some(spot) = self.deadlines.take_due(now_ms) {
            match spot {
                Spot::Key(name) => {
                    let Some(KeyActor::InFlight { waiting, .. }) = self.keys.get_mut(&name) else {
                        continue;
                    };
                    for ask in take_late(waiting, now_ms) {
                        let (_, claim) = ask.request.claim.as_ref().expect("whoever waits for a key has one");
                        let refusal = refusals::key_in_use(&claim.key);
                        self.refuse(&ask, refusal, out);
                    }
                }
                Spot::Object(account, seq) => {
                    let Some(AccountSlot::Ready(actor)) = self.accounts.get_mut(&account) else {
                        continue;
                    };
                    let Some(waiting) = actor.busy.get_mut(&seq) else {
                        continue;
                    };
                    let late = take_late(waiting, now_ms);
                    if waiting.is_empty() {
                        actor.busy.remove(&seq);
                    }
                    late.into_iter().for_each(|ask| self.lock_timed_out(ask, out));
                }
            }
        }
    }

    fn lock_timed_out(&mut self, ask: Ask, out: &mut Outputs) {
        self.meters.lock_timeouts.increment(1);
        self.refuse(&ask, Reject::lock_timeout(), out);
        self.release_key(&ask);
    }
}

/// Something that may carry a request with a deadline.
trait Waits {
    fn is_late(&self, now_ms: u64) -> bool;
    fn into_ask(self) -> Option<Ask>;
}

impl Waits for Ask {
    fn is_late(&self, now_ms: u64) -> bool {
        self.deadline_ms.is_some_and(|deadline_ms| deadline_ms <= now_ms)
    }
    fn into_ask(self) -> Option<Ask> {
        Some(self)
    }
}

impl Waits for Task {
    fn is_late(&self, now_ms: u64) -> bool {
        matches!(self, Task::Ask(ask) if ask.is_late(now_ms))
    }
    fn into_ask(self) -> Option<Ask> {
        match self {
            Task::Ask(ask) => Some(ask),
            Task::Resolve { .. } | Task::Timer { .. } | Task::Command { .. } => None,
        }
    }
}

/// Takes out who is late, in order; the others keep their order.
fn take_late<W: Waits>(waiting: &mut VecDeque<W>, now_ms: u64) -> Vec<Ask> {
    let (late, rest): (Vec<W>, Vec<W>) = waiting.drain(..).partition(|one| one.is_late(now_ms));
    waiting.extend(rest);
    late.into_iter().filter_map(Waits::into_ask).collect()
}
