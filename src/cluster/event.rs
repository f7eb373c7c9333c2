//! What a member hears, and what it wants done. Every action is answered by one event, except where it says so.

use crate::view::{Process, View};
use std::sync::Arc;
use std::time::Duration;
use tollgate_store::ShardId;

/// What happened. `None` stands for an answer that did not come, or said that the store is not available: what was asked for
/// may have happened all the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Time has passed (see [`crate::Member::wakes_at`]).
    Tick,
    /// Of [`Action::Register`]: whether the name is this process's now.
    Registered(Option<bool>),
    /// Of [`Action::Beat`].
    Beaten(Option<Beaten>),
    /// Of [`Action::Look`], which was begun at this time.
    Looked {
        /// When the look began.
        began: Duration,
        /// What was seen.
        view: Option<View>,
    },
    /// Of [`Action::Adopt`].
    Adopted {
        /// The shard.
        shard: ShardId,
        /// What came of it: its epoch here, if it is served now.
        outcome: Result<u64, NotAdopted>,
    },
    /// Of [`Action::Offer`]: whether the row says so now.
    Offered {
        /// The shard.
        shard: ShardId,
        /// What came of it.
        written: Option<bool>,
    },
    /// Of [`Action::Release`]: nothing of the shard is under way here any more.
    Released {
        /// The shard.
        shard: ShardId,
    },
    /// Of [`Action::Free`]: whether the row says so now; not, when another epoch has begun.
    Freed {
        /// The shard.
        shard: ShardId,
        /// What came of it.
        written: Option<bool>,
    },
    /// Of [`Action::Watch`]: whether the owner let the shard go while it was watched.
    Watched {
        /// The shard.
        shard: ShardId,
        /// The epoch that was watched.
        epoch: u64,
        /// Whether its owner let it go.
        freed: bool,
    },
    /// The store refused this node something because another one has the shard.
    Lost {
        /// The shard.
        shard: ShardId,
    },
    /// Somebody was sent to the wrong node: a look is wanted soon.
    Refresh,
    /// Gives everything to others, as long as there are any, and takes nothing any more.
    HandOver,
    /// Lets go of what is still here, and leaves.
    Leave,
    /// Of [`Action::Depart`].
    Departed(Option<bool>),
}

/// What a beat came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beaten {
    /// It stands.
    Kept,
    /// The row is gone: this node was silent for so long that the others removed it.
    Gone,
    /// Another process has the name.
    Replaced,
}

/// Why a shard is not served here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotAdopted {
    /// Another owner was faster, or is alive after all.
    Taken,
    /// It could not be done now.
    Failed,
}

/// Why a shard is adopted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// Nobody ever owned it, or its owner let it go.
    Free,
    /// Its owner let it go for this node.
    Handover,
    /// Its owner is dead: silent for so long, or without a row.
    Failover {
        /// How long its owner had been silent.
        silent: Duration,
    },
}

/// What is to be done now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Makes the row of this node, on the condition that there is none, or that it is still this silent one.
    Register {
        /// The silent one.
        over: Option<(Process, u64)>,
        /// The first count.
        beat: u64,
    },
    /// Counts on in the row of this node, on the condition that it is this process's.
    Beat {
        /// The count.
        beat: u64,
        /// Whether this node takes nothing any more.
        leaving: bool,
    },
    /// Reads both tables, the shards first.
    Look,
    /// Claims a shard on the condition that its epoch is still this one, and serves it.
    Adopt {
        /// The shard.
        shard: ShardId,
        /// The epoch of its last owner.
        from: u64,
        /// Why.
        why: Why,
    },
    /// Says in the row of a shard who is to have it next, on the condition that its epoch is still this one.
    Offer {
        /// The shard.
        shard: ShardId,
        /// This node's epoch.
        epoch: u64,
        /// Who.
        heir: Process,
    },
    /// Looks often at the row of a shard that is about to be let go for this node; until it is, for a bounded time.
    Watch {
        /// The shard.
        shard: ShardId,
        /// Its owner's epoch.
        epoch: u64,
    },
    /// Stops serving a shard: finishes what is under way and forgets it.
    Release {
        /// The shard.
        shard: ShardId,
    },
    /// Says in the row of a shard that it was let go, on the condition that its epoch is still this one.
    Free {
        /// The shard.
        shard: ShardId,
        /// This node's epoch.
        epoch: u64,
    },
    /// Drops a shard that another owner has. Not answered.
    Forget {
        /// The shard.
        shard: ShardId,
    },
    /// Removes the row of a node that has been silent for very long, on the condition that it is as it was. Not answered.
    Remove {
        /// Its name.
        node: Arc<str>,
        /// Its incarnation.
        process: Process,
        /// Its count.
        beat: u64,
    },
    /// Removes the row of this node.
    Depart,
    /// This process is no member any more. Not answered.
    End(End),
}

/// Why a process is no member any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// It left.
    Left,
    /// Another process with the same name lives, at this address.
    NameTaken {
        /// Where it is reached.
        addr: std::net::SocketAddr,
    },
    /// Another process took the name while this one was silent.
    Replaced,
}
