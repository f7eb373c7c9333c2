//! When a lane stops sending because nothing is taken, and how it finds out that something would be.

/// So many failures one after the other open it.
const CONSECUTIVE_MAX: u32 = 10;
/// Or half of at least so many within [`WINDOW_MS`].
const SAMPLE_MIN: u32 = 20;
/// The window, in pieces.
const PIECE_MS: u64 = 10_000;
const PIECES: usize = 6;
#[cfg(test)]
const WINDOW_MS: u64 = PIECE_MS * PIECES as u64;
/// The first pause before a probe, milliseconds.
pub(crate) const PROBE_FIRST_MS: u64 = 30_000;
/// The longest.
pub(crate) const PROBE_LAST_MS: u64 = 15 * 60_000;
/// After a probe that was taken, so many at once until so many were taken.
const TRIAL: u32 = 4;

/// A breaker.
#[derive(Clone, Debug)]
pub(crate) struct Breaker {
    state: State,
    consecutive: u32,
    /// Outcomes and failures of the last pieces of time, by the number of the piece.
    pieces: [(u64, u32, u32); PIECES],
}

/// Where a breaker stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Everything goes.
    Closed,
    /// Nothing goes until then; the pause after the next failure.
    Open {
        /// When one is tried, milliseconds.
        until_ms: u64,
        /// How long that pause is.
        pause_ms: u64,
    },
    /// One event is tried.
    Probing {
        /// The pause before it.
        pause_ms: u64,
    },
    /// A few at once.
    Trial {
        /// So many more have to be taken.
        left: u32,
        /// The pause before.
        pause_ms: u64,
    },
}

/// What an outcome meant to a breaker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turned {
    /// Nothing new.
    No,
    /// It opened: from now on nothing goes.
    Opened,
    /// It closed.
    Closed,
}

impl Breaker {
    pub(crate) fn new() -> Breaker {
        Breaker {
            state: State::Closed,
            consecutive: 0,
            pieces: [(0, 0, 0); PIECES],
        }
    }

    /// One that wants to see an event taken first.
    pub(crate) fn on_probation(now_ms: u64) -> Breaker {
        let state = State::Open {
            until_ms: now_ms,
            pause_ms: PROBE_FIRST_MS,
        };
        Breaker {
            state,
            ..Breaker::new()
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// How many may be out at once now; `None` if it has no opinion.
    pub(crate) fn allows(&mut self, now_ms: u64) -> Option<u32> {
        match self.state {
            State::Closed => None,
            State::Open { until_ms, .. } if now_ms < until_ms => Some(0),
            State::Open { .. } | State::Probing { .. } => Some(1),
            State::Trial { .. } => Some(TRIAL),
        }
    }

    /// One is sent. True when it is a probe.
    pub(crate) fn sent(&mut self) -> bool {
        if let State::Open { pause_ms, .. } = self.state {
            self.state = State::Probing { pause_ms };
        }
        matches!(self.state, State::Probing { .. })
    }

    /// Hears of an outcome. `probe` is what [`Breaker::sent`] said of it.
    pub(crate) fn outcome(&mut self, now_ms: u64, taken: bool, probe: bool) -> Turned {
        self.count(now_ms, taken);
        match self.state {
            State::Closed if taken => Turned::No,
            State::Closed => {
                let (all, failed) = self.lately(now_ms);
                if self.consecutive < CONSECUTIVE_MAX && (all < SAMPLE_MIN || failed * 2 < all) {
                    return Turned::No;
                }
                self.open(now_ms, PROBE_FIRST_MS);
                Turned::Opened
            }
            // Sent before it opened, or forgotten meanwhile: only the probe counts.
            State::Open { .. } => Turned::No,
            State::Probing { .. } if !probe => Turned::No,
            State::Probing { pause_ms } if taken => {
                self.state = State::Trial { left: TRIAL, pause_ms };
                Turned::No
            }
            State::Trial { left, pause_ms } if taken => {
                self.state = State::Trial {
                    left: left - 1,
                    pause_ms,
                };
                if left > 1 {
                    return Turned::No;
                }
                *self = Breaker::new();
                Turned::Closed
            }
            State::Probing { pause_ms } | State::Trial { pause_ms, .. } => {
                self.open(now_ms, (pause_ms * 2).min(PROBE_LAST_MS));
                Turned::Opened
            }
        }
    }

    /// The probe that is out will not be heard of.
    pub(crate) fn probe_lost(&mut self, now_ms: u64) {
        if let State::Probing { pause_ms } = self.state {
            self.open(now_ms, pause_ms);
        }
    }

    fn open(&mut self, now_ms: u64, pause_ms: u64) {
        let until_ms = now_ms + pause_ms;
        self.state = State::Open { until_ms, pause_ms };
    }

    fn count(&mut self, now_ms: u64, taken: bool) {
        self.consecutive = if taken { 0 } else { self.consecutive.saturating_add(1) };
        let number = now_ms / PIECE_MS;
        let piece = &mut self.pieces[number as usize % PIECES];
        if piece.0 != number {
            *piece = (number, 0, 0);
        }
        piece.1 += 1;
        piece.2 += u32::from(!taken);
    }

    fn lately(&self, now_ms: u64) -> (u32, u32) {
        let since = (now_ms / PIECE_MS).saturating_sub(PIECES as u64 - 1);
        let pieces = self.pieces.iter().filter(|piece| piece.0 >= since);
        pieces.fold((0, 0), |(all, failed), piece| (all + piece.1, failed + piece.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_failures_in_a_row_open_it_and_probes_come_ever_later() {
        let mut breaker = Breaker::new();
        for at in 0..9 {
            assert_eq!(breaker.outcome(at, false, false), Turned::No);
        }
        breaker.outcome(9, true, false);
        for at in 10..19 {
            assert_eq!(breaker.outcome(at, false, false), Turned::No);
        }
        // 18 of 19 are more than half, but fewer than twenty.
        assert_eq!(breaker.outcome(20, false, false), Turned::Opened);
        let mut now = 20;
        let mut pauses = Vec::new();
        for _ in 0..8 {
            assert_eq!(breaker.allows(now), Some(0));
            let State::Open { until_ms: at, .. } = breaker.state() else {
                panic!("it is open")
            };
            pauses.push((at - now) / 1_000);
            now = at;
            assert_eq!(breaker.allows(now), Some(1));
            assert!(breaker.sent());
            assert_eq!(
                breaker.outcome(now, false, false),
                Turned::No,
                "an older one says nothing"
            );
            assert_eq!(breaker.outcome(now, false, true), Turned::Opened);
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 900, 900, 900]);
    }

    #[test]
    fn half_of_twenty_within_a_minute_open_it() {
        let mut breaker = Breaker::new();
        let turned: Vec<Turned> = (0..40).map(|at| breaker.outcome(at, at % 2 == 0, false)).collect();
        assert_eq!(turned.iter().position(|turned| *turned == Turned::Opened), Some(19));
        let mut breaker = Breaker::new();
        let far = |at: u64| at * WINDOW_MS / 15;
        assert!((0..400).all(|at| breaker.outcome(far(at), at % 2 == 0, false) == Turned::No));
    }

    #[test]
    fn after_a_probe_four_are_tried_and_then_all() {
        let mut breaker = Breaker::on_probation(5);
        assert_eq!(breaker.allows(5), Some(1));
        assert!(breaker.sent());
        assert_eq!(breaker.outcome(6, true, true), Turned::No);
        assert_eq!(breaker.allows(6), Some(4));
        assert!(!breaker.sent());
        for _ in 0..3 {
            assert_eq!(breaker.outcome(7, true, false), Turned::No);
        }
        assert_eq!(breaker.outcome(7, true, false), Turned::Closed);
        assert_eq!(breaker.allows(7), None);
    }
}
