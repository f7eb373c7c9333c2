//! Where a run took place: what a reader needs to judge its figures.

use crate::open_loop::Plan;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// The environment of a run, read from the machine the tool is on.
pub(crate) fn environment(plan: &Plan) -> Value {
    let started = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    json!({
        "tool": concat!("tollgate-load ", env!("CARGO_PKG_VERSION")),
        "started_unix_s": started,
        "server": plan.target.host,
        "server_is_local": plan.target.address.ip().is_loopback(),
        "merchants": plan.merchants.len(),
        "threads": plan.threads,
        "connections_max": plan.connections_max,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "cpu": cpu(),
        "kernel": kernel(),
        "load_average_before": line_of("/proc/loadavg"),
    })
}

/// The processor's name.
pub(crate) fn cpu() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(": ").map(|pair| pair.1.to_string())
}

/// The kernel's version.
pub(crate) fn kernel() -> Option<String> {
    line_of("/proc/sys/kernel/osrelease")
}

fn line_of(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_string())
}
