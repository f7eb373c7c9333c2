//! The shards that this node has, or is about to have or to let go.

use crate::event::{Action, NotAdopted};
use crate::settings::Pace;
use crate::view::Process;
use std::collections::BTreeMap;
use std::time::Duration;
use tollgate_store::ShardId;

/// After so many failures in a row a shard is left to others for a while.
pub(crate) const FAILURES_MAX: u32 = 3;
/// Longest pause between two tries, in beats.
const PAUSE_BEATS_MAX: u32 = 30;
/// Shards that are let go at the same time, so that whoever takes them does so at once.
const RELEASES_AT_ONCE: usize = 4;
/// Pause before a row that could not be written is written again.
const FREE_AGAIN: Duration = Duration::from_millis(200);

/// A shard of this node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mine {
    /// It is being claimed and read.
    Adopting,
    /// It is served.
    Serving { epoch: u64 },
    /// It is served, and its row says who is to have it; once that is written, since then.
    Offering {
        epoch: u64,
        heir: Process,
        since: Option<Duration>,
    },
    /// What is under way finishes; nothing new is taken.
    Letting { epoch: u64, heir: Option<Process> },
    /// Nothing is here any more, and the row is to say so.
    Freeing {
        epoch: u64,
        heir: Option<Process>,
        /// Whether that is being written.
        writing: bool,
        /// When it may be tried.
        from: Duration,
    },
}

/// All of them.
#[derive(Default)]
pub(crate) struct Shards {
    held: BTreeMap<ShardId, Mine>,
    /// When something of a shard changed here last: what was read before says less than what is known.
    touched: BTreeMap<ShardId, Duration>,
    /// Adoptions that failed: how often in a row, and when the next may be tried.
    failed: BTreeMap<ShardId, (u32, Duration)>,
    /// Rows that are watched because their owner is about to let them go for this node.
    pub(crate) watched: BTreeMap<ShardId, u64>,
    /// Whether this node's row is being removed.
    pub(crate) departing: bool,
}

impl Shards {
    pub(crate) fn get(&self, shard: ShardId) -> Option<Mine> {
        self.held.get(&shard).copied()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (ShardId, Mine)> {
        self.held.iter().map(|(shard, mine)| (*shard, *mine))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub(crate) fn count(&self, of: impl Fn(&Mine) -> bool) -> usize {
        self.held.values().filter(|mine| of(mine)).count()
    }

    pub(crate) fn set(&mut self, shard: ShardId, mine: Mine, now: Duration) {
        self.held.insert(shard, mine);
        self.touched.insert(shard, now);
    }

    /// Whether a view whose look began then may say something of a shard that is not known better here.
    pub(crate) fn may_judge(&self, shard: ShardId, began: Duration) -> bool {
        self.touched.get(&shard).is_none_or(|touched| *touched < began)
    }

    pub(crate) fn may_try(&self, shard: ShardId, now: Duration) -> bool {
        self.failed.get(&shard).is_none_or(|(_, from)| now >= *from)
    }

    /// Whether adopting it failed again and again.
    pub(crate) fn is_hopeless(&self, shard: ShardId) -> bool {
        self.failed.get(&shard).is_some_and(|(times, _)| *times >= FAILURES_MAX)
    }

    pub(crate) fn drop(&mut self, shard: ShardId, now: Duration) {
        self.held.remove(&shard);
        self.touched.insert(shard, now);
    }

    pub(crate) fn adopted(&mut self, shard: ShardId, outcome: Result<u64, NotAdopted>, now: Duration, pause: Duration) {
        if !matches!(self.get(shard), Some(Mine::Adopting)) {
            return;
        }
        match outcome {
            Ok(epoch) => {
                self.failed.remove(&shard);
                self.set(shard, Mine::Serving { epoch }, now);
            }
            Err(NotAdopted::Taken) => self.drop(shard, now),
            Err(NotAdopted::Failed) => {
                self.drop(shard, now);
                let (times, from) = self.failed.entry(shard).or_default();
                *times += 1;
                *from = now + pause * (1 << (*times).min(5)).min(PAUSE_BEATS_MAX);
            }
        }
    }

    pub(crate) fn offered(&mut self, shard: ShardId, written: Option<bool>, now: Duration) {
        let Some(Mine::Offering { epoch, heir, .. }) = self.get(shard) else {
            return;
        };
        match written {
            Some(true) => self.set(
                shard,
                Mine::Offering {
                    epoch,
                    heir,
                    since: Some(now),
                },
                now,
            ),
            // Another epoch, which the next look shows, or not known, which it shows as well.
            Some(false) | None => self.set(shard, Mine::Serving { epoch }, now),
        }
    }

    /// Says in the row of a shard that is not served here that somebody else may have it.
    pub(crate) fn free(&mut self, shard: ShardId, epoch: u64, now: Duration, todo: &mut Vec<Action>) {
        let freeing = Mine::Freeing {
            epoch,
            heir: None,
            writing: true,
            from: now,
        };
        self.set(shard, freeing, now);
        todo.push(Action::Free { shard, epoch });
    }

    pub(crate) fn released(&mut self, shard: ShardId, now: Duration, todo: &mut Vec<Action>) {
        if let Some(Mine::Letting { epoch, heir }) = self.get(shard) {
            let freeing = Mine::Freeing {
                epoch,
                heir,
                writing: true,
                from: now,
            };
            self.set(shard, freeing, now);
            todo.push(Action::Free { shard, epoch });
        }
    }

    pub(crate) fn freed(&mut self, shard: ShardId, written: Option<bool>, now: Duration) {
        let Some(Mine::Freeing { epoch, heir, .. }) = self.get(shard) else {
            return;
        };
        match written {
            Some(_) => self.drop(shard, now),
            None => {
                let again = Mine::Freeing {
                    epoch,
                    heir,
                    writing: false,
                    from: now + FREE_AGAIN,
                };
                self.set(shard, again, now);
            }
        }
    }

    pub(crate) fn lost(&mut self, shard: ShardId, now: Duration) {
        // While it is being adopted, or let go, that has an end of its own.
        if matches!(self.get(shard), Some(Mine::Serving { .. } | Mine::Offering { .. })) {
            self.drop(shard, now);
        }
    }

    /// Does what is due by the clock alone.
    pub(crate) fn go_on(&mut self, now: Duration, pace: &Pace, todo: &mut Vec<Action>) {
        let all: Vec<(ShardId, Mine)> = self.iter().collect();
        for (shard, mine) in all {
            match mine {
                Mine::Offering {
                    epoch,
                    heir,
                    since: Some(since),
                } if now >= since + pace.offer_stands() && self.has_room() => {
                    self.let_go(shard, epoch, Some(heir), now, todo);
                }
                Mine::Freeing {
                    epoch,
                    heir,
                    writing: false,
                    from,
                } if now >= from => {
                    let writing = true;
                    self.set(
                        shard,
                        Mine::Freeing {
                            epoch,
                            heir,
                            writing,
                            from,
                        },
                        now,
                    );
                    todo.push(Action::Free { shard, epoch });
                }
                _ => {}
            }
        }
    }

    fn has_room(&self) -> bool {
        self.count(|mine| matches!(mine, Mine::Letting { .. } | Mine::Freeing { .. })) < RELEASES_AT_ONCE
    }

    pub(crate) fn let_go(
        &mut self,
        shard: ShardId,
        epoch: u64,
        heir: Option<Process>,
        now: Duration,
        todo: &mut Vec<Action>,
    ) {
        self.set(shard, Mine::Letting { epoch, heir }, now);
        todo.push(Action::Release { shard });
    }

    /// When [`Shards::go_on`] has something to do.
    pub(crate) fn wakes_at(&self, pace: &Pace) -> Option<Duration> {
        let room = self.has_room();
        let due = |mine: &Mine| match mine {
            Mine::Offering { since: Some(since), .. } if room => Some(*since + pace.offer_stands()),
            Mine::Freeing {
                writing: false, from, ..
            } => Some(*from),
            _ => None,
        };
        self.held.values().filter_map(due).min()
    }
}
