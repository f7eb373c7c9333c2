//! Hash maps over values that are hashes already.

use std::hash::{BuildHasherDefault, Hasher};

/// A map whose keys are keyed hashes (of accounts, of idempotency keys): nobody outside can steer them, so one multiply
/// is enough. The hasher is fixed, so that a run replays.
pub type Map<K, V> = hashbrown::HashMap<K, V, BuildHasherDefault<Mix>>;

/// Spreads a 64-bit hash over a number of slots.
pub fn slot(hash: u64, slots: usize) -> usize {
    ((u128::from(hash.wrapping_mul(MULTIPLIER)) * slots as u128) >> 64) as usize
}

/// 2^64 / golden ratio, odd.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hasher of [`Map`]: a multiply a word.
#[derive(Default, Clone, Copy, Debug)]
pub struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }
    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_mul(MULTIPLIER);
    }
}
