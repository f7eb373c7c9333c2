//! An endpoint as delivery sees it.

use crate::filter::Patterns;
use crate::secret::ActiveSecret;
use std::fmt;
use std::sync::Arc;

/// Which endpoint: its account and its sequence number there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EndpointKey {
    /// The account's key.
    pub account: u64,
    /// The endpoint's sequence number in the account. Events with a greater one are its.
    pub seq: u64,
}

/// An endpoint, read once and shared until it changes.
#[derive(Clone)]
pub struct EndpointView {
    /// Which one.
    pub key: EndpointKey,
    /// Its public id, `we_…`.
    pub id: Arc<str>,
    /// Rises with each change of it.
    pub revision: u64,
    /// Whether its account is in live mode.
    pub livemode: bool,
    /// Where deliveries go. May hold what its owner would not show around, so it does not print.
    pub url: Arc<str>,
    /// Which events it wants.
    pub filter: Patterns,
    /// The API version that bodies are rendered at.
    pub api_version: Arc<str>,
    /// Whether it takes deliveries.
    pub status: Status,
    /// What deliveries are signed with, the current one first.
    pub secrets: Vec<ActiveSecret>,
    /// What stays in order.
    pub ordering: Ordering,
    /// Milliseconds for one attempt, connecting and body included.
    pub timeout_ms: u32,
    /// Most deliveries a second, where its owner set a limit.
    pub rate_per_s: Option<u32>,
    /// When a failed delivery is tried again.
    pub schedule: Schedule,
    /// Whether deliveries bear the headers of the Standard Webhooks convention too.
    pub standard_headers: bool,
}

impl fmt::Debug for EndpointView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointView")
            .field("id", &self.id)
            .field("revision", &self.revision)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Whether an endpoint takes deliveries. What it does not take waits, for as long as events are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It does.
    Enabled,
    /// Its owner wants it to wait a while.
    Paused,
    /// It was switched off.
    Disabled(SwitchedOff),
}

/// Why an endpoint was switched off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SwitchedOff {
    /// Its owner wanted it so.
    Owner,
    /// It took nothing for days.
    Failing,
    /// It answered that it is gone for good (410).
    Gone,
}

/// What stays in order, among the events about one object.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Ordering {
    /// One delivery at a time; the next goes when the first attempt of the one before has an outcome. The usual.
    #[default]
    FifoWhileHealthy,
    /// One delivery at a time; the next goes when the one before was taken, or is a dead letter.
    Strict,
    /// Nothing.
    None,
}

/// Most attempts of one delivery.
pub const ATTEMPTS_MAX: usize = 12;
/// The longest pause before an attempt, milliseconds: seven days.
pub const PAUSE_MS_MAX: u64 = 7 * 24 * 60 * 60 * 1_000;
/// Pauses before each attempt, seconds, where an endpoint has none of its own: at once, 5 min, 30 min, 2 h, 24 h.
const USUAL_PAUSES_S: [u32; 5] = [0, 300, 1_800, 7_200, 86_400];

/// When a failed delivery is tried again: the pause before each attempt, counted from the failure before it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    pauses_s: Arc<[u32]>,
}

impl Schedule {
    /// Pauses before the second attempt, the third and so on, in seconds.
    ///
    /// # Errors
    /// When there would be more than [`ATTEMPTS_MAX`] attempts, or a pause is longer than [`PAUSE_MS_MAX`].
    pub fn new(retries_s: &[u32]) -> Result<Schedule, ScheduleError> {
        if retries_s.len() >= ATTEMPTS_MAX {
            return Err(ScheduleError::Attempts(retries_s.len() + 1));
        }
        if let Some(pause) = retries_s.iter().find(|pause| u64::from(**pause) * 1_000 > PAUSE_MS_MAX) {
            return Err(ScheduleError::Pause(*pause));
        }
        let pauses_s = std::iter::once(0).chain(retries_s.iter().copied()).collect();
        Ok(Schedule { pauses_s })
    }

    /// How many attempts a delivery has.
    pub fn attempts(&self) -> u8 {
        self.pauses_s.len() as u8
    }

    /// Milliseconds between the failure of attempt `failed` (from 0) and the next one; `None` if it was the last.
    pub fn pause_ms(&self, failed: u8) -> Option<u64> {
        let pause = self.pauses_s.get(usize::from(failed) + 1);
        pause.map(|pause| u64::from(*pause) * 1_000)
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Schedule {
            pauses_s: USUAL_PAUSES_S.into(),
        }
    }
}

/// Why pauses are no schedule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ScheduleError {
    /// Too many.
    #[error("a delivery has at most {ATTEMPTS_MAX} attempts, not {0}")]
    Attempts(usize),
    /// Too long.
    #[error("a pause before an attempt is at most seven days, not {0} seconds")]
    Pause(u32),
}
