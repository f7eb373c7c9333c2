//! API versions as the vocabulary sees them: a date that compares.

/// A dated API version as the number `yyyymmdd`, e.g. 20200827. Names (`acacia`, …) are wire's business.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Version(pub u32);

impl Version {
    /// Before every version: a field without `since` has always been there.
    pub const ALWAYS: Version = Version(0);
    /// After every version: a field without `until` is still there.
    pub const NEVER: Version = Version(u32::MAX);
    /// The newest shape, which the code speaks (2026-10-28.endive).
    pub const NEWEST: Version = Version(20261028);
}
