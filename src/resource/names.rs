//! Closed sets of public words (`requires_capture`, `automatic_async`, …) as enums.

/// A fieldless enum whose variants have public names. Derive it: a variant's name is its snake_case spelling, or
/// `#[name = "…"]`.
pub trait Names: Copy + Sized + 'static {
    /// Every variant, in declaration order (the order error messages list them in).
    const ALL: &'static [Self];
    /// The names of [`Names::ALL`], in the same order.
    const NAMES: &'static [&'static str];

    /// The public name.
    fn name(self) -> &'static str;

    /// The variant with that public name.
    fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .position(|known| *known == name)
            .map(|at| Self::ALL[at])
    }
}
