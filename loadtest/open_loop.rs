//! Open loop: requests are due by a schedule that never looks at the server, and latency counts from the due time.
//!
//! A thread has a dispatcher ([`dispatcher`]) that hands what is due to connections, a state without clock or sockets
//! ([`floor`]), and counts that merge exactly ([`samples`]). When every connection is busy, what is due waits, and the
//! wait is part of its latency. What the tool itself adds is measured as its own lag.

mod alarm;
mod answers;
pub(crate) mod authentication;
mod dispatcher;
mod floor;
pub(crate) mod movements;
pub(crate) mod pulse;
mod recent;
pub(crate) mod request;
pub(crate) mod samples;
pub(crate) mod task;

pub(crate) use answers::body_checksum;

use crate::merchants::{Merchants, Part};
use crate::process;
use crate::scenario::Scenario;
use crate::schedule::Shape;
use crate::target::Target;
use anyhow::{Context, bail};
use movements::Movements;
use pulse::{Beat, Pulse};
use samples::Samples;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use task::Paid;

/// Time between the decision to start and the first request, for threads to be ready.
const START_DELAY: Duration = Duration::from_millis(100);
/// Time for each connection that is to be open by then.
const OPEN_DELAY: Duration = Duration::from_micros(200);
/// Time between two looks at a run.
const TICK: Duration = Duration::from_secs(1);

/// What an open loop sends, and to whom.
pub(crate) struct Plan {
    /// What and how; rates and bounds are those of the whole, whatever the part.
    pub(crate) scenario: Scenario,
    /// Which part of the scenario this generator is.
    pub(crate) part: Part,
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
    /// Most connections of this generator.
    pub(crate) connections_max: usize,
    /// Connections that are open when the schedule starts.
    pub(crate) connections_min: usize,
    /// Flow starts per second over time.
    pub(crate) starts: Shape,
    /// Numbers below this belong to payments made before.
    pub(crate) numbers_before: u64,
    /// Process whose CPU time is the server's.
    pub(crate) server_pid: Option<u32>,
    /// When the schedule starts, in seconds since 1970; `None` for as soon as possible.
    pub(crate) start_at_unix_s: Option<f64>,
    /// Webhook endpoints for each merchant.
    pub(crate) webhooks: u32,
}

impl Plan {
    /// A part of a scenario, or all of it on the account of one key.
    pub(crate) fn new(scenario: Scenario, target: Target, key: Option<&str>, part: Part, threads: usize) -> Plan {
        let merchants = Merchants::new(&scenario.merchants, key, part);
        let share = merchants.share();
        let connections = (f64::from(scenario.client.connections_max) * share).ceil() as usize;
        Plan {
            starts: scenario.rate.scaled(share / scenario.requests_per_start(), 1.0),
            numbers_before: (f64::from(scenario.merchants.payments_before) * share).ceil() as u64,
            connections_max: connections.max(threads),
            connections_min: (f64::from(scenario.client.connections_min) * share) as usize,
            merchants,
            part,
            target,
            run: 0,
            seed: 1,
            threads,
            server_pid: None,
            start_at_unix_s: None,
            webhooks: 0,
            scenario,
        }
    }

    /// The seed of this part: parts of one seed draw different things.
    pub(crate) fn chance(&self) -> u64 {
        match self.part.index {
            0 => self.seed,
            index => self.seed ^ crate::random::mix(0x9a27 + u64::from(index)),
        }
    }

    /// API requests planned between two times, in seconds since the start.
    pub(crate) fn planned(&self, from_s: f64, to_s: f64) -> f64 {
        (self.starts.count_until(to_s) - self.starts.count_until(from_s)) * self.scenario.requests_per_start()
    }
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
    /// When the schedule started, in seconds since 1970.
    pub(crate) started_unix_s: f64,
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
    let delay = delay(plan, unix_s()?)?;
    let start = Instant::now() + delay;
    let started_unix_s = unix_s()? + delay.as_secs_f64();
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
        started_unix_s,
        stopped: stopped.map(|stopped| stopped.0),
        cpu,
    })
}

fn unix_s() -> anyhow::Result<f64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Ok(since.context("the clock is before 1970")?.as_secs_f64())
}

/// Time until the schedule starts. A part starts on a whole second, so that the seconds of all parts are the same.
fn delay(plan: &Plan, now_unix_s: f64) -> anyhow::Result<Duration> {
    let least = START_DELAY.as_secs_f64() + OPEN_DELAY.as_secs_f64() * plan.connections_min as f64;
    let delay = match plan.start_at_unix_s {
        Some(at) if at - now_unix_s < least => {
            bail!(
                "the accounts were ready {:.1} s after the start that was asked for: give a later --start-at",
                now_unix_s - at + least
            )
        }
        Some(at) => at - now_unix_s,
        None if plan.part.count > 1 => (now_unix_s + least).ceil() - now_unix_s,
        None => least,
    };
    Ok(Duration::from_secs_f64(delay))
}

fn read_cpu(plan: &Plan, at_s: f64) -> Cpu {
    Cpu {
        at_s,
        own: process::cpu_time(std::process::id()),
        server: plan.server_pid.and_then(process::cpu_time),
    }
}
