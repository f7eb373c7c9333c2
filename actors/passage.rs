//! How a shard comes and goes on its lane: built again after a panic, given up when it is asked for, lost to another owner.
//! The lane never waits for any of it; what takes time is done by [`Claims`](crate::claims::Claims), and comes back as a
//! [`Notice`].

use crate::adoption::{Adopted, Released};
use crate::claims::{Adopting, Retired};
use crate::clock::MachineClock;
use crate::host::Host;
use crate::lane::{Ports, ToLane};
use crate::request::{Delivery, Refusal};
use crate::router::ShardState;
use crate::settings::{Begin, CLAIM_WAIT};
use crate::shard::Outputs;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;
use tollgate_breaks::broken;
use tollgate_store::{Claimed, Epoch, StoreError};

/// What is under way with a shard besides serving.
#[derive(Debug, Default)]
pub(crate) enum Passage {
    /// Nothing.
    #[default]
    Staying,
    /// It is claimed again since then, and leaves at once if somebody wants that.
    Claiming { since: Instant, leaving: Option<Leaving> },
    /// It serves those who are inside for a while, then winds up.
    Leaving(Leaving),
}

/// Somebody waits for a shard to leave.
#[derive(Debug)]
pub(crate) struct Leaving {
    pub(crate) said: oneshot::Sender<Released>,
    pub(crate) since: Instant,
    /// Until when those inside are served.
    pub(crate) until: Instant,
    /// How many were told to come again.
    pub(crate) refused: usize,
    /// Whether delivery may still have something to note.
    pub(crate) flushing: bool,
}

/// Something that a shard's lane is told about its coming and going.
#[derive(Debug)]
pub(crate) enum Notice {
    /// It is this node's now; somebody may wait for that.
    Claimed(Claimed, Option<Adopting>),
    /// It could not be claimed again.
    Unclaimed(StoreError),
    /// It is to leave. The router lets nobody in any more.
    Leave(Leaving),
    /// Delivery has noted all that it had to.
    Flushed,
}

impl Host {
    /// Whether it waits for those inside to go.
    pub(crate) fn is_leaving(&self) -> bool {
        matches!(self.passage, Passage::Leaving(_))
    }

    /// What has to happen before a turn; false when there is to be none.
    pub(crate) fn pass(&mut self, ports: &Ports, clock: &MachineClock) -> bool {
        self.hear_of_fence(ports);
        for notice in std::mem::take(&mut self.post.passing) {
            match notice {
                Notice::Claimed(claimed, adopting) => self.claimed(&claimed, adopting, ports),
                Notice::Unclaimed(error) => self.unclaimed(&error, ports),
                Notice::Leave(leaving) => self.leave(leaving, ports),
                Notice::Flushed => {
                    // It may have been lost meanwhile.
                    if let Passage::Leaving(leaving) = &mut self.passage {
                        leaving.flushing = false;
                    }
                }
            }
        }
        match &self.passage {
            Passage::Staying => true,
            Passage::Claiming { since, .. } => {
                // Requests wait for the shard to be back, but not for ever: the store may be away.
                if since.elapsed() > CLAIM_WAIT {
                    self.refuse_work(Refusal::ShardDown, ports);
                }
                false
            }
            Passage::Leaving(leaving) => {
                let inside = ports.permits.inside_of(self.id()) > 0 || leaving.flushing;
                let serves = inside && Instant::now() < leaving.until && self.supervised.epoch().is_some();
                if !serves {
                    self.wind_up(ports, clock);
                }
                serves
            }
        }
    }

    /// After a panic: the shard is claimed again as a new incarnation, unless it is given up. What was to be read is read
    /// again when needed.
    pub(crate) fn recover(&mut self, ports: &Ports) {
        self.forget_wishes();
        self.due = true;
        ports.outbox.lost(self.id());
        if matches!(self.passage, Passage::Leaving(_)) {
            return;
        }
        match self.supervised.held().filter(|_| !self.supervised.is_failed()) {
            Some(epoch) => {
                self.passage = Passage::Claiming {
                    since: Instant::now(),
                    leaving: None,
                };
                ports.claims.rebuild(self.id(), epoch);
            }
            None => self.failed(ports),
        }
    }

    /// Of an incarnation that is discarded already, nothing: the one that serves now holds the fence.
    fn hear_of_fence(&mut self, ports: &Ports) {
        let fenced = self.post.fenced.take();
        if fenced.is_some() && self.supervised.epoch() == fenced {
            self.lose("another owner took it over", ports);
        }
    }

    fn claimed(&mut self, claimed: &Claimed, adopting: Option<Adopting>, ports: &Ports) {
        self.due = true;
        if let Passage::Claiming {
            leaving: Some(leaving), ..
        } = std::mem::take(&mut self.passage)
        {
            return self.retire(Some(claimed.epoch), None, Some(leaving), ports);
        }
        self.supervised.rebuild(claimed);
        ports.outbox.adopted(self.id(), claimed.epoch);
        let Some(adopting) = adopting else { return };
        let shard = self.id();
        let serves = ports.router.pass(shard, ShardState::Coming, ShardState::Serving);
        serves.expect("nobody else moves a shard that is coming");
        let adopted = Adopted {
            shard,
            epoch: claimed.epoch,
            last_block: claimed.last_block,
            claiming: adopting.claimed.saturating_duration_since(adopting.since),
            took: adopting.since.elapsed(),
        };
        ports.meters.adopt_seconds.record(adopted.took);
        tracing::info!(
            shard = shard.0,
            epoch = adopted.epoch.0,
            ms = adopted.took.as_millis() as u64,
            "a shard was adopted"
        );
        // Whoever asked may have gone.
        let _ = adopting.said.send(Ok(adopted));
    }

    fn unclaimed(&mut self, error: &StoreError, ports: &Ports) {
        let Passage::Claiming { leaving, since } = std::mem::take(&mut self.passage) else {
            panic!("a claim ended that was never begun")
        };
        let taken = matches!(error, StoreError::Taken { .. });
        // Where shards come and go, somebody may bring it back; elsewhere nobody would.
        if leaving.is_some() || taken || ports.begin == Begin::Nothing {
            self.passage = Passage::Claiming { leaving, since };
            return self.lose(&error.to_string(), ports);
        }
        self.supervised.fail(&error.to_string());
        self.failed(ports);
    }

    /// It stopped serving for good.
    fn failed(&mut self, ports: &Ports) {
        // Where somebody wants it to leave, that finds out by itself.
        let _ = ports.router.pass(self.id(), ShardState::Serving, ShardState::Failed);
    }

    fn leave(&mut self, mut leaving: Leaving, ports: &Ports) {
        self.due = true;
        match &mut self.passage {
            Passage::Claiming { leaving: wish, .. } => *wish = Some(leaving),
            Passage::Leaving(_) => panic!("a shard leaves once"),
            // One that failed, or was lost a moment ago, has nothing to wind up.
            Passage::Staying if self.supervised.epoch().is_none() => {
                self.retire(self.supervised.held(), None, Some(leaving), ports);
            }
            Passage::Staying => {
                leaving.flushing = !broken!(LeaveUnnoted);
                self.passage = Passage::Leaving(leaving);
                let (shard, router) = (self.id(), Arc::clone(&ports.router));
                // Behind the last note, on the same way.
                let done = move || router.tell(shard, ToLane::Passing(shard, Notice::Flushed));
                ports.outbox.leaving(shard, Box::new(done));
            }
        }
    }

    fn wind_up(&mut self, ports: &Ports, clock: &MachineClock) {
        self.refuse_work(Refusal::Elsewhere(self.id()), ports);
        let mut out = Outputs::default();
        let quiet = self.supervised.wind_up(clock.now(), &mut self.post.inbox, &mut out);
        ports.workers.deliver(out.replies);
        if out.asks {
            self.ask(ports);
        }
        if let Some(sealed) = out.sealed {
            self.hand_over(sealed, out.filling, ports);
        } else if quiet {
            let Passage::Leaving(leaving) = std::mem::take(&mut self.passage) else {
                unreachable!("only a shard that is to leave winds up")
            };
            let epoch = self.supervised.held();
            self.retire(epoch, None, Some(leaving), ports);
        }
    }

    /// Another owner has the shard: what is in memory may never become durable.
    fn lose(&mut self, why: &str, ports: &Ports) {
        let leaving = match std::mem::take(&mut self.passage) {
            Passage::Staying => None,
            Passage::Claiming { leaving, .. } => leaving,
            Passage::Leaving(leaving) => Some(leaving),
        };
        self.retire(self.supervised.held(), Some(why), leaving, ports);
    }

    /// The shard is not here from now on.
    fn retire(&mut self, epoch: Option<Epoch>, lost: Option<&str>, leaving: Option<Leaving>, ports: &Ports) {
        let shard = self.id();
        ports.outbox.lost(shard);
        self.forget_wishes();
        let mut out = Outputs::default();
        let memory = self.supervised.depart(&mut out);
        let abandoned = out.replies.len();
        ports.workers.deliver(out.replies);
        // If somebody has just asked for it to leave, that is on its way here and settles it.
        let settles = leaving.is_some()
            || ports
                .router
                .pass(shard, ShardState::Serving, ShardState::Leaving)
                .is_ok();
        let said = leaving.map(|leaving| {
            let released = Released {
                shard,
                refused: leaving.refused + abandoned,
                lost: lost.is_some(),
                draining: leaving.since.elapsed(),
                took: leaving.since.elapsed(),
                since: leaving.since,
            };
            (leaving.said, released)
        });
        ports.claims.retire(Retired {
            shard,
            epoch,
            memory,
            settles,
            lost: lost.map(str::to_owned),
            said,
        });
    }

    fn refuse_work(&mut self, refusal: Refusal, ports: &Ports) {
        let refused = self.post.take_work().map(|ask| Delivery {
            to: ask.to,
            answer: Err(refusal),
        });
        let refused: Vec<Delivery> = refused.collect();
        if let Passage::Leaving(leaving) = &mut self.passage {
            leaving.refused += refused.len();
        }
        ports.workers.deliver(refused);
    }
}
