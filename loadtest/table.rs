//! The table of measures: every figure the server is judged by, each measured in several rounds on a server of its own,
//! with medians and ranges.
//!
//! Rounds go over all measures in turn, so that a machine that slows down for a while slows all of them a little, and
//! not one of them much. Each run has a fresh server with a fresh data directory; server and tool share the processors
//! they are pinned to. Nothing here is a test: a machine that does other things gives other figures.

mod filled;
mod open;
mod peak;
mod server;
mod shown;

use crate::cli::Table;
use crate::{Stop, layout};
use anyhow::Context;
use serde_json::{Value, json};
use server::Home;
use std::io::Write;

/// What is measured, in the order of the table.
const MEASURES: [(&str, &str); 9] = [
    (
        "payments",
        "closed loop of payments over 512 and 64 connections: rate, CPU, sync time",
    ),
    (
        "hot-merchant",
        "the same over 512 connections, all of them one merchant",
    ),
    (
        "remote",
        "payments over the remote network, 20 ms away, 2,048 connections",
    ),
    ("half", "p99 at half of the peak rate, open loop"),
    (
        "overload",
        "five times the peak rate for 15 s: goodput, refusals, the way back",
    ),
    (
        "slow-clients",
        "p99 at half of the peak rate, with and without clients that only take up room",
    ),
    ("black-friday", "the mix at full scale, once"),
    (
        "filled",
        "rate at the start and after --fill payments, memory, disk, reads of old payments",
    ),
    ("own", "requests per second that one core of the tool sends and reads"),
];

/// One figure of the table.
#[derive(Clone, Debug)]
struct Figure {
    /// What it is.
    name: String,
    unit: &'static str,
    /// What is to be reached, and whether more is better; `None` for figures that only explain others.
    goal: Option<(f64, bool)>,
    /// One per round.
    values: Vec<f64>,
}

/// Everything that was measured.
#[derive(Default)]
struct Figures {
    all: Vec<Figure>,
    /// What went wrong, or must be known to read the figures.
    notes: Vec<String>,
    /// Peak of the binary that this one is compared with: both are then measured at the same rates.
    peak_of_first: Option<f64>,
}

impl Figures {
    fn add(&mut self, name: &str, unit: &'static str, goal: Option<(f64, bool)>, value: f64) {
        match self.all.iter_mut().find(|figure| figure.name == name) {
            Some(figure) => figure.values.push(value),
            None => self.all.push(Figure {
                name: name.into(),
                unit,
                goal,
                values: vec![value],
            }),
        }
    }

    fn note(&mut self, note: String) {
        // Nothing can be done about a closed stderr.
        let _ = writeln!(std::io::stderr(), "  note: {note}");
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The median so far of a figure that others depend on.
    fn median(&self, name: &str) -> Option<f64> {
        let figure = self.all.iter().find(|figure| figure.name == name)?;
        Some(median(&figure.values))
    }
}

/// Name of the figure that gives the peak rate.
const PEAK: &str = "payments/s, 512 connections";

/// Measures and prints; good if every run was sound.
pub(crate) fn run(options: &Table) -> Result<bool, Stop> {
    for name in &options.only {
        if !MEASURES.iter().any(|measure| measure.0 == name) {
            let known = MEASURES.iter().map(|measure| measure.0);
            return Err(Stop::Use(crate::nearest::unknown("measure", name, known)));
        }
    }
    let mut homes = vec![Home::new(options, options.server.as_deref())?];
    if let Some(binary) = &options.against {
        homes.push(Home::new(options, Some(binary))?);
    }
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    let mut all: Vec<Figures> = homes.iter().map(|_| Figures::default()).collect();
    let mut loads = Vec::new();
    for round in 1..=options.rounds {
        for (name, about) in MEASURES.into_iter().filter(|measure| wanted(measure.0)) {
            let once = matches!(name, "black-friday" | "filled");
            let skipped = (once && round > 1)
                || (name == "filled" && options.fill == 0)
                || (name == "black-friday" && options.black_friday == 0.0);
            if skipped {
                continue;
            }
            for (at, home) in homes.iter().enumerate() {
                let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
                let _ = writeln!(
                    std::io::stderr(),
                    "round {round} of {}, {}, load average {}: {about}",
                    options.rounds,
                    home.name(),
                    load.trim()
                );
                loads.push(json!({"round": round, "measure": name, "load_average": load.trim()}));
                all[at].peak_of_first = all[0].median(PEAK).filter(|_| at > 0);
                measure(name, home, options, &mut all[at])?;
            }
        }
    }
    let records: Vec<Value> = homes
        .iter()
        .zip(&all)
        .map(|(home, figures)| record(options, home, figures, &loads))
        .collect();
    let markdown = match &records[..] {
        [a, b] => shown::pairs(a, b),
        _ => shown::markdown(&records[0]),
    };
    crate::print(&markdown)?;
    if let Some(path) = &options.markdown {
        crate::write_file(path, &markdown)?;
    }
    if let Some(path) = &options.json {
        let mut record = records[0].clone();
        record["against"] = records.get(1).cloned().unwrap_or_default();
        crate::write_file(path, &layout::text(&record))?;
    }
    Ok(all.iter().all(|figures| figures.notes.is_empty()))
}

fn measure(name: &str, home: &Home, options: &Table, figures: &mut Figures) -> anyhow::Result<()> {
    match name {
        "payments" => peak::payments(home, options, figures),
        "hot-merchant" => peak::hot_merchant(home, options, figures),
        "remote" => peak::remote(home, options, figures),
        "half" => open::half(home, options, figures),
        "overload" => open::overload(home, options, figures),
        "slow-clients" => open::slow_clients(home, options, figures),
        "black-friday" => open::black_friday(home, options, figures),
        "filled" => filled::filled(home, options, figures),
        _ => open::own(home, options, figures),
    }
}

fn record(options: &Table, home: &Home, figures: &Figures, loads: &[Value]) -> Value {
    let rows: Vec<Value> = figures
        .all
        .iter()
        .map(|figure| {
            let (least, most) = range(&figure.values);
            let median = median(&figure.values);
            json!({
                "name": figure.name,
                "unit": figure.unit,
                "goal": figure.goal.map(|goal| goal.0),
                "more_is_better": figure.goal.map(|goal| goal.1),
                "met": figure.goal.map(|(goal, more)| if more { median >= goal } else { median <= goal }),
                "median": median,
                "least": least,
                "most": most,
                "values": figure.values,
            })
        })
        .collect();
    json!({
        "format": 1,
        "kind": "table",
        "environment": home.environment(),
        "rounds": options.rounds,
        "seconds": options.seconds,
        "figures": rows,
        "notes": figures.notes,
        "load_averages": loads,
    })
}

/// The peak rate that was measured, or the one that was given.
fn peak(options: &Table, figures: &Figures) -> anyhow::Result<f64> {
    options
        .peak
        .or(figures.peak_of_first)
        .or_else(|| figures.median(PEAK))
        .context("this measure depends on the peak rate: measure \"payments\" too, or give --peak")
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

fn range(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| {
            (least.min(*value), most.max(*value))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_one_name_are_rounds_of_one_figure() {
        let mut figures = Figures::default();
        for value in [3.0, 1.0, 2.0] {
            figures.add(PEAK, "/s", Some((2.0, true)), value);
        }
        figures.add("other", "ms", None, 9.0);
        assert_eq!((figures.all.len(), figures.median(PEAK)), (2, Some(2.0)));
        assert_eq!((median(&[4.0, 1.0]), range(&[4.0, 1.0])), (2.5, (1.0, 4.0)));
    }
}
