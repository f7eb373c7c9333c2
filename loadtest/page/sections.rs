//! Parts of a page that stand for themselves: the server's metrics, the money, slow clients, generators.

use super::{count, milliseconds, number, text};
use crate::chart::escaped;
use serde_json::Value;

/// Most of the server's metrics that are drawn.
const METRICS_MAX: usize = 36;

/// Metrics worth drawing: those that were ever other than 0; sums and counts of timings as their mean.
pub(super) fn metrics(series: &Value) -> Vec<(String, Vec<(f64, f64)>)> {
    let points = |name: &str| points_of(series, name);
    let mut out = Vec::new();
    for (name, of) in series.as_object().into_iter().flatten() {
        let (title, drawn) = if let Some(base) = name.strip_suffix("_sum") {
            let (sums, counts) = (points(name), points(&format!("{base}_count")));
            let timing = base.ends_with("_seconds");
            let scale = if timing { 1_000.0 } else { 1.0 };
            let means = sums.iter().zip(&counts).filter(|(_, count)| count.1 > 0.0);
            let means = means.map(|(sum, count)| (sum.0, sum.1 / count.1 * scale)).collect();
            let unit = if timing { ", mean, ms" } else { ", mean" };
            (format!("{}{unit}", base.trim_end_matches("_seconds")), means)
        } else if name.ends_with("_count") && series[format!("{}_sum", name.trim_end_matches("_count"))].is_object() {
            continue;
        } else if of["kind"] == "rate" {
            (format!("{}/s", name.trim_end_matches("_total")), points(name))
        } else {
            (name.clone(), points(name))
        };
        if drawn.iter().any(|point| point.1 != 0.0) {
            let rank = match name {
                _ if crate::scrape::is_cpu(name) => 0,
                _ if crate::scrape::is_queue(name) => 1,
                _ if name.ends_with("_sum") => 2,
                _ => 3,
            };
            out.push((rank, title.trim_start_matches("tollgate_").replace('_', " "), drawn));
        }
    }
    // What waits, and for how long, before what only counts.
    out.sort_by_key(|drawn| (drawn.0, drawn.1.clone()));
    out.truncate(METRICS_MAX);
    out.into_iter().map(|(_, title, points)| (title, points)).collect()
}

pub(super) fn cpu_in_metrics(series: &Value) -> Vec<(f64, f64)> {
    let all = series.as_object().into_iter().flatten();
    all.filter(|(name, _)| crate::scrape::is_cpu(name))
        .flat_map(|(name, _)| points_of(series, name))
        .collect()
}

/// The points of a metric from the start of the schedule on.
fn points_of(series: &Value, name: &str) -> Vec<(f64, f64)> {
    let points = series[name]["points"].as_array().into_iter().flatten();
    points
        .filter_map(|point| Some((point[0].as_f64()?, point[1].as_f64()?)))
        .filter(|point| point.0 >= 0.0)
        .collect()
}

pub(super) fn slow_clients(of: &Value) -> String {
    if !of.is_object() {
        return String::new();
    }
    let n = |name: &str| count(number(&of[name]));
    format!(
        "<h2>Slow clients</h2><p>Beside the load, {} connections sent their requests a byte at a time ({} were asked for).</p>\
         <table><tr><td>held at once, at most</td><td>{}</td></tr><tr><td>opened</td><td>{}</td></tr>\
         <tr><td>closed by the server</td><td>{}, {} of them with an answer</td></tr>\
         <tr><td>not connected</td><td>{}</td></tr></table>",
        n("clients"),
        n("asked"),
        n("held_max"),
        n("opened"),
        n("closed_by_server"),
        n("answered"),
        n("not_connected")
    )
}

pub(super) fn generators(of: &Value) -> String {
    let Some(generators) = of.as_array() else {
        return String::new();
    };
    let start = generators
        .iter()
        .map(|of| number(&of["started_unix_s"]))
        .fold(f64::INFINITY, f64::min);
    let rows: Vec<String> = generators
        .iter()
        .map(|of| {
            format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{:.3} s</td><td>{}</td><td>{:.2}</td></tr>",
                of["part"],
                escaped(text(&of["environment"]["cpu"])),
                count(number(&of["good"])),
                number(&of["started_unix_s"]) - start,
                milliseconds(&of["lag_p99_us"]),
                number(&of["own_cores"])
            )
        })
        .collect();
    format!(
        "<h2>Generators</h2><p>This is the sum of several reports. Histograms were added, not averaged.</p>\
         <table><tr><th>part</th><th>machine</th><th>good answers</th><th>started after the first</th><th>own lag p99</th>\
         <th>cores used</th></tr>{}</table>",
        rows.concat()
    )
}

pub(super) fn money(money: &Value) -> String {
    if !money.is_object() {
        return "<h2>Money</h2><p>The money was not checked in this run.</p>".into();
    }
    let n = |name: &str| count(number(&money[name]));
    let whole = money["merchants_checked"] == money["merchants"];
    let rule = if whole {
        "All merchants were checked."
    } else {
        "The largest merchant and others drawn by seed were checked; the rest was not looked at."
    };
    let mut out = format!(
        "<h2>Money</h2><p>{rule} For each, every acknowledged payment and refund must have exactly one balance transaction \
         of its amount, one entry in its list and one event, none of these may be unexplained, and the balance must have \
         moved by the net sum.</p><table>\
         <tr><td>merchants checked</td><td>{} of {}</td></tr><tr><td>payments and refunds checked</td><td>{} of {}</td></tr>\
         <tr><td>balance transactions read</td><td>{}</td></tr>\
         <tr><td>found in their lists</td><td>{}</td></tr><tr><td>found among events</td><td>{}</td></tr>\
         <tr><td>balances moved by, in cents</td><td>{}</td></tr><tr><td>explained by answers</td><td>{}</td></tr>\
         <tr><td>difference</td><td>{}</td></tr>\
         <tr><td>requests never answered</td><td>{} moved money, {} did not</td></tr></table>",
        n("merchants_checked"),
        n("merchants"),
        n("movements_checked"),
        n("movements"),
        n("transactions"),
        n("listed"),
        n("events"),
        n("moved"),
        n("expected"),
        n("difference"),
        n("unknown_moved"),
        n("unknown_not_moved"),
    );
    let differences = money["differences"].as_array().into_iter().flatten();
    let listed: Vec<String> = differences
        .map(|what| format!("<li>{}</li>", escaped(text(what))))
        .collect();
    if !listed.is_empty() {
        out.push_str(&format!("<ul class=\"differences\">{}</ul>", listed.concat()));
    }
    out
}

/// What came of webhooks; nothing where there were none.
pub(super) fn webhooks(webhooks: &Value) -> String {
    if !webhooks.is_object() {
        return String::new();
    }
    let n = |name: &str| count(number(&webhooks[name]));
    let ms = |name: &str| milliseconds(&webhooks["latency_us"][name]);
    format!(
        "<h2>Webhooks</h2><p>Each merchant had endpoints that the tool registered and received at. For each endpoint, every \
         event of the account's list must have come, signed, and in order of the events about its object. The time is from the \
         sending of a payment's request to the delivery that says it is paid.</p><table>\
         <tr><td>endpoints</td><td>{}</td></tr><tr><td>deliveries owed</td><td>{}</td></tr>\
         <tr><td>events received</td><td>{}</td></tr><tr><td>missing</td><td>{}</td></tr>\
         <tr><td>in no list</td><td>{}</td></tr><tr><td>sent again</td><td>{}</td></tr>\
         <tr><td>behind a younger one</td><td>{}</td></tr><tr><td>without a good signature</td><td>{}</td></tr>\
         <tr><td>no events</td><td>{}</td></tr><tr><td>paid to told, p50</td><td>{}</td></tr>\
         <tr><td>p99</td><td>{}</td></tr><tr><td>p99.9</td><td>{}</td></tr><tr><td>max</td><td>{}</td></tr>\
         <tr><td>all there after the schedule, s</td><td>{:.1}</td></tr></table>",
        n("endpoints"),
        n("owed"),
        n("received"),
        n("missing"),
        n("unlisted"),
        n("again"),
        n("late"),
        n("not_signed"),
        n("malformed"),
        ms("p50"),
        ms("p99"),
        ms("p99_9"),
        ms("max"),
        number(&webhooks["took_s"]),
    )
}

pub(super) fn money_figure(money: &Value) -> String {
    if money.is_object() {
        count(number(&money["difference"]))
    } else {
        "–".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timings_are_drawn_as_means_and_silent_metrics_are_not() {
        let series = serde_json::json!({
            "tollgate_commit_seconds_sum": {"kind": "rate", "points": [[-1.0, 9.0], [1.0, 0.5], [2.0, 0.0]]},
            "tollgate_commit_seconds_count": {"kind": "rate", "points": [[-1.0, 9.0], [1.0, 100.0], [2.0, 0.0]]},
            "tollgate_blocks_total": {"kind": "rate", "points": [[1.0, 7.0]]},
            "tollgate_shards_failed": {"kind": "value", "points": [[1.0, 0.0]]},
        });
        let drawn = metrics(&series);
        assert_eq!(
            drawn,
            [
                ("commit, mean, ms".to_string(), vec![(1.0, 5.0)]),
                ("blocks/s".to_string(), vec![(1.0, 7.0)])
            ]
        );
    }
}
