//! Where shards run and how they are, as JSON for an operator; and moving them.

use crate::operator::OperatorError;
use serde_json::{Value, json};
use std::time::Duration;
use tollgate_actors::metrics::SAMPLE_EVERY;
use tollgate_actors::{Engine, EngineStatus, HOT_ACCOUNTS_MAX, HostCensus, MoveError, ShardState};
use tollgate_domain::kinds::ACCOUNT;

/// Longest time over which rates are taken, milliseconds.
const OVER_MS_MAX: u64 = 60_000;

/// Every shard and lane, with rates over the time that passes meanwhile:
/// `{"over_ms": …, "lanes": [{"lane": 0, "busy_share": 0.4}, …], "shards": [{"shard": 0, "lane": 0, …}, …]}`. What a lane
/// did not tell in time is null.
pub(crate) async fn list(engine: &Engine, over_ms: u64) -> Result<Value, OperatorError> {
    if !(1..=OVER_MS_MAX).contains(&over_ms) {
        return Err(OperatorError::Invalid(format!(
            "over_ms must be from 1 to {OVER_MS_MAX}"
        )));
    }
    let before = engine.status().await;
    tokio::time::sleep(Duration::from_millis(over_ms)).await;
    let after = engine.status().await;
    let seconds = after.at.duration_since(before.at).as_secs_f64();
    let lanes: Vec<Value> = after
        .lanes_busy
        .iter()
        .enumerate()
        .map(|(lane, busy)| {
            // A lane that was not there before has been busy since.
            let was = before.lanes_busy.get(lane).copied().unwrap_or(Some(Duration::ZERO));
            let busy_share = busy
                .zip(was)
                .map(|(now, was)| rounded(now.saturating_sub(was).as_secs_f64() / seconds));
            json!({ "lane": lane, "busy_share": busy_share })
        })
        .collect();
    let shards: Vec<Value> = (0..after.shards.len())
        .map(|at| shard(&before, &after, at, seconds))
        .collect();
    Ok(json!({ "over_ms": (seconds * 1_000.0) as u64, "lanes": lanes, "shards": shards }))
}

/// Moves a shard: `{"shard": 3, "from": 0, "to": 1, "pause_us": 140, "waited": 12}`; without the last two when it was there.
pub(crate) async fn move_to(engine: &Engine, shard: &str, to: &Value) -> Result<Value, OperatorError> {
    let wrong = |what: &str| OperatorError::Invalid(what.to_owned());
    let shard: u16 = shard.parse().map_err(|_| wrong("a shard is a number"))?;
    let to = to.as_u64().and_then(|to| usize::try_from(to).ok());
    let to = to.ok_or_else(|| wrong("give the lane to move to as {\"to\": 1}"))?;
    match engine.move_shard(shard, to).await {
        Ok(Some(moved)) => Ok(json!({
            "shard": shard, "from": moved.from, "to": moved.to, "pause_us": moved.pause_us, "waited": moved.waited,
        })),
        Ok(None) => Ok(json!({ "shard": shard, "from": to, "to": to })),
        Err(error @ (MoveError::NoShard(_) | MoveError::NoLane(_) | MoveError::Elsewhere(_))) => {
            Err(OperatorError::NotFound(error.to_string()))
        }
        Err(error @ (MoveError::Moving(_) | MoveError::Late(_))) => Err(OperatorError::Unavailable(error.to_string())),
    }
}

/// The accounts that ask most, over all shards:
/// `{"accounts": [{"account": "acct_…", "livemode": false, "shard": 3, "share": 0.42, "requests": 5120, "error": 16}, …]}`,
/// most first. `requests` are those of late, estimated; old ones fade.
pub(crate) async fn hot(engine: &Engine) -> Value {
    let told = engine.hot_accounts().await;
    let all: u64 = told.iter().map(|shard| shard.sightings).sum();
    let mut accounts: Vec<_> = told
        .iter()
        .flat_map(|shard| shard.accounts.iter().map(move |hot| (shard.shard, *hot)))
        .collect();
    accounts.sort_by_key(|(_, hot)| std::cmp::Reverse(hot.count));
    accounts.truncate(HOT_ACCOUNTS_MAX);
    let each = SAMPLE_EVERY as u64;
    let rows: Vec<Value> = accounts
        .into_iter()
        .map(|(shard, hot)| {
            let profile = engine.profile(hot.account);
            json!({
                "account": profile.as_ref().map(|profile| profile.id.text(&ACCOUNT).to_string()),
                "livemode": profile.as_ref().map(|profile| profile.livemode),
                "shard": shard.0,
                "share": rounded(hot.count as f64 / all as f64),
                "requests": hot.count * each,
                "error": hot.error * each,
            })
        })
        .collect();
    json!({ "accounts": rows })
}

fn shard(before: &EngineStatus, after: &EngineStatus, at: usize, seconds: f64) -> Value {
    let status = &after.shards[at];
    let mut value = json!({
        "shard": status.shard.0,
        "lane": status.lane,
        "state": match (status.state, status.moving) {
            (ShardState::Failed, _) => "failed",
            (ShardState::Elsewhere, _) => "elsewhere",
            (ShardState::Coming, _) => "coming",
            (ShardState::Leaving, _) => "leaving",
            (ShardState::Serving, true) => "moving",
            (ShardState::Serving, false) => "serving",
        },
        "permits": status.permits,
    });
    let figures = status.census.zip(before.shards[at].census);
    let more = figures.map_or_else(unknown, |(now, was)| figures_of(&now, &was, seconds));
    let value_of = value.as_object_mut().expect("it was made as one");
    value_of.extend(more.as_object().expect("both are made as objects").clone());
    value
}

fn figures_of(now: &HostCensus, was: &HostCensus, seconds: f64) -> Value {
    let blocks = now.blocks - was.blocks;
    // Over no block there is no mean.
    let mean = |sum: f64| (blocks > 0).then(|| rounded(sum / blocks as f64));
    json!({
        "accounts": now.accounts,
        "objects": now.objects,
        "keys": now.keys,
        "queue": now.waiting,
        "requests_per_s": rounded((now.requests - was.requests) as f64 / seconds),
        "busy_share": rounded((now.busy - was.busy).as_secs_f64() / seconds),
        "blocks_per_s": rounded(blocks as f64 / seconds),
        "block_records": mean((now.records - was.records) as f64),
        "block_bytes": mean((now.bytes - was.bytes) as f64),
        "sync_ms": mean((now.committing - was.committing).as_secs_f64() * 1_000.0),
    })
}

fn unknown() -> Value {
    json!({
        "accounts": null, "objects": null, "keys": null, "queue": null, "requests_per_s": null, "busy_share": null,
        "blocks_per_s": null, "block_records": null, "block_bytes": null, "sync_ms": null,
    })
}

/// Three digits behind the point are enough for people.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
