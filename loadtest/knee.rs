//! The knee: the highest rate at which a scenario meets what it asks for, found by search.
//!
//! The rate doubles from the first one until a run misses a bound, then the gap between the last good and the first bad
//! rate is halved until it is as narrow as asked. Each rate is held with the scenario's own mix. Rates at which the tool
//! itself cannot keep the schedule end the search: the knee is then at least as high as the last good rate.

use crate::chart::{Chart, Line, Unit, escaped};
use crate::cli::Knee;
use crate::open_run::{self, Asked, Server};
use crate::page;
use crate::schedule::Shape;
use crate::{Stop, layout, record};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;

/// Most rates tried.
const PROBES_MAX: usize = 40;
/// Part of each rate's time that is not measured.
const WARMUP_SHARE: f64 = 0.2;

/// How a rate went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Went {
    Good,
    Bad,
    /// The tool could not keep the schedule.
    Invalid,
}

/// The search, apart from what is measured.
struct Search {
    good: Option<f64>,
    bad: Option<f64>,
    to: f64,
    precision: f64,
}

impl Search {
    /// The next rate to try; `None` when the knee is found.
    fn next(&self, from: f64) -> Option<f64> {
        match (self.good, self.bad) {
            (None, None) => Some(from.min(self.to)),
            (Some(good), None) if good >= self.to => None,
            (Some(good), None) => Some((good * 2.0).min(self.to)),
            (None, Some(bad)) if bad <= 1.0 => None,
            (None, Some(bad)) => Some((bad / 4.0).max(1.0)),
            (Some(good), Some(bad)) => (bad - good > self.precision * good).then_some((good + bad) / 2.0),
        }
    }

    fn learn(&mut self, rate: f64, went: Went) {
        match went {
            Went::Good => self.good = Some(rate),
            Went::Bad | Went::Invalid => self.bad = Some(rate),
        }
    }
}

/// Searches and reports; good if a rate meets what is asked.
pub(crate) fn run(options: &Knee) -> Result<bool, Stop> {
    let mut scenario = open_run::load(&options.scenario)?;
    scenario.verify.money = false;
    // Parts of its schedule are not parts of a rate that is held.
    scenario.slo.periods.clear();
    scenario.warmup_s = options.hold * WARMUP_SHARE;
    let server = Server {
        url: &options.url,
        key: options.key.as_deref(),
        threads: options.threads,
        server_pid: None,
        start_at_unix_s: None,
    };
    let mut search = Search {
        good: None,
        bad: None,
        to: options.to,
        precision: options.precision.max(0.001),
    };
    let mut probes: Vec<Value> = Vec::new();
    let mut limited_by_tool = false;
    while let Some(rate) = search.next(options.from).filter(|_| probes.len() < PROBES_MAX) {
        scenario.rate = Shape::constant(rate, options.hold);
        let record = open_run::record_of(scenario.clone(), &Asked::NOTHING, &server, &options.open)?;
        let verdict = &record["verdict"];
        let went = match (verdict["valid"] == true, verdict["good"] == true) {
            (false, _) => Went::Invalid,
            (true, true) => Went::Good,
            (true, false) => Went::Bad,
        };
        limited_by_tool = match (went, search.bad) {
            (Went::Invalid, _) => true,
            (Went::Bad, _) => false,
            (Went::Good, _) => limited_by_tool,
        };
        search.learn(rate, went);
        let probe = probe(rate, went, &record);
        let line = format!(
            "{rate:>9.0} /s planned  {:>9.0} /s good  p50 {:>9}  p99 {:>9}  {}\n",
            page::number(&probe["good_per_second"]),
            page::milliseconds(&probe["p50_us"]),
            page::milliseconds(&probe["p99_us"]),
            page::text(&probe["line"]),
        );
        // Nothing can be done about a closed stderr.
        let _ = std::io::stderr().write_all(line.as_bytes());
        probes.push(probe);
    }
    probes.sort_by(|one, two| {
        page::number(&one["planned_per_second"]).total_cmp(&page::number(&two["planned_per_second"]))
    });
    let line = line(&search, limited_by_tool);
    crate::print(&format!("knee        {line}\n"))?;
    let curve = json!({
        "format": record::FORMAT,
        "kind": "knee",
        "scenario": scenario.name,
        "hold_s": options.hold,
        "precision": options.precision,
        "knee_per_second": search.good,
        "limited_by_tool": limited_by_tool,
        "line": line,
        "slo_p99_ms": scenario.slo.p99_ms,
        "probes": probes,
    });
    if let Some(path) = &options.json {
        crate::write_file(path, &layout::text(&curve))?;
    }
    if let Some(path) = &options.html {
        crate::write_file(path, &knee_page(&curve))?;
    }
    Ok(search.good.is_some())
}

fn probe(rate: f64, went: Went, record: &Value) -> Value {
    let latency = &record["totals"]["latency_us"];
    json!({
        "planned_per_second": rate,
        "good_per_second": record["totals"]["good_per_second"],
        "payments_per_second": record["totals"]["payments_per_second"],
        "failed": record["totals"]["failed"],
        "p50_us": latency["p50"],
        "p99_us": latency["p99"],
        "p99_9_us": latency["p99_9"],
        "lag_p99_us": record["lag_us"]["p99"],
        "good": went == Went::Good,
        "valid": went != Went::Invalid,
        "line": record["verdict"]["line"],
    })
}

fn line(search: &Search, limited_by_tool: bool) -> String {
    match (search.good, search.bad) {
        (Some(good), None) => format!("at least {good:.0} requests/s: the highest rate that was to be tried is good"),
        (Some(good), Some(bad)) if limited_by_tool => {
            format!("at least {good:.0} requests/s; at {bad:.0} the tool itself could not keep the schedule")
        }
        (Some(good), Some(bad)) => format!("{good:.0} requests/s is good, {bad:.0} is not"),
        (None, _) => "no rate that was tried is good".into(),
    }
}

fn knee_page(curve: &Value) -> String {
    let mut out = page::head("Knee");
    // Writing to a String cannot fail.
    macro_rules! put { ($($part:tt)*) => { write!(out, $($part)*).expect("a String takes everything") } }
    put!("<h1>Knee of {}</h1>", escaped(page::text(&curve["scenario"])));
    put!(
        "<p class=\"about\">Each rate held for {} s, the first fifth not measured. The money is not checked here.</p>",
        curve["hold_s"]
    );
    let class = if curve["knee_per_second"].is_null() {
        "bad"
    } else {
        "good"
    };
    put!(
        "<div class=\"verdict {class}\"><span>{}</span></div>",
        escaped(page::text(&curve["line"]))
    );
    let probes: Vec<&Value> = curve["probes"].as_array().into_iter().flatten().collect();
    let points = |name: &str, scale: f64| -> Vec<(f64, f64)> {
        let point = |probe: &&Value| {
            (
                page::number(&probe["planned_per_second"]),
                page::number(&probe[name]) * scale,
            )
        };
        probes.iter().map(point).collect()
    };
    let chart = |lines: Vec<Line<'_>>, y: Unit, log: bool, mark: Option<(f64, &str)>| {
        Chart {
            lines,
            x: Unit::Plain,
            y,
            log,
            shaded: None,
            mark,
            width: 1080.0,
            height: 260.0,
        }
        .svg()
    };
    put!("<h2>Latency by rate</h2><p>Requests planned per second.</p>");
    let lines = vec![
        page::line("p50", "c0", points("p50_us", 1e-3)),
        page::line("p99", "c1", points("p99_us", 1e-3)),
        page::line("p99.9", "c2", points("p99_9_us", 1e-3)),
    ];
    let mark = curve["slo_p99_ms"].as_f64().map(|limit| (limit, "p99 asked"));
    put!("{}", chart(lines, Unit::Milliseconds, true, mark));
    put!("<h2>Good answers by rate</h2>");
    let lines = vec![
        page::line("planned", "c5 wide", points("planned_per_second", 1.0)),
        page::line("good answers per second", "c0", points("good_per_second", 1.0)),
    ];
    put!("{}", chart(lines, Unit::Plain, false, None));
    put!(
        "<h2>Every rate</h2><table class=\"checks\"><tr><th>planned/s</th><th>good/s</th><th>why</th><th>p99</th><th></th></tr>"
    );
    for probe in probes {
        let met = match (probe["valid"] == true, probe["good"] == true) {
            (true, true) => ("yes", "good"),
            (true, false) => ("no", "not good"),
            (false, _) => ("no", "not valid"),
        };
        put!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"{}\">{}</td></tr>",
            page::count(page::number(&probe["planned_per_second"])),
            page::count(page::number(&probe["good_per_second"])),
            escaped(page::text(&probe["line"])),
            page::milliseconds(&probe["p99_us"]),
            met.0,
            met.1
        );
    }
    out.push_str("</table></main></body></html>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches a server that is good up to `capacity`, with a tool that keeps up until `tool`.
    fn search(from: f64, to: f64, capacity: f64, tool: f64) -> (Search, usize) {
        let mut search = Search {
            good: None,
            bad: None,
            to,
            precision: 0.05,
        };
        let mut probes = 0;
        while let Some(rate) = search.next(from) {
            probes += 1;
            assert!(
                probes < PROBES_MAX,
                "no end: good {:?}, bad {:?}",
                search.good,
                search.bad
            );
            let went = match rate {
                rate if rate > tool => Went::Invalid,
                rate if rate > capacity => Went::Bad,
                _ => Went::Good,
            };
            search.learn(rate, went);
        }
        (search, probes)
    }

    #[test]
    fn the_search_ends_near_the_capacity_from_above_and_below() {
        for (from, capacity) in [
            (1_000.0, 46_000.0),
            (100_000.0, 46_000.0),
            (1_000.0, 1_001.0),
            (10.0, 300_000.0),
        ] {
            let (search, probes) = search(from, 1e6, capacity, f64::INFINITY);
            let good = search.good.unwrap();
            assert!(
                good <= capacity && good > capacity * 0.94,
                "from {from}: {good} of {capacity}"
            );
            assert!(probes < 30, "{probes} probes");
        }
    }

    #[test]
    fn ends_of_the_range_are_ends_of_the_search() {
        assert_eq!(search(1_000.0, 8_000.0, 1e9, f64::INFINITY).0.good, Some(8_000.0));
        assert_eq!(search(1_000.0, 8_000.0, 0.0, f64::INFINITY).0.good, None);
        let limited = search(1_000.0, 1e6, 1e9, 20_000.0).0;
        assert!(line(&limited, true).contains("the tool itself could not keep the schedule"));
    }
}
