//! A hash map whose order depends on nothing but its content's history: no seed from the process.
//!
//! Keys here are sequence numbers that we hand out, keyed hashes and account keys (a hash already), so nobody outside
//! can choose keys that collide.

use std::hash::{BuildHasher, Hasher};

/// A map with the fixed hasher.
pub type FixedMap<K, V> = hashbrown::HashMap<K, V, FixedState>;

/// A map of what an account holds, by sequence number. What was made together lies together in it, so that what is made, or
/// forgotten, one after another waits for memory once in several times.
pub type SeqMap<V> = hashbrown::HashMap<u64, V, SeqState>;

/// Builds [`SeqHasher`]s.
#[derive(Clone, Copy, Debug, Default)]
pub struct SeqState;

impl BuildHasher for SeqState {
    type Hasher = SeqHasher;
    fn build_hasher(&self) -> SeqHasher {
        SeqHasher(0)
    }
}

/// Spreads stretches of sequence numbers, and leaves each in its order. The map takes an entry's place from the low bits,
/// and from the topmost ones a tag that tells neighbours apart.
#[derive(Clone, Copy, Debug)]
pub struct SeqHasher(u64);

/// Sequence numbers that stay together: some four payments. In longer stretches (or if none were spread), places that two
/// of them share would be crowded over so long a way that looking past it costs more than memory does.
const STRETCH_BITS: u32 = 5;

impl Hasher for SeqHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("the keys are sequence numbers")
    }
    fn write_u64(&mut self, seq: u64) {
        const STRETCH: u64 = (1 << STRETCH_BITS) - 1;
        const TAG: u64 = 0x7f << 57;
        let place = mix(seq >> STRETCH_BITS) & !STRETCH | seq & STRETCH;
        self.0 = place & !TAG | seq.wrapping_mul(SPREAD) & TAG;
    }
}

/// Builds [`FixedHasher`]s.
#[derive(Clone, Copy, Debug, Default)]
pub struct FixedState;

impl BuildHasher for FixedState {
    type Hasher = FixedHasher;
    fn build_hasher(&self) -> FixedHasher {
        FixedHasher(0)
    }
}

/// Multiplies and folds each word.
#[derive(Clone, Copy, Debug)]
pub struct FixedHasher(u64);

/// An odd constant with well spread bits (2^64 divided by the golden ratio).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes one word so that every input bit reaches the top and the bottom of the result.
pub fn mix(word: u64) -> u64 {
    let product = u128::from(word ^ SPREAD) * u128::from(0xbf58_476d_1ce4_e5b9_u64);
    (product as u64) ^ ((product >> 64) as u64)
}

impl Hasher for FixedHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }
    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }
    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = mix(self.0.rotate_left(23) ^ value);
    }
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(seq: u64) -> u64 {
        SeqState.hash_one(seq)
    }

    /// Where the map looks first, of 131,072 places.
    fn place(seq: u64) -> u64 {
        hash(seq) & 0x1_ffff
    }

    #[test]
    fn a_stretch_lies_in_its_order_and_its_neighbours_differ_in_their_tags() {
        for first in (0..1 << 20).step_by(1 << STRETCH_BITS) {
            for seq in first + 1..first + (1 << STRETCH_BITS) {
                assert_eq!(place(seq), place(first) + seq - first);
                assert_ne!(hash(seq) >> 57, hash(seq - 1) >> 57);
            }
        }
    }

    #[test]
    fn stretches_are_spread() {
        let mut crowd = [0u32; 4096];
        for first in (0..1 << 17).step_by(1 << STRETCH_BITS) {
            crowd[(place(first) >> STRETCH_BITS) as usize] += 1;
        }
        // As many stretches as there is room for: as balls thrown into bins.
        let crowded = crowd.iter().max().expect("there are places");
        assert!(*crowded <= 9, "{crowded} stretches at one place");
    }
}
