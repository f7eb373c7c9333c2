//! A record in lines for people.

use serde_json::Value;
use std::fmt::Write;

/// The record in lines.
pub(crate) fn text(record: &Value) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let mut line = |name: &str, text: String| writeln!(out, "{name:<11} {text}").expect("a String takes everything");
    let number = |value: &Value| value.as_f64().unwrap_or(0.0);
    let ms = |value: &Value| format!("{:.2}", number(value) / 1_000.0);
    let percentiles = |of: &Value| {
        format!(
            "p50 {}  p90 {}  p99 {}  p99.9 {}  p99.99 {}  max {} ms",
            ms(&of["p50"]),
            ms(&of["p90"]),
            ms(&of["p99"]),
            ms(&of["p99_9"]),
            ms(&of["p99_99"]),
            ms(&of["max"])
        )
    };
    let (totals, schedule) = (&record["totals"], &record["schedule"]);
    line(
        "scenario",
        format!(
            "{}, open loop, {} arrivals, scale {}, {:.0} s of which {:.0} s warm-up, {} threads",
            record["scenario"].as_str().unwrap_or_default(),
            schedule["arrivals"].as_str().unwrap_or_default(),
            crate::page::short(number(&record["scale"])),
            number(&schedule["ran_s"]),
            number(&schedule["warmup_s"]),
            record["environment"]["threads"]
        ),
    );
    line(
        "requests",
        format!(
            "{} due ({:.0}/s), {} good ({:.0}/s), {} failed; {:.0} payments/s; {} connections",
            totals["due"],
            number(&totals["due_per_second"]),
            totals["good"],
            number(&totals["good_per_second"]),
            totals["failed"],
            number(&totals["payments_per_second"]),
            totals["connections"]
        ),
    );
    line("latency", percentiles(&totals["latency_us"]));
    for (name, counts) in record["operations"].as_object().into_iter().flatten() {
        line(
            &format!("  {name}"),
            format!(
                "{:>8} good  {}",
                counts["good"].to_string(),
                percentiles(&counts["latency_us"])
            ),
        );
    }
    let missing = ["p50", "p99", "p99_9", "p99_99"]
        .into_iter()
        .find(|name| totals["due"] != 0 && totals["latency_all_us"][*name].is_null());
    if let Some(name) = missing {
        line(
            "  of all",
            format!(
                "counting failed requests as slower than every answer, there is no answer from {} on",
                name.replace('_', ".")
            ),
        );
    }
    line("own lag", percentiles(&record["lag_us"]));
    for (kind, count) in totals["errors"].as_object().into_iter().flatten() {
        line("not good", format!("{count} x {kind}"));
    }
    if number(&totals["refusals"]) > 0.0 {
        line(
            "refusals",
            format!("{}, {}", totals["refusals"], percentiles(&totals["refusal_us"])),
        );
    }
    let slow = &record["slow_clients"];
    if slow.is_object() {
        line(
            "slow",
            format!(
                "{} clients of {} asked for, {} held at most; {} times opened, {} closed by the server, {} not connected",
                slow["clients"],
                slow["asked"],
                slow["held_max"],
                slow["opened"],
                slow["closed_by_server"],
                slow["not_connected"]
            ),
        );
    }
    for of in record["generators"].as_array().into_iter().flatten() {
        line(
            "generator",
            format!(
                "part {}: {} good, own lag p99 {} ms",
                of["part"],
                of["good"],
                ms(&of["lag_p99_us"])
            ),
        );
    }
    let cpu = &record["cpu"];
    for (name, who) in [("server cpu", "server"), ("own cpu", "own")] {
        if let Some(cores) = cpu[format!("{who}_cores")].as_f64() {
            let us = cpu[format!("{who}_us_per_request")].as_f64();
            let us = us.map_or(String::new(), |us| format!(", {us:.1} us/request"));
            line(name, format!("{cores:.2} cores{us}"));
        }
    }
    let money = &record["money"];
    if money.is_object() {
        line(
            "money",
            format!(
                "{} of {} merchants with {} of {} movements checked in full, {} listed, {} events; balances moved {}, expected {}, \
                 difference {}; {} unanswered requests moved money, {} did not; {:.1} s",
                money["merchants_checked"],
                money["merchants"],
                money["movements_checked"],
                money["movements"],
                money["listed"],
                money["events"],
                money["moved"],
                money["expected"],
                money["difference"],
                money["unknown_moved"],
                money["unknown_not_moved"],
                number(&money["took_s"])
            ),
        );
        for difference in money["differences"].as_array().into_iter().flatten() {
            line("", difference.as_str().unwrap_or_default().into());
        }
    }
    let webhooks = &record["webhooks"];
    if webhooks.is_object() {
        line(
            "webhooks",
            format!(
                "{} of {} owed came to {} endpoints, {} missing; {} again, {} behind a younger one, {} not signed, {} malformed, \
                 {} in no list; all there {:.1} s after the schedule",
                webhooks["received"],
                webhooks["owed"],
                webhooks["endpoints"],
                webhooks["missing"],
                webhooks["again"],
                webhooks["late"],
                webhooks["not_signed"],
                webhooks["malformed"],
                webhooks["unlisted"],
                number(&webhooks["took_s"])
            ),
        );
        line("  paid", percentiles(&webhooks["latency_us"]));
    }
    let verdict = &record["verdict"];
    let word = match (verdict["valid"] == true, verdict["good"] == true) {
        (false, _) => "not valid",
        (true, true) => "good",
        (true, false) => "not good",
    };
    line(
        "verdict",
        format!("{word}: {}", verdict["line"].as_str().unwrap_or_default()),
    );
    out
}
