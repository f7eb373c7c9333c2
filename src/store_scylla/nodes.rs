//! The tables of the membership: which nodes there are, and who is to have which shard next. They say who *tries* to own
//! what, so a wrong row costs a moment of service; safety is the epochs' and the fences' alone.
//!
//! ```text
//! nodes      a row for each node that has not left: its incarnation, its address, how often it has said that it lives
//! handovers  whom the owner of an epoch names as the next owner, and the newest epoch whose owner let the shard go
//! ```
//! Conditional writes only, both of them: two processes with one name notice each other, and a word that arrives late changes
//! nothing of what was said since.

use crate::answer::{Answer, Condition, Fields};
use crate::failure::failed;
use crate::link::{Failed, Link};
use crate::protocol::{Claimant, number, signed};
use crate::runtime::Runtime;
use scylla::statement::prepared::PreparedStatement;
use std::collections::HashMap;
use std::sync::Arc;
use tollgate_store::{ShardId, StoreError};

/// One incarnation of a node, as it marks its claims.
pub type ProcessMark = [u8; 8];

/// A node's row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeRow {
    /// Its name.
    pub node: String,
    /// Its incarnation.
    pub process: ProcessMark,
    /// Where other nodes reach it.
    pub addr: String,
    /// How often it has said that it lives.
    pub beat: u64,
    /// Whether it is about to stop.
    pub leaving: bool,
}

/// Who owns a shard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnerRow {
    /// The shard.
    pub shard: ShardId,
    /// The incarnation of its owner, counted; 0 when it was never owned.
    pub epoch: u64,
    /// The process that claimed it.
    pub process: Option<ProcessMark>,
    /// The name of its node.
    pub node: Option<String>,
    /// Where it is reached.
    pub addr: Option<String>,
    /// Who is to have it next, by the will of the owner of this epoch.
    pub heir: Option<ProcessMark>,
    /// Whether the owner of this epoch let it go.
    pub freed: bool,
}

/// What a beat came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beat {
    /// It stands.
    Kept,
    /// There is no such row.
    Gone,
    /// Another process has the name.
    Replaced,
}

/// The tables of the membership, as one process speaks to them. Clones are handles to the same ones.
#[derive(Clone)]
pub struct Nodes(Arc<Tables>);

struct Tables {
    link: Arc<Link>,
    runtime: Runtime,
    me: Claimant,
    register: PreparedStatement,
    replace: PreparedStatement,
    beat: PreparedStatement,
    depart: PreparedStatement,
    remove: PreparedStatement,
    nodes: PreparedStatement,
    owners: PreparedStatement,
    handovers: PreparedStatement,
    owner: PreparedStatement,
    handover: PreparedStatement,
    handover_make: PreparedStatement,
    offer: PreparedStatement,
    free: PreparedStatement,
}

/// What a statement is about that fails.
const WHAT: &str = "the membership";

impl Nodes {
    pub(crate) async fn prepare(link: Arc<Link>, runtime: Runtime, me: Claimant) -> Result<Nodes, StoreError> {
        let l = &*link;
        Ok(Nodes(Arc::new(Tables {
            register: l
                .conditional(
                    "INSERT INTO $.nodes (node, process, addr, beat, leaving) VALUES (?, ?, ?, ?, false) IF NOT EXISTS",
                )
                .await?,
            replace: l
                .conditional(
                    "UPDATE $.nodes SET process = ?, addr = ?, beat = ?, leaving = false WHERE node = ? \
                     IF process = ? AND beat = ?",
                )
                .await?,
            beat: l
                .conditional("UPDATE $.nodes SET beat = ?, leaving = ? WHERE node = ? IF process = ?")
                .await?,
            depart: l
                .conditional("DELETE FROM $.nodes WHERE node = ? IF process = ?")
                .await?,
            remove: l
                .conditional("DELETE FROM $.nodes WHERE node = ? IF process = ? AND beat = ?")
                .await?,
            nodes: l
                .plain("SELECT node, process, addr, beat, leaving FROM $.nodes")
                .await?,
            owners: l.plain("SELECT shard, epoch, owner, addr, claim FROM $.shards").await?,
            handovers: l.plain("SELECT shard, epoch, heir, freed FROM $.handovers").await?,
            owner: l.serial("SELECT epoch FROM $.shards WHERE shard = ?").await?,
            handover: l
                .serial("SELECT shard, epoch, heir, freed FROM $.handovers WHERE shard = ?")
                .await?,
            handover_make: l
                .conditional("INSERT INTO $.handovers (shard, epoch, freed) VALUES (?, 0, 0) IF NOT EXISTS")
                .await?,
            offer: l
                .conditional("UPDATE $.handovers SET epoch = ?, heir = ? WHERE shard = ? IF epoch <= ?")
                .await?,
            free: l
                .conditional("UPDATE $.handovers SET freed = ? WHERE shard = ? IF freed <= ?")
                .await?,
            link,
            runtime,
            me,
        })))
    }

    /// This process.
    pub fn process(&self) -> ProcessMark {
        self.0.me.process
    }

    /// The name of this node.
    pub fn node(&self) -> &str {
        &self.0.me.node
    }

    /// Makes the row of this node, where there is none, or in the place of a process that has been silent since this beat.
    /// False when somebody else has it.
    ///
    /// # Errors
    /// When it is not known whether it was made.
    pub async fn register(&self, over: Option<(ProcessMark, u64)>, beat: u64) -> Result<bool, StoreError> {
        self.ask(async move |tables| {
            let (me, beat) = (&tables.me, signed(beat));
            let (node, process, addr) = (me.node.as_str(), &me.process[..], me.addr.as_str());
            let answer = match over {
                None => tables.link.run(&tables.register, (node, process, addr, beat)).await,
                Some((silent, at)) => {
                    let values = (process, addr, beat, node, &silent[..], signed(at));
                    tables.link.run(&tables.replace, values).await
                }
            };
            Ok(match condition(answer)? {
                Condition::Applied => true,
                // An earlier try whose answer was lost.
                Condition::Refused(found) => found.bytes("process") == Some(process),
            })
        })
        .await
    }

    /// Says that this node lives, and whether it is about to stop.
    ///
    /// # Errors
    /// When it is not known whether that stands.
    pub async fn beat(&self, beat: u64, leaving: bool) -> Result<Beat, StoreError> {
        self.ask(async move |tables| {
            let values = (signed(beat), leaving, tables.me.node.as_str(), &tables.me.process[..]);
            let answer = tables.link.run(&tables.beat, values).await;
            Ok(match condition(answer)? {
                Condition::Applied => Beat::Kept,
                Condition::Refused(found) if found.bytes("process").is_some() => Beat::Replaced,
                Condition::Refused(_) => Beat::Gone,
            })
        })
        .await
    }

    /// Removes the row of this process.
    ///
    /// # Errors
    /// When it is not known whether it is gone.
    pub async fn depart(&self) -> Result<(), StoreError> {
        self.ask(async move |tables| {
            let values = (tables.me.node.as_str(), &tables.me.process[..]);
            condition(tables.link.run(&tables.depart, values).await).map(drop)
        })
        .await
    }

    /// Removes the row of a node that has been silent since this beat.
    ///
    /// # Errors
    /// When it is not known whether it is gone.
    pub async fn remove(&self, node: &str, process: ProcessMark, beat: u64) -> Result<(), StoreError> {
        let node = node.to_owned();
        self.ask(async move |tables| {
            let values = (node.as_str(), &process[..], signed(beat));
            condition(tables.link.run(&tables.remove, values).await).map(drop)
        })
        .await
    }

    /// Who owns what, and then which nodes there are: the row of whoever owns a shard was made before it claimed one.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub async fn look(&self) -> Result<(Vec<OwnerRow>, Vec<NodeRow>), StoreError> {
        self.ask(async |tables| {
            let owners = tables.owners().await?;
            let nodes = read(tables.link.run(&tables.nodes, ()).await)?;
            Ok((owners, nodes.each().filter_map(|row| node_of(&row)).collect()))
        })
        .await
    }

    /// Who owns what: every shard that was ever claimed.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub async fn owners(&self) -> Result<Vec<OwnerRow>, StoreError> {
        self.ask(async |tables| tables.owners().await).await
    }

    /// Names who is to have a shard next, as its owner of this epoch. False when a newer epoch has spoken.
    ///
    /// # Errors
    /// When it is not known whether that stands.
    pub async fn offer(&self, shard: ShardId, epoch: u64, heir: ProcessMark) -> Result<bool, StoreError> {
        self.ask(async move |tables| {
            let values = (signed(epoch), &heir[..], number(shard), signed(epoch));
            tables.say(shard, &tables.offer, values).await
        })
        .await
    }

    /// Says that the owner of this epoch let a shard go. False when a newer epoch has done so.
    ///
    /// # Errors
    /// When it is not known whether that stands.
    pub async fn free(&self, shard: ShardId, epoch: u64) -> Result<bool, StoreError> {
        self.ask(async move |tables| {
            let values = (signed(epoch), number(shard), signed(epoch));
            tables.say(shard, &tables.free, values).await
        })
        .await
    }

    /// Whether the owner of this epoch let a shard go for this process; `None` when that cannot come any more, because it
    /// is to be another's or has an owner of a newer epoch.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub async fn is_freed(&self, shard: ShardId, epoch: u64) -> Result<Option<bool>, StoreError> {
        self.ask(async move |tables| {
            let row = read(tables.link.run(&tables.handover, (number(shard),)).await)?.first();
            let handover = row.as_ref().and_then(handover_of);
            let ours = |handover: &Handover| handover.heir_of(epoch) == Some(tables.me.process);
            let Some(handover) = handover.filter(ours) else {
                return Ok(None);
            };
            if handover.freed == epoch {
                return Ok(Some(true));
            }
            let owner = read(tables.link.run(&tables.owner, (number(shard),)).await)?.first();
            let same = owner.and_then(|row| row.unsigned("epoch")) == Some(epoch);
            Ok(same.then_some(false))
        })
        .await
    }

    /// Runs something on the store's own threads.
    async fn ask<T: Send + 'static, F>(
        &self,
        work: impl FnOnce(Arc<Tables>) -> F + Send + 'static,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let (sender, answer) = tokio::sync::oneshot::channel();
        let tables = Arc::clone(&self.0);
        self.0.runtime.spawn(async move {
            // Nobody listens any more where the caller is gone.
            let _ = sender.send(work(tables).await);
        });
        answer.await.unwrap_or(Err(StoreError::Stopped))
    }
}

impl Tables {
    async fn owners(&self) -> Result<Vec<OwnerRow>, StoreError> {
        let (owners, handovers) = tokio::join!(self.link.run(&self.owners, ()), self.link.run(&self.handovers, ()));
        let handovers: HashMap<ShardId, Handover> = read(handovers)?
            .each()
            .filter_map(|row| Some((shard_of(&row)?, handover_of(&row)?)))
            .collect();
        let owner = |row: Fields| {
            let (shard, epoch) = (shard_of(&row)?, row.unsigned("epoch")?);
            let handover = handovers.get(&shard);
            Some(OwnerRow {
                shard,
                epoch,
                process: row.bytes("claim").and_then(mark_of),
                node: row.text("owner").map(str::to_owned),
                addr: row.text("addr").map(str::to_owned),
                heir: handover.and_then(|handover| handover.heir_of(epoch)),
                freed: epoch > 0 && handover.is_some_and(|handover| handover.freed == epoch),
            })
        };
        Ok(read(owners)?.each().filter_map(owner).collect())
    }

    /// Writes to the handover of a shard, whose row is made where there is none.
    async fn say(
        &self,
        shard: ShardId,
        statement: &PreparedStatement,
        values: impl scylla::serialize::row::SerializeRow + Copy,
    ) -> Result<bool, StoreError> {
        for _ in 0..2 {
            match condition(self.link.run(statement, values).await)? {
                Condition::Applied => return Ok(true),
                Condition::Refused(found) if found.unsigned("epoch").or(found.unsigned("freed")).is_some() => {
                    return Ok(false);
                }
                Condition::Refused(_) => {
                    condition(self.link.run(&self.handover_make, (number(shard),)).await)?;
                }
            }
        }
        Err(failed(WHAT, &"the row of a handover comes and goes"))
    }
}

/// A row of `handovers`.
struct Handover {
    epoch: u64,
    heir: Option<ProcessMark>,
    /// The newest epoch whose owner let the shard go; 0 for none.
    freed: u64,
}

impl Handover {
    fn heir_of(&self, epoch: u64) -> Option<ProcessMark> {
        self.heir.filter(|_| self.epoch == epoch)
    }
}

fn handover_of(row: &Fields) -> Option<Handover> {
    Some(Handover {
        epoch: row.unsigned("epoch")?,
        heir: row.bytes("heir").and_then(mark_of),
        freed: row.unsigned("freed")?,
    })
}

fn node_of(row: &Fields) -> Option<NodeRow> {
    Some(NodeRow {
        node: row.text("node")?.to_owned(),
        process: row.bytes("process").and_then(mark_of)?,
        addr: row.text("addr")?.to_owned(),
        beat: row.unsigned("beat")?,
        leaving: row.boolean("leaving")?,
    })
}

fn shard_of(row: &Fields) -> Option<ShardId> {
    let shard = row.unsigned("shard")?;
    u16::try_from(shard).ok().map(ShardId)
}

/// A process, at the beginning of its claims' marks.
fn mark_of(bytes: &[u8]) -> Option<ProcessMark> {
    bytes.first_chunk().copied()
}

fn read(answer: Result<Answer, Failed>) -> Result<Answer, StoreError> {
    answer.map_err(|error| error.told(WHAT))
}

fn condition(answer: Result<Answer, Failed>) -> Result<Condition, StoreError> {
    read(answer)?.condition()
}
