//! Which events an endpoint wants.

use hashbrown::HashSet;
use std::sync::Arc;

/// Most patterns of one endpoint.
pub const PATTERNS_MAX: usize = 512;

/// Patterns of event types: a whole type (`charge.refunded`), all types below a name (`charge.*`), or `*` for every type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Patterns {
    kept: Arc<Kept>,
}

#[derive(PartialEq, Eq, Debug, Default)]
struct Kept {
    all: bool,
    whole: HashSet<Box<str>>,
    /// With the dot at the end.
    below: Vec<Box<str>>,
}

impl Patterns {
    /// Takes patterns.
    ///
    /// # Errors
    /// When there are more than [`PATTERNS_MAX`], or a `*` stands elsewhere than alone or behind the last dot.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Patterns, PatternError> {
        let mut kept = Kept::default();
        for (at, pattern) in patterns.into_iter().enumerate() {
            if at >= PATTERNS_MAX {
                return Err(PatternError::TooMany);
            }
            match pattern.strip_suffix('*') {
                Some("") => kept.all = true,
                Some(below) if below.ends_with('.') && below.len() > 1 && !below.contains('*') => {
                    kept.below.push(below.into());
                }
                None if !pattern.is_empty() && !pattern.contains('*') => {
                    kept.whole.insert(pattern.into());
                }
                _ => return Err(PatternError::Star(pattern.to_owned())),
            }
        }
        Ok(Patterns { kept: Arc::new(kept) })
    }

    /// Every event.
    pub fn all() -> Patterns {
        Patterns {
            kept: Arc::new(Kept {
                all: true,
                ..Kept::default()
            }),
        }
    }

    /// Whether events of this type are wanted.
    pub fn want(&self, kind: &str) -> bool {
        let kept = &self.kept;
        kept.all || kept.whole.contains(kind) || kept.below.iter().any(|below| kind.starts_with(&**below))
    }
}

/// Why something is no pattern.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PatternError {
    /// Too many of them.
    #[error("an endpoint has at most {PATTERNS_MAX} patterns")]
    TooMany,
    /// A star in the wrong place, or nothing at all.
    #[error("{0:?} is no pattern: write a type, a name with '.*' behind it, or '*'")]
    Star(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_type_a_name_with_all_below_it_or_everything() {
        let some = Patterns::new(["charge.refunded", "payment_intent.*"]).expect("patterns");
        assert!(some.want("charge.refunded") && some.want("payment_intent.succeeded"));
        assert!(some.want("payment_intent.amount.changed"));
        assert!(!some.want("charge.refund.updated") && !some.want("payment_intents.created") && !some.want("charge"));
        assert!(Patterns::new(["*"]).expect("a pattern").want("whatever"));
        assert!(!Patterns::new([]).expect("none").want("charge.refunded"));
        for wrong in ["", "cha*", "charge.*.x", "*.created", ".*", "**"] {
            let why = Patterns::new([wrong]).expect_err("no pattern");
            assert_eq!(why, PatternError::Star(wrong.to_owned()));
        }
    }
}
