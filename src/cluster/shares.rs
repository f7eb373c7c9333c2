//! Who is to have what. Every node computes the same from the same view and acts only for itself; where views differ, the
//! store's conditional writes let one of them have its way, and the next look is the same for both.

use crate::view::Process;
use std::sync::Arc;
use tollgate_store::ShardId;

/// A node that may own shards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Taker {
    pub(crate) node: Arc<str>,
    pub(crate) process: Process,
    /// Shards it has, or is to have by the will of their owners.
    pub(crate) has: usize,
    /// Whether it may be given what others serve.
    pub(crate) steady: bool,
}

/// A node that has more than it should.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Giver {
    pub(crate) process: Process,
    pub(crate) excess: usize,
}

/// How many shards each is to have: even within one; who has most keeps the odd ones.
pub(crate) fn quotas(takers: &[Taker], shards: usize) -> Vec<usize> {
    if takers.is_empty() {
        return Vec::new();
    }
    let (base, odd) = (shards / takers.len(), shards % takers.len());
    let mut order: Vec<usize> = (0..takers.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&takers[a], &takers[b]);
        b.has.cmp(&a.has).then_with(|| a.node.cmp(&b.node))
    });
    let mut quotas = vec![base; takers.len()];
    for &one in &order[..odd] {
        quotas[one] += 1;
    }
    quotas
}

/// Who takes a shard that nobody serves: for each of them the takers in order. Only the first goes at once; the others when
/// it did not.
pub(crate) fn orphans(takers: &[Taker], orphans: &[(ShardId, Option<Process>)]) -> Vec<(ShardId, Vec<Process>)> {
    let mut takers = takers.to_vec();
    let mut ordered = Vec::with_capacity(orphans.len());
    for &(shard, heir) in orphans {
        // Whoever it was promised to first.
        takers.sort_by(|a, b| {
            let promised = |taker: &Taker| Some(taker.process) != heir;
            let key = |taker: &Taker| (promised(taker), taker.has);
            key(a).cmp(&key(b)).then_with(|| a.node.cmp(&b.node))
        });
        ordered.push((shard, takers.iter().map(|taker| taker.process).collect()));
        if let Some(first) = takers.first_mut() {
            first.has += 1;
        }
    }
    ordered
}

/// To whom this giver's shards go, one entry a shard, at most as many as it has too many.
pub(crate) fn heirs(givers: &[Giver], takers: &[Taker], quotas: &[usize], me: Process) -> Vec<Process> {
    let mut room: Vec<(Process, usize)> = takers
        .iter()
        .zip(quotas)
        .filter(|(taker, _)| taker.steady)
        .map(|(taker, quota)| (taker.process, quota.saturating_sub(taker.has)))
        .collect();
    for giver in givers {
        let mut given = Vec::new();
        let mut at = 0;
        // Around, so that one node's shards go to all the others.
        while given.len() < giver.excess && room.iter().any(|(_, room)| *room > 0) {
            let (taker, left) = &mut room[at];
            if *left > 0 {
                *left -= 1;
                given.push(*taker);
            }
            at = (at + 1) % room.len();
        }
        if giver.process == me {
            return given;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taker(number: u64, has: usize) -> Taker {
        Taker {
            node: format!("node-{number}").into(),
            process: Process(number),
            has,
            steady: true,
        }
    }

    #[test]
    fn quotas_are_even_and_the_fullest_keep_the_odd_ones() {
        let takers = [taker(1, 0), taker(2, 5), taker(3, 3)];
        assert_eq!(quotas(&takers, 8), [2, 3, 3]);
        assert_eq!(quotas(&takers, 7), [2, 3, 2]);
        assert_eq!(quotas(&takers, 2), [0, 1, 1]);
    }

    #[test]
    fn orphans_spread_over_the_emptiest() {
        let takers = [taker(1, 2), taker(2, 0), taker(3, 0)];
        let wanted: Vec<_> = (0..4).map(|shard| (ShardId(shard), None)).collect();
        let firsts: Vec<u64> = orphans(&takers, &wanted).iter().map(|(_, order)| order[0].0).collect();
        assert_eq!(firsts, [2, 3, 2, 3]);
    }

    #[test]
    fn a_promised_shard_goes_to_its_heir_first() {
        let takers = [taker(1, 9), taker(2, 0)];
        let ordered = orphans(&takers, &[(ShardId(0), Some(Process(1)))]);
        assert_eq!(ordered[0].1, [Process(1), Process(2)]);
    }

    #[test]
    fn two_givers_do_not_fill_the_same_room() {
        let takers = [taker(1, 6), taker(2, 6), taker(3, 0)];
        let quotas = quotas(&takers, 12);
        let givers = [1, 2].map(|number| Giver {
            process: Process(number),
            excess: 2,
        });
        let given = |me| heirs(&givers, &takers, &quotas, Process(me));
        assert_eq!((given(1), given(2)), (vec![Process(3); 2], vec![Process(3); 2]));
        let little = [4, 4, 2];
        let given = |me| heirs(&givers, &takers, &little, Process(me));
        assert_eq!((given(1), given(2)), (vec![Process(3); 2], vec![]));
    }

    #[test]
    fn nothing_is_given_to_a_node_that_just_came() {
        let mut takers = [taker(1, 4), taker(2, 0)];
        takers[1].steady = false;
        let givers = [Giver {
            process: Process(1),
            excess: 2,
        }];
        assert_eq!(heirs(&givers, &takers, &[2, 2], Process(1)), []);
    }
}
