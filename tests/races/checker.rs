//! A search for an order: is a recorded history linearizable?
//!
//! **What is asked** (Herlihy and Wing, "Linearizability: a correctness condition for concurrent objects", TOPLAS 1990): is
//! there one order of all requests that respects real time (what was answered before something else was asked stands
//! before it) and in which every answer is what a sequential account gives? Requests without an answer, whose client went
//! away or whose server was killed, may stand anywhere after their asking, or nowhere.
//!
//! **How it is searched** (Wing and Gong, "Testing and verifying concurrent objects", JPDC 1993; the memory of visited
//! configurations is Lowe's, "Testing for linearizability", CCPE 2017). A configuration is the set of requests that have
//! ended and the state of the sequential account. From a configuration one goes on by any request that has not ended and
//! was asked before the first answer that is still to come: exactly the requests that may stand next. Two things are more
//! general than in the papers:
//!
//! - a request may take effect in several steps (a payment over a network is begun, and ends when the network has
//!   spoken), so a step says whether it ended the request, and the state says which requests are under way;
//! - the model may go on by itself (a payment whose outcome was unknown is found out), and such a step may end a request.
//!
//! **Sound**: a path to a configuration in which every answered request has ended lists the steps in an order. Each step is
//! taken when its request was asked already, because a request is only tried when no answer before its asking is still
//! to come, and a request ends before anything asked after its answer begins, for the same reason. So the path *is* the
//! order that is asked for.
//!
//! **Complete**: any such order, read from its start, is a path: its next step always belongs to a request that may stand
//! next. All paths are tried, apart from two kinds that lead nowhere else. (1) A configuration seen before: what can
//! follow depends on nothing but the configuration, so its successors were or will be tried once. (2) If some request that
//! may stand next can end right here without changing the state, and the model says that it changes nothing wherever it
//! ends (`is_pure`: a read, a refusal, a replay), it is taken and nothing else is tried. Let an order exist in which it
//! stands later. Moved to the front it still respects real time, since it may stand next; it is answered rightly here; and
//! the others see the states they saw. So an order exists that goes on this way.
//!
//! **Bound**: at most [`OPS_MAX`] requests, and [`CONFIGURATIONS_MAX`] configurations. The number of configurations is at
//! most (requests) x 2^(requests at once) x (states), in practice some thousands. A history that exceeds the bound is
//! [`Verdict::Undecided`], which no test takes for a pass.

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;

/// Most requests of one history.
pub(crate) const OPS_MAX: usize = 512;
/// Most configurations that are looked at.
pub(crate) const CONFIGURATIONS_MAX: usize = 300_000;

/// When a request was asked and answered, by one steady clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) asked: u64,
    /// `None` if nobody heard an answer.
    pub(crate) answered: Option<u64>,
}

/// A sequential object with a history of requests, numbered from 0.
pub(crate) trait Model {
    type State: Clone + Eq + Hash + Debug;

    fn start(&self) -> Self::State;

    /// How many requests there are.
    fn len(&self) -> usize;

    fn span(&self, op: usize) -> Span;

    /// The states that one step of the request leads to, and whether it has ended then; empty if it cannot go on.
    fn steps(&self, state: &Self::State, op: usize) -> Vec<(Self::State, bool)>;

    /// The states that steps of nobody's request lead to, and the request that ends with it. There must be no endless
    /// sequence of them.
    fn spontaneous(&self, state: &Self::State) -> Vec<(Self::State, Option<usize>)>;

    /// Whether the request, answered as it was, changes no state wherever it ends.
    fn is_pure(&self, op: usize) -> bool;
}

/// What the search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There is an order.
    Linearizable {
        /// How many configurations were looked at.
        configurations: usize,
    },
    /// There is none. `stuck` are the answered requests that were not placed where the search came furthest.
    Impossible { stuck: Vec<usize>, state: String },
    /// The bound was reached.
    Undecided,
}

impl Verdict {
    pub(crate) fn is_linearizable(&self) -> bool {
        matches!(self, Verdict::Linearizable { .. })
    }
}

/// The requests that have ended.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Ended(Box<[u64]>);

impl Ended {
    fn has(&self, op: usize) -> bool {
        self.0[op / 64] >> (op % 64) & 1 == 1
    }

    fn with(&self, op: usize) -> Ended {
        let mut next = self.clone();
        next.0[op / 64] |= 1 << (op % 64);
        next
    }
}

/// Whether the history of `model` is linearizable.
pub(crate) fn check<M: Model>(model: &M) -> Verdict {
    check_within(model, CONFIGURATIONS_MAX)
}

/// The same with a bound of its own.
pub(crate) fn check_within<M: Model>(model: &M, configurations_max: usize) -> Verdict {
    let len = model.len();
    assert!(len <= OPS_MAX, "{len} requests are more than a history may have");
    let spans: Vec<Span> = (0..len).map(|op| model.span(op)).collect();
    let answered = spans.iter().filter(|span| span.answered.is_some()).count();
    let mut seen = HashSet::new();
    let first = (Ended(vec![0; len.div_ceil(64)].into()), model.start());
    let mut deepest = (0, first.clone());
    seen.insert(first.clone());
    let mut open = vec![first];
    while let Some((ended, state)) = open.pop() {
        let placed = (0..len)
            .filter(|&op| spans[op].answered.is_some() && ended.has(op))
            .count();
        if placed == answered {
            return Verdict::Linearizable {
                configurations: seen.len(),
            };
        }
        if placed > deepest.0 {
            deepest = (placed, (ended.clone(), state.clone()));
        }
        if seen.len() > configurations_max {
            return Verdict::Undecided;
        }
        let mut next = successors(model, &spans, &ended, &state);
        // The last one is tried first: what was answered first is the likeliest to stand first.
        next.retain(|configuration| seen.insert(configuration.clone()));
        open.extend(next);
    }
    let (_, (ended, state)) = deepest;
    let stuck = (0..len).filter(|&op| spans[op].answered.is_some() && !ended.has(op));
    Verdict::Impossible {
        stuck: stuck.collect(),
        state: format!("{state:?}"),
    }
}

fn successors<M: Model>(model: &M, spans: &[Span], ended: &Ended, state: &M::State) -> Vec<(Ended, M::State)> {
    let to_come = (0..spans.len()).filter(|&op| !ended.has(op));
    let first_answer = to_come
        .clone()
        .filter_map(|op| spans[op].answered)
        .min()
        .unwrap_or(u64::MAX);
    let mut may_stand_next: Vec<usize> = to_come.filter(|&op| spans[op].asked <= first_answer).collect();
    may_stand_next.sort_by_key(|&op| std::cmp::Reverse(spans[op].answered.unwrap_or(u64::MAX)));
    let mut all = Vec::new();
    for (next, op) in model.spontaneous(state) {
        let after = op.map_or_else(|| ended.clone(), |op| ended.with(op));
        all.push((after, next));
    }
    for op in may_stand_next {
        for (next, ends) in model.steps(state, op) {
            if ends && next == *state && model.is_pure(op) {
                return vec![(ended.with(op), next)];
            }
            all.push((if ends { ended.with(op) } else { ended.clone() }, next));
        }
    }
    all
}
