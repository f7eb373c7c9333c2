//! `tollgate cluster …`: the cluster as a running server sees it.

use crate::admin_client::{ServerFlags, address, ask};
use crate::exit::Failure;
use crate::output::{print_value, rows, table, word};
use serde_json::Value;

/// Lists nodes and shards.
pub(crate) fn status(asked: &ServerFlags) -> Result<(), Failure> {
    let url = address(asked.admin.as_deref())?;
    let seen = ask(&url, "/admin/cluster", None)?;
    print_value(asked.json, &seen, |seen| {
        let nodes = table(
            rows(seen, "nodes"),
            &[
                "node",
                "address",
                "state",
                "here",
                "shards",
                "silent_ms",
                "alive_s",
                "process",
            ],
        );
        let shards = table(rows(seen, "shards"), &["shard", "epoch", "node", "state", "here"]);
        let looked = match seen["looked_ms_ago"].as_u64() {
            Some(ms) => format!("the tables were read {ms} ms ago"),
            None => "the tables were not read yet".to_owned(),
        };
        format!(
            "this node is a {}; {looked}\n\n{nodes}\n{shards}",
            word(seen, "standing")
        )
    })?;
    let nowhere = rows(&seen, "shards").iter().filter(|shard| is_nowhere(shard)).count();
    match nowhere {
        0 => Ok(()),
        number => Err(Failure::not_so(format!("shards that are served nowhere now: {number}"))),
    }
}

/// Whether nobody serves a shard at this moment.
fn is_nowhere(shard: &Value) -> bool {
    !matches!(word(shard, "state"), "serving" | "offered")
}
