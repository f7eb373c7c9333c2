//! `simulate`: runs of the virtual world from the command line.
#![allow(clippy::print_stdout, reason = "the report is what the program is for")]

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use std::time::Instant;
use tollgate_simulation::plan::HOUR_MS;
use tollgate_simulation::shrink::shrink;
use tollgate_simulation::{Counts, Plan, run};

/// Deterministic simulation of Tollgate's shards.
#[derive(Parser)]
#[command(name = "simulate")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs simulated worlds and audits them. Exit 0: nothing found. Exit 1: a failure, printed with its seed.
    Simulate {
        /// Seed of the first run; the others follow.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Simulated hours of each run; 8, 40 and 300 in turn if not given.
        #[arg(long)]
        hours: Option<u64>,
        /// Runs.
        #[arg(long, default_value_t = 15)]
        runs: u64,
        /// Shorten the history of a failure.
        #[arg(long)]
        shrink: bool,
        /// Only these steps of the seed's history, as a failure printed them.
        #[arg(long, value_delimiter = ',')]
        keep: Vec<usize>,
        /// Simulated milliseconds after which faults end, as a failure printed them; instead of --hours' end.
        #[arg(long)]
        until: Option<u64>,
    },
}

fn main() -> ExitCode {
    let Command::Simulate {
        seed: first,
        hours,
        runs,
        shrink: shorten,
        keep,
        until,
    } = Arguments::parse().command;
    let start = Instant::now();
    let mut total = Counts::default();
    for seed in first..first + runs {
        let hours = hours.unwrap_or_else(|| Plan::hours_of(seed));
        let mut plan = Plan::of(seed, hours);
        if !keep.is_empty() {
            plan = plan.only(&keep);
        }
        if let Some(until) = until {
            plan.length_ms = until;
        }
        match run(&plan) {
            Ok((counts, trace)) => {
                total = total.plus(&counts);
                println!(
                    "seed {seed}: {} h, {} requests, {} records, {} calls, {} restarts, trace {trace:016x}",
                    counts.simulated_ms / HOUR_MS,
                    counts.requests,
                    counts.records,
                    counts.calls,
                    counts.rebuilds,
                );
            }
            Err(failure) => {
                println!("seed {seed} FAILED: {failure}");
                println!("again: simulate --seed {seed} --hours {hours} --runs 1");
                if shorten {
                    report(&plan, hours, &failure);
                }
                return ExitCode::FAILURE;
            }
        }
    }
    let seconds = start.elapsed().as_secs_f64().max(0.001);
    let hours = total.simulated_ms as f64 / HOUR_MS as f64;
    println!(
        "nothing found in {hours:.0} simulated hours and {} requests; {seconds:.1} s: {:.0} simulated hours/s, {:.0} \
         requests/s, {:.0} records/s",
        total.requests,
        hours / seconds,
        total.requests as f64 / seconds,
        total.records as f64 / seconds,
    );
    println!("{} restarts; {:?}", total.rebuilds, total.seen);
    ExitCode::SUCCESS
}

fn report(plan: &Plan, hours: u64, failure: &tollgate_simulation::auditor::Failure) {
    let (short, failure) = shrink(plan, failure);
    println!(
        "shortest history found, {} of {} steps:",
        short.steps.len(),
        plan.steps.len()
    );
    println!("  {:?}", short.weather);
    for step in &short.steps {
        println!("  {:>6} at {:>10} ms: {:?}", step.number, step.at_ms, step.what);
    }
    println!("it fails with: {failure}");
    let keep: Vec<String> = short.steps.iter().map(|step| step.number.to_string()).collect();
    println!(
        "again: simulate --seed {} --hours {hours} --runs 1 --until {} --keep {}",
        short.seed,
        short.length_ms,
        keep.join(",")
    );
}
