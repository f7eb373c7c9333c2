//! A shard that survives its own panics: memory is discarded, the shard starts again under a new epoch and reads what is
//! durable. Nothing is patched. It also survives being elsewhere for a while.

use crate::clock::Now;
use crate::entropy::Entropy;
use crate::metrics::Meters;
use crate::request::{Delivery, Refusal, ReplyTo};
use crate::settings::{CRASHES_MAX, CULPRITS_MAX, RESTART_WINDOW_MS, RESTARTS_MAX, ShardSettings};
use crate::shard::{Inbox, Outputs, Quarantine, Shard};
use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tollgate_breaks::broken;
use tollgate_domain::Secrets;
use tollgate_store::{Claimed, Epoch, Reads, ShardId};

/// How a turn went.
#[derive(Debug, PartialEq, Eq)]
pub enum Turned {
    /// Well.
    Fine,
    /// The shard panicked and was discarded: claim it again and call [`Supervised::rebuild`], or, when the budget is
    /// spent, it is failed.
    Crashed,
    /// No shard serves here; what came in was refused.
    Vacant,
}

/// What a supervised shard is at the moment.
enum Seat {
    /// It serves.
    Serving(Box<Shard>),
    /// Discarded, and to be claimed again.
    Discarded(Epoch),
    /// Not on this node.
    Away,
    /// It has used up its restarts, or cannot be claimed. With its last incarnation.
    Failed(Option<Epoch>),
}

/// A shard with what outlives its panics.
pub struct Supervised {
    id: ShardId,
    settings: Arc<ShardSettings>,
    secrets: Secrets,
    reads: Arc<dyn Reads>,
    meters: Arc<Meters>,
    seat: Seat,
    /// The clocks' reading that the first incarnation started by: a rebuild is no reason to trust a stepped clock.
    clock_start: Option<Now>,
    /// When it was rebuilt lately, steady milliseconds.
    restarts: VecDeque<u64>,
    /// Commands that crashed it, by digest, and how often; oldest first.
    crashes: VecDeque<(u64, u8)>,
    quarantine: Quarantine,
    /// Whether others may take the shard over.
    warded: bool,
}

impl Supervised {
    /// A shard that starts from what `claimed` says.
    pub fn new(
        id: ShardId,
        claimed: &Claimed,
        settings: Arc<ShardSettings>,
        secrets: Secrets,
        reads: Arc<dyn Reads>,
        meters: Arc<Meters>,
    ) -> Self {
        let mut supervised = Supervised::away(id, settings, secrets, reads, meters);
        supervised.rebuild(claimed);
        supervised
    }

    /// A shard that is not on this node.
    pub fn away(
        id: ShardId,
        settings: Arc<ShardSettings>,
        secrets: Secrets,
        reads: Arc<dyn Reads>,
        meters: Arc<Meters>,
    ) -> Self {
        Supervised {
            id,
            settings,
            secrets,
            reads,
            meters,
            seat: Seat::Away,
            clock_start: None,
            restarts: VecDeque::new(),
            crashes: VecDeque::new(),
            quarantine: Arc::new(BTreeSet::new()),
            warded: false,
        }
    }

    /// The same, of a store where others may take the shard over: from its next incarnation on, nothing is answered
    /// without a block before the store was asked whose the shard is.
    pub fn warded(mut self) -> Self {
        self.warded = true;
        self
    }

    /// The shard's number.
    pub fn id(&self) -> ShardId {
        self.id
    }

    /// From the next turn on it goes by these.
    pub fn set_settings(&mut self, settings: &Arc<ShardSettings>) {
        self.settings = Arc::clone(settings);
        if let Seat::Serving(shard) = &mut self.seat {
            shard.set_settings(Arc::clone(settings));
        }
    }

    /// The incarnation that serves, if one does.
    pub fn epoch(&self) -> Option<Epoch> {
        self.shard().map(Shard::epoch)
    }

    /// The newest incarnation of it here, if the store may still think that it is here.
    pub fn held(&self) -> Option<Epoch> {
        match &self.seat {
            Seat::Serving(shard) => Some(shard.epoch()),
            Seat::Discarded(epoch) => Some(*epoch),
            Seat::Failed(epoch) => *epoch,
            Seat::Away => None,
        }
    }

    /// The shard, if it serves.
    pub fn shard(&self) -> Option<&Shard> {
        match &self.seat {
            Seat::Serving(shard) => Some(shard),
            Seat::Discarded(_) | Seat::Away | Seat::Failed(_) => None,
        }
    }

    /// Whether it has used up its restarts.
    pub fn is_failed(&self) -> bool {
        matches!(self.seat, Seat::Failed(_))
    }

    /// Refuses what has arrived, when no shard serves: nothing of it was done.
    fn refuse(&self, inbox: &mut Inbox, out: &mut Outputs) {
        let refusal = match self.seat {
            Seat::Away => Refusal::Elsewhere(self.id),
            Seat::Serving(_) | Seat::Discarded(_) | Seat::Failed(_) => Refusal::ShardDown,
        };
        inbox.control.clear();
        let refused = inbox.work.drain(..).map(|ask| refused(ask.to, refusal));
        out.replies.extend(refused);
    }

    /// One turn. A panic discards the shard; whoever it had inside is told to retry through `out`, except those whose
    /// block is with the store already: their answer travels with the block.
    pub fn turn(&mut self, now: Now, entropy: &mut Entropy, inbox: &mut Inbox, out: &mut Outputs) -> Turned {
        let Seat::Serving(shard) = &mut self.seat else {
            self.refuse(inbox, out);
            return Turned::Vacant;
        };
        // The shard is not used again after a panic except to find out who was inside, so a broken invariant in it
        // cannot spread.
        let turned = catch_unwind(AssertUnwindSafe(|| shard.turn(now, entropy, inbox, out)));
        match turned {
            Ok(()) => Turned::Fine,
            Err(panic) => {
                let why = panic_text(&*panic);
                self.discard(now, &why, out);
                Turned::Crashed
            }
        }
    }

    /// A turn of a shard that is to leave: nothing new is begun, what is decided becomes durable. `true` once nothing waits
    /// for that any more, or no shard serves here.
    pub(crate) fn wind_up(&mut self, now: Now, inbox: &mut Inbox, out: &mut Outputs) -> bool {
        let Seat::Serving(shard) = &mut self.seat else {
            inbox.control.clear();
            return true;
        };
        match catch_unwind(AssertUnwindSafe(|| shard.wind_up(now, inbox, out))) {
            Ok(()) => shard.is_quiet(),
            Err(panic) => {
                let why = panic_text(&*panic);
                self.discard(now, &why, out);
                true
            }
        }
    }

    /// The shard goes to another owner, or has gone: whoever it had inside is told so through `out`. Its memory is given
    /// back, to be freed where that may take time.
    pub(crate) fn depart(&mut self, out: &mut Outputs) -> Option<Box<Shard>> {
        if broken!(KeepReleasedMemory) {
            return None;
        }
        let mut shard = match std::mem::replace(&mut self.seat, Seat::Away) {
            Seat::Serving(shard) => shard,
            Seat::Discarded(_) | Seat::Away => return None,
            Seat::Failed(_) => {
                self.meters.failed.decrement(1.0);
                // It starts as a new one, should it come back.
                self.restarts.clear();
                return None;
            }
        };
        self.clock_start = shard.clock_start();
        let abandoned = catch_unwind(AssertUnwindSafe(|| shard.abandon())).unwrap_or_default();
        let elsewhere = Refusal::Elsewhere(self.id);
        let untouched = abandoned.untouched.into_iter().map(|to| refused(to, elsewhere));
        let begun = abandoned.begun.into_iter().map(|to| refused(to, Refusal::ShardDown));
        out.replies.extend(untouched.chain(begun));
        Some(shard)
    }

    /// The fence was lost: the memory may hold what never becomes durable, and is discarded as after a panic.
    pub fn fenced(&mut self, now: Now, out: &mut Outputs) {
        self.discard(now, "another owner took the shard over", out);
    }

    /// Starts again from what `claimed` says.
    pub fn rebuild(&mut self, claimed: &Claimed) {
        if broken!(KeepReleasedMemory)
            && let Seat::Serving(shard) = &mut self.seat
        {
            return shard.go_on(claimed, self.warded);
        }
        assert!(
            matches!(self.seat, Seat::Discarded(_) | Seat::Away),
            "only a shard that does not serve is built, and a failed one stays failed"
        );
        let mut shard = Shard::new(
            self.id,
            claimed,
            Arc::clone(&self.settings),
            self.secrets.clone(),
            Arc::clone(&self.reads),
            Arc::clone(&self.quarantine),
            Arc::clone(&self.meters),
            self.warded,
        );
        shard.follow_clock(self.clock_start);
        self.seat = Seat::Serving(Box::new(shard));
    }

    /// Gives the shard up, for example because it cannot be claimed.
    pub fn fail(&mut self, why: &str) {
        if !self.is_failed() {
            self.meters.failed.increment(1.0);
            tracing::error!(
                shard = self.id.0,
                why,
                "shard failed and no longer serves; restart the process"
            );
        }
        self.seat = Seat::Failed(self.held());
    }

    fn discard(&mut self, now: Now, why: &str, out: &mut Outputs) {
        let Some(epoch) = self.epoch() else { return };
        let Seat::Serving(mut shard) = std::mem::replace(&mut self.seat, Seat::Discarded(epoch)) else {
            unreachable!("it has an epoch")
        };
        self.clock_start = shard.clock_start();
        self.meters.restarts.increment(1);
        // A block that was closed in the very turn that panicked was not given to the store.
        let sealed = out.sealed.take();
        let sealed = sealed
            .into_iter()
            .flat_map(|sealed| sealed.release.replies)
            .map(|delivery| delivery.to);
        out.loads.clear();
        out.asks = false;
        out.more = false;
        let abandoned = catch_unwind(AssertUnwindSafe(|| shard.abandon())).unwrap_or_default();
        let culprit = abandoned.culprit;
        let askers: Vec<ReplyTo> = abandoned.begun.into_iter().chain(abandoned.untouched).collect();
        tracing::error!(
            shard = self.id.0,
            why,
            culprit = culprit.map(|digest| format!("{digest:016x}")),
            inside = askers.len(),
            "shard discarded; it starts again from the journal"
        );
        let inside = sealed.chain(askers);
        out.replies.extend(inside.map(|to| refused(to, Refusal::ShardDown)));
        if let Some(digest) = culprit {
            self.blame(digest);
        }
        self.restarts.push_back(now.steady_ms);
        while self
            .restarts
            .front()
            .is_some_and(|at| now.steady_ms.saturating_sub(*at) > RESTART_WINDOW_MS)
        {
            self.restarts.pop_front();
        }
        if self.restarts.len() > RESTARTS_MAX {
            self.fail("it was restarted too often");
        }
        // Dropping a broken shard may panic too; then its memory is given up.
        if catch_unwind(AssertUnwindSafe(|| drop(shard))).is_err() {
            tracing::error!(shard = self.id.0, "discarded shard could not be freed");
        }
    }

    fn blame(&mut self, digest: u64) {
        let crashes = match self.crashes.iter_mut().find(|(known, _)| *known == digest) {
            Some((_, crashes)) => {
                *crashes = crashes.saturating_add(1);
                *crashes
            }
            None => {
                if self.crashes.len() >= CULPRITS_MAX {
                    self.crashes.pop_front();
                }
                self.crashes.push_back((digest, 1));
                1
            }
        };
        if crashes >= CRASHES_MAX && self.quarantine.len() < CULPRITS_MAX {
            let mut quarantine = BTreeSet::clone(&self.quarantine);
            quarantine.insert(digest);
            self.quarantine = Arc::new(quarantine);
            tracing::error!(
                shard = self.id.0,
                culprit = format!("{digest:016x}"),
                "command quarantined: it crashed its shard repeatedly and is answered with an error from now on"
            );
        }
    }
}

fn refused(to: ReplyTo, refusal: Refusal) -> Delivery {
    Delivery {
        to,
        answer: Err(refusal),
    }
}

/// The message of a panic, as far as it is text.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}
