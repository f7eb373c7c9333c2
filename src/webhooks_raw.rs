//! The `[webhooks]` section: how it is written, and what each setting may be.

use super::Webhooks;
use super::raw::{millis, number, refused};
use crate::config_layers::ConfigError;
use serde::Deserialize;
use std::time::Duration;
use tollgate_domain::webhooks::webhook_endpoint::ENDPOINTS_MAX;
use tollgate_webhooks::Schedule;
use tollgate_webhooks::egress::Network;

/// MiB that the log of attempts may take: two of its segments at least, and no more of them than are quickly looked through.
const LOG_MB_MIN: i64 = 128;
const LOG_MB_MAX: i64 = 64 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWebhooks {
    endpoints_max: i64,
    threads: i64,
    readers: i64,
    connections_max: i64,
    failed_mb_per_shard: i64,
    timeout_ms: i64,
    retry_delays_s: Vec<String>,
    allow: Vec<String>,
    ca_file: String,
    proxy: String,
    stop_timeout_s: i64,
    log_mb: i64,
    log_successes_per_s: i64,
}

impl RawWebhooks {
    pub(super) fn checked(self) -> Result<Webhooks, ConfigError> {
        let threads: usize = number("webhooks.threads", self.threads, 1, 64)?;
        let allow = self.allow.iter().map(|text| {
            let network = text.parse::<Network>();
            network.map_err(|why| refused("webhooks.allow", text, &why))
        });
        let proxy = match &self.proxy[..] {
            "" => None,
            given
                if given
                    .rsplit_once(':')
                    .is_some_and(|(_, port)| port.parse::<u16>().is_ok()) =>
            {
                Some(given.into())
            }
            given => return Err(refused("webhooks.proxy", given, "must be empty, or HOST:PORT")),
        };
        Ok(Webhooks {
            endpoints_max: number("webhooks.endpoints_max", self.endpoints_max, 1, ENDPOINTS_MAX as i64)?,
            threads,
            readers: number("webhooks.readers", self.readers, 1, 64)?,
            connections_max: number(
                "webhooks.connections_max",
                self.connections_max,
                threads as i64,
                1_000_000,
            )?,
            failed_bytes_per_shard: number::<usize>(
                "webhooks.failed_mb_per_shard",
                self.failed_mb_per_shard,
                1,
                1 << 16,
            )? << 20,
            timeout: millis("webhooks.timeout_ms", self.timeout_ms, 1_000, 30_000)?,
            schedule: schedule(&self.retry_delays_s)?,
            allow: allow.collect::<Result<_, _>>()?,
            ca_file: (!self.ca_file.is_empty()).then(|| self.ca_file.into()),
            proxy,
            log_bytes_max: number::<u64>("webhooks.log_mb", self.log_mb, LOG_MB_MIN, LOG_MB_MAX)? << 20,
            log_successes_per_s: number("webhooks.log_successes_per_s", self.log_successes_per_s, 0, 1_000_000)?,
            stop_timeout: Duration::from_secs(number("webhooks.stop_timeout_s", self.stop_timeout_s, 0, 600)?),
        })
    }
}

fn schedule(delays: &[String]) -> Result<Schedule, ConfigError> {
    const NAME: &str = "webhooks.retry_delays_s";
    let seconds = delays.iter().map(|text| {
        let seconds = text.trim().parse::<u32>().ok().filter(|seconds| *seconds > 0);
        seconds.ok_or_else(|| refused(NAME, text, "must be whole seconds"))
    });
    let seconds = seconds.collect::<Result<Vec<u32>, _>>()?;
    Schedule::new(&seconds).map_err(|why| refused(NAME, delays.join(","), &why.to_string()))
}
