//! The recorder of the process's metrics, and the buckets of its histograms. What is measured is described where it is
//! measured.

use crate::alarms;
use crate::exit::Failure;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use std::time::Duration;
use tollgate_actors::metrics::{BLOCK_BYTES, BLOCK_RECORDS, STAGE_SECONDS};

/// How often recorded samples are folded into histograms, so that they do not pile up between scrapes.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// Bounds of the duration histograms, in seconds: from a durable write to a client's patience.
const SECONDS_BUCKETS: [f64; 14] = [
    0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];

/// Bounds of the stages of a request, in seconds: from what parsing takes to a wait that somebody notices.
const STAGE_BUCKETS: [f64; 16] = [
    0.000_001, 0.000_002, 0.000_005, 0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005,
    0.01, 0.05, 0.25, 1.0,
];

/// Bounds of the records of a block.
const RECORDS_BUCKETS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0];

/// Bounds of the bytes of a block.
const BYTES_BUCKETS: [f64; 8] = [
    512.0, 2_048.0, 8_192.0, 16_384.0, 32_768.0, 65_536.0, 131_072.0, 262_144.0,
];

/// Starts recording. There is one recorder a process; a second node in it (the demo starts one) shares it.
pub(crate) fn start() -> Result<PrometheusHandle, Failure> {
    static INSTALLED: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = INSTALLED.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS_BUCKETS)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Full(STAGE_SECONDS.to_owned()), &STAGE_BUCKETS))
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Full(BLOCK_RECORDS.to_owned()), &RECORDS_BUCKETS))
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Full(BLOCK_BYTES.to_owned()), &BYTES_BUCKETS))
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| Failure::environment(format!("metrics cannot be recorded: {error}")))?;
    tollgate_http::describe_metrics();
    alarms::describe();
    metrics_process::Collector::default().describe();
    let upkeep = handle.clone();
    actix_rt::spawn(async move {
        let mut clock = tokio::time::interval(METRICS_UPKEEP);
        loop {
            clock.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(INSTALLED.get_or_init(|| handle).clone())
}
