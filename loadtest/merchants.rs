//! Who calls: merchants with their keys and their shares of the traffic.

use crate::random::SplitMix64;
use crate::scenario;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Digits of a merchant's number in its key.
const NUMBER_DIGITS: usize = 7;

/// One of several generators that share a scenario. Each merchant belongs to exactly one of them, with all its traffic
/// and all its money: so the parts together are the scenario, and each part can check its own merchants to the cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Which one, from 0.
    pub(crate) index: u32,
    /// Of how many.
    pub(crate) count: u32,
}

impl Part {
    /// One generator does everything.
    pub(crate) const WHOLE: Part = Part { index: 0, count: 1 };
}

/// Merchants of a run.
#[derive(Clone, Debug)]
pub(crate) struct Merchants {
    keys: Vec<String>,
    /// Their numbers in the whole scenario.
    numbers: Vec<u32>,
    picker: Picker,
    share: f64,
}

impl Merchants {
    /// The merchants of a scenario that belong to a part, or the one whose key is given.
    pub(crate) fn new(of: &scenario::Merchants, single_key: Option<&str>, part: Part) -> Merchants {
        if let Some(key) = single_key {
            return Merchants {
                keys: vec![key.to_string()],
                numbers: vec![0],
                picker: Picker::new([1.0].into_iter()),
                share: 1.0,
            };
        }
        let shares = shares(of);
        let mut numbers = owned(&shares, part);
        numbers.sort_unstable();
        Merchants {
            keys: numbers
                .iter()
                .map(|number| format!("{}{number:0NUMBER_DIGITS$}", of.key_prefix))
                .collect(),
            picker: Picker::new(numbers.iter().map(|number| shares[*number as usize])),
            // Not the sum of all: that is not 1 to the last digit.
            share: match part.count {
                1 => 1.0,
                _ => numbers.iter().map(|number| shares[*number as usize]).sum(),
            },
            numbers,
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Their share of the whole scenario's traffic, 0 to 1.
    pub(crate) fn share(&self) -> f64 {
        self.share
    }

    /// The secret key of a merchant.
    pub(crate) fn key(&self, merchant: u32) -> &str {
        &self.keys[merchant as usize]
    }

    /// The number of a merchant in the whole scenario: what stands at the end of its key.
    pub(crate) fn number(&self, merchant: u32) -> u32 {
        self.numbers[merchant as usize]
    }

    /// Draws one by its share.
    pub(crate) fn pick(&self, random: &mut SplitMix64) -> u32 {
        self.picker.pick(random) as u32
    }
}

/// Every merchant's share of the traffic; together 1.
fn shares(of: &scenario::Merchants) -> Vec<f64> {
    let weights: Vec<f64> = (1..=of.count).map(|rank| f64::from(rank).powf(-of.zipf)).collect();
    let whole: f64 = weights.iter().sum();
    let mut shares: Vec<f64> = weights
        .iter()
        .map(|weight| weight / whole * (1.0 - of.hot_share))
        .collect();
    shares[0] += of.hot_share;
    shares
}

/// The merchants of a part: the largest first, each goes to the part that has the least so far.
fn owned(shares: &[f64], part: Part) -> Vec<u32> {
    assert!(
        part.index < part.count && part.count as usize <= shares.len(),
        "checked with the command line"
    );
    // The least first; f64 has no total order of its own, but its bits have for what is not negative.
    let mut loads: BinaryHeap<Reverse<(u64, u32)>> = (0..part.count).map(|index| Reverse((0, index))).collect();
    let mut own = Vec::new();
    for (number, share) in shares.iter().enumerate() {
        let Reverse((load, index)) = loads.pop().expect("there is a part");
        if index == part.index {
            own.push(number as u32);
        }
        loads.push(Reverse(((f64::from_bits(load) + share).to_bits(), index)));
    }
    own
}

/// Draws an index by weight.
#[derive(Clone, Debug)]
pub(crate) struct Picker {
    /// Sum of the weights up to and including each index.
    sums: Vec<f64>,
}

impl Picker {
    /// Weights, of which one at least is more than 0.
    pub(crate) fn new(weights: impl Iterator<Item = f64>) -> Picker {
        let mut sum = 0.0;
        let sums: Vec<f64> = weights
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        assert!(sum > 0.0, "one weight at least is more than 0");
        Picker { sums }
    }

    /// Draws one.
    pub(crate) fn pick(&self, random: &mut SplitMix64) -> usize {
        let whole = self.sums[self.sums.len() - 1];
        let at = random.unit() * whole;
        self.sums.partition_point(|sum| *sum <= at).min(self.sums.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(count: u32, zipf: f64, hot_share: f64) -> scenario::Merchants {
        scenario::Merchants {
            count,
            zipf,
            hot_share,
            key_prefix: "sk_test_x".into(),
            payments_before: 0,
        }
    }

    fn merchants(count: u32, zipf: f64, hot_share: f64) -> Merchants {
        Merchants::new(&of(count, zipf, hot_share), None, Part::WHOLE)
    }

    fn drawn(merchants: &Merchants) -> Vec<f64> {
        let mut random = SplitMix64(5);
        let mut counts = vec![0.0; merchants.len()];
        (0..200_000).for_each(|_| counts[merchants.pick(&mut random) as usize] += 1.0);
        counts.iter().map(|count| count / 200_000.0).collect()
    }

    #[test]
    fn parts_share_out_every_merchant_and_all_of_the_traffic() {
        for (count, zipf, hot_share) in [(1_000, 1.0, 0.0), (100, 0.0, 0.9), (3, 2.0, 0.0)] {
            let of = of(count, zipf, hot_share);
            let parts: Vec<Merchants> = (0..3)
                .map(|index| Merchants::new(&of, None, Part { index, count: 3 }))
                .collect();
            let mut keys: Vec<&String> = parts.iter().flat_map(|part| &part.keys).collect();
            keys.sort();
            let whole = merchants(count, zipf, hot_share);
            assert_eq!(keys, whole.keys.iter().collect::<Vec<_>>());
            let sum: f64 = parts.iter().map(Merchants::share).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{sum}");
            // As even as the largest merchant lets it be.
            let largest = shares(&of)[0].max(0.34);
            assert!(parts.iter().all(|part| part.share() <= largest), "{count} {zipf}");
        }
        assert_eq!(merchants(9, 1.0, 0.5).share(), 1.0);
    }

    #[test]
    fn shares_follow_zipf() {
        let shares = drawn(&merchants(100, 1.0, 0.0));
        let harmonic: f64 = (1..=100).map(|rank| 1.0 / f64::from(rank)).sum();
        for rank in [1, 2, 10] {
            let expected = 1.0 / f64::from(rank) / harmonic;
            let share = shares[rank as usize - 1];
            assert!(
                (share / expected - 1.0).abs() < 0.1,
                "rank {rank}: {share}, not {expected}"
            );
        }
    }

    #[test]
    fn the_hot_merchant_has_its_share_beside_its_own() {
        let shares = drawn(&merchants(10, 0.0, 0.5));
        assert!(
            (shares[0] - 0.55).abs() < 0.01 && (shares[9] - 0.05).abs() < 0.01,
            "{shares:?}"
        );
    }

    #[test]
    fn keys_are_numbered_and_one_key_stands_alone() {
        assert_eq!(merchants(3, 0.0, 0.0).key(2), "sk_test_x0000002");
        let one = Merchants::new(&of(5, 0.0, 0.0), Some("sk_test_mine"), Part::WHOLE);
        assert_eq!((one.len(), one.key(0)), (1, "sk_test_mine"));
    }

    #[test]
    fn a_weight_of_zero_is_never_drawn() {
        let picker = Picker::new([0.0, 1.0, 0.0].into_iter());
        let mut random = SplitMix64(1);
        assert!((0..10_000).all(|_| picker.pick(&mut random) == 1));
    }
}
