//! Where a run took place: what a reader needs to judge its figures.

use crate::open_loop::Plan;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// The environment of a run, read from the machine the tool is on.
pub(crate) fn environment(plan: &Plan) -> Value {
    let started = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let line_of = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_string());
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = info
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(": "))
        .map(|pair| pair.1.to_string());
    json!({
        "tool": concat!("tollgate-load ", env!("CARGO_PKG_VERSION")),
        "started_unix_s": started,
        "server": plan.target.host,
        "server_is_local": plan.target.address.ip().is_loopback(),
        "merchants": plan.merchants.len(),
        "threads": plan.threads,
        "connections_max": plan.scenario.client.connections_max,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "cpu": cpu,
        "kernel": line_of("/proc/sys/kernel/osrelease"),
        "load_average_before": line_of("/proc/loadavg"),
    })
}
