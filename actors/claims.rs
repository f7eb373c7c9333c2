//! Threads on which shards are claimed and given up: both may wait for the store, and no lane does.

use crate::adoption::{Adopted, PassageError, Released};
use crate::lane::ToLane;
use crate::metrics::Meters;
use crate::passage::Notice;
use crate::router::{Router, ShardState};
use crate::settings::CLAIM_THREADS;
use crate::shard::Shard;
use crate::supervisor::panic_text;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;
use tollgate_breaks::broken;
use tollgate_store::{Claimed, Epoch, Journal, ShardId, StoreError};

/// Jobs that a shard can have waiting: it is claimed once, and given up by a loss and by whoever asked for that.
const JOBS_PER_SHARD: usize = 4;

/// Called with a shard that another owner has, and why that is known.
pub type OnLost = Arc<dyn Fn(ShardId, &str) + Send + Sync>;

/// Where claims are handed in. The threads end when the last handle is dropped.
#[derive(Clone)]
pub(crate) struct Claims(Sender<Job>);

/// What the threads reach.
#[derive(Clone)]
pub(crate) struct ClaimPorts {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) router: Arc<Router>,
    pub(crate) meters: Arc<Meters>,
    pub(crate) on_lost: OnLost,
}

/// Somebody waits for a shard to come here.
#[derive(Debug)]
pub(crate) struct Adopting {
    /// Nothing is taken from an owner that came after this one.
    pub(crate) after: Option<Epoch>,
    pub(crate) since: Instant,
    /// When the claim had returned; `since` before that.
    pub(crate) claimed: Instant,
    pub(crate) said: oneshot::Sender<Result<Adopted, PassageError>>,
}

/// A shard that is not here any more.
pub(crate) struct Retired {
    pub(crate) shard: ShardId,
    /// The incarnation that the store may still know.
    pub(crate) epoch: Option<Epoch>,
    /// Its memory, to be freed here.
    pub(crate) memory: Option<Box<Shard>>,
    /// Whether it may be adopted again once this is done.
    pub(crate) settles: bool,
    /// Why another owner is thought to have it, if nobody here gave it up.
    pub(crate) lost: Option<String>,
    /// Who waits for this, and what they hear.
    pub(crate) said: Option<(oneshot::Sender<Released>, Released)>,
}

enum Job {
    /// Claim the shard for somebody who wants it here.
    Adopt(ShardId, Adopting),
    /// Claim it again, as it was here before as that incarnation.
    Rebuild(ShardId, Epoch),
    /// Forget it.
    Retire(Retired),
}

impl Claims {
    /// Starts the threads: several where shards come and go.
    pub(crate) fn start(several: bool, ports: &ClaimPorts) -> std::io::Result<Claims> {
        let (jobs, queue) = bounded(usize::from(ports.router.shards()) * JOBS_PER_SHARD);
        for number in 0..if several { CLAIM_THREADS } else { 1 } {
            let (ports, queue) = (ports.clone(), Receiver::clone(&queue));
            std::thread::Builder::new()
                .name(format!("tollgate-claims-{number}"))
                .spawn(move || queue.iter().for_each(|job| ports.run(job)))?;
        }
        Ok(Claims(jobs))
    }

    pub(crate) fn adopt(&self, shard: ShardId, adopting: Adopting) {
        self.send(Job::Adopt(shard, adopting));
    }

    pub(crate) fn rebuild(&self, shard: ShardId, epoch: Epoch) {
        self.send(Job::Rebuild(shard, epoch));
    }

    pub(crate) fn retire(&self, retired: Retired) {
        self.send(Job::Retire(retired));
    }

    fn send(&self, job: Job) {
        let sent = self.0.try_send(job);
        assert!(
            sent.is_ok(),
            "each shard has a few jobs at most, and the threads outlive the lanes"
        );
    }
}

impl ClaimPorts {
    fn run(&self, job: Job) {
        match job {
            Job::Adopt(shard, adopting) => self.adopt(shard, adopting),
            Job::Rebuild(shard, epoch) => {
                let notice = match self.caught(shard, || self.journal.claim_after(shard, epoch)) {
                    Ok(claimed) => Notice::Claimed(claimed, None),
                    Err(error) => Notice::Unclaimed(error),
                };
                self.router.tell(shard, ToLane::Passing(shard, notice));
            }
            Job::Retire(retired) => self.retire(retired),
        }
    }

    fn adopt(&self, shard: ShardId, mut adopting: Adopting) {
        let claim = || match adopting.after {
            Some(epoch) => self.journal.claim_after(shard, epoch),
            None => self.journal.claim(shard),
        };
        let claimed = if broken!(ServeUnclaimed) {
            Ok(Claimed {
                epoch: Epoch(0),
                last_block: 0,
                last_now_ms: 0,
            })
        } else {
            self.caught(shard, claim)
        };
        match claimed {
            Ok(claimed) => {
                adopting.claimed = Instant::now();
                let notice = Notice::Claimed(claimed, Some(adopting));
                self.router.tell(shard, ToLane::Passing(shard, notice));
            }
            Err(error) => {
                tracing::warn!(shard = shard.0, %error, "a shard could not be adopted");
                let back = self.router.pass(shard, ShardState::Coming, ShardState::Elsewhere);
                back.expect("nobody else moves a shard that is coming");
                // Whoever asked may have gone.
                let _ = adopting.said.send(Err(PassageError::Store(error)));
            }
        }
    }

    fn retire(&self, retired: Retired) {
        let Retired {
            shard, epoch, memory, ..
        } = retired;
        if catch_unwind(AssertUnwindSafe(|| drop(memory))).is_err() {
            tracing::error!(shard = shard.0, "the memory of a shard that left could not be freed");
        }
        if let Some(epoch) = epoch {
            self.journal.release(shard, epoch);
        }
        if retired.settles {
            let gone = self.router.pass(shard, ShardState::Leaving, ShardState::Elsewhere);
            gone.expect("nobody else moves a shard that is leaving");
        }
        if let Some(why) = retired.lost {
            self.meters.lost.increment(1);
            tracing::warn!(shard = shard.0, %why, "a shard is not here any more");
            // Others wait for this thread, whatever becomes of whoever wants to know.
            if catch_unwind(AssertUnwindSafe(|| (self.on_lost)(shard, &why))).is_err() {
                tracing::error!(shard = shard.0, "whoever was told of a lost shard panicked");
            }
        }
        if let Some((said, mut released)) = retired.said {
            released.took = released.since.elapsed();
            self.meters.release_seconds.record(released.took);
            tracing::info!(
                shard = shard.0,
                refused = released.refused,
                ms = released.took.as_millis() as u64,
                "a shard was released"
            );
            // Whoever asked may have gone.
            let _ = said.send(released);
        }
    }

    /// A panic of the store is an answer, too: somebody waits for one.
    fn caught(
        &self,
        shard: ShardId,
        claim: impl FnOnce() -> Result<Claimed, StoreError>,
    ) -> Result<Claimed, StoreError> {
        catch_unwind(AssertUnwindSafe(claim)).unwrap_or_else(|panic| {
            Err(StoreError::Io {
                place: format!("shard {}", shard.0),
                what: format!("the store panicked: {}", panic_text(&*panic)),
            })
        })
    }
}
