//! The table as text, ready for a page of documentation.

use crate::page::{count, number, text};
use serde_json::Value;
use std::fmt::Write;

/// The table in Markdown, with what must be known to read it.
pub(super) fn markdown(record: &Value) -> String {
    let mut out = String::from("| measure | reach | median | range | rounds | |\n|---|---|---|---|---|---|\n");
    for figure in record["figures"].as_array().into_iter().flatten() {
        let unit = text(&figure["unit"]);
        let shown = |value: &Value| written(number(value), unit);
        let goal = match figure["goal"].is_number() {
            true => shown(&figure["goal"]),
            false => String::new(),
        };
        let rounds = figure["values"].as_array().map_or(0, Vec::len);
        let range = match rounds {
            1 => String::new(),
            _ => format!("{} to {}", shown(&figure["least"]), shown(&figure["most"])),
        };
        // Writing to a String cannot fail.
        writeln!(
            out,
            "| {} | {goal} | {} | {range} | {rounds} | {} |",
            text(&figure["name"]).replace("  ", "&nbsp;&nbsp;"),
            shown(&figure["median"]),
            judged(figure)
        )
        .expect("a String takes everything");
    }
    out.push_str(&circumstances(record));
    out
}

/// Two binaries beside each other, measured in turn: medians, and in how many rounds the second was the better one.
pub(super) fn pairs(a: &Value, b: &Value) -> String {
    let mut out = String::from("| measure | A | B | change | rounds in which B is better |\n|---|---|---|---|---|\n");
    let figures = |record: &Value| record["figures"].as_array().cloned().unwrap_or_default();
    let of_b = figures(b);
    for in_a in figures(a) {
        let Some(in_b) = of_b.iter().find(|figure| figure["name"] == in_a["name"]) else {
            continue;
        };
        let unit = text(&in_a["unit"]);
        let shown = |figure: &Value| written(number(&figure["median"]), unit);
        let (before, after) = (number(&in_a["median"]), number(&in_b["median"]));
        let change = match before {
            0.0 => String::new(),
            _ => format!("{:+.1} %", (after / before - 1.0) * 100.0),
        };
        // Figures without a goal are rates or times; more is better of rates alone.
        let more = in_a["more_is_better"].as_bool().unwrap_or(unit == "/s");
        let rounds = |figure: &Value| figure["values"].as_array().cloned().unwrap_or_default();
        let rounds: Vec<(Value, Value)> = rounds(&in_a).into_iter().zip(rounds(in_b)).collect();
        let better = rounds
            .iter()
            .filter(|(a, b)| match more {
                true => number(b) > number(a),
                false => number(b) < number(a),
            })
            .count();
        writeln!(
            out,
            "| {} | {} | {} | {change} | {better} of {} |",
            text(&in_a["name"]).replace("  ", "&nbsp;&nbsp;"),
            shown(&in_a),
            shown(in_b),
            rounds.len()
        )
        .expect("a String takes everything");
    }
    let binary = |record: &Value| text(&record["environment"]["binary"]).to_string();
    writeln!(out, "\nA: {}. B: {}.", binary(a), binary(b)).expect("a String takes everything");
    for (name, record) in [("A", a), ("B", b)] {
        writeln!(out, "\n{name}:").expect("a String takes everything");
        out.push_str(&circumstances(record));
    }
    out
}

/// Machine and rounds, and what must be known to read the figures.
fn circumstances(record: &Value) -> String {
    let environment = &record["environment"];
    let cpus = |name: &str| match environment[name].as_array().map(Vec::as_slice) {
        None | Some([]) => "all processors".to_string(),
        Some(cpus) => {
            let cpus: Vec<String> = cpus.iter().map(Value::to_string).collect();
            format!("processors {}", cpus.join(", "))
        }
    };
    let mut out = String::new();
    let averages: Vec<f64> = record["load_averages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|of| text(&of["load_average"]).split(' ').next()?.parse().ok())
        .collect();
    let (least, most) = super::range(&averages);
    writeln!(
        out,
        "\n{}; {} processors, Linux {}; server on {}, tool on {}; {} rounds of {} s; load average of the machine before a \
         run {least:.1} to {most:.1}. {}, {}.",
        text(&environment["cpu"]),
        environment["cores"],
        text(&environment["kernel"]),
        cpus("server_cpus"),
        cpus("tool_cpus"),
        record["rounds"],
        record["seconds"],
        text(&environment["server"]),
        text(&environment["tool"]),
    )
    .expect("a String takes everything");
    for note in record["notes"].as_array().into_iter().flatten() {
        writeln!(out, "\nNote: {}", text(note)).expect("a String takes everything");
    }
    out
}

/// Whether a goal is met, and by how much it is missed.
fn judged(figure: &Value) -> String {
    let (goal, median) = (number(&figure["goal"]), number(&figure["median"]));
    match figure["met"].as_bool() {
        None => String::new(),
        Some(true) => "met".into(),
        Some(false) if goal == 0.0 => "missed".into(),
        Some(false) => format!("missed by {:.0} %", ((median - goal) / goal * 100.0).abs()),
    }
}

fn written(value: f64, unit: &str) -> String {
    let number = match value.abs() {
        size if size >= 1_000.0 || value.fract() == 0.0 => count(value),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    };
    match unit {
        "" | "/s" => number,
        unit => format!("{number} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_table_says_what_is_met_and_what_is_missed_by_how_much() {
        let figure = |name: &str, goal: Value, median: f64, met: Value| {
            json!({"name": name, "unit": "ms", "goal": goal, "median": median, "met": met, "values": [1.0, 2.0],
                "least": 0.5, "most": 1234.0})
        };
        let record = json!({
            "environment": {"cpu": "Some CPU", "cores": 4, "kernel": "6", "server_cpus": [0, 1], "tool_cpus": [],
                "server": "tollgate 0", "tool": "load 0"},
            "rounds": 2, "seconds": 10.0, "notes": ["a note"],
            "load_averages": [{"load_average": "0.50 1 1"}, {"load_average": "2.00 1 1"}],
            "figures": [
                figure("p99", json!(20.0), 25.0, json!(false)),
                figure("p50", json!(20.0), 15.5, json!(true)),
                figure("  other", Value::Null, 0.25, Value::Null),
            ],
        });
        let text = markdown(&record);
        for line in [
            "| p99 | 20 ms | 25 ms | 0.50 ms to 1,234 ms | 2 | missed by 25 % |",
            "| p50 | 20 ms | 15.5 ms | 0.50 ms to 1,234 ms | 2 | met |",
            "| &nbsp;&nbsp;other |  | 0.25 ms | 0.50 ms to 1,234 ms | 2 |  |",
            "server on processors 0, 1, tool on all processors",
            "load average of the machine before a run 0.5 to 2.0",
            "Note: a note",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        let mut other = record.clone();
        other["figures"][0]["median"] = 30.0.into();
        other["figures"][0]["values"] = json!([0.5, 3.0]);
        let text = pairs(&record, &other);
        for line in [
            "| p99 | 25 ms | 30 ms | +20.0 % | 1 of 2 |",
            "| p50 | 15.5 ms | 15.5 ms | +0.0 % | 0 of 2 |",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
