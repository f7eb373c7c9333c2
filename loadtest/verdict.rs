//! The verdict: what a scenario asks against what a run came to, and one line why.

use crate::scenario::Slo;

/// What of a run is judged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    /// Requests due in the window.
    pub(crate) due: u64,
    /// Those with a good answer.
    pub(crate) good: u64,
    /// Those that failed after all tries.
    pub(crate) failed: u64,
    /// Latency percentiles, milliseconds.
    pub(crate) p50_ms: f64,
    /// The 99th.
    pub(crate) p99_ms: f64,
    /// The 99.9th.
    pub(crate) p99_9_ms: f64,
    /// The tool's own lag, 99th percentile, milliseconds.
    pub(crate) lag_p99_ms: f64,
    /// Differences in the money, with the first in words; `None` if it was not verified.
    pub(crate) discrepancies: Option<(u64, String)>,
    /// Replays that differ from their first answer.
    pub(crate) replay_differences: u64,
    /// Why the run was stopped early.
    pub(crate) stopped: Option<String>,
    /// The most frequent error, with its count.
    pub(crate) main_error: Option<(String, u64)>,
}

/// One thing that was asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Check {
    /// What.
    pub(crate) name: &'static str,
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
    let mut check = |name, limit: String, value: String, met| {
        checks.push(Check {
            name,
            limit,
            value,
            met,
        });
    };
    let lag = measured.lag_p99_ms;
    let valid = lag <= slo.lag_p99_ms;
    check(
        "own lag p99",
        format!("at most {} ms", slo.lag_p99_ms),
        format!("{lag:.2} ms"),
        valid,
    );
    let percentiles = [
        ("latency p50", slo.p50_ms, measured.p50_ms),
        ("latency p99", slo.p99_ms, measured.p99_ms),
        ("latency p99.9", slo.p99_9_ms, measured.p99_9_ms),
    ];
    for (name, limit, value) in percentiles {
        if let Some(limit) = limit {
            check(
                name,
                format!("at most {limit} ms"),
                format!("{value:.2} ms"),
                value <= limit,
            );
        }
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
    let missed: Vec<String> = checks
        .iter()
        .filter(|check| !check.met)
        .map(|check| format!("{} {} ({})", check.name, check.value, check.limit))
        .collect();
    let good = valid && missed.is_empty() && measured.stopped.is_none() && measured.good > 0;
    let line = if !valid {
        let stopped = measured
            .stopped
            .as_ref()
            .map(|reason| format!("; stopped early: {reason}"));
        format!(
            "the tool could not keep its schedule: own lag p99 {lag:.2} ms (at most {} ms); nothing else can be judged{}",
            slo.lag_p99_ms,
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
        format!("p99 {:.2} ms, goodput {}, {money}", measured.p99_ms, percent(goodput))
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
mod tests {
    use super::*;

    fn slo() -> Slo {
        Slo {
            p50_ms: Some(10.0),
            p99_ms: Some(50.0),
            p99_9_ms: None,
            errors_max: 0.001,
            goodput_min: 0.99,
            lag_p99_ms: 5.0,
            discrepancies_max: 0,
        }
    }

    fn fine() -> Measured {
        Measured {
            due: 10_000,
            good: 9_995,
            failed: 5,
            p50_ms: 1.0,
            p99_ms: 20.0,
            p99_9_ms: 900.0,
            lag_p99_ms: 0.3,
            discrepancies: Some((0, String::new())),
            ..Measured::default()
        }
    }

    #[test]
    fn a_run_is_good_only_when_everything_asked_is_met() {
        type Change = fn(&mut Measured);
        let cases: [(&str, Change, bool, bool, &str); 12] = [
            ("fine", |_| {}, true, true, "p99 20.00 ms, goodput 99.95 %, every cent"),
            (
                "not checked",
                |m| m.discrepancies = None,
                true,
                true,
                "the money was not checked",
            ),
            (
                "p50",
                |m| m.p50_ms = 10.1,
                true,
                false,
                "latency p50 10.10 ms (at most 10 ms)",
            ),
            ("p99", |m| m.p99_ms = 50.5, true, false, "latency p99 50.50 ms"),
            ("p99.9 is not asked", |m| m.p99_9_ms = 1e6, true, true, ""),
            ("budget spent to the last", |m| m.failed = 10, true, true, ""),
            (
                "budget",
                |m| m.failed = 11,
                true,
                false,
                "failed requests 11 of 10000 (0.11 %)",
            ),
            (
                "goodput",
                |m| m.good = 9_800,
                true,
                false,
                "goodput 98 % (at least 99 %)",
            ),
            (
                "replays",
                |m| m.replay_differences = 1,
                true,
                false,
                "replays that differ 1 (none)",
            ),
            (
                "money",
                |m| m.discrepancies = Some((2, "x".into())),
                true,
                false,
                "differences in the money 2, first: x",
            ),
            (
                "stopped",
                |m| m.stopped = Some("y".into()),
                true,
                false,
                "stopped early: y",
            ),
            (
                "lag",
                |m| m.lag_p99_ms = 5.1,
                false,
                false,
                "the tool could not keep its schedule: own lag p99 5.10 ms",
            ),
        ];
        for (name, change, valid, good, expected) in cases {
            let mut measured = fine();
            change(&mut measured);
            let verdict = judge(&slo(), &measured);
            assert_eq!((verdict.valid, verdict.good), (valid, good), "{name}: {}", verdict.line);
            assert!(verdict.line.contains(expected), "{name}: {}", verdict.line);
        }
    }

    #[test]
    fn a_run_without_answers_is_not_good() {
        let verdict = judge(&slo(), &Measured::default());
        assert!(
            !verdict.good && verdict.line.contains("no good answer"),
            "{}",
            verdict.line
        );
    }

    #[test]
    fn shares_near_the_ends_do_not_look_like_the_ends() {
        let cases = [
            (0.0, "0 %"),
            (1.0, "100 %"),
            (0.5, "50 %"),
            (0.0001, "0.01 %"),
            (0.999999, "99.9999 %"),
            (1.0 / 3.0, "33.33 %"),
        ];
        for (share, expected) in cases {
            assert_eq!(percent(share), expected);
        }
    }
}
