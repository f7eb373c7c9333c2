//! From facts to a record: apply in memory, encode into the block that fills, wake who waited for the change.

use super::Shard;
use super::account_actor::Cached;
use super::task::CallOut;
use std::cell::Cell;
use std::sync::Arc;
use tollgate_breaks::broken;
use tollgate_domain::Facts;
use tollgate_domain::account::AccountKey;
use tollgate_resource::Record;
use tollgate_store::{Head, KeyHash};

impl Shard {
    /// Applies and records `facts`; returns them with the sequence of their block, or `None` when there is nothing to
    /// record. `key` is the idempotency key whose outcome they hold.
    ///
    /// Facts are applied before they are appended: what cannot be applied panics here and never becomes durable.
    pub(super) fn record(
        &mut self,
        account: AccountKey,
        facts: Facts,
        key: Option<KeyHash>,
    ) -> Option<(Arc<Facts>, u64)> {
        if facts.is_empty() && facts.outcome.is_none() {
            return None;
        }
        let index = facts.index();
        assert_eq!(
            index.first_seq + index.born.len() as u64,
            facts.seq_after + 1,
            "what is born takes the sequence without a gap"
        );
        let row_every = self.settings.row_every;
        let actor = self.actor_mut(account);
        actor.account.apply(&facts);
        actor.records_since_row += 1;
        let row_due = actor.records_since_row >= row_every;
        let head = Head {
            account: account.0,
            now_ms: facts.now_ms,
            first_seq: index.first_seq,
            born: index.born,
            changed: index.changed,
            lists: index.lists,
            tags: index.tags,
            key: key.filter(|_| facts.outcome.is_some() && !broken!(ForgetKeyOnRestart)),
            timers: if broken!(LoseTimer) {
                Default::default()
            } else {
                index.timers
            },
            row: false,
        };
        self.scratch.clear();
        facts.encode(&mut self.scratch);
        let mut block = self.gate.push(&head, &self.scratch);
        self.recorded += 1;
        if row_due {
            block = self.record_row(account, facts.now_ms);
        }
        for call in &facts.calls {
            let patience_ms = call.deadline_ms.saturating_sub(facts.now_ms);
            let call = CallOut {
                account,
                call: *call,
                until_steady_ms: self.clock.steady_ms() + patience_ms,
            };
            self.gate.call(call);
            if broken!(ResendAttempt) {
                self.gate.call(call);
            }
        }
        for timer in &facts.timers {
            self.timers
                .set(self.clock.now_ms(), timer.at_ms, account.0, timer.object.seq());
        }
        self.actor_mut(account).last_block = block;
        self.keep_objects(account, &facts, block);
        Some((Arc::new(facts), block))
    }

    /// A record that holds the account's whole state: loading it later starts there.
    fn record_row(&mut self, account: AccountKey, now_ms: u64) -> u64 {
        let actor = self.actor_mut(account);
        actor.records_since_row = 0;
        let first_seq = actor.account.seq + 1;
        let body = actor.account.to_row();
        let head = Head {
            account: account.0,
            now_ms,
            first_seq,
            row: true,
            ..Head::default()
        };
        self.gate.push(&head, &body)
    }

    fn keep_objects(&mut self, account: AccountKey, facts: &Facts, block: u64) {
        for object in &facts.objects {
            let seq = object.id().seq();
            let cached = Cached {
                object: Some(object.clone()),
                block,
                used_ms: Cell::new(facts.now_ms),
            };
            let actor = self.actor_mut(account);
            let is_new = actor.objects.insert(seq, cached).is_none();
            let waiting = actor.busy.remove(&seq);
            if is_new {
                self.passivation.kept_object(account.0, seq);
            }
            // They decide again, in order of arrival; whoever finds it still busy waits on under its first deadline.
            if let Some(waiting) = waiting {
                self.ready.extend(waiting);
            }
        }
    }
}
