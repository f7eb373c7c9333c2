//! What membership needs of the rest: the tables, and the engine that serves shards.

use crate::event::Beaten;
use crate::view::{Process, View};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tollgate_store::{ShardId, StoreError};

/// A future in a box.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// An answer of the store; where it fails, what was asked for may have been done all the same.
pub type Asked<T> = BoxFuture<Result<T, StoreError>>;

/// The tables, as this process writes to them.
pub trait Registry: Send + Sync {
    /// Makes the row of this node, where there is none, or in place of a process that has been silent since this beat. False
    /// when somebody else has it.
    fn register(&self, over: Option<(Process, u64)>, beat: u64) -> Asked<bool>;
    /// Counts on in the row of this node.
    fn beat(&self, beat: u64, leaving: bool) -> Asked<Beaten>;
    /// Reads everything, the shards first.
    fn look(&self) -> Asked<View>;
    /// Names who is to have a shard next. False when its epoch is another one.
    fn offer(&self, shard: ShardId, epoch: u64, heir: Process) -> Asked<bool>;
    /// Says that a shard was let go. False when its epoch is another one.
    fn free(&self, shard: ShardId, epoch: u64) -> Asked<bool>;
    /// Whether the owner of this epoch let a shard go for this process; `None` when that cannot come any more.
    fn is_freed(&self, shard: ShardId, epoch: u64) -> Asked<Option<bool>>;
    /// Removes the row of a node that has been silent since this beat.
    fn remove(&self, node: Arc<str>, process: Process, beat: u64) -> Asked<()>;
    /// Removes the row of this process.
    fn depart(&self) -> Asked<()>;
}

/// What serves the shards of this node.
pub trait Holder: Send + Sync {
    /// Claims a shard, unless another owner has claimed it after this epoch, and serves it.
    fn adopt(&self, shard: ShardId, after: u64) -> Asked<Adopted>;
    /// Stops serving a shard: what is under way ends within the patience or is told to come again. Nothing of it is left
    /// then. Does nothing with a shard that is not here.
    fn release(&self, shard: ShardId, patience: Duration) -> BoxFuture<()>;
}

/// A shard that is served here now, and what took how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Adopted {
    /// Its epoch here.
    pub epoch: u64,
    /// Taking the epoch.
    pub claim: Duration,
    /// Raising the fence.
    pub fence: Duration,
    /// Reading what the journal holds behind the index.
    pub tail: Duration,
    /// From there to the first request served.
    pub warm_up: Duration,
}
