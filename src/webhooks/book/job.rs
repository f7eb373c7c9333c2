//! A job that sends a range of events again.

/// A recovery job: what it is about, and how far it has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecoverJob {
    /// Names it, among those of its endpoint; rises.
    pub id: u64,
    /// Events that happened at or after this, milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// Events that happened before this.
    pub until_ms: u64,
    /// Only these types; every type the endpoint wants if there are none.
    pub types: Vec<Box<str>>,
    /// Only some of them.
    pub only: Only,
    /// Events up to this number are done with.
    pub done: u64,
    /// The last number it looks at.
    pub last: u64,
    /// Events it sent.
    pub sent: u64,
    /// Of those, events that were taken.
    pub taken: u64,
    /// When it was begun, milliseconds since the Unix epoch.
    pub began_ms: u64,
    /// Where it stands.
    pub state: JobState,
}

impl RecoverJob {
    /// Whether it was asked for in the same words at the same moment.
    pub(crate) fn is_asked_as(&self, other: &RecoverJob) -> bool {
        (self.began_ms, self.since_ms, self.until_ms, self.only)
            == (other.began_ms, other.since_ms, other.until_ms, other.only)
            && self.types == other.types
    }
}

/// Which events of a range.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Only {
    /// All.
    All,
    /// Those that the endpoint has not taken: what waits for another attempt, and dead letters.
    Undelivered,
    /// Those that it has taken before.
    Delivered,
}

/// Where a job stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum JobState {
    /// It goes on.
    Running,
    /// It has come to its end.
    Done,
    /// Somebody stopped it.
    Canceled,
}
