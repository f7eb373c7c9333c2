//! What identifies a request's parameters under an idempotency key: a keyed hash that does not depend on the order in
//! which they were sent, nor on how they were escaped.

use super::Decoded;
use super::paths::{Placed, write_path};
use super::table::Table;
use siphasher::sip128::Hasher128;
use std::hash::Hasher;
use tollgate_domain::Secrets;
use tollgate_domain::secrets::Purpose;

/// Version of the scheme, in the top 8 bits of a fingerprint. Raised when the hashed bytes change: fingerprints of
/// different versions say nothing about each other.
const FINGERPRINT_VERSION: u8 = 1;

impl Decoded {
    /// The fingerprint of the placed pairs of a request for `endpoint`, and the hash of `endpoint` alone.
    ///
    /// Hashed are method, path, and each parameter's canonical bracket path and value in declaration order, all closed
    /// by NUL, which none of them contains. Metadata counts in the order of its keys.
    pub fn fingerprint(&mut self, table: &Table, method: &str, path: &str, secrets: &Secrets) -> (u128, u64) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        for text in [method, path] {
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(0);
        }
        let mut hasher = secrets.hasher(Purpose::RequestFingerprint);
        hasher.write(&bytes);
        let endpoint = hasher.finish128().as_u128() as u64;
        bytes.clear();
        let placed = &self.places.placed;
        let mut at = 0;
        while at < placed.len() {
            let run = placed[at..]
                .iter()
                .take_while(|next| next.order == placed[at].order)
                .count();
            let same = &placed[at..at + run];
            if run > 1 && table.node(same[0].node).is_free_key() {
                self.write_keyed(table, same, &mut bytes);
            } else {
                self.write_pair(table, &same[run - 1], &mut bytes);
            }
            at += run;
        }
        hasher.write(&bytes);
        let hash = hasher.finish128().as_u128();
        self.bytes = bytes;
        (hash << 8 >> 8 | u128::from(FINGERPRINT_VERSION) << 120, endpoint)
    }

    /// Free keys in their own order; of a key that comes twice, the last.
    fn write_keyed(&self, table: &Table, placed: &[Placed], bytes: &mut Vec<u8>) {
        let key = |placed: &Placed| self.pairs.at(placed.key);
        let mut sorted: Vec<&Placed> = placed.iter().collect();
        sorted.sort_by(|a, b| key(a).cmp(key(b)));
        for (at, pair) in sorted.iter().enumerate() {
            if sorted.get(at + 1).is_none_or(|next| key(next) != key(pair)) {
                self.write_pair(table, pair, bytes);
            }
        }
    }

    fn write_pair(&self, table: &Table, placed: &Placed, bytes: &mut Vec<u8>) {
        if table.node(placed.node).in_array {
            write_path(table, &self.pairs, placed, placed.node, bytes);
        } else {
            bytes.extend_from_slice(self.pairs.key(placed.pair.into()).as_bytes());
        }
        bytes.push(0);
        bytes.extend_from_slice(self.pairs.value(placed.pair.into()).as_bytes());
        bytes.push(0);
    }
}
