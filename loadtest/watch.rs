//! Watches a run: a live line a second, and a stop when nothing can come of it any more.

use crate::open_loop::pulse::Beat;
use crate::open_loop::{Observer, Plan};
use crate::process;
use crate::scrape::Scraper;
use crate::sink::Counts;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Seconds' worth of requests that wait for a connection before the rate counts as out of reach...
const BACKLOG_S: f64 = 5.0;
/// ...if it is so for that many seconds in a row, without getting less.
const BACKLOG_SECONDS: u32 = 3;
/// Seconds back over which the highest rate counts: what a spike left behind may take its time.
const RATE_MEMORY_S: usize = 15;
/// Most kinds of errors told apart.
const ERROR_KINDS_MAX: usize = 64;
/// Seconds between two lines where nobody looks.
const QUIET_LINE_S: u64 = 10;

/// The watcher of one run.
pub(crate) struct Watch {
    live: Option<Live>,
    stops: Stops,
}

impl Watch {
    /// `quiet` shows nothing at all.
    pub(crate) fn new(
        plan: &Arc<Plan>,
        scraper: Option<Arc<Scraper>>,
        webhooks: Option<Arc<Counts>>,
        quiet: bool,
    ) -> Watch {
        let live = Live {
            plan: plan.clone(),
            scraper,
            webhooks: webhooks.map(|counts| (counts, 0)),
            terminal: std::io::stderr().is_terminal(),
            lines: 0,
            failed: 0,
            errors: BTreeMap::new(),
            server_cpu: plan.server_pid.and_then(process::cpu_time).map(|used| (0.0, used)),
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
        let planned = plan.planned(scenario.warmup_s, plan.starts.seconds());
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
        if !self.plan.scenario.slo.stop_early {
            return None;
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
    /// What came of webhooks, and how many events had at the last look.
    webhooks: Option<(Arc<Counts>, u64)>,
    terminal: bool,
    lines: u64,
    failed: u64,
    /// What was not good so far, by kind.
    errors: BTreeMap<String, u64>,
    /// CPU time of the server at the last line, where its process is known.
    server_cpu: Option<(f64, Duration)>,
}

/// Lines of the block on a terminal.
const BLOCK_LINES: usize = 5;
/// Kinds of errors shown.
const ERRORS_SHOWN: usize = 4;

impl Live {
    fn show(&mut self, at_s: f64, beat: &Beat) {
        self.failed += beat.failed;
        let webhooks = self.webhooks();
        self.lines += 1;
        for (kind, count) in &beat.errors {
            // A beat holds few kinds; together they are bounded by what the whole run tells apart.
            if self.errors.contains_key(kind) || self.errors.len() < ERROR_KINDS_MAX {
                *self.errors.entry(kind.clone()).or_default() += count;
            }
        }
        if !self.terminal && !self.lines.is_multiple_of(QUIET_LINE_S) {
            return;
        }
        let ms = |percent: f64| beat.latency_us.value_at_percentile(percent) as f64 / 1_000.0;
        let planned = self.plan.starts.rate_at(at_s) * self.plan.scenario.requests_per_start();
        let line = format!(
            "{at_s:>5.0} s of {:.0}  {:>7} /s good, {planned:.0} planned  p50 {:.2}  p99 {:.2}  p99.9 {:.2}  max {:.1} ms",
            self.plan.starts.seconds(),
            beat.good,
            ms(50.0),
            ms(99.0),
            ms(99.9),
            ms(100.0),
        );
        let state = format!(
            "{} failed  {} refused  {} waiting  {} connections  own lag {:.2} ms{webhooks}",
            self.failed,
            beat.refused,
            beat.waiting,
            beat.connections,
            beat.lag_max_us as f64 / 1_000.0,
        );
        let (errors, server) = (self.errors(), self.server(at_s));
        let mut out = std::io::stderr().lock();
        // Nothing can be done about a closed stderr.
        let _ = if self.terminal {
            let bar = bar(at_s / self.plan.starts.seconds());
            let up = match self.lines {
                1 => String::new(),
                _ => format!("\x1b[{BLOCK_LINES}A"),
            };
            let lines: [&str; BLOCK_LINES] = [&bar, &line, &state, &errors, &server];
            let block: String = lines.iter().map(|line| format!("\x1b[2K{line}\n")).collect();
            write!(out, "{up}{block}")
        } else {
            let rest: String = [errors, server]
                .into_iter()
                .filter(|part| !part.is_empty())
                .map(|part| format!("  {part}"))
                .collect();
            writeln!(out, "{line}  {state}{rest}")
        };
    }

    /// Webhooks of the last second, and what was wrong with any.
    fn webhooks(&mut self) -> String {
        let Some((counts, before)) = &mut self.webhooks else {
            return String::new();
        };
        let received = counts.received.load(Relaxed);
        let new = received - std::mem::replace(before, received);
        let wrong = [&counts.late, &counts.not_signed, &counts.malformed];
        let wrong: u64 = wrong.into_iter().map(|count| count.load(Relaxed)).sum();
        let again = counts.again.load(Relaxed);
        format!("  webhooks {new} /s, {again} again, {wrong} wrong")
    }

    /// The most frequent kinds of errors.
    fn errors(&self) -> String {
        let mut kinds: Vec<(&String, &u64)> = self.errors.iter().collect();
        kinds.sort_by(|one, two| two.1.cmp(one.1));
        let shown: Vec<String> = kinds
            .iter()
            .take(ERRORS_SHOWN)
            .map(|(kind, count)| format!("{count} x {kind}"))
            .collect();
        match shown.is_empty() {
            true => String::new(),
            false => format!("not good: {}", shown.join(", ")),
        }
    }

    /// What the server's metrics and its process say.
    fn server(&mut self, at_s: f64) -> String {
        let used = self
            .plan
            .server_pid
            .and_then(process::cpu_time)
            .map(|used| (at_s, used));
        let before = std::mem::replace(&mut self.server_cpu, used);
        let cores = before.zip(used).map(|(before, now)| {
            let used = now.1.saturating_sub(before.1).as_secs_f64();
            format!("cpu {:.2} cores", used / (now.0 - before.0).max(0.001))
        });
        let metrics = self.scraper.as_ref().map(|scraper| scraper.newest_line());
        let metrics = metrics.unwrap_or_default();
        // Whichever knows; the metrics know of a server elsewhere.
        let cores = cores.filter(|_| !metrics.starts_with("cpu "));
        let parts: Vec<String> = cores
            .into_iter()
            .chain(Some(metrics))
            .filter(|part| !part.is_empty())
            .collect();
        match parts.is_empty() {
            true => String::new(),
            false => format!("server: {}", parts.join("  ")),
        }
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
    use crate::merchants::Part;
    use crate::scenario::Scenario;
    use crate::target::Target;

    fn stops(phase: &str) -> Stops {
        let text = format!(
            "name = \"s\"\n[slo]\nerrors_max = 0.01\n[[rate.phase]]\n{phase}\n[[flow]]\nname = \"f\"\nsteps = [\"pay\"]\n"
        );
        let scenario = Scenario::parse(&text).unwrap();
        let target = Target::parse("http://127.0.0.1:1").unwrap();
        Stops::new(&Arc::new(Plan::new(scenario, target, None, Part::WHOLE, 1)))
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
