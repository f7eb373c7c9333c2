//! Which shard, which lane, and the way of work and notices to them.
//!
//! A shard can move from one lane to another while everything runs. Whoever sends holds the table of routes while it
//! looks up the lane and puts the message into its mailbox; a move changes the table and puts its own message into the
//! old lane's mailbox while nobody sends. So whatever was sent before a move is in the old mailbox in front of it, whatever
//! is sent after it goes to the new lane, and each shard hears everything in the order in which it was sent. No message
//! ever comes to a lane that has nothing to do with its shard.

use crate::lane::{Lane, ToLane};
use crate::shard::{Ask, Control};
use actix::Addr;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;
use tokio::sync::oneshot;
use tollgate_domain::account::AccountKey;
use tollgate_store::{AccountRef, Epoch, ShardId};

/// The shard of an account. Part of the data's layout: it never changes for data that exists.
pub fn shard_of(account: AccountKey, shards: u16) -> ShardId {
    // A shard's notes are its own, whatever their number would come to.
    if let Some(shard) = AccountRef(account.0).notes() {
        return shard;
    }
    // The key is a hash, but its low half is the tag in public ids: mixing keeps the shard from being read off an id.
    let mut x = account.0;
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ShardId(((x ^ (x >> 31)) % u64::from(shards)) as u16)
}

/// Whether a shard is here. It changes only from one to the next as [`Router::pass`] is told, so that two who want to
/// change it at the same time never both do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ShardState {
    /// It serves, or is being built again here.
    Serving,
    /// It is not on this node.
    Elsewhere,
    /// It is being claimed for this node.
    Coming,
    /// It is being given up: nothing new is let in.
    Leaving,
    /// It stopped serving for good.
    Failed,
}

impl ShardState {
    const ALL: [ShardState; 5] = [
        ShardState::Serving,
        ShardState::Elsewhere,
        ShardState::Coming,
        ShardState::Leaving,
        ShardState::Failed,
    ];

    /// Whether requests of it are answered here, if only with a refusal.
    pub fn is_here(self) -> bool {
        match self {
            ShardState::Serving | ShardState::Failed => true,
            ShardState::Elsewhere | ShardState::Coming | ShardState::Leaving => false,
        }
    }

    fn of(number: u8) -> ShardState {
        ShardState::ALL[usize::from(number)]
    }
}

/// Knows where shards run.
pub struct Router {
    /// [`ShardState`] of each.
    states: Box<[AtomicU8]>,
    /// Shards that have left one lane and not reached the next.
    moving: Box<[AtomicBool]>,
    /// Held for reading while a message is sent, so its cost is that of a counter that all senders share: once for a
    /// worker's batch and once for a notice, not for a request.
    routes: RwLock<Routes>,
}

/// The table of routes.
struct Routes {
    /// The lane of each shard.
    lane_of: Box<[usize]>,
    /// Empty before the lanes run.
    lanes: Vec<Addr<Lane>>,
}

/// Why a shard did not begin to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// No such shard.
    #[error("there is no shard {0}")]
    NoShard(u16),
    /// No such lane.
    #[error("there is no lane {0}; lanes are numbered from 0")]
    NoLane(usize),
    /// Another process serves it.
    #[error(
        "shard {0} does not run at this node; `tollgate cluster status` says at which one it does: give that one's address as --admin"
    )]
    Elsewhere(u16),
    /// It has not arrived from its last move.
    #[error("shard {0} is moving already")]
    Moving(u16),
    /// The new lane did not take it up in time; it goes on by itself and is listed there when it has arrived.
    #[error("shard {0} has not arrived in time; see `tollgate shard list`")]
    Late(u16),
}

/// A move that has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Where the shard ran.
    pub from: usize,
    /// Where it runs.
    pub to: usize,
    /// How long it ran nowhere, at most: from the moment the router sent its work to the new lane until the first turn
    /// there, microseconds. The old lane still handled in this time what it had been sent before.
    pub pause_us: u64,
    /// Requests and notices that came in this time and waited.
    pub waited: usize,
}

/// A shard's way to another lane, carried along with it.
pub(crate) struct Moving {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) lane: Addr<Lane>,
    pub(crate) since: Instant,
    pub(crate) arrived: oneshot::Sender<Moved>,
}

impl Router {
    /// Spreads shards over lanes, in turn.
    pub(crate) fn new(shards: u16, lanes: usize, state: ShardState) -> Self {
        let routes = Routes {
            lane_of: (0..usize::from(shards)).map(|shard| shard % lanes).collect(),
            lanes: Vec::new(),
        };
        Router {
            states: (0..shards).map(|_| AtomicU8::new(state as u8)).collect(),
            moving: (0..shards).map(|_| AtomicBool::new(false)).collect(),
            routes: RwLock::new(routes),
        }
    }

    /// Adds lanes, which get the next numbers.
    pub(crate) fn open(&self, lanes: Vec<Addr<Lane>>) {
        self.change().lanes.extend(lanes);
    }

    /// Takes away the lanes from number `kept` on, if no shard runs there or is on its way to or from them.
    pub(crate) fn close(&self, kept: usize) -> bool {
        let mut routes = self.change();
        let idle = routes.lane_of.iter().all(|lane| *lane < kept) && !self.any_moving();
        if idle {
            routes.lanes.truncate(kept);
        }
        idle
    }

    /// Number of shards.
    pub fn shards(&self) -> u16 {
        self.states.len() as u16
    }

    /// The shard of an account.
    pub fn shard_of(&self, account: AccountKey) -> ShardId {
        shard_of(account, self.shards())
    }

    /// The shard of an account, if it is not here: requests of it are another node's.
    pub fn elsewhere(&self, account: AccountKey) -> Option<ShardId> {
        let shard = self.shard_of(account);
        (!self.state(shard).is_here()).then_some(shard)
    }

    /// The lane of each shard.
    pub fn lanes_of(&self) -> Vec<usize> {
        self.routes().lane_of.to_vec()
    }

    /// The lanes there are.
    pub(crate) fn lanes(&self) -> Vec<Addr<Lane>> {
        self.routes().lanes.clone()
    }

    /// Whether a shard serves.
    pub fn is_serving(&self, shard: ShardId) -> bool {
        self.states[usize::from(shard.0)].load(Ordering::Relaxed) == ShardState::Serving as u8
    }

    /// Whether the shard is here.
    ///
    /// # Panics
    /// When there is no such shard.
    pub fn state(&self, shard: ShardId) -> ShardState {
        ShardState::of(self.states[usize::from(shard.0)].load(Ordering::Acquire))
    }

    /// The shards in that state.
    pub(crate) fn all_in(&self, state: ShardState) -> impl Iterator<Item = ShardId> {
        let all = (0..self.shards()).map(ShardId);
        all.filter(move |shard| self.state(*shard) == state)
    }

    /// Lets a shard pass from one state to the next, if it is in the first.
    ///
    /// # Errors
    /// With the state it is in.
    pub(crate) fn pass(&self, shard: ShardId, from: ShardState, to: ShardState) -> Result<(), ShardState> {
        let state = &self.states[usize::from(shard.0)];
        let passed = state.compare_exchange(from as u8, to as u8, Ordering::AcqRel, Ordering::Acquire);
        passed.map(drop).map_err(ShardState::of)
    }

    /// Whether a shard is between two lanes.
    pub fn is_moving(&self, shard: ShardId) -> bool {
        self.moving[usize::from(shard.0)].load(Ordering::Acquire)
    }

    /// Whether any shard is between two lanes.
    pub(crate) fn any_moving(&self) -> bool {
        self.moving.iter().any(|moving| moving.load(Ordering::Acquire))
    }

    /// Sends what one worker gathered, as one message to each lane. Lanes outlive the router's users; a stopped lane
    /// swallows it.
    pub(crate) fn work(&self, batch: Vec<(ShardId, Ask)>) {
        let routes = self.routes();
        let sent = Instant::now();
        match routes.lanes.as_slice() {
            [lane] => lane.do_send(ToLane::Work(sent, batch)),
            lanes => {
                let mut by_lane: Vec<Vec<(ShardId, Ask)>> = lanes.iter().map(|_| Vec::new()).collect();
                for (shard, ask) in batch {
                    by_lane[routes.lane_of[usize::from(shard.0)]].push((shard, ask));
                }
                for (lane, batch) in lanes.iter().zip(by_lane) {
                    if !batch.is_empty() {
                        lane.do_send(ToLane::Work(sent, batch));
                    }
                }
            }
        }
    }

    /// Sends a notice to a shard.
    pub(crate) fn control(&self, shard: ShardId, control: Control) {
        self.routes().of(shard).do_send(ToLane::Control(shard, control));
    }

    /// Tells a shard's lane that a block of `epoch` was refused.
    pub(crate) fn fenced(&self, shard: ShardId, epoch: Epoch) {
        self.tell(shard, ToLane::Fenced(shard, epoch));
    }

    /// Sends the lane of a shard something about it.
    pub(crate) fn tell(&self, shard: ShardId, what: ToLane) {
        self.routes().of(shard).do_send(what);
    }

    /// Lets a shard begin to move: from now on all that is sent to it waits at the new lane. `None` when it is there.
    pub(crate) fn begin_move(&self, shard: u16, to: usize) -> Result<Option<oneshot::Receiver<Moved>>, MoveError> {
        let mut routes = self.change();
        let place = usize::from(shard);
        let from = *routes.lane_of.get(place).ok_or(MoveError::NoShard(shard))?;
        let lane = routes.lanes.get(to).ok_or(MoveError::NoLane(to))?.clone();
        // Cleared by the new lane once it has the shard, so that a second move cannot overtake the first.
        if self.moving[place].load(Ordering::Acquire) {
            return Err(MoveError::Moving(shard));
        }
        if from == to {
            return Ok(None);
        }
        self.moving[place].store(true, Ordering::Release);
        routes.lane_of[place] = to;
        let (arrived, arrives) = oneshot::channel();
        let since = Instant::now();
        let moving = Moving {
            from,
            to,
            lane,
            since,
            arrived,
        };
        routes.lanes[from].do_send(ToLane::Give(ShardId(shard), moving));
        Ok(Some(arrives))
    }

    /// A shard has arrived at its new lane.
    pub(crate) fn arrived(&self, shard: ShardId) {
        self.moving[usize::from(shard.0)].store(false, Ordering::Release);
    }

    /// The table, to send by. Sending wakes a lane's thread and runs nothing here.
    fn routes(&self) -> RwLockReadGuard<'_, Routes> {
        self.routes.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Routes> {
        self.routes.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Routes {
    fn of(&self, shard: ShardId) -> &Addr<Lane> {
        &self.lanes[self.lane_of[usize::from(shard.0)]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_an_account_is_fixed() {
        let places = [1, 2, 3, 0xdead_beef, u64::MAX - 65_536].map(|key| shard_of(AccountKey(key), 8).0);
        assert_eq!(
            places,
            [5, 2, 0, 2, 1],
            "data that exists would be looked for in the wrong shard"
        );
    }

    #[test]
    fn the_notes_of_a_shard_are_in_that_shard() {
        for shard in [0, 5, 7, 65_534].map(ShardId) {
            let notes = AccountRef::notes_of(shard);
            assert_eq!(notes.notes(), Some(shard));
            assert!(AccountKey(notes.0).is_reserved(), "no account has this key");
            assert_eq!(shard_of(AccountKey(notes.0), 8), shard);
        }
        let last = AccountKey(0xFFFF_FFFF_FFFE_FFFF);
        assert_eq!((last.is_reserved(), AccountRef(last.0).notes()), (false, None));
    }

    #[test]
    fn accounts_spread_over_shards() {
        let mut counts = [0; 8];
        (0..8_000u64).for_each(|key| counts[usize::from(shard_of(AccountKey(key << 32 | 5), 8).0)] += 1);
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
    }
}
