//! Recent payments, for reads and replays to be about.

use super::task::Paid;
use crate::random::SplitMix64;

/// Most payments a thread keeps: about a minute of them at full scale.
const RECENT_MAX: usize = 262_144;

/// The newest payments, up to [`RECENT_MAX`].
#[derive(Default)]
pub(super) struct Recent {
    entries: Vec<Paid>,
    next: usize,
}

impl Recent {
    /// Keeps a payment, in place of the oldest if there are too many.
    pub(super) fn push(&mut self, paid: Paid) {
        if self.entries.len() < RECENT_MAX {
            self.entries.push(paid);
        } else {
            self.entries[self.next] = paid;
            self.next = (self.next + 1) % RECENT_MAX;
        }
    }

    /// Draws one; `None` if there is none.
    pub(super) fn draw(&self, random: &mut SplitMix64) -> Option<Paid> {
        (!self.entries.is_empty()).then(|| self.entries[random.below(self.entries.len())])
    }
}
