//! When lanes want to wake.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Stale entries are swept out when there are more than so many for each lane.
const STALE_PER_LANE_MAX: usize = 4;

/// A heap of due times, one that counts for each lane. Entries that were overtaken stay until they are due or swept out.
#[derive(Debug, Default)]
pub(crate) struct Dues {
    heap: BinaryHeap<Reverse<(u64, u32)>>,
    /// By lane: the time that counts.
    of: Vec<Option<u64>>,
}

impl Dues {
    /// Sets when a lane wakes; `None` for not at all.
    pub(crate) fn set(&mut self, lane: u32, at_ms: Option<u64>) {
        let index = lane as usize;
        if self.of.len() <= index {
            self.of.resize(index + 1, None);
        }
        if self.of[index] == at_ms {
            return;
        }
        self.of[index] = at_ms;
        if let Some(at_ms) = at_ms {
            self.heap.push(Reverse((at_ms, lane)));
            if self.heap.len() > (self.of.len() + 16) * STALE_PER_LANE_MAX {
                let of = &self.of;
                self.heap
                    .retain(|Reverse((at_ms, lane))| of[*lane as usize] == Some(*at_ms));
            }
        }
    }

    /// Takes a lane whose time has come.
    pub(crate) fn pop(&mut self, now_ms: u64) -> Option<u32> {
        while let Some(&Reverse((at_ms, lane))) = self.heap.peek() {
            let counts = self.of[lane as usize] == Some(at_ms);
            if counts && at_ms > now_ms {
                return None;
            }
            self.heap.pop();
            if counts {
                self.of[lane as usize] = None;
                return Some(lane);
            }
        }
        None
    }

    /// When the next one wakes.
    pub(crate) fn next_ms(&mut self) -> Option<u64> {
        while let Some(&Reverse((at_ms, lane))) = self.heap.peek() {
            if self.of[lane as usize] == Some(at_ms) {
                return Some(at_ms);
            }
            self.heap.pop();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_time_set_last_counts_and_the_heap_stays_small() {
        let mut dues = Dues::default();
        for at in 0..10_000 {
            dues.set(0, Some(20_000 - at));
            dues.set(1, Some(at + 1));
        }
        assert!(dues.heap.len() < 200, "{} entries", dues.heap.len());
        assert_eq!(dues.next_ms(), Some(10_000));
        assert_eq!(dues.pop(9_999), None);
        assert_eq!(dues.pop(10_001).into_iter().chain(dues.pop(10_001)).sum::<u32>(), 1);
        assert_eq!(dues.pop(u64::MAX), None);
        dues.set(1, Some(5));
        dues.set(1, None);
        assert_eq!(dues.next_ms(), None);
    }
}
