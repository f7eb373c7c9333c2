//! `tollgate shard …`: where the shards of a running server are, and moving them.

use crate::admin_client::{ServerFlags, address, ask};
use crate::exit::Failure;
use crate::output::{print_value, rows, table};
use serde_json::{Value, json};

/// Lists shards and lanes, with rates over so many milliseconds.
pub(crate) fn list(asked: &ServerFlags, over_ms: u64) -> Result<(), Failure> {
    let url = address(asked.admin.as_deref())?;
    let listed = ask(&url, &format!("/admin/shards?over_ms={over_ms}"), None)?;
    print_value(asked.json, &listed, |listed| {
        let columns = [
            "shard",
            "lane",
            "state",
            "accounts",
            "objects",
            "keys",
            "queue",
            "permits",
            "requests_per_s",
            "busy_share",
            "blocks_per_s",
            "block_records",
            "block_bytes",
            "sync_ms",
        ];
        let shards = table(rows(listed, "shards"), &columns);
        let lanes = table(rows(listed, "lanes"), &["lane", "busy_share"]);
        format!("{shards}\n{lanes}")
    })
}

/// Moves a shard.
pub(crate) fn move_to(asked: &ServerFlags, shard: u16, lane: usize) -> Result<(), Failure> {
    let url = address(asked.admin.as_deref())?;
    let moved = ask(
        &url,
        &format!("/admin/shards/{shard}/move"),
        Some(&json!({ "to": lane })),
    )?;
    print_value(asked.json, &moved, |moved| match moved["pause_us"].as_u64() {
        Some(pause_us) => format!(
            "shard {shard} moved from lane {} to lane {lane}; it paused for {} ms, and {} messages waited\n",
            moved["from"],
            pause_us as f64 / 1_000.0,
            moved["waited"]
        ),
        None => format!("shard {shard} is on lane {lane} already\n"),
    })
}

/// Lists the accounts that ask most.
pub(crate) fn hot(asked: &ServerFlags) -> Result<(), Failure> {
    let url = address(asked.admin.as_deref())?;
    let listed: Value = ask(&url, "/admin/shards/hot", None)?;
    print_value(asked.json, &listed, |listed| {
        table(
            rows(listed, "accounts"),
            &["account", "livemode", "shard", "share", "requests", "error"],
        )
    })
}
