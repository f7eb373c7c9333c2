//! Random numbers from a seed that is an input.

/// A source of numbers that scatter (SplitMix64); not for secrets.
#[derive(Clone, Debug)]
pub(crate) struct Entropy(u64);

impl Entropy {
    pub(crate) fn new(seed: u64) -> Entropy {
        Entropy(seed)
    }

    /// A seed for another one.
    pub(crate) fn seed(mut self) -> u64 {
        self.next()
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let number = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    /// A number between these, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        match high.checked_sub(low) {
            Some(span) if span < u64::MAX => low + self.next() % (span + 1),
            _ => low,
        }
    }
}
