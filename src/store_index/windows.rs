//! Timers due soon, in memory; the others stay in the layers. A timer is a hint: one that was done may come again after
//! a restart and is found stale.
//!
//! Each shard has a *window*: every timer before `loaded` that is not done. What is asked for beyond it is read from the
//! layers, which costs a lane a look at files and happens only right after a start and when a clock leaps; a background
//! thread moves the windows ahead, a bounded step at a time.

use super::entries::TimerEntry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tollgate_store::index::Place;
use tollgate_store::{AccountRef, Head, ShardId, StoreError};

/// How far ahead windows reach, milliseconds.
const AHEAD_MS: u64 = 2 * 3_600_000;
/// A window that reaches at least this far ahead is left alone.
const AHEAD_MIN_MS: u64 = AHEAD_MS / 2;
/// Most timers in all windows together, about 30 bytes each; a window may take twice its share for a while.
const TIMERS_MAX: usize = 1 << 20;
/// Smallest share of a window.
const SHARE_MIN: usize = 1024;
/// Timers moved into a window under one lock.
const STEP: usize = 1024;

/// (due at, account, sequence).
type Timer = (u64, u64, u64);

/// Reads at most so many timers of the shard from this one on (inclusive) up to that one (exclusive) out of the layers.
pub(super) type FromLayers<'a> = dyn Fn(ShardId, Timer, Timer, usize) -> Result<Vec<TimerEntry>, StoreError> + 'a;

/// The windows of all shards.
pub(super) struct Windows {
    shards: RwLock<BTreeMap<ShardId, Arc<Mutex<Window>>>>,
    newest_ms: AtomicU64,
    share: usize,
}

#[derive(Default)]
struct Window {
    soon: BTreeSet<Timer>,
    /// Every timer before it that is not done is in `soon`.
    loaded: Timer,
    /// New timers before it are put into `soon` as they come; never less than `loaded`.
    arriving: Timer,
    /// Done, and not before `loaded`.
    done: BTreeSet<Timer>,
    /// The furthest time anyone asked for.
    asked_ms: u64,
}

impl Windows {
    /// `floors`: timers before these times were handled.
    pub(super) fn new(shards: usize, floors: &BTreeMap<ShardId, u64>) -> Windows {
        let window = |&floor: &u64| {
            Arc::new(Mutex::new(Window {
                loaded: (floor, 0, 0),
                arriving: (floor, 0, 0),
                ..Window::default()
            }))
        };
        Windows {
            shards: RwLock::new(floors.iter().map(|(&shard, floor)| (shard, window(floor))).collect()),
            newest_ms: AtomicU64::new(0),
            share: (TIMERS_MAX / shards.max(1)).max(SHARE_MIN),
        }
    }

    /// Takes up the timers of published records. They must be in a layer already.
    pub(super) fn add(&self, shard: ShardId, records: &[(Place, Head)]) {
        let newest_ms = records.iter().map(|(_, head)| head.now_ms).max();
        self.newest_ms.fetch_max(newest_ms.unwrap_or(0), Relaxed);
        if records.iter().all(|(_, head)| head.timers.is_empty()) {
            return;
        }
        let window = self.window(shard);
        let mut window = lock(&window);
        for (_, head) in records {
            for &(due_ms, seq) in &head.timers {
                window.add((due_ms, head.account, seq), 2 * self.share);
            }
        }
    }

    /// See [`tollgate_store::Reads::timers_due`].
    pub(super) fn due(
        &self,
        shard: ShardId,
        until_ms: u64,
        limit: usize,
        layers: &FromLayers<'_>,
    ) -> Vec<(u64, AccountRef, u64)> {
        let window = self.window(shard);
        let after = until_ms
            .checked_add(1)
            .map_or((u64::MAX, u64::MAX, u64::MAX), |after| (after, 0, 0));
        let (mut due, mut from) = {
            let mut window = lock(&window);
            window.asked_ms = window.asked_ms.max(until_ms);
            let known = window.soon.range(..after.min(window.loaded));
            (known.take(limit).copied().collect::<Vec<Timer>>(), window.loaded)
        };
        while due.len() < limit && from < after {
            // What cannot be read is not due yet: the index is condemned by then, and says so.
            let Ok(more) = layers(shard, from, after, limit) else {
                break;
            };
            let ended = more.len() < limit;
            from = more.last().map_or(after, |last| next(timer(last)));
            let window = lock(&window);
            due.extend(more.iter().map(timer).filter(|timer| !window.done.contains(timer)));
            if ended {
                break;
            }
        }
        due.truncate(limit);
        due.into_iter()
            .map(|(due_ms, account, seq)| (due_ms, AccountRef(account), seq))
            .collect()
    }

    /// See [`tollgate_store::Reads::timers_done`].
    pub(super) fn done(&self, shard: ShardId, timers: &[(u64, AccountRef, u64)]) {
        let window = self.window(shard);
        let mut window = lock(&window);
        for &(due_ms, account, seq) in timers {
            let timer = (due_ms, account.0, seq);
            window.soon.remove(&timer);
            if timer >= window.loaded {
                window.done.insert(timer);
            }
        }
    }

    /// Times before which each shard's timers have been handled.
    pub(super) fn floors(&self) -> BTreeMap<ShardId, u64> {
        let shards = self.shards.read().unwrap_or_else(PoisonError::into_inner);
        let floor = |window: &Mutex<Window>| {
            let window = lock(window);
            let first = window
                .soon
                .first()
                .map_or(window.loaded, |&first| first.min(window.loaded));
            first.0
        };
        shards.iter().map(|(&shard, window)| (shard, floor(window))).collect()
    }

    /// Moves the windows ahead where they have become short.
    pub(super) fn advance(&self, layers: &FromLayers<'_>) -> Result<(), StoreError> {
        let shards: Vec<_> = {
            let shards = self.shards.read().unwrap_or_else(PoisonError::into_inner);
            shards
                .iter()
                .map(|(&shard, window)| (shard, Arc::clone(window)))
                .collect()
        };
        for (shard, window) in shards {
            while self.step(shard, &window, layers)? {}
        }
        Ok(())
    }

    /// Moves one window ahead by a step; false when it reaches far enough, or has its share.
    fn step(&self, shard: ShardId, window: &Mutex<Window>, layers: &FromLayers<'_>) -> Result<bool, StoreError> {
        let (from, target, room) = {
            let mut window = lock(window);
            let now_ms = window.asked_ms.max(self.newest_ms.load(Relaxed));
            let target = (now_ms.saturating_add(AHEAD_MS), 0, 0);
            let room = self.share.saturating_sub(window.soon.len()).min(STEP);
            if window.loaded.0 >= now_ms.saturating_add(AHEAD_MIN_MS) || window.loaded >= target || room == 0 {
                return Ok(false);
            }
            // From here on what is published before the target goes into the window itself, so that what the layers
            // tell and what arrives meanwhile are all there is.
            window.arriving = window.arriving.max(target);
            (window.loaded, target, room)
        };
        let more = layers(shard, from, target, room)?;
        let mut window = lock(window);
        let reached = if more.len() < room {
            target
        } else {
            more.last().map_or(target, |last| next(timer(last)))
        };
        // The window may have been cut meanwhile.
        window.loaded = reached.min(window.arriving).max(window.loaded);
        let Window { soon, done, loaded, .. } = &mut *window;
        soon.extend(more.iter().map(timer).filter(|timer| !done.contains(timer)));
        *done = done.split_off(loaded);
        Ok(true)
    }

    fn window(&self, shard: ShardId) -> Arc<Mutex<Window>> {
        let shards = self.shards.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = shards.get(&shard) {
            return Arc::clone(window);
        }
        drop(shards);
        let mut shards = self.shards.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(shards.entry(shard).or_default())
    }
}

impl Window {
    fn add(&mut self, timer: Timer, most: usize) {
        // Done once, and set again: it is due again.
        self.done.remove(&timer);
        if timer >= self.arriving {
            return;
        }
        self.soon.insert(timer);
        if self.soon.len() > most
            && let Some(last) = self.soon.pop_last()
        {
            self.loaded = self.loaded.min(last);
            self.arriving = self.arriving.min(last);
        }
    }
}

fn lock(window: &Mutex<Window>) -> MutexGuard<'_, Window> {
    window.lock().unwrap_or_else(PoisonError::into_inner)
}

fn timer(entry: &TimerEntry) -> Timer {
    (entry.due_ms, entry.account, entry.seq)
}

/// The first timer there can be after this one.
fn next(timer: Timer) -> Timer {
    match timer {
        (due_ms, account, seq) if seq < u64::MAX => (due_ms, account, seq + 1),
        (due_ms, account, _) if account < u64::MAX => (due_ms, account + 1, 0),
        (due_ms, ..) => (due_ms.saturating_add(1), 0, 0),
    }
}
