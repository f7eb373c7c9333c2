//! The values that any resource takes: numbers, truth, text, arrays, metadata, ranges, words and ids.

use super::{Bounds, ParamKind, ParamValue, Problem, Step, put_items, scalar};
use crate::id::{Id, Kind};
use crate::metadata::MetadataUpdate;
use crate::names::Names;

impl ParamValue for i64 {
    const KIND: ParamKind = ParamKind::Int {
        min: i64::MIN,
        max: i64::MAX,
    };
    fn first(path: &[Step<'_>], text: &str, bounds: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        let value: i64 = text.trim().parse().map_err(|_| Problem::Integer)?;
        if value < bounds.min {
            return Err(Problem::TooSmall { min: bounds.min });
        }
        if value > bounds.max {
            return Err(Problem::TooLarge { max: bounds.max });
        }
        Ok(value)
    }
}

impl ParamValue for bool {
    const KIND: ParamKind = ParamKind::Bool;
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        boolean(text).ok_or(Problem::Boolean)
    }
}

/// What a text says of a boolean. Python clients before 2020 send `True` and `False`, as that language prints them.
pub fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" => Some(true),
        "false" | "False" => Some(false),
        _ => None,
    }
}

impl ParamValue for Box<str> {
    const KIND: ParamKind = ParamKind::Str {
        max_len: Bounds::DEFAULT.max_len,
    };
    fn first(path: &[Step<'_>], text: &str, bounds: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        // Bytes bound characters, so short text is not counted twice.
        if text.len() > bounds.max_len && text.chars().count() > bounds.max_len {
            return Err(Problem::TooLong { max: bounds.max_len });
        }
        Ok(text.into())
    }
}

/// An array; within a field's bounds the derive describes the items too.
impl<T: ParamValue> ParamValue for Vec<T> {
    const KIND: ParamKind = ParamKind::List {
        of: &T::KIND,
        max_items: Bounds::DEFAULT.max_items,
    };
    fn first(path: &[Step<'_>], text: &str, bounds: &Bounds) -> Result<Self, Problem> {
        let mut items = Vec::new();
        items.more(path, text, bounds)?;
        Ok(items)
    }
    fn more(&mut self, path: &[Step<'_>], text: &str, bounds: &Bounds) -> Result<(), Problem> {
        put_items(self, path, text, bounds)
    }
}

impl<T: ParamValue> ParamValue for Box<T> {
    const KIND: ParamKind = T::KIND;
    fn first(path: &[Step<'_>], text: &str, bounds: &Bounds) -> Result<Self, Problem> {
        T::first(path, text, bounds).map(Box::new)
    }
    fn more(&mut self, path: &[Step<'_>], text: &str, bounds: &Bounds) -> Result<(), Problem> {
        (**self).more(path, text, bounds)
    }
}

impl ParamValue for MetadataUpdate {
    const KIND: ParamKind = ParamKind::Metadata;
    fn first(path: &[Step<'_>], text: &str, bounds: &Bounds) -> Result<Self, Problem> {
        let mut update = Self::default();
        update.more(path, text, bounds)?;
        Ok(update)
    }
    fn more(&mut self, path: &[Step<'_>], text: &str, _: &Bounds) -> Result<(), Problem> {
        match path {
            [] if text.is_empty() => {
                self.clear = true;
                Ok(())
            }
            [Step::Key(key)] => {
                match self.pairs.iter_mut().find(|(known, _)| &**known == *key) {
                    Some(pair) => pair.1 = text.into(),
                    None => self.pairs.push(((*key).into(), text.into())),
                }
                Ok(())
            }
            _ => Err(Problem::Object),
        }
    }
}

/// Bounds on a time or number: an exact integer, or a hash of `gt`, `gte`, `lt`, `lte`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Smallest, inclusive.
    pub min: i64,
    /// Largest, inclusive.
    pub max: i64,
}

impl Range {
    /// Everything.
    pub const ALL: Range = Range {
        min: i64::MIN,
        max: i64::MAX,
    };
    /// Whether `value` lies inside.
    pub fn contains(&self, value: i64) -> bool {
        self.min <= value && value <= self.max
    }
}

impl ParamValue for Range {
    const KIND: ParamKind = ParamKind::Range;
    fn first(path: &[Step<'_>], text: &str, bounds: &Bounds) -> Result<Self, Problem> {
        let mut range = Range::ALL;
        range.more(path, text, bounds)?;
        Ok(range)
    }
    fn more(&mut self, path: &[Step<'_>], text: &str, _: &Bounds) -> Result<(), Problem> {
        let value: i64 = text.trim().parse().map_err(|_| Problem::Integer)?;
        match path {
            [] => *self = Range { min: value, max: value },
            [Step::Key("gt")] => self.min = self.min.max(value.saturating_add(1)),
            [Step::Key("gte")] => self.min = self.min.max(value),
            [Step::Key("lt")] => self.max = self.max.min(value.saturating_sub(1)),
            [Step::Key("lte")] => self.max = self.max.min(value),
            _ => return Err(Problem::Object),
        }
        Ok(())
    }
}

/// Reads one of a closed set of words; the derive of [`Names`] implements [`ParamValue`] with it.
pub fn first_name<T: Names>(path: &[Step<'_>], text: &str) -> Result<T, Problem> {
    scalar(path)?;
    T::from_name(text).ok_or(Problem::Names(T::NAMES))
}

/// Reads an id of `kind`; domain's id parameter types are built on it.
pub fn first_id(kind: &'static Kind, path: &[Step<'_>], text: &str) -> Result<Id, Problem> {
    scalar(path)?;
    kind.parse(text).ok_or(Problem::NoSuch { kind })
}
