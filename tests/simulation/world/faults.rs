//! What goes wrong: the process dies, shards panic, move and lose their fence, blocks and messages meet their fate.

use super::{Happening, Heard, Host, World};
use crate::auditor::Failure;
use crate::merchants::secrets;
use crate::plan::{CLOCK_ERROR_MS_MAX, Fault};
use crate::ports::Ports;
use std::collections::BTreeSet;
use std::sync::Arc;
use tollgate_actors::clock::Now;
use tollgate_actors::shard::{CallOut, Inbox};
use tollgate_actors::supervisor::Supervised;
use tollgate_domain::AccountKey;
use tollgate_domain::acquirer::{Asked, NetworkAnswer, Said};
use tollgate_store::{Claimed, Journal, Reads, ShardId};

impl World<'_> {
    pub(super) fn fault(&mut self, fault: &Fault) -> Result<(), Failure> {
        match *fault {
            Fault::Kill { down_ms } => return self.kill(down_ms),
            Fault::Panic { shard, place } => self.ports.set_trap(ShardId(shard), place),
            Fault::Claim { shard } => {
                if self.up {
                    // The block that waits, if any, is refused: its owner hears of it and starts again.
                    self.claim(shard);
                    return self.listen();
                }
            }
            Fault::Move { shard } => {
                self.post_loses(shard);
                self.move_shard(shard)?;
            }
            Fault::HandOver { shard } => self.rest(shard),
            Fault::Commit { shard, ill } => {
                if self.up {
                    self.hosts[usize::from(shard)].ill = Some(ill);
                }
            }
            Fault::Stall { ms } => {
                self.stall_ms = ms;
                self.stall_until_ms = self.now_ms + 10_000;
            }
            Fault::Unreadable { ms } => {
                self.store.fail_reads(true);
                self.push_in(ms, Happening::ReadsWork);
            }
            Fault::Clock { by_ms, ms } => {
                // One error at a time, so that the bound holds.
                if self.off_ms == 0 {
                    self.off_ms = by_ms;
                    self.push_in(ms, Happening::ClockBack(by_ms));
                }
            }
            Fault::Outage { ms } => self.outage_until_ms = self.now_ms + ms,
        }
        Ok(())
    }

    pub(super) fn kill(&mut self, down_ms: u64) -> Result<(), Failure> {
        if !self.up {
            return Ok(());
        }
        self.up = false;
        self.process += 1;
        self.trace.number(6, self.now_ms);
        let inside: BTreeSet<u32> = self.hosts.iter().flat_map(|host| host.inside.iter().copied()).collect();
        self.hosts.clear();
        self.post = None;
        self.auditor.lost(|_| true);
        self.submitted.clear();
        // What the committer had said and nobody had carried out yet dies with the process.
        *self.heard.lock().expect("not poisoned") = Heard::default();
        self.store = self.store.crash();
        *self.heard.lock().expect("not poisoned") = Heard::default();
        self.hang_up_all(inside);
        self.push_in(down_ms, Happening::Start);
        Ok(())
    }

    pub(super) fn start(&mut self) {
        if self.up {
            return;
        }
        if self.off_ms.unsigned_abs() > CLOCK_ERROR_MS_MAX {
            // Nobody starts a machine whose clock is off by weeks.
            return self.push_in(1_000, Happening::Start);
        }
        self.up = true;
        self.counts.rebuilds += 1;
        self.auditor.started(self.off_ms.unsigned_abs());
        self.ports = Ports::new(Arc::clone(&self.store));
        for shard in 0..self.plan.weather.shards {
            let host = self.host(shard);
            self.hosts.push(host);
            self.wake_first(shard);
        }
        self.open_post();
    }

    fn host(&mut self, shard: u16) -> Host {
        let claimed = self.claim(shard);
        let reads = Arc::clone(&self.ports) as Arc<dyn Reads>;
        let supervised = Supervised::new(
            ShardId(shard),
            &claimed,
            Arc::clone(&self.settings),
            secrets(),
            reads,
            Arc::clone(&self.meters),
        );
        Host {
            supervised,
            inbox: Inbox::default(),
            inside: BTreeSet::new(),
            turn_ms: None,
            tick_ms: 0,
            ill: None,
            alarmed: false,
        }
    }

    /// Takes a shard over: what waited of older incarnations is refused.
    pub(super) fn claim(&mut self, shard: u16) -> Claimed {
        self.submitted.retain(|(of, _), _| *of != shard);
        self.store.claim(ShardId(shard)).expect("the store serves")
    }

    /// As a takeover by another node does: the old incarnation is dropped where it is, the new one starts from the journal.
    pub(super) fn move_shard(&mut self, shard: u16) -> Result<(), Failure> {
        if !self.may_move() {
            return Ok(());
        }
        self.auditor.started(self.off_ms.unsigned_abs());
        let host = self.host(shard);
        let old = std::mem::replace(&mut self.hosts[usize::from(shard)], host);
        self.hang_up_all(old.inside);
        self.wake_first(shard);
        self.post_adopts(shard);
        self.listen()
    }

    /// Whether anybody would take a shard over now.
    pub(super) fn may_move(&self) -> bool {
        self.up && self.off_ms.unsigned_abs() <= CLOCK_ERROR_MS_MAX
    }

    /// A call sets out for the network.
    pub(super) fn dispatch(&mut self, call: CallOut) {
        if self.is_lost() {
            return self.maybe_silence(&call);
        }
        let delay = self.network_delay();
        self.push_in(delay, Happening::AtNetwork(call, self.process));
    }

    pub(super) fn at_network(&mut self, call: &CallOut, process: u32) {
        let answer = self.acquirer.receive(call.account, &call.call);
        self.trace.number(7, u64::from(call.call.attempt.number));
        if self.is_lost() {
            return self.maybe_silence(call);
        }
        let twice = !self.calm && self.dice.below(1_000) < self.plan.weather.twice;
        for _ in 0..1 + u8::from(twice) {
            let delay = self.network_delay();
            self.push_in(
                delay,
                Happening::FromNetwork(call.account, call.call.attempt, answer, process),
            );
        }
    }

    fn is_lost(&mut self) -> bool {
        !self.calm && (self.now_ms < self.outage_until_ms || self.dice.below(1_000) < self.plan.weather.lost)
    }

    fn network_delay(&mut self) -> u64 {
        match !self.calm && self.dice.below(1_000) < self.plan.weather.late {
            true => self.below(40_000),
            false => 5 + self.below(300),
        }
    }

    /// Whoever made the call notices after a while that nothing comes, or never.
    fn maybe_silence(&mut self, call: &CallOut) {
        if self.dice.below(2) == 0 {
            let to = match call.call.ask {
                tollgate_domain::acquirer::Ask::Inquire => Asked::Inquiry,
                tollgate_domain::acquirer::Ask::Reverse => Asked::Reversal,
                _ => Asked::Request,
            };
            let answer = NetworkAnswer {
                to,
                said: Said::Silence,
            };
            let delay = self.below(12_000);
            self.push_in(
                delay,
                Happening::FromNetwork(call.account, call.call.attempt, answer, self.process),
            );
        }
    }

    pub(super) fn push(&mut self, at_ms: u64, what: Happening) {
        self.number += 1;
        let entry = super::Entry {
            at_ms,
            order: self.dice.word(),
            number: self.number,
            what,
        };
        self.queue.push(std::cmp::Reverse(entry));
    }

    /// Puts something into the queue whose place among what happens at the same moment is not drawn.
    pub(super) fn push_undrawn(&mut self, at_ms: u64, order: u64, what: Happening) {
        self.number += 1;
        let number = self.number;
        self.queue.push(std::cmp::Reverse(super::Entry {
            at_ms,
            order,
            number,
            what,
        }));
    }

    pub(super) fn push_in(&mut self, delay_ms: u64, what: Happening) {
        self.push(self.now_ms + delay_ms, what);
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.dice.below(bound.max(1))
    }

    pub(super) fn wake(&mut self, shard: u16, delay_ms: u64) {
        let at_ms = self.now_ms + delay_ms;
        let Some(host) = self.hosts.get_mut(usize::from(shard)) else {
            return;
        };
        if host.turn_ms.is_none_or(|turn_ms| at_ms < turn_ms) {
            host.turn_ms = Some(at_ms);
            self.push(at_ms, Happening::Turn(shard));
        }
    }

    /// A new shard's first turn comes before anything else: it is where it reads the clock that it is going to trust.
    fn wake_first(&mut self, shard: u16) {
        self.hosts[usize::from(shard)].turn_ms = Some(self.now_ms);
        self.number += 1;
        let entry = super::Entry {
            at_ms: self.now_ms,
            order: 0,
            number: self.number,
            what: Happening::Turn(shard),
        };
        self.queue.push(std::cmp::Reverse(entry));
    }

    pub(super) fn shard_of(&self, account: AccountKey) -> u16 {
        self.plan.weather.shard_of(account.0)
    }

    pub(super) fn now(&self) -> Now {
        Now {
            unix_ms: self.unix_ms(),
            steady_ms: self.now_ms,
        }
    }
}
