//! How many deliveries of one lane may be out at once: a little more while all goes well, half as many when there was too much.
//!
//! More at once is only worth its connections while each takes as long as before. Once they take much longer than the quickest
//! of late, they wait for each other, at the receiver or here, so the limit goes back (the idea is that of
//! TCP Vegas: Brakmo and Peterson, 1995).

/// Where every lane begins.
pub(crate) const START: u32 = 4;
/// The most.
pub(crate) const MAX: u32 = 64;
/// What a limit goes back to when more only wait for each other: with one alone nothing could be compared any more.
const CALM: u32 = 2;
/// Outcomes wait for each other when they take more than four times as long as the quickest of late and this many milliseconds.
const SLACK_MS: u64 = 20;

/// An adaptive limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aimd {
    limit: u32,
    /// Outcomes left of this window; there are as many in one as the limit allows at once.
    left: u32,
    /// Whether the window has had no failure, and the limit was in the way.
    clean: bool,
    wanted: bool,
    /// Whether it was halved in this window: what was out at that time says nothing new.
    halved: bool,
    /// What the outcomes of this window took together, milliseconds.
    took_ms: u64,
    /// The quickest outcome of late; goes up a little with every window, so that a receiver may become slower for good.
    quickest_ms: u64,
}

impl Aimd {
    pub(crate) fn new() -> Aimd {
        Aimd {
            limit: START,
            left: START,
            clean: true,
            wanted: false,
            halved: false,
            took_ms: 0,
            quickest_ms: u64::MAX,
        }
    }

    fn begin(&mut self, limit: u32) {
        *self = Aimd {
            limit,
            left: limit,
            quickest_ms: self.quickest_ms.saturating_add(self.quickest_ms / 32 + 1),
            ..Aimd::new()
        };
    }

    /// Whether one more may go.
    pub(crate) fn allows(&mut self, in_flight: u32) -> bool {
        let allows = in_flight < self.limit;
        self.wanted |= !allows;
        allows
    }

    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    /// Hears of an outcome, and how long it took.
    pub(crate) fn outcome(&mut self, taken: bool, overload: bool, took_ms: u32) {
        self.clean &= taken;
        if overload && !self.halved {
            self.begin((self.limit / 2).max(1));
            self.halved = true;
            self.clean = false;
            return;
        }
        self.took_ms += u64::from(took_ms);
        self.quickest_ms = self.quickest_ms.min(took_ms.into());
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            let limit = match self.clean && self.wanted {
                true if self.waits() => self.limit.min(CALM.max(self.limit - 1)),
                true => (self.limit + 1).min(MAX),
                false => self.limit,
            };
            self.begin(limit);
        }
    }

    /// Whether the outcomes of this window waited for each other.
    fn waits(&self) -> bool {
        self.took_ms / u64::from(self.limit) > self.quickest_ms.saturating_mul(4).saturating_add(SLACK_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Outcomes of `windows` full windows, with the limit in the way.
    fn windows(aimd: &mut Aimd, windows: u32) {
        windows_of(aimd, windows, 100);
    }

    /// The same, each outcome after so many milliseconds.
    fn windows_of(aimd: &mut Aimd, windows: u32, took_ms: u32) {
        for _ in 0..windows {
            for _ in 0..aimd.limit() {
                assert!(!aimd.allows(aimd.limit()));
                aimd.outcome(true, false, took_ms);
            }
        }
    }

    #[test]
    fn it_does_not_grow_when_more_at_once_only_wait_for_each_other() {
        let mut aimd = Aimd::new();
        windows_of(&mut aimd, 10, 5);
        let before = aimd.limit();
        assert_eq!(before, START + 10);
        windows_of(&mut aimd, 3, 200);
        assert_eq!(aimd.limit(), before - 3);
        // A receiver that has become slower for good is believed in the end.
        windows_of(&mut aimd, 500, 200);
        assert_eq!(aimd.limit(), MAX);
    }

    #[test]
    fn a_crowd_that_waits_goes_back_to_two_and_not_below() {
        let mut aimd = Aimd::new();
        windows_of(&mut aimd, 40, 1);
        for _ in 0..10_000 {
            assert!(!aimd.allows(aimd.limit()));
            aimd.outcome(true, false, 0);
            aimd.outcome(true, false, 5_000);
        }
        assert_eq!(aimd.limit(), CALM);
    }

    #[test]
    fn it_grows_by_one_a_clean_window_and_halves_once_for_what_is_out() {
        let mut aimd = Aimd::new();
        windows(&mut aimd, 3);
        assert_eq!(aimd.limit(), START + 3);
        windows(&mut aimd, 200);
        assert_eq!(aimd.limit(), MAX);
        for _ in 0..MAX / 2 {
            aimd.outcome(false, true, 1);
        }
        assert_eq!(aimd.limit(), MAX / 2);
        for _ in 0..1_000 {
            aimd.outcome(false, true, 1);
        }
        assert_eq!(aimd.limit(), 1);
    }

    #[test]
    fn it_does_not_grow_when_nothing_waits() {
        let mut aimd = Aimd::new();
        for _ in 0..1_000 {
            assert!(aimd.allows(0));
            aimd.outcome(true, false, 1);
        }
        assert_eq!(aimd.limit(), START);
    }
}
