//! Metadata: up to 50 key and value pairs that a merchant attaches to an object (API reference, "Metadata").

use crate::record::{Input, RecordError, Wire, delimited, take_delimited};

/// Most keys an object may carry.
pub const METADATA_KEYS_MAX: usize = 50;
/// Longest key, in characters.
pub const METADATA_KEY_LEN_MAX: usize = 40;
/// Longest value, in characters.
pub const METADATA_VALUE_LEN_MAX: usize = 500;

/// Metadata in order of insertion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(Vec<(Box<str>, Box<str>)>);

impl Metadata {
    /// No pair.
    pub const EMPTY: Metadata = Metadata(Vec::new());

    /// The pairs in order of insertion.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of pairs.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Sets `key`, keeping its place when it exists.
    pub fn set(&mut self, key: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| &**known == key) {
            Some(pair) => pair.1 = value.into(),
            None => self.0.push((key.into(), value.into())),
        }
    }

    /// Merges an update as the API does: an empty value removes its key, `metadata=` removes all.
    pub fn apply(&mut self, update: &MetadataUpdate) {
        if update.clear {
            self.0.clear();
        }
        for (key, value) in &update.pairs {
            if value.is_empty() {
                self.0.retain(|(known, _)| known != key);
            } else {
                self.set(key, value);
            }
        }
    }
}

/// A change of metadata as a request states it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataUpdate {
    /// `metadata=`: drop everything first.
    pub clear: bool,
    /// Pairs in request order; an empty value removes the key.
    pub pairs: Vec<(Box<str>, Box<str>)>,
}

impl crate::record::Field for Metadata {
    const WIRE: Wire = Wire::Bytes;
    fn is_absent(&self) -> bool {
        self.0.is_empty()
    }
    fn absent() -> Option<Self> {
        Some(Self::default())
    }
    fn put(&self, out: &mut Vec<u8>) {
        delimited(out, |out| {
            for (key, value) in &self.0 {
                crate::record::put_str(out, key);
                crate::record::put_str(out, value);
            }
        });
    }
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
        let mut inner = take_delimited(input)?;
        let mut pairs = Vec::new();
        while !inner.is_empty() {
            pairs.push((inner.take_str()?.into(), inner.take_str()?.into()));
        }
        Ok(Metadata(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Field;

    fn of(pairs: &[(&str, &str)]) -> Metadata {
        let mut metadata = Metadata::default();
        pairs.iter().for_each(|(key, value)| metadata.set(key, value));
        metadata
    }

    fn update(clear: bool, pairs: &[(&str, &str)]) -> MetadataUpdate {
        MetadataUpdate {
            clear,
            pairs: pairs
                .iter()
                .map(|(key, value)| ((*key).into(), (*value).into()))
                .collect(),
        }
    }

    #[test]
    fn an_update_merges_and_an_empty_value_removes() {
        let mut metadata = of(&[("a", "1"), ("b", "2"), ("c", "3")]);
        metadata.apply(&update(false, &[("b", ""), ("a", "9"), ("d", "4"), ("unknown", "")]));
        assert_eq!(
            metadata,
            of(&[("a", "9"), ("c", "3"), ("d", "4")]),
            "kept keys keep their place"
        );
    }

    #[test]
    fn clearing_comes_before_setting() {
        let mut metadata = of(&[("a", "1")]);
        metadata.apply(&update(true, &[("b", "2")]));
        assert_eq!(metadata, of(&[("b", "2")]));
        metadata.apply(&update(true, &[]));
        assert!(metadata.is_empty() && metadata.is_absent());
    }

    #[test]
    fn it_reads_back_in_order_and_refuses_a_key_without_value() {
        let metadata = of(&[("z", "1"), ("a", ""), ("", "x")]);
        let mut out = Vec::new();
        metadata.put(&mut out);
        assert_eq!(Metadata::take(&mut Input::new(&out)), Ok(metadata));
        assert_eq!(
            Metadata::take(&mut Input::new(&[2, 1, b'k'])),
            Err(RecordError::Truncated)
        );
    }
}
