//! What membership measures.

use crate::event::Why;
use crate::ports::Adopted;
use ::metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Shards that came to this node.
pub const ADOPTIONS: &str = "tollgate_cluster_adoptions_total";
/// Shards that this node let go for others.
pub const RELEASES: &str = "tollgate_cluster_releases_total";
/// Shards that turned out to be another node's.
pub const LOSSES: &str = "tollgate_cluster_losses_total";
/// Adoptions that failed.
pub const FAILURES: &str = "tollgate_cluster_adoption_failures_total";
/// Shards served here.
pub const SHARDS: &str = "tollgate_cluster_shards";
/// Nodes, by what this one thinks of them.
pub const NODES: &str = "tollgate_cluster_nodes";
/// Seconds since the tables were read last.
pub const BLIND: &str = "tollgate_cluster_blind_seconds_now";
/// What taking over the shard of a dead node took, part by part.
pub const FAILOVER: &str = "tollgate_failover_seconds";

/// Describes all of them. Once a process, after the recorder is there.
pub fn describe() {
    describe_counter!(
        ADOPTIONS,
        "Shards that came to this node; `why` is start, handover or failover."
    );
    describe_counter!(RELEASES, "Shards that this node let go for others.");
    describe_counter!(LOSSES, "Shards of this node that turned out to be another's.");
    describe_counter!(FAILURES, "Shards that this node tried to adopt and could not.");
    describe_gauge!(SHARDS, "Shards served here.");
    describe_gauge!(
        NODES,
        "Nodes of the cluster; `state` is alive, leaving or dead, as this node sees them."
    );
    describe_gauge!(BLIND, "Seconds since this node read the cluster's tables.");
    describe_histogram!(
        FAILOVER,
        "Taking over the shard of a dead node; `part` is detection, claim, fence, tail or warm_up."
    );
}

/// A shard has come.
pub(crate) fn adopted(why: Why, adopted: &Adopted) {
    counter!(ADOPTIONS, "why" => word(why)).increment(1);
    let Why::Failover { silent } = why else { return };
    let parts = [
        ("detection", silent),
        ("claim", adopted.claim),
        ("fence", adopted.fence),
        ("tail", adopted.tail),
        ("warm_up", adopted.warm_up),
    ];
    for (part, took) in parts {
        histogram!(FAILOVER, "part" => part).record(took);
    }
}

pub(crate) fn count(name: &'static str) {
    counter!(name).increment(1);
}

pub(crate) fn show(name: &'static str, value: f64) {
    gauge!(name).set(value);
}

pub(crate) fn show_nodes(state: &'static str, number: usize) {
    gauge!(NODES, "state" => state).set(number as f64);
}

pub(crate) fn word(why: Why) -> &'static str {
    match why {
        Why::Free => "start",
        Why::Handover => "handover",
        Why::Failover { .. } => "failover",
    }
}
