//! How often groups begin. The committer is clocked by the disk: while one group syncs, the next one fills. On a disk that
//! syncs in a third of a millisecond a middling load then makes thousands of groups a second of a few records each, and
//! every group costs a sync, a wake-up of the lane and one of each worker, whatever is in it. So where requests come
//! close together, groups begin no more often than once a pace; where they are far between, each is written at once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So many records within a pace are close together. A client that waits for each answer before it asks again, on a disk
/// as fast as above, stays below.
const CLOSE_TOGETHER: usize = 4;

/// Groups remembered at most; a pace is seldom so long, or a disk so fast, that more begin within one.
const REMEMBERED_MAX: usize = 64;

/// When the last groups began.
pub(crate) struct Pace {
    every: Duration,
    begun: VecDeque<(Instant, usize)>,
}

impl Pace {
    /// Groups begin once in `every` at most, if records come close together; zero lets every group begin at once.
    pub(crate) fn new(every: Duration) -> Pace {
        Pace {
            every,
            begun: VecDeque::new(),
        }
    }

    /// How long the next group has to wait at this moment.
    pub(crate) fn rest(&mut self, now: Instant) -> Duration {
        while let Some((begun, _)) = self.begun.front()
            && now.saturating_duration_since(*begun) >= self.every
        {
            self.begun.pop_front();
        }
        let records: usize = self.begun.iter().map(|(_, records)| records).sum();
        match self.begun.back() {
            Some((last, _)) if records >= CLOSE_TOGETHER => (*last + self.every).saturating_duration_since(now),
            _ => Duration::ZERO,
        }
    }

    /// A group of so many records begins.
    pub(crate) fn begins(&mut self, now: Instant, records: usize) {
        if self.begun.len() == REMEMBERED_MAX {
            self.begun.pop_front();
        }
        self.begun.push_back((now, records));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_micros(1000);

    /// When groups of so many records begin if the first record of each is there after the last group and a gap.
    fn begins(records: usize, gap_us: u64, groups: usize) -> Vec<u64> {
        let (start, gap) = (Instant::now(), Duration::from_micros(gap_us));
        let mut pace = Pace::new(EVERY);
        let mut now = start;
        let mut at = Vec::new();
        for _ in 0..groups {
            now += pace.rest(now);
            pace.begins(now, records);
            at.push((now - start).as_micros() as u64);
            now += gap;
        }
        at
    }

    #[test]
    fn groups_wait_for_each_other_only_when_records_come_close_together() {
        assert_eq!(
            begins(1, 400, 6),
            [0, 400, 800, 1200, 1600, 2000],
            "one client in a row"
        );
        assert_eq!(begins(50, 300, 4), [0, 1000, 2000, 3000], "a load");
        assert_eq!(
            begins(50, 1700, 4),
            [0, 1700, 3400, 5100],
            "a disk slower than the pace"
        );
        let few = begins(2, 300, 5);
        assert_eq!(
            few,
            [0, 300, 1300, 1600, 2600],
            "four within a pace are close, two are not"
        );
        assert_eq!(begins(0, 10, 3), [0, 10, 20], "claims are no load");
    }

    #[test]
    fn without_a_pace_nothing_waits() {
        let mut pace = Pace::new(Duration::ZERO);
        let now = Instant::now();
        (0..1000).for_each(|_| pace.begins(now, 100));
        assert_eq!(pace.rest(now), Duration::ZERO);
        assert!(pace.begun.len() <= REMEMBERED_MAX);
    }
}
