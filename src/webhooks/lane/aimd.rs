//! How many deliveries of one lane may be out at once: a little more while all goes well, half as many when there was too much.

/// Where every lane begins.
pub(crate) const START: u32 = 4;
/// The most.
pub(crate) const MAX: u32 = 64;

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
}

impl Aimd {
    pub(crate) fn new() -> Aimd {
        Aimd::at(START)
    }

    fn at(limit: u32) -> Aimd {
        Aimd {
            limit,
            left: limit,
            clean: true,
            wanted: false,
            halved: false,
        }
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

    /// Hears of an outcome.
    pub(crate) fn outcome(&mut self, taken: bool, overload: bool) {
        self.clean &= taken;
        if overload && !self.halved {
            *self = Aimd::at((self.limit / 2).max(1));
            self.halved = true;
            self.clean = false;
            return;
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            let more = u32::from(self.clean && self.wanted);
            *self = Aimd::at((self.limit + more).min(MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Outcomes of `windows` full windows, with the limit in the way.
    fn windows(aimd: &mut Aimd, windows: u32) {
        for _ in 0..windows {
            for _ in 0..aimd.limit() {
                assert!(!aimd.allows(aimd.limit()));
                aimd.outcome(true, false);
            }
        }
    }

    #[test]
    fn it_grows_by_one_a_clean_window_and_halves_once_for_what_is_out() {
        let mut aimd = Aimd::new();
        windows(&mut aimd, 3);
        assert_eq!(aimd.limit(), START + 3);
        windows(&mut aimd, 200);
        assert_eq!(aimd.limit(), MAX);
        for _ in 0..MAX / 2 {
            aimd.outcome(false, true);
        }
        assert_eq!(aimd.limit(), MAX / 2);
        for _ in 0..1_000 {
            aimd.outcome(false, true);
        }
        assert_eq!(aimd.limit(), 1);
    }

    #[test]
    fn it_does_not_grow_when_nothing_waits() {
        let mut aimd = Aimd::new();
        for _ in 0..1_000 {
            assert!(aimd.allows(0));
            aimd.outcome(true, false);
        }
        assert_eq!(aimd.limit(), START);
    }
}
