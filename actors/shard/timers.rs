//! Timers: what an earlier record asked to be looked at again. The index knows them all; the shard keeps those of the next
//! second. A timer is a hint: the domain decides whether anything is due.

use super::Outputs;
use super::Shard;
use super::account_actor::Cached;
use super::task::Task;
use crate::entropy::Entropy;
use crate::settings::{TIMER_BATCH_MAX, TIMER_WINDOW_MS, TIMERS_FIRED_MAX};
use std::collections::BTreeSet;
use tollgate_breaks::broken;
use tollgate_domain::Command;
use tollgate_domain::account::AccountKey;
use tollgate_store::AccountRef;

/// (due at, milliseconds; account; sequence of the object).
type Timer = (u64, u64, u64);

/// The timers of a shard that matter soon.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    /// Known and not fired.
    soon: BTreeSet<Timer>,
    /// Fired, and not yet forgotten by the index.
    fired: BTreeSet<Timer>,
    /// Handled; forgotten once the block of what they caused is durable.
    handled: Vec<(u64, Timer)>,
    next_look_ms: u64,
}

impl Timers {
    /// A record has set a timer. One that is further away than the next look is found in the index then.
    pub(crate) fn set(&mut self, now_ms: u64, due_ms: u64, account: u64, seq: u64) {
        if due_ms <= now_ms + 2 * TIMER_WINDOW_MS && self.soon.len() < TIMERS_FIRED_MAX {
            self.soon.insert((due_ms, account, seq));
        }
    }
}

impl Shard {
    /// Turns timers that are due into tasks. While the wall clock is not to be trusted, time goes on by the steady one, and
    /// so do they: an attempt that nobody answers ends, and no hold ends early.
    pub(super) fn fire_timers(&mut self) {
        let now_ms = self.clock.now_ms();
        if now_ms >= self.timers.next_look_ms {
            let due = self
                .filter
                .timers_due(self.id, now_ms + TIMER_WINDOW_MS, TIMER_BATCH_MAX);
            // A full batch is all there is to know for now: look again as soon as it has fired.
            let full = due.len() >= TIMER_BATCH_MAX;
            self.timers.next_look_ms = if full { now_ms + 1 } else { now_ms + TIMER_WINDOW_MS / 2 };
            for (due_ms, account, seq) in due {
                if !self.timers.fired.contains(&(due_ms, account.0, seq)) {
                    self.timers.soon.insert((due_ms, account.0, seq));
                }
            }
        }
        while self.timers.fired.len() < TIMERS_FIRED_MAX
            && let Some(&timer) = self.timers.soon.first()
            && timer.0 <= now_ms
        {
            self.timers.soon.pop_first();
            self.timers.fired.insert(timer);
            let (due_ms, account, seq) = timer;
            self.ready.push_back(Task::Timer {
                account: AccountKey(account),
                due_ms,
                seq,
            });
        }
    }

    /// Handles one timer. The index knows objects by sequence number only, so the object is found first.
    pub(super) fn timer(
        &mut self,
        account: AccountKey,
        due_ms: u64,
        seq: u64,
        entropy: &mut Entropy,
        out: &mut Outputs,
    ) {
        let task = Task::Timer { account, due_ms, seq };
        let actor = self.actor(account);
        match actor.objects.get(&seq) {
            None if seq <= actor.account.seq => return self.wait_for_object(account, seq, task, out),
            Some(Cached {
                object: Some(object), ..
            }) => {
                let id = object.id();
                self.meters.timers_fired.increment(1);
                if !self.engine(task, &Command::TimerDue(id), entropy, out) {
                    return;
                }
            }
            // The object is not there (any more, or never was): nothing can be due.
            _ => {}
        }
        self.timer_handled((due_ms, account.0, seq));
    }

    /// The index may forget timers whose consequences are durable. Until then a panic brings them back.
    pub(super) fn forget_timers(&mut self) {
        let durable = self.gate.durable();
        let mut done: Vec<(u64, AccountRef, u64)> = Vec::new();
        let fired = &mut self.timers.fired;
        self.timers.handled.retain(|(block, timer)| {
            let forget = *block <= durable || broken!(ForgetTimerEarly);
            if forget {
                fired.remove(timer);
                done.push((timer.0, AccountRef(timer.1), timer.2));
            }
            !forget
        });
        if !done.is_empty() {
            self.filter.timers_done(self.id, &done);
        }
    }

    /// Lets a timer that could not be handled (what it is about was unreadable) come again from the index.
    pub(super) fn timer_failed(&mut self, account: AccountKey, due_ms: u64, seq: u64) {
        self.timers.fired.remove(&(due_ms, account.0, seq));
    }

    fn timer_handled(&mut self, timer: Timer) {
        let block = self.actor(AccountKey(timer.1)).last_block;
        self.timers.handled.push((block, timer));
        if block <= self.gate.durable() || broken!(ForgetTimerEarly) {
            self.forget_timers();
        }
    }
}
