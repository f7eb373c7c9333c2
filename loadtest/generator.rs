//! A run: threads with their connections, the measured window, CPU before and after it.

use crate::acknowledged::Acknowledged;
use crate::process;
use crate::tally::Tally;
use crate::target::Target;
use crate::worker::{self, Done, Share};
use anyhow::Context;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// What a run sends, and for how long.
#[derive(Clone)]
pub(crate) struct Plan {
    /// The server.
    pub(crate) target: Target,
    /// The secret API key; with several accounts what their keys begin with.
    pub(crate) key: String,
    /// Accounts that the connections are spread over.
    pub(crate) spread: u32,
    /// Number of this run, part of every idempotency key; never used twice.
    pub(crate) run: u64,
    /// The test payment method that pays.
    pub(crate) card: String,
    /// Keep-alive connections, over all threads.
    pub(crate) connections: usize,
    /// Threads that generate load.
    pub(crate) threads: usize,
    /// Time before the measured window.
    pub(crate) warmup: Duration,
    /// Length of the window; `None` to go by `requests` alone.
    pub(crate) duration: Option<Duration>,
    /// Requests in the window; `None` to go by `duration` alone.
    pub(crate) requests: Option<u64>,
    /// Share of payments that are sent again with the same key, 0 to 1.
    pub(crate) retry_share: f64,
    /// Share of steps that read a known payment instead of making one, 0 to 1.
    pub(crate) read_share: f64,
    /// Time an answer may take.
    pub(crate) timeout: Duration,
    /// Of how many acknowledged payments one is kept, for reads or the check of the money; `None` for none.
    pub(crate) keep_one_of: Option<u64>,
    /// Process whose CPU time is the server's.
    pub(crate) server_pid: Option<u32>,
}

impl Plan {
    /// The secret key of an account.
    pub(crate) fn key_of(&self, account: u32) -> String {
        /// Digits of an account's number in its key.
        const NUMBER_DIGITS: usize = 7;
        match self.spread {
            1 => self.key.clone(),
            _ => format!("{}{account:0NUMBER_DIGITS$}", self.key),
        }
    }
}

/// What a run came to.
pub(crate) struct Outcome {
    /// The counts of all threads.
    pub(crate) tally: Tally,
    /// Payments acknowledged in the whole run.
    pub(crate) acknowledged: Acknowledged,
    /// Length of the measured window.
    pub(crate) window: Duration,
    /// CPU time the server used in the window.
    pub(crate) server_cpu: Option<Duration>,
    /// CPU time this tool used in the window.
    pub(crate) own_cpu: Option<Duration>,
}

/// Runs the plan to its end. `known` are payments that may be read.
pub(crate) fn run(plan: &Plan, known: Arc<Acknowledged>) -> anyhow::Result<Outcome> {
    let plan = Arc::new(plan.clone());
    let begin = Instant::now() + plan.warmup;
    let end = plan.duration.map(|duration| begin + duration);
    // Each thread sends one message when it is done.
    let (done_sender, done) = mpsc::sync_channel::<()>(plan.threads);
    let mut threads = Vec::with_capacity(plan.threads);
    for thread in 0..plan.threads {
        let share_of = |whole: u64| share_of(whole, thread as u64, plan.threads as u64);
        let share = Share {
            plan: plan.clone(),
            thread,
            connections: share_of(plan.connections as u64) as usize,
            requests: plan.requests.map(share_of),
            begin,
            end,
            known: known.clone(),
        };
        let done_sender = done_sender.clone();
        let spawned = std::thread::Builder::new()
            .name(format!("load-{thread}"))
            .spawn(move || {
                let done = worker::work(share);
                // The receiver may have stopped listening when the window closed.
                let _ = done_sender.send(());
                done
            });
        threads.push(spawned.context("cannot start a thread")?);
    }
    std::thread::sleep(begin.saturating_duration_since(Instant::now()));
    let before = Cpu::read(&plan);
    wait(&done, plan.threads, end);
    let closed = Instant::now();
    let after = Cpu::read(&plan);
    let mut tally = Tally::default();
    let mut acknowledged = Acknowledged::default();
    let mut last_answer = None;
    for thread in threads {
        let part: Done = thread.join().map_err(|_| anyhow::anyhow!("a load thread panicked"))??;
        tally.merge(&part.tally);
        acknowledged.append(&part.acknowledged);
        last_answer = last_answer.max(part.last_answer);
    }
    let until = match end {
        // All threads were done before the window's end: they had a number of requests to send, or gave up.
        Some(end) if closed < end => last_answer.unwrap_or(closed),
        Some(end) => end,
        None => last_answer.unwrap_or(closed),
    };
    Ok(Outcome {
        tally,
        acknowledged,
        window: until.saturating_duration_since(begin),
        server_cpu: used(before.server, after.server),
        own_cpu: used(before.own, after.own),
    })
}

/// Waits until the window closes or every thread is done, whichever comes first.
fn wait(done: &mpsc::Receiver<()>, threads: usize, end: Option<Instant>) {
    for _ in 0..threads {
        let received = match end {
            Some(end) => done.recv_timeout(end.saturating_duration_since(Instant::now())).is_ok(),
            None => done.recv().is_ok(),
        };
        if !received {
            return;
        }
    }
}

struct Cpu {
    server: Option<Duration>,
    own: Option<Duration>,
}

impl Cpu {
    fn read(plan: &Plan) -> Cpu {
        Cpu {
            server: plan.server_pid.and_then(process::cpu_time),
            own: process::cpu_time(std::process::id()),
        }
    }
}

fn used(before: Option<Duration>, after: Option<Duration>) -> Option<Duration> {
    after?.checked_sub(before?)
}

fn share_of(whole: u64, part: u64, parts: u64) -> u64 {
    whole / parts + u64::from(part < whole % parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_whole() {
        for (whole, parts) in [(10, 3), (1, 4), (512, 2), (0, 2)] {
            assert_eq!((0..parts).map(|part| share_of(whole, part, parts)).sum::<u64>(), whole);
        }
    }
}
