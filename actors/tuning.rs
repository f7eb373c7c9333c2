//! What an operator looks at and changes while the engine runs: where shards run, how many lanes there are, limits.

use crate::census::{HostCensus, HotCensus};
use crate::engine::{Engine, Shared};
use crate::lane::{Lane, ToLane};
use crate::metrics;
use crate::router::{MoveError, Moved, ShardState};
use crate::settings::{LANE_PATIENCE_MS, ShardSettings, check_permits};
use actix::Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tollgate_domain::account::{AccountKey, Profile};
use tollgate_store::ShardId;

/// How often it is looked whether shards have left a lane that is to end, milliseconds.
const LEAVING_POLL_MS: u64 = 2;

/// A shard as an operator sees it.
#[derive(Debug, Clone, Copy)]
pub struct ShardStatus {
    /// The shard.
    pub shard: ShardId,
    /// The lane it runs on, or is on its way to.
    pub lane: usize,
    /// Whether it is here.
    pub state: ShardState,
    /// Whether it is on its way to its lane.
    pub moving: bool,
    /// Its permits that are taken.
    pub permits: u32,
    /// What its lane tells of it; `None` when the lane did not answer in time, or while it moves.
    pub census: Option<HostCensus>,
}

/// Every shard and lane at a moment.
#[derive(Debug, Clone)]
pub struct EngineStatus {
    /// When.
    pub at: Instant,
    /// By number.
    pub shards: Vec<ShardStatus>,
    /// Time each lane spent with its shards since it started; `None` when it did not answer in time.
    pub lanes_busy: Vec<Option<Duration>>,
}

/// Why the number of lanes was not changed.
#[derive(Debug, thiserror::Error)]
pub enum LanesError {
    /// Too many or too few.
    #[error("there must be from 1 to {0} lanes: each needs a shard")]
    Number(usize),
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
    /// A shard did not move.
    #[error("{0}")]
    Move(#[from] MoveError),
}

impl Engine {
    /// Moves a shard to another lane, with its memory, while it serves: what it has in hand goes along, what arrives
    /// meanwhile waits at the new lane, nothing is refused. Returns when it has had its first turn there; at once, with
    /// `None`, when it is there already.
    ///
    /// # Errors
    /// When there is no such shard or lane, when the shard is another process's or is moving already, and when the lanes are so
    /// busy that it has not arrived within [`LANE_PATIENCE_MS`]; then it still arrives.
    pub async fn move_shard(&self, shard: u16, to: usize) -> Result<Option<Moved>, MoveError> {
        // Its place is kept for when it comes, and moving that would move nothing.
        if self.shard_state(ShardId(shard)).is_some_and(|state| !state.is_here()) {
            return Err(MoveError::Elsewhere(shard));
        }
        let _alone = self.shared.tuning.lock().await;
        self.shared.move_shard(shard, to).await
    }

    /// Changes the number of lanes. New ones get shards from those that have most; those of a lane that ends move to
    /// those that have fewest. Must be called inside an actix `System`.
    ///
    /// # Errors
    /// When there are not so many shards, when no thread can be started, and when a shard does not move in time; lanes
    /// that still have shards then stay.
    pub async fn set_lanes(&self, lanes: usize) -> Result<(), LanesError> {
        let _alone = self.shared.tuning.lock().await;
        let router = &self.shared.router;
        if lanes == 0 || lanes > usize::from(router.shards()) {
            return Err(LanesError::Number(usize::from(router.shards())));
        }
        while router.lanes().len() < lanes {
            let (lane, arbiter) = self.shared.forge.lane(Vec::new())?;
            self.shared.arbiters().push(arbiter);
            router.open(vec![lane]);
        }
        while let Some((shard, to)) = next_move(&router.lanes_of(), lanes) {
            self.shared.move_shard(shard, to).await?;
        }
        let patience = Instant::now() + Duration::from_millis(LANE_PATIENCE_MS);
        while !router.close(lanes) {
            // A move that its asker gave up is still under way.
            if Instant::now() > patience {
                let leaving = router.lanes_of().iter().position(|lane| *lane >= lanes);
                return Err(MoveError::Late(leaving.unwrap_or(0) as u16).into());
            }
            tokio::time::sleep(Duration::from_millis(LEAVING_POLL_MS)).await;
        }
        let ended = self.shared.arbiters().split_off(lanes);
        ended.iter().for_each(|arbiter| {
            arbiter.stop();
        });
        Ok(())
    }

    /// Changes how many requests may be inside. Nobody who is inside is affected.
    ///
    /// # Panics
    /// When the numbers contradict each other; see [`EngineConfig`](crate::EngineConfig).
    pub fn set_permits(&self, per_node: u32, per_shard: u32, per_account: u32) {
        check_permits(per_node, per_shard, per_account);
        self.shared.permits.set(per_node, per_shard, per_account);
    }

    /// The settings of all shards.
    pub fn shard_settings(&self) -> Arc<ShardSettings> {
        self.shared.forge.settings()
    }

    /// Changes the settings of all shards; each goes by them from its next turn on.
    ///
    /// # Panics
    /// When the settings contradict each other; see [`EngineConfig`](crate::EngineConfig).
    pub async fn set_shard_settings(&self, settings: ShardSettings) {
        settings.check();
        let settings = Arc::new(settings);
        let _alone = self.shared.tuning.lock().await;
        self.shared.forge.set_settings(Arc::clone(&settings));
        for lane in self.shared.router.lanes() {
            lane.do_send(ToLane::Settings(Arc::clone(&settings)));
        }
    }

    /// How the shards are. A lane that does not answer within [`LANE_PATIENCE_MS`] is left out.
    pub async fn status(&self) -> EngineStatus {
        let shared = &self.shared;
        let told = shared.ask_lanes(ToLane::Census).await;
        let mut lanes_busy = Vec::with_capacity(told.len());
        let mut known: Vec<Option<HostCensus>> = vec![None; usize::from(shared.router.shards())];
        for census in told {
            lanes_busy.push(census.as_ref().map(|census| census.busy));
            for host in census.into_iter().flat_map(|census| census.hosts) {
                known[usize::from(host.shard.0)] = Some(host);
            }
        }
        let at = Instant::now();
        let shards = shared.router.lanes_of().into_iter().zip(known).enumerate();
        let status = |(number, (lane, census)): (usize, (usize, Option<HostCensus>))| {
            let shard = ShardId(number as u16);
            ShardStatus {
                shard,
                lane,
                state: shared.router.state(shard),
                moving: shared.router.is_moving(shard),
                permits: shared.permits.inside_of(shard),
                census,
            }
        };
        EngineStatus {
            at,
            shards: shards.map(status).collect(),
            lanes_busy,
        }
    }

    /// Who asks most, shard by shard. A lane that does not answer within [`LANE_PATIENCE_MS`] is left out.
    pub async fn hot_accounts(&self) -> Vec<HotCensus> {
        let told = self.shared.ask_lanes(ToLane::Hot).await;
        told.into_iter().flatten().flatten().collect()
    }

    /// The profile of an account in its mode.
    pub fn profile(&self, account: AccountKey) -> Option<Arc<Profile>> {
        self.directory().profiles().profile(account)
    }

    /// The shard of an account, if it is not here.
    pub fn elsewhere(&self, account: AccountKey) -> Option<ShardId> {
        self.shared.router.elsewhere(account)
    }

    /// Brings gauges up to date that nobody writes as they change; to be called before metrics are shown.
    pub fn observe(&self) {
        let shared = &self.shared;
        ::metrics::gauge!(metrics::INSIDE).set(shared.permits.inside() as f64);
        let serving = shared.router.all_in(ShardState::Serving).count();
        ::metrics::gauge!(metrics::SHARDS_SERVING).set(serving as f64);
        for number in 0..shared.router.shards() {
            let inside = shared.permits.inside_of(ShardId(number));
            ::metrics::gauge!(metrics::SHARD_PERMITS, "shard" => number.to_string()).set(f64::from(inside));
        }
    }
}

impl Shared {
    /// Asks every lane at once; `None` for one that does not answer in time.
    async fn ask_lanes<T>(&self, question: impl Fn(oneshot::Sender<T>) -> ToLane) -> Vec<Option<T>> {
        let ask = |lane: Addr<Lane>| {
            let (say, hear) = oneshot::channel();
            lane.do_send(question(say));
            hear
        };
        let asked: Vec<oneshot::Receiver<T>> = self.router.lanes().into_iter().map(ask).collect();
        let deadline = tokio::time::Instant::now() + Duration::from_millis(LANE_PATIENCE_MS);
        let mut told = Vec::with_capacity(asked.len());
        for answer in asked {
            told.push(
                tokio::time::timeout_at(deadline, answer)
                    .await
                    .ok()
                    .and_then(Result::ok),
            );
        }
        told
    }

    async fn move_shard(&self, shard: u16, to: usize) -> Result<Option<Moved>, MoveError> {
        let Some(arrives) = self.router.begin_move(shard, to)? else {
            return Ok(None);
        };
        let patience = Duration::from_millis(LANE_PATIENCE_MS);
        match tokio::time::timeout(patience, arrives).await {
            Ok(Ok(moved)) => Ok(Some(moved)),
            // The lane has ended: the process is stopping.
            Ok(Err(_)) | Err(_) => Err(MoveError::Late(shard)),
        }
    }
}

/// The next shard to move, and where to, so that the shards come to run on the first `lanes` lanes, evenly.
fn next_move(lane_of: &[usize], lanes: usize) -> Option<(u16, usize)> {
    let count = |lane: usize| lane_of.iter().filter(|of| **of == lane).count();
    let fewest = (0..lanes).min_by_key(|lane| count(*lane))?;
    if let Some(shard) = lane_of.iter().position(|lane| *lane >= lanes) {
        return Some((shard as u16, fewest));
    }
    let most = (0..lanes).max_by_key(|lane| count(*lane))?;
    let uneven = count(most) > count(fewest) + 1;
    let shard = uneven
        .then(|| lane_of.iter().rposition(|lane| *lane == most))
        .flatten()?;
    Some((shard as u16, fewest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(mut lane_of: Vec<usize>, lanes: usize) -> (Vec<usize>, usize) {
        let mut moves = 0;
        while let Some((shard, to)) = next_move(&lane_of, lanes) {
            assert_ne!(lane_of[usize::from(shard)], to, "a move goes somewhere else");
            lane_of[usize::from(shard)] = to;
            moves += 1;
            assert!(moves <= lane_of.len(), "no shard moves twice");
        }
        (lane_of, moves)
    }

    #[test]
    fn shards_spread_evenly_with_as_few_moves_as_it_takes() {
        for (before, lanes, counts, moves) in [
            (vec![0; 8], 2, vec![4, 4], 4),
            (vec![0, 1, 0, 1, 0, 1, 0, 1], 3, vec![3, 3, 2], 2),
            (vec![0, 1, 2, 0, 1, 2, 0, 1], 1, vec![8], 5),
            (vec![0, 1, 2, 3, 4, 5, 6, 7], 2, vec![4, 4], 6),
            (vec![0, 1, 0, 1], 2, vec![2, 2], 0),
        ] {
            let (after, made) = spread(before.clone(), lanes);
            let mut found: Vec<usize> = (0..lanes)
                .map(|lane| after.iter().filter(|of| **of == lane).count())
                .collect();
            found.sort_unstable_by(|a, b| b.cmp(a));
            assert_eq!((found, made), (counts, moves), "{before:?} on {lanes}");
        }
    }
}
