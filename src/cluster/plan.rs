//! What follows from a view: what this node takes, gives and lets go.

use crate::event::{Action, Why};
use crate::member::{Member, Standing};
use crate::mine::Mine;
use crate::peers::State;
use crate::shares::{Giver, Taker, heirs, orphans, quotas};
use crate::view::Process;
use std::collections::BTreeMap;
use std::time::Duration;
use tollgate_store::ShardId;

/// Shards that a node adopts at the same time: each wants a thread and some reads.
const ADOPTIONS_AT_ONCE: usize = 8;
/// Shards that a node gives to others at the same time, in ordinary operation.
const MOVES_AT_ONCE: usize = 4;
/// The same, when it is about to stop.
const LEAVING_MOVES_AT_ONCE: usize = 32;

/// Whose a shard is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Whose {
    /// Of a member that lives, or is promised to one that does.
    Of(Process),
    /// Nobody's: let go, or never owned.
    Free { epoch: u64, heir: Option<Process> },
    /// Its owner is dead.
    Dead { epoch: u64, owner: Process },
}

impl Member {
    /// Acts on what is known.
    pub(crate) fn plan(&mut self, now: Duration, todo: &mut Vec<Action>) {
        self.notice_losses(now, todo);
        let joined = match self.standing {
            Standing::In { since } => since,
            Standing::HandingOver | Standing::Leaving => return self.give_all(now, todo),
            Standing::Outside | Standing::Joining | Standing::Ended => return,
        };
        self.watch_for_heirlooms(now, todo);
        // Whoever joined at the same time is seen by now.
        if self.seen_at >= joined + self.pace.beat {
            self.take_orphans(now, todo);
            self.give_excess(now, todo);
            self.remove_the_long_dead(todo);
        }
    }

    /// Ages what nobody serves by watched time.
    pub(crate) fn age_orphans(&mut self, step: Duration) {
        let mut aged = BTreeMap::new();
        for (shard, whose) in self.whose() {
            let (epoch, heir) = match whose {
                Whose::Free { epoch, heir } => (epoch, heir),
                Whose::Dead { epoch, .. } => (epoch, None),
                Whose::Of(_) => continue,
            };
            let before = self.orphans.get(&shard).filter(|(known, _)| *known == epoch);
            let age = before.map_or(Duration::ZERO, |(_, age)| *age + step);
            if let (Some(heir), Some((_, before))) = (heir, before)
                && *before < self.pace.suspect
                && age >= self.pace.suspect
            {
                self.peers.did_not_take(heir);
            }
            aged.insert(shard, (epoch, age));
        }
        self.orphans = aged;
    }

    /// The owner of a row that is watched may have let it go, or not.
    pub(crate) fn watched(&mut self, shard: ShardId, epoch: u64, freed: bool, now: Duration, todo: &mut Vec<Action>) {
        if self.mine.watched.get(&shard) == Some(&epoch) {
            self.mine.watched.remove(&shard);
        }
        let free = self.mine.get(shard).is_none() && matches!(self.standing, Standing::In { .. });
        if freed && free {
            self.adopt(shard, epoch, Why::Handover, now, todo);
        }
    }

    /// Another owner has what is served here: not worth a fight.
    fn notice_losses(&mut self, now: Duration, todo: &mut Vec<Action>) {
        let held: Vec<(ShardId, Mine)> = self.mine.iter().collect();
        for (shard, mine) in held {
            let (Mine::Serving { epoch } | Mine::Offering { epoch, .. }) = mine else {
                continue;
            };
            let Some(row) = self.rows.get(&shard).filter(|row| row.epoch > epoch) else {
                continue;
            };
            if row.owner == Some(self.me.process) {
                // It was built again here.
                let epoch = row.epoch;
                self.mine.set(shard, Mine::Serving { epoch }, now);
            } else {
                self.mine.drop(shard, now);
                todo.push(Action::Forget { shard });
            }
        }
    }

    /// Shards that were promised to this node: taken when they are let go, which is worth more than a look a second.
    fn watch_for_heirlooms(&mut self, now: Duration, todo: &mut Vec<Action>) {
        let promised: Vec<(ShardId, u64, bool)> = self
            .rows
            .values()
            .filter(|row| row.heir == Some(self.me.process) && row.owner != Some(self.me.process))
            .map(|row| (row.shard, row.epoch, row.freed))
            .collect();
        for (shard, epoch, freed) in promised {
            if self.knows_better(shard) || !self.mine.may_try(shard, now) {
                continue;
            }
            if freed {
                self.adopt(shard, epoch, Why::Handover, now, todo);
            } else if self.mine.watched.get(&shard) != Some(&epoch) {
                self.mine.watched.insert(shard, epoch);
                todo.push(Action::Watch { shard, epoch });
            }
        }
    }

    fn take_orphans(&mut self, now: Duration, todo: &mut Vec<Action>) {
        let whose = self.whose();
        let takers = self.takers(&whose);
        let nobodys: Vec<(ShardId, Option<Process>)> = whose
            .iter()
            .filter_map(|(shard, whose)| match whose {
                Whose::Of(_) => None,
                Whose::Free { heir, .. } => Some((*shard, *heir)),
                Whose::Dead { .. } => Some((*shard, None)),
            })
            .collect();
        for (shard, order) in orphans(&takers, &nobodys) {
            let adopting = self.mine.count(|mine| matches!(mine, Mine::Adopting));
            if adopting >= ADOPTIONS_AT_ONCE {
                return;
            }
            let rank = order.iter().position(|process| *process == self.me.process);
            let (Some(rank), Some(&(epoch, age))) = (rank, self.orphans.get(&shard)) else {
                continue;
            };
            if self.knows_better(shard) {
                continue;
            }
            if self.mine.is_hopeless(shard) && self.claimed_here(shard) {
                // It was claimed and could not be read, again and again: somebody else may be luckier.
                self.mine.free(shard, epoch, now, todo);
                continue;
            }
            // The first one goes at once; each of the others when those before it had time enough.
            if !self.mine.may_try(shard, now) || age < self.pace.suspect * rank as u32 {
                continue;
            }
            let why = match whose.get(&shard) {
                Some(Whose::Dead { owner, .. }) => Why::Failover {
                    silent: self.peers.by_process(*owner).map_or(age, |(_, seen)| seen.silent),
                },
                _ => Why::Free,
            };
            self.adopt(shard, epoch, why, now, todo);
        }
    }

    /// Whether what happened here says more of a shard than the last look.
    fn knows_better(&self, shard: ShardId) -> bool {
        self.mine.get(shard).is_some() || !self.mine.may_judge(shard, self.seen_at)
    }

    fn claimed_here(&self, shard: ShardId) -> bool {
        let row = self.rows.get(&shard);
        row.is_some_and(|row| row.owner == Some(self.me.process) && !row.freed)
    }

    fn adopt(&mut self, shard: ShardId, from: u64, why: Why, now: Duration, todo: &mut Vec<Action>) {
        self.mine.set(shard, Mine::Adopting, now);
        todo.push(Action::Adopt { shard, from, why });
    }

    fn give_excess(&mut self, now: Duration, todo: &mut Vec<Action>) {
        let whose = self.whose();
        let takers = self.takers(&whose);
        let quotas = quotas(&takers, self.shards.len());
        let mut givers = self.leavers(&whose);
        givers.extend(takers.iter().zip(&quotas).map(|(taker, quota)| Giver {
            process: taker.process,
            excess: taker.has.saturating_sub(*quota),
        }));
        let heirs = heirs(&givers, &takers, &quotas, self.me.process);
        self.offer(&heirs, &takers, MOVES_AT_ONCE, now, todo);
    }

    /// Gives everything away, and lets go of what nobody takes once the node leaves for good.
    fn give_all(&mut self, now: Duration, todo: &mut Vec<Action>) {
        if self.standing == Standing::Leaving {
            let served: Vec<(ShardId, u64)> = self
                .mine
                .iter()
                .filter_map(|(shard, mine)| match mine {
                    Mine::Serving { epoch } | Mine::Offering { epoch, .. } => Some((shard, epoch)),
                    _ => None,
                })
                .collect();
            for (shard, epoch) in served {
                self.mine.let_go(shard, epoch, None, now, todo);
            }
            if self.mine.is_empty() && !self.mine.departing {
                self.mine.departing = true;
                todo.push(Action::Depart);
            }
            return;
        }
        let whose = self.whose();
        let mut takers = self.takers(&whose);
        for taker in &mut takers {
            taker.steady = true;
        }
        let quotas = quotas(&takers, self.shards.len());
        let heirs = heirs(&self.leavers(&whose), &takers, &quotas, self.me.process);
        self.offer(&heirs, &takers, LEAVING_MOVES_AT_ONCE, now, todo);
    }

    /// Offers shards to heirs, so many at a time, and takes back offers to those that are gone.
    fn offer(&mut self, heirs: &[Process], takers: &[Taker], at_once: usize, now: Duration, todo: &mut Vec<Action>) {
        let held: Vec<(ShardId, Mine)> = self.mine.iter().collect();
        for &(shard, mine) in &held {
            if let Mine::Offering {
                epoch,
                heir,
                since: Some(_),
            } = mine
                && !takers.iter().any(|taker| taker.process == heir)
            {
                self.mine.set(shard, Mine::Serving { epoch }, now);
            }
        }
        let moving = self
            .mine
            .count(|mine| !matches!(mine, Mine::Serving { .. } | Mine::Adopting));
        let served = held.iter().rev().filter_map(|(shard, mine)| match mine {
            Mine::Serving { epoch } if self.mine.may_judge(*shard, self.seen_at) => Some((*shard, *epoch)),
            _ => None,
        });
        // The directory's number is the highest, and it goes last: everybody reads it.
        let (directory, others): (Vec<_>, Vec<_>) = served.partition(|(shard, _)| *shard == ShardId::DIRECTORY);
        let offers: Vec<_> = others
            .into_iter()
            .chain(directory)
            .zip(heirs)
            .take(at_once.saturating_sub(moving))
            .collect();
        for ((shard, epoch), &heir) in offers {
            self.mine.set(
                shard,
                Mine::Offering {
                    epoch,
                    heir,
                    since: None,
                },
                now,
            );
            todo.push(Action::Offer { shard, epoch, heir });
        }
    }

    fn remove_the_long_dead(&mut self, todo: &mut Vec<Action>) {
        // One of them does it.
        if self
            .peers
            .alive()
            .next()
            .is_none_or(|(first, _)| *first != self.me.node)
        {
            return;
        }
        for (node, seen) in self.peers.all() {
            if seen.state == State::Dead && seen.silent >= self.pace.remove_after() {
                todo.push(Action::Remove {
                    node: std::sync::Arc::clone(node),
                    process: seen.process,
                    beat: seen.beat(),
                });
            }
        }
    }

    /// Members that are about to stop, this one included, by process: each gives all that it has.
    fn leavers(&self, whose: &BTreeMap<ShardId, Whose>) -> Vec<Giver> {
        let me = matches!(self.standing, Standing::HandingOver | Standing::Leaving).then_some(self.me.process);
        let others = self.peers.alive().map(|(_, seen)| seen);
        let others = others.filter(|seen| seen.leaving && seen.process != self.me.process);
        let mut all: Vec<Process> = me.into_iter().chain(others.map(|seen| seen.process)).collect();
        all.sort_unstable();
        let giver = |process| Giver {
            process,
            excess: owned_by(whose, process),
        };
        all.into_iter().map(giver).collect()
    }

    /// Members that may own shards, by name.
    fn takers(&self, whose: &BTreeMap<ShardId, Whose>) -> Vec<Taker> {
        let mut takers = Vec::new();
        for (node, seen) in self.peers.alive() {
            let me = seen.process == self.me.process;
            if seen.leaving || me {
                continue;
            }
            takers.push(Taker {
                node: std::sync::Arc::clone(node),
                process: seen.process,
                has: owned_by(whose, seen.process),
                steady: seen.is_steady(&self.pace),
            });
        }
        if matches!(self.standing, Standing::In { .. }) {
            takers.push(Taker {
                node: std::sync::Arc::clone(&self.me.node),
                process: self.me.process,
                has: owned_by(whose, self.me.process),
                steady: true,
            });
        }
        takers.sort_by(|a, b| a.node.cmp(&b.node));
        takers
    }

    /// Whose each shard is, or is to be.
    fn whose(&self) -> BTreeMap<ShardId, Whose> {
        let lives = |process: Process| {
            let alive = self.peers.by_process(process);
            process == self.me.process || alive.is_some_and(|(_, seen)| seen.state == State::Alive)
        };
        let takes = |process: Process| match process == self.me.process {
            true => matches!(self.standing, Standing::In { .. }),
            false => lives(process) && self.peers.by_process(process).is_some_and(|(_, seen)| !seen.leaving),
        };
        let mut rows: BTreeMap<ShardId, Whose> = self
            .shards
            .iter()
            .map(|&shard| (shard, Whose::Free { epoch: 0, heir: None }))
            .collect();
        for row in self.rows.values() {
            let heir = row.heir.filter(|heir| takes(*heir));
            let free = Whose::Free { epoch: row.epoch, heir };
            let whose = match (row.owner, heir) {
                (None, _) => free,
                (Some(_), _) if row.freed => free,
                (Some(owner), _) if !lives(owner) => Whose::Dead {
                    epoch: row.epoch,
                    owner,
                },
                (Some(_), Some(heir)) => Whose::Of(heir),
                (Some(owner), None) if owner == self.me.process && self.mine.get(row.shard).is_none() => free,
                (Some(owner), None) => Whose::Of(owner),
            };
            rows.insert(row.shard, whose);
        }
        for (shard, mine) in self.mine.iter() {
            match mine {
                Mine::Adopting | Mine::Serving { .. } => {
                    rows.insert(shard, Whose::Of(self.me.process));
                }
                Mine::Offering { heir, .. } => {
                    let whose = if takes(heir) { heir } else { self.me.process };
                    rows.insert(shard, Whose::Of(whose));
                }
                // Whoever has it next, it is not to be taken back now.
                Mine::Letting { heir, .. } | Mine::Freeing { heir, .. } => {
                    let whose = heir.filter(|heir| takes(*heir)).unwrap_or(self.me.process);
                    rows.insert(shard, Whose::Of(whose));
                }
            }
        }
        rows
    }
}

fn owned_by(whose: &BTreeMap<ShardId, Whose>, process: Process) -> usize {
    whose.values().filter(|whose| **whose == Whose::Of(process)).count()
}
