//! How fast nodes notice each other.

use std::time::Duration;

/// The pace of membership. The same on every node, or some notice later than others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// How often a node says that it lives and looks at the others.
    pub beat: Duration,
    /// How long a counter stays the same before its node is given up.
    pub suspect: Duration,
    /// How long a node that joined has to live before it is given what others serve; doubled each time it falls.
    pub steady: Duration,
}

impl Pace {
    /// What is used where nothing else is set: a dead node is noticed within some five seconds.
    pub const USUAL: Pace = Pace {
        beat: Duration::from_secs(1),
        suspect: Duration::from_secs(4),
        steady: Duration::from_secs(3),
    };

    /// Watched time that one look can count for, however long it took: what lies beyond it was not watched.
    pub(crate) fn step_max(&self) -> Duration {
        self.beat * 3 / 2
    }

    /// How long an offer stands before the shard is let go: its heir has looked by then.
    pub(crate) fn offer_stands(&self) -> Duration {
        self.beat * 5 / 4
    }

    /// How long a row may stay the same before it is removed: its process does not come back, or joins as a new one would.
    pub(crate) fn remove_after(&self) -> Duration {
        (self.suspect * 100).max(Duration::from_secs(600))
    }
}
