//! The server's own metrics, read once a second from its Prometheus page while a run goes.

use crate::connection::Connection;
use crate::request::ReadRequest;
use crate::target::Target;
use hashbrown::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Most series kept; a page with more is cut.
const SERIES_MAX: usize = 400;
/// Most readings kept of each.
const READINGS_MAX: usize = 4_000;
/// Time the page may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Time between two readings.
const INTERVAL: Duration = Duration::from_secs(1);
/// Pause between two looks at whether to end.
const PAUSE: Duration = Duration::from_millis(50);

/// One metric over time; labels are summed up, but for those of a summary or histogram, which are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Series {
    /// Whether it only grows, so that its rate is what says something.
    pub(crate) counter: bool,
    /// Seconds since the scraper started, and the value.
    pub(crate) readings: Vec<(f64, f64)>,
}

/// Everything that was read.
#[derive(Debug, Default)]
struct Kept {
    series: HashMap<String, Series>,
    failures: u64,
    line: String,
}

/// Reads in a thread of its own until it is stopped.
#[derive(Debug)]
pub(crate) struct Scraper {
    kept: Mutex<Kept>,
    stop: AtomicBool,
    started: Instant,
}

impl Scraper {
    /// Reads once, so that a wrong address is known before the run, and goes on in a thread.
    pub(crate) fn start(target: Target, path: String) -> anyhow::Result<Arc<Scraper>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let scraper = Arc::new(Scraper {
            kept: Mutex::default(),
            stop: AtomicBool::new(false),
            started: Instant::now(),
        });
        scraper.read(&runtime, &target, &path)?;
        let reader = scraper.clone();
        std::thread::Builder::new().name("scrape".into()).spawn(move || {
            let mut next = reader.started + INTERVAL;
            while !reader.stop.load(Ordering::Relaxed) {
                if Instant::now() < next {
                    std::thread::sleep(PAUSE);
                    continue;
                }
                next += INTERVAL;
                if reader.read(&runtime, &target, &path).is_err() {
                    reader.kept().failures += 1;
                }
            }
        })?;
        Ok(scraper)
    }

    /// When the first reading was taken.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Ends the readings and gives them, by name, with the number of readings that failed.
    pub(crate) fn finish(&self) -> (Vec<(String, Series)>, u64) {
        self.stop.store(true, Ordering::Relaxed);
        let mut kept = self.kept();
        let mut series: Vec<(String, Series)> = kept.series.drain().collect();
        series.sort_by(|one, two| one.0.cmp(&two.0));
        (series, kept.failures)
    }

    /// A line about the server now, for a live view.
    pub(crate) fn newest_line(&self) -> String {
        self.kept().line.clone()
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().expect("nobody panics with the lock")
    }

    fn read(&self, runtime: &tokio::runtime::Runtime, target: &Target, path: &str) -> anyhow::Result<()> {
        let text = runtime.block_on(async {
            let mut connection = Connection::open(target, TIMEOUT).await?;
            let request = ReadRequest::page(target, path);
            let answer = connection.exchange(&request).await?;
            if answer.status != 200 {
                anyhow::bail!("the metrics page answers {}", answer.status);
            }
            Ok(String::from_utf8_lossy(answer.body).into_owned())
        })?;
        self.keep(self.started.elapsed().as_secs_f64(), &text);
        Ok(())
    }

    fn keep(&self, at_s: f64, text: &str) {
        let mut kept = self.kept();
        for (name, (counter, value)) in parse(text) {
            if !kept.series.contains_key(&name) && kept.series.len() >= SERIES_MAX {
                continue;
            }
            let series = kept.series.entry(name).or_default();
            series.counter = counter;
            if series.readings.len() < READINGS_MAX {
                series.readings.push((at_s, value));
            }
        }
        kept.line = line(&kept.series);
    }
}

/// The readings of a page, by name. Of histograms and summaries only `_sum` and `_count` are taken.
fn parse(text: &str) -> HashMap<String, (bool, f64)> {
    let mut kinds: HashMap<&str, &str> = HashMap::new();
    let mut values: HashMap<String, (bool, f64)> = HashMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            if let Some((name, kind)) = rest.split_once(' ') {
                kinds.insert(name, kind);
            }
            continue;
        }
        let Some((full, value)) = line.rsplit_once(' ').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let name = full.split('{').next().unwrap_or(full);
        let Ok(value) = value.parse::<f64>() else { continue };
        let bucket = name.ends_with("_bucket") || full.contains("quantile=");
        if bucket || !value.is_finite() {
            continue;
        }
        let part = name.ends_with("_sum") || name.ends_with("_count");
        let counter = part || kinds.get(name) == Some(&"counter");
        values.entry(name.to_string()).or_insert((counter, 0.0)).1 += value;
    }
    values
}

/// The fastest counters of the last second: what the server does now.
fn line(series: &HashMap<String, Series>) -> String {
    const SHOWN: usize = 4;
    let mut rates: Vec<(f64, &str)> = series
        .iter()
        .filter(|(name, series)| series.counter && !name.ends_with("_sum"))
        .filter_map(|(name, series)| {
            let [.., before, now] = series.readings[..] else {
                return None;
            };
            Some(((now.1 - before.1) / (now.0 - before.0), name.as_str()))
        })
        .collect();
    rates.sort_by(|one, two| two.0.total_cmp(&one.0));
    let shown: Vec<String> = rates
        .iter()
        .take(SHOWN)
        .map(|(rate, name)| format!("{} {rate:.0}/s", name.trim_start_matches("tollgate_")))
        .collect();
    format!("server: {}", shown.join("  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_by_name_with_labels_summed() {
        let page = "# HELP a_total Things.\n# TYPE a_total counter\na_total{x=\"1\"} 3\na_total{x=\"2\"} 4\n\n\
                    # TYPE b gauge\nb 2.5\n# TYPE c_seconds histogram\nc_seconds_bucket{le=\"1\"} 9\n\
                    c_seconds_sum 1.5\nc_seconds_count 9\nd NaN\nnonsense\n";
        let read = parse(page);
        assert_eq!(read["a_total"], (true, 7.0));
        assert_eq!(read["b"], (false, 2.5));
        assert_eq!(
            (read["c_seconds_sum"], read["c_seconds_count"]),
            ((true, 1.5), (true, 9.0))
        );
        assert_eq!(read.len(), 4);
    }
}
