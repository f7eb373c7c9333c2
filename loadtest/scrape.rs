//! The server's own metrics, read once a second from its Prometheus page while a run goes.

use crate::connection::Connection;
use crate::request::ReadRequest;
use crate::target::Target;
use hashbrown::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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
    started_unix_s: f64,
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
            started_unix_s: SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64(),
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

    /// When the first reading was taken, in seconds since 1970.
    pub(crate) fn started_unix_s(&self) -> f64 {
        self.started_unix_s
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
        let name = name_of(full);
        let Ok(value) = value.parse::<f64>() else { continue };
        let bucket = name.ends_with("_bucket") || full.contains("quantile=");
        if bucket || !value.is_finite() {
            continue;
        }
        let part = name.ends_with("_sum") || name.ends_with("_count");
        let plain = full.split('{').next().unwrap_or(full);
        // CPU seconds only grow, whatever type they have: some servers have no counters of fractions.
        let counter = part || kinds.get(plain) == Some(&"counter") || is_cpu(plain);
        values.entry(name).or_insert((counter, 0.0)).1 += value;
    }
    values
}

/// The median of a timing on a page of metrics: of a summary as it is stated, of a histogram by its buckets. `label` and
/// its value choose among the series of the name.
pub(crate) fn median(page: &str, name: &str, label: Option<(&str, &str)>) -> Option<f64> {
    let number = |line: &str, label: &str| label_of(line, label)?.parse::<f64>().ok();
    let chosen = |line: &str| label.is_none_or(|(label, value)| label_of(line, label) == Some(value));
    // Upper bounds with the counts up to them; series with other labels are added up.
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    for line in page.lines().filter(|line| line.starts_with(name) && chosen(line)) {
        let rest = &line[name.len()..];
        let Some(value) = line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok()) else {
            continue;
        };
        if rest.starts_with('{') && number(rest, "quantile") == Some(0.5) {
            return Some(value);
        }
        // f64 reads "+Inf" as what it says.
        if let Some(bound) = number(rest, "le").filter(|_| rest.starts_with("_bucket{")) {
            match buckets.iter_mut().find(|bucket| bucket.0 == bound) {
                Some(bucket) => bucket.1 += value,
                None => buckets.push((bound, value)),
            }
        }
    }
    buckets.sort_by(|one, two| one.0.total_cmp(&two.0));
    let half = buckets.last()?.1 / 2.0;
    let mut before = (0.0, 0.0);
    for (bound, count) in buckets {
        if count >= half && half > 0.0 {
            if !bound.is_finite() {
                return Some(before.0);
            }
            return Some(before.0 + (bound - before.0) * (half - before.1) / (count - before.1).max(1e-9));
        }
        before = (bound, count);
    }
    None
}

/// Whether a metric is the CPU time of the server, in seconds.
pub(crate) fn is_cpu(name: &str) -> bool {
    name.ends_with("process_cpu_seconds_total")
}

/// Whether a metric says what waits inside the server now, by the words such metrics are named with.
pub(crate) fn is_queue(name: &str) -> bool {
    const WORDS: [&str; 8] = [
        "inside",
        "in_flight",
        "waiting",
        "queue",
        "mailbox",
        "backlog",
        "pending",
        "outbox",
    ];
    WORDS.iter().any(|word| name.contains(word))
}

/// The name of a series without its labels, but for those that say which step of the way a figure is about: adding up
/// the times of different stages, or the refusals of different layers, would say nothing.
fn name_of(full: &str) -> String {
    const KEPT: [&str; 2] = ["stage", "layer"];
    let plain = full.split('{').next().unwrap_or(full);
    let Some(value) = KEPT.iter().find_map(|label| label_of(full, label)) else {
        return plain.into();
    };
    let value = value.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    // In front of the unit, which stays at the end.
    let unit = ["_seconds", "_total"].iter().find_map(|unit| plain.rfind(unit));
    let (name, unit) = plain.split_at(unit.unwrap_or(plain.len()));
    format!("{name}_{value}{unit}")
}

fn label_of<'a>(series: &'a str, label: &str) -> Option<&'a str> {
    let at = series.find(&format!("{label}=\""))? + label.len() + 2;
    let rest = &series[at..];
    rest.find('"').map(|end| &rest[..end])
}

/// CPU, queues, mean times of the last second, and its fastest counters: what the server does now. Queues that are empty
/// and times that nobody notices are left out, so that what stands there is worth reading.
fn line(series: &HashMap<String, Series>) -> String {
    const COUNTERS_SHOWN: usize = 3;
    const TIME_MS_MIN: f64 = 0.1;
    let rate_of = |series: &Series| -> Option<f64> {
        let [.., before, now] = series.readings[..] else {
            return None;
        };
        Some((now.1 - before.1) / (now.0 - before.0))
    };
    let short = |name: &str| name.trim_start_matches("tollgate_").replace('_', " ");
    let mut names: Vec<&String> = series.keys().collect();
    names.sort_unstable();
    let (mut cpu, mut queues, mut times, mut rates) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for name in names {
        let of = &series[name];
        if is_cpu(name) {
            cpu.extend(rate_of(of).map(|cores| format!("cpu {cores:.2} cores")));
        } else if let Some(base) = name.strip_suffix("_seconds_sum") {
            let count = series.get(&format!("{base}_seconds_count")).and_then(rate_of);
            if let (Some(sum), Some(count)) = (rate_of(of), count.filter(|count| *count > 0.0)) {
                let ms = sum / count * 1_000.0;
                times.extend((ms >= TIME_MS_MIN).then(|| format!("{} {ms:.2} ms", short(base))));
            }
        } else if !of.counter && is_queue(name) {
            queues.extend(
                of.readings
                    .last()
                    .filter(|reading| reading.1 != 0.0)
                    .map(|reading| format!("{} {:.0}", short(name), reading.1)),
            );
        } else if of.counter && !name.ends_with("_sum") && !name.ends_with("_count") {
            rates.extend(rate_of(of).map(|rate| (rate, short(name.trim_end_matches("_total")))));
        }
    }
    rates.sort_by(|one, two| two.0.total_cmp(&one.0));
    let rates = rates.iter().take(COUNTERS_SHOWN);
    let parts: Vec<String> = cpu
        .into_iter()
        .chain(queues)
        .chain(times)
        .chain(rates.map(|(rate, name)| format!("{name} {rate:.0}/s")))
        .collect();
    parts.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_by_name_with_labels_summed() {
        let page = "# TYPE process_cpu_seconds_total gauge\nprocess_cpu_seconds_total 1.53\n\
                    # HELP a_total Things.\n# TYPE a_total counter\na_total{x=\"1\"} 3\na_total{x=\"2\"} 4\n\n\
                    # TYPE b gauge\nb 2.5\n# TYPE c_seconds histogram\nc_seconds_bucket{le=\"1\"} 9\n\
                    c_seconds_sum 1.5\nc_seconds_count 9\nd NaN\nnonsense\n";
        let read = parse(page);
        assert_eq!(read["a_total"], (true, 7.0));
        assert_eq!(read["process_cpu_seconds_total"], (true, 1.53));
        assert_eq!(read["b"], (false, 2.5));
        assert_eq!(
            (read["c_seconds_sum"], read["c_seconds_count"]),
            ((true, 1.5), (true, 9.0))
        );
        assert_eq!(read.len(), 5);
        let page = "# TYPE r_total counter\nr_total{layer=\"rate limit\"} 2\nr_total{layer=\"edge\",a=\"b\"} 3\n\
                    r_total{layer=\"edge\",a=\"c\"} 4\ns_seconds_sum{stage=\"sync\"} 1\n";
        let read = parse(page);
        assert_eq!(
            (read["r_rate_limit_total"], read["r_edge_total"]),
            ((true, 2.0), (true, 7.0))
        );
        assert_eq!(read["s_sync_seconds_sum"], (true, 1.0));
    }

    #[test]
    fn medians_are_read_from_summaries_and_histograms() {
        let summary = "a_seconds{quantile=\"0\"} 1\na_seconds{quantile=\"0.5\"} 0.002\na_seconds_sum 9\n";
        assert_eq!(median(summary, "a_seconds", None), Some(0.002));
        let histogram = "a_seconds_bucket{shard=\"1\",le=\"0.001\"} 10\na_seconds_bucket{shard=\"1\",le=\"0.003\"} 30\n\
                         a_seconds_bucket{shard=\"1\",le=\"+Inf\"} 40\na_seconds_sum 1\na_seconds_count 40\n";
        assert!((median(histogram, "a_seconds", Some(("shard", "1"))).unwrap() - 0.002).abs() < 1e-9);
        assert_eq!(median(histogram, "a_seconds", Some(("shard", "2"))), None);
        assert_eq!(median(histogram, "b_seconds", None), None);
        assert_eq!(median("a_seconds_bucket{le=\"+Inf\"} 0\n", "a_seconds", None), None);
    }

    #[test]
    fn the_live_line_begins_with_cpu_queues_and_times() {
        let series = |counter, before, now| Series {
            counter,
            readings: vec![(1.0, before), (2.0, now)],
        };
        let kept: HashMap<String, Series> = [
            ("process_cpu_seconds_total", series(true, 10.0, 11.5)),
            ("tollgate_requests_inside", series(false, 3.0, 40.0)),
            ("tollgate_calls_in_flight", series(false, 3.0, 0.0)),
            ("tollgate_parse_seconds_sum", series(true, 0.0, 0.001)),
            ("tollgate_parse_seconds_count", series(true, 0.0, 100.0)),
            ("tollgate_commit_seconds_sum", series(true, 0.0, 0.2)),
            ("tollgate_commit_seconds_count", series(true, 0.0, 100.0)),
            ("tollgate_blocks_total", series(true, 0.0, 100.0)),
            ("tollgate_shards_failed", series(false, 0.0, 0.0)),
        ]
        .into_iter()
        .map(|(name, series)| (name.to_string(), series))
        .collect();
        assert_eq!(
            line(&kept),
            "cpu 1.50 cores  requests inside 40  commit 2.00 ms  blocks 100/s"
        );
    }
}
