//! The report as one page: a single file that needs nothing else, made of the JSON record.

mod sections;

use crate::chart::{Chart, Line, Unit, escaped};
use sections::{cpu_in_metrics, generators, metrics, money, money_figure, slow_clients, webhooks};
use serde_json::Value;
use std::fmt::Write;

/// Width of a chart over the whole page, and of one of two or three beside each other.
const WIDE: f64 = 1080.0;
const NARROW: f64 = 350.0;

/// The look of every page.
pub(crate) const STYLE: &str = include_str!("page.css");

/// The page of a run.
pub(crate) fn page(record: &Value) -> String {
    let verdict = &record["verdict"];
    let (class, word) = match (verdict["valid"] == true, verdict["good"] == true) {
        (false, _) => ("invalid", "Not valid"),
        (true, true) => ("good", "Good"),
        (true, false) => ("bad", "Not good"),
    };
    let title = format!("{} · {word}", text(&record["scenario"]));
    let mut out = head(&title);
    // Writing to a String cannot fail.
    macro_rules! put { ($($part:tt)*) => { write!(out, $($part)*).expect("a String takes everything") } }
    put!(
        "<h1>{}</h1><p class=\"about\">{}</p>",
        escaped(text(&record["scenario"])),
        escaped(text(&record["about"]))
    );
    put!(
        "<div class=\"verdict {class}\"><b>{word}</b><span>{}</span></div>",
        escaped(text(&verdict["line"]))
    );
    put!("<p>This run: {}.</p>", escaped(&what_was_run(record)));
    put!("<div class=\"figures\">");
    let (totals, schedule) = (&record["totals"], &record["schedule"]);
    // A record of an older version of this tool has only those of the good answers.
    let latency = Some(&totals["latency_all_us"]).filter(|all| all.is_object());
    let latency = latency.unwrap_or(&totals["latency_us"]);
    for (value, name) in [
        (count(number(&totals["good_per_second"])), "good answers/s"),
        (count(number(&totals["payments_per_second"])), "payments/s"),
        (milliseconds(&latency["p50"]), "p50"),
        (milliseconds(&latency["p99"]), "p99"),
        (milliseconds(&latency["p99_99"]), "p99.99"),
        (
            count(number(&totals["failed"]) + number(&totals["cut"])),
            "requests failed or never sent",
        ),
        (money_figure(&record["money"]), "cents of difference"),
    ] {
        put!("<div><b>{value}</b><span>{name}</span></div>");
    }
    put!(
        "</div><p>Percentiles count from the moment a request was due, over all its tries and waiting, and count a failed \
         request as slower than every answer.</p><table class=\"checks\"><tr><th>asked</th><th>bound</th><th>came to</th><th></th></tr>"
    );
    for check in verdict["checks"].as_array().into_iter().flatten() {
        let met = if check["met"] == true {
            ("yes", "met")
        } else {
            ("no", "missed")
        };
        put!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"{}\">{}</td></tr>",
            escaped(text(&check["name"])),
            escaped(text(&check["limit"])),
            escaped(text(&check["value"])),
            met.0,
            met.1
        );
    }
    put!("</table>");
    let shaded = Some((0.0, number(&schedule["warmup_s"]))).filter(|range| range.1 > 0.0);
    let samples = &record["samples"];
    let column = |name: &str, scale: f64| column(samples, name, scale);
    let chart = |lines: Vec<Line<'_>>, y: Unit, log: bool, width: f64, height: f64| {
        Chart {
            lines,
            x: Unit::Seconds,
            y,
            log,
            shaded,
            mark: None,
            width,
            height,
        }
        .svg()
    };
    put!("<h2>Throughput against schedule</h2><p>Requests per second. Shaded: warm-up, which is not measured.</p>");
    let lines = vec![
        line("planned", "c5 wide", column("planned_per_second", 1.0)),
        line("due", "c1", column("due_per_second", 1.0)),
        line("good answers, when they came", "c0", column("answered_per_second", 1.0)),
    ];
    put!("{}", chart(lines, Unit::Plain, false, WIDE, 260.0));
    put!(
        "<h2>Latency over time</h2><p>Of good answers, from the moment a request was due, by the second in which it \
         was due. Failures are below.</p>"
    );
    let lines = vec![
        line("p50", "c0", column("p50_us", 1e-3)),
        line("p99", "c1", column("p99_us", 1e-3)),
        line("p99.9", "c2", column("p99_9_us", 1e-3)),
        line("max", "c4", column("max_us", 1e-3)),
    ];
    put!("{}", chart(lines, Unit::Milliseconds, true, WIDE, 280.0));
    put!("<div class=\"two\"><div><h2>Latency by percentile</h2><p>Of good answers.</p>");
    put!("{}</div><div><h2>Failures</h2>", percentiles(&[("", record)]));
    let cut = number(&totals["cut"]);
    if cut > 0.0 || totals["errors"].as_object().is_some_and(|errors| !errors.is_empty()) {
        let mut lines = vec![
            line(
                "tries refused or broken, per second",
                "c2",
                column("refused_per_second", 1.0),
            ),
            line(
                "requests failed after all tries",
                "c3",
                column("failed_per_second", 1.0),
            ),
        ];
        if cut > 0.0 {
            lines.push(line("due, but never sent", "c1", never_sent(samples)));
        }
        put!("{}", chart(lines, Unit::Plain, false, WIDE / 2.0, 240.0));
    }
    if cut > 0.0 {
        put!(
            "<p>{} requests were due, but not sent any more when the run was stopped.</p>",
            count(cut)
        );
    }
    put!("{}</div></div>", errors(totals));
    put!("{}", operations(record));
    put!("<div class=\"two\"><div><h2>The tool's own lag</h2>");
    put!(
        "<p>What the tool added to the latency by itself; p99 {} over all tries.</p>",
        milliseconds(&record["lag_us"]["p99"])
    );
    let lag = vec![line("largest lag of the second", "c4", column("lag_max_us", 1e-3))];
    put!(
        "{}</div><div><h2>CPU</h2><p>Cores in use.</p>",
        chart(lag, Unit::Milliseconds, true, WIDE / 2.0, 200.0)
    );
    let cpu = &record["cpu"];
    let mut server = self::column(cpu, "server_cores_over_time", 1.0);
    if server.is_empty() {
        server = cpu_in_metrics(&record["metrics"]["series"]);
    }
    let used = vec![
        line("server", "c0", server),
        line("load tool", "c4", self::column(cpu, "own_cores_over_time", 1.0)),
    ];
    put!("{}</div></div>", chart(used, Unit::Plain, false, WIDE / 2.0, 200.0));
    if record["metrics"].is_object() {
        put!(
            "<h2>The server's own metrics</h2><p>On the same time axis. Counters are shown per second.</p><div class=\"many\">"
        );
        for (name, points) in metrics(&record["metrics"]["series"]) {
            let lines = vec![line("", "c0", points)];
            put!(
                "<div><h3>{}</h3>{}</div>",
                escaped(&name),
                chart(lines, Unit::Plain, false, NARROW, 130.0)
            );
        }
        put!("</div>");
    }
    put!(
        "{}{}{}{}{}",
        money(&record["money"]),
        webhooks(&record["webhooks"]),
        slow_clients(&record["slow_clients"]),
        generators(&record["generators"]),
        environment(record)
    );
    out.push_str("</main></body></html>\n");
    out
}

/// Requests of each sample that have neither an answer nor failed.
fn never_sent(samples: &Value) -> Vec<(f64, f64)> {
    let of = |name: &str| column(samples, name, 1.0);
    let (good, failed) = (of("good_per_second"), of("failed_per_second"));
    let ended = good.iter().zip(failed).map(|(good, failed)| good.1 + failed.1);
    let due = of("due_per_second").into_iter().zip(ended);
    due.map(|((at, due), ended)| (at, (due - ended).max(0.0))).collect()
}

/// Scale, rate and length in words: the figures of a run at a tenth must not be read as those of the whole.
fn what_was_run(record: &Value) -> String {
    let schedule = &record["schedule"];
    let scale = number(&record["scale"]);
    let scaled = if scale == 1.0 {
        "full scale".to_string()
    } else {
        format!("scale {}", short(scale))
    };
    format!(
        "{scaled}, {} requests/s at the peak of its schedule, {} s of which {} s are warm-up",
        count(number(&schedule["peak_per_second"])),
        count(number(&schedule["ran_s"]).round()),
        count(number(&schedule["warmup_s"]).round())
    )
}

/// The start of every page.
pub(crate) fn head(title: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{}</title><style>{STYLE}</style></head><body><main>",
        escaped(title)
    )
}

/// A line of a chart.
pub(crate) fn line<'a>(name: &'a str, class: &'a str, points: Vec<(f64, f64)>) -> Line<'a> {
    Line { name, class, points }
}

/// A column of samples over its times.
pub(crate) fn column(samples: &Value, name: &str, scale: f64) -> Vec<(f64, f64)> {
    let times = samples["at_s"].as_array().into_iter().flatten();
    let values = samples[name].as_array().into_iter().flatten();
    times
        .zip(values)
        .filter_map(|(at, value)| Some((at.as_f64()?, value.as_f64()? * scale)))
        .collect()
}

/// Latency by percentile of some runs.
pub(crate) fn percentiles(records: &[(&str, &Value)]) -> String {
    /// Nines up to which the axis goes.
    const NINES_MAX: f64 = 5.0;
    let lines = records.iter().zip(["c0", "c1", "c2"]).map(|((name, record), class)| {
        let steps: Vec<(f64, f64)> = record["histogram_us"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|step| Some((step[0].as_f64()?, step[1].as_f64()?)))
            .collect();
        let whole: f64 = steps.iter().map(|step| step.1).sum();
        let mut sum = 0.0;
        let points = steps.iter().map(|(value, count)| {
            let below = sum / whole;
            sum += count;
            ((-(1.0 - below).log10()).min(NINES_MAX), value / 1_000.0)
        });
        line(name, class, points.filter(|point| point.0 < NINES_MAX).collect())
    });
    Chart {
        lines: lines.collect(),
        x: Unit::Nines,
        y: Unit::Milliseconds,
        log: true,
        shaded: None,
        mark: None,
        width: WIDE / 2.0,
        height: 240.0,
    }
    .svg()
}

fn operations(record: &Value) -> String {
    let mut out = String::from(
        "<h2>By operation</h2><table><tr><th>operation</th><th>due</th><th>good/s</th><th>declined</th><th>failed</th>\
         <th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>p99.99</th><th>max</th></tr>",
    );
    let operations = record["operations"].as_object().into_iter().flatten();
    for (name, counts) in operations
        .map(|(name, counts)| (name.as_str(), counts))
        .chain([("all", &record["totals"])])
    {
        let latency = &counts["latency_us"];
        let cells: Vec<String> = ["p50", "p90", "p99", "p99_9", "p99_99", "max"]
            .iter()
            .map(|percent| format!("<td>{}</td>", milliseconds(&latency[*percent])))
            .collect();
        let row = format!(
            "<tr{}><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>{}</tr>",
            if name == "all" { " class=\"all\"" } else { "" },
            escaped(name),
            count(number(&counts["due"])),
            count(number(&counts["good_per_second"])),
            count(number(&counts["declined"])),
            count(number(&counts["failed"])),
            cells.concat()
        );
        out.push_str(&row);
    }
    out + "</table>"
}

fn errors(totals: &Value) -> String {
    let kinds: Vec<String> = totals["errors"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(kind, times)| format!("<tr><td>{}</td><td>{}</td></tr>", escaped(kind), count(number(times))))
        .collect();
    if kinds.is_empty() {
        return "<p>No try failed, and none was refused.</p>".into();
    }
    format!(
        "<table><tr><th>what tries failed with</th><th>times</th></tr>{}</table>",
        kinds.concat()
    )
}

/// Environment and schedule, as a table.
pub(crate) fn environment(record: &Value) -> String {
    let (environment, schedule, totals) = (&record["environment"], &record["schedule"], &record["totals"]);
    let mut rows = vec![
        ("scale".to_string(), short(number(&record["scale"]))),
        ("arrivals".into(), text(&schedule["arrivals"]).into()),
        (
            "seconds run".into(),
            format!(
                "{} of {}",
                count(number(&schedule["ran_s"])),
                count(number(&schedule["seconds"]))
            ),
        ),
        ("peak, requests/s".into(), count(number(&schedule["peak_per_second"]))),
        ("seed".into(), record["seed"].to_string()),
        ("run".into(), text(&record["run"]).into()),
        ("connections used".into(), count(number(&totals["connections"]))),
    ];
    for (name, value) in environment.as_object().into_iter().flatten() {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Null => "not known".into(),
            other => other.to_string(),
        };
        rows.push((name.replace('_', " "), value));
    }
    let rows: Vec<String> = rows
        .iter()
        .map(|(name, value)| format!("<tr><td>{}</td><td>{}</td></tr>", escaped(name), escaped(value)))
        .collect();
    format!(
        "<h2>Environment</h2><table class=\"environment\">{}</table>",
        rows.concat()
    )
}

/// The load of a run as a file of rates: what fell due in each second, for a phase with `shape = "profile"`.
pub(crate) fn profile(record: &Value) -> String {
    let length = number(&record["samples"]["length_s"]);
    let mut out = format!(
        "# Requests per second that fell due in run {} of {}, warm-up included; step_s = {length}\n# second, rate\n",
        text(&record["run"]),
        text(&record["scenario"])
    );
    for (at, rate) in column(&record["samples"], "due_per_second", 1.0) {
        writeln!(out, "{at}, {rate}").expect("a String takes everything");
    }
    out
}

/// Text of a member; empty if it is none.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A number; 0 if it is none.
pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(0.0)
}

/// A factor with the digits that say something.
pub(crate) fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// A number with its thousands apart.
pub(crate) fn count(value: f64) -> String {
    if value != 0.0 && value.abs() < 10.0 && value.fract() != 0.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if value < 0.0 { format!("-{out}") } else { out }
}

/// Microseconds as milliseconds with three digits that say something; null is a request that got no good answer.
pub(crate) fn milliseconds(us: &Value) -> String {
    if us.is_null() {
        return "no answer".into();
    }
    let ms = number(us) / 1_000.0;
    match ms {
        _ if ms >= 100.0 => format!("{} ms", count(ms)),
        _ if ms >= 10.0 => format!("{ms:.1} ms"),
        _ => format!("{ms:.2} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        let cases = [
            (0.0, "0"),
            (1_234_567.4, "1,234,567"),
            (-42_000.0, "-42,000"),
            (0.25, "0.25"),
            (999.6, "1,000"),
        ];
        for (value, expected) in cases {
            assert_eq!(count(value), expected);
        }
        assert_eq!(milliseconds(&Value::from(340)), "0.34 ms");
        assert_eq!(milliseconds(&Value::from(1_234_000)), "1,234 ms");
    }
}
