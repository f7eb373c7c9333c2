//! A hash map whose order depends on nothing but its content's history: no seed from the process.
//!
//! Keys here are sequence numbers that we hand out, keyed hashes and account keys (a hash already), so nobody outside
//! can choose keys that collide.

use std::hash::{BuildHasher, Hasher};

/// A map with the fixed hasher.
pub type FixedMap<K, V> = hashbrown::HashMap<K, V, FixedState>;

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
