//! Ids of requests: time and chance, so that they can be told apart without a counter that workers share.

use tollgate_domain::kinds::REQUEST;
use tollgate_resource::Id;
use tollgate_resource::id::SEQ_MAX;

/// A worker's source of request ids.
pub(crate) struct RequestIds {
    state: u64,
}

impl RequestIds {
    /// A source whose ids follow from `seed`; each worker gets a seed of its own from the operating system.
    pub(crate) fn new(seed: u64) -> RequestIds {
        RequestIds { state: seed }
    }

    /// An id for a request that arrived at `now_ms`.
    pub(crate) fn next(&mut self, now_ms: u64) -> Id {
        let (sequence, tag) = (self.word(), self.word());
        Id::new(&REQUEST, now_ms, sequence & SEQ_MAX, tag as u32)
    }

    /// SplitMix64: ids need to be distinct, not secret.
    fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.state;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_of_one_millisecond_differ_and_carry_its_time() {
        let mut ids = RequestIds::new(7);
        let made: BTreeSet<Id> = (0..10_000).map(|_| ids.next(1_800_000_000_000)).collect();
        assert_eq!(made.len(), 10_000);
        assert!(
            made.iter()
                .all(|id| id.is(&REQUEST) && id.unix_ms() == 1_800_000_000_000)
        );
    }
}
