//! The turns of the shards: what they want, what they write, and what becomes of it.

use super::queue::Happening;
use super::{TICK_MS_MAX, World};
use crate::auditor::Failure;
use crate::plan::Ill;
use crate::ports::take_panics;
use std::sync::Arc;
use tollgate_actors::readers::{find_account, find_key, find_object};
use tollgate_actors::request::{Delivery, Refusal};
use tollgate_actors::shard::{Control, Load, Loaded, Outputs, Sealed, Wanted};
use tollgate_actors::supervisor::Turned;
use tollgate_store::memory::Fate;
use tollgate_store::{Commit, Epoch, Journal, Reads, ShardId};

impl World<'_> {
    /// A turn of a shard, if it is due.
    pub(super) fn turn(&mut self, shard: u16) -> Result<(), Failure> {
        if !self.up || self.hosts[usize::from(shard)].turn_ms != Some(self.now_ms) {
            return Ok(());
        }
        let now = self.now();
        let host = &mut self.hosts[usize::from(shard)];
        host.turn_ms = None;
        let busy = !host.inbox.work.is_empty() || !host.inbox.control.is_empty();
        let mut out = Outputs::default();
        self.ports.turn_of(Some(ShardId(shard)));
        let turned = host.supervised.turn(now, &mut self.entropy, &mut host.inbox, &mut out);
        self.ports.turn_of(None);
        host.alarmed |= out.clock_alarm;
        if turned == Turned::Crashed {
            self.counts.rebuilds += 1;
            let panics = take_panics();
            if let Some(panic) = panics.first() {
                return Err(self.auditor.fail("a shard panicked", panic.clone()));
            }
            if self.hosts[usize::from(shard)].supervised.is_failed() {
                // The operator sees readiness go and restarts the process.
                self.push_in(1_000, Happening::Restart(self.process));
            }
        }
        self.trace.number(2, u64::from(shard) ^ self.now_ms << 8);
        let moved = busy || !out.replies.is_empty() || !out.loads.is_empty() || out.sealed.is_some();
        self.deliver(out.replies)?;
        match turned {
            Turned::Crashed => self.recover(shard),
            Turned::Vacant => {}
            Turned::Fine => {
                let epoch = self.hosts[usize::from(shard)].supervised.epoch();
                for load in out.loads {
                    let delay = self.below(self.plan.weather.load_ms + 1);
                    let process = self.process;
                    let epoch = epoch.expect("a shard that turned well serves");
                    self.push_in(delay, Happening::Load(shard, epoch, process, Box::new(load)));
                }
                if let Some(sealed) = out.sealed {
                    self.submit(shard, sealed);
                }
            }
        }
        self.tick_on(shard, out.more, moved);
        self.listen()
    }

    /// Lanes tick; here the next tick that could matter is enough.
    fn tick_on(&mut self, shard: u16, more: bool, moved: bool) {
        let due = self
            .store
            .timers_due(ShardId(shard), u64::MAX, 1)
            .first()
            .map(|timer| timer.0);
        let unix_ms = self.unix_ms();
        let host = &mut self.hosts[usize::from(shard)];
        host.tick_ms = if moved {
            20
        } else {
            (host.tick_ms * 2).clamp(20, TICK_MS_MAX)
        };
        let wait_ms = if more {
            0
        } else if !host.inside.is_empty() {
            host.tick_ms.min(1_000)
        } else {
            match due {
                None => return,
                Some(due_ms) if due_ms > unix_ms => (due_ms - unix_ms).max(host.tick_ms.min(20)),
                Some(_) => host.tick_ms,
            }
        };
        let jitter = self.below(20);
        self.wake(shard, wait_ms + jitter);
    }

    /// Finds what a shard wants to know.
    pub(super) fn load(&mut self, shard: u16, epoch: Epoch, process: u32, load: Load) {
        if process != self.process || !self.up {
            return;
        }
        let found = match &load.wanted {
            Wanted::Account(profile) => {
                let known = self.merchants.iter().find(|profile| profile.key == load.account);
                let profile = profile.as_ref().or(known).expect("an account of the run");
                find_account(&*self.store, profile)
            }
            Wanted::Object(seq) => find_object(&*self.store, load.account, *seq),
            Wanted::Key(hash) => find_key(&*self.store, load.account, hash),
        };
        let found = found.map_err(|error| error.to_string());
        let loaded = Box::new(Loaded { load, found });
        let host = &mut self.hosts[usize::from(shard)];
        host.inbox.control.push_back(Control::Loaded { epoch, loaded });
        self.wake(shard, 0);
    }

    /// Hands a block to the store.
    fn submit(&mut self, shard: u16, sealed: Sealed) {
        let Sealed { block, release } = sealed;
        let (epoch, seq) = (block.epoch, block.seq);
        self.submitted.insert((shard, epoch.0), block.clone());
        let heard = Arc::clone(&self.heard);
        let done = Box::new(move |commit| {
            let mut heard = heard.lock().expect("not poisoned");
            if commit == Commit::Durable {
                heard.moved.push((shard, release.moved));
                heard.deliveries.extend(release.replies);
                heard.calls.extend(release.calls);
                heard.committed.push((shard, epoch, seq));
            } else {
                heard
                    .deliveries
                    .extend(release.replies.into_iter().map(|lost| Delivery {
                        to: lost.to,
                        answer: Err(Refusal::ShardDown),
                    }));
                heard.lost.push((shard, epoch, commit));
            }
        });
        self.store.submit(block, done);
        let stall = if self.now_ms < self.stall_until_ms {
            self.stall_ms
        } else {
            0
        };
        let delay = stall + self.below(self.plan.weather.commit_ms + 1);
        self.push_in(delay, Happening::Settle(shard, epoch, seq));
    }

    /// What becomes of a block that is with the store.
    pub(super) fn settle(&mut self, shard: u16, epoch: Epoch, seq: u64) -> Result<(), Failure> {
        let Some(block) = self.submitted.remove(&(shard, epoch.0)) else {
            return Ok(());
        };
        assert_eq!(block.seq, seq, "one block of a shard is with the store");
        if !self.store.waiting().contains(&(ShardId(shard), seq)) {
            // Refused meanwhile: somebody claimed the shard.
            return self.listen();
        }
        let host = &mut self.hosts[usize::from(shard)];
        let ill = host.ill.take();
        let fate = match ill {
            None => Fate::Durable,
            Some(Ill::Failed) => Fate::Failed,
            Some(Ill::WrittenButFailed) => Fate::WrittenButFailed,
            Some(Ill::Late | Ill::WrittenThenKilled) => Fate::WrittenUnanswered,
            Some(Ill::KilledBefore) => return self.kill(1_000),
        };
        self.trace.number(3, seq);
        self.store.settle(ShardId(shard), fate);
        if fate != Fate::Failed {
            self.counts.records += u64::from(block.count);
            self.auditor.durable(&block)?;
        }
        match ill {
            Some(Ill::Late) => {
                let delay = self.below(8_000);
                self.push_in(delay, Happening::AnswerBlock(shard, self.process));
            }
            Some(Ill::WrittenThenKilled) => return self.kill(1_000),
            _ => {}
        }
        self.listen()
    }

    /// Takes what `Done`s said.
    pub(super) fn listen(&mut self) -> Result<(), Failure> {
        let heard = std::mem::take(&mut *self.heard.lock().expect("not poisoned"));
        // Before the answers: whoever hears that an endpoint is made may ask what is pending there.
        for (shard, moved) in heard.moved {
            self.post_moved(shard, &moved);
        }
        self.deliver(heard.deliveries)?;
        for call in heard.calls {
            self.counts.calls += 1;
            self.auditor.called(&call)?;
            self.dispatch(call);
        }
        for (shard, epoch, seq) in heard.committed {
            let host = &mut self.hosts[usize::from(shard)];
            host.inbox.control.push_back(Control::Committed { epoch, seq });
            self.wake(shard, 0);
        }
        for (shard, epoch, commit) in heard.lost {
            if commit == Commit::Failed && self.dice.below(2) == 0 {
                // A store that cannot write is fatal for the process.
                return self.kill(1_000);
            }
            let now = self.now();
            let host = &mut self.hosts[usize::from(shard)];
            if host.supervised.epoch() == Some(epoch) {
                let mut out = Outputs::default();
                host.supervised.fenced(now, &mut out);
                self.deliver(out.replies)?;
                self.recover(shard);
            }
        }
        Ok(())
    }

    /// Rebuilds a shard, or leaves it to the operator.
    fn recover(&mut self, shard: u16) {
        self.counts.rebuilds += 1;
        if self.hosts[usize::from(shard)].supervised.is_failed() {
            // The operator sees readiness go and restarts the process.
            self.push_in(1_000, Happening::Restart(self.process));
            return self.post_loses(shard);
        }
        let claimed = self.claim(shard);
        self.hosts[usize::from(shard)].supervised.rebuild(&claimed);
        self.wake(shard, 0);
        self.post_loses(shard);
        self.post_adopts(shard);
    }
}
