//! Random words as an input: a run replays from its seed.

/// A seeded generator (SplitMix64). The owner of a shard seeds it from the operating system in service and from the
/// printed seed in tests; nothing in this room draws randomness elsewhere.
#[derive(Clone, Debug)]
pub struct Entropy {
    state: u64,
}

impl Entropy {
    /// The sequence that follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Entropy { state: seed }
    }

    /// The next 64 random bits.
    pub fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.state;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a bound of 0 leaves no number");
        ((u128::from(self.word()) * u128::from(bound)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_gives_same_words() {
        let (mut one, mut two) = (Entropy::new(7), Entropy::new(7));
        assert!((0..100).all(|_| one.word() == two.word()));
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let mut entropy = Entropy::new(1);
        assert!((1..1_000).all(|bound| entropy.below(bound) < bound));
    }
}
