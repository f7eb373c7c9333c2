//! The shortest failing part of a history that can be found. Each step keeps the failure a true one: what is left of a
//! linearizable history after such a step is linearizable too, so a part that fails proves that the whole fails.

use crate::account::World;
use crate::checker::{Verdict, check_within};
use crate::history::{Call, Op};
use crate::model::Histories;

/// Configurations that are looked at for each part that is tried. A part that needs more counts as one that does not fail.
const CONFIGURATIONS_MAX: usize = 2_000;

/// A part of a history that is not linearizable; all of it if no part is found.
pub(crate) fn shortened(world: World, ops: &[Op]) -> Vec<Op> {
    let fails = |ops: &[Op]| {
        let verdict = check_within(&Histories::of(world, ops), CONFIGURATIONS_MAX);
        matches!(verdict, Verdict::Impossible { .. })
    };
    let mut short = first_moment(ops, &fails);
    if !fails(&short) {
        return ops.to_vec();
    }
    // A request that changed nothing is left out.
    drop_each(&mut short, &fails, |op| op.answer.is_some() && is_pure(op));
    // The answer of a request is forgotten: then it may stand anywhere, or nowhere.
    for at in (0..short.len()).rev() {
        if short[at].answer.is_none() {
            continue;
        }
        let mut weaker = short.clone();
        weaker[at].answer = None;
        weaker[at].replayed = false;
        weaker[at].span.answered = None;
        if fails(&weaker) {
            short = weaker;
        }
    }
    // With fewer answers, more reads may have become needless.
    drop_each(&mut short, &fails, |op| op.answer.is_some() && is_pure(op));
    // Requests that nobody heard of, about objects that nothing else speaks of.
    let heard: Vec<Op> = short.iter().filter(|op| op.answer.is_some()).cloned().collect();
    let spoken_of = |op: &Op| heard.iter().any(|other| speaks_of(other, op));
    short.retain(|op| op.answer.is_some() || spoken_of(op));
    short
}

/// The history up to the first moment at which it fails. What was asked later is left out, what was answered later has no
/// answer yet.
fn first_moment(ops: &[Op], fails: &dyn Fn(&[Op]) -> bool) -> Vec<Op> {
    let until = |moment: u64| -> Vec<Op> {
        let asked = ops.iter().filter(|op| op.span.asked <= moment).cloned();
        let cut = asked.map(|mut op| {
            if op.span.answered.is_some_and(|answered| answered > moment) {
                (op.span.answered, op.answer, op.replayed) = (None, None, false);
            }
            op
        });
        cut.filter(|op| op.answer.is_some() || !op.call.is_read()).collect()
    };
    let mut moments: Vec<u64> = ops.iter().filter_map(|op| op.span.answered).collect();
    moments.sort_unstable();
    // If it fails at a moment, it fails at all later ones.
    let first = moments.partition_point(|moment| !fails(&until(*moment)));
    moments.get(first).map_or_else(|| ops.to_vec(), |moment| until(*moment))
}

fn drop_each(short: &mut Vec<Op>, fails: &dyn Fn(&[Op]) -> bool, may_go: impl Fn(&Op) -> bool) {
    for at in (0..short.len()).rev() {
        if !may_go(&short[at]) {
            continue;
        }
        let mut without = short.clone();
        without.remove(at);
        if fails(&without) {
            *short = without;
        }
    }
}

fn is_pure(op: &Op) -> bool {
    use crate::history::Answer::{KeyInUse, KeyMisused, LockTimeout, Refused};
    // While it waited for the object it held its key, and others may have been told so.
    let refused = match op.answer {
        Some(KeyInUse | KeyMisused) => true,
        Some(LockTimeout | Refused(_)) => op.key.is_none(),
        _ => false,
    };
    op.call.is_read() || op.replayed || refused
}

/// Whether what `heard` was told can depend on `op`.
fn speaks_of(heard: &Op, op: &Op) -> bool {
    let same_key = op.key.is_some() && heard.key == op.key;
    same_key
        || match (&heard.call, &op.call) {
            (Call::Balance, other) => other.slot().is_some(),
            (Call::Intents, other) => matches!(other, Call::Create { .. }),
            // Neither has a slot: both are about the customer.
            (one, other) => one.slot() == other.slot(),
        }
}
