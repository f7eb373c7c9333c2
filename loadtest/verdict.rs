//! The verdict: what a scenario asks against what a run came to, and one line why.

use crate::scenario::Slo;
use crate::sink::Delivered;

/// Share of deliveries that may come twice: a server that loses a connection or its progress sends again.
const REPEATS_MAX: f64 = 0.01;

/// What of a run is judged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    /// Requests due in the window.
    pub(crate) due: u64,
    /// Those with a good answer.
    pub(crate) good: u64,
    /// Those that failed after all tries.
    pub(crate) failed: u64,
    /// Requests the schedule planned for the window, and by how many chance may miss that.
    pub(crate) planned: (f64, f64),
    /// Latency percentiles over all requests due, milliseconds; infinite where a failed one stands.
    pub(crate) p50_ms: f64,
    /// The 99th.
    pub(crate) p99_ms: f64,
    /// The 99.9th.
    pub(crate) p99_9_ms: f64,
    /// The tool's own lag, 99th percentile, milliseconds.
    pub(crate) lag_p99_ms: f64,
    /// Why the run says nothing about the server, beside its lag.
    pub(crate) not_valid: Option<String>,
    /// 99th percentile of the time to a refusal in milliseconds, refusals, and those that did not say when to come back.
    pub(crate) refusals: (f64, u64, u64),
    /// What parts of the run came to, in the order of the scenario.
    pub(crate) periods: Vec<PeriodMeasured>,
    /// Differences in the money, with the first in words; `None` if it was not verified.
    pub(crate) discrepancies: Option<(u64, String)>,
    /// What was found about webhooks, where there were any.
    pub(crate) webhooks: Option<Delivered>,
    /// Replays that differ from their first answer.
    pub(crate) replay_differences: u64,
    /// Why the run was stopped early.
    pub(crate) stopped: Option<String>,
    /// The most frequent error, with its count.
    pub(crate) main_error: Option<(String, u64)>,
}

/// What a part of a run came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct PeriodMeasured {
    /// 99th percentile over all requests due, milliseconds; infinite where a failed one stands.
    pub(crate) p99_ms: f64,
    /// Requests due.
    pub(crate) due: u64,
    /// Those with a good answer.
    pub(crate) good: u64,
    /// Good answers that came, per second.
    pub(crate) good_per_s: f64,
}

/// One thing that was asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Check {
    /// What.
    pub(crate) name: String,
    /// The bound, in words.
    pub(crate) limit: String,
    /// What it came to, in words.
    pub(crate) value: String,
    /// Whether that is within the bound.
    pub(crate) met: bool,
}

/// The verdict on a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// Whether the tool kept its schedule: if not, the figures say nothing about the server.
    pub(crate) valid: bool,
    /// Whether the run is valid and everything asked is met.
    pub(crate) good: bool,
    /// One line why.
    pub(crate) line: String,
    /// Everything that was asked.
    pub(crate) checks: Vec<Check>,
}

/// Judges a run.
pub(crate) fn judge(slo: &Slo, measured: &Measured) -> Verdict {
    let due = measured.due.max(1) as f64;
    let mut checks = Vec::new();
    let mut check = |name: &str, limit: String, value: String, met| {
        checks.push(Check {
            name: name.into(),
            limit,
            value,
            met,
        });
    };
    let lag = measured.lag_p99_ms;
    let punctual = lag <= slo.lag_p99_ms;
    let valid = punctual && measured.not_valid.is_none();
    check(
        "own lag p99",
        format!("at most {} ms", slo.lag_p99_ms),
        format!("{lag:.2} ms"),
        punctual,
    );
    let (planned, chance) = measured.planned;
    check(
        "requests due",
        format!("at least {} of {planned:.0} planned", percent(slo.offered_min)),
        format!("{} ({})", measured.due, percent(measured.due as f64 / planned.max(1.0))),
        measured.due as f64 >= planned * slo.offered_min - chance,
    );
    // So many requests it takes at least for one of them to be beyond the percentile.
    let percentiles = [
        ("latency p50", slo.p50_ms, measured.p50_ms, 2),
        ("latency p99", slo.p99_ms, measured.p99_ms, 100),
        ("latency p99.9", slo.p99_9_ms, measured.p99_9_ms, 1_000),
    ];
    for (name, limit, value, requests_min) in percentiles {
        let Some(limit) = limit else { continue };
        let enough = measured.due >= requests_min;
        let said = match enough {
            true => milliseconds(value),
            false => format!("{} of {} requests, too few to say", milliseconds(value), measured.due),
        };
        check(name, format!("at most {limit} ms"), said, enough && value <= limit);
    }
    let budget = (slo.errors_max * due).floor() as u64;
    let mut failed = format!(
        "{} of {} ({})",
        measured.failed,
        measured.due,
        percent(measured.failed as f64 / due)
    );
    if let Some((kind, count)) = measured.main_error.as_ref().filter(|_| measured.failed > 0) {
        failed.push_str(&format!(", mostly \"{kind}\" ({count})"));
    }
    let within = measured.failed <= budget;
    check(
        "failed requests",
        format!("at most {}", percent(slo.errors_max)),
        failed,
        within,
    );
    let goodput = measured.good as f64 / due;
    let enough = measured.due > 0 && goodput >= slo.goodput_min;
    check(
        "goodput",
        format!("at least {}", percent(slo.goodput_min)),
        percent(goodput),
        enough,
    );
    let same = measured.replay_differences == 0;
    check(
        "replays that differ",
        "none".into(),
        measured.replay_differences.to_string(),
        same,
    );
    if let Some((count, first)) = &measured.discrepancies {
        let value = if *count == 0 {
            "0".to_string()
        } else {
            format!("{count}, first: {first}")
        };
        let limit = format!("at most {}", slo.discrepancies_max);
        check(
            "differences in the money",
            limit,
            value,
            *count <= slo.discrepancies_max,
        );
    }
    if let Some(webhooks) = &measured.webhooks {
        webhook_checks(slo, webhooks, &mut check);
    }
    if let Some(limit) = slo.refusal_p99_ms {
        let (p99_ms, refusals, without_time) = measured.refusals;
        let value = match refusals {
            0 => "none was refused".into(),
            _ => format!("{p99_ms:.2} ms of {refusals}"),
        };
        check(
            "refusals p99",
            format!("at most {limit} ms"),
            value,
            refusals == 0 || p99_ms <= limit,
        );
        let met = without_time == 0;
        check(
            "refusals without Retry-After",
            "none".into(),
            without_time.to_string(),
            met,
        );
    }
    for (period, came) in slo.periods.iter().zip(&measured.periods) {
        let of = |what: &str| format!("{}: {what}", period.name);
        if let Some(limit) = period.p99_ms {
            check(
                &of("latency p99"),
                format!("at most {limit} ms"),
                milliseconds(came.p99_ms),
                came.due > 0 && came.p99_ms <= limit,
            );
        }
        if let Some(least) = period.goodput_min {
            let share = came.good as f64 / came.due.max(1) as f64;
            check(
                &of("goodput"),
                format!("at least {}", percent(least)),
                percent(share),
                came.due > 0 && share >= least,
            );
        }
        if let Some(least) = period.good_per_s_min {
            check(
                &of("good answers"),
                format!("at least {least:.0}/s"),
                format!("{:.0}/s", came.good_per_s),
                came.good_per_s >= least,
            );
        }
    }
    let missed: Vec<String> = checks
        .iter()
        .filter(|check| !check.met)
        .map(|check| format!("{} {} ({})", check.name, check.value, check.limit))
        .collect();
    let good = valid && missed.is_empty() && measured.stopped.is_none() && measured.good > 0;
    let line = if !valid {
        let mut why = Vec::new();
        if !punctual {
            why.push(format!(
                "the tool could not keep its schedule: own lag p99 {lag:.2} ms (at most {} ms)",
                slo.lag_p99_ms
            ));
        }
        why.extend(measured.not_valid.clone());
        let stopped = measured
            .stopped
            .as_ref()
            .map(|reason| format!("; stopped early: {reason}"));
        format!(
            "{}; nothing else can be judged{}",
            why.join("; "),
            stopped.unwrap_or_default()
        )
    } else if let Some(reason) = &measured.stopped {
        std::iter::once(format!("stopped early: {reason}"))
            .chain(missed)
            .collect::<Vec<_>>()
            .join("; ")
    } else if measured.good == 0 {
        "no good answer came in the measured window".into()
    } else if good {
        let money = match &measured.discrepancies {
            Some(_) => "every cent checked is where it should be",
            None => "the money was not checked",
        };
        let webhooks = match &measured.webhooks {
            Some(webhooks) => format!(", all {} webhooks came", webhooks.owed),
            None => String::new(),
        };
        format!(
            "p99 {}, goodput {}, {money}{webhooks}",
            milliseconds(measured.p99_ms),
            percent(goodput)
        )
    } else {
        missed.join("; ")
    };
    Verdict {
        valid,
        good,
        line,
        checks,
    }
}

/// What is asked of webhooks: everything once at least, signed, in order.
fn webhook_checks(slo: &Slo, webhooks: &Delivered, check: &mut impl FnMut(&str, String, String, bool)) {
    let none = || "none".to_string();
    let came = webhooks.received.max(1) as f64;
    check(
        "webhooks owed that never came",
        none(),
        format!("{} of {}", webhooks.missing, webhooks.owed),
        webhooks.missing == 0,
    );
    for (name, count) in [
        ("webhooks that no list explains", webhooks.unlisted),
        ("webhooks without a good signature", webhooks.not_signed),
        ("webhooks that are no events", webhooks.malformed),
        ("webhooks behind a younger one", webhooks.late),
    ] {
        check(name, none(), count.to_string(), count == 0);
    }
    check(
        "webhooks sent again",
        format!("at most {}", percent(REPEATS_MAX)),
        format!("{} ({})", webhooks.again, percent(webhooks.again as f64 / came)),
        webhooks.again as f64 <= came * REPEATS_MAX,
    );
    if let Some(limit) = slo.webhook_p99_ms {
        let p99_ms = webhooks.latency_us.value_at_percentile(99.0) as f64 / 1_000.0;
        let timed = webhooks.latency_us.len();
        let value = format!("{p99_ms:.2} ms of {timed}");
        check(
            "webhook p99",
            format!("at most {limit} ms"),
            value,
            timed > 0 && p99_ms <= limit,
        );
    }
}

fn milliseconds(value: f64) -> String {
    if value.is_finite() {
        format!("{value:.2} ms")
    } else {
        "no good answer".into()
    }
}

/// A share as a percentage with as many digits as it takes not to look like all or nothing.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    for digits in 0..6 {
        let text = format!("{percent:.digits$}");
        let shown: f64 = text.parse().expect("a number was written");
        if (shown - percent).abs() < 1e-9 || (digits >= 2 && shown != 0.0 && shown != 100.0) {
            return format!("{text} %");
        }
    }
    format!("{percent:.6} %")
}

#[cfg(test)]
mod tests;
