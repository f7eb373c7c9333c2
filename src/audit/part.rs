//! Shares of the work: what an audit keeps of objects and keys is divided by a hash, so that what one pass over the
//! journal keeps can be made as small as there is room for.

/// All objects and keys whose hash ends in these bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    bits: u32,
    value: u64,
}

/// Most bits: 65,536 passes would be needed for such parts, long after the machine was the wrong one.
const BITS_MAX: u32 = 16;

impl Part {
    /// Everything.
    pub(crate) const WHOLE: Part = Part { bits: 0, value: 0 };

    /// Whether something with this hash belongs to it.
    pub(crate) fn holds(self, hash: u64) -> bool {
        hash & ((1 << self.bits) - 1) == self.value
    }

    /// Its halves; `None` if it is as small as a part may be.
    pub(crate) fn halves(self) -> Option<(Part, Part)> {
        let bits = self.bits + 1;
        let half = |value| Part { bits, value };
        (bits <= BITS_MAX).then(|| (half(self.value), half(self.value | 1 << self.bits)))
    }
}

/// The hash of a payment and all that belongs to it: of the account's key and the payment intent's sequence.
pub(crate) fn payment_hash(account: u64, intent: u64) -> u64 {
    mix(mix(account) ^ intent)
}

/// Spreads a number over 64 bits (the finish of SplitMix64).
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_share_out_what_the_whole_holds() {
        let mut parts = vec![Part::WHOLE];
        for _ in 0..4 {
            parts = parts
                .into_iter()
                .flat_map(|part| {
                    let (one, other) = part.halves().expect("not as small as may be");
                    [one, other]
                })
                .collect();
        }
        let mut counts = [0; 16];
        for intent in 0..16_000 {
            let holders: Vec<usize> = (0..16).filter(|at| parts[*at].holds(payment_hash(7, intent))).collect();
            assert_eq!(holders.len(), 1, "intent {intent} is in exactly one part");
            counts[holders[0]] += 1;
        }
        assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
    }

    #[test]
    fn parts_do_not_get_smaller_for_ever() {
        let mut part = Part::WHOLE;
        let mut halvings = 0;
        while let Some((half, _)) = part.halves() {
            part = half;
            halvings += 1;
        }
        assert_eq!(halvings, BITS_MAX);
    }
}
