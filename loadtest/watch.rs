//! Watches a run: a live line a second, and a stop when nothing can come of it any more.

use crate::open_loop::pulse::Beat;
use crate::open_loop::{Observer, Plan};
use crate::scrape::Scraper;
use std::io::{IsTerminal, Write};
use std::sync::Arc;

/// Seconds' worth of requests that wait for a connection before the rate counts as out of reach...
const BACKLOG_S: f64 = 5.0;
/// ...if it is so for that many seconds in a row, without getting less.
const BACKLOG_SECONDS: u32 = 3;
/// Seconds back over which the highest rate counts: what a spike left behind may take its time.
const RATE_MEMORY_S: usize = 15;
/// Seconds between two lines where nobody looks.
const QUIET_LINE_S: u64 = 10;

/// The watcher of one run.
pub(crate) struct Watch {
    live: Option<Live>,
    stops: Stops,
}

impl Watch {
    /// `quiet` shows nothing at all.
    pub(crate) fn new(plan: &Arc<Plan>, scraper: Option<Arc<Scraper>>, quiet: bool) -> Watch {
        let live = Live {
            plan: plan.clone(),
            scraper,
            terminal: std::io::stderr().is_terminal(),
            lines: 0,
            failed: 0,
        };
        Watch {
            live: (!quiet).then_some(live),
            stops: Stops::new(plan),
        }
    }
}

impl Observer for Watch {
    fn second(&mut self, at_s: f64, beat: &Beat) -> Option<String> {
        if let Some(live) = &mut self.live {
            live.show(at_s, beat);
        }
        self.stops.look(at_s, beat)
    }
}

/// When to stop early.
struct Stops {
    plan: Arc<Plan>,
    budget: f64,
    failed: u64,
    backlogged: u32,
    waiting_before: u64,
}

impl Stops {
    fn new(plan: &Arc<Plan>) -> Stops {
        let scenario = &plan.scenario;
        let starts = plan.starts.count_until(plan.starts.seconds()) - plan.starts.count_until(scenario.warmup_s);
        let planned = starts * scenario.requests_per_start();
        Stops {
            plan: plan.clone(),
            budget: planned * scenario.slo.errors_max,
            failed: 0,
            backlogged: 0,
            waiting_before: 0,
        }
    }

    fn look(&mut self, at_s: f64, beat: &Beat) -> Option<String> {
        if at_s > self.plan.scenario.warmup_s {
            self.failed += beat.failed;
        }
        if self.failed as f64 > self.budget {
            return Some(format!(
                "the error budget of the whole run is gone at {at_s:.0} s: {} failed, {:.0} may",
                self.failed, self.budget
            ));
        }
        let per_start = self.plan.scenario.requests_per_start();
        let rate = (0..=RATE_MEMORY_S)
            .map(|back| self.plan.starts.rate_at((at_s - back as f64).max(0.0)) * per_start)
            .fold(0.0, f64::max);
        let backlogged = beat.waiting as f64 > rate * BACKLOG_S && beat.waiting >= self.waiting_before;
        self.waiting_before = beat.waiting;
        self.backlogged = if backlogged { self.backlogged + 1 } else { 0 };
        (self.backlogged >= BACKLOG_SECONDS).then(|| {
            format!(
                "the target rate cannot be reached: at {at_s:.0} s {} requests wait for a connection, {:.1} s of them",
                beat.waiting,
                beat.waiting as f64 / rate.max(1.0)
            )
        })
    }
}

/// The live view: a block that is drawn over on a terminal, a line now and then elsewhere.
struct Live {
    plan: Arc<Plan>,
    scraper: Option<Arc<Scraper>>,
    terminal: bool,
    lines: u64,
    failed: u64,
}

impl Live {
    fn show(&mut self, at_s: f64, beat: &Beat) {
        self.failed += beat.failed;
        self.lines += 1;
        if !self.terminal && !self.lines.is_multiple_of(QUIET_LINE_S) {
            return;
        }
        let ms = |percent: f64| beat.latency_us.value_at_percentile(percent) as f64 / 1_000.0;
        let planned = self.plan.starts.rate_at(at_s) * self.plan.scenario.requests_per_start();
        let line = format!(
            "{at_s:>5.0} s of {:.0}  {:>7} /s good, {planned:.0} planned  p50 {:.2}  p99 {:.2}  max {:.1} ms  \
             {} failed  {} refused  {} waiting  {} connections  lag {:.2} ms",
            self.plan.starts.seconds(),
            beat.good,
            ms(50.0),
            ms(99.0),
            ms(100.0),
            self.failed,
            beat.refused,
            beat.waiting,
            beat.connections,
            beat.lag_max_us as f64 / 1_000.0,
        );
        let mut out = std::io::stderr().lock();
        // Nothing can be done about a closed stderr.
        let _ = if self.terminal {
            let bar = bar(at_s / self.plan.starts.seconds());
            let server = self
                .scraper
                .as_ref()
                .map(|scraper| scraper.newest_line())
                .unwrap_or_default();
            let up = if self.lines > 1 { "\x1b[3A" } else { "" };
            writeln!(out, "{up}\x1b[2K{bar}\n\x1b[2K{line}\n\x1b[2K{server}")
        } else {
            writeln!(out, "{line}")
        };
    }
}

fn bar(share: f64) -> String {
    const WIDTH: usize = 60;
    let full = ((share * WIDTH as f64) as usize).min(WIDTH);
    format!(
        "[{}{}] {:.0} %",
        "#".repeat(full),
        ".".repeat(WIDTH - full),
        share * 100.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merchants::Merchants;
    use crate::scenario::Scenario;
    use crate::target::Target;

    fn stops(phase: &str) -> Stops {
        let text = format!(
            "name = \"s\"\n[slo]\nerrors_max = 0.01\n[[rate.phase]]\n{phase}\n[[flow]]\nname = \"f\"\nsteps = [\"pay\"]\n"
        );
        let scenario = Scenario::parse(&text).unwrap();
        Stops::new(&Arc::new(Plan {
            target: Target::parse("http://127.0.0.1:1").unwrap(),
            merchants: Merchants::new(&scenario.merchants, None),
            run: 1,
            seed: 1,
            threads: 1,
            starts: scenario.rate.clone(),
            numbers_before: 0,
            server_pid: None,
            scenario,
        }))
    }

    fn beat(waiting: u64, failed: u64) -> Beat {
        Beat {
            waiting,
            failed,
            ..Beat::default()
        }
    }

    #[test]
    fn a_backlog_that_grows_stops_the_run() {
        let mut stops = stops("rate = 100\nseconds = 60");
        let said: Vec<bool> = (1..=6)
            .map(|at| stops.look(f64::from(at), &beat(200 * at as u64, 0)).is_some())
            .collect();
        assert_eq!(said, [false, false, false, false, true, true]);
    }

    #[test]
    fn a_backlog_that_gets_less_is_let_drain() {
        let mut stops = stops("shape = \"spike\"\nrate = 10\nfactor = 50\nat_s = 1\nlength_s = 2\nseconds = 60");
        for at in 1..30u64 {
            assert_eq!(stops.look(at as f64, &beat(3_000 - 100 * at, 0)), None, "at {at}");
        }
    }

    #[test]
    fn the_run_stops_when_the_budget_of_all_of_it_is_gone() {
        let mut stops = stops("rate = 100\nseconds = 60");
        assert_eq!(stops.look(1.0, &beat(0, 60)), None);
        let reason = stops.look(2.0, &beat(0, 1)).unwrap();
        assert!(reason.contains("61 failed, 60 may"), "{reason}");
    }
}
