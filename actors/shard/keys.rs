//! What a shard does with idempotency keys: admit a first request, repeat an outcome, make duplicates wait.

use super::Outputs;
use super::Shard;
use super::answering::{Told, replay, respond};
use super::key_actor::{Held, KeyActor, KeyName, Remembered, is_expired, mismatch};
use super::loading::{Load, Wanted};
use super::parking::Spot;
use super::task::{Ask, Task};
use crate::refusals;
use crate::settings::KEY_WAITERS_MAX;
use std::collections::VecDeque;
use std::sync::Arc;
use tollgate_breaks::broken;
use tollgate_domain::account::AccountKey;
use tollgate_domain::{Facts, Reject, SHAPE_REVISION};
use tollgate_store::AccountRef;

impl Shard {
    /// Gives the request back if it is the first with its key, which it then holds; otherwise it is answered or waits.
    pub(super) fn admit_key(&mut self, ask: Ask, out: &mut Outputs) -> Option<Ask> {
        let account = ask.account();
        let request = Arc::clone(&ask.request);
        let (hash, claim) = request.claim.as_ref().expect("the request has a key");
        let name = (account.0, *hash);
        let now_ms = self.clock.now_ms();
        let refusal = match self.keys.get_mut(&name) {
            None if self.filter.key_may_exist(AccountRef(account.0), hash) => {
                self.keys.insert(name, KeyActor::Loading(VecDeque::from([ask])));
                self.actor_mut(account).keys_in_flight += 1;
                self.meters.key_loads.increment(1);
                out.loads.push(Load {
                    account,
                    wanted: Wanted::Key(*hash),
                });
                return None;
            }
            None => return Some(self.hold_key(name, ask)),
            Some(KeyActor::Loading(waiting)) if waiting.len() <= KEY_WAITERS_MAX => {
                waiting.push_back(ask);
                return None;
            }
            Some(KeyActor::Loading(_)) => refusals::key_in_use(&claim.key),
            Some(KeyActor::InFlight { .. }) if broken!(ExecuteDuplicate) => return Some(ask),
            Some(KeyActor::InFlight { held, waiting }) => match mismatch(held.claim(), claim) {
                Some(reject) => return self.refuse_mismatch(&ask, reject, out),
                None => {
                    let deadline_ms = ask.deadline_ms.unwrap_or(now_ms + self.settings.wait_ms);
                    if waiting.len() < KEY_WAITERS_MAX && now_ms < deadline_ms {
                        waiting.push_back(Ask {
                            deadline_ms: Some(deadline_ms),
                            ..ask
                        });
                        self.deadlines.add(deadline_ms, Spot::Key(name));
                        return None;
                    }
                    refusals::key_in_use(&claim.key)
                }
            },
            Some(KeyActor::Done(remembered)) => {
                if is_expired(remembered.outcome(), now_ms, self.settings.idempotency_ms) {
                    return Some(self.hold_key(name, ask));
                }
                remembered.touched = true;
                if let Some(reject) = mismatch(&remembered.outcome().claim, claim) {
                    return self.refuse_mismatch(&ask, reject, out);
                }
                let (facts, block) = (Arc::clone(&remembered.facts), remembered.block);
                self.repeat(&ask, &facts, block, out);
                return None;
            }
        };
        self.refuse(&ask, refusal, out);
        None
    }

    /// The key's outcome is recorded in `block`: duplicates hear it.
    pub(super) fn key_done(&mut self, name: KeyName, facts: Arc<Facts>, block: u64, out: &mut Outputs) {
        let remembered = Remembered {
            facts: Arc::clone(&facts),
            block,
            touched: true,
        };
        let mut before = self.keys.insert(name, KeyActor::Done(remembered));
        let account = AccountKey(name.0);
        if before.as_ref().is_some_and(KeyActor::is_under_way) {
            self.actor_mut(account).keys_in_flight -= 1;
        }
        if !matches!(before, Some(KeyActor::Done(_))) {
            self.passivation.kept_key(name);
        }
        let waiting = before.as_mut().map(KeyActor::take_waiting).unwrap_or_default();
        for ask in waiting {
            // Those that came while the key was loading have not been compared yet.
            let (_, claim) = ask.request.claim.as_ref().expect("whoever waits for a key has one");
            let first = &facts
                .outcome
                .as_ref()
                .expect("the record of a key holds its outcome")
                .claim;
            match mismatch(first, claim) {
                Some(reject) => {
                    self.refuse_mismatch(&ask, reject, out);
                }
                None => self.repeat(&ask, &facts, block, out),
            }
        }
    }

    /// The request that held the key ended without anything to remember: the key is as new, and the next one tries.
    pub(super) fn key_forgotten(&mut self, name: KeyName) {
        let Some(mut key) = self.keys.remove(&name) else { return };
        if key.is_under_way() {
            self.actor_mut(AccountKey(name.0)).keys_in_flight -= 1;
        }
        self.ready.extend(key.take_waiting().into_iter().map(Task::Ask));
    }

    /// If the request holds its key, gives it up.
    pub(super) fn release_key(&mut self, ask: &Ask) {
        if let (true, Some((hash, _))) = (ask.holds_key, &ask.request.claim) {
            self.key_forgotten((ask.account().0, *hash));
        }
    }

    /// The store was asked for a key: `found` is the record with its newest outcome.
    pub(super) fn key_loaded(&mut self, name: KeyName, found: Option<Arc<Facts>>) {
        let Some(KeyActor::Loading(waiting)) = self.keys.get_mut(&name) else {
            // Settled meanwhile: what is in memory is newer.
            return;
        };
        let mut waiting = std::mem::take(waiting);
        let now_ms = self.clock.now_ms();
        let account = AccountKey(name.0);
        let first = waiting.front().expect("the first to ask waits for the load");
        let (_, claim) = first.request.claim.as_ref().expect("whoever waits for a key has one");
        let found = found.filter(|facts| {
            let outcome = facts.outcome.as_ref().expect("the record of a key holds its outcome");
            // The filter and the index know 96 bits of a hash; the record knows the key.
            outcome.claim.key == claim.key && !is_expired(outcome, now_ms, self.settings.idempotency_ms)
        });
        match found {
            Some(facts) => {
                let key = KeyActor::from_record(facts);
                if !key.is_under_way() {
                    self.actor_mut(account).keys_in_flight -= 1;
                    self.passivation.kept_key(name);
                }
                self.keys.insert(name, key);
            }
            None => {
                let first = waiting.pop_front().expect("the first to ask waits for the load");
                self.actor_mut(account).keys_in_flight -= 1;
                let first = self.hold_key(name, first);
                self.ready.push_back(Task::Ask(first));
            }
        }
        self.ready.extend(waiting.into_iter().map(Task::Ask));
    }

    /// The store could not say: everyone who waits is refused, and the next to ask asks it again.
    pub(super) fn key_unreadable(&mut self, name: KeyName, out: &mut Outputs) {
        if !matches!(self.keys.get(&name), Some(KeyActor::Loading(_))) {
            return;
        }
        let mut key = self.keys.remove(&name).expect("found above");
        self.actor_mut(AccountKey(name.0)).keys_in_flight -= 1;
        for ask in key.take_waiting() {
            self.refuse(&ask, refusals::unreadable(), out);
        }
    }

    fn hold_key(&mut self, name: KeyName, ask: Ask) -> Ask {
        let held = Held::Request(Arc::clone(&ask.request));
        self.keys.insert(
            name,
            KeyActor::InFlight {
                held,
                waiting: VecDeque::new(),
            },
        );
        self.actor_mut(AccountKey(name.0)).keys_in_flight += 1;
        Ask { holds_key: true, ..ask }
    }

    /// Refuses a use of the key that does not fit its first one; waits for the first one's block, which may not stand.
    fn refuse_mismatch(&mut self, ask: &Ask, reject: Reject, out: &mut Outputs) -> Option<Ask> {
        let told = Told {
            result: Err(Box::new(reject)),
            attached: Vec::new(),
        };
        let response = respond(&ask.request, told, self.clock.now_ms(), SHAPE_REVISION);
        self.answer(ask.account(), ask.to, response, out);
        None
    }

    fn repeat(&mut self, ask: &Ask, facts: &Facts, block: u64, out: &mut Outputs) {
        let outcome = facts.outcome.as_ref().expect("the record of a key holds its outcome");
        let livemode = ask.request.profile.livemode;
        let response = replay(facts, outcome, &self.secrets, livemode);
        self.meters.replays.increment(1);
        self.answer_after(block, ask.to, Ok(response), out);
    }
}
