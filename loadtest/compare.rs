//! Two runs beside each other: what differs, and whether that is more than chance.
//!
//! Method: the samples of the measured window are joined into blocks of [`BLOCK_S`] seconds, for neighbouring seconds
//! are not independent; each block counts with the median of its samples. The blocks of A and B are compared by the
//! Mann-Whitney U test (normal approximation, ties corrected), which asks nothing of how values are distributed. A
//! difference is called significant when chance alone would show one as large in less than 1 of 100 comparisons, and
//! the medians differ by at least 2 %: a small one may be real and still not matter.

use crate::chart::{Chart, Unit, escaped};
use crate::page;
use crate::{Stop, page::column};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

/// Seconds in a block.
const BLOCK_S: f64 = 5.0;
/// Fewest blocks of each run that say anything.
const BLOCKS_MIN: usize = 4;
/// Chance below which a difference is significant.
const CHANCE_MAX: f64 = 0.01;
/// Smallest relative difference that is called one.
const DIFFERENCE_MIN: f64 = 0.02;

/// What is compared: column of the samples, its name, factor, unit, and whether more is better.
const MEASURES: [(&str, &str, f64, &str, bool); 5] = [
    ("p50_us", "latency p50", 1e-3, "ms", false),
    ("p99_us", "latency p99", 1e-3, "ms", false),
    ("p99_9_us", "latency p99.9", 1e-3, "ms", false),
    ("good_per_second", "good answers", 1.0, "/s", true),
    ("failed_per_second", "failed requests", 1.0, "/s", false),
];

/// What is said about one measure.
#[derive(Clone, Debug, PartialEq)]
struct Finding {
    name: &'static str,
    unit: &'static str,
    a: f64,
    b: f64,
    /// Chance of a difference as large by chance alone; `None` if there are too few blocks.
    chance: Option<f64>,
    word: &'static str,
}

/// Compares and says whether both are valid and B is nowhere significantly worse than A.
pub(crate) fn run(a: &Path, b: &Path, html: Option<&Path>) -> Result<bool, Stop> {
    let (a, b) = (crate::read_record(a)?, crate::read_record(b)?);
    let mut findings = compare(&a, &b);
    let notes = notes(&a, &b);
    let valid = [&a, &b].iter().all(|record| record["verdict"]["valid"] == true);
    let line = if valid {
        line(&findings)
    } else {
        findings.iter_mut().for_each(|finding| finding.word = "not judged");
        "not judged: a run that is not valid says nothing about the server".into()
    };
    let mut out = String::new();
    for note in &notes {
        writeln!(out, "note        {note}").expect("a String takes everything");
    }
    for of in &findings {
        let chance = of
            .chance
            .map_or("too few blocks".to_string(), |chance| format!("by chance {chance:.4}"));
        writeln!(
            out,
            "{:<16} A {:>10.2} {unit}  B {:>10.2} {unit}  {:>8}  {chance:<18}  {}",
            of.name,
            of.a,
            of.b,
            change(of),
            of.word,
            unit = of.unit,
        )
        .expect("a String takes everything");
    }
    writeln!(out, "comparison  {line}").expect("a String takes everything");
    crate::print(&out)?;
    if let Some(path) = html {
        crate::write_file(path, &comparison_page(&a, &b, &findings, &notes, &line))?;
    }
    Ok(valid && findings.iter().all(|finding| finding.word != "worse"))
}

fn compare(a: &Value, b: &Value) -> Vec<Finding> {
    MEASURES
        .into_iter()
        .map(|(name, title, scale, unit, more_is_better)| {
            let (a, b) = (blocks(a, name, scale), blocks(b, name, scale));
            let (median_a, median_b) = (median(&a), median(&b));
            let chance = (a.len() >= BLOCKS_MIN && b.len() >= BLOCKS_MIN).then(|| mann_whitney(&a, &b));
            let large = (median_b - median_a).abs() > DIFFERENCE_MIN * median_a.abs().max(1e-9);
            let word = match chance {
                None => "not known",
                Some(chance) if chance >= CHANCE_MAX || !large => "no significant difference",
                Some(_) if (median_b > median_a) == more_is_better => "better",
                Some(_) => "worse",
            };
            Finding {
                name: title,
                unit,
                a: median_a,
                b: median_b,
                chance,
                word,
            }
        })
        .collect()
}

/// Medians of blocks of the measured window.
fn blocks(record: &Value, name: &str, scale: f64) -> Vec<f64> {
    let warmup = page::number(&record["schedule"]["warmup_s"]);
    let end = page::number(&record["schedule"]["ran_s"]);
    let points: Vec<f64> = column(&record["samples"], name, scale)
        .into_iter()
        .filter(|point| point.0 >= warmup && point.0 < end)
        .map(|point| point.1)
        .collect();
    let length = page::number(&record["samples"]["length_s"]).max(0.001);
    let len = (BLOCK_S / length).round().max(1.0) as usize;
    points.chunks_exact(len).map(median).collect()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        len if len % 2 == 1 => sorted[len / 2],
        len => (sorted[len / 2 - 1] + sorted[len / 2]) / 2.0,
    }
}

/// Chance, two-sided, of ranks as far apart as these if both came from the same distribution.
fn mann_whitney(a: &[f64], b: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> = a
        .iter()
        .map(|value| (*value, true))
        .chain(b.iter().map(|value| (*value, false)))
        .collect();
    all.sort_by(|one, two| one.0.total_cmp(&two.0));
    let (mut rank_sum, mut ties, mut at) = (0.0, 0.0, 0);
    while at < all.len() {
        let same = all[at..].iter().take_while(|entry| entry.0 == all[at].0).count();
        let rank = at as f64 + (same as f64 + 1.0) / 2.0;
        rank_sum += rank * all[at..at + same].iter().filter(|entry| entry.1).count() as f64;
        ties += (same as f64).powi(3) - same as f64;
        at += same;
    }
    let (n, m) = (a.len() as f64, b.len() as f64);
    let u = rank_sum - n * (n + 1.0) / 2.0;
    let variance = n * m / 12.0 * ((n + m + 1.0) - ties / ((n + m) * (n + m - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    // Continuity: U moves in steps of a half at least.
    let z = ((u - n * m / 2.0).abs() - 0.5).max(0.0) / variance.sqrt();
    erfc(z / std::f64::consts::SQRT_2)
}

/// The complementary error function to 1.2e-7 (a Chebyshev fit for arguments from 0).
fn erfc(x: f64) -> f64 {
    const FIT: [f64; 10] = [
        -1.26551223,
        1.00002368,
        0.37409196,
        0.09678418,
        -0.18628806,
        0.27886807,
        -1.13520398,
        1.48851587,
        -0.82215223,
        0.17087277,
    ];
    let t = 1.0 / (1.0 + 0.5 * x);
    let sum = FIT.iter().rev().fold(0.0, |sum, factor| sum * t + factor);
    t * (-x * x + sum).exp()
}

fn change(of: &Finding) -> String {
    if of.a == 0.0 {
        "-".into()
    } else {
        format!("{:+.1} %", (of.b / of.a - 1.0) * 100.0)
    }
}

fn line(findings: &[Finding]) -> String {
    let of = |word: &str| -> Vec<String> {
        let with = findings.iter().filter(|finding| finding.word == word);
        with.map(|finding| format!("{} {}", finding.name, change(finding)))
            .collect()
    };
    let (worse, better) = (of("worse"), of("better"));
    match (worse.is_empty(), better.is_empty()) {
        (true, true) if findings.iter().any(|finding| finding.word == "not known") => {
            "the runs are too short to tell them apart".into()
        }
        (true, true) => "no significant difference".into(),
        (true, false) => format!("B is better: {}", better.join(", ")),
        (false, true) => format!("B is worse: {}", worse.join(", ")),
        (false, false) => format!("B is worse: {}; better: {}", worse.join(", "), better.join(", ")),
    }
}

/// What makes two runs hard to compare.
fn notes(a: &Value, b: &Value) -> Vec<String> {
    let mut notes = Vec::new();
    for (path, name) in [
        ("/scenario", "scenario"),
        ("/scale", "scale"),
        ("/schedule/arrivals", "arrivals"),
        ("/schedule/peak_per_second", "peak rate"),
        ("/schedule/seconds", "length"),
        ("/asked/webhooks", "webhook endpoints of a merchant"),
        ("/environment/cpu", "cpu"),
        ("/environment/cores", "cores"),
        ("/environment/threads", "threads"),
    ] {
        let (in_a, in_b) = (a.pointer(path), b.pointer(path));
        if in_a != in_b {
            let shown = |value: Option<&Value>| value.map_or("nothing".into(), Value::to_string);
            notes.push(format!("{name} differs: A {}, B {}", shown(in_a), shown(in_b)));
        }
    }
    for (name, record) in [("A", a), ("B", b)] {
        if record["verdict"]["valid"] != true {
            notes.push(format!(
                "{name} is not valid: {}",
                page::text(&record["verdict"]["line"])
            ));
        }
    }
    notes
}

fn comparison_page(a: &Value, b: &Value, findings: &[Finding], notes: &[String], line: &str) -> String {
    let mut out = page::head("Comparison");
    let class = if findings
        .iter()
        .any(|finding| ["worse", "not judged"].contains(&finding.word))
    {
        "bad"
    } else {
        "good"
    };
    // Writing to a String cannot fail.
    macro_rules! put { ($($part:tt)*) => { write!(out, $($part)*).expect("a String takes everything") } }
    put!(
        "<h1>Comparison</h1><p class=\"about\">A: {}, run {}. B: {}, run {}.</p>",
        escaped(page::text(&a["scenario"])),
        escaped(page::text(&a["run"])),
        escaped(page::text(&b["scenario"])),
        escaped(page::text(&b["run"]))
    );
    put!("<div class=\"verdict {class}\"><span>{}</span></div>", escaped(line));
    for note in notes {
        put!("<p>Note: {}</p>", escaped(note));
    }
    put!("<h2>Differences</h2><table><tr><th></th><th>A</th><th>B</th><th>change</th><th>by chance</th><th></th></tr>");
    for of in findings {
        put!(
            "<tr><td>{}</td><td>{:.2} {unit}</td><td>{:.2} {unit}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            of.name,
            of.a,
            of.b,
            change(of),
            of.chance
                .map_or("too few blocks".into(), |chance| format!("{chance:.4}")),
            of.word,
            unit = of.unit
        );
    }
    put!(
        "</table><p>Medians of blocks of {BLOCK_S} s of the measured window, compared by the Mann-Whitney U test. \
         Significant: by chance in less than {CHANCE_MAX} of comparisons, and {} % apart at least.</p>",
        DIFFERENCE_MIN * 100.0
    );
    for (name, title, scale, unit, _) in MEASURES {
        let lines = vec![
            page::line("A", "c0", column(&a["samples"], name, scale)),
            page::line("B", "c1", column(&b["samples"], name, scale)),
        ];
        let y = if unit == "ms" { Unit::Milliseconds } else { Unit::Plain };
        let chart = Chart {
            lines,
            x: Unit::Seconds,
            y,
            log: unit == "ms",
            shaded: None,
            mark: None,
            width: 1080.0,
            height: 200.0,
        };
        put!("<h2>{}</h2>{}", title, chart.svg());
    }
    put!(
        "<h2>Latency by percentile</h2>{}",
        page::percentiles(&[("A", a), ("B", b)])
    );
    put!(
        "<div class=\"two\"><div><h1>A</h1>{}</div><div><h1>B</h1>{}</div></div>",
        page::environment(a),
        page::environment(b)
    );
    out.push_str("</main></body></html>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;
    use serde_json::json;

    fn record(seed: u64, p99_ms: f64, seconds: usize) -> Value {
        let mut random = SplitMix64(seed);
        let at: Vec<usize> = (0..seconds).collect();
        let mut drawn = |middle: f64| -> Vec<f64> { at.iter().map(|_| middle * (0.9 + 0.2 * random.unit())).collect() };
        json!({
            "scenario": "s", "schedule": {"warmup_s": 10.0, "ran_s": seconds as f64}, "verdict": {"valid": true},
            "samples": {"length_s": 1.0, "at_s": at, "p50_us": drawn(1e3), "p99_us": drawn(p99_ms * 1e3),
                "p99_9_us": drawn(9e3), "good_per_second": drawn(500.0), "failed_per_second": vec![0; seconds]},
        })
    }

    fn word(findings: &[Finding], name: &str) -> &'static str {
        findings.iter().find(|finding| finding.name == name).unwrap().word
    }

    #[test]
    fn the_same_server_shows_no_difference_and_a_slower_one_does() {
        let a = record(1, 5.0, 130);
        assert!(
            compare(&a, &record(2, 5.0, 130))
                .iter()
                .all(|of| of.word == "no significant difference")
        );
        let slower = compare(&a, &record(3, 6.0, 130));
        assert_eq!(
            (word(&slower, "latency p99"), word(&slower, "latency p50")),
            ("worse", "no significant difference")
        );
        assert_eq!(word(&compare(&a, &record(4, 4.0, 130)), "latency p99"), "better");
        assert!(
            line(&slower).starts_with("B is worse: latency p99 +"),
            "{}",
            line(&slower)
        );
    }

    #[test]
    fn short_runs_are_not_told_apart() {
        let findings = compare(&record(1, 5.0, 20), &record(2, 50.0, 20));
        assert!(findings.iter().all(|of| of.word == "not known"));
        assert_eq!(line(&findings), "the runs are too short to tell them apart");
    }

    #[test]
    fn the_test_agrees_with_known_values() {
        // U = 0 with 8 and 8: z = 31.5 / sqrt(8 * 8 * 17 / 12) = 3.308, both sides 0.00094.
        let (low, high): (Vec<f64>, Vec<f64>) = ((0..8).map(f64::from).collect(), (8..16).map(f64::from).collect());
        assert!((mann_whitney(&low, &high) - 0.00094).abs() < 1e-5);
        assert!((mann_whitney(&high, &low) - 0.00094).abs() < 1e-5);
        assert_eq!(mann_whitney(&[1.0; 8], &[1.0; 8]), 1.0);
        assert!((erfc(1.0) - 0.157_299_2).abs() < 1e-6);
    }

    #[test]
    fn what_makes_runs_hard_to_compare_is_said() {
        let (a, mut b) = (record(1, 5.0, 20), record(1, 5.0, 20));
        b["scenario"] = "other".into();
        b["verdict"] = json!({"valid": false, "line": "lag"});
        assert_eq!(
            notes(&a, &b),
            ["scenario differs: A \"s\", B \"other\"", "B is not valid: lag"]
        );
    }
}
