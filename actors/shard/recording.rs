//! From facts to a record: apply in memory, encode into the block that fills, wake who waited for the change.

use super::Shard;
use super::account_actor::{AccountSlot, Cached};
use super::task::CallOut;
use crate::outbox::{self, Moved, Note, OpenNote};
use std::cell::Cell;
use std::sync::Arc;
use tollgate_breaks::broken;
use tollgate_domain::Facts;
use tollgate_domain::account::AccountKey;
use tollgate_resource::{Record, notes};
use tollgate_store::{Head, KeyHash};

impl Shard {
    /// Applies and records `facts`; returns what a retry hears of them with the sequence of their block, or `None` when
    /// there is nothing to record. `key` is the idempotency key whose outcome they hold.
    ///
    /// Facts are applied before they are appended: what cannot be applied panics here and never becomes durable.
    pub(super) fn record(
        &mut self,
        account: AccountKey,
        mut facts: Facts,
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
        facts.count_events(|object| {
            let known = actor.objects.get(&object.id().seq());
            known
                .filter(|_| !broken!(MiscountEvents))
                .map_or(0, |cached| cached.events)
        });
        actor.account.apply(&facts);
        actor.records_since_row += 1;
        let row_due = actor.records_since_row >= row_every;
        let is_watched = !facts.events.is_empty() && outbox::has_endpoints(&actor.account);
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
        // Before the record: whichever block that is in, whoever reads the notes knows of the account.
        let change = outbox::endpoint_changed(&facts);
        let change = change.map(|endpoint| self.note_change(account, endpoint, facts.now_ms));
        self.scratch.clear();
        facts.encode(&mut self.scratch);
        let mut block = self.gate.push(&head, &self.scratch);
        self.recorded += 1;
        if row_due {
            block = self.record_row(account, facts.now_ms);
        }
        if change.is_some() || is_watched {
            self.gate.moved(Moved {
                account,
                upto: facts.seq_after,
                change,
            });
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
        self.keep_objects(account, &facts, block);
        facts.leave_answer();
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

    /// Notes that an endpoint of the account changes; tells the number of the change.
    fn note_change(&mut self, account: AccountKey, endpoint_seq: u64, now_ms: u64) -> u64 {
        let mut body = Vec::new();
        notes::put_changed(&mut body, account.0, endpoint_seq);
        if !broken!(ForgetEndpoint) {
            self.push_note(&Note::Progress(body), now_ms);
        }
        self.unheard.add(account, endpoint_seq)
    }

    /// Records what delivery noted.
    pub(super) fn note(&mut self, note: Note, open: OpenNote) {
        if self.notes_refused {
            return self.meters.notes_refused.increment(1);
        }
        if let Some(why) = outbox::problem(&note, self.epoch, self.last_page) {
            self.notes_refused = true;
            self.meters.notes_refused.increment(1);
            let (shard, bytes) = (self.id.0, note.body().len());
            tracing::error!(
                shard,
                why,
                bytes,
                "a note of delivery cannot be written, nor those after it until a restart"
            );
            return;
        }
        let now_ms = self.clock.now_ms();
        self.push_note(&note, now_ms);
        match note {
            Note::Progress(_) => {}
            Note::Page { number, .. } => self.last_page = number,
            Note::Row { heard, .. } => {
                if let Some(unheard) = self.unheard.heard(heard).filter(|_| !broken!(ForgetUnheard)) {
                    self.push_note(&unheard, now_ms);
                }
            }
        }
        self.gate.noted(open);
    }

    fn push_note(&mut self, note: &Note, now_ms: u64) {
        let head = outbox::head_of(note, self.id, now_ms);
        self.gate.push(&head, note.body());
    }

    /// Keeps the objects of a record in memory. What is answered about the account waits for `block` from now on.
    fn keep_objects(&mut self, account: AccountKey, facts: &Facts, block: u64) {
        // Looked for once: `actor_mut` would keep the rest of the shard away.
        let Some(AccountSlot::Ready(actor)) = self.accounts.get_mut(&account.0) else {
            panic!("the account of a running task is in memory");
        };
        actor.last_block = block;
        for (at, object) in facts.objects.iter().enumerate() {
            let seq = object.id().seq();
            let cached = Cached {
                object: Some(object.clone()),
                block,
                used_ms: Cell::new(facts.now_ms),
                used: Cell::new(false),
                events: facts.events_of(at),
            };
            if actor.objects.insert(seq, cached).is_none() {
                self.passivation.kept_object(account.0, seq);
            }
            if actor.busy.is_empty() {
                continue;
            }
            // They decide again, in order of arrival; whoever finds it still busy waits on under its first deadline.
            if let Some(waiting) = actor.busy.remove(&seq) {
                self.ready.extend(waiting);
            }
        }
    }
}
