//! Who calls: merchants with their keys and their shares of the traffic.

use crate::random::SplitMix64;
use crate::scenario;

/// Digits of a merchant's number in its key.
const NUMBER_DIGITS: usize = 7;

/// Merchants of a run.
#[derive(Clone, Debug)]
pub(crate) struct Merchants {
    keys: Vec<String>,
    picker: Picker,
    hot_share: f64,
}

impl Merchants {
    /// The merchants of a scenario, or the one whose key is given.
    pub(crate) fn new(of: &scenario::Merchants, single_key: Option<&str>) -> Merchants {
        let keys = match single_key {
            Some(key) => vec![key.to_string()],
            None => (0..of.count)
                .map(|number| format!("{}{number:0NUMBER_DIGITS$}", of.key_prefix))
                .collect(),
        };
        let weights = (1..=keys.len()).map(|rank| (rank as f64).powf(-of.zipf));
        Merchants {
            picker: Picker::new(weights),
            hot_share: of.hot_share,
            keys,
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The secret key of a merchant.
    pub(crate) fn key(&self, merchant: u32) -> &str {
        &self.keys[merchant as usize]
    }

    /// Draws one by its share.
    pub(crate) fn pick(&self, random: &mut SplitMix64) -> u32 {
        if random.chance(self.hot_share) {
            return 0;
        }
        self.picker.pick(random) as u32
    }
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

    fn merchants(count: u32, zipf: f64, hot_share: f64) -> Merchants {
        let of = scenario::Merchants {
            count,
            zipf,
            hot_share,
            key_prefix: "sk_test_x".into(),
            payments_before: 0,
        };
        Merchants::new(&of, None)
    }

    fn shares(merchants: &Merchants) -> Vec<f64> {
        let mut random = SplitMix64(5);
        let mut counts = vec![0.0; merchants.len()];
        (0..200_000).for_each(|_| counts[merchants.pick(&mut random) as usize] += 1.0);
        counts.iter().map(|count| count / 200_000.0).collect()
    }

    #[test]
    fn shares_follow_zipf() {
        let shares = shares(&merchants(100, 1.0, 0.0));
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
        let shares = shares(&merchants(10, 0.0, 0.5));
        assert!(
            (shares[0] - 0.55).abs() < 0.01 && (shares[9] - 0.05).abs() < 0.01,
            "{shares:?}"
        );
    }

    #[test]
    fn keys_are_numbered_and_one_key_stands_alone() {
        assert_eq!(merchants(3, 0.0, 0.0).key(2), "sk_test_x0000002");
        let of = scenario::Merchants {
            count: 5,
            zipf: 0.0,
            hot_share: 0.0,
            key_prefix: "x".into(),
            payments_before: 0,
        };
        let one = Merchants::new(&of, Some("sk_test_mine"));
        assert_eq!((one.len(), one.key(0)), (1, "sk_test_mine"));
    }

    #[test]
    fn a_weight_of_zero_is_never_drawn() {
        let picker = Picker::new([0.0, 1.0, 0.0].into_iter());
        let mut random = SplitMix64(1);
        assert!((0..10_000).all(|_| picker.pick(&mut random) == 1));
    }
}
