//! Open loop: requests are due by a schedule that never looks at the server, and latency counts from the due time.
//!
//! A thread has a dispatcher ([`dispatcher`]) that hands what is due to connections, a state without clock or sockets
//! ([`floor`]), and counts that merge exactly ([`samples`]). When every connection is busy, what is due waits, and the
//! wait is part of its latency. What the tool itself adds is measured as its own lag.

mod alarm;
mod dispatcher;
mod floor;
pub(crate) mod movements;
pub(crate) mod pulse;
mod recent;
pub(crate) mod request;
pub(crate) mod samples;
pub(crate) mod task;

pub(crate) use floor::body_checksum;

use crate::merchants::Merchants;
use crate::process;
use crate::scenario::Scenario;
use crate::schedule::Shape;
use crate::target::Target;
use anyhow::Context;
use movements::Movements;
use pulse::{Beat, Pulse};
use samples::Samples;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use task::Paid;

/// Time between the decision to start and the first request, for threads to be ready.
const START_DELAY: Duration = Duration::from_millis(100);
/// Time between two looks at a run.
const TICK: Duration = Duration::from_secs(1);

/// What an open loop sends, and to whom.
pub(crate) struct Plan {
    /// What and how.
    pub(crate) scenario: Scenario,
    /// The server.
    pub(crate) target: Target,
    /// Who calls.
    pub(crate) merchants: Merchants,
    /// Number of this run, part of every idempotency key; never used twice.
    pub(crate) run: u64,
    /// What chance is drawn from.
    pub(crate) seed: u64,
    /// Threads that generate load.
    pub(crate) threads: usize,
    /// Flow starts per second over time.
    pub(crate) starts: Shape,
    /// Numbers below this belong to payments made before.
    pub(crate) numbers_before: u64,
    /// Process whose CPU time is the server's.
    pub(crate) server_pid: Option<u32>,
}

/// CPU time used since the processes began, at a time of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpu {
    /// Seconds since the start of the schedule.
    pub(crate) at_s: f64,
    /// This tool's.
    pub(crate) own: Option<Duration>,
    /// The server's.
    pub(crate) server: Option<Duration>,
}

/// What a run came to.
pub(crate) struct Outcome {
    /// The counts of all threads.
    pub(crate) samples: Samples,
    /// What was acknowledged about money.
    pub(crate) movements: Movements,
    /// Why it was stopped before its end.
    pub(crate) stopped: Option<String>,
    /// Seconds of the schedule that were run.
    pub(crate) ran_s: f64,
    /// CPU times, one per second.
    pub(crate) cpu: Vec<Cpu>,
}

/// Whoever watches a run: told once a second, may stop it by giving a reason.
pub(crate) trait Observer {
    /// `at_s` seconds into the schedule; `beat` is what came since the last call.
    fn second(&mut self, at_s: f64, beat: &Beat) -> Option<String>;
}

/// Runs the plan to its end, or until the observer stops it. `known` are payments that may be read.
pub(crate) fn run(plan: &Arc<Plan>, known: Vec<Paid>, observer: &mut dyn Observer) -> anyhow::Result<Outcome> {
    let known = Arc::new(known);
    let stop = Arc::new(AtomicBool::new(false));
    let start = Instant::now() + START_DELAY;
    // Each thread sends one message when it is done.
    let (done_sender, done) = mpsc::sync_channel::<()>(plan.threads);
    let mut threads = Vec::with_capacity(plan.threads);
    for thread in 0..plan.threads {
        let pulse = Arc::new(Pulse::default());
        let share = dispatcher::Share {
            plan: plan.clone(),
            thread,
            start,
            known: known.clone(),
            pulse: pulse.clone(),
            stop: stop.clone(),
        };
        let done_sender = done_sender.clone();
        let spawned = std::thread::Builder::new()
            .name(format!("load-{thread}"))
            .spawn(move || {
                let done = dispatcher::work(share);
                // The receiver may be gone when the run was given up.
                let _ = done_sender.send(());
                done
            })
            .context("cannot start a thread")?;
        threads.push((spawned, pulse));
    }
    let mut stopped = None;
    let mut cpu = vec![read_cpu(plan, 0.0)];
    let mut next_tick = start + TICK;
    let mut running = plan.threads;
    while running > 0 {
        match done.recv_timeout(next_tick.saturating_duration_since(Instant::now())) {
            Ok(()) => running -= 1,
            Err(_) => {
                let at_s = (next_tick - start).as_secs_f64();
                next_tick += TICK;
                cpu.push(read_cpu(plan, at_s));
                let mut beat = Beat::default();
                threads.iter().for_each(|(_, pulse)| beat.merge(&pulse.fetch()));
                let reason = observer.second(at_s, &beat);
                if let Some(reason) = reason.filter(|_| stopped.is_none()) {
                    stopped = Some((reason, at_s));
                    stop.store(true, Ordering::Relaxed);
                }
            }
        }
    }
    let mut samples = Samples::new(plan.starts.seconds());
    let mut movements = Movements::default();
    for (thread, _) in threads {
        let part = thread.join().map_err(|_| anyhow::anyhow!("a load thread panicked"))??;
        samples.merge(&part.samples);
        movements.append(part.movements);
    }
    Ok(Outcome {
        samples,
        movements,
        ran_s: stopped.as_ref().map_or(plan.starts.seconds(), |stopped| stopped.1),
        stopped: stopped.map(|stopped| stopped.0),
        cpu,
    })
}

fn read_cpu(plan: &Plan, at_s: f64) -> Cpu {
    Cpu {
        at_s,
        own: process::cpu_time(std::process::id()),
        server: plan.server_pid.and_then(process::cpu_time),
    }
}
