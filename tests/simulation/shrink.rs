//! Shortening of a failing history: steps are left out, in halves first and one by one in the end, as long as the same
//! check still fails. Every attempt is a whole run, so what is found replays exactly.

use crate::auditor::Failure;
use crate::plan::Plan;
use crate::run;

/// Most runs that a search may take.
pub const RUNS_MAX: usize = 2_000;

/// The shortest history found that fails the same check, with its failure.
pub fn shrink(plan: &Plan, failure: &Failure) -> (Plan, Failure) {
    let mut best = (plan.clone(), failure.clone());
    // Nothing after the failure can have caused it.
    let mut runs = 0;
    let mut attempt = |keep: Vec<usize>, best: &mut (Plan, Failure)| {
        if runs >= RUNS_MAX {
            return false;
        }
        runs += 1;
        let mut shorter = plan.only(&keep);
        let last_ms = shorter.steps.last().map_or(0, |step| step.at_ms);
        shorter.length_ms = plan.length_ms.min(last_ms + 60_000);
        match run(&shorter) {
            Err(found) if found.check == failure.check => {
                *best = (shorter, found);
                true
            }
            _ => false,
        }
    };
    let early: Vec<usize> = plan
        .steps
        .iter()
        .filter(|step| step.at_ms <= failure.at_ms)
        .map(|step| step.number)
        .collect();
    attempt(early, &mut best);
    let mut size = best.0.steps.len().div_ceil(2);
    while size >= 1 {
        let mut at = 0;
        while at < best.0.steps.len() {
            let numbers: Vec<usize> = best.0.steps.iter().map(|step| step.number).collect();
            let end = (at + size).min(numbers.len());
            let keep = [&numbers[..at], &numbers[end..]].concat();
            if keep.len() == numbers.len() || !attempt(keep, &mut best) {
                at = end;
            }
        }
        if size == 1 {
            break;
        }
        size = size.div_ceil(2);
    }
    best
}
