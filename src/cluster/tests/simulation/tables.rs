//! The pair of tables: what arrives there, what is done, what is answered, and how that gets lost.

use crate::world::{Happens, World};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tollgate_cluster::{Action, Beaten, Event, NodeRow, NotAdopted, Process, ShardRow, View};
use tollgate_store::ShardId;

/// A row of `shards`, as the table has it.
#[derive(Clone, Default)]
pub(crate) struct Row {
    pub(crate) epoch: u64,
    pub(crate) owner: Option<Process>,
    /// With the epoch in which it was named.
    heir: Option<(Process, u64)>,
    freed: Option<u64>,
}

impl World {
    /// A statement of a process arrives.
    pub(crate) fn arrives(&mut self, process: Process, action: Action, began: Duration) {
        let writes = !matches!(action, Action::Look | Action::Watch { .. });
        let lost = self.no_answer_wanted();
        if self.writes_away && writes {
            if let Some(event) = World::no_answer(&action, began) {
                self.answer(process, event);
            }
            return;
        }
        if self.store_away || lost {
            // It may have been done all the same.
            if !self.store_away && self.chance.one_in(2) {
                self.done(process, action.clone(), began);
            }
            if let Some(event) = World::no_answer(&action, began) {
                let after = self.chance.ms(500, 2_000);
                self.put(after, Happens::Heard { process, event });
            }
            return;
        }
        let asked = match action {
            Action::Adopt { shard, from, .. } => Some((process, shard, from)),
            _ => None,
        };
        if let Some(event) = self.done(process, action, began) {
            if let (
                Some(asked),
                Event::Adopted {
                    outcome: Err(NotAdopted::Taken),
                    ..
                },
            ) = (asked, &event)
            {
                let first = self.refused.insert(asked);
                assert!(first, "{asked:?} was tried again after it was told to be taken");
            }
            self.answer(process, event);
        }
    }

    /// A statement that gets no answer: it times out.
    fn no_answer(action: &Action, began: Duration) -> Option<Event> {
        Some(match action {
            Action::Register { .. } => Event::Registered(None),
            Action::Beat { .. } => Event::Beaten(None),
            Action::Look => Event::Looked { began, view: None },
            Action::Adopt { shard, .. } => Event::Adopted {
                shard: *shard,
                outcome: Err(NotAdopted::Failed),
            },
            Action::Offer { shard, .. } => Event::Offered {
                shard: *shard,
                written: None,
            },
            Action::Watch { shard, epoch } => Event::Watched {
                shard: *shard,
                epoch: *epoch,
                freed: false,
            },
            Action::Free { shard, .. } => Event::Freed {
                shard: *shard,
                written: None,
            },
            Action::Depart => Event::Departed(None),
            Action::Release { .. } | Action::Forget { .. } | Action::Remove { .. } | Action::End(_) => return None,
        })
    }

    /// Where the store is slow, answers get lost as well.
    fn no_answer_wanted(&mut self) -> bool {
        self.slow_ms > 500 && self.chance.one_in(10)
    }

    /// Does a statement at the store; what its sender hears.
    fn done(&mut self, process: Process, action: Action, began: Duration) -> Option<Event> {
        let name = self.name_of(process)?;
        Some(match action {
            Action::Register { over, beat } => {
                let found = self.members.get(&name).map(|row| (row.process, row.beat));
                let free = found == over || found.is_some_and(|(known, _)| known == process);
                if free {
                    let row = self.row_of(&name, process, beat);
                    self.members.insert(name, row);
                }
                Event::Registered(Some(free))
            }
            Action::Beat { beat, leaving } => Event::Beaten(Some(match self.members.get_mut(&name) {
                None => Beaten::Gone,
                Some(row) if row.process != process => Beaten::Replaced,
                Some(row) => {
                    (row.beat, row.leaving) = (beat, leaving);
                    Beaten::Kept
                }
            })),
            Action::Look => Event::Looked {
                began,
                view: Some(self.view()),
            },
            Action::Adopt { shard, from, .. } => return self.claim(process, shard, from),
            Action::Offer { shard, epoch, heir } => Event::Offered {
                shard,
                written: Some(self.write(shard, epoch, |row| row.heir = Some((heir, epoch)))),
            },
            Action::Free { shard, epoch } => Event::Freed {
                shard,
                written: Some(self.write(shard, epoch, |row| row.freed = Some(epoch))),
            },
            Action::Watch { shard, epoch } => {
                let row = self.rows.get(&shard).cloned().unwrap_or_default();
                let freed = row.freed == Some(epoch) && row.epoch == epoch && row.heir == Some((process, epoch));
                let watching = self.now - self.nodes.get(&process)?.born - began;
                if row.epoch == epoch && !freed && watching < Duration::from_secs(5) {
                    // It looks again.
                    let action = Action::Watch { shard, epoch };
                    self.put(Duration::from_millis(50), Happens::Arrives { process, action, began });
                    return None;
                }
                Event::Watched { shard, epoch, freed }
            }
            Action::Remove { node, process, beat } => {
                if self
                    .members
                    .get(&node)
                    .is_some_and(|row| (row.process, row.beat) == (process, beat))
                {
                    self.members.remove(&node);
                }
                return None;
            }
            Action::Depart => {
                if self.members.get(&name).is_some_and(|row| row.process == process) {
                    self.members.remove(&name);
                }
                Event::Departed(Some(true))
            }
            Action::Release { .. } | Action::Forget { .. } | Action::End(_) => return None,
        })
    }

    fn claim(&mut self, process: Process, shard: ShardId, from: u64) -> Option<Event> {
        let row = self.rows.entry(shard).or_default();
        if row.epoch != from {
            let outcome = Err(NotAdopted::Taken);
            return Some(Event::Adopted { shard, outcome });
        }
        (row.epoch, row.owner) = (from + 1, Some(process));
        let epoch = row.epoch;
        self.claims.push((self.now, shard, process));
        let fails = self.adoptions_fail.is_some_and(|of| self.chance.one_in(of));
        if fails || self.cannot_adopt == Some(process) {
            let outcome = Err(NotAdopted::Failed);
            return Some(Event::Adopted { shard, outcome });
        }
        let after = self.chance.ms(10, 400);
        self.put(after, Happens::Warm { process, shard, epoch });
        None
    }

    fn write(&mut self, shard: ShardId, epoch: u64, change: impl FnOnce(&mut Row)) -> bool {
        let row = self.rows.entry(shard).or_default();
        let applies = row.epoch == epoch;
        if applies {
            change(row);
        }
        applies
    }

    fn view(&self) -> View {
        let shard = |(shard, row): (&ShardId, &Row)| ShardRow {
            shard: *shard,
            epoch: row.epoch,
            owner: row.owner,
            heir: row.heir.filter(|(_, epoch)| *epoch == row.epoch).map(|(heir, _)| heir),
            freed: row.freed == Some(row.epoch),
        };
        View {
            shards: self.rows.iter().map(shard).collect(),
            nodes: self.members.values().cloned().collect(),
        }
    }

    fn name_of(&self, process: Process) -> Option<Arc<str>> {
        self.nodes.get(&process).map(|node| node.member.node())
    }

    fn row_of(&self, name: &Arc<str>, process: Process, beat: u64) -> NodeRow {
        NodeRow {
            node: Arc::clone(name),
            process,
            addr: SocketAddr::from(([127, 0, 0, 1], (process.0 % 50_000) as u16 + 1)),
            beat,
            leaving: false,
        }
    }
}
