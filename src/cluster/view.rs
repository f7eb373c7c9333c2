//! What the tables say: which nodes there are, and who owns what.

use std::net::SocketAddr;
use std::sync::Arc;
use tollgate_store::ShardId;

/// One incarnation of a node: a random number that a process draws when it starts. What an earlier process of the same name
/// owned is not owned by this one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Process(pub u64);

/// A node's row, as it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeRow {
    /// Its name.
    pub node: Arc<str>,
    /// Its incarnation.
    pub process: Process,
    /// Where other nodes reach it.
    pub addr: SocketAddr,
    /// How often it has said that it lives. Only whether it changes means something.
    pub beat: u64,
    /// Whether it is about to stop and takes nothing any more.
    pub leaving: bool,
}

/// A shard's row, as it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShardRow {
    /// The shard.
    pub shard: ShardId,
    /// The incarnation of its owner, counted; 0 when it was never owned.
    pub epoch: u64,
    /// The process that claimed it last.
    pub owner: Option<Process>,
    /// Who is to have it next, by the will of the owner of this epoch.
    pub heir: Option<Process>,
    /// Whether the owner of this epoch has let it go.
    pub freed: bool,
}

/// Both tables. The shards were read first: whoever owns one was a member before, so its row is there unless it was removed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct View {
    /// Shards that were ever claimed.
    pub shards: Vec<ShardRow>,
    /// Every node that has not left.
    pub nodes: Vec<NodeRow>,
}
