//! The report of a run, kept as a file, and the last words of one that failed.

use crate::audit::Compared;
use crate::log::Log;
use crate::server::Server;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What happened in a run.
pub(crate) struct Run {
    name: &'static str,
    seed: u64,
    begun: Instant,
    /// Kills by moment.
    pub(crate) kills: Vec<(String, u64)>,
    /// From the start of the process to its ready line.
    pub(crate) restarts: Vec<Duration>,
}

impl Run {
    pub(crate) fn new(name: &'static str, seed: u64) -> Run {
        Run {
            name,
            seed,
            begun: Instant::now(),
            kills: Vec::new(),
            restarts: Vec::new(),
        }
    }

    /// Counts a kill.
    pub(crate) fn killed(&mut self, moment: &str) {
        match self.kills.iter_mut().find(|(known, _)| known == moment) {
            Some((_, count)) => *count += 1,
            None => self.kills.push((moment.to_owned(), 1)),
        }
    }

    /// All kills.
    pub(crate) fn kill_count(&self) -> u64 {
        self.kills.iter().map(|(_, count)| count).sum()
    }

    /// Starts the server again and notes how long that took.
    pub(crate) fn restart(&mut self, server: &mut Server) {
        let begun = Instant::now();
        server.start_again();
        self.restarts.push(begun.elapsed());
    }

    /// Writes the report to the folder `TOLLGATE_REPORT` names, else to cargo's folder for tests, and prints where.
    pub(crate) fn write(&mut self, log: &Log, compared: &Compared) {
        self.restarts.sort();
        let at = |part: usize| self.restarts.get(part * (self.restarts.len().max(1) - 1) / 2);
        let ms = |part: usize| at(part).map(|time| time.as_millis() as u64);
        let counts = log.counts();
        let report = json!({
            "run": self.name,
            "seed": self.seed,
            "took_s": self.begun.elapsed().as_secs(),
            "binary": crate::server::binary().file_name().map(|name| name.to_string_lossy().into_owned()),
            "kills": self.kill_count(),
            "kills_by_moment": self.kills.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "requests": log.asked(),
            "unheard": counts.unheard,
            "put_off": counts.put_off,
            "replays_compared": counts.replays + compared.replays,
            "objects_explained": {
                "payment_intents": compared.intents,
                "charges": compared.charges,
                "refunds": compared.refunds,
                "customers": compared.customers,
                "balance_transactions": compared.transactions,
                "events": compared.events,
            },
            "restart_ms": {"min": ms(0), "median": ms(1), "max": ms(2)},
        });
        let folder = std::env::var_os("TOLLGATE_REPORT").unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").into());
        let path = PathBuf::from(folder).join(format!("{}.json", self.name));
        std::fs::write(&path, format!("{report:#}\n")).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // Shown with --nocapture.
        let _ = writeln!(std::io::stdout(), "{} holds {report}", path.display());
    }
}

/// Says with which seed a run failed, and leaves its data for a look at it.
pub(crate) struct LastWords {
    pub(crate) seed: u64,
    pub(crate) server: Server,
}

impl Drop for LastWords {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let kept = self.server.keep();
            let _ = writeln!(
                std::io::stderr(),
                "failed with TOLLGATE_SEED={}; data and log are left in {}",
                self.seed,
                kept.display()
            );
        }
    }
}
